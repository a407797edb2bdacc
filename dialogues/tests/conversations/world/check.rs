//! What must hold for everything that is shown, and for every change of a walk.

use fitter_dialogues::action::Action;
use fitter_domain::rich::{Node, Rich};
use fitter_domain::run::{Answer, RunState};
use fitter_domain::screen::{Press, Screen};
use fitter_domain::{Locale, Msg};
use fitter_prompts::Messages;

/// A message has words in every language.
pub fn renders(messages: &Messages, msg: &Msg) {
    thread_local!(static SEEN: std::cell::RefCell<std::collections::BTreeSet<String>> = const { std::cell::RefCell::new(std::collections::BTreeSet::new()) });
    // What the arguments are matters, not what they say.
    let shape = msg.args.iter().map(|(_, arg)| if matches!(arg, fitter_domain::msg::Arg::Number(_)) { 'n' } else { 't' });
    let shape = format!("{} {}", msg.key, shape.collect::<String>());
    if !SEEN.with_borrow_mut(|seen| seen.insert(shape)) {
        return;
    }
    for locale in Locale::ALL {
        assert!(messages.try_say(locale, msg).is_some(), "{locale:?} has no words for {msg:?}");
    }
}

fn walk(messages: &Messages, rich: &Rich) {
    for node in &rich.0 {
        match node {
            Node::Msg(msg) => renders(messages, msg),
            Node::Bold(body) | Node::Italic(body) | Node::Strike(body) | Node::Spoiler(body) => walk(messages, body),
            Node::Link { body, .. } | Node::Quote { body, .. } => walk(messages, body),
            Node::Text(_) | Node::Code(_) | Node::Pre { .. } => {}
        }
    }
}

/// A screen can be sent, is not crowded, and its buttons can be read back.
pub fn screen(messages: &Messages, screen: &Screen) {
    walk(messages, &screen.body);
    screen.ask.iter().for_each(|ask| walk(messages, &Rich(vec![ask.clone()])));
    // A big button is an action alone in its row. Choices of the note and lists of cards, walks, procedures, hits and roles are not actions.
    let mut big = 0;
    for row in &screen.buttons {
        assert!((1..=3).contains(&row.len()), "{} buttons in a row", row.len());
        for button in row {
            walk(messages, &Rich(vec![button.label.clone()]));
            if let Press::Callback(data) = &button.press {
                assert!((1..=64).contains(&data.len()), "{data}");
                assert!(Action::decode(data).is_some(), "{data} is not read back");
            }
            if let (1, Node::Msg(msg)) = (row.len(), &button.label)
                && msg.key.starts_with("button-")
                && msg.key != "button-start-for"
            {
                big += 1;
            }
        }
    }
    assert!(big <= 3, "{big} big buttons: {screen:#?}");
    let text = screen.body.clone().resolve(&|msg| messages.say(Locale::Ru, msg)).plain();
    assert!(!text.trim().is_empty() || (!screen.media.is_empty() && screen.buttons.is_empty()), "nothing to see: {screen:?}");
}

/// A walk loses nothing: answers stay, unless they are changed with a reason or get more photos.
pub fn kept(old: &RunState, new: &RunState) {
    let heard = RunState { heard: old.heard.clone(), ..new.clone() };
    assert!(new.rev > old.rev || heard == *old, "rev {} after {}", new.rev, old.rev);
    let json = serde_json::to_string(new).unwrap();
    assert_eq!(&serde_json::from_str::<RunState>(&json).unwrap(), new, "a state that does not come back");
    assert!(new.changes.starts_with(&old.changes), "changes were rewritten");
    for (visit, before) in &old.records {
        let after = new.records.get(visit).map_or(&[][..], |record| record.answers.as_slice());
        assert!(after.len() >= before.answers.len(), "{visit:?} lost answers: {before:?} {after:?}");
        for (check, (was, is)) in before.answers.iter().zip(after).enumerate() {
            let grown = match (was, is) {
                (Answer::Photos { files: was }, Answer::Photos { files: is }) => is.starts_with(was),
                _ => was == is,
            };
            let changed = new.changes.get(old.changes.len()..).unwrap_or_default().iter().any(|change| {
                change.visit == *visit
                    && change.check as usize == check
                    && change.old == *was
                    && change.new == *is
                    && !change.reason.trim().is_empty()
            });
            assert!(grown || changed, "{visit:?}/{check}: {was:?} became {is:?} without a reason");
        }
    }
}
