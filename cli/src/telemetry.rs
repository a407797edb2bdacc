//! Logs.

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::config::Log;

/// Starts logging to standard error: standard output belongs to the commands' results.
///
/// # Errors
/// If the filter is not one.
pub fn logs(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter).with_context(|| format!("log.filter: '{}' is no filter", log.filter))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if log.json { subscriber.json().init() } else { subscriber.with_target(false).init() }
    Ok(())
}
