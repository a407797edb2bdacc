//! Albums from both sides, and `editMessageMedia`.

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::rig::{AIDOS, Rig, png};

async fn send_album(rig: &Rig, media: Value, files: &[(&str, Vec<u8>)]) -> Value {
    let mut form = Form::new().text("chat_id", AIDOS.to_string()).text("media", media.to_string());
    for (name, data) in files {
        form = form.part((*name).to_owned(), Part::bytes(data.clone()).file_name("a.png"));
    }
    let request = rig.http.post(rig.method_url("sendMediaGroup")).multipart(form);
    request.send().await.unwrap().json().await.unwrap()
}

fn photo(name: &str) -> Value {
    json!({ "type": "photo", "media": format!("attach://{name}") })
}

#[tokio::test]
async fn a_bot_sends_an_album() {
    let rig = Rig::started().await;
    let mut first = photo("one");
    first["caption"] = "<b>Щит</b>".into();
    first["parse_mode"] = "HTML".into();
    let files = [("one", png(640, 480, 0)), ("two", png(480, 640, 0))];
    let answer = send_album(&rig, json!([first, photo("two")]), &files).await;
    let sent = answer["result"].as_array().unwrap();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0]["caption"], "Щит");
    assert!(sent[0]["media_group_id"].is_string());
    assert_eq!(sent[0]["media_group_id"], sent[1]["media_group_id"]);
    assert_ne!(sent[0]["message_id"], sent[1]["message_id"]);
}

#[tokio::test]
async fn albums_are_checked() {
    let rig = Rig::started().await;
    let files = [("one", png(640, 480, 0))];
    let document = json!({ "type": "document", "media": "attach://one" });
    for (media, why) in [
        (json!([photo("one")]), "too few messages to send as an album"),
        (json!(vec![photo("one"); 11]), "too many messages to send as an album"),
        (json!([photo("one"), document]), "document can't be mixed with other media types"),
        (json!([photo("one"), photo("two")]), "can't parse InputMedia: media not found"),
        (json!([photo("one"), { "type": "photo", "media": "x" }]), "wrong file identifier/HTTP URL specified"),
        (json!([photo("one"), { "type": "gif", "media": "x" }]), "can't parse InputMedia: type \"gif\" is unsupported"),
    ] {
        let answer = send_album(&rig, media, &files).await;
        assert_eq!(answer["description"], format!("Bad Request: {why}"));
    }
    assert_eq!(rig.messages().await.len(), 1, "nothing was sent");
}

#[tokio::test]
async fn a_persons_album_comes_as_separate_updates() {
    let rig = Rig::started().await;
    let files = [("photo", "1.png", png(640, 480, 100)), ("photo", "2.png", png(640, 480, 200)), ("photo", "3.png", png(640, 480, 300))];
    let sent = rig.aidos_sends(&files, json!({ "caption": "Было и стало" })).await;
    assert_eq!(sent.as_array().unwrap().len(), 3);
    let updates = rig.updates(json!({})).await;
    assert_eq!(updates.len(), 3);
    let group = updates[0]["message"]["media_group_id"].clone();
    assert!(group.is_string());
    let captions: Vec<_> = updates.iter().map(|update| update["message"]["caption"].as_str()).collect();
    assert_eq!(captions, [Some("Было и стало"), None, None]);
    for update in &updates {
        assert_eq!(update["message"]["media_group_id"], group);
    }
}

#[tokio::test]
async fn the_parts_of_an_album_straggle() {
    let rig = Rig::started().await;
    rig.sim("clock", json!({ "freeze": true })).await;
    let files: Vec<_> = (0..4).map(|number| ("photo", "a.png", png(640, 480, 100 + number))).collect();
    let sent = rig.aidos_sends(&files, json!({ "caption": "щит", "stagger_ms": [300, 700, 9000] })).await;
    assert_eq!(sent.as_array().unwrap().len(), 1, "the others are on their way");
    let arrived = async |count: usize| {
        while rig.messages().await.len() < 1 + count {
            tokio::task::yield_now().await;
        }
    };
    for (jump, count) in [(299, 1), (1, 2), (700, 3)] {
        rig.sim("clock", json!({ "advance_ms": jump })).await;
        arrived(count).await;
        assert_eq!(rig.updates(json!({})).await.len(), count);
    }
    // Other messages come between a straggler and the rest.
    rig.aidos_writes("готово").await;
    let quiet = rig.try_sim(reqwest::Method::POST, "quiet", Some(json!({ "settle_ms": 1, "timeout_ms": 1 }))).await;
    assert_eq!(quiet.0, 408, "a part is still to come");
    rig.sim("clock", json!({ "advance_ms": 9000 })).await;
    arrived(5).await;
    let updates = rig.updates(json!({})).await;
    assert_eq!(updates[3]["message"]["text"], "готово");
    let group = &updates[0]["message"]["media_group_id"];
    assert!(group.is_string());
    assert_eq!(&updates[4]["message"]["media_group_id"], group);
    let date = |number: usize| updates[number]["message"]["date"].as_i64().unwrap();
    assert!((9..=11).contains(&(date(4) - date(0))), "it bears the time when it arrived");
}

#[tokio::test]
async fn the_pauses_must_fit_the_album() {
    let rig = Rig::started().await;
    let form = Form::new()
        .text("json", json!({ "person": AIDOS, "bot": "fitter_bot", "stagger_ms": [1] }).to_string())
        .part("photo", Part::bytes(png(64, 64, 0)).file_name("a.png"));
    let url = format!("{}/sim/send", rig.running.url());
    let answer: Value = rig.http.post(url).multipart(form).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["error"], "stagger_ms needs 0 pauses: one before each part after the first");
}

#[tokio::test]
async fn the_media_of_a_message_is_replaced() {
    let rig = Rig::started().await;
    let sent = rig.upload("sendPhoto", "photo", "a.png", png(640, 480, 100)).await;
    let id = sent["result"]["message_id"].as_i64().unwrap();
    let edit = async |data: Vec<u8>| -> Value {
        let form = Form::new()
            .text("chat_id", AIDOS.to_string())
            .text("message_id", id.to_string())
            .text("media", json!({ "type": "photo", "media": "attach://new", "caption": "ok" }).to_string())
            .part("new", Part::bytes(data).file_name("b.png"));
        let request = rig.http.post(rig.method_url("editMessageMedia")).multipart(form);
        request.send().await.unwrap().json().await.unwrap()
    };
    let edited = edit(png(320, 200, 100)).await;
    assert_eq!(edited["result"]["photo"].as_array().unwrap().last().unwrap()["width"], 320);
    assert_eq!(edited["result"]["caption"], "ok");
    let again = edit(png(320, 200, 100)).await;
    assert!(again["description"].as_str().unwrap().contains("message is not modified"), "{again}");
}
