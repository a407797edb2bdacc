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
        (json!([photo("one"), photo("two")]), "wrong file identifier/HTTP URL specified"),
        (json!([photo("one"), { "type": "gif", "media": "x" }]), "can't parse InputMedia: invalid media type specified"),
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
