//! What comes in one go in the middle of a walk: a technician who was out of reach went on by memory, and now all photos, readings and notes
//! arrive together. They are laid out over the steps, the walk goes on as far as they allow, and one message tells what went where.
//!
//! Where a piece belongs, the first rule that applies:
//!
//! 1. What a dialogue in the middle waits for (a fault's description, a reason, a changed answer) goes there.
//! 2. Words with a question mark are a question, answered afterwards.
//! 3. A number of a step (`шаг 5`, `5. пломба`; under a photo also a bare `5`) names the step. Words that are but a number name the step of the
//!    photo behind them. Under a photo, a bare number that is also a good reading of the step in focus is a doubt.
//! 4. What is exactly an answer to the open checkpoint (a reading, a label, digits of its pattern, "yes") is its answer.
//! 5. Words of a step's title or questions name it: under a photo, or beside a reading that the step asks for. Of several steps that fit equally,
//!    the only one that still wants it; else it is a doubt.
//! 6. Free words answer an open checkpoint for free words. Without one they are a note of the step whose words they use.
//! 7. Photos go on in order: to the step in focus, then to the next ones that want photos, each until it has as many as it may have.
//! 8. All the rest is a doubt.
//!
//! What is there is never overwritten: a finished step gets further photos and notes beside its answers. What is ahead of the walk is laid aside
//! until its checkpoint opens. Nobody's confirmation is guessed, and a reading out of range stops the walk as if it was typed alone.

use std::collections::VecDeque;

use chrono::TimeDelta;
use fitter_domain::procedure::CheckKind;
use fitter_domain::run::{Aside, Came, Doubt, Pending};

use super::hints::{self, Naming};
use super::{Walking, digest, evidence, moves, screens};
use crate::ask;
use crate::effect::Command;
use crate::event::{Photo, Piece};

/// What was said so short before belongs to it: the words of a phone that is back in the net overtake its photos.
pub(super) const JUST_NOW: TimeDelta = TimeDelta::seconds(10);

/// A piece on its way to a step.
struct Item {
    photos: Vec<Photo>,
    text: Option<String>,
    /// Which photo the first one is, from 1.
    number: u32,
}

impl Item {
    fn words(text: String) -> Self {
        Self { photos: Vec::new(), text: Some(text), number: 0 }
    }
}

/// What came, as far as the walk's state does not tell.
#[derive(Debug, Default)]
pub(super) struct Got {
    pub came: Came,
    pub questions: Vec<String>,
}

enum Target {
    /// The open checkpoint, or its step; words that are its answer.
    Here(Option<String>),
    /// A step by its index; words that may be an answer there.
    Step(usize, Option<String>),
    /// One of these, or none.
    Unsure(Vec<usize>),
}

fn ids(photos: &[Photo]) -> Vec<String> {
    photos.iter().map(|photo| photo.file_id.clone()).collect()
}

pub(super) fn index(step: usize) -> u32 {
    u32::try_from(step).unwrap_or(u32::MAX)
}

/// Exactly an answer of this kind, good or out of range: nobody writes it by chance.
pub(super) fn is_exactly(kind: &CheckKind, text: &str) -> bool {
    !matches!(kind, CheckKind::Text { pattern: None, .. }) && evidence::answers(kind, text)
}

impl Walking<'_, '_> {
    /// Lays out what came in one go.
    pub(super) fn burst(&mut self, pieces: &[Piece]) {
        let before = self.run.state.clone();
        let since = self.turn.ctx.now - JUST_NOW;
        let mut got = Got { came: Came { notes_before: before.notes.len(), ..Came::default() }, ..Got::default() };
        if let Some(told) = digest::told_since(&before, since) {
            got.came = told.came.clone();
        }
        let heard = self.heard_since(since);
        let mut items: VecDeque<Item> = heard.into_iter().map(Item::words).collect();
        for piece in pieces {
            let text = piece.words().map(str::to_owned);
            match piece {
                Piece::Photos { photos, .. } => {
                    let number = index(got.came.photos + 1);
                    got.came.photos += photos.len();
                    items.push_back(Item { photos: photos.clone(), text, number });
                }
                Piece::Text { .. } | Piece::Other { .. } => {
                    got.came.others += usize::from(matches!(piece, Piece::Other { .. }));
                    items.extend(text.map(Item::words));
                }
            }
        }
        self.quiet = true;
        while let Some(item) = items.pop_front() {
            self.lay_reading_aside();
            while self.take_aside() {}
            self.lay_reading_aside();
            if self.is_awaited(&item) {
                got.came.notes += usize::from(item.photos.is_empty());
                match item.text {
                    Some(text) if item.photos.is_empty() => self.words(&text),
                    caption => self.photos(&item.photos, caption.as_deref()),
                }
            } else {
                self.place(item, items.front_mut(), &mut got);
            }
        }
        self.go_as_far_as_it_gets();
        self.quiet = false;
        self.tell_of_burst(&before, &got, since);
        for question in &got.questions {
            ask::search(self.turn, question);
        }
    }

    /// The last thing in view is a summary that was told just now.
    pub(super) fn follows_a_burst(&self) -> bool {
        digest::told_since(&self.run.state, self.turn.ctx.now - JUST_NOW).is_some()
    }

    /// A reading out of range that waits for a word about it may be followed by a better one: it is looked at again at the end.
    pub(super) fn lay_reading_aside(&mut self) {
        if let Pending::OutOfRange { value, reason: false, typed } = self.run.state.pending.clone() {
            let step = self.run.state.at.step;
            let words = std::iter::once(value.to_string()).chain(typed);
            self.run.state.asides.extend(words.map(|text| Aside { step, files: Vec::new(), text: Some(text) }));
            self.run.state.pending = self.rest();
        }
    }

    /// Whether the dialogue in the middle waits for this very piece.
    fn is_awaited(&self, item: &Item) -> bool {
        let words = item.text.as_deref().filter(|text| item.photos.is_empty() && !text.contains('?'));
        match &self.run.state.pending {
            Pending::Problem { .. } => true,
            Pending::OutOfRange { .. } => words.is_some_and(|text| !self.names_a_step(text)),
            Pending::Change { check, new } => {
                let Some(kind) = self.run.step().and_then(|step| step.checks.get(*check as usize)).map(|check| &check.kind) else {
                    return false;
                };
                match (words, new) {
                    (None, _) => matches!(kind, CheckKind::Photo { .. }) && !item.photos.is_empty(),
                    (Some(text), None) => evidence::answers(kind, text),
                    (Some(text), Some(new)) => screens::photos_missing(kind, new).is_none() && !self.names_a_step(text),
                }
            }
            Pending::Check | Pending::MorePhotos | Pending::Repeat => false,
        }
    }

    fn names_a_step(&self, text: &str) -> bool {
        self.named(text).is_some_and(|(_, _, naming)| naming == Naming::Named)
    }

    /// The step that words begin with the number of, the words behind it, and how it is named.
    fn named<'t>(&self, text: &'t str) -> Option<(usize, &'t str, Naming)> {
        let numbered = hints::numbered(text)?;
        let step = self.run.path().get(numbered.place.checked_sub(1)?).copied()?;
        let sure = numbered.naming != Naming::Loose || hints::by_words(&self.run, numbered.rest).contains(&step);
        sure.then_some((step, numbered.rest, numbered.naming))
    }

    fn place(&mut self, item: Item, next: Option<&mut Item>, got: &mut Got) {
        let Item { photos, text, number } = item;
        let question = text.as_deref().filter(|text| text.contains('?'));
        got.questions.extend(question.map(str::to_owned));
        let words = if question.is_some() { None } else { text.as_deref() };
        if photos.is_empty() {
            let Some(words) = words else { return };
            got.came.notes += 1;
            let only_a_number = self.named(words).is_some_and(|(_, rest, _)| rest.is_empty()) && !self.is_answer_here(words);
            if let Some(next) = next.filter(|next| only_a_number && !next.photos.is_empty() && next.text.is_none()) {
                next.text = Some(words.to_owned());
                return;
            }
        }
        let target = if photos.is_empty() { self.target_of_words(words.unwrap_or_default()) } else { self.target_of_photos(words) };
        let (step, answer) = match target {
            Target::Here(answer) => (self.run.state.at.step as usize, answer),
            Target::Step(step, answer) => (step, answer),
            Target::Unsure(steps) => {
                self.keep(None, &photos, text.clone());
                let words = words.map(str::to_owned);
                // If nothing else is known: where the walk stood when it came.
                let steps = if steps.is_empty() { vec![self.run.state.at.step as usize] } else { steps };
                self.run.state.doubts.push(Doubt {
                    files: ids(&photos),
                    text: words,
                    number,
                    steps: steps.into_iter().map(index).collect(),
                });
                return;
            }
        };
        self.keep(Some(step), &photos, text.clone());
        self.put(step, ids(&photos), answer, got);
    }

    fn keep(&mut self, step: Option<usize>, photos: &[Photo], caption: Option<String>) {
        if !photos.is_empty() {
            let step = step.and_then(|step| self.run.procedure.steps.get(step)).map(|step| step.title.clone());
            self.turn.run(Command::KeepPhotos { run: self.run.id, step, files: photos.to_vec(), caption });
        }
    }

    fn target_of_photos(&self, caption: Option<&str>) -> Target {
        if let Some(caption) = caption {
            let answers_here = self.is_answer_here(caption);
            match self.named(caption) {
                Some((step, ..)) if step == self.run.state.at.step as usize && answers_here => {
                    return Target::Here(Some(caption.to_owned()));
                }
                Some((step, _, Naming::Bare)) if answers_here => {
                    return Target::Unsure(vec![step, self.run.state.at.step as usize]);
                }
                Some((step, rest, _)) => return Target::Step(step, Some(rest.to_owned()).filter(|rest| !rest.is_empty())),
                // A number that no step has.
                None if hints::numbered(caption).is_some_and(|it| it.naming == Naming::Named) => return Target::Unsure(Vec::new()),
                None if answers_here => return Target::Here(Some(caption.to_owned())),
                None => {}
            }
            let fitting = hints::by_words(&self.run, caption);
            let wanting: Vec<usize> = fitting.iter().copied().filter(|step| self.room(*step) > 0).collect();
            match (fitting.as_slice(), wanting.as_slice()) {
                ([], _) => {}
                ([step], _) | (_, [step]) => return Target::Step(*step, Some(caption.to_owned())),
                _ => return Target::Unsure(if wanting.is_empty() { fitting } else { wanting }),
            }
            if self.open_now().is_some_and(|kind| evidence::answers(&kind, caption)) {
                return Target::Here(Some(caption.to_owned()));
            }
        }
        if self.photo_check().is_some() {
            return Target::Here(None);
        }
        match self.next_that_wants_photos() {
            Some(step) => Target::Step(step, None),
            None => Target::Unsure(Vec::new()),
        }
    }

    fn target_of_words(&mut self, text: &str) -> Target {
        match self.named(text) {
            Some((step, rest, naming)) if naming != Naming::Bare => {
                return Target::Step(step, Some(if rest.is_empty() { text } else { rest }.to_owned()));
            }
            _ => {}
        }
        if self.is_answer_here(text) {
            return Target::Here(Some(text.to_owned()));
        }
        let fitting = hints::by_words(&self.run, text);
        let wanting: Vec<usize> = fitting.iter().copied().filter(|step| self.answer_among(*step, text, true).is_some()).collect();
        if let ([step], true) = (wanting.as_slice(), hints::value(text).is_some()) {
            return Target::Step(*step, Some(text.to_owned()));
        }
        if self.open_now().is_some_and(|kind| evidence::answers(&kind, text)) {
            return Target::Here(Some(text.to_owned()));
        }
        if self.stands_at_a_soft_stop() && self.next_open().is_some_and(|kind| evidence::answers(&kind, text)) {
            self.pass_soft_stop();
            return Target::Here(Some(text.to_owned()));
        }
        match fitting.as_slice() {
            [step] => Target::Step(*step, Some(text.to_owned())),
            [] => Target::Unsure(self.step_of_number(text).into_iter().collect()),
            _ => Target::Unsure(fitting),
        }
    }

    /// The checkpoint in focus that takes words now.
    pub(super) fn open_now(&self) -> Option<CheckKind> {
        let open = matches!(self.run.state.pending, Pending::Check | Pending::MorePhotos) && !self.finished();
        self.open_kind().filter(|_| open).map(|(_, kind)| kind)
    }

    /// Whether words are exactly what is asked for now.
    pub(super) fn is_answer_here(&self, text: &str) -> bool {
        match (&self.run.state.pending, self.open_now()) {
            (Pending::MorePhotos, _) if evidence::is_yes(text) => true,
            (_, Some(kind)) => is_exactly(&kind, text),
            // A step without checkpoints: "done".
            (Pending::Check, None) => !self.finished() && evidence::is_yes(text),
            _ => false,
        }
    }

    /// The step in focus or the next one behind it that may have more photos.
    fn next_that_wants_photos(&self) -> Option<usize> {
        let from = self.run.state.at.step as usize;
        self.run.path().into_iter().filter(|step| *step >= from).find(|step| self.room(*step) > 0)
    }

    /// Only the technician's word that it is enough is missing.
    fn stands_at_a_soft_stop(&self) -> bool {
        matches!(self.run.state.pending, Pending::MorePhotos | Pending::Repeat)
    }

    pub(super) fn pass_soft_stop(&mut self) {
        if self.run.state.pending == Pending::Repeat { self.leave() } else { self.ok() }
    }

    /// What the visit behind the one in focus asks first.
    fn next_open(&self) -> Option<CheckKind> {
        let next = moves::visits(&self.run).into_iter().find(|visit| *visit > self.run.state.at)?;
        let fresh = self.run.state.records.get(&next).is_none_or(|record| record.answers.is_empty());
        let check = self.run.procedure.steps.get(next.step as usize)?.checks.first().filter(|_| fresh)?;
        Some(check.kind.clone())
    }

    /// Files words with their step once the technician has told it; photos are told it as well.
    pub(super) fn put_doubt(&mut self, step: usize, doubt: &Doubt) -> Got {
        let mut got = Got::default();
        if let Some(title) = self.run.procedure.steps.get(step).map(|step| step.title.clone()).filter(|_| !doubt.files.is_empty()) {
            self.turn.run(Command::PlacePhotos { run: self.run.id, step: title, files: doubt.files.clone() });
        }
        // The number by which the step was meant is no answer of another one.
        let text = doubt
            .text
            .clone()
            .filter(|text| doubt.files.is_empty() || !self.named(text).is_some_and(|(named, rest, _)| named == step && rest.is_empty()));
        self.put(step, doubt.files.clone(), text, &mut got);
        got
    }

    /// The step that words are the number of, and nothing else.
    pub(super) fn step_of_number(&self, text: &str) -> Option<usize> {
        self.named(text).filter(|(_, rest, _)| rest.is_empty()).map(|(step, ..)| step)
    }
}
