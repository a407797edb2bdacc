//! Front matter of a note.

use fitter_domain::Locale;
use serde::{Deserialize, Serialize};
use serde_norway::{Mapping, Value};
use unicode_normalization::UnicodeNormalization;

use crate::problem::Problems;

/// What a note is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Something to read.
    #[default]
    Note,
    /// Something to walk through.
    Procedure,
    /// Jargon and its meaning, see [`crate::glossary`].
    Glossary,
}

/// Who may see a note.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Clients too.
    Public,
    /// People of the company.
    #[default]
    Staff,
    /// Editors only.
    Draft,
}

impl Visibility {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::Public, Self::Staff, Self::Draft];

    /// `public`, `staff` or `draft`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Staff => "staff",
            Self::Draft => "draft",
        }
    }
}

/// Properties of a note.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// `title`, else the file name without extension.
    pub title: String,
    /// What it is.
    pub kind: Kind,
    /// Its other names.
    pub aliases: Vec<String>,
    /// Tags of the front matter and of the text, without `#`, in lower case.
    pub tags: Vec<String>,
    /// Who may see it.
    pub visibility: Visibility,
    /// Its language.
    pub locale: Locale,
    /// Devices it is about.
    pub devices: Vec<String>,
    /// Planned minutes.
    pub duration: Option<u32>,
    /// Who wrote it, if it says so.
    #[serde(default)]
    pub author: Option<String>,
    /// When it was changed, if it says so, as it says it.
    #[serde(default)]
    pub updated: Option<String>,
}

/// The YAML block at byte 0 and the text after it, where the block's lines are left empty so that line numbers stay.
pub(crate) struct Split {
    pub(crate) yaml: Option<String>,
    pub(crate) text: String,
}

/// Cuts the front matter off. `source` has no BOM and only `\n`.
pub(crate) fn split(source: &str) -> Split {
    let whole = || Split { yaml: None, text: source.to_owned() };
    let mut lines = source.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else { return whole() };
    let (mut yaml, mut bytes, mut count) = (String::new(), first.len(), 1);
    for line in lines {
        bytes += line.len();
        count += 1;
        if matches!(line.trim_end(), "---" | "...") {
            let text = "\n".repeat(count) + source.get(bytes..).unwrap_or_default();
            return Split { yaml: Some(yaml), text };
        }
        yaml.push_str(line);
    }
    whole()
}

impl Meta {
    /// Reads the YAML of a note; `None` when it is no YAML mapping (a problem is added).
    pub(crate) fn parse(path: &str, yaml: Option<&str>, problems: &mut Problems) -> Option<Self> {
        let stem = path.rsplit('/').next().unwrap_or(path);
        let stem = stem.get(..stem.len().saturating_sub(3)).filter(|_| stem.to_lowercase().ends_with(".md")).unwrap_or(stem);
        let mut meta = Self { title: stem.to_owned(), ..Self::default() };
        let Some(yaml) = yaml else { return Some(meta) };
        let map = match serde_norway::from_str::<Value>(yaml) {
            Ok(Value::Mapping(map)) => map,
            Ok(Value::Null) => return Some(meta),
            Ok(_) => {
                problems.warning(1, "front matter is not a list of `key: value`; it is shown as text");
                return None;
            }
            Err(error) => {
                let line = error.location().map_or(1, |at| u32::try_from(at.line()).unwrap_or(0) + 1);
                problems.warning(line, format!("front matter is not valid YAML ({error}); it is shown as text"));
                return None;
            }
        };
        let line_of = |key: &str| {
            let at =
                yaml.lines().position(|line| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':')));
            at.map_or(1, |at| u32::try_from(at).unwrap_or(0) + 2)
        };
        if let Some(title) = strings(&map, &["title"]).into_iter().next() {
            meta.title = title;
        }
        meta.aliases = strings(&map, &["aliases", "alias"]);
        meta.tags = strings(&map, &["tags", "tag"])
            .iter()
            .flat_map(|tag| tag.split([',', ' ']))
            .map(|tag| tag.trim().trim_start_matches('#').to_lowercase())
            .filter(|tag| !tag.is_empty())
            .collect();
        meta.author = Some(strings(&map, &["author", "authors"]).join(", ")).filter(|author| !author.is_empty());
        meta.updated = strings(&map, &["updated", "modified"]).into_iter().next();
        meta.devices = strings(&map, &["devices", "device"]);
        match strings(&map, &["type"]).first().map(|kind| kind.to_lowercase()).as_deref() {
            Some("procedure") => meta.kind = Kind::Procedure,
            Some("glossary") => meta.kind = Kind::Glossary,
            // Other words belong to the company's own tools.
            _ => {}
        }
        if let Some(value) = strings(&map, &["visibility"]).first() {
            match Visibility::ALL.into_iter().find(|known| known.code() == value.to_lowercase()) {
                Some(visibility) => meta.visibility = visibility,
                None => {
                    problems.warning(line_of("visibility"), format!("visibility `{value}` is not public, staff or draft; taken as staff"))
                }
            }
        }
        if let Some(value) = strings(&map, &["lang"]).first() {
            match Locale::from_tag(value) {
                Some(locale) => meta.locale = locale,
                None => problems.warning(line_of("lang"), format!("lang `{value}` is not ru, kk or en; taken as ru")),
            }
        }
        if let Some(value) = strings(&map, &["duration"]).first() {
            match value.parse::<u32>() {
                Ok(minutes) if minutes > 0 => meta.duration = Some(minutes),
                _ => problems.warning(line_of("duration"), format!("duration `{value}` is not a number of minutes; ignored")),
            }
        }
        Some(meta)
    }

    /// Other names of a note, without reading the rest of it.
    pub(crate) fn aliases_of(bytes: &[u8]) -> Vec<String> {
        let Some(source) = crate::markdown::source(bytes) else { return Vec::new() };
        let Some(yaml) = split(&source).yaml else { return Vec::new() };
        match serde_norway::from_str::<Value>(&yaml) {
            Ok(Value::Mapping(map)) => strings(&map, &["aliases", "alias"]),
            _ => Vec::new(),
        }
    }
}

/// A value as a list of texts: one text or number is a list of one.
fn strings(map: &Mapping, keys: &[&str]) -> Vec<String> {
    let Some(value) = keys.iter().find_map(|key| map.get(*key)) else { return Vec::new() };
    let list = match value {
        Value::Sequence(list) => list.iter().filter_map(scalar).collect(),
        value => scalar(value).into_iter().collect::<Vec<_>>(),
    };
    list.into_iter().filter(|text| !text.is_empty()).collect()
}

fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return None,
    };
    let text = text.trim();
    let text =
        text.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]")).map_or(text, |link| link.rsplit('|').next().unwrap_or(link));
    Some(text.nfc().collect())
}
