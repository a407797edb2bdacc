//! `sendInvoice`.

use serde_json::{Value, json};

use super::{Call, send};
use crate::error::{ApiError, ApiResult};
use crate::world::chat::PAYLOAD;
use crate::world::post::Content;

pub(crate) fn send(call: &Call<'_>) -> ApiResult {
    let args = call.args;
    let prices = args.array("prices").unwrap_or_default();
    if prices.is_empty() {
        return Err(ApiError::bad("there must be at least one price"));
    }
    let mut total = 0_i64;
    for price in &prices {
        let missing = |field: &str| ApiError::bad(format!("can't parse labeled price: Can't find field \"{field}\""));
        price.get("label").and_then(Value::as_str).ok_or_else(|| missing("label"))?;
        let amount = price.get("amount").and_then(Value::as_i64).ok_or_else(|| missing("amount"))?;
        total = total.saturating_add(amount);
    }
    let currency = args.text("currency").unwrap_or_default();
    let stars = currency == "XTR";
    if currency.len() != 3 || !currency.chars().all(|c| c.is_ascii_uppercase()) {
        return Err(ApiError::bad("CURRENCY_INVALID"));
    }
    if total <= 0 || (stars && prices.len() != 1) {
        return Err(ApiError::bad("CURRENCY_TOTAL_AMOUNT_INVALID"));
    }
    if !stars && args.text("provider_token").is_none() {
        return Err(ApiError::bad("PAYMENT_PROVIDER_INVALID"));
    }
    let mut content = Content::new();
    content.insert(
        "invoice".into(),
        json!({
            "title": args.text("title"),
            "description": args.text("description"),
            "start_parameter": args.text("start_parameter").unwrap_or_default(),
            "currency": currency,
            "total_amount": total,
        }),
    );
    content.insert(PAYLOAD.into(), args.text("payload").into());
    send::finish(call, content)
}
