//! Commands, profiles, topics, polls and other small methods.

use serde_json::{Value, json};

use crate::rig::{AIDOS, MARIA, Rig};

fn command(name: &str) -> Value {
    json!({ "command": name, "description": "d" })
}

#[tokio::test]
async fn commands_have_scopes_and_languages() {
    let rig = Rig::started().await;
    let set = async |commands: Value, scope: Value, language: &str| {
        rig.call("setMyCommands", json!({ "commands": commands, "scope": scope, "language_code": language })).await
    };
    set(json!([command("help"), command("/start"), command("help")]), Value::Null, "").await;
    set(json!([command("komek")]), json!({ "type": "all_private_chats" }), "kk").await;
    set(json!([command("mine")]), json!({ "type": "chat", "chat_id": AIDOS }), "").await;
    let names = |commands: &Value| -> Vec<String> {
        let commands = commands.as_array().unwrap().iter();
        commands.map(|command| command["command"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&rig.call("getMyCommands", json!({})).await), ["start", "help"]);
    let shown = async |person: i64| names(&rig.look(&format!("state?person={person}")).await["bots"][0]["commands"]);
    assert_eq!(shown(AIDOS).await, ["mine"]);
    assert_eq!(shown(MARIA).await, ["komek"]);
    let scope = json!({ "scope": { "type": "chat", "chat_id": AIDOS } });
    rig.call("deleteMyCommands", scope).await;
    assert_eq!(shown(AIDOS).await, ["start", "help"]);
}

#[tokio::test]
async fn commands_are_checked() {
    let rig = Rig::new().await;
    let many: Vec<Value> = (0..101).map(|number| command(&format!("c{number}"))).collect();
    let long = json!({ "command": "a", "description": "x".repeat(257) });
    for (commands, why) in [
        (json!(many), "BOT_COMMANDS_TOO_MUCH"),
        (json!([command("Help")]), "BOT_COMMAND_INVALID"),
        (json!([command(&"x".repeat(33))]), "BOT_COMMAND_INVALID"),
        (json!([long]), "BOT_COMMAND_DESCRIPTION_INVALID"),
        (json!([{ "command": "a" }]), "can't parse BotCommand: Can't find field \"description\""),
    ] {
        let why = format!("Bad Request: {why}");
        assert_eq!(rig.refused("setMyCommands", json!({ "commands": commands })).await, why);
    }
    let args = json!({ "commands": [command("a")], "scope": { "type": "everyone" } });
    assert_eq!(rig.refused("setMyCommands", args).await, "Bad Request: can't parse BotCommandScope: Unsupported type specified");
}

#[tokio::test]
async fn a_bot_describes_itself_in_languages() {
    let rig = Rig::new().await;
    for (set, get, field) in [
        ("setMyName", "getMyName", "name"),
        ("setMyDescription", "getMyDescription", "description"),
        ("setMyShortDescription", "getMyShortDescription", "short_description"),
    ] {
        rig.call(set, json!({ field: "Default" })).await;
        rig.call(set, json!({ field: "Русский", "language_code": "ru" })).await;
        let of = async |language: &str| rig.call(get, json!({ "language_code": language })).await[field].clone();
        assert_eq!(of("ru").await, "Русский");
        assert_eq!(of("en").await, "Default");
        assert_eq!(rig.refused(set, json!({ field: "x", "language_code": "rus" })).await, "Bad Request: invalid language code specified");
    }
    assert_eq!(rig.call("getMe", json!({})).await["first_name"], "Default");
}

#[tokio::test]
async fn the_menu_button_is_set_for_all_or_one() {
    let rig = Rig::started().await;
    let app = json!({ "type": "web_app", "text": "Открыть", "web_app": { "url": "https://a.kz/" } });
    let get = async |args: Value| rig.call("getChatMenuButton", args).await;
    assert_eq!(get(json!({})).await, json!({ "type": "commands" }));
    rig.call("setChatMenuButton", json!({ "chat_id": AIDOS, "menu_button": app })).await;
    assert_eq!(get(json!({ "chat_id": AIDOS })).await, app);
    assert_eq!(get(json!({})).await, json!({ "type": "commands" }));
    let plain = json!({ "type": "web_app", "text": "x", "web_app": { "url": "http://a.kz/" } });
    assert_eq!(
        rig.refused("setChatMenuButton", json!({ "menu_button": plain })).await,
        "Bad Request: menu button Web App URL 'http://a.kz/' is invalid: Only HTTPS links are allowed"
    );
}

#[tokio::test]
async fn private_chats_have_topics() {
    let rig = Rig::started().await;
    let topic = rig.call("createForumTopic", json!({ "chat_id": AIDOS, "name": "Наряд 12" })).await;
    let thread = &topic["message_thread_id"];
    let text = |thread: &Value| json!({ "chat_id": AIDOS, "text": "x", "message_thread_id": thread });
    let sent = rig.call("sendMessage", text(thread)).await;
    assert_eq!(&sent["message_thread_id"], thread);
    assert_eq!(rig.refused("sendMessage", text(&json!(999))).await, "Bad Request: message thread not found");
    let edit = json!({ "chat_id": AIDOS, "message_thread_id": thread, "name": "Наряд 13" });
    rig.call("editForumTopic", edit.clone()).await;
    assert_eq!(rig.refused("editForumTopic", edit).await, "Bad Request: TOPIC_NOT_MODIFIED");
    rig.call("deleteForumTopic", json!({ "chat_id": AIDOS, "message_thread_id": thread })).await;
    assert_eq!(rig.messages().await.len(), 1, "a topic goes with its messages");
}

#[tokio::test]
async fn polls_contacts_and_places_are_sent() {
    let rig = Rig::started().await;
    let poll = json!({ "chat_id": AIDOS, "question": "Как?", "options": [{ "text": "Хорошо" }, "Плохо"] });
    let sent = rig.call("sendPoll", poll).await;
    assert_eq!(sent["poll"]["options"][1]["text"], "Плохо");
    let poll = json!({ "chat_id": AIDOS, "question": "?", "options": ["x".repeat(101)] });
    assert_eq!(rig.refused("sendPoll", poll).await, "Bad Request: poll options length must not exceed 100");
    let contact = json!({ "chat_id": AIDOS, "phone_number": "+7701", "first_name": "А" });
    assert_eq!(rig.call("sendContact", contact).await["contact"]["phone_number"], "+7701");
    assert_eq!(
        rig.refused("sendLocation", json!({ "chat_id": AIDOS, "latitude": 91, "longitude": 0 })).await,
        "Bad Request: wrong location specified"
    );
}

#[tokio::test]
async fn drafts_and_rich_messages_need_their_parts() {
    let rig = Rig::started().await;
    rig.call("sendMessageDraft", json!({ "chat_id": AIDOS, "draft_id": 1, "text": "" })).await;
    assert_eq!(
        rig.refused("sendMessageDraft", json!({ "chat_id": AIDOS, "draft_id": 0, "text": "x" })).await,
        "Bad Request: DRAFT_ID_INVALID"
    );
    let rich = json!({ "chat_id": AIDOS, "rich_message": { "markdown": "| a | b |" } });
    assert_eq!(rig.call("sendRichMessage", rich).await["text"], "| a | b |");
}

#[tokio::test]
async fn people_and_chats_can_be_asked_about() {
    let rig = Rig::started().await;
    let member = json!({ "chat_id": AIDOS, "user_id": AIDOS });
    assert_eq!(rig.call("getChatMember", member).await["status"], "member");
    let photos = rig.call("getUserProfilePhotos", json!({ "user_id": AIDOS })).await;
    assert_eq!(photos, json!({ "total_count": 0, "photos": [] }));
    assert_eq!(rig.refused("getChat", json!({ "chat_id": 5 })).await, "Bad Request: chat not found");
    assert_eq!(
        rig.refused("sendChatAction", json!({ "chat_id": AIDOS, "action": "dancing" })).await,
        "Bad Request: wrong parameter action in request"
    );
    rig.refused("leaveChat", json!({ "chat_id": AIDOS })).await;
    rig.call("logOut", json!({})).await;
}

#[tokio::test]
async fn prepared_messages_and_inline_answers_are_checked() {
    let rig = Rig::new().await;
    let article = json!({
        "type": "article", "id": "1", "title": "t",
        "input_message_content": { "message_text": "x" },
    });
    let saved = rig.call("savePreparedInlineMessage", json!({ "user_id": AIDOS, "result": article })).await;
    assert!(saved["id"].is_string());
    let broken = json!({ "type": "article", "id": "1" });
    assert_eq!(
        rig.refused("savePreparedInlineMessage", json!({ "user_id": AIDOS, "result": broken })).await,
        "Bad Request: can't parse inline query result: Can't find field \"title\""
    );
    assert_eq!(
        rig.refused("answerInlineQuery", json!({ "inline_query_id": "1", "results": [article] })).await,
        "Bad Request: query is too old and response timeout expired or query ID is invalid"
    );
}
