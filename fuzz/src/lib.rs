//! What reads text of strangers: updates, callback data, notes, the configuration. Each function takes any bytes and panics if a promise is broken.
//!
//! `cargo fuzz` runs them on a nightly compiler; the test `cli/tests/fuzzed.rs` runs them on a stable one, over the committed corpus.

use std::collections::BTreeMap;

use fitter_bot::accept::{Accepted, items};
use fitter_bot::incoming::{Chat, Message, Update};
use fitter_bot::mend::mend;
use fitter_bot::route::{Me, route};
use fitter_cli::config::{Config, SETTINGS};
use fitter_dialogues::action::Action;
use fitter_dialogues::event::{Event, Incoming, Input};
use fitter_dialogues::state::State;
use fitter_dialogues::{Ctx, focus, step};
use fitter_domain::clock::{Clock as _, SystemClock};
use fitter_domain::ids::{BotId, JobId, PersonId, QuestionId, RunId, UserId};
use fitter_domain::person::{Person, Role};
use fitter_domain::rich::{Entity, Rich, flatten, utf16_len};
use fitter_domain::{Locale, words};
use fitter_retrieval::links::LinkIndex;
use fitter_retrieval::note::parse;
use fitter_retrieval::vault::Vault;
use serde_json::Value;
use serde_json::value::RawValue;

/// Signs that a person can send at once.
const LONGEST: usize = 32_768;

/// An update from the wire to what the person did: it can be stored and read, and no words are lost.
pub fn update(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mended = mend(text);
    // What is no JSON is refused before.
    let Ok(raw) = serde_json::from_str::<Box<RawValue>>(text) else { return };
    assert_eq!(mend(&mended), mended, "mended once is mended");
    let value: Value = serde_json::from_str(&mended).expect("what is mended can be read");
    assert!(!mended.contains('\0'));
    let update = Update::from_value(value.clone());
    let (items, last) = items(BotId(7), &[raw]);
    assert_eq!(last, update.update_id);
    for item in &items {
        let accepted: Accepted<'_> = serde_json::from_str(&item.payload).expect("an item can be read");
        let again: Value = serde_json::from_str(accepted.update.get()).expect("its update can be read");
        assert_eq!(again, value);
    }
    let me = Me { id: BotId(7), username: "fitter_bot".to_owned() };
    let incoming = futures::executor::block_on(route(&me, vec![Update::from_value(value)]));
    if let Some(incoming) = &incoming {
        can_be_stored(incoming);
    }
    if let Some(message) = update.message.as_ref().filter(|message| is_personal(message) && update.callback_query.is_none()) {
        words_arrive(message, &update, incoming.as_ref());
    }
}

/// The database takes it.
fn can_be_stored(incoming: &Incoming) {
    let json = serde_json::to_value(incoming).expect("it has a JSON form");
    assert!(!holds_nul(&json), "{json}");
    assert!(incoming.first_name.chars().count() <= 64);
    assert!(incoming.callback.as_ref().is_none_or(|id| id.len() <= 1024));
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

/// Of a person, in their own chat.
fn is_personal(message: &Message) -> bool {
    let person = message.from.as_ref().is_some_and(|from| from.is_bot != Some(true) && from.id.is_some());
    person && message.chat.as_ref().is_some_and(|chat| Chat::is_private(chat) && chat.id.is_some())
}

/// What a person typed reaches the dialogue, in whatever company.
fn words_arrive(message: &Message, update: &Update, incoming: Option<&Incoming>) {
    let elsewhere = update.my_chat_member.is_some() || update.stopped_message_generation.is_some() || update.edited_message.is_some();
    let Some(typed) = message.text.as_ref().or(message.caption.as_ref()).filter(|typed| !words::is_blank(typed) && !elsewhere) else {
        return;
    };
    let wanted: String = words::trimmed(typed).chars().take(LONGEST).collect();
    let input = incoming.map(|incoming| &incoming.input);
    let found = match input {
        Some(Input::Text { text }) => Some(text.clone()),
        Some(Input::Photos { caption: text, .. } | Input::Other { text, .. }) => text.clone(),
        Some(Input::Command { .. }) => return,
        _ => None,
    };
    assert_eq!(found.as_deref(), Some(wanted.as_str()), "{input:?}");
}

/// Callback data: what is understood says the same again, and pressed in any state it does no harm.
pub fn action(data: &[u8]) {
    let Ok(data) = std::str::from_utf8(data) else { return };
    if let Some(action) = Action::decode(data) {
        let again = action.encode();
        assert!((1..=64).contains(&again.len()), "{again}");
        assert_eq!(Action::decode(&again), Some(action));
    }
    let event = Event::Person { input: Input::Tap { data: data.to_owned() }, slot: None };
    let states = [
        State::default(),
        State::Name { question: None },
        State::Home,
        State::NewJob,
        State::Vehicle { text: data.to_owned() },
        State::JobPhotos { job: JobId(1) },
        State::Photos { photos: Vec::new(), caption: None },
        State::Problem { job: JobId(1), note: data.to_owned(), photos: Vec::new() },
        State::Procedures { job: None, like: None },
        State::Running { run: RunId(1) },
        State::Answering { question: QuestionId(1) },
    ];
    for (state, role) in states.iter().flat_map(|state| Role::ALL.map(|role| (state, role))) {
        for (onboarded, removed) in [(true, false), (false, false), (true, true)] {
            let person =
                Person { id: PersonId(1), user: UserId(1), name: "Кто".to_owned(), role, locale: Locale::Ru, onboarded, removed };
            let ctx = Ctx { now: SystemClock.now(), person: &person, run: None };
            let _asked = focus(state, &event);
            let transition = step(state, &event, &ctx);
            assert!(!removed || transition.effects.len() <= 1, "who has no access does nothing");
        }
    }
}

/// A note: it becomes passages that stand where they say, with formatting that Telegram accepts.
pub fn note(data: &[u8]) {
    let mut vault = Vault::default();
    vault.put("note.md", data);
    vault.put("other.md", b"# Other\n\nwords ^block\n");
    let links = LinkIndex::new(&vault);
    let parsed = parse("note.md", data, &links);
    let lines = 1 + data.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
    for chunk in &parsed.chunks {
        fits(&chunk.body);
        assert!(1 <= chunk.start_line && chunk.start_line <= chunk.end_line && chunk.end_line as usize <= lines, "{lines}: {chunk:?}");
    }
    for step in parsed.procedure.iter().flat_map(|draft| &draft.procedure().steps) {
        fits(&step.body);
        assert!(!step.title.is_empty() && !step.id.is_empty());
    }
}

fn fits(rich: &Rich) {
    let flat = flatten(rich);
    let total = utf16_len(&flat.text);
    let ends = |entity: &Entity| entity.offset + entity.length;
    for (place, a) in flat.entities.iter().enumerate() {
        assert!(a.length > 0 && ends(a) <= total, "{a:?}");
        for b in flat.entities.iter().skip(place + 1) {
            let apart = ends(a) <= b.offset || ends(b) <= a.offset;
            let nested = (a.offset <= b.offset && ends(b) <= ends(a)) || (b.offset <= a.offset && ends(a) <= ends(b));
            assert!(apart || nested, "they cross: {a:?} {b:?}");
        }
    }
    assert!(!flat.text.contains(['\0', '\u{202e}']));
}

/// A configuration: lines `FITTER_…=…` are the environment, the rest is the file. Whatever is wrong is said without the secrets.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (mut env, mut file) = (BTreeMap::new(), String::new());
    for line in text.lines() {
        match line.split_once('=').filter(|(name, _)| name.starts_with("FITTER_") && !name.ends_with("_FILE")) {
            Some((name, value)) => drop(env.insert(name.to_owned(), value.to_owned())),
            None => file.extend([line, "\n"]),
        }
    }
    let secret = |name: &str| SETTINGS.iter().any(|setting| setting.secret && setting.env == name);
    // Short ones stand in other words.
    let secrets: Vec<&String> = env.iter().filter(|(name, value)| secret(name) && value.len() >= 8).map(|(_, value)| value).collect();
    let elsewhere = |value: &String| {
        env.iter().any(|(name, other)| !secret(name) && (other.contains(value.as_str()) || name.contains(value.as_str())))
            || file.contains(value.as_str())
    };
    let others = env.iter().filter(|(name, _)| !secret(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
    let (said, without) = (say(&file, env.clone()), say(&file, others));
    for secret in secrets.into_iter().filter(|value| !elsewhere(value)) {
        assert!(!said.contains(secret.as_str()) || without.contains(secret.as_str()), "a secret in: {said}");
    }
}

/// What a configuration is, or why it is none.
fn say(file: &str, env: BTreeMap<String, String>) -> String {
    match Config::read(file, env) {
        Ok(config) => {
            assert!(config.database.max_connections > 0);
            let _tokens = config.tokens();
            format!("{config:?}")
        }
        Err(error) => format!("{error:#}"),
    }
}
