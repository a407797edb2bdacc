//! Evidence that did not come in the order of the steps: where it goes now, and when it is taken.

use fitter_domain::procedure::CheckKind;
use fitter_domain::run::{Answer, Aside, Note, Pending};

use super::burst::{Got, index, is_exactly};
use super::{Walking, evidence, hints, moves};

impl Walking<'_, '_> {
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
                got.came.extra.push((index(step), count));
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
    pub(super) fn is_over(&self, step: usize) -> bool {
        // The step in focus may be one that the answers do not let be shown any more.
        let in_focus = self.run.state.at.step as usize == step && !self.finished();
        !in_focus
            && moves::visits(&self.run).into_iter().filter(|visit| visit.step as usize == step).all(|visit| moves::left(&self.run, visit))
    }

    /// Which of a step's open checkpoints words would answer, and the words that do: `12.6` of `акб 12.6`. Free words only if not `exactly`.
    pub(super) fn answer_among(&self, step: usize, text: &str, exactly: bool) -> Option<String> {
        let mut given =
            self.run.state.records.iter().filter(|(visit, _)| visit.step as usize == step).map(|(_, record)| record.answers.len());
        let checks = self.run.procedure.steps.get(step)?.checks.iter().skip(given.next_back().unwrap_or(0));
        checks.into_iter().find_map(|check| {
            let fits = |text: &&str| is_exactly(&check.kind, text) || !exactly && evidence::answers(&check.kind, text);
            Some(text).filter(fits).or_else(|| hints::value(text).filter(fits)).map(str::to_owned)
        })
    }

    /// Answers what is asked for now, if the words do.
    pub(super) fn answer_here(&mut self, text: &str) -> bool {
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
    pub(super) fn room(&self, step: usize) -> usize {
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
            Some(evidence::Reading::OutOfRange(value)) => self.await_(Pending::OutOfRange { value, reason: false, typed: None }),
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
}
