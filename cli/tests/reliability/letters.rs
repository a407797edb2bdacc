//! What was sent, held against what was to be sent: nothing missing, in order, and how much twice.

use std::collections::{HashMap, HashSet};

use fitter_bot::render::{Part, parts};
use fitter_domain::outbound::{Outbound, OutboundKind};
use fitter_domain::screen::Screen;
use serde_json::Value;

use crate::audit::Report;
use crate::crowd::{Person, Sent};
use crate::ledger::Call;
use crate::storm::Storm;

/// An outbox item that makes or changes messages.
struct Letter {
    id: i64,
    /// It has to have been sent: neither dead nor replaced by a newer one.
    due: bool,
    /// Whether it makes a new message, and so is seen twice if it is sent twice.
    new: bool,
    /// Words of the messages it takes.
    parts: Vec<String>,
}

/// An album has no words of its own.
const ALBUM: &str = "⟨album⟩";

fn words(screen: &Screen) -> Vec<String> {
    parts(screen)
        .into_iter()
        .map(|part| match part {
            Part::Text { text, .. } => text.text,
            Part::Photo { caption, .. } => caption.text,
            Part::Album { .. } => ALBUM.to_owned(),
        })
        .collect()
}

fn letter(row: &Value) -> Option<(i64, Letter)> {
    let out: Outbound = serde_json::from_value(row["payload"].clone()).expect("an outbox item");
    let (new, screen) = match &out.what {
        OutboundKind::Send { screen, .. } | OutboundKind::Move { screen, .. } => (true, screen),
        OutboundKind::Edit { screen, .. } => (false, screen),
        _ => return None,
    };
    Some((out.chat.0, Letter { id: row["id"].as_i64()?, due: row["status"] == 1, new, parts: words(screen) }))
}

/// Whether a call is the end of a part: Telegram did it, or an edit had nothing to change, or the person does not want it.
fn counts(call: &Call) -> bool {
    let speaks = matches!(
        call.method.as_str(),
        "sendMessage" | "sendPhoto" | "sendMediaGroup" | "editMessageText" | "editMessageCaption" | "editMessageMedia"
    );
    speaks && (call.done || call.refused == 403)
}

/// Holds the calls against the outbox.
pub async fn audit(report: &mut Report, storm: &Storm, people: &[&Person], calls: &[Call]) {
    let rows = storm.fitter.rows("SELECT id, status, payload FROM all_items WHERE queue = 2 ORDER BY id").await;
    let mut letters: HashMap<i64, Vec<Letter>> = HashMap::new();
    for (chat, letter) in rows.iter().filter_map(letter) {
        letters.entry(chat).or_default().push(letter);
    }
    let mut spoken: HashMap<i64, Vec<&Call>> = HashMap::new();
    for call in calls.iter().filter(|call| counts(call)) {
        spoken.entry(call.chat).or_default().push(call);
    }
    for (chat, letters) in &letters {
        report.letters += letters.len();
        compare(report, *chat, letters, spoken.remove(chat).unwrap_or_default());
    }
    for (chat, calls) in spoken {
        report.disorder.push(format!("{} calls to chat {chat}, and nothing was to be sent there", calls.len()));
    }
    let answered: HashSet<&str> = calls.iter().filter(|call| call.method == "answerCallbackQuery").map(|call| call.tap.as_str()).collect();
    for person in people {
        for sent in &person.sent {
            if let Sent::Tap(id) = sent
                && !answered.contains(id.as_str())
                && report.dead.iter().all(|dead| !dead.payload.contains(id.as_str()))
            {
                report.unanswered.push(format!("the tap {id} of {}", person.id));
            }
        }
    }
}

/// Follows the calls of one chat along its letters.
fn compare(report: &mut Report, chat: i64, letters: &[Letter], calls: Vec<&Call>) {
    let (mut next, mut part) = (0, 0);
    let mut twice: HashMap<i64, usize> = HashMap::new();
    for call in calls {
        let said = if call.method == "sendMediaGroup" { ALBUM } else { call.text.as_str() };
        let fits = |letter: &Letter, part: usize| letter.parts.get(part).is_some_and(|words| words == said);
        // What is due cannot be left out; what is dead or replaced may have been sent all the same.
        let found = (next..letters.len()).find(|place| {
            let skipped = letters[next..*place].iter().all(|letter| !letter.due);
            skipped && fits(&letters[*place], if *place == next { part } else { 0 })
        });
        let again = |place: usize| letters.get(place).filter(|letter| letter.parts.iter().any(|words| words == said));
        let repeated = if part > 0 { again(next) } else { None }
            .or_else(|| letters[..next].iter().rev().find(|l| l.due).and(again(next.wrapping_sub(1))));
        match (found, repeated) {
            (Some(place), _) => {
                part = if place == next { part + 1 } else { 1 };
                next = place;
                if part >= letters[next].parts.len() {
                    (next, part) = (next + 1, 0);
                }
            }
            (None, Some(letter)) => {
                if letter.new {
                    *twice.entry(letter.id).or_default() += 1;
                }
            }
            (None, None) => {
                report.disorder.push(format!(
                    "«{said}» ({} {}) to chat {chat} instead of {:?}",
                    call.method,
                    call.seq,
                    letters.get(next).map(|l| (l.id, &l.parts))
                ));
                if let Some(place) = (next..letters.len()).find(|place| fits(&letters[*place], 0)) {
                    (next, part) = (place + 1, 0);
                }
            }
        }
    }
    report.doubled_letters += twice.len();
    for letter in letters[next.min(letters.len())..].iter().filter(|letter| letter.due) {
        report.lost.push(format!("letter {} to chat {chat}: {:?}", letter.id, letter.parts));
    }
}
