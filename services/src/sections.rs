//! A note by its sections: what stands around a passage.

use fitter_domain::passage::Passage;
use fitter_domain::rich::Rich;
use fitter_store::notes::ChunkRecord;

/// A section of more characters than this is shown in parts: a message holds 4096.
const LONGEST: usize = 3_000;

/// Passages that are shown together, with what the section is called.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Headings from the outermost to its own.
    pub headings: Vec<String>,
    /// First line in the note's file, from 1.
    pub start_line: u32,
    /// Last line, inclusive.
    pub end_line: u32,
    /// Its text.
    pub body: Rich,
    /// Its pictures.
    pub images: Vec<String>,
}

impl Section {
    /// What a way to it is called: its heading, else the title of the note.
    #[must_use]
    pub fn name(&self, title: &str) -> String {
        self.headings.last().cloned().unwrap_or_else(|| title.to_owned())
    }
}

/// The sections of a note, from its passages in order.
#[must_use]
pub fn of(chunks: Vec<ChunkRecord>) -> Vec<Section> {
    let mut out: Vec<Section> = Vec::new();
    for chunk in chunks {
        let length = |body: &Rich| body.plain().chars().count();
        if let Some(last) = out.last_mut()
            && last.headings == chunk.headings
            && length(&last.body) + length(&chunk.body) <= LONGEST
        {
            last.end_line = last.end_line.max(chunk.end_line);
            last.body = std::mem::take(&mut last.body).gap().append(chunk.body);
            last.images.extend(chunk.images.into_iter().filter(|image| !last.images.contains(image)).collect::<Vec<_>>());
            continue;
        }
        let ChunkRecord { headings, start_line, end_line, body, images, .. } = chunk;
        out.push(Section { headings, start_line, end_line, body, images });
    }
    out
}

/// Which section a passage is in, also after the note was changed: the one with its headings nearest to its lines.
#[must_use]
pub fn place_of(sections: &[Section], passage: &Passage) -> Option<usize> {
    let distance = |section: &Section| {
        let inside = section.start_line <= passage.start_line && passage.start_line <= section.end_line;
        if inside { 0 } else { section.start_line.abs_diff(passage.start_line).max(1) }
    };
    let places = sections.iter().enumerate().filter(|(_, section)| section.headings == passage.headings);
    places.min_by_key(|(_, section)| distance(section)).map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(heading: &str, line: u32, text: &str) -> ChunkRecord {
        ChunkRecord {
            headings: vec![heading.into()],
            start_line: line,
            end_line: line + 1,
            body: Rich::text(text),
            text: String::new(),
            images: vec![format!("{heading}.png")],
            links: Vec::new(),
        }
    }

    #[test]
    fn pieces_of_a_section_are_joined_until_it_is_too_long() {
        let long = "а".repeat(2_000);
        let sections = of(vec![chunk("А", 1, "один"), chunk("А", 3, "два"), chunk("Б", 5, &long), chunk("Б", 7, &long)]);
        assert_eq!(sections.iter().map(|it| (it.start_line, it.end_line)).collect::<Vec<_>>(), [(1, 4), (5, 6), (7, 8)]);
        assert_eq!(sections[0].body.plain(), "один\n\nдва");
        assert_eq!(sections[0].images, ["А.png"]);
        assert_eq!(sections[2].name("Заметка"), "Б");
    }

    #[test]
    fn a_passage_is_found_again_in_a_note_that_was_changed() {
        let long = "а".repeat(2_000);
        let sections = of(vec![chunk("А", 1, "один"), chunk("Б", 15, &long), chunk("Б", 17, &long)]);
        let at =
            |heading: &str, start_line| place_of(&sections, &Passage { headings: vec![heading.into()], start_line, ..Passage::default() });
        assert_eq!(at("А", 2), Some(0));
        assert_eq!(at("Б", 17), Some(2));
        assert_eq!(at("Б", 5), Some(1));
        assert_eq!(at("В", 5), None);
    }
}
