//! The promises, held against the database and what Telegram saw.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::crowd::{self, Person, Sent};
use crate::letters;
use crate::storm::Storm;

/// Written into the database before a storm: every change of a dialogue and every end of an item, with the transaction that made it.
pub const TRAIL: &str = "
    CREATE TABLE trail_dialogues (
        seq bigserial, at timestamptz DEFAULT clock_timestamp(), tx xid8 DEFAULT pg_current_xact_id(),
        bot bigint, chat bigint, thread bigint, was bigint, is_now bigint
    );
    CREATE FUNCTION trail_dialogue() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO trail_dialogues (bot, chat, thread, was, is_now) VALUES (NEW.bot, NEW.chat, NEW.thread, OLD.rev, NEW.rev);
        RETURN NULL;
    END $$;
    CREATE TRIGGER trail AFTER UPDATE ON dialogues FOR EACH ROW EXECUTE FUNCTION trail_dialogue();
    CREATE TABLE trail_items (
        seq bigserial, at timestamptz DEFAULT clock_timestamp(), tx xid8 DEFAULT pg_current_xact_id(),
        item bigint, queue smallint, lane text, grp text, is_now smallint
    );
    CREATE FUNCTION trail_item() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO trail_items (item, queue, lane, grp, is_now)
        VALUES (NEW.id, NEW.queue, NEW.lane, CASE WHEN NEW.gathers THEN NEW.grp END, NEW.status);
        RETURN NULL;
    END $$;
    CREATE TRIGGER trail AFTER UPDATE OF status ON queue_items FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION trail_item();
    CREATE TABLE gone_items (LIKE queue_items);
    CREATE FUNCTION trail_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO trail_items (item, queue, lane, grp, is_now) VALUES (OLD.id, OLD.queue, OLD.lane, CASE WHEN OLD.gathers THEN OLD.grp END, 1);
        OLD.status := 1;
        INSERT INTO gone_items SELECT OLD.*;
        RETURN NULL;
    END $$;
    CREATE TRIGGER gone AFTER DELETE ON queue_items FOR EACH ROW WHEN (OLD.status = 0) EXECUTE FUNCTION trail_gone();
    CREATE VIEW all_items AS SELECT * FROM queue_items UNION ALL SELECT * FROM gone_items;
";

/// A dead letter.
#[derive(Debug, Clone)]
pub struct Dead {
    /// Its queue: 1 inbox, 2 outbox, 3 jobs.
    pub queue: i64,
    /// Its lane.
    pub lane: String,
    /// Why.
    pub error: String,
    /// What it was.
    pub payload: String,
}

/// What a storm may leave behind.
#[derive(Debug, Clone, Copy)]
pub struct Meant {
    /// Dead letters that must be.
    pub dead: fn(&Dead) -> bool,
    /// Letters that went out twice beside those on their way at a kill: answers that Telegram gave and nobody got.
    pub doubled: usize,
    /// The longest that work may stand still after a kill.
    pub resume: Duration,
}

impl Default for Meant {
    /// Nothing dead, nothing doubled but what was on its way, and work again within 35 s: a lease is 30 s.
    fn default() -> Self {
        Self { dead: |_| false, doubled: 0, resume: Duration::from_secs(35) }
    }
}

/// What came out.
#[derive(Debug, Default)]
pub struct Report {
    /// Updates that Telegram made.
    pub updates: usize,
    /// Updates and answers that are nowhere.
    pub lost: Vec<String>,
    /// State that changed more than once for one cause, or without one.
    pub doubled: Vec<String>,
    /// Items of a chat handled or sent in another order than they came in.
    pub disorder: Vec<String>,
    /// Taps that were not answered: a button span until Telegram stopped it.
    pub unanswered: Vec<String>,
    /// Letters to chats.
    pub letters: usize,
    /// Letters that arrived more than once.
    pub doubled_letters: usize,
    /// Letters that may have been on their way at kills.
    pub in_flight: usize,
    /// Kills.
    pub kills: usize,
    /// The longest time from a kill until a lane that was leased then went on, without the time in which no process worked at all.
    pub longest_resume: Duration,
    /// Which lane that was.
    pub slowest: String,
    /// Dead letters.
    pub dead: Vec<Dead>,
    /// Lanes that nobody gave back.
    pub held: i64,
    /// Times that somebody saw nothing for so long that they opened the menu.
    pub lost_patience: usize,
}

impl Report {
    /// Holds it against the promises.
    pub fn check(&self, meant: &Meant) {
        let first = |what: &[String]| what.iter().take(8).cloned().collect::<Vec<_>>().join("\n");
        assert!(self.lost.is_empty(), "{} lost:\n{}", self.lost.len(), first(&self.lost));
        assert!(self.doubled.is_empty(), "{} state changes doubled:\n{}", self.doubled.len(), first(&self.doubled));
        assert!(self.disorder.is_empty(), "{} out of order:\n{}", self.disorder.len(), first(&self.disorder));
        let most = self.in_flight + meant.doubled;
        assert!(self.doubled_letters <= most, "{} letters doubled, at most {most}", self.doubled_letters);
        let first_taps = first(&self.unanswered);
        assert!(self.unanswered.len() <= self.in_flight, "{} taps not answered:\n{first_taps}", self.unanswered.len());
        let unmeant: Vec<&Dead> = self.dead.iter().filter(|dead| !(meant.dead)(dead) || dead.error.is_empty()).collect();
        let told: Vec<String> = unmeant.iter().take(5).map(|dead| format!("{} {}: {}", dead.queue, dead.lane, dead.error)).collect();
        assert!(unmeant.is_empty(), "{} dead letters: {told:#?}", unmeant.len());
        assert_eq!(self.held, 0, "lanes that nobody gave back");
        assert!(self.longest_resume <= meant.resume, "work stood still for {:?}: {}", self.longest_resume, self.slowest);
        assert!(self.updates > 0 && self.letters > 0, "nothing happened");
    }

    /// The figures, for the report.
    pub fn figures(&self) -> Value {
        json!({
            "updates": self.updates, "lost": self.lost.len(), "doubled": self.doubled.len(), "disorder": self.disorder.len(),
            "letters": self.letters, "doubled_letters": self.doubled_letters, "in_flight": self.in_flight, "unanswered": self.unanswered.len(), "kills": self.kills,
            "longest_resume_ms": u64::try_from(self.longest_resume.as_millis()).unwrap_or(u64::MAX), "dead": self.dead.len(),
            "lost_patience": self.lost_patience,
        })
    }
}

/// An inbox item.
struct Item {
    id: i64,
    lane: String,
    status: i64,
    error: String,
    dedupe: String,
    payload: Value,
}

fn text(row: &Value, key: &str) -> String {
    row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn int(row: &Value, key: &str) -> i64 {
    row.get(key).and_then(Value::as_i64).unwrap_or_default()
}

/// Looks at everything. To be called when it is quiet.
pub async fn audit(storm: &Storm) -> Report {
    let fitter = &storm.fitter;
    let mut report =
        Report { held: fitter.count("SELECT count(*) FROM queue_lanes WHERE lease_token IS NOT NULL").await, ..Report::default() };
    let groups = storm.crowd.people().await;
    let people: Vec<&Person> = groups.iter().flat_map(|group| group.iter()).collect();
    report.lost_patience = people.iter().map(|person| person.lost_patience).sum();
    let rows = fitter.rows("SELECT id, lane, status, error, dedupe_key, payload FROM all_items WHERE queue = 1 ORDER BY id").await;
    let inbox: Vec<Item> = rows
        .into_iter()
        .map(|mut row| Item {
            id: int(&row, "id"),
            lane: text(&row, "lane"),
            status: int(&row, "status"),
            error: text(&row, "error"),
            dedupe: text(&row, "dedupe_key"),
            payload: row["payload"].take(),
        })
        .collect();
    let rows = fitter.rows("SELECT queue, lane, error, payload FROM queue_items WHERE status = 2 ORDER BY id").await;
    report.dead = rows
        .iter()
        .map(|row| Dead {
            queue: int(row, "queue"),
            lane: text(row, "lane"),
            error: text(row, "error"),
            payload: row["payload"].to_string(),
        })
        .collect();
    arrived(&mut report, storm, &people, &inbox);
    trail(&mut report, storm, &inbox).await;
    state(&mut report, storm, &people).await;
    let calls = storm.ledger.whole(&fitter.telegram).await;
    letters::audit(&mut report, storm, &people, &calls).await;
    report
}

/// Every update is in the inbox, once, and done or dead for a reason.
fn arrived(report: &mut Report, storm: &Storm, people: &[&Person], inbox: &[Item]) {
    let mut numbers: Vec<i64> = Vec::new();
    let mut seen: HashMap<(i64, Sent), usize> = HashMap::new();
    for item in inbox {
        match item.status {
            1 => {}
            2 if !item.error.is_empty() => {}
            status => report.lost.push(format!("item {} of {} ended as {status}: {}", item.id, item.lane, item.error)),
        }
        let Some(update) = item.payload.get("update") else { continue };
        numbers.extend(item.dedupe.rsplit_once(':').and_then(|(_, number)| number.parse::<i64>().ok()));
        let what = match (update.pointer("/message/message_id"), update.pointer("/callback_query/id")) {
            (Some(message), _) => (update.pointer("/message/chat/id"), Sent::Message(message.as_i64().unwrap_or_default())),
            (_, Some(tap)) => (update.pointer("/callback_query/from/id"), Sent::Tap(tap.as_str().unwrap_or_default().to_owned())),
            _ => continue,
        };
        *seen.entry((what.0.and_then(Value::as_i64).unwrap_or_default(), what.1)).or_default() += 1;
    }
    numbers.sort_unstable();
    report.updates = numbers.len();
    for two in numbers.windows(2) {
        if two[1] == two[0] {
            report.doubled.push(format!("update {} is there twice", two[0]));
        } else if two[1] != two[0] + 1 {
            report.lost.push(format!("updates between {} and {}", two[0], two[1]));
        }
    }
    for person in people {
        for sent in &person.sent {
            match seen.get(&(person.id, sent.clone())) {
                Some(1) => {}
                Some(times) => report.doubled.push(format!("{} of {} is there {times} times", format_args!("{sent:?}"), person.id)),
                None => {
                    report.lost.push(format!("{} of {} (bot {})", format_args!("{sent:?}"), person.id, storm.fitter.telegram.bot_id(0)))
                }
            }
        }
    }
}

/// Every turn changed its dialogue once, in the transaction that ended its items; items of a lane ended in order; work went on after kills.
async fn trail(report: &mut Report, storm: &Storm, inbox: &[Item]) {
    let fitter = &storm.fitter;
    // An album is one turn.
    let turns = fitter
        .rows(
            "SELECT tx::text, lane, count(DISTINCT coalesce(grp, item::text)) AS turns FROM trail_items
             WHERE queue = 1 AND is_now = 1 GROUP BY tx, lane",
        )
        .await;
    let mut turns: HashMap<(String, String), i64> =
        turns.iter().map(|row| ((text(row, "tx"), text(row, "lane")), int(row, "turns"))).collect();
    let mut revs: BTreeMap<String, i64> = BTreeMap::new();
    for row in fitter.rows("SELECT tx::text, bot, chat, thread, was, is_now FROM trail_dialogues ORDER BY seq").await {
        let lane = format!("{}:{}:{}", int(&row, "bot"), int(&row, "chat"), int(&row, "thread"));
        let rev = revs.entry(lane.clone()).or_default();
        if int(&row, "was") != *rev || int(&row, "is_now") != *rev + 1 {
            report.doubled.push(format!("dialogue {lane} went from {} to {} at {rev}", int(&row, "was"), int(&row, "is_now")));
        }
        *rev = int(&row, "is_now");
        match turns.get_mut(&(text(&row, "tx"), lane.clone())) {
            Some(left) if *left > 0 => *left -= 1,
            _ => report.doubled.push(format!("dialogue {lane} changed without an item")),
        }
    }
    for ((_, lane), left) in turns.into_iter().filter(|(_, left)| *left != 0) {
        report.lost.push(format!("{left} items of {lane} ended without a change of the dialogue"));
    }
    for row in fitter.rows("SELECT bot, chat, thread, rev FROM dialogues").await {
        let lane = format!("{}:{}:{}", int(&row, "bot"), int(&row, "chat"), int(&row, "thread"));
        if revs.get(&lane).copied().unwrap_or_default() != int(&row, "rev") {
            report.doubled.push(format!("dialogue {lane} is at {}, its changes say {:?}", int(&row, "rev"), revs.get(&lane)));
        }
    }
    let ends = fitter.rows("SELECT tx::text, item, queue, lane, is_now, at FROM trail_items ORDER BY seq").await;
    let mut last: HashMap<(i64, String), (String, i64)> = HashMap::new();
    let mut ended: HashSet<i64> = HashSet::new();
    let mut by_lane: HashMap<(i64, String), Vec<DateTime<Utc>>> = HashMap::new();
    for row in &ends {
        let (lane, tx, item) = ((int(row, "queue"), text(row, "lane")), text(row, "tx"), int(row, "item"));
        by_lane.entry(lane.clone()).or_default().push(text(row, "at").parse().expect("a time"));
        if int(row, "is_now") != 1 {
            continue;
        }
        if !ended.insert(item) {
            report.doubled.push(format!("item {item} of {lane:?} ended twice"));
        }
        let before = last.entry(lane.clone()).or_insert((tx.clone(), item));
        if item < before.1 && tx != before.0 {
            report.disorder.push(format!("item {item} of {lane:?} ended after item {}", before.1));
        }
        *before = (tx, item.max(before.1));
    }
    for item in inbox.iter().filter(|item| item.status == 1 && !ended.contains(&item.id)) {
        report.doubled.push(format!("item {} of {} is done and nobody ended it", item.id, item.lane));
    }
    let kills = storm.kills.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    report.kills = kills.len();
    for (place, kill) in kills.iter().enumerate() {
        report.in_flight += kill.in_flight();
        for (lane, token) in &kill.lanes {
            let Some(ended) = by_lane.get(lane).and_then(|times| times.iter().find(|at| **at > kill.at)) else { continue };
            // Somebody had gone on with it, and was killed as well.
            let later = kills[place + 1..].iter().filter(|later| later.lanes.get(lane).is_some_and(|other| other != token));
            let resumed = later.map(|later| later.at).chain([*ended]).min().unwrap_or(*ended);
            // While nobody works, nothing can go on.
            let down: TimeDelta = kills.iter().map(|kill| kill.again.min(resumed) - kill.at.min(resumed)).skip(place).sum();
            let gap = (resumed - kill.at - down).to_std().unwrap_or_default();
            if gap > report.longest_resume {
                report.longest_resume = gap;
                report.slowest = format!("{lane:?} under {token} after {kill_at}, ended {ended}", kill_at = kill.at);
            }
        }
    }
}

/// What people gave is what is stored: every answer of every walk, in order and once; questions, photos and reports.
async fn state(report: &mut Report, storm: &Storm, people: &[&Person]) {
    let fitter = &storm.fitter;
    let rows = fitter.rows("SELECT p.user_id, r.status, r.state FROM runs r JOIN people p ON p.id = r.person ORDER BY r.id").await;
    let mut runs: HashMap<i64, Vec<&Value>> = HashMap::new();
    for row in &rows {
        runs.entry(int(row, "user_id")).or_default().push(row);
    }
    for person in people {
        let runs = runs.remove(&person.id).unwrap_or_default();
        if runs.len() != person.walks.len() {
            let what = format!("{} began {} walks, there are {}", person.id, person.walks.len(), runs.len());
            if runs.len() > person.walks.len() { &mut report.doubled } else { &mut report.lost }.push(what);
        }
        for (walk, (given, run)) in person.walks.iter().zip(runs).enumerate() {
            let records = run["state"]["records"].as_array().cloned().unwrap_or_default();
            let answers: Vec<Value> =
                records.iter().flat_map(|record| record[1]["answers"].as_array().cloned().unwrap_or_default()).collect();
            let right = answers.iter().zip(1..).all(|(answer, step)| {
                let (field, value) = crowd::answer(person.id, walk, step);
                match field {
                    "files" => answer[field].as_array().is_some_and(|files| files.len() == 1),
                    "value" => answer[field].as_f64() == value.as_f64(),
                    _ => answer[field] == value,
                }
            });
            let done = run["status"] == "done";
            if answers.len() < *given || (*given == 8) != done {
                report.lost.push(format!("{} gave {given} answers in walk {walk}, there are {} ({})", person.id, answers.len(), run));
            } else if answers.len() > *given || !right {
                report.doubled.push(format!("{} gave {given} other answers in walk {walk}: {run}", person.id));
            }
        }
    }
    for (what, sql, given) in [
        ("questions", "SELECT count(*) FROM queries", people.iter().map(|person| person.questions).sum::<i64>()),
        ("photos", "SELECT count(*) FROM photos", people.iter().map(|person| person.photos).sum()),
        ("faults", "SELECT count(*) FROM faults", people.iter().map(|person| person.reports).sum()),
    ] {
        let stored = fitter.count(sql).await;
        if stored != given {
            let list = if stored > given { &mut report.doubled } else { &mut report.lost };
            list.push(format!("{given} {what} were given, {stored} are stored"));
        }
    }
    let missing = fitter.count("SELECT count(*) FROM telegram_files WHERE blob IS NULL").await;
    if missing > 0 && report.dead.iter().all(|dead| dead.queue != 3) {
        report.lost.push(format!("{missing} photos were not fetched"));
    }
}
