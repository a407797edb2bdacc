//! What the notes do not answer: a list for those who write them.

use fitter_domain::ids::QueryId;
use fitter_domain::msg;
use fitter_domain::person::{Object, Verb, may};
use fitter_domain::rich::{Node, Rich};
use fitter_domain::screen::Screen;
use fitter_domain::ticket::Gap;

use crate::action::Action;
use crate::ask::shorten;
use crate::effect::Command;
use crate::turn::Turn;

/// Gaps of a list.
const LISTED: usize = 6;
/// Other words for the same that are shown.
const EXAMPLES: usize = 4;
/// People that are named.
const ASKERS: usize = 5;

/// What is asked most, first.
pub(crate) fn listed(turn: &mut Turn<'_>, gaps: &[Gap], of: u32) {
    let text = if gaps.is_empty() { msg::gaps_none() } else { msg::gaps_list(of) };
    let screen = gaps
        .iter()
        .take(LISTED)
        .fold(Screen::say(text), |screen, gap| screen.button(msg::gap_label(gap.count, shorten(&gap.text)), Action::Gap(gap.query)));
    turn.show(screen.row([(msg::button_menu().into(), Action::Menu.into())]));
}

/// One of them: in which words it was asked, and by whom.
pub(crate) fn opened(turn: &mut Turn<'_>, gap: &Gap) {
    let quote = |text: &str| Node::Quote { expandable: false, body: Rich::text(text) };
    let mut body = Rich::new().bold(Rich::new().push(msg::gap_title(gap.count))).line().push(quote(&gap.text));
    if !gap.examples.is_empty() {
        let examples: Vec<&str> = gap.examples.iter().take(EXAMPLES).map(String::as_str).collect();
        body = body.line().push(msg::gap_examples()).line().push(quote(&examples.join("\n")));
    }
    let asked = |(name, times): &(String, u32)| if *times > 1 { format!("{name} ×{times}") } else { name.clone() };
    let askers: Vec<String> = gap.askers.iter().take(ASKERS).map(asked).collect();
    body = body.line().push(msg::gap_askers(askers.join(", ")));
    let screen = Screen::of(body)
        .primary(msg::button_answer(), Action::AnswerGap(gap.query))
        .button(msg::button_gap_exists(), Action::CloseGap(gap.query))
        .row([(msg::button_gaps().into(), Action::Gaps.into()), (msg::button_menu().into(), Action::Menu.into())]);
    turn.show(screen);
}

/// The notes have it.
pub(crate) fn close(turn: &mut Turn<'_>, query: QueryId) {
    if may(turn.ctx.person.role, Verb::Resolve, Object::Question { own: false }) {
        turn.toast(msg::gap_closed());
    }
    turn.run(Command::CloseGap(query));
}
