//! Requests of one kind that come close together are done together.
//!
//! There is no timer as a rule: a request that comes while nothing is under way begins at once. What comes while others are being done waits for them and
//! then goes together. So a batch grows with the load, and without load nobody waits. A second batch begins beside the first one only when it is
//! full: two small ones cost almost twice as much as one.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// With so many a batch is worth its cost, and does not linger for more.
const FEW: usize = 16;

type Work<Q, A> = dyn Fn(Vec<Request<Q, A>>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// Collects requests and does them in batches. Cheap to clone.
pub struct Batcher<Q, A>(Arc<Inner<Q, A>>);

struct Inner<Q, A> {
    /// Requests in a batch at most.
    most: usize,
    /// Batches at a time.
    parallel: usize,
    /// How long a small batch waits for more.
    linger: Duration,
    line: Mutex<Line<Q, A>>,
    work: Box<Work<Q, A>>,
}

struct Line<Q, A> {
    waiting: VecDeque<Request<Q, A>>,
    running: usize,
}

/// A request of a batch, to be answered. One that is dropped has no answer.
#[derive(Debug)]
pub struct Request<Q, A> {
    /// What is asked.
    pub what: Q,
    answer: oneshot::Sender<A>,
}

impl<Q, A> Request<Q, A> {
    /// Answers; whoever asked may be gone by now.
    pub fn answer(self, answer: A) {
        let _gone = self.answer.send(answer);
    }
}

impl<Q, A> Clone for Batcher<Q, A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<Q, A> std::fmt::Debug for Batcher<Q, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batcher").field("most", &self.0.most).field("parallel", &self.0.parallel).finish_non_exhaustive()
    }
}

impl<Q: Send + 'static, A: Send + 'static> Batcher<Q, A> {
    /// Does requests by `work`: at most `most` together and, while so many wait, `parallel` batches at a time; both at least one.
    pub fn new<W, F>(most: usize, parallel: usize, work: W) -> Self
    where
        W: Fn(Vec<Request<Q, A>>) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        Self::lingering(most, parallel, Duration::ZERO, work)
    }

    /// The same for what nobody waits for: a small batch waits so long for more.
    pub fn lingering<W, F>(most: usize, parallel: usize, linger: Duration, work: W) -> Self
    where
        W: Fn(Vec<Request<Q, A>>) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let line = Mutex::new(Line { waiting: VecDeque::new(), running: 0 });
        let work = Box::new(move |requests| Box::pin(work(requests)) as Pin<Box<dyn Future<Output = ()> + Send>>);
        Self(Arc::new(Inner { most: most.max(1), parallel: parallel.max(1), linger, line, work }))
    }

    /// Asks, and waits for the answer; `None` if the batch ended without one: it failed as a whole, or panicked.
    ///
    /// Whoever does not wait any more has asked all the same.
    pub async fn ask(&self, what: Q) -> Option<A> {
        let (answer, answered) = oneshot::channel();
        let begin = {
            let mut line = self.line();
            line.waiting.push_back(Request { what, answer });
            let begin = line.running == 0 || (line.running < self.0.parallel && line.waiting.len() >= self.0.most);
            line.running += usize::from(begin);
            begin
        };
        if begin {
            tokio::spawn(self.clone().work());
        }
        answered.await.ok()
    }

    async fn work(self) {
        loop {
            if !self.0.linger.is_zero() && self.line().waiting.len() < self.0.most.min(FEW) {
                tokio::time::sleep(self.0.linger).await;
            }
            let Some(batch) = self.next() else { return };
            // A task of its own, so that a panic ends this batch and nothing else.
            if let Err(error) = tokio::spawn((self.0.work)(batch)).await {
                tracing::warn!(%error, "a batch was cut off, its parts are done one by one");
            }
        }
    }

    fn next(&self) -> Option<Vec<Request<Q, A>>> {
        let mut line = self.line();
        if line.waiting.is_empty() || (line.running > 1 && line.waiting.len() < self.0.most) {
            line.running -= 1;
            return None;
        }
        let most = line.waiting.len().min(self.0.most);
        Some(line.waiting.drain(..most).collect())
    }

    fn line(&self) -> MutexGuard<'_, Line<Q, A>> {
        self.0.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::{Notify, Semaphore};

    use super::*;

    #[tokio::test]
    async fn what_comes_meanwhile_goes_together() {
        let (gate, sizes) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(Vec::new())));
        let begun = Arc::new(Notify::new());
        let batcher = Batcher::new(4, 1, {
            let (gate, sizes, begun) = (Arc::clone(&gate), Arc::clone(&sizes), Arc::clone(&begun));
            move |requests: Vec<Request<usize, usize>>| {
                let (gate, sizes, begun) = (Arc::clone(&gate), Arc::clone(&sizes), Arc::clone(&begun));
                async move {
                    sizes.lock().unwrap().push(requests.len());
                    begun.notify_one();
                    gate.acquire().await.unwrap().forget();
                    requests.into_iter().for_each(|request| {
                        let double = request.what * 2;
                        request.answer(double);
                    });
                }
            }
        });
        let first = tokio::spawn({
            let batcher = batcher.clone();
            async move { batcher.ask(0).await }
        });
        begun.notified().await;
        let rest: Vec<_> = (1..=6)
            .map(|n| {
                let batcher = batcher.clone();
                tokio::spawn(async move { batcher.ask(n).await })
            })
            .collect();
        while batcher.line().waiting.len() < 6 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(10);
        assert_eq!(first.await.unwrap(), Some(0));
        for (n, asked) in (1..=6).zip(rest) {
            assert_eq!(asked.await.unwrap(), Some(n * 2));
        }
        assert_eq!(*sizes.lock().unwrap(), [1, 4, 2]);
    }

    #[tokio::test]
    async fn a_second_batch_begins_when_it_is_full() {
        let gate = Arc::new(Semaphore::new(0));
        let running = Arc::new(Mutex::new(Vec::new()));
        let batcher = Batcher::new(2, 2, {
            let (gate, running) = (Arc::clone(&gate), Arc::clone(&running));
            move |requests: Vec<Request<(), ()>>| {
                let (gate, running) = (Arc::clone(&gate), Arc::clone(&running));
                async move {
                    running.lock().unwrap().push(requests.len());
                    gate.acquire().await.unwrap().forget();
                    requests.into_iter().for_each(|request| request.answer(()));
                }
            }
        });
        let mut asked = Vec::new();
        let mut sizes = Vec::new();
        for _ in 0..4 {
            let batcher = batcher.clone();
            asked.push(tokio::spawn(async move { batcher.ask(()).await }));
            // Everything that can be begun is begun.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            sizes.push(running.lock().unwrap().clone());
        }
        assert_eq!(sizes, [vec![1], vec![1], vec![1, 2], vec![1, 2]]);
        gate.add_permits(4);
        for asked in asked {
            assert_eq!(asked.await.unwrap(), Some(()));
        }
        assert_eq!(batcher.line().running, 0);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_lingers() {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let batcher = Batcher::lingering(3, 1, Duration::from_millis(50), {
            let sizes = Arc::clone(&sizes);
            move |requests: Vec<Request<(), ()>>| {
                sizes.lock().unwrap().push(requests.len());
                async move { requests.into_iter().for_each(|request| request.answer(())) }
            }
        });
        let ask = || {
            let batcher = batcher.clone();
            tokio::spawn(async move { batcher.ask(()).await })
        };
        let (first, second) = (ask(), ask());
        assert_eq!((first.await.unwrap(), second.await.unwrap()), (Some(()), Some(())));
        let more: Vec<_> = (0..4).map(|_| ask()).collect();
        for asked in more {
            assert_eq!(asked.await.unwrap(), Some(()));
        }
        assert_eq!(*sizes.lock().unwrap(), [2, 3, 1]);
    }

    #[tokio::test]
    async fn a_panic_ends_its_batch_only() {
        let batches = Arc::new(AtomicUsize::new(0));
        let batcher = Batcher::new(4, 1, {
            let batches = Arc::clone(&batches);
            move |requests: Vec<Request<bool, ()>>| {
                batches.fetch_add(1, Ordering::SeqCst);
                async move {
                    for request in requests {
                        assert!(!request.what, "as told");
                        request.answer(());
                    }
                }
            }
        });
        assert_eq!(batcher.ask(true).await, None);
        assert_eq!(batcher.ask(false).await, Some(()));
        assert_eq!(batches.load(Ordering::SeqCst), 2);
    }
}
