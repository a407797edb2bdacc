//! Every entity, stored and read back.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use fitter_domain::Locale;
use fitter_domain::ids::{BotId, ChatId, FaultId, JobId, PersonId, ProcedureId, QueryId, QuestionId, RunId, UserId};
use fitter_domain::job::JobStatus;
use fitter_domain::passage::Passage;
use fitter_domain::person::{Person, Role};
use fitter_domain::procedure::{Check, CheckKind, Procedure, Step};
use fitter_domain::rich::Rich;
use fitter_domain::run::{Answer, RunState, RunStatus, StepRecord, Visit};
use fitter_domain::screen::Slot;
use fitter_domain::vehicle::VehicleNumber;
use fitter_store::dialogues::DialogueKey;
use fitter_store::invites::Refusal;
use fitter_store::notes::{ChunkRecord, NoteRecord, Visibility};
use fitter_store::people::Seen;
use fitter_store::photos::{NewPhoto, Origin};
use fitter_store::procedures::{Bodies, Listing, Walked};
use fitter_store::questions::Answered;
use fitter_store::runs::Progress;
use fitter_store::slots::MessageKind;
use fitter_store::{
    PgConnection, audit, dialogues, faults, files, fixed, gaps, home, invites, jobs, notes, people, photos, procedures, queries, questions,
    runs, slots, vehicles,
};
use fitter_testkit::TestDb;
use sqlx::Connection;

const BOT: BotId = BotId(7);

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 123_456_000).unwrap()
}

async fn somebody(conn: &mut PgConnection, user: i64) -> Person {
    let seen = Seen { bot: BOT, chat: ChatId(user), user: UserId(user), first_name: "Айгүл", language: Some("kk-KZ") };
    people::seen(conn, &seen, now()).await.unwrap()
}

#[tokio::test]
async fn people_and_their_chats() {
    let db = TestDb::server().await;
    let conn = &mut *db.pool().acquire().await.unwrap();
    let person = somebody(conn, 1).await;
    assert_eq!((person.name.as_str(), person.role, person.locale, person.onboarded), ("Айгүл", Role::Client, Locale::Kk, false));
    people::onboard(conn, person.id, "Айгүл С.").await.unwrap();
    people::set_locale(conn, person.id, Locale::En).await.unwrap();
    people::set_role(conn, person.id, Role::Manager).await.unwrap();
    let again = Seen { bot: BOT, chat: ChatId(1), user: UserId(1), first_name: "New", language: None };
    let again = people::seen(conn, &again, now()).await.unwrap();
    assert_eq!(again, Person { name: "Айгүл С.".to_owned(), role: Role::Manager, locale: Locale::En, onboarded: true, ..person });
    assert_eq!(people::get(conn, again.id).await.unwrap(), Some(again.clone()));
    assert_eq!(people::by_user(conn, UserId(2)).await.unwrap(), None);
    let unknown_language = Seen { bot: BOT, chat: ChatId(2), user: UserId(2), first_name: "Max", language: Some("de") };
    let other = people::seen(conn, &unknown_language, now()).await.unwrap();
    assert_eq!(other.locale, Locale::Ru);

    assert_eq!(people::at_least(conn, Role::Technician).await.unwrap(), std::slice::from_ref(&again));
    people::set_removed(conn, again.id, true).await.unwrap();
    assert!(people::at_least(conn, Role::Technician).await.unwrap().is_empty());
    assert_eq!(people::list(conn).await.unwrap().len(), 2);

    let id = again.id;
    assert_eq!(people::address(conn, id).await.unwrap(), Some((BOT, ChatId(1))));
    let group = Seen { bot: BOT, chat: ChatId(-100), user: UserId(1), first_name: "", language: None };
    people::seen(conn, &group, now() + TimeDelta::hours(1)).await.unwrap();
    assert_eq!(people::address(conn, id).await.unwrap(), Some((BOT, ChatId(1))), "a group is no address");
    let elsewhere = Seen { bot: BotId(8), chat: ChatId(1), user: UserId(1), first_name: "", language: None };
    people::seen(conn, &elsewhere, now() + TimeDelta::hours(1)).await.unwrap();
    assert_eq!(people::address(conn, id).await.unwrap(), Some((BotId(8), ChatId(1))));
    people::set_blocked(conn, BotId(8), ChatId(1), true).await.unwrap();
    assert_eq!(people::address(conn, id).await.unwrap(), Some((BOT, ChatId(1))));
    people::set_blocked(conn, BOT, ChatId(1), true).await.unwrap();
    assert_eq!(people::address(conn, id).await.unwrap(), None);
    people::seen(conn, &elsewhere, now()).await.unwrap();
    assert_eq!(people::address(conn, id).await.unwrap(), Some((BotId(8), ChatId(1))), "who writes is reachable");

    let key = |chat| DialogueKey { bot: BOT, chat: ChatId(chat), thread: Some(3) };
    dialogues::lock(conn, key(-100)).await.unwrap();
    assert!(dialogues::save(conn, key(-100), 1, &"state".into(), 0).await.unwrap());
    people::migrate_chat(conn, BOT, ChatId(-100), ChatId(-200)).await.unwrap();
    assert_eq!(dialogues::lock(conn, key(-200)).await.unwrap().state, "state");
    assert_eq!(dialogues::lock(conn, key(-100)).await.unwrap().rev, 0, "the old one is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_invitation_is_redeemed_once() {
    let db = TestDb::server().await;
    let conn = &mut *db.pool().acquire().await.unwrap();
    let person = somebody(conn, 1).await;
    let (good, late) = ([1; 32], [2; 32]);
    invites::create(conn, &good, Role::Technician, now() + TimeDelta::days(1), Some(person.id), now()).await.unwrap();
    invites::create(conn, &late, Role::Admin, now(), None, now()).await.unwrap();
    assert!(invites::create(conn, &good, Role::Admin, now() + TimeDelta::days(1), None, now()).await.is_err());
    assert_eq!(invites::redeem(conn, &late, person.id, now()).await.unwrap(), Err(Refusal::Expired));
    assert_eq!(invites::redeem(conn, &[3; 32], person.id, now()).await.unwrap(), Err(Refusal::Unknown));
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let pool = db.pool().clone();
        all.spawn(async move { invites::redeem(&mut pool.acquire().await.unwrap(), &good, person.id, now()).await.unwrap() });
    }
    let mut outcomes = all.join_all().await;
    outcomes.sort_by_key(Result::is_err);
    assert_eq!(outcomes[0], Ok(Role::Technician));
    assert!(outcomes[1..].iter().all(|outcome| *outcome == Err(Refusal::Used { by: person.id })));
    assert_eq!(invites::redeem(conn, &good, person.id, now() + TimeDelta::days(9)).await.unwrap(), Err(Refusal::Used { by: person.id }));
}

#[tokio::test]
async fn a_dialogue_is_locked_and_counts_its_changes() {
    let db = TestDb::server().await;
    let key = DialogueKey { bot: BOT, chat: ChatId(1), thread: None };
    let mut tx = db.pool().begin().await.unwrap();
    let row = dialogues::lock(&mut tx, key).await.unwrap();
    assert_eq!((row.version, row.rev, row.state), (0, 0, serde_json::Value::Null));
    let state = serde_json::json!({ "at": "menu", "n": [1, 2.5, null] });
    assert!(dialogues::save(&mut tx, key, 3, &state, 0).await.unwrap());
    assert!(!dialogues::save(&mut tx, key, 3, &state, 0).await.unwrap(), "somebody saved before");
    let other = tokio::spawn({
        let pool = db.pool().clone();
        async move {
            let mut tx = pool.begin().await.unwrap();
            dialogues::lock(&mut tx, key).await.unwrap()
        }
    });
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert!(!other.is_finished());
    tx.commit().await.unwrap();
    let row = other.await.unwrap();
    assert_eq!((row.version, row.rev, row.state), (3, 1, state));
}

#[tokio::test]
async fn a_message_remembers_its_name() {
    let db = TestDb::server().await;
    let conn = &mut *db.pool().acquire().await.unwrap();
    let (chat, menu, job) = (ChatId(1), Slot::new("menu"), Slot::new("job:1"));
    slots::put(conn, BOT, chat, &menu, 10, MessageKind::Text).await.unwrap();
    slots::put(conn, BOT, chat, &job, 11, MessageKind::Media).await.unwrap();
    slots::put(conn, BOT, chat, &menu, 12, MessageKind::Text).await.unwrap();
    assert_eq!(slots::by_slot(conn, BOT, chat, &menu).await.unwrap().unwrap().message, 12);
    let old = slots::by_message(conn, BOT, chat, 10).await.unwrap().unwrap();
    assert_eq!((old.slot, old.current), (menu.clone(), false));
    let media = slots::by_message(conn, BOT, chat, 11).await.unwrap().unwrap();
    assert_eq!((media.slot, media.kind, media.current), (job.clone(), MessageKind::Media, true));
    slots::put(conn, BOT, chat, &menu, 12, MessageKind::Media).await.unwrap();
    assert_eq!(slots::by_slot(conn, BOT, chat, &menu).await.unwrap().unwrap().kind, MessageKind::Media);
    slots::put(conn, BOT, chat, &menu, 11, MessageKind::Text).await.unwrap();
    assert_eq!(slots::by_slot(conn, BOT, chat, &job).await.unwrap(), None, "its message was given another name");
    slots::remove(conn, BOT, chat, &menu).await.unwrap();
    assert_eq!(slots::by_slot(conn, BOT, chat, &menu).await.unwrap(), None);
    assert_eq!(slots::by_message(conn, BOT, ChatId(2), 10).await.unwrap(), None);
}

fn procedure(note: &str, title: &str, locale: Locale) -> Procedure {
    let check = Check {
        question: "U?".to_owned(),
        hint: String::new(),
        kind: CheckKind::Number { unit: "В".to_owned(), min: Some(9.0), max: None },
    };
    let step = Step {
        id: "s1".to_owned(),
        section: None,
        title: "Измерить".to_owned(),
        body: Rich::text("Как"),
        warnings: Vec::new(),
        figures: Vec::new(),
        checks: vec![check],
        optional: false,
        repeat: Some((1, 3)),
        timer: None,
        when: None,
        line: 5,
    };
    Procedure {
        note: note.to_owned(),
        title: title.to_owned(),
        locale,
        duration: Some(20),
        intro: Rich::new(),
        warnings: Vec::new(),
        steps: vec![step],
    }
}

fn note(path: &str, aliases: &[&str]) -> NoteRecord {
    NoteRecord {
        path: path.to_owned(),
        hash: format!("hash of {path}"),
        title: path.to_owned(),
        aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
        tags: vec!["tag".to_owned()],
        lang: Some("ru".to_owned()),
        visibility: Visibility::Staff,
        kind: "note".to_owned(),
        modified: now(),
        links: vec!["other.md".to_owned()],
        terms: vec![("ДУТ".to_owned(), "датчик уровня топлива".to_owned())],
        author: Some("Айгүл".to_owned()),
    }
}

#[tokio::test]
async fn procedures_keep_their_versions() {
    let db = TestDb::server().await;
    let conn = &mut *db.pool().acquire().await.unwrap();
    let (bodies, walked) = (&Bodies::default(), Walked::default());
    let first = procedure("a.md", "Установка датчика 100%", Locale::Ru);
    let one = procedures::put_version(conn, &first, "h1", Visibility::Staff).await.unwrap();
    assert_eq!(procedures::put_version(conn, &first, "h1", Visibility::Staff).await.unwrap(), one, "the same is the same");
    let second = Procedure { title: "Установка ДУТ".to_owned(), ..first.clone() };
    let two = procedures::put_version(conn, &second, "h2", Visibility::Staff).await.unwrap();
    let old = procedures::get(conn, bodies, one).await.unwrap().unwrap();
    assert_eq!((old.procedure, old.current, old.visibility), (Arc::new(first.clone()), false, Visibility::Staff));
    assert!(procedures::get(conn, bodies, two).await.unwrap().unwrap().current);
    assert_eq!(procedures::current_of_note(conn, "a.md").await.unwrap(), Some((two, "Установка ДУТ".to_owned(), Visibility::Staff)));
    assert_eq!(procedures::put_version(conn, &first, "h1", Visibility::Staff).await.unwrap(), one, "and back again");
    assert_eq!(procedures::current_of_note(conn, "a.md").await.unwrap().unwrap().0, one);
    assert_eq!(procedures::get(conn, bodies, ProcedureId(999)).await.unwrap(), None);

    notes::replace_note(conn, &note("a.md", &["Ёмкостной ДАТЧИК"]), &[]).await.unwrap();
    procedures::put_version(conn, &procedure("b.md", "Calibration", Locale::En), "h", Visibility::Public).await.unwrap();
    procedures::put_version(conn, &procedure("c.md", "Черновик", Locale::Ru), "h", Visibility::Draft).await.unwrap();
    let listing = Listing { up_to: Visibility::Staff, prefer: Locale::En, skip: 0, limit: 10, like: None };
    let titles = async |conn: &mut PgConnection, listing: Listing<'_>| {
        let (found, more) = procedures::list(conn, &listing, &walked).await.unwrap();
        (found.into_iter().map(|found| found.title).collect::<Vec<_>>(), more)
    };
    assert_eq!(titles(conn, listing).await, (vec!["Calibration".to_owned(), first.title.clone()], false));
    let listing = Listing { prefer: Locale::Ru, limit: 1, ..listing };
    assert_eq!(titles(conn, listing).await, (vec![first.title.clone()], true));
    assert_eq!(titles(conn, Listing { skip: 1, ..listing }).await, (vec!["Calibration".to_owned()], false));
    assert_eq!(titles(conn, Listing { up_to: Visibility::Public, ..listing }).await.0, ["Calibration"]);
    for like in ["ДАТЧИК уста", "ёмкостной", "100%"] {
        assert_eq!(titles(conn, Listing { like: Some(like), ..listing }).await, (vec![first.title.clone()], false), "{like}");
    }
    for like in ["1%0", "датчик насос", "_"] {
        assert!(titles(conn, Listing { like: Some(like), ..listing }).await.0.is_empty(), "{like}");
    }
    let summary = procedures::list(conn, &listing, &walked).await.unwrap().0.remove(0);
    assert_eq!((summary.id, summary.steps, summary.duration), (one, 1, Some(20)));
    procedures::retire(conn, &["a.md".to_owned()]).await.unwrap();
    assert_eq!(procedures::current_of_note(conn, "a.md").await.unwrap(), None);
    assert!(!procedures::get(conn, bodies, one).await.unwrap().unwrap().current);
}

#[tokio::test]
async fn jobs_runs_and_photos() {
    let db = TestDb::server().await;
    let conn = &mut *db.pool().acquire().await.unwrap();
    let person = somebody(conn, 1).await;
    let number = VehicleNumber::parse("123 abc 02").unwrap();
    assert_eq!(vehicles::by_number(conn, &number).await.unwrap(), None);
    let vehicle = vehicles::find_or_create(conn, &number, now()).await.unwrap();
    assert_eq!(vehicles::find_or_create(conn, &number, now()).await.unwrap(), vehicle);
    assert_eq!(jobs::open_for(conn, person.id, vehicle).await.unwrap(), None);
    let id = jobs::create(conn, vehicle, person.id, now()).await.unwrap();
    let job = jobs::get(conn, id).await.unwrap().unwrap();
    assert_eq!(
        (job.vehicle, &job.number, &job.technician_name, job.status, job.photos),
        (vehicle, &number, &person.name, JobStatus::Open, 0)
    );
    assert_eq!(job.created, now());
    assert!(job.runs.is_empty());

    let bodies = &Bodies::default();
    let walked = procedure("a.md", "Установка", Locale::Ru);
    let version = procedures::put_version(conn, &walked, "h1", Visibility::Staff).await.unwrap();
    let mut state = RunState::default();
    let progress = Progress { step: 1, of: 1 };
    let run_id = runs::create(conn, person.id, Some(id), version, &state, progress, now()).await.unwrap();
    let alone = runs::create(conn, person.id, None, version, &state, progress, now()).await.unwrap();
    let run = runs::get(conn, bodies, run_id).await.unwrap().unwrap();
    assert_eq!((run.by, &run.by_name, &run.job, run.newer), (person.id, &person.name, &Some((id, number.clone())), false));
    assert_eq!((run.procedure_id, run.procedure, run.started), (version, Arc::new(walked.clone()), now()));
    assert_eq!(runs::get(conn, bodies, alone).await.unwrap().unwrap().job, None);
    assert_eq!(runs::get(conn, bodies, RunId(999)).await.unwrap(), None);
    procedures::put_version(conn, &walked, "h2", Visibility::Staff).await.unwrap();
    assert!(runs::get(conn, bodies, run_id).await.unwrap().unwrap().newer);

    let answers = vec![Answer::Number { value: 12.4, reason: None }, Answer::Photos { files: vec!["f".to_owned()] }];
    let record = StepRecord { answers, started: Some(now()), finished: Some(now()), ..StepRecord::default() };
    state.records.insert(Visit { step: 0, round: 1 }, record);
    state.rev = 5;
    assert!(runs::save_state(conn, run_id, &state, Progress { step: 2, of: 3 }, now()).await.unwrap());
    assert_eq!(runs::get(conn, bodies, run_id).await.unwrap().unwrap().state, state);
    let open = runs::open_of(conn, person.id, 10).await.unwrap();
    assert_eq!(open.iter().map(|run| run.id).collect::<Vec<_>>(), [alone, run_id]);
    assert_eq!((&open[1].number, open[1].step, open[1].of, open[1].status), (&Some(number.clone()), 2, 3, RunStatus::Active));
    state.status = RunStatus::Done;
    runs::save_state(conn, run_id, &state, progress, now()).await.unwrap();
    assert_eq!(runs::open_of(conn, person.id, 10).await.unwrap().len(), 1);
    assert!(!runs::save_state(conn, RunId(999), &state, progress, now()).await.unwrap());

    let photo = |name: &str| NewPhoto { file_id: name.to_owned(), unique_id: format!("u{name}"), size: 5 };
    let origin = Origin {
        job: Some(id), run: Some(run_id), step: Some("Измерить"), caption: Some("подпись"), bot: BOT, by: person.id
    };
    photos::add_photos(conn, &origin, &[photo("1"), photo("2")], now()).await.unwrap();
    photos::add_photos(conn, &Origin { run: None, step: None, ..origin }, &[photo("3")], now()).await.unwrap();
    photos::add_photos(conn, &Origin { job: None, ..origin }, &[photo("4")], now()).await.unwrap();
    assert!(photos::add_photos(conn, &Origin { job: None, run: None, ..origin }, &[photo("5")], now()).await.is_err());
    assert_eq!(photos::of_run(conn, run_id).await.unwrap()[0].caption.as_deref(), Some("подпись"));
    let files = |photos: Vec<photos::Photo>| photos.into_iter().map(|photo| photo.file.file_id).collect::<Vec<_>>();
    assert_eq!(files(photos::of_job(conn, id).await.unwrap()), ["1", "2", "3"]);
    assert_eq!(files(photos::of_run(conn, run_id).await.unwrap()), ["1", "2", "4"]);

    let job = jobs::get(conn, id).await.unwrap().unwrap();
    assert_eq!((job.photos, job.runs.as_slice()), (3, &[(run_id, "Установка".to_owned(), true)][..]));
    assert_eq!(jobs::open_for(conn, person.id, vehicle).await.unwrap(), Some(job.clone()));
    assert_eq!(jobs::open_of(conn, person.id, 10).await.unwrap(), std::slice::from_ref(&job));
    assert_eq!(jobs::all_open(conn, 10).await.unwrap(), std::slice::from_ref(&job));
    let (own, all) = (home::counts(conn, person.id, false, 9).await.unwrap(), home::counts(conn, PersonId(999), true, 9).await.unwrap());
    assert_eq!((own.jobs, all.jobs, home::counts(conn, PersonId(999), false, 9).await.unwrap().jobs), (1, 1, 0));
    assert_eq!((own.questions, own.faults), (0, 0), "not theirs");
    assert_eq!(u32::try_from(runs::open_of(conn, person.id, 9).await.unwrap().len()).unwrap(), own.runs);
    assert_eq!(home::counts(conn, person.id, true, 0).await.unwrap(), home::Counts::default(), "it counts no further");
    jobs::set_status(conn, id, JobStatus::Complete, now()).await.unwrap();
    assert!(jobs::all_open(conn, 10).await.unwrap().is_empty() && jobs::open_of(conn, person.id, 10).await.unwrap().is_empty());
    assert_eq!(jobs::open_for(conn, person.id, vehicle).await.unwrap(), None);
    assert_eq!(jobs::history(conn, vehicle, 10).await.unwrap()[0].status, JobStatus::Complete);
    assert_eq!(jobs::get(conn, JobId(999)).await.unwrap(), None);
}

#[tokio::test]
async fn faults_and_questions() {
    let db = TestDb::server().await;
    let conn = &mut *db.pool().acquire().await.unwrap();
    let (person, manager) = (somebody(conn, 1).await, somebody(conn, 2).await);
    let files = ["f1".to_owned()];
    let new = faults::NewFault { by: person.id, by_name: "А", job: None, run: None, step: Some("Шаг"), note: "дым", photos: &files };
    let fault = faults::create(conn, &new, now()).await.unwrap();
    assert_eq!((fault.note.as_str(), fault.photos.as_slice(), fault.closed, fault.at), ("дым", &files[..], false, now()));
    assert_eq!(faults::open(conn, 10).await.unwrap(), std::slice::from_ref(&fault));
    assert_eq!(home::counts(conn, person.id, true, 9).await.unwrap().faults, 1);
    assert!(faults::close(conn, fault.id, manager.id, now()).await.unwrap());
    assert!(!faults::close(conn, fault.id, manager.id, now()).await.unwrap());
    assert!(faults::get(conn, fault.id).await.unwrap().unwrap().closed);
    assert!(faults::open(conn, 10).await.unwrap().is_empty());
    assert_eq!(faults::get(conn, FaultId(9)).await.unwrap(), None);

    let tried = ["note › heading".to_owned()];
    let query =
        queries::create(conn, &queries::NewQuery { person: person.id, text: "Как?", context: None, hits: &[] }, now()).await.unwrap();
    let (question, new) = questions::create(conn, query, person.id, "А", "Как?", &tried, now()).await.unwrap();
    assert!(new);
    let again = questions::create(conn, query, person.id, "А", "Как?", &tried, now()).await.unwrap();
    assert_eq!(again, (question.clone(), false), "a search is asked about once");
    assert_eq!(questions::open(conn, 10).await.unwrap(), std::slice::from_ref(&question));
    assert_eq!(home::counts(conn, person.id, true, 9).await.unwrap().questions, 1);
    let Some(Answered::Now(answered)) = questions::answer(conn, question.id, manager.id, "Так", now()).await.unwrap() else { panic!() };
    assert_eq!((answered.answer.as_deref(), answered.tried.as_slice()), (Some("Так"), &tried[..]));
    let Some(Answered::Already(before)) = questions::answer(conn, question.id, manager.id, "Иначе", now()).await.unwrap() else {
        panic!()
    };
    assert_eq!(before.answer.as_deref(), Some("Так"));
    assert_eq!(questions::answer(conn, QuestionId(9), manager.id, "", now()).await.unwrap(), None);
    assert!(questions::open(conn, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn notes_and_searches() {
    let db = TestDb::server().await;
    let conn = &mut *db.pool().acquire().await.unwrap();
    let chunk = |text: &str, headings: &[&str]| ChunkRecord {
        headings: headings.iter().map(|&heading| heading.to_owned()).collect(),
        start_line: 1,
        end_line: 9,
        body: Rich::text(text).bold(Rich::text("!")),
        text: text.to_owned(),
        images: if headings.is_empty() { vec!["abc".to_owned()] } else { Vec::new() },
        links: headings.iter().map(|heading| format!("b.md#{heading}")).collect(),
    };
    let start = notes::revision(conn).await.unwrap();
    let chunks = [chunk("раз", &[]), chunk("два", &["H", "H2"]), chunk("три", &["H"])];
    notes::replace_note(conn, &note("a.md", &[]), &chunks).await.unwrap();
    notes::replace_note(conn, &note("b.md", &["Бэ"]), &[]).await.unwrap();
    assert_eq!(notes::revision(conn).await.unwrap(), start + 2);
    let stored = notes::all_chunks(conn).await.unwrap();
    assert_eq!(stored.iter().map(|stored| stored.chunk.clone()).collect::<Vec<_>>(), chunks);
    notes::replace_note(conn, &note("a.md", &[]), &chunks[..1]).await.unwrap();
    assert_eq!(notes::chunks_of(conn, &["a.md".to_owned(), "b.md".to_owned()]).await.unwrap().len(), 1);
    let known = notes::known(conn).await.unwrap();
    assert_eq!(known.len(), 2);
    assert_eq!(known["a.md"], "hash of a.md");
    assert_eq!(notes::get(conn, "b.md").await.unwrap(), Some(note("b.md", &["Бэ"])));
    assert_eq!(notes::all(conn).await.unwrap().len(), 2);
    let before = notes::revision(conn).await.unwrap();
    assert_eq!(notes::sums(conn).await.unwrap(), notes::Sums { notes: 2, chunks: 1, procedures: 0 });
    let gone = ["a.md".to_owned(), "nothing.md".to_owned()];
    assert_eq!(notes::delete_notes(conn, &gone).await.unwrap(), 1);
    assert_eq!(notes::delete_notes(conn, &gone).await.unwrap(), 0);
    assert_eq!(notes::revision(conn).await.unwrap(), before + 1, "nothing changed the second time");
    assert!(notes::all_chunks(conn).await.unwrap().is_empty());

    let person = somebody(conn, 1).await;
    let hit = Passage {
        note: "a.md".to_owned(),
        title: "A".to_owned(),
        headings: vec!["H".to_owned()],
        start_line: 3,
        end_line: 4,
        score: 0.25,
        body: Rich::text("текст"),
        procedure: Some("a.md".to_owned()),
        span: Some(Rich::text("ек")),
        ..Passage::default()
    };
    let id = queries::create(
        conn,
        &queries::NewQuery { person: person.id, text: "вопрос", context: Some("до того"), hits: std::slice::from_ref(&hit) },
        now(),
    )
    .await
    .unwrap();
    let query = queries::get(conn, id).await.unwrap().unwrap();
    assert_eq!((query.person, query.text.as_str(), query.hits.as_slice(), query.at), (person.id, "вопрос", &[hit][..], now()));
    assert_eq!(query.whole(), "до того → вопрос");
    assert_eq!(query.revision, notes::revision(conn).await.unwrap());
    assert_eq!(queries::recent(conn, person.id, now() - TimeDelta::seconds(1), 5).await.unwrap(), ["вопрос"]);
    assert!(queries::recent(conn, person.id, now(), 5).await.unwrap().is_empty(), "long ago");
    assert!(queries::recent(conn, PersonId(99), DateTime::UNIX_EPOCH, 5).await.unwrap().is_empty(), "somebody else's");

    // An opinion is one per person and search, and can be changed.
    for good in [true, false, false] {
        queries::judge(conn, id, person.id, 0, good, now()).await.unwrap();
    }
    let opinions: Vec<bool> = sqlx::query_scalar("SELECT good FROM feedback").fetch_all(&mut *conn).await.unwrap();
    assert_eq!(opinions, [false]);

    assert_eq!(queries::forget(conn, now() + TimeDelta::seconds(1)).await.unwrap(), 1);
    assert_eq!(queries::get(conn, id).await.unwrap(), None);
}

#[tokio::test]
async fn gaps_are_noted_once_forgiven_and_closed() {
    use gaps::Why::{Asked, Disliked, Unanswered};
    let db = TestDb::server().await;
    let conn = &mut *db.pool().acquire().await.unwrap();
    let person = somebody(conn, 1).await;
    for (query, why) in [(1, Disliked), (1, Disliked), (2, Unanswered), (2, Asked), (2, Disliked), (3, Disliked)] {
        gaps::note(conn, QueryId(query), person.id, "где ключ", why, now()).await.unwrap();
    }
    gaps::forgive(conn, QueryId(1)).await.unwrap();
    // A human was asked: a thumb up does not take that back.
    gaps::forgive(conn, QueryId(2)).await.unwrap();
    let open = |gaps: Vec<gaps::Gap>| gaps.into_iter().map(|gap| (gap.query.0, gap.person, gap.text)).collect::<Vec<_>>();
    let gap = |query: i64| (query, person.id, "где ключ".to_owned());
    assert_eq!(open(gaps::open(conn, 10).await.unwrap()), [gap(2), gap(3)]);
    assert_eq!(open(gaps::open(conn, 1).await.unwrap()), [gap(3)], "the newest");
    gaps::close(conn, &[QueryId(2), QueryId(9)], person.id, now()).await.unwrap();
    gaps::note(conn, QueryId(2), person.id, "где ключ", Disliked, now()).await.unwrap();
    assert_eq!(open(gaps::open(conn, 10).await.unwrap()), [gap(3)], "what is closed stays closed");
}

#[tokio::test]
async fn phrases_of_notes_follow_their_notes() {
    let db = TestDb::server().await;
    let conn = &mut *db.pool().acquire().await.unwrap();
    for (path, visibility) in [("a.md", Visibility::Public), ("b.md", Visibility::Draft)] {
        let record = NoteRecord {
            path: path.to_owned(),
            hash: String::new(),
            title: String::new(),
            aliases: Vec::new(),
            tags: Vec::new(),
            lang: None,
            visibility,
            kind: "note".to_owned(),
            modified: now(),
            links: Vec::new(),
            terms: Vec::new(),
            author: None,
        };
        notes::replace_note(conn, &record, &[]).await.unwrap();
        fixed::replace(conn, path, &["прежнее".to_owned()]).await.unwrap();
        fixed::replace(conn, path, &["отпуск".to_owned(), "отпуск".to_owned(), "обед".to_owned()]).await.unwrap();
    }
    let pair = |phrase: &str, note: &str| (phrase.to_owned(), note.to_owned());
    assert_eq!(fixed::visible(conn, Visibility::Staff).await.unwrap(), [pair("обед", "a.md"), pair("отпуск", "a.md")]);
    assert_eq!(fixed::visible(conn, Visibility::Draft).await.unwrap().len(), 4);
    notes::delete_notes(conn, &["a.md".to_owned()]).await.unwrap();
    assert_eq!(fixed::visible(conn, Visibility::Draft).await.unwrap(), [pair("обед", "b.md"), pair("отпуск", "b.md")]);
}

#[tokio::test]
async fn files_and_audit() {
    let db = TestDb::server().await;
    let conn = &mut *db.pool().acquire().await.unwrap();
    files::seen(conn, BOT, "u", "f1", 0).await.unwrap();
    files::seen(conn, BOT, "u", "f2", 10).await.unwrap();
    files::fetched(conn, BOT, "u", "hash").await.unwrap();
    let file = files::get(conn, BOT, "u").await.unwrap().unwrap();
    assert_eq!((file.file_id.as_str(), file.size, file.blob.as_deref()), ("f2", 10, Some("hash")));
    assert_eq!(files::get(conn, BotId(8), "u").await.unwrap(), None);
    assert_eq!(files::uploaded(conn, BOT, "blob").await.unwrap(), None);
    files::remember_upload(conn, BOT, "blob", "one").await.unwrap();
    files::remember_upload(conn, BOT, "blob", "two").await.unwrap();
    assert_eq!(files::uploaded(conn, BOT, "blob").await.unwrap().as_deref(), Some("two"));
    assert_eq!(files::uploaded(conn, BotId(8), "blob").await.unwrap(), None, "another bot has to upload it itself");
    files::forget_upload(conn, BOT, "blob").await.unwrap();
    assert_eq!(files::uploaded(conn, BOT, "blob").await.unwrap(), None);

    let person = somebody(conn, 1).await;
    let entry = audit::Entry {
        actor: Some(person.id),
        verb: "change".to_owned(),
        object: "job:1".to_owned(),
        old: None,
        new: Some(serde_json::json!({ "status": "complete" })),
        at: now(),
    };
    let mut tx = conn.begin().await.unwrap();
    let other = audit::Entry { actor: None::<PersonId>, verb: "create".to_owned(), ..entry.clone() };
    audit::record(&mut tx, &[entry.clone(), other]).await.unwrap();
    tx.commit().await.unwrap();
    let changes = audit::of(conn, "job:1", 10).await.unwrap();
    assert_eq!((changes.len(), changes[0].verb.as_str(), &changes[1]), (2, "create", &entry));
    assert!(audit::of(conn, "job:2", 10).await.unwrap().is_empty());
}
