//! Strange input, by the built `fitter`: what nobody should send and somebody will. Each case is a row of `docs/strange-input.md`: what it says of
//! what people see and of what is kept is what the case looks at.
//!
//! | module | what |
//! | --- | --- |
//! | [`stage`] | a case: its people, its updates, what came of them |
//! | [`wire`] | updates as such: size, depth, secrets, repetitions |
//! | [`api`] | everything that an update can hold |
//! | [`kinds`] | messages that are neither words nor photos |
//! | [`signs`] | words and names of odd signs |
//! | [`taps`] | buttons pressed twice, late, by others, or never made |
//! | [`walks`] | in the middle of a walk |
//! | [`people`] | invitations, access, blocks |
//! | [`groups`] | groups, channels, bots |
//! | [`polling`] | updates that are fetched, and a month that passes |

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "helpers of tests")]

/// Cases: tests with their rows.
macro_rules! cases {
    ($($name:ident { sent: $sent:expr, seen: $seen:expr, kept: $kept:expr, play: $play:expr, })+) => {
        /// The rows of this module.
        pub const ROWS: &[crate::Row] = &[$(crate::Row {
            test: concat!(module_path!(), "::", stringify!($name)), sent: $sent, seen: &$seen, kept: &$kept,
        }),+];
        $(#[test]
        fn $name() {
            crate::play(concat!(module_path!(), "::", stringify!($name)), ROWS, $play);
        })+
    };
}

mod api;
mod groups;
mod kinds;
mod people;
mod polling;
mod signs;
mod stage;
mod taps;
mod walks;
mod wire;

use std::fmt::Write as _;
use std::path::PathBuf;

use fitter_testkit::{Fitter, Options, Shared};

use stage::Stage;

/// A row of the document.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its test.
    pub test: &'static str,
    /// What is sent.
    pub sent: &'static str,
    /// What people read, word for word; `HTTP 401` is what the sender of an update gets.
    pub seen: &'static [&'static str],
    /// What is there afterwards.
    pub kept: &'static [&'static str],
}

/// The secret of the webhook.
const SECRET: &str = "strange-but-true";

/// Cases whose people do not meet use one process.
static SHARED: Shared = Shared::new();

fn vault() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "vault"].iter().collect()
}

fn options() -> Options {
    Options::new(env!("CARGO_BIN_EXE_fitter")).vault(vault())
}

fn webhook() -> Options {
    options().env("FITTER_WEBHOOK_URL", "http://{http}").env("FITTER_WEBHOOK_SECRET", SECRET)
}

fn shared<T>(test: impl AsyncFnOnce(&Fitter) -> T) -> T {
    SHARED.with(webhook, test)
}

/// Plays a case and holds what came of it against its row.
fn play(test: &str, rows: &'static [Row], case: impl AsyncFnOnce(&Stage<'_>)) {
    shared(async |fitter| {
        let stage = Stage::new(fitter);
        case(&stage).await;
        stage.end(rows.iter().find(|row| row.test == test).unwrap()).await;
    });
}

/// `docs/strange-input.md`.
fn document() -> String {
    let mut text = String::from(
        "# Strange input\n\n\
         Generated from the tests in `cli/tests/strange`: a row is what its test looks for. `UPDATE_DOCS=1 cargo xtask test --test strange` writes it\n\
         anew. After every row the people in it go on as before, and nothing is a dead letter. Words are quoted in Russian; everybody reads\n\
         them in their own language.\n",
    );
    let parts = [
        ("Updates as such", wire::ROWS.to_vec()),
        ("Everything that Bot API 10.3 has", api::ROWS.to_vec()),
        ("Neither words nor photos", kinds::rows()),
        ("Odd signs", signs::ROWS.to_vec()),
        ("Buttons", taps::ROWS.to_vec()),
        ("In the middle of a walk", walks::ROWS.to_vec()),
        ("Invitations, access, blocks", people::ROWS.to_vec()),
        ("Groups, channels, bots", groups::ROWS.to_vec()),
        ("Fetched updates, and a month later", polling::ROWS.to_vec()),
    ];
    for (title, rows) in parts {
        write!(text, "\n## {title}\n\n| what is sent | what people see | what is kept | test |\n| --- | --- | --- | --- |\n").unwrap();
        for row in rows {
            let quoted: Vec<String> =
                row.seen.iter().map(|seen| if seen.starts_with("HTTP ") { (*seen).to_owned() } else { format!("«{seen}»") }).collect();
            let or_nothing = |list: String| if list.is_empty() { "nothing".to_owned() } else { list.replace('|', "\\|") };
            let (seen, kept) = (or_nothing(quoted.join("; ")), or_nothing(row.kept.join("; ")));
            let test = row.test.trim_start_matches("strange::");
            writeln!(text, "| {} | {seen} | {kept} | `{test}` |", row.sent.replace('|', "\\|")).unwrap();
        }
    }
    text
}

#[test]
fn the_document_is_current() {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "docs", "strange-input.md"].iter().collect();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, document()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == document(), "docs/strange-input.md is not current; UPDATE_DOCS=1 writes it anew");
}
