//! Files: sizes, ids, download, limits.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::rig::{AIDOS, OTHER, Rig, TOKEN, png};

#[tokio::test]
async fn a_photo_has_sizes_and_can_be_downloaded() {
    let rig = Rig::started().await;
    let data = png(1600, 800, 5000);
    let answer = rig.upload("sendPhoto", "photo", "щит.png", data.clone()).await;
    let photo = answer["result"]["photo"].as_array().unwrap();
    let sides: Vec<_> = photo.iter().map(|size| (size["width"].as_u64().unwrap(), size["height"].as_u64().unwrap())).collect();
    assert_eq!(sides, [(90, 45), (320, 160), (800, 400), (1280, 640), (1600, 800)]);
    let largest = photo.last().unwrap();
    assert_eq!(largest["file_size"], 5000);
    let file = rig.call("getFile", json!({ "file_id": largest["file_id"] })).await;
    assert_eq!(file["file_unique_id"], largest["file_unique_id"]);
    let path = file["file_path"].as_str().unwrap();
    assert!(path.starts_with("photos/"), "{path}");
    let url = |token: &str| format!("{}/file/bot{token}/{path}", rig.running.url());
    let loaded = rig.http.get(url(TOKEN)).send().await.unwrap();
    assert_eq!(loaded.bytes().await.unwrap(), data);
    assert_eq!(rig.http.get(url(OTHER)).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn ids_can_be_reused_for_the_same_kind_by_the_same_bot() {
    let rig = Rig::started().await;
    let answer = rig.upload("sendDocument", "document", "акт.pdf", b"pdf".to_vec()).await;
    let document = &answer["result"]["document"];
    assert_eq!(document["file_name"], "акт.pdf");
    assert_eq!(document["mime_type"], "application/pdf");
    assert_eq!(document["file_size"], 3);
    let id = &document["file_id"];
    let again = rig.call("sendDocument", json!({ "chat_id": AIDOS, "document": id })).await;
    assert_eq!(&again["document"], document);
    assert_eq!(
        rig.refused("sendPhoto", json!({ "chat_id": AIDOS, "photo": id })).await,
        "Bad Request: can't use file of type Document as Photo"
    );
    let url = format!("{}/bot{OTHER}/getFile", rig.running.url());
    let other = rig.http.post(url).json(&json!({ "file_id": id })).send().await.unwrap();
    let other: Value = other.json().await.unwrap();
    assert_eq!(other["description"], "Bad Request: wrong file_id or the file is temporarily unavailable");
    assert_eq!(
        rig.refused("sendDocument", json!({ "chat_id": AIDOS, "document": "nonsense" })).await,
        "Bad Request: wrong file identifier/HTTP URL specified"
    );
    assert_eq!(
        rig.refused("sendDocument", json!({ "chat_id": AIDOS, "document": "https://a.kz/b" })).await,
        "Bad Request: failed to get HTTP URL content"
    );
}

#[tokio::test]
async fn files_have_limits() {
    let rig = Rig::started().await;
    let refused = async |method: &str, part: &str, data: Vec<u8>| {
        let answer = rig.upload(method, part, "x.bin", data).await;
        answer["description"].as_str().unwrap().to_owned()
    };
    let too_big = 10 * 1024 * 1024 + 1;
    assert_eq!(
        refused("sendPhoto", "photo", png(100, 100, too_big)).await,
        "Bad Request: file of size 10485761 bytes is too big for a photo; the maximum size is 10485760 bytes"
    );
    assert_eq!(refused("sendPhoto", "photo", b"no image".to_vec()).await, "Bad Request: IMAGE_PROCESS_FAILED");
    assert_eq!(refused("sendPhoto", "photo", png(2100, 100, 0)).await, "Bad Request: PHOTO_INVALID_DIMENSIONS");
    assert_eq!(refused("sendPhoto", "photo", png(9000, 1001, 0)).await, "Bad Request: PHOTO_INVALID_DIMENSIONS");
    assert_eq!(refused("sendDocument", "document", Vec::new()).await, "Bad Request: file must be non-empty");
    assert_eq!(refused("sendDocument", "wrong_part", b"x".to_vec()).await, "Bad Request: there is no document in the request");
}

#[tokio::test]
async fn a_request_of_more_than_fifty_megabytes_is_refused_unread() {
    let rig = Rig::started().await;
    let mut stream = TcpStream::connect(rig.running.addr()).await.unwrap();
    let head = format!(
        "POST /bot{TOKEN}/sendDocument HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         content-type: multipart/form-data; boundary=x\r\ncontent-length: {}\r\n\r\n",
        51 * 1024 * 1024
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("Request Entity Too Large"), "{answer}");
}

#[tokio::test]
async fn more_than_twenty_megabytes_cannot_be_downloaded() {
    let rig = Rig::started().await;
    let data = vec![1; 20 * 1024 * 1024 + 1];
    let answer = rig.upload("sendDocument", "document", "x.bin", data).await;
    let id = json!({ "file_id": answer["result"]["document"]["file_id"] });
    assert_eq!(rig.refused("getFile", id).await, "Bad Request: file is too big");
}

#[tokio::test]
async fn captions_have_a_limit() {
    let rig = Rig::started().await;
    let answer = rig.upload("sendDocument", "document", "a.txt", b"x".to_vec()).await;
    let document = &answer["result"]["document"]["file_id"];
    let with = |caption: String| json!({ "chat_id": AIDOS, "document": document, "caption": caption, "parse_mode": "HTML" });
    let sent = rig.call("sendDocument", with(format!("<b>{}</b>", "я".repeat(1024)))).await;
    assert_eq!(sent["caption_entities"][0]["length"], 1024);
    assert_eq!(rig.refused("sendDocument", with("я".repeat(1025))).await, "Bad Request: message caption is too long");
    let edit = json!({ "chat_id": AIDOS, "message_id": sent["message_id"], "caption": "другое" });
    assert_eq!(rig.call("editMessageCaption", edit).await["caption"], "другое");
}

#[tokio::test]
async fn every_kind_of_file_is_sent_under_its_name() {
    let rig = Rig::started().await;
    for (method, kind) in [
        ("sendVoice", "voice"),
        ("sendAudio", "audio"),
        ("sendVideo", "video"),
        ("sendAnimation", "animation"),
        ("sendVideoNote", "video_note"),
        ("sendSticker", "sticker"),
    ] {
        let answer = rig.upload(method, kind, "x.bin", png(512, 512, 0)).await;
        assert!(answer["result"][kind]["file_id"].is_string(), "{method}: {answer}");
    }
}
