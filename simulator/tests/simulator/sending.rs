//! `sendMessage` and what all sending methods check.

use serde_json::{Value, json};

use crate::rig::{AIDOS, MARIA, Rig, TOKEN};

#[tokio::test]
async fn tokens_and_names_are_checked() {
    let rig = Rig::new().await;
    let ask = async |path: &str| {
        let url = format!("{}/{path}", rig.running.url());
        let response = rig.http.get(url).send().await.unwrap();
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error_code"], status);
        (status, body["description"].as_str().unwrap().to_owned())
    };
    assert_eq!(ask("bot1:wrong/getMe").await, (401, "Unauthorized".into()));
    assert_eq!(ask(&format!("bot{TOKEN}/getNothing")).await, (404, "Not Found: method not found".into()));
    let (status, why) = ask(&format!("bot{TOKEN}/banChatMember?chat_id=1&user_id=1")).await;
    assert_eq!(status, 501);
    assert!(why.contains("does not serve banChatMember"), "{why}");
}

#[tokio::test]
async fn arguments_come_from_anywhere_and_names_in_any_case() {
    let rig = Rig::started().await;
    let texts = ["query", "form", "json", "multipart", "test"];
    let url = |method: &str| rig.method_url(method);
    let form = [("chat_id", "101"), ("text", "form")];
    let multipart = reqwest::multipart::Form::new().text("chat_id", "101").text("text", "multipart");
    let requests = [
        rig.http.get(format!("{}?chat_id=101&text=query", url("sendmessage"))),
        rig.http
            .post(url("SENDMESSAGE"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("{}={}&{}={}", form[0].0, form[0].1, form[1].0, form[1].1)),
        rig.http.post(url("SendMessage")).json(&json!({ "chat_id": 101, "text": "json" })),
        rig.http.post(url("sendMessage")).multipart(multipart),
        rig.http.get(format!("{}?chat_id=101&text=test", url("test/sendMessage"))),
    ];
    for (request, text) in requests.into_iter().zip(texts) {
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["result"]["text"], text, "{answer}");
    }
}

#[tokio::test]
async fn a_message_has_the_parts_of_a_telegram_message() {
    let rig = Rig::started().await;
    let sent = rig.call("sendMessage", json!({ "chat_id": AIDOS, "text": " <b>Да</b> /help \n", "parse_mode": "html" })).await;
    assert_eq!(sent["from"]["username"], "fitter_bot");
    assert_eq!(sent["chat"], json!({ "id": AIDOS, "type": "private", "first_name": "Айдос" }));
    assert_eq!(sent["text"], "Да /help");
    assert_eq!(
        sent["entities"],
        json!([
            { "type": "bold", "offset": 0, "length": 2 },
            { "type": "bot_command", "offset": 3, "length": 5 },
        ])
    );
}

#[tokio::test]
async fn chats_must_exist_and_be_open() {
    let rig = Rig::started().await;
    let to = |chat: Value| json!({ "chat_id": chat, "text": "x" });
    for nobody in [json!(999), json!("@nobody"), json!(-100_500), json!("x")] {
        assert_eq!(rig.refused("sendMessage", to(nobody)).await, "Bad Request: chat not found");
    }
    assert_eq!(rig.refused("sendMessage", json!({ "text": "x" })).await, "Bad Request: chat_id is empty");
    assert_eq!(rig.refused("sendMessage", to(json!(MARIA))).await, "Forbidden: bot can't initiate conversation with a user");
    assert_eq!(rig.refused("sendMessage", to(json!(1002))).await, "Forbidden: bot can't send messages to bots");
    rig.sim("block", json!({ "person": AIDOS, "bot": "fitter_bot" })).await;
    let answer = rig.raw("sendMessage", to(json!(AIDOS))).await;
    assert_eq!(answer["error_code"], 403);
    assert_eq!(answer["description"], "Forbidden: bot was blocked by the user");
    rig.sim("unblock", json!({ "person": AIDOS, "bot": "fitter_bot" })).await;
    rig.call("sendMessage", to(json!(AIDOS))).await;
}

#[tokio::test]
async fn texts_are_measured_in_utf16_after_parsing() {
    let rig = Rig::started().await;
    let text = |text: String, mode: &str| json!({ "chat_id": AIDOS, "text": text, "parse_mode": mode });
    rig.call("sendMessage", text("x".repeat(4096), "")).await;
    rig.call("sendMessage", text(format!("<b>{}</b>", "x".repeat(4096)), "HTML")).await;
    rig.call("sendMessage", text("🔧".repeat(2048), "")).await;
    for too_long in ["x".repeat(4097), "🔧".repeat(2049)] {
        assert_eq!(rig.refused("sendMessage", text(too_long, "")).await, "Bad Request: message is too long");
    }
    assert_eq!(rig.refused("sendMessage", text("x".repeat(32_769), "")).await, "Bad Request: text is too long");
    for (empty, why) in [("", "message text is empty"), ("  \n ", "text must be non-empty"), ("<b> </b>", "text must be non-empty")] {
        assert_eq!(rig.refused("sendMessage", text(empty.into(), "HTML")).await, format!("Bad Request: {why}"));
    }
}

#[tokio::test]
async fn markup_errors_are_telegrams() {
    let rig = Rig::started().await;
    for (text, mode, why) in [
        ("<b>x", "HTML", "can't parse entities: Can't find end tag corresponding to start tag \"b\""),
        ("a.", "MarkdownV2", "can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("*a", "Markdown", "can't parse entities: Can't find end of the entity starting at byte offset 0"),
        ("x", "XML", "unsupported parse_mode"),
    ] {
        let args = json!({ "chat_id": AIDOS, "text": text, "parse_mode": mode });
        assert_eq!(rig.refused("sendMessage", args).await, format!("Bad Request: {why}"));
    }
    let args = json!({
        "chat_id": AIDOS, "text": "click",
        "entities": [{ "type": "text_link", "offset": 0, "length": 5, "url": "not-a-url" }],
    });
    assert_eq!(rig.refused("sendMessage", args).await, "Bad Request: entity URL 'not-a-url' is invalid: Wrong HTTP URL");
}

#[tokio::test]
async fn people_are_mentioned_by_id_if_they_exist() {
    let rig = Rig::started().await;
    let mention = |id: i64| {
        json!({
            "chat_id": AIDOS, "text": "x",
            "entities": [{ "type": "text_mention", "offset": 0, "length": 1, "user": { "id": id } }],
        })
    };
    let sent = rig.call("sendMessage", mention(MARIA)).await;
    assert_eq!(sent["entities"][0]["user"]["first_name"], "Мария");
    assert_eq!(rig.refused("sendMessage", mention(5)).await, "Bad Request: user not found");
    let link = |id: i64| {
        let text = format!("<a href=\"tg://user?id={id}\">x</a>");
        json!({ "chat_id": AIDOS, "text": text, "parse_mode": "HTML" })
    };
    let sent = rig.call("sendMessage", link(MARIA)).await;
    assert_eq!(sent["entities"][0]["user"]["id"], MARIA);
    let sent = rig.call("sendMessage", link(5)).await;
    assert_eq!(sent.get("entities"), None);
}

#[tokio::test]
async fn replies_need_their_message() {
    let rig = Rig::started().await;
    let id = rig.say("ключ на 17").await;
    let reply = |parameters: Value| json!({ "chat_id": AIDOS, "text": "x", "reply_parameters": parameters });
    let sent = rig.call("sendMessage", reply(json!({ "message_id": id, "quote": "17" }))).await;
    assert_eq!(sent["reply_to_message"]["message_id"], id);
    assert_eq!(sent["quote"], json!({ "text": "17", "position": 8, "is_manual": true }));
    assert_eq!(rig.refused("sendMessage", reply(json!({ "message_id": 99 }))).await, "Bad Request: message to be replied not found");
    assert_eq!(rig.refused("sendMessage", reply(json!({ "message_id": id, "quote": "19" }))).await, "Bad Request: QUOTE_TEXT_INVALID");
    assert_eq!(rig.refused("sendMessage", reply(json!({ "quote": "17" }))).await, "Bad Request: can't find field \"message_id\"");
    let alone = json!({ "message_id": 99, "allow_sending_without_reply": true });
    let sent = rig.call("sendMessage", reply(alone)).await;
    assert_eq!(sent.get("reply_to_message"), None);
}

#[tokio::test]
async fn keyboards_are_checked_and_kept() {
    let rig = Rig::started().await;
    let with = |markup: Value| json!({ "chat_id": AIDOS, "text": "x", "reply_markup": markup });
    let long = json!({ "inline_keyboard": [[{ "text": "a", "callback_data": "x".repeat(65) }]] });
    assert_eq!(rig.refused("sendMessage", with(long)).await, "Bad Request: BUTTON_DATA_INVALID");
    assert_eq!(rig.refused("sendMessage", with(json!("[1]"))).await, "Bad Request: object expected as reply markup");
    let inline = json!({ "inline_keyboard": [[{ "text": "a", "callback_data": "x".repeat(64) }]] });
    // Most clients send the markup as JSON text.
    let sent = rig.call("sendMessage", with(json!(inline.to_string()))).await;
    assert_eq!(sent["reply_markup"], inline);
    let reply = json!({ "keyboard": [["Да", "Нет"]], "resize_keyboard": true });
    let sent = rig.call("sendMessage", with(reply.clone())).await;
    assert_eq!(sent.get("reply_markup"), None, "bots do not get reply keyboards back");
    assert_eq!(rig.messages().await.last().unwrap()["reply_markup"], reply);
    let keyboard = async || rig.look(&format!("chats?person={AIDOS}")).await[0]["keyboard"].clone();
    assert_eq!(keyboard().await, reply);
    rig.say("the keyboard stays").await;
    assert_eq!(keyboard().await, reply);
    rig.call("sendMessage", with(json!({ "remove_keyboard": true }))).await;
    assert_eq!(keyboard().await, Value::Null);
}
