//! Words that were searched for a moment ago, because the step had nothing to do with them. If photos come right behind them, they were a note
//! of somebody who had been offline: the words of a phone that is back in the net overtake its photos.

use chrono::{DateTime, Utc};
use fitter_domain::ids::QueryId;
use fitter_domain::run::{Heard, RunState};

use super::Walking;
use super::burst::JUST_NOW;
use crate::ask;
use crate::effect::{Command, Effect};
use crate::state::State;
use crate::turn::Turn;

/// A search that was made in the walk in focus has its answer; whether that is not told any more, because the words turned out to be a note.
pub(crate) fn searched(turn: &mut Turn<'_>, query: QueryId, text: &str) -> bool {
    let Some(mut walk) = Walking::of(turn, false).filter(|walk| walk.turn.state == State::Running { run: walk.run.id }) else {
        return false;
    };
    let Some(place) = walk.run.state.heard.iter().position(|heard| heard.text == text && heard.query.is_none()) else { return false };
    let taken = walk.run.state.heard.get(place).is_some_and(|heard| heard.taken);
    if taken {
        walk.run.state.heard.remove(place);
    } else if let Some(heard) = walk.run.state.heard.get_mut(place) {
        heard.query = Some(query);
    }
    walk.save_heard();
    taken
}

impl Walking<'_, '_> {
    /// Saves words that were heard, which no button depends on, and nothing else: buttons that are in view stay good.
    fn save_heard(&mut self) {
        let stored = self.turn.ctx.run.map(|run| &run.state).filter(|stored| stored.rev == self.run.state.rev);
        let state = RunState { heard: self.run.state.heard.clone(), ..stored.unwrap_or(&self.run.state).clone() };
        self.turn.run(Command::SaveRun { run: self.run.id, state: Box::new(state) });
    }

    /// Words that the step has nothing to do with are searched for.
    pub(super) fn search(&mut self, text: &str) {
        let (now, text_heard) = (self.turn.ctx.now, text.to_owned());
        ask::search(self.turn, text);
        if !text.contains('?') && self.turn.state == (State::Running { run: self.run.id }) {
            self.run.state.heard.retain(|heard| now - heard.at < JUST_NOW);
            self.run.state.heard.push(Heard { text: text_heard, at: now, query: None, taken: false });
            self.save_heard();
        }
    }

    /// Words of a moment ago that were searched for, as there was nothing else to do with them.
    pub(super) fn heard_since(&mut self, since: DateTime<Utc>) -> Vec<String> {
        let mut words = Vec::new();
        let mut heard = std::mem::take(&mut self.run.state.heard);
        heard.retain_mut(|heard| {
            if heard.at < since || heard.taken {
                return heard.taken;
            }
            words.push(heard.text.clone());
            if let Some(query) = heard.query {
                self.turn.push(Effect::Delete { slot: ask::answer_slot(query) });
            }
            heard.taken = true;
            heard.query.is_none()
        });
        self.run.state.heard = heard;
        words
    }
}
