//! The example vault that people see first.

use std::path::Path;

use fitter_domain::Locale;
use fitter_retrieval::evaluate::{self, answers};
use fitter_retrieval::local::{LocalSearch, search_vault};
use fitter_retrieval::meta::Kind;
use fitter_retrieval::problem::Severity;
use fitter_retrieval::search::Filter;
use serde_json::Value;

fn example() -> LocalSearch {
    search_vault(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/vault"))).unwrap()
}

#[test]
fn imports_without_a_problem() {
    let search = example();
    let problems: Vec<_> =
        search.import.problems.iter().filter(|problem| problem.severity > Severity::Info).map(ToString::to_string).collect();
    assert_eq!(problems, Vec::<String>::new());
    for note in search.notes().values().filter(|note| note.meta.kind == Kind::Procedure) {
        assert!(note.procedure.is_some(), "{}", note.path);
    }
}

/// The facts that people need stand in the first message.
#[test]
fn the_first_message_says_what_was_asked() {
    let search = example();
    let queries = evaluate::queries(include_str!("../../../examples/questions.jsonl")).unwrap();
    let report = answers::evaluate(&search, &queries, |_, _, _| {}).unwrap();
    let right = report.all.answered_right * 100 / report.all.answerable;
    assert!(right >= 85, "{right} of 100 answered right: {report:?}");
    assert!(report.characters < 900, "{} characters in a message", report.characters);
}

/// Rates over many messages, no single one: half of them were never looked at when the search was tuned.
#[test]
fn answers_questions_and_refuses_the_rest() {
    let search = example();
    let messages = include_str!("../fixtures/asked.jsonl").lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    for split in ["dev", "held-out"] {
        let (mut questions, mut first, mut refused_wrong) = (0.0_f32, 0.0_f32, 0.0_f32);
        let (mut others, mut refused_right) = (0.0_f32, 0.0_f32);
        for message in messages.clone().filter(|message| message["split"] == split) {
            let prefer = message["lang"].as_str().and_then(Locale::from_tag);
            let answer = search.searcher().ask(message["text"].as_str().unwrap(), &Filter { prefer, ..Filter::staff(5) }).unwrap();
            let notes: Vec<&str> = message["notes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            if notes.is_empty() {
                others += 1.0;
                refused_right += f32::from(u8::from(!answer.answered));
            } else {
                questions += 1.0;
                refused_wrong += f32::from(u8::from(!answer.answered));
                first += f32::from(u8::from(answer.hits.first().is_some_and(|hit| notes.contains(&hit.note.as_str()))));
            }
        }
        assert!(questions >= 30.0 && others >= 40.0);
        assert!(first / questions >= 0.88, "{split}: the right note first {:.2}", first / questions);
        assert!(refused_right / others >= 0.82, "{split}: refused right {:.2}", refused_right / others);
        assert!(refused_wrong / questions <= 0.09, "{split}: refused wrong {:.2}", refused_wrong / questions);
    }
}
