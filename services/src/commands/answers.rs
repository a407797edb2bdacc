//! Searches, what they found, and what people think of it.

use std::time::Duration;

use fitter_dialogues::event::Outcome;
use fitter_domain::ids::QueryId;
use fitter_domain::passage::Passage;
use fitter_store::PgConnection;
use fitter_store::notes;
use fitter_store::{gaps, queries};

use super::Came;
use crate::conversation::Turn;
use crate::error::ServiceError;
use crate::jobs::Job as Slow;
use crate::search::visible_to;
use crate::sections;

impl Turn<'_> {
    pub(super) fn search(&mut self, text: String, within: Option<String>) -> Came {
        let (at, person) = (self.at, self.person.id);
        let job = Slow::Search { bot: at.bot, chat: at.chat, thread: at.thread, person, text, within };
        self.later(format!("search:{}:{}", at.bot, at.chat), &job, Duration::ZERO)?;
        Ok(None)
    }

    /// A search of the person's own.
    async fn own_search(&self, conn: &mut PgConnection, query: QueryId) -> Result<Option<queries::Query>, ServiceError> {
        Ok(queries::get(conn, query).await?.filter(|found| self.own(found.person)))
    }

    pub(super) async fn open_hit(&mut self, conn: &mut PgConnection, query: QueryId, index: u32) -> Came {
        let found = self.own_search(conn, query).await?;
        let (of, hit) = found.map_or((0, None), |found| {
            let of = u32::try_from(found.hits.len()).unwrap_or(u32::MAX);
            (of, found.hits.into_iter().nth(index as usize))
        });
        let procedure = match &hit {
            Some(hit) => self.app.search.procedure(conn, std::slice::from_ref(hit), self.person.role).await?,
            None => None,
        };
        Ok(Some(Outcome::Hit { query, index, of, hit: hit.map(Box::new), procedure }))
    }

    /// A section of a hit's note as the note is now; the hit itself, whole, if the note is gone or hidden or has no such section any more.
    pub(super) async fn open_section(&mut self, conn: &mut PgConnection, query: QueryId, index: u32, section: Option<u32>) -> Came {
        let Some(found) = self.own_search(conn, query).await? else {
            return Ok(Some(Outcome::Hit { query, index, of: 0, hit: None, procedure: None }));
        };
        let Some(hit) = found.hits.into_iter().nth(index as usize) else { return Ok(Some(Outcome::Refused)) };
        let note = notes::get(conn, &hit.note).await?.filter(|note| note.visibility <= visible_to(self.person.role));
        let sections = match &note {
            Some(note) => {
                let chunks = notes::chunks_of(conn, std::slice::from_ref(&note.path)).await?;
                sections::of(chunks.into_iter().map(|stored| stored.chunk).collect())
            }
            None => Vec::new(),
        };
        let place = section.map_or_else(|| sections::place_of(&sections, &hit), |section| Some(section as usize));
        let whole = Passage { span: None, ..hit };
        let Some((place, note, here)) = place.zip(note).and_then(|(place, note)| Some((place, note, sections.get(place)?.clone()))) else {
            return Ok(Some(Outcome::Section { query, index, section: 0, passage: Box::new(whole), before: None, after: None }));
        };
        let name = |place: Option<usize>| place.and_then(|place| sections.get(place)).map(|section| section.name(&note.title));
        let (before, after) = (name(place.checked_sub(1)), name(place.checked_add(1)));
        let passage = Passage {
            title: note.title,
            headings: here.headings,
            start_line: here.start_line,
            end_line: here.end_line,
            body: here.body,
            images: here.images,
            changed: Some(note.modified),
            author: note.author,
            ..whole
        };
        let section = u32::try_from(place).unwrap_or(u32::MAX);
        Ok(Some(Outcome::Section { query, index, section, passage: Box::new(passage), before, after }))
    }

    pub(super) async fn judge(&mut self, conn: &mut PgConnection, query: QueryId, index: u32, good: bool) -> Came {
        let Some(found) = self.own_search(conn, query).await? else { return Ok(None) };
        let now = self.app.clock.now();
        queries::judge(conn, query, self.person.id, index, good, now).await?;
        if good {
            gaps::forgive(conn, query).await?;
        } else {
            gaps::note(conn, query, self.person.id, &found.text, gaps::Why::Disliked, now).await?;
        }
        metrics::counter!("fitter_opinions_total", "good" => if good { "yes" } else { "no" }).increment(1);
        Ok(None)
    }
}
