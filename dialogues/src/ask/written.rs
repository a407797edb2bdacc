//! What a language model wrote, and what it was taken from.

use fitter_domain::msg;
use fitter_domain::passage::Passage;
use fitter_domain::rich::{Node, Rich};
use fitter_domain::screen::{Media, Screen};
use fitter_domain::written::Written;

use super::shorten;

/// Sources that are named under an answer.
const SOURCES: usize = 3;

/// An answer that a model wrote.
pub(super) struct Answer {
    /// It, with its sources and their warnings, without buttons.
    pub screen: Screen,
    /// Places and labels of the hits that it was taken from.
    pub cited: Vec<(u32, String)>,
}

/// The answer that a model wrote, if it wrote one from these hits. Warnings of its sources stand below it word for word: whatever the model left
/// out, they are seen.
pub(super) fn answer(hits: &[Passage], written: Option<&Written>) -> Option<Answer> {
    let Some(Written::Answer { text, cited, partly }) = written else { return None };
    let cited: Vec<(u32, &Passage)> = cited.iter().filter_map(|place| Some((*place, hits.get(*place as usize)?))).collect();
    if cited.is_empty() {
        return None;
    }
    let mut body = Rich::text(text.as_str());
    if *partly {
        body = body.gap().push(Node::Italic(msg::answer_partly().into()));
    }
    let mut warnings: Vec<Rich> = Vec::new();
    for warning in cited.iter().flat_map(|(_, hit)| hit.parts().1) {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    if !warnings.is_empty() {
        body = body.push("\n");
        body = warnings.into_iter().fold(body, |body, warning| body.line().push(Node::Quote { expandable: false, body: warning }));
    }
    body = body.gap().push(msg::answer_sources());
    let mut labels: Vec<(u32, String)> = Vec::new();
    for (place, hit) in &cited {
        let source = hit.source();
        let label = shorten(&source);
        // Passages under one heading look the same; one way to them is enough.
        if labels.iter().any(|(_, known)| *known == label) {
            continue;
        }
        if labels.len() < SOURCES {
            body = body.line().push("📄 ").bold(source);
        }
        labels.push((*place, label));
    }
    let media = cited.iter().find_map(|(_, hit)| hit.images.first()).cloned().map(Media::Blob).into_iter().collect();
    Some(Answer { screen: Screen { media, ..Screen::of(body) }, cited: labels })
}

/// The best passage, below a line that says why it stands there instead of an answer in other words, if there is something to say.
pub(super) fn noted(passage: Screen, written: Option<&Written>) -> Screen {
    let why = match written {
        Some(Written::Unproven) => msg::answer_unproven(),
        Some(Written::NotEnough) => msg::answer_not_enough(),
        Some(Written::Answer { .. }) | None => return passage,
    };
    Screen { body: Rich::new().push(Node::Italic(why.into())).gap().append(passage.body), ..passage }
}
