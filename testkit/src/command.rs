//! Commands of the shell, run to their end.

#![expect(clippy::expect_used, clippy::panic, reason = "a helper that cannot do its work fails the test that asked for it")]

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::app::PATIENCE;

/// What a command said, and how it ended.
#[derive(Debug, Clone)]
pub struct Said {
    /// Its exit status; none if it was killed.
    pub code: Option<i32>,
    /// Its output.
    pub out: String,
    /// Its errors and logs.
    pub err: String,
}

/// Runs a command to its end.
///
/// # Panics
/// If it cannot be started, or does not end.
pub async fn said(mut command: Command) -> Said {
    let shown = format!("{command:?}");
    let (out, err) = (tempfile::NamedTempFile::new().expect("a file"), tempfile::NamedTempFile::new().expect("a file"));
    let stdio = |file: &tempfile::NamedTempFile| Stdio::from(file.reopen().expect("the file"));
    let mut child = command.stdout(stdio(&out)).stderr(stdio(&err)).spawn().expect("the command starts");
    let text = |file: &tempfile::NamedTempFile| std::fs::read_to_string(file.path()).unwrap_or_default();
    let status = ended(&mut child, PATIENCE * 2).await;
    let status = status.unwrap_or_else(|| panic!("{shown} does not end:\n{}\n{}", text(&out), text(&err)));
    Said { code: status.code(), out: text(&out), err: text(&err) }
}

/// How a process ended; `None` if it did not within `patience`, it is killed then.
///
/// # Panics
/// If it cannot be watched.
pub(crate) async fn ended(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let until = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait().expect("it can be watched") {
            return Some(status);
        }
        if Instant::now() > until {
            child.kill().ok();
            child.wait().ok();
            return None;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
