//! The state directory.

use std::fs::OpenOptions;
use std::io::Write;

use serde_json::{Value, json};

use crate::rig::{AIDOS, Rig, TOKEN, png};

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::in_dir(dir.path()).await;
    rig.sim("people", json!({ "id": 900, "first_name": "Новый" })).await;
    rig.start_chat().await;
    rig.call("setMyCommands", json!({ "commands": [{ "command": "help", "description": "Помощь" }] })).await;
    let markup = json!({ "inline_keyboard": [[{ "text": "a", "callback_data": "x" }]] });
    let args = json!({ "chat_id": AIDOS, "text": "кнопки", "reply_markup": markup });
    let message = rig.call("sendMessage", args).await["message_id"].clone();
    let gone = rig.say("удалено").await;
    rig.call("deleteMessage", json!({ "chat_id": AIDOS, "message_id": gone })).await;
    let photo = rig.upload("sendPhoto", "photo", "a.png", png(640, 480, 777)).await;
    let file = photo["result"]["photo"].as_array().unwrap().last().unwrap()["file_id"].clone();
    let tap = json!({ "person": AIDOS, "bot": "fitter_bot", "message_id": message, "data": "x" });
    let query = rig.sim("tap", tap).await["callback_query_id"].clone();
    rig.aidos_writes("до перезапуска").await;
    let (before, pending) = (rig.messages().await, rig.updates(json!({})).await);
    assert_eq!(pending.len(), 2);
    // The process dies: nothing is told to end.
    std::mem::forget(rig);

    let rig = Rig::in_dir(dir.path()).await;
    assert_eq!(rig.messages().await, before);
    assert_eq!(rig.updates(json!({})).await, pending);
    let people = rig.look("state").await["people"].clone();
    assert!(people.as_array().unwrap().iter().any(|person| person["id"] == 900));
    assert_eq!(rig.call("getMyCommands", json!({})).await[0]["command"], "help");
    rig.call("answerCallbackQuery", json!({ "callback_query_id": query })).await;
    let path = rig.call("getFile", json!({ "file_id": file })).await["file_path"].clone();
    let url = format!("{}/file/bot{TOKEN}/{}", rig.running.url(), path.as_str().unwrap());
    let content = rig.http.get(url).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(content, png(640, 480, 777));
    let last = pending.last().unwrap()["update_id"].as_i64().unwrap();
    rig.updates(json!({ "offset": last + 1 })).await;
    let new = rig.aidos_writes("после").await["message_id"].as_i64().unwrap();
    let newest = before.last().unwrap()["message_id"].as_i64().unwrap();
    assert_eq!(new, newest + 1);
    let update = rig.updates(json!({})).await;
    assert_eq!(update[0]["update_id"], last + 1, "update ids go on");
}

#[tokio::test]
async fn confirmed_updates_stay_confirmed_even_when_none_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::in_dir(dir.path()).await;
    rig.aidos_writes("1").await;
    let last = rig.updates(json!({})).await[0]["update_id"].as_i64().unwrap();
    rig.updates(json!({ "offset": last + 1 })).await;
    rig.running.shutdown().await;
    for _ in 0..2 {
        let rig = Rig::in_dir(dir.path()).await;
        assert_eq!(rig.updates(json!({})).await, Vec::<Value>::new());
        rig.running.shutdown().await;
    }
    let rig = Rig::in_dir(dir.path()).await;
    rig.aidos_writes("2").await;
    assert_eq!(rig.updates(json!({})).await[0]["update_id"], last + 1);
}

#[tokio::test]
async fn a_torn_last_line_costs_only_itself() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::in_dir(dir.path()).await;
    rig.aidos_writes("whole").await;
    rig.running.shutdown().await;
    let journal = dir.path().join("journal.jsonl");
    let mut file = OpenOptions::new().append(true).open(&journal).unwrap();
    file.write_all(b"[{\"k\":\"message\",\"bot\":1001,\"cha").unwrap();
    drop(file);
    let rig = Rig::in_dir(dir.path()).await;
    assert_eq!(rig.messages().await.len(), 1);
    rig.aidos_writes("next").await;
    rig.running.shutdown().await;
    let rig = Rig::in_dir(dir.path()).await;
    assert_eq!(rig.messages().await.len(), 2);
}

#[tokio::test]
async fn a_reset_is_remembered_and_ids_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::in_dir(dir.path()).await;
    rig.start_chat().await;
    let id = rig.say("забыть").await;
    rig.upload("sendDocument", "document", "a.txt", b"secret".to_vec()).await;
    let files = || std::fs::read_dir(dir.path().join("files")).unwrap().count();
    assert_eq!(files(), 1);
    rig.sim("reset", json!({})).await;
    assert_eq!(rig.messages().await, Vec::<Value>::new());
    assert_eq!(
        rig.refused("sendMessage", json!({ "chat_id": AIDOS, "text": "x" })).await,
        "Forbidden: bot can't initiate conversation with a user"
    );
    rig.running.shutdown().await;
    let rig = Rig::in_dir(dir.path()).await;
    assert_eq!(rig.messages().await, Vec::<Value>::new());
    assert_eq!(files(), 0, "the start after a reset removes the contents");
    assert_eq!(rig.aidos_writes("снова").await["message_id"], id + 2);
}

#[tokio::test]
async fn topics_are_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::in_dir(dir.path()).await;
    rig.start_chat().await;
    let topic = rig.call("createForumTopic", json!({ "chat_id": AIDOS, "name": "Наряд 12" })).await;
    rig.running.shutdown().await;
    for _ in 0..2 {
        let rig = Rig::in_dir(dir.path()).await;
        let args = json!({ "chat_id": AIDOS, "message_thread_id": topic["message_thread_id"], "text": "x" });
        rig.call("sendMessage", args).await;
        rig.running.shutdown().await;
    }
}
