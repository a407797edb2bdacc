//! An embedder whose models work in threads of their own, one model each.

use std::sync::mpsc::{Receiver, Sender, channel};

use super::{EmbedError, Embedder, Pool};

/// Texts that a model gets at once: more gain nothing on a processor and cost memory.
pub const BATCH: usize = 16;

/// A model in one thread.
pub trait Engine: Send {
    /// Vectors of texts, of length 1, in their order.
    ///
    /// # Errors
    /// [`EmbedError`].
    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError>;
}

/// What a model wants before its texts: `query: ` and `passage: ` for the E5 family, mostly nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prefixes {
    /// Before a question.
    pub query: String,
    /// Before a passage.
    pub passage: String,
}

type Vectors = Result<Vec<Vec<f32>>, EmbedError>;

struct Job {
    texts: Vec<String>,
    reply: Sender<Vectors>,
}

/// An embedder over engines, each in a thread of its own.
pub struct Workers {
    name: String,
    dimension: usize,
    prefixes: Prefixes,
    pool: Pool<Job>,
}

impl Workers {
    /// Starts the threads, and asks one for the dimension.
    ///
    /// # Errors
    /// [`EmbedError`] if there is no engine, or it fails at the first text.
    pub fn new(name: String, prefixes: Prefixes, engines: Vec<Box<dyn Engine>>) -> Result<Self, EmbedError> {
        let worker = |mut engine: Box<dyn Engine>| {
            move |job: Job| {
                // Whoever asked may have gone.
                let _gone = job.reply.send(engine.embed(&job.texts));
            }
        };
        let workers = engines.into_iter().map(worker).collect();
        let pool = Pool::new("embedder", workers).map_err(|error| EmbedError::Model(format!("no thread for a model: {error}")))?;
        let mut own = Self { name, dimension: 0, prefixes, pool };
        own.dimension = own.query("1")?.len();
        Ok(own)
    }

    fn ask(&self, texts: Vec<String>, urgent: bool) -> Result<Receiver<Vectors>, EmbedError> {
        let (reply, answer) = channel();
        if self.pool.push(Job { texts, reply }, urgent) { Ok(answer) } else { Err(EmbedError::Stopped) }
    }
}

fn wait(answer: &Receiver<Vectors>, count: usize) -> Vectors {
    let vectors = answer.recv().map_err(|_| EmbedError::Stopped)??;
    if vectors.len() != count || vectors.iter().flatten().any(|number| !number.is_finite()) {
        return Err(EmbedError::Failed("it gave something that is no vector".to_owned()));
    }
    Ok(vectors)
}

impl Embedder for Workers {
    fn name(&self) -> &str {
        &self.name
    }

    fn dimension(&self) -> usize {
        self.dimension
    }

    fn passages(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        // Texts of one length in a batch: the others are filled up to the longest, and that costs as much as text.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|at| texts.get(*at).map_or(0, String::len));
        let batches: Vec<(&[usize], Receiver<Vectors>)> = order
            .chunks(BATCH)
            .map(|batch| {
                let prefixed = batch.iter().filter_map(|at| Some(format!("{}{}", self.prefixes.passage, texts.get(*at)?)));
                Ok((batch, self.ask(prefixed.collect(), false)?))
            })
            .collect::<Result<_, EmbedError>>()?;
        let mut out = vec![Vec::new(); texts.len()];
        for (batch, answer) in batches {
            for (at, vector) in batch.iter().zip(wait(&answer, batch.len())?) {
                if let Some(place) = out.get_mut(*at) {
                    *place = vector;
                }
            }
        }
        Ok(out)
    }

    fn query(&self, text: &str) -> Result<Vec<f32>, EmbedError> {
        let answer = self.ask(vec![format!("{}{text}", self.prefixes.query)], true)?;
        Ok(wait(&answer, 1)?.pop().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Tells what it was asked, and answers with the length of the text. Each batch waits for a word in `go`, if there is one.
    struct Echo {
        asked: Arc<Mutex<Vec<Vec<String>>>>,
        go: Option<Receiver<()>>,
    }

    impl Engine for Echo {
        fn embed(&mut self, texts: &[String]) -> Vectors {
            self.asked.lock().unwrap().push(texts.to_vec());
            if texts.iter().any(|text| text.ends_with("panic")) {
                panic!("as it was told");
            }
            if texts.iter().any(|text| text.ends_with("fail")) {
                return Err(EmbedError::Failed("as it was told".to_owned()));
            }
            if let Some(go) = &self.go
                && texts.iter().all(|text| text.starts_with("p:"))
            {
                go.recv().unwrap();
            }
            Ok(texts.iter().map(|text| vec![text.chars().count() as f32, 0.0]).collect())
        }
    }

    fn workers(go: Option<Receiver<()>>) -> (Workers, Arc<Mutex<Vec<Vec<String>>>>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let prefixes = Prefixes { query: "q:".to_owned(), passage: "p:".to_owned() };
        let engine: Box<dyn Engine> = Box::new(Echo { asked: Arc::clone(&asked), go });
        (Workers::new("echo".to_owned(), prefixes, vec![engine]).unwrap(), asked)
    }

    #[test]
    fn vectors_come_in_the_order_of_the_texts_and_with_prefixes() {
        let (workers, asked) = workers(None);
        assert_eq!((workers.name(), workers.dimension()), ("echo", 2));
        let texts: Vec<String> = (0..40).map(|n| "x".repeat((n * 7) % 40)).collect();
        let lengths: Vec<f32> = workers.passages(&texts).unwrap().iter().map(|vector| vector[0] - 2.0).collect();
        assert_eq!(lengths, texts.iter().map(|text| text.len() as f32).collect::<Vec<_>>());
        let asked = asked.lock().unwrap();
        assert_eq!(asked.iter().map(Vec::len).collect::<Vec<_>>(), [1, 16, 16, 8]);
        assert_eq!(asked[0], ["q:1"]);
        assert!(asked[1].iter().all(|text| text.starts_with("p:")));
    }

    #[test]
    fn a_question_goes_before_passages_that_wait() {
        let (go, gate) = channel();
        let (workers, asked) = workers(Some(gate));
        std::thread::scope(|scope| {
            let passages = scope.spawn(|| workers.passages(&vec!["long text".to_owned(); 3 * BATCH]).unwrap());
            while asked.lock().unwrap().len() < 2 {
                std::thread::yield_now();
            }
            // The first batch is at work, two wait.
            let query = scope.spawn(|| workers.query("?").unwrap());
            while workers.pool.waiting() < 3 {
                std::thread::yield_now();
            }
            for _ in 0..3 {
                go.send(()).unwrap();
            }
            assert_eq!(query.join().unwrap(), [3.0, 0.0]);
            assert_eq!(passages.join().unwrap().len(), 3 * BATCH);
        });
        let asked = asked.lock().unwrap();
        assert_eq!(asked[2], ["q:?"]);
    }

    #[test]
    fn a_failure_is_the_askers_and_a_dead_thread_is_told() {
        let (workers, _) = workers(None);
        assert!(matches!(workers.query("fail"), Err(EmbedError::Failed(_))));
        assert!(workers.query("well").is_ok());
        assert!(matches!(workers.query("panic"), Err(EmbedError::Stopped)));
        assert!(matches!(workers.query("well"), Err(EmbedError::Stopped)));
        assert!(matches!(Workers::new(String::new(), Prefixes::default(), Vec::new()), Err(EmbedError::Stopped)));
    }
}
