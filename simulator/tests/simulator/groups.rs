//! Groups and supergroups.

use serde_json::{Value, json};

use crate::rig::{AIDOS, MARIA, OTHER, Rig};

/// A group of Aidos and Maria with `fitter_bot`, whose updates are confirmed.
async fn group(rig: &Rig, kind: &str) -> i64 {
    let body = json!({ "title": "Объект 7", "kind": kind, "by": AIDOS, "people": [MARIA], "bots": ["fitter_bot"] });
    let id = rig.sim("groups", body).await["chat_id"].as_i64().unwrap();
    confirm(rig).await;
    id
}

async fn confirm(rig: &Rig) {
    let updates = rig.updates(json!({})).await;
    let next = updates.last().map_or(0, |update| update["update_id"].as_i64().unwrap() + 1);
    rig.updates(json!({ "offset": next })).await;
}

/// A person writes into a group.
async fn write(rig: &Rig, person: i64, chat: i64, text: &str) -> Value {
    rig.sim("send", json!({ "person": person, "bot": "fitter_bot", "chat_id": chat, "text": text })).await[0].clone()
}

/// Texts of the messages that the bot got.
async fn got(rig: &Rig) -> Vec<String> {
    let updates = rig.updates(json!({})).await;
    updates.iter().filter_map(|update| update["message"]["text"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn a_bot_is_added_without_being_asked() {
    let rig = Rig::new().await;
    let made = rig.sim("groups", json!({ "title": "Бригада", "by": AIDOS, "people": [MARIA] })).await;
    let id = made["chat_id"].as_i64().unwrap();
    assert!(id < -1_000_000_000_000, "a supergroup's id: {id}");
    assert_eq!(rig.updates(json!({})).await, Vec::<Value>::new());
    let chat = json!({ "chat_id": id });
    assert_eq!(rig.refused("getChat", chat.clone()).await, "Bad Request: chat not found");
    rig.sim("groups/member", json!({ "chat_id": id, "by": MARIA, "bot": "fitter_bot", "status": "member" })).await;
    let updates = rig.updates(json!({})).await;
    let change = &updates[0]["my_chat_member"];
    assert_eq!((change["chat"]["type"].as_str(), change["chat"]["title"].as_str()), (Some("supergroup"), Some("Бригада")));
    assert_eq!(change["from"]["id"], MARIA);
    assert_eq!((&change["old_chat_member"]["status"], &change["new_chat_member"]["status"]), (&json!("left"), &json!("member")));
    assert_eq!(change["new_chat_member"]["user"]["username"], "fitter_bot");
    assert_eq!(updates[1]["message"]["new_chat_members"][0]["id"], 1001);
    let sent = rig.call("sendMessage", json!({ "chat_id": id, "text": "Здравствуйте" })).await;
    assert_eq!((sent["chat"]["id"].as_i64(), sent["chat"]["type"].as_str()), (Some(id), Some("supergroup")));
    let seen = rig.look(&format!("messages?person={AIDOS}&bot=fitter_bot&chat_id={id}")).await;
    assert_eq!(seen.as_array().unwrap().last().unwrap()["text"], "Здравствуйте");
}

#[tokio::test]
async fn with_privacy_mode_a_bot_sees_what_is_meant_for_it() {
    let rig = Rig::started().await;
    let id = group(&rig, "supergroup").await;
    rig.sim("groups/member", json!({ "chat_id": id, "by": AIDOS, "bot": "other_bot", "status": "member" })).await;
    confirm(&rig).await;
    write(&rig, MARIA, id, "обед в час").await;
    write(&rig, MARIA, id, "/jobs@fitter_bot").await;
    write(&rig, MARIA, id, "/jobs@other_bot").await;
    write(&rig, MARIA, id, "спроси @fitter_bot про щит").await;
    assert_eq!(got(&rig).await, ["/jobs@fitter_bot", "спроси @fitter_bot про щит"]);
    confirm(&rig).await;
    // A command without a name goes to the bot that wrote last.
    write(&rig, MARIA, id, "/start").await;
    let sent = rig.call("sendMessage", json!({ "chat_id": id, "text": "Что сделать?" })).await["message_id"].clone();
    write(&rig, MARIA, id, "/menu").await;
    let answer = json!({ "person": MARIA, "bot": "fitter_bot", "chat_id": id, "text": "готово", "reply_to": sent });
    let answer = rig.sim("send", answer).await;
    assert_eq!(answer[0]["message_thread_id"], sent, "replies in supergroups are threads");
    assert!(answer[0]["is_topic_message"].is_null());
    assert_eq!(got(&rig).await, ["/start", "/menu", "готово"]);
    let other = rig.http.post(format!("{}/bot{OTHER}/getUpdates", rig.running.url())).send().await.unwrap();
    let other: Value = other.json().await.unwrap();
    let texts: Vec<_> = other["result"].as_array().unwrap().iter().filter_map(|update| update["message"]["text"].as_str()).collect();
    assert_eq!(texts, ["/jobs@other_bot", "/start"]);
}

#[tokio::test]
async fn without_privacy_mode_or_as_an_administrator_it_sees_everything() {
    let rig = Rig::started().await;
    let id = group(&rig, "supergroup").await;
    assert_eq!(rig.call("getMe", json!({})).await["can_read_all_group_messages"], false);
    rig.sim("privacy", json!({ "bot": "fitter_bot", "enabled": false })).await;
    assert_eq!(rig.call("getMe", json!({})).await["can_read_all_group_messages"], true);
    write(&rig, MARIA, id, "все видно").await;
    rig.sim("privacy", json!({ "bot": "fitter_bot", "enabled": true })).await;
    write(&rig, MARIA, id, "ничего не видно").await;
    rig.sim("groups/member", json!({ "chat_id": id, "by": AIDOS, "bot": "fitter_bot", "status": "administrator" })).await;
    let message = write(&rig, MARIA, id, "снова видно").await;
    let edit = json!({ "person": MARIA, "bot": "fitter_bot", "chat_id": id, "message_id": message["message_id"], "text": "исправлено" });
    rig.sim("edit", edit).await;
    assert_eq!(got(&rig).await, ["все видно", "снова видно"]);
    assert_eq!(rig.updates(json!({})).await.last().unwrap()["edited_message"]["text"], "исправлено");
}

#[tokio::test]
async fn who_comes_and_goes_is_told() {
    let rig = Rig::started().await;
    let body = json!({ "title": "x", "by": AIDOS, "bots": ["fitter_bot"] });
    let id = rig.sim("groups", body).await["chat_id"].clone();
    confirm(&rig).await;
    rig.sim("groups/member", json!({ "chat_id": id, "by": AIDOS, "person": MARIA, "status": "member" })).await;
    rig.sim("groups/member", json!({ "chat_id": id, "person": MARIA, "status": "left" })).await;
    let updates = rig.updates(json!({})).await;
    assert_eq!(updates[0]["message"]["new_chat_members"][0]["id"], MARIA);
    assert_eq!(updates[1]["message"]["left_chat_member"]["id"], MARIA);
    assert_eq!(updates.len(), 2, "chat_member is for administrators that ask for it");
    assert_eq!(rig.call("getChatMember", json!({ "chat_id": id, "user_id": MARIA })).await["status"], "left");
    let why = rig.sim_refused("send", json!({ "person": MARIA, "bot": "fitter_bot", "chat_id": id, "text": "x" })).await;
    assert_eq!(why, format!("{MARIA} is not in the group {id}"));
    rig.sim("groups/member", json!({ "chat_id": id, "by": AIDOS, "bot": "fitter_bot", "status": "administrator" })).await;
    rig.updates(json!({ "offset": -1, "allowed_updates": ["chat_member"] })).await;
    rig.sim("groups/member", json!({ "chat_id": id, "by": AIDOS, "person": MARIA, "status": "member" })).await;
    let change = rig.updates(json!({})).await.last().unwrap()["chat_member"].clone();
    assert_eq!((change["from"]["id"].as_i64(), change["new_chat_member"]["user"]["id"].as_i64()), (Some(AIDOS), Some(MARIA)));
}

#[tokio::test]
async fn a_removed_bot_can_do_nothing() {
    for kind in ["group", "supergroup"] {
        let rig = Rig::started().await;
        let id = group(&rig, kind).await;
        let sent = rig.call("sendMessage", json!({ "chat_id": id, "text": "x" })).await["message_id"].clone();
        rig.sim("groups/member", json!({ "chat_id": id, "by": MARIA, "bot": "fitter_bot", "status": "kicked" })).await;
        let updates = rig.updates(json!({})).await;
        assert_eq!(
            updates[0]["my_chat_member"]["new_chat_member"],
            json!({
                "user": updates[0]["my_chat_member"]["old_chat_member"]["user"], "status": "kicked", "until_date": 0,
            })
        );
        assert_eq!(updates[1]["message"]["left_chat_member"]["id"], 1001);
        let why = format!("Forbidden: bot was kicked from the {kind} chat");
        let answer = rig.raw("sendMessage", json!({ "chat_id": id, "text": "x" })).await;
        assert_eq!((answer["error_code"].as_i64(), answer["description"].as_str()), (Some(403), Some(why.as_str())));
        assert_eq!(rig.refused("editMessageText", json!({ "chat_id": id, "message_id": sent, "text": "y" })).await, why);
        assert_eq!(rig.refused("getChat", json!({ "chat_id": id })).await, why);
        confirm(&rig).await;
        write(&rig, AIDOS, id, "/start@fitter_bot").await;
        assert_eq!(rig.updates(json!({})).await, Vec::<Value>::new());
        // It may be brought back.
        rig.sim("groups/member", json!({ "chat_id": id, "by": MARIA, "bot": "fitter_bot", "status": "member" })).await;
        rig.call("sendMessage", json!({ "chat_id": id, "text": "x" })).await;
    }
}

#[tokio::test]
async fn a_bot_leaves_by_itself() {
    let rig = Rig::started().await;
    let id = group(&rig, "supergroup").await;
    rig.call("leaveChat", json!({ "chat_id": id })).await;
    let updates = rig.updates(json!({})).await;
    assert_eq!(updates[0]["my_chat_member"]["new_chat_member"]["status"], "left");
    assert_eq!(updates[0]["my_chat_member"]["from"]["id"], 1001);
    let why = rig.refused("sendMessage", json!({ "chat_id": id, "text": "x" })).await;
    assert_eq!(why, "Forbidden: bot is not a member of the supergroup chat");
    let why = rig.refused("leaveChat", json!({ "chat_id": AIDOS })).await;
    assert_eq!(why, "Bad Request: chat member status can't be changed in private chats");
}

#[tokio::test]
async fn a_group_becomes_a_supergroup() {
    let rig = Rig::started().await;
    let old = group(&rig, "group").await;
    let sent = rig.call("sendMessage", json!({ "chat_id": old, "text": "before" })).await["message_id"].clone();
    let new = rig.sim("groups/upgrade", json!({ "chat_id": old, "by": AIDOS })).await;
    let new = new["chat_id"].as_i64().unwrap();
    let updates = rig.updates(json!({})).await;
    assert_eq!((&updates[0]["message"]["chat"]["id"], &updates[0]["message"]["migrate_to_chat_id"]), (&json!(old), &json!(new)));
    assert_eq!((&updates[1]["message"]["chat"]["id"], &updates[1]["message"]["migrate_from_chat_id"]), (&json!(new), &json!(old)));
    let answer = rig.raw("sendMessage", json!({ "chat_id": old, "text": "x" })).await;
    assert_eq!(
        answer,
        json!({
            "ok": false, "error_code": 400, "parameters": { "migrate_to_chat_id": new },
            "description": "Bad Request: group chat was upgraded to a supergroup chat",
        })
    );
    rig.call("editMessageText", json!({ "chat_id": old, "message_id": sent, "text": "what is old can still be edited" })).await;
    rig.call("sendMessage", json!({ "chat_id": new, "text": "x" })).await;
    let why = rig.sim_refused("send", json!({ "person": AIDOS, "bot": "fitter_bot", "chat_id": old, "text": "x" })).await;
    assert_eq!(why, format!("the group is the supergroup {new} now"));
}

#[tokio::test]
async fn taps_in_a_group_come_from_whoever_taps() {
    let rig = Rig::started().await;
    let id = group(&rig, "supergroup").await;
    let markup = json!({ "inline_keyboard": [[{ "text": "a", "callback_data": "x" }]] });
    let sent = rig.call("sendMessage", json!({ "chat_id": id, "text": "x", "reply_markup": markup })).await;
    let tap = json!({ "person": MARIA, "bot": "fitter_bot", "chat_id": id, "message_id": sent["message_id"], "data": "x" });
    let tapped = rig.sim("tap", tap.clone()).await["callback_query_id"].clone();
    let query = rig.updates(json!({})).await[0]["callback_query"].clone();
    assert_eq!((query["from"]["id"].as_i64(), query["message"]["chat"]["id"].as_i64()), (Some(MARIA), Some(id)));
    rig.call("answerCallbackQuery", json!({ "callback_query_id": tapped, "text": "да" })).await;
    assert_eq!(rig.look(&format!("answers?person={MARIA}")).await[0]["text"], "да");
    rig.sim("groups/member", json!({ "chat_id": id, "by": AIDOS, "bot": "fitter_bot", "status": "kicked" })).await;
    assert!(rig.sim_refused("tap", tap).await.contains("not of a bot"));
}

#[tokio::test]
async fn rights_are_those_of_members() {
    let rig = Rig::started().await;
    let id = group(&rig, "supergroup").await;
    let theirs = write(&rig, MARIA, id, "/x@fitter_bot").await["message_id"].clone();
    let ours = rig.call("sendMessage", json!({ "chat_id": id, "text": "x" })).await["message_id"].clone();
    let delete = |message: &Value| json!({ "chat_id": id, "message_id": message });
    assert_eq!(rig.refused("deleteMessage", delete(&theirs)).await, "Bad Request: message can't be deleted");
    assert_eq!(rig.refused("pinChatMessage", delete(&ours)).await, "Bad Request: not enough rights to manage pinned messages in the chat");
    rig.call("deleteMessage", delete(&ours)).await;
    rig.sim("groups/member", json!({ "chat_id": id, "by": AIDOS, "bot": "fitter_bot", "status": "administrator" })).await;
    rig.call("deleteMessage", delete(&theirs)).await;
    let admins = rig.call("getChatAdministrators", json!({ "chat_id": id })).await;
    let statuses: Vec<_> = admins.as_array().unwrap().iter().map(|member| member["status"].clone()).collect();
    assert_eq!(statuses, ["creator", "administrator"]);
    assert_eq!(rig.call("getChatMemberCount", json!({ "chat_id": id })).await, 3);
    assert_eq!(rig.call("getChat", json!({ "chat_id": id })).await["permissions"]["can_send_messages"], true);
}

#[tokio::test]
async fn what_only_private_chats_have_is_refused() {
    let rig = Rig::started().await;
    let id = group(&rig, "supergroup").await;
    let with = |markup: Value| json!({ "chat_id": id, "text": "x", "reply_markup": markup });
    let app = json!({ "inline_keyboard": [[{ "text": "a", "web_app": { "url": "https://example.com/" } }]] });
    assert_eq!(rig.refused("sendMessage", with(app)).await, "Bad Request: BUTTON_TYPE_INVALID");
    let contact = json!({ "keyboard": [[{ "text": "a", "request_contact": true }]] });
    assert_eq!(rig.refused("sendMessage", with(contact)).await, "Bad Request: phone number can be requested in private chats only");
    let draft = json!({ "chat_id": id, "draft_id": 1, "text": "x" });
    assert_eq!(rig.refused("sendMessageDraft", draft).await, "Bad Request: TEXTDRAFT_PEER_INVALID");
}

#[tokio::test]
async fn groups_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::in_dir(dir.path()).await;
    rig.start_chat().await;
    let old = group(&rig, "group").await;
    write(&rig, MARIA, old, "/x@fitter_bot").await;
    let new = rig.sim("groups/upgrade", json!({ "chat_id": old, "by": AIDOS })).await["chat_id"].as_i64().unwrap();
    write(&rig, AIDOS, new, "hello").await;
    let before = rig.look("groups").await;
    rig.running.shutdown().await;
    // The second start reads what the first one has written anew.
    for _ in 0..2 {
        let rig = Rig::in_dir(dir.path()).await;
        assert_eq!(rig.look("groups").await, before);
        let messages = rig.look(&format!("messages?person={AIDOS}&bot=fitter_bot&chat_id={new}")).await;
        assert_eq!(messages.as_array().unwrap().last().unwrap()["text"], "hello");
        assert_eq!(rig.updates(json!({})).await[0]["message"]["text"], "/x@fitter_bot");
        rig.running.shutdown().await;
    }
    let rig = Rig::in_dir(dir.path()).await;
    rig.sim("reset", json!({})).await;
    assert_eq!(rig.look("groups").await, json!([]));
    assert_ne!(group(&rig, "supergroup").await, new, "ids are not given again");
}

#[tokio::test]
async fn a_group_is_in_the_list_of_chats_of_its_members() {
    let rig = Rig::started().await;
    let body = json!({ "title": "Двое", "by": AIDOS, "bots": ["fitter_bot"] });
    let id = rig.sim("groups", body).await["chat_id"].clone();
    let chats = rig.look(&format!("chats?person={AIDOS}")).await;
    let group = chats.as_array().unwrap().iter().find(|chat| chat["chat_id"] == id).unwrap();
    assert_eq!((&group["kind"], &group["title"], &group["members"]), (&json!("supergroup"), &json!("Двое"), &json!(2)));
    assert_eq!(rig.look(&format!("groups?person={MARIA}")).await, json!([]));
    write(&rig, AIDOS, id.as_i64().unwrap(), "/x@fitter_bot").await;
    let transcript = rig.http.get(format!("{}/sim/transcript?person={AIDOS}&bot=fitter_bot&chat_id={id}&format=text", rig.running.url()));
    let text = transcript.send().await.unwrap().text().await.unwrap();
    assert!(text.ends_with("Айдос: /x@fitter_bot\n"), "{text}");
}

#[tokio::test]
async fn nonsense_is_refused() {
    let rig = Rig::started().await;
    let id = group(&rig, "supergroup").await;
    for (path, body, why) in [
        ("groups", json!({ "title": "", "by": AIDOS }), "a title has 1-128 characters".to_owned()),
        ("groups", json!({ "title": "x", "by": 5 }), "no person 5".to_owned()),
        ("groups/member", json!({ "chat_id": -5, "by": AIDOS, "bot": "fitter_bot", "status": "left" }), "no group -5".to_owned()),
        ("groups/member", json!({ "chat_id": id, "bot": "fitter_bot", "status": "left" }), "who does it to the bot?".to_owned()),
        ("groups/member", json!({ "chat_id": id, "person": AIDOS, "status": "left" }), "a group keeps its creator".to_owned()),
        ("groups/upgrade", json!({ "chat_id": id, "by": AIDOS }), "the group is a supergroup already".to_owned()),
    ] {
        assert_eq!(rig.sim_refused(path, body).await, why);
    }
}
