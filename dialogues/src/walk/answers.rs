//! Words, choices and photos that come in for the step in focus.

use fitter_domain::msg;
use fitter_domain::procedure::{CheckKind, Step};
use fitter_domain::rich::Rich;
use fitter_domain::run::{Answer, Change, Pending};

use super::texts::asked;
use super::{Walking, evidence, screens};
use crate::effect::Command;
use crate::event::Photo;

impl Walking<'_, '_> {
    /// Takes an answer to the open checkpoint; the last one completes the step.
    pub(super) fn give(&mut self, answer: Answer) {
        self.record().answers.push(answer);
        self.answered();
    }

    fn answered(&mut self) {
        self.run.state.pending = Pending::Check;
        if self.take_aside() {
            return;
        }
        if self.open_check().is_none() { self.complete() } else { self.settle() }
    }

    pub(super) fn choose(&mut self, place: u32) {
        let Some((_, CheckKind::Choice { options })) = self.open_kind().filter(|_| !self.finished()) else { return self.show() };
        let Some(option) = options.get(place as usize) else { return self.show() };
        let answer = Answer::Choice { label: option.label.clone() };
        if !option.fault {
            return self.give(answer);
        }
        // The answer stands; reporting the problem comes first, the step goes on after it.
        self.record().answers.push(answer);
        if self.open_check().is_none() {
            self.mark_finished();
        }
        self.report_choice(&option.label);
    }

    fn report_choice(&mut self, label: &str) {
        let title = self.step().map(|step| step.title).unwrap_or_default();
        self.await_(Pending::Problem { note: format!("{}{label}", asked(&title)), photos: Vec::new() });
    }

    /// Words for the step in focus.
    pub(super) fn words(&mut self, text: &str) {
        if let Some(step) = screens::doubt(&self.run).and_then(|_| self.step_of_number(text)) {
            return self.place_doubt(step);
        }
        match self.run.state.pending.clone() {
            Pending::Problem { note, photos } => {
                let note = if note.is_empty() { text.to_owned() } else { format!("{note}\n{text}") };
                self.await_(Pending::Problem { note, photos });
            }
            Pending::OutOfRange { value, reason, typed } => self.words_out_of_range(value, reason, typed, text),
            Pending::Change { check, new: None } => self.read(check as usize, text, true),
            Pending::Change { check, new: Some(new) } => self.words_for_change(check, new, text),
            Pending::Check | Pending::MorePhotos if self.finished() => self.words_when_finished(text),
            Pending::MorePhotos if evidence::is_yes(text) => self.ok(),
            Pending::Check | Pending::MorePhotos => match self.open_kind() {
                Some((place, _)) => self.read(place, text, false),
                // Nothing is asked any more, or nothing ever was: "done" can be typed too.
                None if evidence::is_yes(text) => self.ok(),
                None => self.search(text),
            },
            Pending::Repeat => self.search(text),
        }
    }

    /// A new reading may be typed at once, without pressing "measure again", and so may the reason. But words that nobody chose to give as the
    /// reason may as well be a question, and a question must not stand in a report: that is asked.
    fn words_out_of_range(&mut self, value: f64, reason: bool, typed: Option<String>, text: &str) {
        let Some((place, kind)) = self.open_kind() else { return self.search(text) };
        match typed {
            _ if evidence::is_bare_number(&kind, text) => self.read(place, text, false),
            _ if reason => self.give(Answer::Number { value, reason: Some(text.to_owned()) }),
            Some(typed) if evidence::is_yes(text) => self.give(Answer::Number { value, reason: Some(typed) }),
            _ if text.contains('?') => self.search(text),
            typed => {
                let words = typed.into_iter().chain([text.to_owned()]).collect::<Vec<_>>().join("\n");
                self.await_(Pending::OutOfRange { value, reason: false, typed: Some(words) });
            }
        }
    }

    /// It was a question after all; the reading is where it was.
    pub(super) fn ask_instead(&mut self, value: f64, question: &str) {
        self.await_(Pending::OutOfRange { value, reason: false, typed: None });
        self.search(question);
    }

    fn words_for_change(&mut self, check: u32, new: Answer, text: &str) {
        let Some(kind) = self.step().and_then(|step| step.checks.get(check as usize).map(|check| check.kind.clone())) else {
            return self.await_(Pending::Check);
        };
        if screens::photos_missing(&kind, &new).is_some() {
            return self.show();
        }
        // Nobody gives a number for a reason: it is another reading.
        if evidence::is_bare_number(&kind, text) { self.read(check as usize, text, true) } else { self.change(check, new, &kind, text) }
    }

    /// A number typed at a finished step is meant to replace the one reading that it has.
    fn words_when_finished(&mut self, text: &str) {
        if evidence::is_yes(text) {
            return self.onward();
        }
        let Some(step) = self.step() else { return };
        let mut readings = step.checks.iter().enumerate().filter(|(_, check)| matches!(check.kind, CheckKind::Number { .. }));
        match (readings.next(), readings.next()) {
            (Some((place, check)), None) if evidence::is_bare_number(&check.kind, text) => self.read(place, text, true),
            _ if !text.chars().any(char::is_alphabetic) => self.show_with(Rich::from(msg::walk_answered_already())),
            _ => self.search(text),
        }
    }

    /// Reads typed words as the answer to a checkpoint; words that cannot be one are a question.
    fn read(&mut self, place: usize, text: &str, changing: bool) {
        let Some(kind) = self.step().and_then(|step| step.checks.get(place).map(|check| check.kind.clone())) else {
            return self.search(text);
        };
        let check = u32::try_from(place).unwrap_or(0);
        match evidence::read(&kind, text) {
            evidence::Reading::Good(answer) if changing => self.propose(check, answer),
            evidence::Reading::Good(answer) => self.give(answer),
            evidence::Reading::OutOfRange(value) if changing => self.propose(check, Answer::Number { value, reason: None }),
            evidence::Reading::OutOfRange(value) => self.await_(Pending::OutOfRange { value, reason: false, typed: None }),
            evidence::Reading::Bad(why) => self.show_with(Rich::text("⚠️ ").push(why)),
            // Without a letter it is no question either: a reading typed at the wrong step.
            evidence::Reading::Question if !text.chars().any(char::is_alphabetic) => {
                self.show_with(Rich::text("⚠️ ").push(msg::walk_evidence_first()));
            }
            evidence::Reading::Question => self.search(text),
        }
    }

    /// Photos for the step in focus. Every one of them is kept on the card, whatever becomes of it here.
    pub(super) fn photos(&mut self, photos: &[Photo], caption: Option<&str>) {
        let Some(step) = self.step() else { return };
        let files: Vec<String> = photos.iter().map(|photo| photo.file_id.clone()).collect();
        self.turn.run(Command::KeepPhotos {
            run: self.run.id,
            step: Some(step.title.clone()),
            files: photos.to_vec(),
            caption: caption.map(str::to_owned),
        });
        match self.run.state.pending.clone() {
            Pending::Problem { note, photos: mut before } => {
                before.extend(files);
                let note = [note.as_str(), caption.unwrap_or_default()].join("\n").trim().to_owned();
                self.await_(Pending::Problem { note, photos: before });
            }
            Pending::Change { check, new }
                if matches!(step.checks.get(check as usize).map(|check| &check.kind), Some(CheckKind::Photo { .. })) =>
            {
                let mut all = match new {
                    Some(Answer::Photos { files }) => files,
                    _ => Vec::new(),
                };
                all.extend(files);
                self.await_(Pending::Change { check, new: Some(Answer::Photos { files: all }) });
            }
            Pending::Change { .. } | Pending::OutOfRange { .. } | Pending::Repeat => self.extra_photos(&step, caption),
            Pending::Check | Pending::MorePhotos => self.evidence_photos(&step, files, caption),
        }
    }

    fn evidence_photos(&mut self, step: &Step, files: Vec<String>, caption: Option<&str>) {
        if self.finished() {
            return self.extra_photos(step, caption);
        }
        match (self.photo_check(), self.open_kind()) {
            (Some((place, max)), _) => self.add_photos(place, files, max),
            // "Type the number or send a photo of the label": the caption is the answer.
            (None, Some((_, open))) if caption.is_some_and(|caption| evidence::answers(&open, caption)) => {
                self.words(caption.unwrap_or_default())
            }
            _ => self.extra_photos(step, caption),
        }
    }

    /// The checkpoint that takes photos now, and how many it may have: the open one, or the one that has enough but may have more.
    pub(super) fn photo_check(&self) -> Option<(usize, u32)> {
        let step = self.run.step().filter(|_| !self.finished())?;
        let takes = |place: usize| match step.checks.get(place)?.kind {
            CheckKind::Photo { max, .. } => Some((place, max)),
            _ => None,
        };
        let last = self.given().checked_sub(1).filter(|_| self.run.state.pending == Pending::MorePhotos);
        let open = self.open_check().filter(|_| matches!(self.run.state.pending, Pending::Check | Pending::MorePhotos));
        last.and_then(takes).or_else(|| open.and_then(takes))
    }

    pub(super) fn add_photos(&mut self, place: usize, files: Vec<String>, max: u32) {
        let record = self.record();
        match record.answers.get_mut(place) {
            Some(Answer::Photos { files: before }) => before.extend(files),
            _ => record.answers.push(Answer::Photos { files }),
        }
        // A full checkpoint goes on by itself; between min and max the technician says when it is enough.
        self.run.state.pending = Pending::Check;
        let count = match self.run.record().and_then(|record| record.answers.get(place)) {
            Some(Answer::Photos { files }) => files.len(),
            _ => 0,
        };
        if count >= max as usize {
            return self.answered();
        }
        let rest = self.rest();
        self.await_(rest);
    }

    /// Photos nobody asked for stand on the card all the same. Words under them may be what is awaited.
    fn extra_photos(&mut self, step: &Step, caption: Option<&str>) {
        let awaited = match &self.run.state.pending {
            Pending::OutOfRange { .. } | Pending::Change { new: Some(_), .. } => true,
            Pending::Change { check, new: None } => {
                let kind = step.checks.get(*check as usize).map(|check| &check.kind);
                caption.zip(kind).is_some_and(|(caption, kind)| evidence::answers(kind, caption))
            }
            _ => false,
        };
        match caption {
            Some(caption) if awaited => self.words(caption),
            Some(caption) if caption.contains('?') => {
                self.turn.say(msg::walk_photo_kept());
                self.search(caption);
            }
            _ => self.show_with(Rich::from(msg::walk_photo_kept())),
        }
    }

    pub(super) fn choose_anew(&mut self, check: u32, place: u32) {
        let step = self.step();
        let options = match step.as_ref().and_then(|step| step.checks.get(check as usize)).map(|check| &check.kind) {
            Some(CheckKind::Choice { options }) => options.as_slice(),
            _ => &[],
        };
        match options.get(place as usize) {
            Some(option) => self.propose(check, Answer::Choice { label: option.label.clone() }),
            None => self.show(),
        }
    }

    /// A new value for an answer; the reason is awaited unless it says the same.
    fn propose(&mut self, check: u32, new: Answer) {
        let old = self.run.record().and_then(|record| record.answers.get(check as usize));
        let same = match (old, &new) {
            (Some(Answer::Number { value: old, .. }), Answer::Number { value, .. }) => old == value,
            (old, new) => old == Some(new),
        };
        self.await_(if same { Pending::Check } else { Pending::Change { check, new: Some(new) } });
    }

    /// Puts a new value in the place of an old one, which stays in the record of changes.
    fn change(&mut self, check: u32, mut new: Answer, kind: &CheckKind, reason: &str) {
        let (visit, at) = (self.run.state.at, self.turn.ctx.now);
        if let Answer::Number { value, reason: why } = &mut new {
            *why = (!evidence::in_range(kind, *value)).then(|| reason.to_owned());
        }
        let fault = match (kind, &new) {
            (CheckKind::Choice { options }, Answer::Choice { label }) => {
                options.iter().any(|option| option.fault && option.label == *label).then(|| label.clone())
            }
            _ => None,
        };
        let Some(slot) = self.record().answers.get_mut(check as usize) else { return self.await_(Pending::Check) };
        let old = std::mem::replace(slot, new.clone());
        self.run.state.changes.push(Change { visit, check, old, new, reason: reason.to_owned(), at });
        match fault {
            Some(label) => self.report_choice(&label),
            None => self.await_(Pending::Check),
        }
    }
}
