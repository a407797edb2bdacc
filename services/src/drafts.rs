//! Answers of people that become notes: drafts for the editors, written where the vault lies.

use std::path::{Component, Path, PathBuf};

use chrono::{DateTime, Utc};
use fitter_domain::ids::QuestionId;
use futures::future::BoxFuture;

/// Letters of a file's name that come from the question.
const NAME: usize = 60;

/// An answer that becomes a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The question that was answered.
    pub question: QuestionId,
    /// Its words.
    pub text: String,
    /// The answer.
    pub answer: String,
    /// Who answered, as they call themselves.
    pub author: String,
    /// The language that the author uses, ISO 639-1.
    pub lang: String,
    /// When it was saved.
    pub at: DateTime<Utc>,
}

/// Why a draft was not written.
#[derive(Debug, thiserror::Error)]
#[error("the draft cannot be written: {0}")]
pub struct DraftError(pub String);

/// Where drafts are written. A draft that was saved before is not written again: somebody may have worked on it.
pub trait Drafts: Send + Sync {
    /// Writes a draft; its path inside the vault.
    fn save(&self, draft: Draft) -> BoxFuture<'static, Result<String, DraftError>>;
}

impl Draft {
    /// Its name in the vault. The question's number makes it the only one.
    #[must_use]
    pub fn file_name(&self) -> String {
        let clean: String =
            self.text.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | ',' | '+') { c } else { ' ' }).collect();
        let mut name = String::new();
        for word in clean.split_whitespace() {
            if name.chars().count() + word.chars().count() >= NAME {
                break;
            }
            if !name.is_empty() {
                name.push(' ');
            }
            name.push_str(word);
        }
        let number = self.question;
        if name.is_empty() { format!("{number}.md") } else { format!("{name} {number}.md") }
    }

    /// The note: front matter that hides it from all but editors, then the answer.
    #[must_use]
    pub fn note(&self) -> String {
        // A JSON string is a YAML string.
        let quoted = |text: &str| serde_json::Value::from(text.split_whitespace().collect::<Vec<_>>().join(" ")).to_string();
        format!(
            "---\ntitle: {}\nvisibility: draft\nlang: {}\nauthor: {}\ncreated: {}\nquestion: {}\n---\n\n{}\n",
            quoted(&self.text),
            self.lang,
            quoted(&self.author),
            self.at.format("%Y-%m-%d"),
            self.question,
            self.answer.trim()
        )
    }
}

/// Drafts in a folder of the vault.
#[derive(Debug, Clone)]
pub struct FolderDrafts {
    vault: PathBuf,
    folder: String,
}

impl FolderDrafts {
    /// Drafts in `folder`, a path inside of `vault` with `/`; `None` if it leads out of it or into what is not read.
    #[must_use]
    pub fn new(vault: &Path, folder: &str) -> Option<Self> {
        let folder = folder.trim().trim_matches('/');
        let inside = !folder.is_empty()
            && Path::new(folder)
                .components()
                .all(|part| matches!(part, Component::Normal(name) if name.to_str().is_some_and(|name| !name.starts_with('.'))));
        inside.then(|| Self { vault: vault.to_owned(), folder: folder.to_owned() })
    }

    fn write(&self, draft: &Draft) -> std::io::Result<String> {
        let name = draft.file_name();
        let path = format!("{}/{name}", self.folder);
        let folder = self.vault.join(&self.folder);
        if folder.join(&name).exists() {
            return Ok(path);
        }
        std::fs::create_dir_all(&folder)?;
        // Nobody reads half a note.
        let unfinished = folder.join(format!(".{}.part", draft.question));
        std::fs::write(&unfinished, draft.note())?;
        std::fs::rename(&unfinished, folder.join(&name))?;
        Ok(path)
    }
}

impl Drafts for FolderDrafts {
    fn save(&self, draft: Draft) -> BoxFuture<'static, Result<String, DraftError>> {
        let this = self.clone();
        Box::pin(async move {
            let written = tokio::task::spawn_blocking(move || this.write(&draft)).await;
            written.map_err(|error| DraftError(error.to_string()))?.map_err(|error| DraftError(error.to_string()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone as _;

    fn draft(text: &str) -> Draft {
        Draft {
            question: QuestionId(17),
            text: text.into(),
            answer: "У охраны.\n".into(),
            author: "Марина \"М\"".into(),
            lang: "ru".into(),
            at: Utc.with_ymd_and_hms(2026, 11, 20, 9, 0, 0).unwrap(),
        }
    }

    #[test]
    fn a_draft_is_a_note_for_editors() {
        let note = draft("где ключ: от\nсклада #1?").note();
        assert_eq!(
            note,
            "---\ntitle: \"где ключ: от склада #1?\"\nvisibility: draft\nlang: ru\nauthor: \"Марина \\\"М\\\"\"\ncreated: 2026-11-20\n\
             question: 17\n---\n\nУ охраны.\n"
        );
    }

    #[test]
    fn names_of_files_are_safe_everywhere() {
        assert_eq!(draft("где ключ: [[от]] ../склада #1|2?").file_name(), "где ключ от склада 1 2 17.md");
        assert_eq!(draft("???").file_name(), "17.md");
        assert!(draft(&"слово ".repeat(50)).file_name().chars().count() <= NAME + 6);
    }

    #[test]
    fn drafts_stay_inside_the_vault() {
        for folder in ["", "/", "..", "a/../..", ".git", "a/.obsidian"] {
            assert!(FolderDrafts::new(Path::new("/vault"), folder).is_none(), "{folder}");
        }
        assert!(FolderDrafts::new(Path::new("/vault"), "Черновики/От людей/").is_some());
    }

    #[tokio::test]
    async fn a_draft_is_written_once() {
        let vault = tempfile::tempdir().unwrap();
        let drafts = FolderDrafts::new(vault.path(), "Черновики").unwrap();
        let path = drafts.save(draft("где ключ")).await.unwrap();
        assert_eq!(path, "Черновики/где ключ 17.md");
        std::fs::write(vault.path().join(&path), "дописано").unwrap();
        assert_eq!(drafts.save(draft("где ключ")).await.unwrap(), path);
        assert_eq!(std::fs::read_to_string(vault.path().join(&path)).unwrap(), "дописано");
        assert_eq!(std::fs::read_dir(vault.path().join("Черновики")).unwrap().count(), 1);
    }
}
