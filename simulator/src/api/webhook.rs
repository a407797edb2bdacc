//! `setWebhook` and what belongs to it.

use serde_json::{Value, json};
use url::{Host, Url};

use super::{Call, profile, updates};
use crate::error::{ApiError, ApiResult};
use crate::world::bot::Webhook;
use crate::world::lock;

/// Ports that Telegram calls.
const PORTS: [u16; 4] = [443, 80, 88, 8443];

pub(crate) fn set(call: &Call<'_>) -> ApiResult {
    let args = call.args;
    let Some(url) = args.text("url") else {
        return delete(call);
    };
    check(&url)?;
    let secret_token = args.text("secret_token");
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if secret_token.as_deref().is_some_and(|secret| !secret.chars().all(plain)) {
        return Err(ApiError::bad("secret token contains unallowed characters"));
    }
    let webhook = Webhook {
        url,
        secret_token,
        max_connections: args.int("max_connections").unwrap_or(40).clamp(1, 100),
        ip_address: args.text("ip_address"),
    };
    if let Some(kinds) = updates::allowed_updates(call) {
        call.bot.updates.allow(&call.world.journal, kinds);
    }
    if args.flag("drop_pending_updates") {
        call.bot.updates.drop_pending(&call.world.journal);
    }
    let description = if lock(&call.bot.profile).webhook.as_ref() == Some(&webhook) { "Webhook is already set" } else { "Webhook was set" };
    tracing::debug!(description, url = webhook.url);
    profile::change(call, |profile| profile.webhook = Some(webhook));
    // Ends a poll in progress and wakes the delivery.
    call.bot.updates.begin_poll();
    Ok(Value::Bool(true))
}

pub(crate) fn delete(call: &Call<'_>) -> ApiResult {
    if call.args.flag("drop_pending_updates") {
        call.bot.updates.drop_pending(&call.world.journal);
    }
    profile::change(call, |profile| profile.webhook = None);
    call.bot.updates.begin_poll();
    Ok(Value::Bool(true))
}

pub(crate) fn info(call: &Call<'_>) -> ApiResult {
    let webhook = lock(&call.bot.profile).webhook.clone();
    let mut info = json!({
        "url": webhook.as_ref().map_or("", |webhook| webhook.url.as_str()),
        "has_custom_certificate": false,
        "pending_update_count": call.bot.updates.pending(call.world.clock.now()),
    });
    let Some(map) = info.as_object_mut() else {
        return Ok(info);
    };
    if let Some(webhook) = webhook {
        map.insert("max_connections".into(), webhook.max_connections.into());
        let ip = webhook.ip_address.unwrap_or_else(|| "127.0.0.1".into());
        map.insert("ip_address".into(), ip.into());
        if let Some((date, message)) = lock(&call.bot.webhook_error).clone() {
            map.insert("last_error_date".into(), date.into());
            map.insert("last_error_message".into(), message.into());
        }
    }
    if let Some(kinds) = call.bot.updates.allowed() {
        map.insert("allowed_updates".into(), kinds.into());
    }
    Ok(info)
}

/// HTTPS on Telegram's ports, or anything on this machine.
fn check(text: &str) -> ApiResult<()> {
    let fail = |why: &str| ApiError::bad(format!("bad webhook: {why}"));
    let invalid = || ApiError::bad("invalid webhook URL specified");
    // Without a scheme it is taken for HTTPS.
    let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("https://{text}")) };
    let url = url.map_err(|_| invalid())?;
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(invalid()),
    };
    let unknown = matches!(url.host(), Some(Host::Domain(name)) if !name.contains('.'));
    match url.scheme() {
        "http" | "https" if local => Ok(()),
        "https" if unknown => Err(fail("Failed to resolve host: Name or service not known")),
        "https" if url.port_or_known_default().is_some_and(|port| PORTS.contains(&port)) => Ok(()),
        "https" => Err(fail("Webhook can be set up only on ports 80, 88, 443 or 8443")),
        _ => Err(fail("An HTTPS URL must be provided for webhook")),
    }
}
