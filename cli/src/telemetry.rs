//! Logs.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::config::Log;

/// HTTP libraries may log addresses of requests at lower levels, and Telegram's addresses hold the token. The client of language models logs what
/// their servers answer, which may repeat a question; its errors come back to us all the same.
const QUIET: &str = "genai=off,hyper=info,hyper_util=info,h2=info,reqwest=info,rustls=info";

/// Starts logging to standard error: standard output belongs to the commands' results.
///
/// # Errors
/// If the filter is not one.
pub fn logs(log: &Log) -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_new(format!("{},{QUIET}", log.filter)).with_context(|| format!("log.filter: '{}' is no filter", log.filter))?;
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    if log.json {
        subscriber.json().init()
    } else {
        subscriber.with_target(false).init()
    }
    Ok(())
}
