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
//! 5. Words of a step's title or questions name it; of several steps that fit equally, the only one that still wants photos. Else a doubt.
//! 6. Free words answer an open checkpoint for free words.
//! 7. Photos go on in order: to the step in focus, then to the next ones that want photos, each until it has as many as it may have.
//! 8. All the rest is a doubt.
//!
//! What is there is never overwritten: a finished step gets further photos and notes beside its answers. What is ahead of the walk is laid aside
//! until its checkpoint opens. Nobody's confirmation is guessed, and a reading out of range stops the walk as if it was typed alone.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use fitter_domain::procedure::CheckKind;
use fitter_domain::run::{Answer, Aside, Doubt, Note, Pending};

use super::hints::{self, Naming};
use super::{Walking, evidence, moves, screens};
use crate::ask;
use crate::effect::{Command, Effect};
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

/// What came, as far as the walk's state does not tell.
#[derive(Debug, Default)]
pub(super) struct Got {
    pub photos: usize,
    pub notes: usize,
    pub others: usize,
    pub questions: Vec<String>,
    /// Photos beside the evidence, by step.
    pub extra: BTreeMap<u32, usize>,
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

fn index(step: usize) -> u32 {
    u32::try_from(step).unwrap_or(u32::MAX)
}

/// Exactly an answer of this kind, good or out of range: nobody writes it by chance.
fn is_exactly(kind: &CheckKind, text: &str) -> bool {
    !matches!(kind, CheckKind::Text { pattern: None, .. }) && evidence::answers(kind, text)
}

impl Walking<'_, '_> {
    /// Lays out what came in one go.
    pub(super) fn burst(&mut self, pieces: &[Piece]) {
        let before = self.run.state.clone();
        let since = self.turn.ctx.now - JUST_NOW;
        let mut got = Got::default();
        let mut items = self.heard_since(since);
        for piece in pieces {
            let text = piece.words().map(str::to_owned);
            match piece {
                Piece::Photos { photos, .. } => {
                    let number = index(got.photos + 1);
                    got.photos += photos.len();
                    items.push_back(Item { photos: photos.clone(), text, number });
                }
                Piece::Text { .. } | Piece::Other { .. } => {
                    got.others += usize::from(matches!(piece, Piece::Other { .. }));
                    items.extend(text.map(|text| Item { photos: Vec::new(), text: Some(text), number: 0 }));
                }
            }
        }
        self.quiet = true;
        while let Some(item) = items.pop_front() {
            self.lay_reading_aside();
            while self.take_aside() {}
            self.lay_reading_aside();
            if self.is_awaited(&item) {
                got.notes += usize::from(item.photos.is_empty());
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

    /// Words of a moment ago that were searched for, as there was nothing else to do with them.
    fn heard_since(&mut self, since: DateTime<Utc>) -> VecDeque<Item> {
        let mut items = VecDeque::new();
        let mut heard = std::mem::take(&mut self.run.state.heard);
        heard.retain_mut(|heard| {
            if heard.at < since || heard.taken {
                return heard.taken;
            }
            items.push_back(Item { photos: Vec::new(), text: Some(heard.text.clone()), number: 0 });
            if let Some(query) = heard.query {
                self.turn.push(Effect::Delete { slot: ask::answer_slot(query) });
            }
            heard.taken = true;
            heard.query.is_none()
        });
        self.run.state.heard = heard;
        items
    }

    /// A reading out of range that waits for a word about it may be followed by a better one: it is looked at again at the end.
    fn lay_reading_aside(&mut self) {
        if let Pending::OutOfRange { value, reason: false } = self.run.state.pending {
            let step = self.run.state.at.step;
            self.run.state.asides.push(Aside { step, files: Vec::new(), text: Some(value.to_string()) });
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
            got.notes += 1;
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

    /// Gives evidence to a step: to its open checkpoint, aside for a later one, or beside what it has.
    pub(super) fn put(&mut self, step: usize, files: Vec<String>, text: Option<String>, got: &mut Got) {
        let at = self.run.state.at;
        let here = at.step as usize == step && !self.is_over(step);
        let mut text = text;
        if !files.is_empty() {
            let count = files.len();
            let mut extra = false;
            if let Some((place, max)) = self.photo_check().filter(|_| here) {
                self.add_photos(place, files, max);
                if self.run.state.at != at {
                    return;
                }
            } else if self.room(step) > 0 {
                self.run.state.asides.push(Aside { step: index(step), files, text: None });
            } else {
                extra = true;
                *got.extra.entry(index(step)).or_default() += count;
            }
            // Words under a photo that are no answer are its caption; free words answer only under a photo that is none itself.
            text = text.filter(|text| self.answer_among(step, text, !(here && extra)).is_some());
        }
        let Some(text) = text else { return };
        if here && self.answer_here(&text) {
            return;
        }
        match self.answer_among(step, &text, true).filter(|_| !self.is_over(step)) {
            Some(answer) => self.run.state.asides.push(Aside { step: index(step), files: Vec::new(), text: Some(answer) }),
            None => self.run.state.notes.push(Note { step: Some(index(step)), text }),
        }
    }

    /// Done or skipped, and not in focus again: answers stay as they are.
    fn is_over(&self, step: usize) -> bool {
        // The step in focus may be one that the answers do not let be shown any more.
        let in_focus = self.run.state.at.step as usize == step && !self.finished();
        !in_focus
            && moves::visits(&self.run).into_iter().filter(|visit| visit.step as usize == step).all(|visit| moves::left(&self.run, visit))
    }

    /// Which of a step's open checkpoints words would answer, and the words that do: `12.6` of `акб 12.6`. Free words only if not `exactly`.
    fn answer_among(&self, step: usize, text: &str, exactly: bool) -> Option<String> {
        let given = self.run.state.records.iter().filter(|(visit, _)| visit.step as usize == step).map(|(_, record)| record.answers.len());
        let checks = self.run.procedure.steps.get(step)?.checks.iter().skip(given.last().unwrap_or(0));
        checks.into_iter().find_map(|check| {
            let fits = |text: &&str| is_exactly(&check.kind, text) || !exactly && evidence::answers(&check.kind, text);
            Some(text).filter(fits).or_else(|| hints::value(text).filter(fits)).map(str::to_owned)
        })
    }

    /// The checkpoint in focus that takes words now.
    fn open_now(&self) -> Option<CheckKind> {
        let open = matches!(self.run.state.pending, Pending::Check | Pending::MorePhotos) && !self.finished();
        self.open_kind().filter(|_| open).map(|(_, kind)| kind)
    }

    /// Whether words are exactly what is asked for now.
    fn is_answer_here(&self, text: &str) -> bool {
        match (&self.run.state.pending, self.open_now()) {
            (Pending::MorePhotos, _) if evidence::is_yes(text) => true,
            (_, Some(kind)) => is_exactly(&kind, text),
            // A step without checkpoints: "done".
            (Pending::Check, None) => !self.finished() && evidence::is_yes(text),
            _ => false,
        }
    }

    /// Answers what is asked for now, if the words do.
    fn answer_here(&mut self, text: &str) -> bool {
        let yes = evidence::is_yes(text);
        match (&self.run.state.pending, self.open_now()) {
            (Pending::MorePhotos, _) | (Pending::Check, Some(CheckKind::Confirm)) if yes => {
                self.ok();
                return true;
            }
            (Pending::Check, None) if yes && !self.finished() => {
                self.ok();
                return true;
            }
            _ => {}
        }
        let Some(kind) = self.open_now() else { return false };
        let read = [Some(text), hints::value(text)].into_iter().flatten().find(|text| evidence::answers(&kind, text));
        let Some(text) = read else { return false };
        match evidence::read(&kind, text) {
            evidence::Reading::Good(answer) => self.take_answer(answer),
            evidence::Reading::OutOfRange(_) => {
                let step = self.run.state.at.step;
                self.run.state.asides.push(Aside { step, files: Vec::new(), text: Some(text.to_owned()) });
            }
            evidence::Reading::Bad(_) | evidence::Reading::Question => return false,
        }
        true
    }

    /// A good reading takes the place of those out of range that came before it.
    fn take_answer(&mut self, answer: Answer) {
        let step = self.run.state.at.step;
        if let (Answer::Number { .. }, Some(kind)) = (&answer, self.open_now()) {
            let out = |text: &str| matches!(evidence::read(&kind, text), evidence::Reading::OutOfRange(_));
            self.run.state.asides.retain(|aside| aside.step != step || !aside.text.as_deref().is_some_and(out));
        }
        self.give(answer);
    }

    /// How many more photos a step may have, those laid aside counted.
    fn room(&self, step: usize) -> usize {
        let Some(of) = self.run.procedure.steps.get(step).filter(|_| !self.is_over(step)) else { return 0 };
        let max: usize = of.checks.iter().map(|check| if let CheckKind::Photo { max, .. } = check.kind { max as usize } else { 0 }).sum();
        let record = self.run.state.records.iter().rfind(|(visit, _)| visit.step as usize == step).map(|(_, record)| record);
        let given = record.into_iter().flat_map(|record| &record.answers).map(|answer| match answer {
            Answer::Photos { files } => files.len(),
            _ => 0,
        });
        let aside = self.run.state.asides.iter().filter(|aside| aside.step as usize == step).map(|aside| aside.files.len());
        max.saturating_sub(given.chain(aside).sum())
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

    fn pass_soft_stop(&mut self) {
        if self.run.state.pending == Pending::Repeat { self.leave() } else { self.ok() }
    }

    /// What the visit behind the one in focus asks first.
    fn next_open(&self) -> Option<CheckKind> {
        let next = moves::visits(&self.run).into_iter().find(|visit| *visit > self.run.state.at)?;
        let fresh = self.run.state.records.get(&next).is_none_or(|record| record.answers.is_empty());
        let check = self.run.procedure.steps.get(next.step as usize)?.checks.first().filter(|_| fresh)?;
        Some(check.kind.clone())
    }

    /// Takes what was laid aside, step by step. Evidence further on says that the photos or repetitions so far were enough; nothing else is guessed.
    pub(super) fn go_as_far_as_it_gets(&mut self) {
        self.lay_reading_aside();
        loop {
            if self.take_aside() {
                continue;
            }
            let at = self.run.state.at;
            let ahead = self.run.state.asides.iter().any(|aside| aside.step > at.step && !self.is_over(aside.step as usize));
            match self.run.state.pending {
                Pending::MorePhotos | Pending::Repeat if ahead => self.pass_soft_stop(),
                Pending::Check if ahead && self.finished() => self.onward(),
                _ => return,
            }
        }
    }

    /// Gives the checkpoint in focus what was laid aside for it; whether there was something.
    pub(super) fn take_aside(&mut self) -> bool {
        let step = self.run.state.at.step;
        let of_step = |aside: &Aside| aside.step == step;
        if self.finished()
            || !matches!(self.run.state.pending, Pending::Check | Pending::MorePhotos)
            || !self.run.state.asides.iter().any(of_step)
        {
            return false;
        }
        if let Some((place, max)) = self.photo_check() {
            let given = match self.run.record().and_then(|record| record.answers.get(place)) {
                Some(Answer::Photos { files }) => files.len(),
                _ => 0,
            };
            let mut files: Vec<String> = Vec::new();
            for aside in self.run.state.asides.iter_mut().filter(|aside| aside.step == step) {
                if given + files.len() < max as usize {
                    files.append(&mut aside.files);
                }
            }
            self.run.state.asides.retain(|aside| !(aside.files.is_empty() && aside.text.is_none()));
            if !files.is_empty() {
                self.add_photos(place, files, max);
                return true;
            }
        }
        let Some(kind) = self.open_now() else { return false };
        let read = |aside: &Aside| aside.text.as_deref().filter(|_| of_step(aside)).map(|text| evidence::read(&kind, text));
        let good = self.run.state.asides.iter().position(|aside| matches!(read(aside), Some(evidence::Reading::Good(_))));
        let out = self.run.state.asides.iter().rposition(|aside| matches!(read(aside), Some(evidence::Reading::OutOfRange(_))));
        let Some(place) = good.or(out) else { return false };
        let reading = self.run.state.asides.get(place).and_then(read);
        self.run.state.asides.remove(place);
        match reading {
            Some(evidence::Reading::Good(answer)) => self.take_answer(answer),
            Some(evidence::Reading::OutOfRange(value)) => self.await_(Pending::OutOfRange { value, reason: false }),
            _ => return false,
        }
        true
    }

    /// Words that were laid aside for a step but answered nothing in it are notes of it.
    pub(super) fn note_what_is_left(&mut self, step: Option<u32>) {
        let (left, kept): (Vec<Aside>, Vec<Aside>) =
            std::mem::take(&mut self.run.state.asides).into_iter().partition(|aside| step.is_none_or(|step| aside.step == step));
        self.run.state.asides = kept;
        let notes = left.into_iter().filter_map(|aside| Some(Note { step: Some(aside.step), text: aside.text? }));
        self.run.state.notes.extend(notes);
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
