//! What a bot's calls do, and the least that they can be answered.

use std::time::Instant;

use serde_json::json;
use serde_json::value::RawValue;

use super::params::Params;
use super::webhook::Hook;
use super::world::{PHOTO, Said, World};

/// The JSON of a call's result. Any method is taken; those that are not known are answered with `true`.
pub(super) fn call(world: &mut World, bot: usize, method: &str, params: &Params<'_>, now: Instant) -> String {
    // Telegram does not care for capitals.
    match method.to_ascii_lowercase().as_str() {
        "sendmessage" => send(world, bot, "sendMessage", params, now),
        "sendphoto" => send(world, bot, "sendPhoto", params, now),
        "editmessagetext" => edit(world, bot, "editMessageText", params, now),
        "editmessagecaption" => edit(world, bot, "editMessageCaption", params, now),
        "editmessagemedia" => edit(world, bot, "editMessageMedia", params, now),
        "editmessagereplymarkup" => {
            world.tally.call("editMessageReplyMarkup");
            message(world, params.message().unwrap_or(0), params.chat().unwrap_or(0), false)
        }
        "sendmediagroup" => {
            world.tally.call("sendMediaGroup");
            let chat = params.chat().unwrap_or(0);
            let messages: Vec<String> = (0..params.pictures())
                .map(|_| {
                    let id = world.next_message();
                    message(world, id, chat, true)
                })
                .collect();
            said(world, bot, chat, 0, params, now);
            format!("[{}]", messages.join(","))
        }
        "answercallbackquery" => {
            world.tally.call("answerCallbackQuery");
            world.answered(bot, params.callback_query_id.as_deref().unwrap_or_default(), now);
            "true".to_owned()
        }
        "getme" => {
            let me = world.bots.get(bot).map(|bot| {
                let seed = &bot.seed;
                json!({"id": seed.id, "is_bot": true, "first_name": seed.first_name, "username": seed.username, "can_join_groups": true,
                    "can_read_all_group_messages": false, "supports_inline_queries": false})
            });
            me.unwrap_or_default().to_string()
        }
        "setwebhook" => {
            Hook::set(world, bot, params);
            "true".to_owned()
        }
        "deletewebhook" => {
            Hook::delete(world, bot);
            "true".to_owned()
        }
        "getwebhookinfo" => {
            let url = world.bots.get(bot).and_then(|bot| bot.hook.as_ref()).map(|hook| hook.url.clone()).unwrap_or_default();
            json!({"url": url, "has_custom_certificate": false, "pending_update_count": 0}).to_string()
        }
        "getmycommands" => "[]".to_owned(),
        "getmydescription" => r#"{"description":""}"#.to_owned(),
        "getmyshortdescription" => r#"{"short_description":""}"#.to_owned(),
        "getmyname" => r#"{"name":""}"#.to_owned(),
        "getfile" => {
            world.tally.call("getFile");
            let id = params.file_id.as_deref().unwrap_or_default();
            json!({"file_id": id, "file_unique_id": id, "file_size": 4, "file_path": "photos/1.jpg"}).to_string()
        }
        "deletemessage" | "deletemessages" => counted(world, "deleteMessage"),
        "sendchataction" => counted(world, "sendChatAction"),
        _ => counted(world, "other"),
    }
}

fn counted(world: &mut World, method: &'static str) -> String {
    world.tally.call(method);
    "true".to_owned()
}

fn send(world: &mut World, bot: usize, method: &'static str, params: &Params<'_>, now: Instant) -> String {
    world.tally.call(method);
    let (id, chat) = (world.next_message(), params.chat().unwrap_or(0));
    said(world, bot, chat, id, params, now);
    message(world, id, chat, method == "sendPhoto")
}

fn edit(world: &mut World, bot: usize, method: &'static str, params: &Params<'_>, now: Instant) -> String {
    world.tally.call(method);
    let (id, chat) = (params.message().unwrap_or(0), params.chat().unwrap_or(0));
    said(world, bot, chat, id, params, now);
    message(world, id, chat, method == "editMessageMedia")
}

fn said(world: &mut World, bot: usize, chat: i64, message: i64, params: &Params<'_>, now: Instant) {
    let text = params.text.or(params.caption).map(RawValue::get);
    let said = Said { message, text, markup: params.reply_markup.map(RawValue::get), buttons: params.has_buttons() };
    world.said(bot, chat, &said, now);
}

fn message(world: &World, id: i64, chat: i64, photo: bool) -> String {
    let photo = if photo { format!(r#","photo":[{PHOTO}]"#) } else { String::new() };
    format!(r#"{{"message_id":{id},"date":{},"chat":{{"id":{chat},"type":"private"}}{photo}}}"#, world.date())
}
