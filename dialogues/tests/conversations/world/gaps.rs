//! Sections of notes, and what the notes lack.

use fitter_dialogues::effect::Command;
use fitter_dialogues::event::Outcome;
use fitter_domain::ids::{PersonId, QueryId, QuestionId};
use fitter_domain::person::{Object, Verb};
use fitter_domain::ticket::{Gap, Question};

use super::carry::{count, next};
use super::{World, content};

impl World {
    pub(super) fn section(&self, who: PersonId, query: QueryId, index: u32, section: Option<u32>) -> Outcome {
        let Some(found) = self.found.get(&query).filter(|found| found.by == who) else {
            return Outcome::Hit { query, index, of: 0, hit: None, procedure: None };
        };
        let Some(hit) = found.hits.get(index as usize) else { return Outcome::Refused };
        let sections = content::sections(hit);
        let place = section.map_or_else(|| sections.iter().position(|it| it.headings == hit.headings).unwrap(), |section| section as usize);
        let Some(passage) = sections.get(place) else { return Outcome::Refused };
        let name = |place: Option<usize>| Some(sections.get(place?)?.headings[0].clone());
        let (before, after) = (name(place.checked_sub(1)), name(place.checked_add(1)));
        Outcome::Section { query, index, section: count(place), passage: Box::new(passage.clone()), before, after }
    }

    pub(super) fn gap(&mut self, who: PersonId, command: Command) -> Option<Outcome> {
        if !self.may(who, Verb::Resolve, Object::Question { own: false }) {
            return Some(Outcome::Refused);
        }
        let all = self.gaps.clone();
        let same = |query: QueryId| -> Vec<(QueryId, PersonId, String)> {
            let Some((_, _, text)) = all.iter().find(|(gap, ..)| *gap == query) else { return Vec::new() };
            all.iter().filter(|(_, _, other)| other.to_lowercase() == text.to_lowercase()).cloned().collect()
        };
        let gap = |query: QueryId| {
            let group = same(query);
            let (first, _, text) = group.first()?.clone();
            let names = group.iter().map(|(_, person, _)| self.chats[person].person.name.clone());
            let mut askers: Vec<(String, u32)> = Vec::new();
            for name in names {
                match askers.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, times)) => *times += 1,
                    None => askers.push((name, 1)),
                }
            }
            let examples = group.iter().map(|(_, _, other)| other.clone()).filter(|other| *other != text).collect();
            Some(Gap { query: first, text, count: count(group.len()), examples, askers })
        };
        Some(match command {
            Command::OpenGap(query) if !same(query).is_empty() => Outcome::Gap { gap: Box::new(gap(query)?) },
            Command::AnswerGap(query) if !same(query).is_empty() => {
                let (first, by, text) = same(query).remove(0);
                let at = self.asked.get(&first).copied().unwrap_or_else(|| {
                    let (id, by_name) = (QuestionId(next(self.questions.len())), self.chats[&by].person.name.clone());
                    self.questions.push(Question { id, by, by_name, text, tried: Vec::new(), answer: None });
                    self.asked.insert(first, self.questions.len() - 1);
                    self.questions.len() - 1
                });
                Outcome::Question { question: Box::new(self.questions[at].clone()) }
            }
            Command::SaveNote(question) => {
                let answered = self.questions.iter().any(|it| it.id == question && it.answer.is_some());
                if !answered {
                    return Some(Outcome::Refused);
                }
                Outcome::Drafted { path: (question.0 % 2 == 1).then(|| format!("Черновики/{question}.md")) }
            }
            command => {
                if let Command::CloseGap(query) = command {
                    let closed = same(query);
                    self.gaps.retain(|gap| !closed.contains(gap));
                }
                let mut gaps: Vec<Gap> = Vec::new();
                for (query, ..) in &all {
                    let open = self.gaps.iter().any(|(open, ..)| open == query);
                    if let Some(gap) = gap(*query).filter(|gap| open && gap.query == *query) {
                        gaps.push(gap);
                    }
                }
                let of = count(gaps.len());
                Outcome::Gaps { gaps, of }
            }
        })
    }
}
