//! Edits, deletions, copies, pins, reactions.

use serde_json::{Value, json};

use crate::rig::{AIDOS, Rig};

const SAME: &str = "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";

fn edit(id: impl Into<Value>, text: &str) -> Value {
    json!({ "chat_id": AIDOS, "message_id": id.into(), "text": text })
}

#[tokio::test]
async fn texts_are_edited_in_place() {
    let rig = Rig::started().await;
    let id = rig.say("one").await;
    let mut args = edit(id, "<i>two</i>");
    args["parse_mode"] = "HTML".into();
    args["reply_markup"] = json!({ "inline_keyboard": [[{ "text": "a", "callback_data": "b" }]] });
    let edited = rig.call("editMessageText", args.clone()).await;
    assert_eq!(edited["text"], "two");
    assert!(edited["edit_date"].is_i64());
    assert_eq!(rig.refused("editMessageText", args).await, SAME);
    let markup = json!({ "chat_id": AIDOS, "message_id": id });
    let edited = rig.call("editMessageReplyMarkup", markup.clone()).await;
    assert_eq!(edited.get("reply_markup"), None);
    assert_eq!(rig.refused("editMessageReplyMarkup", markup).await, SAME);
    let seen = rig.messages().await;
    assert_eq!(seen.last().unwrap()["text"], "two");
    assert_eq!(seen.last().unwrap()["message_id"], id);
}

#[tokio::test]
async fn only_what_can_be_edited_is() {
    let rig = Rig::started().await;
    let id = rig.say("one").await;
    let own = rig.aidos_writes("mine").await["message_id"].clone();
    let refused = async |args: Value| rig.refused("editMessageText", args).await;
    assert_eq!(refused(edit(999, "x")).await, "Bad Request: message to edit not found");
    assert_eq!(refused(edit(own, "x")).await, "Bad Request: message can't be edited");
    assert_eq!(refused(json!({ "chat_id": AIDOS, "text": "x" })).await, "Bad Request: message to edit not found");
    assert_eq!(refused(edit(id, &"x".repeat(4097))).await, "Bad Request: MESSAGE_TOO_LONG");
    assert_eq!(refused(edit(id, "")).await, "Bad Request: message text is empty");
    let mut keyboard = edit(id, "x");
    keyboard["reply_markup"] = json!({ "keyboard": [["a"]] });
    assert_eq!(refused(keyboard).await, "Bad Request: inline keyboard expected");
    let caption = json!({ "chat_id": AIDOS, "message_id": id, "caption": "x" });
    assert_eq!(rig.refused("editMessageCaption", caption).await, "Bad Request: there is no caption in the message to edit");
    let place = json!({ "chat_id": AIDOS, "latitude": 51.1, "longitude": 71.4 });
    let place = rig.call("sendLocation", place).await["message_id"].clone();
    assert_eq!(refused(edit(place, "x")).await, "Bad Request: there is no text in the message to edit");
}

#[tokio::test]
async fn messages_are_deleted_on_both_sides() {
    let rig = Rig::started().await;
    let (one, two) = (rig.say("one").await, rig.say("two").await);
    let delete = |id: i64| json!({ "chat_id": AIDOS, "message_id": id });
    rig.call("deleteMessage", delete(one)).await;
    assert_eq!(rig.refused("deleteMessage", delete(one)).await, "Bad Request: message to delete not found");
    let many = json!({ "chat_id": AIDOS, "message_ids": [one, two, 999] });
    rig.call("deleteMessages", many).await;
    assert_eq!(rig.messages().await.len(), 1, "only /start is left");
    let old = rig.say("old").await;
    rig.sim("clock", json!({ "advance_ms": 48 * 3600 * 1000 })).await;
    assert_eq!(rig.refused("deleteMessage", delete(old)).await, "Bad Request: message can't be deleted for everyone");
    let too_many: Vec<i64> = (1..102).collect();
    let args = json!({ "chat_id": AIDOS, "message_ids": too_many });
    assert_eq!(rig.refused("deleteMessages", args).await, "Bad Request: too many message identifiers specified");
}

#[tokio::test]
async fn copies_and_forwards_differ_by_their_origin() {
    let rig = Rig::started().await;
    let own = rig.aidos_writes("схема щита").await["message_id"].clone();
    let args = json!({ "chat_id": AIDOS, "from_chat_id": AIDOS, "message_id": own });
    let copy = rig.call("copyMessage", args.clone()).await;
    assert!(copy["message_id"].as_i64().unwrap() > own.as_i64().unwrap());
    let forwarded = rig.call("forwardMessage", args).await;
    assert_eq!(forwarded["text"], "схема щита");
    assert_eq!(forwarded["forward_origin"]["type"], "user");
    assert_eq!(forwarded["forward_origin"]["sender_user"]["id"], AIDOS);
    let seen = rig.messages().await;
    let copied = seen.iter().find(|message| message["message_id"] == copy["message_id"]).unwrap();
    assert_eq!(copied.get("forward_origin"), None);
    let missing = json!({ "chat_id": AIDOS, "from_chat_id": AIDOS, "message_id": 999 });
    assert_eq!(rig.refused("copyMessage", missing.clone()).await, "Bad Request: message to copy not found");
    assert_eq!(rig.refused("forwardMessage", missing).await, "Bad Request: message to forward not found");
    let several = json!({ "chat_id": AIDOS, "from_chat_id": AIDOS, "message_ids": [2, 1] });
    assert_eq!(rig.refused("copyMessages", several).await, "Bad Request: message identifiers must be in a strictly increasing order");
    let several = json!({ "chat_id": AIDOS, "from_chat_id": AIDOS, "message_ids": [1, own, 999] });
    assert_eq!(rig.call("forwardMessages", several).await.as_array().unwrap().len(), 2);
    let protected = json!({ "chat_id": AIDOS, "text": "secret", "protect_content": true });
    let id = rig.call("sendMessage", protected).await["message_id"].clone();
    let args = json!({ "chat_id": AIDOS, "from_chat_id": AIDOS, "message_id": id });
    assert_eq!(rig.refused("forwardMessage", args).await, "Bad Request: message has protected content and can't be forwarded");
}

#[tokio::test]
async fn messages_are_pinned_and_unpinned() {
    let rig = Rig::started().await;
    let id = rig.say("наряд").await;
    let args = json!({ "chat_id": AIDOS, "message_id": id });
    rig.call("pinChatMessage", args.clone()).await;
    let chat = rig.call("getChat", json!({ "chat_id": AIDOS })).await;
    assert_eq!(chat["pinned_message"]["message_id"], id);
    assert_eq!(rig.messages().await.last().unwrap()["pinned_message"]["text"], "наряд");
    rig.call("unpinChatMessage", args.clone()).await;
    assert_eq!(rig.refused("unpinChatMessage", args).await, "Bad Request: message to unpin not found");
}

#[tokio::test]
async fn a_reaction_is_seen_by_the_person_only() {
    let rig = Rig::started().await;
    let id = rig.aidos_writes("готово").await["message_id"].clone();
    let reaction = json!([{ "type": "emoji", "emoji": "👀" }]);
    let args = json!({ "chat_id": AIDOS, "message_id": id, "reaction": reaction });
    rig.call("setMessageReaction", args).await;
    assert_eq!(rig.messages().await.last().unwrap()["sim_reactions"], reaction);
    let reply = json!({ "chat_id": AIDOS, "text": "x", "reply_parameters": { "message_id": id } });
    let sent = rig.call("sendMessage", reply).await;
    assert_eq!(sent["reply_to_message"].get("sim_reactions"), None);
    let missing = json!({ "chat_id": AIDOS, "message_id": 999, "reaction": reaction });
    assert_eq!(rig.refused("setMessageReaction", missing).await, "Bad Request: message to react not found");
}
