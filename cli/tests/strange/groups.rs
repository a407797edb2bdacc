//! Groups that the bot was taken to, channels, anonymous administrators, and other bots.

use fitter_testkit::app::eventually;
use serde_json::{Value, json};

use crate::stage::{Stage, fresh};

/// What is said before a group is left.
const PRIVATE: &str = "Я помощник для работы один на один и в группах не отвечаю. Напишите мне лично — вот кнопка. А отсюда я выхожу.";

/// A group that nobody else has.
fn group(kind: &str) -> Value {
    json!({"id": -fresh(), "type": kind, "title": "Бригада"})
}

/// What the bot did in a chat: methods and texts.
async fn done(stage: &Stage<'_>, chat: &Value) -> Vec<(String, String)> {
    let mut calls = Vec::new();
    for call in stage.fitter.telegram.calls(0).await {
        if call["request"]["chat_id"] == chat["id"] {
            let text = call["request"]["text"].as_str().unwrap_or_default().to_owned();
            stage.reads(&text);
            calls.push((call["method"].as_str().unwrap_or_default().to_owned(), text));
        }
    }
    calls
}

/// It said why and left, so many times.
async fn left(stage: &Stage<'_>, chat: &Value, times: usize, text: &str) -> bool {
    let calls = done(stage, chat).await;
    let wanted: Vec<(String, String)> =
        std::iter::repeat_n([("sendMessage".to_owned(), text.to_owned()), ("leaveChat".to_owned(), String::new())], times)
            .flatten()
            .collect();
    assert_eq!(calls, wanted);
    true
}

fn arrival(chat: &Value, by: &Value, old: &str, new: &str) -> Value {
    let bot = json!({"id": fitter_testkit::telegram::BOT, "is_bot": true, "first_name": "Fitter"});
    json!({"my_chat_member": {"chat": chat, "from": by, "date": 1, "old_chat_member": {"status": old, "user": bot}, "new_chat_member": {"status": new, "user": bot}}})
}

fn said(chat: &Value, by: &Value, content: Value) -> Value {
    let mut message = json!({"message_id": fresh(), "date": 1, "chat": chat, "from": by});
    for (name, value) in content.as_object().unwrap() {
        message[name] = value.clone();
    }
    json!({"message": message})
}

fn somebody(language: &str) -> Value {
    json!({"id": fresh(), "is_bot": false, "first_name": "Прохожий", "language_code": language})
}

cases! {
    taken_to_a_group {
        sent: "the bot taken to a group or supergroup without being asked, as a member or an administrator",
        seen: [PRIVATE],
        kept: ["no person, no chat, no dialogue"],
        play: async |stage| {
            for (kind, status) in [("group", "member"), ("supergroup", "administrator")] {
                let (chat, by) = (group(kind), somebody("ru"));
                stage.update(arrival(&chat, &by, "left", status)).await;
                stage.fitter.quiet().await;
                left(stage, &chat, 1, PRIVATE).await;
                // The rest of its stay is nothing to speak of.
                stage.update(arrival(&chat, &by, "member", "left")).await;
                stage.update(arrival(&chat, &by, "administrator", "member")).await;
                stage.fitter.quiet().await;
                left(stage, &chat, 1, PRIVATE).await;
                let rows = stage.fitter.count(&format!("SELECT (SELECT count(*) FROM people WHERE user_id = {}) + (SELECT count(*) FROM chats WHERE chat = {})
                    + (SELECT count(*) FROM dialogues WHERE chat = {})", by["id"], chat["id"], chat["id"])).await;
                assert_eq!(rows, 0);
            }
            stage.keeps("no person, no chat, no dialogue", true);
        },
    }
    a_group_of_colleagues {
        sent: "a group that a manager makes with a technician and the bot, which was not asked; it becomes a supergroup, and the bot is added again",
        seen: [PRIVATE],
        kept: ["the private chats of both, as they were"],
        play: async |stage| {
            let (marina, aidos) = (stage.manager("Марина Группа").await, stage.technician("Айдос Группа").await);
            let telegram = &stage.fitter.telegram;
            let made = json!({"title": "Бригада", "kind": "group", "by": marina.id, "people": [aidos.id], "bots": ["fitter0_bot"]});
            let mut chat = telegram.post("groups", made).await["chat_id"].as_i64().unwrap();
            for round in 0..2 {
                let left = async || {
                    let (_, groups) = telegram.get(&format!("groups?person={}", aidos.id)).await;
                    let group = groups.as_array().unwrap().iter().find(|group| group["chat_id"] == chat).unwrap().clone();
                    let bot = group["members"].as_array().unwrap().iter().find(|member| member["bot"] == "fitter0_bot").cloned();
                    bot.is_none_or(|bot| bot["status"] == "left").then_some(())
                };
                eventually("the bot has left", left).await;
                let (_, messages) = telegram.get(&format!("messages?person={}&bot=fitter0_bot&chat_id={chat}", aidos.id)).await;
                let said: Vec<&str> = messages.as_array().unwrap().iter().filter_map(|message| message["text"].as_str()).collect();
                assert_eq!(said, vec![PRIVATE; 1], "{messages}");
                stage.reads(said[0]);
                if round == 0 {
                    chat = telegram.post("groups/upgrade", json!({"chat_id": chat, "by": marina.id})).await["chat_id"].as_i64().unwrap();
                    telegram.post("groups/member", json!({"chat_id": chat, "by": marina.id, "bot": "fitter0_bot", "status": "member"})).await;
                }
            }
            let mut stand = true;
            for player in [&marina, &aidos] {
                player.say("/menu").await;
                stand &= player.last().await.text().contains("чем помочь?");
            }
            stage.keeps("the private chats of both, as they were", stand);
        },
    }
    in_their_language {
        sent: "the bot taken to a group by a colleague who chose Kazakh, and by a stranger whose client is English",
        seen: ["Мен жеке жазысу арқылы көмектесемін, топта жауап бермеймін.", "I help people one to one and do not answer in groups."],
        kept: [],
        play: async |stage| {
            let dana = stage.person("Дана Топ", fitter_domain::person::Role::Technician, fitter_domain::Locale::Kk).await;
            let (ours, theirs) = (group("group"), group("group"));
            stage.update(arrival(&ours, &json!({"id": dana.id, "first_name": "Дана", "language_code": "ru"}), "left", "member")).await;
            stage.update(arrival(&theirs, &somebody("en-GB"), "kicked", "member")).await;
            stage.fitter.quiet().await;
            for chat in [&ours, &theirs] {
                assert_eq!(done(stage, chat).await.len(), 2);
            }
        },
    }
    called_in_a_group {
        sent: "in a group: a command that names the bot, also by an anonymous administrator; an answer to its message; a tap of an old button",
        seen: [PRIVATE],
        kept: ["nothing of whoever called it"],
        play: async |stage| {
            let hidden = json!({"id": 1_087_968_824, "is_bot": true, "first_name": "Group"});
            let bot = json!({"message_id": 5, "from": {"id": fitter_testkit::telegram::BOT, "is_bot": true}});
            let tap = |chat: &Value| json!({"callback_query": {"id": fresh().to_string(), "from": somebody("ru"), "data": "js", "message": {"message_id": 1, "date": 0, "chat": chat}}});
            for n in 0..4 {
                let chat = group("supergroup");
                let by = somebody("ru");
                stage.update(match n {
                    0 => said(&chat, &by, json!({"text": "/jobs@fitter0_bot"})),
                    1 => said(&chat, &hidden, json!({"text": "/start@FITTER0_BOT abc", "sender_chat": chat})),
                    2 => said(&chat, &by, json!({"text": "а мне?", "reply_to_message": bot, "message_thread_id": 5, "is_topic_message": true})),
                    _ => tap(&chat),
                }).await;
                stage.fitter.quiet().await;
                left(stage, &chat, 1, PRIVATE).await;
                assert_eq!(stage.fitter.count(&format!("SELECT count(*) FROM people WHERE user_id = {}", by["id"])).await, 0);
            }
            stage.keeps("nothing of whoever called it", true);
        },
    }
    talk_of_others {
        sent: "in a group: words, photos, edits, commands for all bots or for others, people coming and going, a new number of the group, what other bots say",
        seen: [],
        kept: ["the updates, for two days"],
        play: async |stage| {
            let (chat, by) = (group("supergroup"), somebody("ru"));
            let other = json!({"id": fresh(), "is_bot": true, "first_name": "b"});
            let mut numbers = Vec::new();
            for content in [json!({"text": "кто завтра едет?"}), json!({"text": "/menu"}), json!({"text": "/menu@other_bot"}), json!({"photo": [{"file_id": "x"}], "caption": "вот"}),
                json!({"new_chat_members": [by]}), json!({"left_chat_member": by}), json!({"migrate_to_chat_id": -1}), json!({"pinned_message": {"message_id": 1}}),
                json!({"text": "/menu@fitter0_bot", "from": other}), json!({"text": "/menu@fitter0_bot", "from": other, "sender_chat": {"id": -7, "type": "channel"}}),
                json!({"text": "/menu@fitter0_bot", "from": null}), json!({"contact": {"phone_number": "1"}})] {
                numbers.push(stage.update(said(&chat, &by, content)).await);
            }
            let mut edited = said(&chat, &by, json!({"text": "/menu@fitter0_bot"}));
            edited["edited_message"] = edited["message"].take();
            numbers.push(stage.update(edited).await);
            stage.fitter.quiet().await;
            assert_eq!(done(stage, &chat).await, Vec::new());
            let mut kept = 0;
            for number in &numbers {
                kept += stage.in_inbox(*number).await;
            }
            stage.keeps("the updates, for two days", kept as usize == numbers.len());
        },
    }
    channels {
        sent: "posts of a channel, edited ones, the bot made an administrator of a channel, a command in a channel",
        seen: [],
        kept: [],
        play: async |stage| {
            let chat = json!({"id": -fresh(), "type": "channel", "title": "Новости"});
            for kind in ["channel_post", "edited_channel_post", "message"] {
                let mut update = json!({});
                update[kind] = json!({"message_id": 1, "date": 1, "chat": chat, "sender_chat": chat, "text": "/menu@fitter0_bot", "author_signature": "x"});
                stage.update(update).await;
            }
            stage.update(arrival(&chat, &somebody("ru"), "left", "administrator")).await;
            stage.fitter.quiet().await;
            assert_eq!(done(stage, &chat).await, Vec::new());
        },
    }
    other_bots {
        sent: "another bot that writes to the bot: words, commands, photos, many of them",
        seen: [],
        kept: [],
        play: async |stage| {
            let bot = json!({"id": fresh(), "is_bot": true, "first_name": "b", "language_code": "ru"});
            let chat = json!({"id": bot["id"], "type": "private", "first_name": "b"});
            for content in [json!({"text": "/start"}), json!({"text": "привет"}), json!({"photo": [{"file_id": "x"}]}), json!({"sticker": {}})] {
                for _ in 0..5 {
                    stage.update(said(&chat, &bot, content.clone())).await;
                }
            }
            stage.fitter.quiet().await;
            assert_eq!(done(stage, &chat).await, Vec::new());
            assert_eq!(stage.fitter.count(&format!("SELECT count(*) FROM people WHERE user_id = {}", bot["id"])).await, 0);
        },
    }
}
