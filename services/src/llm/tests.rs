use std::sync::atomic::{AtomicUsize, Ordering};

use fitter_domain::rich::Rich;
use fitter_retrieval::llm::{Ask, Completing};

use super::*;

/// A model that says the same each time, or nothing for a while.
struct Scripted {
    verdict: Result<&'static str, ModelError>,
    answer: &'static str,
    slow: Duration,
    asked: AtomicUsize,
}

impl LanguageModel for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    fn complete<'a>(&'a self, ask: &'a Ask, heard: Heard<'a>) -> Completing<'a> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(self.slow).await;
            if ask.wish.name == "sufficiency" {
                return self.verdict.clone().map(str::to_owned);
            }
            let data = &ask.messages.last().unwrap().text;
            let id = data.lines().find_map(|line| line.strip_prefix("passage ")?.strip_suffix(':')).unwrap();
            let reply = self.answer.replace("{id}", id);
            (0..reply.len()).filter_map(|end| reply.get(..end)).for_each(heard);
            Ok(reply)
        })
    }
}

const RIGHT: &str = r#"{"answer": "Плавкий предохранитель на 3 А.", "citations": ["{id}"]}"#;

fn scripted(verdict: Result<&'static str, ModelError>, answer: &'static str) -> Scripted {
    Scripted { verdict, answer, slow: Duration::ZERO, asked: AtomicUsize::default() }
}

fn writer(model: Scripted) -> (Writer, Arc<Scripted>) {
    let model = Arc::new(model);
    let limits = Limits { time: Duration::from_millis(200), max_tokens: 500, at_once: 1, drafts: true };
    (Writer::new(model.clone(), limits, Box::new(|| 42)).unwrap(), model)
}

fn passages() -> Vec<Passage> {
    vec![Passage {
        note: "Предохранитель.md".into(),
        title: "Предохранитель".into(),
        headings: vec!["Номинал".into()],
        score: 1.0,
        body: Rich::text("Номинал предохранителя: 3 А, плавкий."),
        ..Passage::default()
    }]
}

async fn write(writer: &Writer) -> (Option<Written>, Vec<String>) {
    let mut seen = Vec::new();
    let written = writer.write("какой предохранитель", &passages(), Locale::Ru, &mut |text| seen.push(text.to_owned())).await;
    (written, seen)
}

#[tokio::test]
async fn an_answer_that_holds_is_written_and_seen_as_it_grows() {
    let (whole, _) = writer(scripted(Ok(r#"{"enough": "yes"}"#), RIGHT));
    let (written, seen) = write(&whole).await;
    assert_eq!(written, Some(Written::Answer { text: "Плавкий предохранитель на 3 А.".into(), cited: vec![0], partly: false }));
    assert_eq!(seen.first().map(String::as_str), Some("Плавкий"));
    assert!(seen.windows(2).all(|pair| pair[0].len() < pair[1].len()), "{seen:?}");
    let (part, _) = writer(scripted(Ok(r#"{"enough": "partly"}"#), RIGHT));
    assert!(matches!(write(&part).await.0, Some(Written::Answer { partly: true, .. })));
}

#[tokio::test]
async fn what_does_not_hold_is_not_written() {
    for (verdict, answer, expected) in [
        (r#"{"enough": "no"}"#, RIGHT, Some(Written::NotEnough)),
        (r#"{"enough": "yes"}"#, r#"{"answer": "Плавкий предохранитель на 5 А.", "citations": ["{id}"]}"#, Some(Written::Unproven)),
        (r#"{"enough": "yes"}"#, r#"{"answer": "Плавкий предохранитель на 3 А.", "citations": []}"#, Some(Written::Unproven)),
        (r#"{"enough": "yes"}"#, "Плавкий предохранитель на 3 А.", None),
        ("конечно", RIGHT, None),
    ] {
        let (writer, _) = writer(scripted(Ok(verdict), answer));
        let (written, seen) = write(&writer).await;
        assert_eq!(written, expected, "{answer}");
        assert!(seen.iter().all(|seen| !seen.contains('5')), "{seen:?}");
    }
}

#[tokio::test]
async fn a_model_that_is_away_costs_its_time_three_times() {
    let (writer, model) = writer(Scripted { slow: Duration::from_secs(5), ..scripted(Ok("{}"), RIGHT) });
    for asked in [1, 2, 3, 3, 3] {
        assert_eq!(write(&writer).await.0, None);
        assert_eq!(model.asked.load(Ordering::Relaxed), asked);
    }
    let now = Instant::now();
    assert!(writer.rests(now) && !writer.rests(now + PAUSE));
    // Once it is there again, its failures are forgotten.
    writer.remember(&Outcome::NotEnough, now);
    assert!(!writer.rests(now));
}

#[tokio::test]
async fn who_comes_beyond_the_limit_does_not_wait() {
    let (writer, model) = writer(Scripted { slow: Duration::from_millis(50), ..scripted(Ok(r#"{"enough": "yes"}"#), RIGHT) });
    let ((one, _), (two, _)) = tokio::join!(write(&writer), write(&writer));
    assert!(one.is_some() && two.is_none());
    assert_eq!(model.asked.load(Ordering::Relaxed), 2);
}
