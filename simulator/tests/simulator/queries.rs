//! Taps and their answers, checkouts.

use serde_json::{Value, json};

use crate::rig::{AIDOS, Rig};

const STALE: &str = "Bad Request: query is too old and response timeout expired or query ID is invalid";

/// Sends a message with a few buttons and returns its id.
async fn buttons(rig: &Rig) -> Value {
    let markup = json!({ "inline_keyboard": [
        [{ "text": "Да", "callback_data": "yes" }, { "text": "Нет", "callback_data": "no" }],
        [{ "text": "Сайт", "url": "https://example.com/" }],
        [{ "text": "Код", "copy_text": { "text": "123" } }],
        [{ "text": "Нельзя", "callback_data": "off", "disabled": true }],
    ] });
    let args = json!({ "chat_id": AIDOS, "text": "?", "reply_markup": markup });
    rig.call("sendMessage", args).await["message_id"].clone()
}

fn tap(id: &Value, what: Value) -> Value {
    let mut tap = json!({ "person": AIDOS, "bot": "fitter_bot", "message_id": id });
    tap.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
    tap
}

#[tokio::test]
async fn a_tap_reaches_the_bot_and_its_answer_the_person() {
    let rig = Rig::started().await;
    let message = buttons(&rig).await;
    let tapped = rig.sim("tap", tap(&message, json!({ "row": 0, "col": 1 }))).await;
    let updates = rig.updates(json!({})).await;
    let query = &updates[0]["callback_query"];
    assert_eq!(query["id"], tapped["callback_query_id"]);
    assert_eq!(query["data"], "no");
    assert_eq!(query["from"]["id"], AIDOS);
    assert_eq!(query["message"]["message_id"], message);
    assert!(query["chat_instance"].is_string());
    let id = query["id"].clone();
    let answer = |text: &str| json!({ "callback_query_id": id, "text": text, "show_alert": true });
    assert_eq!(rig.refused("answerCallbackQuery", answer(&"x".repeat(201))).await, "Bad Request: MESSAGE_TOO_LONG");
    rig.call("answerCallbackQuery", answer(&"x".repeat(200))).await;
    assert_eq!(rig.refused("answerCallbackQuery", answer("again")).await, STALE);
    let answers = rig.look(&format!("answers?person={AIDOS}")).await;
    assert_eq!(answers[0]["callback_query_id"], id);
    assert_eq!(answers[0]["show_alert"], true);
    let seq = answers[0]["seq"].clone();
    let later = rig.look(&format!("answers?person={AIDOS}&after={seq}")).await;
    assert_eq!(later, json!([]));
}

#[tokio::test]
async fn late_and_unknown_answers_are_refused() {
    let rig = Rig::started().await;
    let message = buttons(&rig).await;
    let tapped = rig.sim("tap", tap(&message, json!({ "data": "yes" }))).await;
    let unknown = json!({ "callback_query_id": "1" });
    assert_eq!(rig.refused("answerCallbackQuery", unknown).await, STALE);
    rig.sim("clock", json!({ "advance_ms": 152_000 })).await;
    let late = json!({ "callback_query_id": tapped["callback_query_id"] });
    assert_eq!(rig.refused("answerCallbackQuery", late).await, STALE);
}

#[tokio::test]
async fn other_buttons_do_what_a_client_does() {
    let rig = Rig::started().await;
    let message = buttons(&rig).await;
    let url = rig.sim("tap", tap(&message, json!({ "row": 1, "col": 0 }))).await;
    assert_eq!(url, json!({ "url": "https://example.com/" }));
    let copy = rig.sim("tap", tap(&message, json!({ "row": 2, "col": 0 }))).await;
    assert_eq!(copy, json!({ "copy_text": "123" }));
    for (what, why) in [
        (json!({ "data": "maybe" }), "the message has no such button"),
        (json!({ "row": 3, "col": 0 }), "the button is disabled"),
        (json!({ "row": 9, "col": 0 }), "the message has no such button"),
        (json!({}), "data or row and col are needed"),
    ] {
        assert_eq!(rig.sim_refused("tap", tap(&message, what)).await, why);
    }
    let plain = json!(rig.say("no buttons").await);
    assert_eq!(rig.sim_refused("tap", tap(&plain, json!({ "data": "x" }))).await, "the message has no buttons");
}

#[tokio::test]
async fn an_invoice_is_paid_when_the_bot_agrees() {
    let rig = Rig::started().await;
    let mut invoice = json!({
        "chat_id": AIDOS, "title": "Прокладка", "description": "Две штуки", "payload": "p1",
        "currency": "XTR", "prices": [{ "label": "штука", "amount": 5 }],
    });
    let sent = rig.call("sendInvoice", invoice.clone()).await;
    assert_eq!(sent["invoice"]["total_amount"], 5);
    assert_eq!(sent.get("sim_payload"), None, "bots never see the simulator's fields");
    let tapped = rig.sim("tap", tap(&sent["message_id"], json!({ "row": 0, "col": 0 }))).await;
    let updates = rig.updates(json!({})).await;
    let query = &updates[0]["pre_checkout_query"];
    assert_eq!(query["id"], tapped["pre_checkout_query_id"]);
    assert_eq!(query["invoice_payload"], "p1");
    let answer = json!({ "pre_checkout_query_id": query["id"], "ok": true });
    rig.call("answerPreCheckoutQuery", answer.clone()).await;
    assert_eq!(rig.refused("answerPreCheckoutQuery", answer).await, STALE);
    let updates = rig.updates(json!({})).await;
    let paid = &updates[1]["message"]["successful_payment"];
    assert_eq!(paid["invoice_payload"], "p1");
    assert_eq!(paid["total_amount"], 5);
    invoice["prices"] = json!([]);
    assert_eq!(rig.refused("sendInvoice", invoice).await, "Bad Request: there must be at least one price");
}
