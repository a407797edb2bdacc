//! Which links Telegram takes in buttons and texts.

use url::Url;

/// Checks a link; the error is Telegram's reason.
pub(crate) fn check(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("URL host is empty");
    }
    let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("tg" | "ton" | "tonsite") => Ok(()),
        Some("http" | "https") => host(text),
        Some(other) if text.contains("://") && other.chars().all(|c| c.is_ascii_alphanumeric()) => Err("Unsupported URL protocol"),
        _ => host(&format!("http://{text}")),
    }
}

/// Checks the link of a Mini App. Unlike Telegram, plain HTTP may lead to this machine: the demo
/// serves its Mini App there.
pub(crate) fn check_web_app(text: &str) -> Result<(), &'static str> {
    let local = Url::parse(text).is_ok_and(|url| url.scheme() == "http" && matches!(url.host_str(), Some("127.0.0.1" | "localhost")));
    if local {
        return Ok(());
    }
    if text.to_ascii_lowercase().starts_with("https://") { check(text) } else { Err("Only HTTPS links are allowed") }
}

fn host(text: &str) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "Wrong HTTP URL")?;
    let host = url.host_str().ok_or("URL host is empty")?;
    // A name of one label is no public address.
    if host.contains('.') || host.starts_with('[') { Ok(()) } else { Err("Wrong HTTP URL") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_judged_as_telegram_does() {
        assert_eq!(check("https://example.com/a?b=c#d"), Ok(()));
        assert_eq!(check("example.com"), Ok(()));
        assert_eq!(check("tg://user?id=1"), Ok(()));
        assert_eq!(check(""), Err("URL host is empty"));
        assert_eq!(check("not-a-url"), Err("Wrong HTTP URL"));
        assert_eq!(check("http://localhost:8080/"), Err("Wrong HTTP URL"));
        assert_eq!(check("http://127.0.0.1:8080/"), Ok(()));
        assert_eq!(check("ftp://example.com"), Err("Unsupported URL protocol"));
        assert_eq!(check_web_app("http://example.com"), Err("Only HTTPS links are allowed"));
    }
}
