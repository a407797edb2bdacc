//! Fields of the index and what goes into them.

use tantivy::Term;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, NumericOptions, STORED, STRING, Schema, TantivyDocument, TextFieldIndexing, TextOptions,
};

use super::{ChunkEntry, NoteEntry, tokens};
use crate::meta::{Kind, Visibility};
use fitter_domain::Locale;

/// An opening of fewer characters says what a note is about and seldom answers.
const SHORT_OPENING: usize = 400;

/// The passage is its note's short opening.
pub(super) const OPENING: u64 = 1;
/// The passage is a procedure's introduction with the titles of its steps.
pub(super) const OVERVIEW: u64 = 2;

/// The fields: of text and of names (title, aliases, headings) each the stems and the grams.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub(super) note: Field,
    pub(super) chunk: Field,
    pub(super) visibility: Field,
    pub(super) locale: Field,
    pub(super) glossary: Field,
    /// The innermost heading, else the title; as it stands.
    pub(super) heading: Field,
    /// Whether the passage opens its note: [`OPENING`] or [`OVERVIEW`].
    pub(super) opening: Field,
    pub(super) body: Field,
    pub(super) head: Field,
    pub(super) body_grams: Field,
    pub(super) head_grams: Field,
    pub(super) codes: Field,
}

pub(super) fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let indexed = |tokenizer: &str, option: IndexRecordOption| {
        TextOptions::default().set_indexing_options(TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(option))
    };
    // Where words stand is asked of stems only: elsewhere it would only cost room.
    let text = |tokenizer: &str| indexed(tokenizer, IndexRecordOption::WithFreqs);
    let placed = |tokenizer: &str| indexed(tokenizer, IndexRecordOption::WithFreqsAndPositions);
    let number = NumericOptions::from(FAST | INDEXED);
    let fields = Fields {
        note: builder.add_text_field("note", STRING | STORED),
        heading: builder.add_text_field("heading", STORED),
        chunk: builder.add_u64_field("chunk", STORED),
        visibility: builder.add_u64_field("visibility", number.clone()),
        locale: builder.add_u64_field("locale", number.clone()),
        glossary: builder.add_u64_field("glossary", number.clone()),
        opening: builder.add_u64_field("opening", number),
        body: builder.add_text_field("body", placed(tokens::STEMS)),
        head: builder.add_text_field("head", text(tokens::STEMS)),
        body_grams: builder.add_text_field("body_grams", text(tokens::GRAMS)),
        head_grams: builder.add_text_field("head_grams", text(tokens::GRAMS)),
        codes: builder.add_text_field("codes", text(tokens::CODES)),
    };
    (builder.build(), fields)
}

pub(super) const fn visibility_code(visibility: Visibility) -> u64 {
    match visibility {
        Visibility::Public => 0,
        Visibility::Staff => 1,
        Visibility::Draft => 2,
    }
}

pub(super) const fn locale_code(locale: Locale) -> u64 {
    match locale {
        Locale::Ru => 0,
        Locale::Kk => 1,
        Locale::En => 2,
    }
}

impl Fields {
    /// The key of all passages of a note.
    pub(super) fn key(&self, path: &str) -> Term {
        Term::from_field_text(self.note, path)
    }

    pub(super) fn document(&self, note: &NoteEntry, number: u64, chunk: &ChunkEntry) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        document.add_text(self.note, &note.path);
        document.add_u64(self.chunk, number);
        document.add_text(self.heading, chunk.headings.last().unwrap_or(&note.title));
        document.add_u64(self.visibility, visibility_code(note.visibility));
        document.add_u64(self.locale, locale_code(note.locale));
        document.add_u64(self.glossary, u64::from(note.kind == Kind::Glossary));
        let opening = chunk.text.chars().count() < SHORT_OPENING && chunk.headings.iter().all(|heading| *heading == note.title);
        let place = match (note.kind, number) {
            (Kind::Procedure, 0) => OVERVIEW,
            (Kind::Note, _) if opening => OPENING,
            _ => 0,
        };
        document.add_u64(self.opening, place);
        let names = note.names.join("\n");
        let headings = chunk.headings.join("\n");
        let head = format!("{}\n{names}\n{headings}", note.title);
        let body = format!("{head}\n{}", chunk.text);
        for (field, text) in
            [(self.head, &head), (self.head_grams, &head), (self.body, &body), (self.body_grams, &body), (self.codes, &body)]
        {
            document.add_text(field, text);
        }
        document
    }
}
