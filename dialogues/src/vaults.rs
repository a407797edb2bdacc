//! How the notes are kept, for those who keep them.

use fitter_domain::msg;
use fitter_domain::rich::Rich;
use fitter_domain::screen::Screen;
use fitter_domain::vault::VaultState;

use crate::action::Action;
use crate::turn::Turn;

/// Characters of a commit that people know it by.
const COMMIT: usize = 8;
/// Characters of an error or a problem: a screen is no log.
const LONG: usize = 300;

/// Source, state and the worst problems.
pub(crate) fn shown(turn: &mut Turn<'_>, vault: &VaultState, wanted: bool) {
    let mut body = Rich::new().bold(Rich::new().push(msg::vault_title()));
    body = match (&vault.source, &vault.version) {
        (Some(source), Some(version)) => body.line().push(msg::vault_commit(short(source, LONG), short(version, COMMIT))),
        (Some(source), None) => body.line().push(msg::vault_source(short(source, LONG))),
        (None, _) => body.line().push(msg::vault_none()),
    };
    if let Some(at) = vault.at {
        body = body.line().push(msg::vault_checked((turn.ctx.now - at).num_minutes().max(0)));
    }
    body = body.line().push(msg::vault_counts(vault.notes, vault.procedures, vault.revision));
    if let Some(error) = &vault.error {
        body = body.gap().push(msg::vault_error(short(error, LONG)));
    }
    body = if vault.errors + vault.warnings == 0 {
        body.gap().push(msg::vault_well())
    } else {
        body.gap().push(msg::vault_problems(vault.errors, vault.warnings))
    };
    for problem in &vault.problems {
        body = body.line().push(format!("• {}", short(problem, LONG)).as_str());
    }
    if wanted {
        turn.toast(msg::vault_wanted());
    }
    let screen = Screen::of(body).primary(msg::button_vault_sync(), Action::SyncVault);
    turn.show(screen.row([(msg::button_refresh().into(), Action::Vault.into()), (msg::button_menu().into(), Action::Menu.into())]));
}

fn short(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}
