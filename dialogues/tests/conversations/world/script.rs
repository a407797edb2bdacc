//! Transcripts: files that are both the script and what came of it.
//!
//! | line | what |
//! | --- | --- |
//! | `# words` | a remark |
//! | `== Иван` | this person speaks now; `== Нурлан (new)` meets somebody new |
//! | `> words` `> /command` | they write |
//! | `> [Label]` | they press the newest button of this label that is in the chat |
//! | `> [[Label]]` | they press a button of this label that was in the chat, the newest but one that is not there any more |
//! | `> data:w:1:2:ok` | they send forged callback data |
//! | `> фото x2 words` | they send photos with a caption |
//! | `> вместе: фото x2 words \| words \| стикер` | they send all of this in one go |
//! | `> ответ: words` | they reply to the newest question |
//! | `> правка: words` `> стикер` | they edit a message, send a sticker |
//! | `! 5m` | time passes |
//! | `! модель: words \| 0 2` | from now on a language model writes this from these hits; `! модель частично: …` a part of the answer |
//! | `! модель не доказала` `! модель не нашла` `! модель молчит` | what else it may come to |
//! | `! новая версия` `! закрыть доступ Иван` `! начать с Иван` | the notes change, a person is removed, … |
//!
//! Everything else was said by the bot: `✎` changes a message in place, `→ Марат:` goes to somebody else, `(…)` is a toast.

use chrono::TimeDelta;
use fitter_dialogues::event::{Input, Piece};
use fitter_domain::person::Role;
use fitter_domain::screen::Press;
use fitter_domain::written::Written;

use super::{World, label};

/// Plays the script lines of a transcript, and gives the transcript as it is now.
pub fn play(transcript: &str) -> String {
    let mut world = World::new();
    let mut who = world.who("Иван");
    let mut out: Vec<String> = Vec::new();
    for line in transcript.lines() {
        let script = ["#", "==", ">", "!"].iter().any(|mark| line.starts_with(mark));
        if !script {
            continue;
        }
        if line.starts_with(['#', '=']) && !out.is_empty() {
            out.push(String::new());
        }
        out.push(line.to_owned());
        if let Some(name) = line.strip_prefix("== ") {
            if let Some(new) = name.strip_suffix(" (new)") {
                world.meet(i64::try_from(world.chats.len()).unwrap() + 1, new, Role::Client, false);
            }
            who = world.who(name.trim_end_matches(" (new)"));
        } else if let Some(words) = line.strip_prefix("> ") {
            let (input, message) = said(&mut world, who, words);
            world.act(who, input, message);
            world.search();
        } else if let Some(words) = line.strip_prefix("! ") {
            happen(&mut world, words);
        }
        out.append(&mut world.log);
    }
    out.join("\n") + "\n"
}

fn said(world: &mut World, who: fitter_domain::ids::PersonId, words: &str) -> (Input, Option<usize>) {
    let chat = &world.chats[&who];
    if let Some(pressed) = words.strip_prefix("[[").and_then(|words| words.strip_suffix("]]")) {
        let live = |data: &str| {
            chat.messages
                .iter()
                .filter(|it| !it.deleted)
                .flat_map(|it| it.screen.buttons.iter().flatten())
                .any(|it| it.press == Press::Callback(data.to_owned()))
        };
        let button = chat.shown.iter().rev().find(|button| button.label == pressed && !live(&button.data));
        let button = button.unwrap_or_else(|| panic!("no stale button [{pressed}]"));
        return (Input::Tap { data: button.data.clone() }, Some(button.message));
    }
    if let Some(pressed) = words.strip_prefix('[').and_then(|words| words.strip_suffix(']')) {
        for (at, message) in chat.messages.iter().enumerate().rev().filter(|(_, message)| !message.deleted) {
            let button = message.screen.buttons.iter().flatten().find(|button| label(button) == pressed);
            if let Some(Press::Callback(data)) = button.map(|button| &button.press) {
                return (Input::Tap { data: data.clone() }, Some(at));
            }
        }
        panic!(
            "no button [{pressed}] in the chat of {}:\n{}",
            chat.person.name,
            chat.shown.iter().rev().take(12).map(|it| it.label.as_str()).collect::<Vec<_>>().join(" | ")
        );
    }
    if let Some(data) = words.strip_prefix("data:") {
        return (Input::Tap { data: data.to_owned() }, None);
    }
    if let Some(text) = words.strip_prefix("ответ: ") {
        let at = chat.messages.iter().rposition(|it| it.slot.as_ref().is_some_and(|slot| slot.0.starts_with("question:")));
        return (Input::Text { text: text.to_owned() }, at);
    }
    if let Some(text) = words.strip_prefix("правка: ") {
        return (Input::Edited { text: Some(text.to_owned()) }, None);
    }
    if let Some(parts) = words.strip_prefix("вместе: ") {
        let pieces = parts.split(" | ").map(|part| match said(world, who, part).0 {
            Input::Photos { photos, caption } => Piece::Photos { photos, caption },
            Input::Other { what, text } => Piece::Other { what, text },
            Input::Text { text } => Piece::Text { text },
            other => panic!("{other:?} does not come with others"),
        });
        return (Input::Burst { pieces: pieces.collect() }, None);
    }
    if words == "стикер" {
        return (Input::Other { what: "sticker".into(), text: None }, None);
    }
    if let Some(rest) = words.strip_prefix("фото x") {
        let (count, caption) = rest.split_once(' ').map_or((rest, None), |(count, caption)| (count, Some(caption.to_owned())));
        let photos = (0..count.parse().unwrap()).map(|_| world.photo()).collect();
        return (Input::Photos { photos, caption }, None);
    }
    if let Some(command) = words.strip_prefix('/') {
        let (name, payload) = command.split_once(' ').unwrap_or((command, ""));
        return (Input::Command { name: name.to_owned(), payload: payload.to_owned() }, None);
    }
    (Input::Text { text: words.to_owned() }, None)
}

fn happen(world: &mut World, words: &str) {
    if words == "новая версия" {
        world.runs.values_mut().for_each(|run| run.newer = true);
    } else if let Some(words) = words.strip_prefix("модель ").or_else(|| words.strip_prefix("модель")) {
        world.writes = match words {
            "не доказала" => Some(Written::Unproven),
            "не нашла" => Some(Written::NotEnough),
            "молчит" => None,
            words => {
                let (partly, words) = words.strip_prefix("частично: ").map_or((false, words), |words| (true, words));
                let (text, cited) =
                    words.trim_start_matches(": ").split_once(" | ").unwrap_or_else(|| panic!("from which hits: '{words}'"));
                let cited = cited.split(' ').map(|place| place.parse().unwrap()).collect();
                Some(Written::Answer { text: text.replace("\\n", "\n"), cited, partly })
            }
        };
    } else if let Some(name) = words.strip_prefix("закрыть доступ ") {
        let who = world.who(name);
        world.chats.get_mut(&who).unwrap().person.removed = true;
    } else if let Some(name) = words.strip_prefix("вернуть доступ ") {
        let who = world.who(name);
        world.chats.get_mut(&who).unwrap().person.removed = false;
    } else {
        let (number, unit) = words.split_at(words.len() - 1);
        let number: i64 = number.parse().unwrap_or_else(|_| panic!("what is '{words}'?"));
        world.wait(match unit {
            "s" => TimeDelta::seconds(number),
            "m" => TimeDelta::minutes(number),
            _ => TimeDelta::hours(number),
        });
    }
}
