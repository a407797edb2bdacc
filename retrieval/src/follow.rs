//! Questions that go on from the one before: «а для FMB920?», «почему?», "and where is it?".

use crate::analyse;

/// Words that begin what goes on.
const OPENERS: [&str; 16] =
    ["а", "и", "ну", "но", "тогда", "или", "then", "and", "or", "but", "also", "ал", "және", "сонда", "онда", "немесе"];
/// Two words that do.
const OPENING_PAIRS: [[&str; 2]; 3] = [["what", "about"], ["how", "about"], ["что", "насчет"]];
/// Words that stand for what was named before.
const PRONOUNS: [&str; 40] = [
    "он",
    "она",
    "оно",
    "они",
    "его",
    "ее",
    "их",
    "ему",
    "ей",
    "им",
    "ней",
    "нем",
    "него",
    "нее",
    "них",
    "ними",
    "туда",
    "там",
    "оттуда",
    "it",
    "its",
    "they",
    "them",
    "their",
    "there",
    "he",
    "she",
    "ол",
    "оны",
    "оның",
    "олар",
    "оларды",
    "олардың",
    "оған",
    "онда",
    "содан",
    "соны",
    "one",
    "ones",
    "сол",
];
/// The same, but they also point at what is named now.
const POINTERS: [&str; 15] =
    ["это", "этот", "эта", "эти", "этого", "этим", "тот", "такой", "this", "that", "these", "those", "бұл", "бұны", "осы"];
/// Words that ask.
const ASKING: [&str; 41] = [
    "почему",
    "зачем",
    "отчего",
    "как",
    "где",
    "куда",
    "откуда",
    "когда",
    "сколько",
    "скока",
    "кто",
    "что",
    "чем",
    "чего",
    "какой",
    "какая",
    "какое",
    "какие",
    "каким",
    "какую",
    "можно",
    "нужно",
    "надо",
    "why",
    "how",
    "where",
    "when",
    "which",
    "what",
    "who",
    "неге",
    "неліктен",
    "қалай",
    "қайда",
    "қашан",
    "қанша",
    "неше",
    "кім",
    "қандай",
    "керек",
    "істеу",
];
/// Words that only join another one to the sentence.
const JOINING: [&str; 18] =
    ["для", "на", "в", "во", "с", "со", "у", "по", "под", "от", "из", "за", "for", "on", "in", "with", "at", "үшін"];

/// A question that goes on from an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoingOn {
    /// The earlier one.
    pub base: String,
    /// What is searched for.
    pub words: String,
}

/// What a question goes on from; `None` for a question of its own.
///
/// `earlier` are the last questions, the newest first, and whatever else is being talked about after them.
#[must_use]
pub fn expand(question: &str, earlier: &[&str]) -> Option<GoingOn> {
    if !goes_on(question) {
        return None;
    }
    // What an earlier question went on from is behind it.
    let base = earlier.iter().find(|text| !goes_on(text)).or_else(|| earlier.last())?;
    // Another device is asked about: the one before is not meant any more.
    let replaced = !analyse::codes(question).is_empty();
    let kept: Vec<&str> = base.split_whitespace().filter(|word| !replaced || analyse::codes(word).is_empty()).collect();
    Some(GoingOn { base: (*base).to_owned(), words: format!("{} {}", kept.join(" "), question.trim()).trim().to_owned() })
}

/// Whether a question cannot stand by itself.
fn goes_on(question: &str) -> bool {
    let words = analyse::words(question);
    let word = |at: usize| words.get(at).map(String::as_str).unwrap_or_default();
    let is = |list: &[&str], word: &String| list.contains(&word.as_str());
    let said = words
        .iter()
        .filter(|word| {
            ![&OPENERS[..], &PRONOUNS, &POINTERS, &ASKING, &JOINING].iter().any(|list| is(list, word)) && !analyse::is_stop_word(word)
        })
        .count();
    let opens = OPENERS.contains(&word(0)) || OPENING_PAIRS.contains(&[word(0), word(1)]);
    let names_nothing = said == 0 && words.iter().any(|word| is(&ASKING, word) || is(&PRONOUNS, word) || is(&POINTERS, word));
    let refers = (said <= 2 && words.iter().any(|word| is(&PRONOUNS, word))) || (said <= 1 && words.iter().any(|word| is(&POINTERS, word)));
    let joins = said == 1 && words.len() <= 3 && (JOINING.contains(&word(0)) || words.last().is_some_and(|last| last == "үшін"));
    (opens && said <= 2) || names_nothing || refers || joins
}

#[cfg(test)]
mod tests {
    fn expand(question: &str, earlier: &[&str]) -> Option<String> {
        super::expand(question, earlier).map(|going_on| going_on.words)
    }

    #[test]
    fn what_goes_on() {
        for (before, question, searched) in [
            ("как подключить FMB125", "а для FMB920?", "как подключить а для FMB920?"),
            ("трекер не выходит на связь", "почему?", "трекер не выходит на связь почему?"),
            ("какой предохранитель на питание", "и где он?", "какой предохранитель на питание и где он?"),
            ("как проверить массу", "на камазе?", "как проверить массу на камазе?"),
            ("прыгает уровень топлива", "как это исправить", "прыгает уровень топлива как это исправить"),
            ("прыгает уровень топлива", "что делать если он опять прыгает", "прыгает уровень топлива что делать если он опять прыгает"),
            ("which fuse for the tracker", "and for the relay?", "which fuse for the tracker and for the relay?"),
            ("which fuse for the tracker", "what about trucks?", "which fuse for the tracker what about trucks?"),
            ("which fuse for the tracker", "why?", "which fuse for the tracker why?"),
            ("which fuse for the tracker", "where is it", "which fuse for the tracker where is it"),
            ("трекерге қандай сақтандырғыш", "ал КАМАЗ үшін?", "трекерге қандай сақтандырғыш ал КАМАЗ үшін?"),
            ("жанармай деңгейі секіреді", "неге?", "жанармай деңгейі секіреді неге?"),
            ("жанармай деңгейі секіреді", "оны қалай тексеру керек", "жанармай деңгейі секіреді оны қалай тексеру керек"),
        ] {
            assert_eq!(expand(question, &[before]).as_deref(), Some(searched), "{question}");
        }
    }

    #[test]
    fn questions_of_their_own() {
        for question in [
            "как подключить датчик температуры",
            "а как подключить датчик температуры к трекеру?",
            "предохранитель",
            "APN",
            "на сколько резать зонд",
            "сколько ом между can-h и can-l",
            "в каком порядке подключать провода",
            "which fuse do i use for the tracker supply",
            "and how do i calibrate a fuel tank sensor",
            "трекерге қандай сақтандырғыш қою керек",
            "неге жанармай деңгейі секіреді",
            "трекер не выходит на связь, он мигает синим",
            "",
        ] {
            assert_eq!(expand(question, &["как проверить массу"]), None, "{question}");
        }
        assert_eq!(expand("а для FMB920?", &[]), None, "there is nothing to go on from");
    }

    #[test]
    fn several_in_a_row_go_on_from_the_first() {
        let searched = expand("и где он?", &["а на камазе?", "какой предохранитель на питание", "APN билайна"]);
        assert_eq!(searched.as_deref(), Some("какой предохранитель на питание и где он?"));
        assert_eq!(expand("почему?", &["а если нет?", "Установка трекера"]).as_deref(), Some("Установка трекера почему?"));
    }
}
