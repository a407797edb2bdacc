//! Answers to queries: taps and checkouts.

use serde_json::{Value, json};

use super::Call;
use crate::error::{ApiError, ApiResult};
use crate::schema::stale_query;
use crate::text;
use crate::world::bot::{Query, QueryKind};
use crate::world::journal::Record;
use crate::world::lock;
use crate::world::post::Content;

/// Seconds in which a query can be answered.
const LIFETIME: i64 = 150;
/// Most UTF-16 units of a callback answer.
const ANSWER_UNITS: usize = 200;

/// Marks a query as answered. A second answer comes too late.
pub(crate) fn take(call: &Call<'_>, id: &str, kind: QueryKind) -> ApiResult<Query> {
    let now = call.world.clock.now();
    let mut queries = lock(&call.bot.queries);
    let query =
        queries.get_mut(id).filter(|query| query.kind == kind && !query.answered && now - query.at <= LIFETIME).ok_or_else(stale_query)?;
    query.answered = true;
    let query = query.clone();
    call.world.journal.write(|| vec![Record::Query { bot: call.bot.seed.id, id: id.to_owned(), query: query.clone() }]);
    Ok(query)
}

/// `answerCallbackQuery`.
pub(crate) fn callback(call: &Call<'_>) -> ApiResult {
    let args = call.args;
    let text = args.text("text").unwrap_or_default();
    if text::units(&text) > ANSWER_UNITS {
        return Err(ApiError::bad("MESSAGE_TOO_LONG"));
    }
    let url = args.text("url");
    if url.as_deref().is_some_and(|url| crate::links::check(url).is_err()) {
        return Err(ApiError::bad("URL_INVALID"));
    }
    let id = args.text("callback_query_id").unwrap_or_default();
    let query = take(call, &id, QueryKind::Callback)?;
    let mut view = json!({
        "callback_query_id": id,
        "text": text,
        "show_alert": args.flag("show_alert"),
        "url": url,
        "bot": call.bot.seed.username,
    });
    call.world.answers.push(query.person, view.clone());
    call.world.events.publish(Some(query.person), "answer", || view.take());
    Ok(Value::Bool(true))
}

/// `answerPreCheckoutQuery`. A checkout that the bot agrees to is paid at once.
pub(crate) fn pre_checkout(call: &Call<'_>) -> ApiResult {
    let ok = call.args.flag("ok");
    let why = call.args.text("error_message");
    if !ok && why.is_none() {
        return Err(ApiError::bad("error message is empty"));
    }
    let id = call.args.text("pre_checkout_query_id").unwrap_or_default();
    let query = take(call, &id, QueryKind::PreCheckout)?;
    if !ok {
        call.world.events.publish(Some(query.person), "answer", || {
            json!({
                "callback_query_id": id, "text": why, "show_alert": true,
                "url": null, "bot": call.bot.seed.username,
            })
        });
        return Ok(Value::Bool(true));
    }
    let mut payment = query.extra;
    if let (Some(map), Some(person)) = (payment.as_object_mut(), call.world.people.get(query.person)) {
        map.insert("telegram_payment_charge_id".into(), format!("sim-{id}").into());
        map.insert("provider_payment_charge_id".into(), format!("sim-{id}").into());
        let mut content = Content::new();
        content.insert("successful_payment".into(), payment);
        let chat = call.bot.chat(person.id);
        call.world.post_by_person(call.bot, &person, &chat, vec![content]);
    }
    Ok(Value::Bool(true))
}
