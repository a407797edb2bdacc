//! Fixed answers: notes that answer first when certain words are asked for.

use std::collections::HashSet;

use crate::analyse;

/// The note that answers a question by its keywords: of several the one whose phrase has most words, then the first one.
///
/// `phrases` are pairs of a phrase and its note. A phrase fits if every word of it is in the question, in any order and any form.
#[must_use]
pub fn find<'p>(question: &str, phrases: impl IntoIterator<Item = (&'p str, &'p str)>) -> Option<&'p str> {
    let asked: HashSet<String> = analyse::words(question).iter().map(|word| analyse::stem(word)).collect();
    let mut best: Option<(usize, &str)> = None;
    for (phrase, note) in phrases {
        let words = analyse::words(phrase);
        let fits = !words.is_empty() && words.iter().all(|word| asked.contains(&analyse::stem(word)));
        if fits && best.is_none_or(|(most, _)| words.len() > most) {
            best = Some((words.len(), note));
        }
    }
    best.map(|(_, note)| note)
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn all_words_of_a_phrase_have_to_be_there() {
        let phrases =
            [("рабочее время", "Время.md"), ("отпуск", "Отпуск.md"), ("отпуск без содержания", "Без содержания.md"), ("", "Пусто.md")];
        for (question, note) in [
            ("какое у нас рабочее время?", Some("Время.md")),
            ("в рабочее ли ВРЕМЯ", Some("Время.md")),
            ("сколько времени тарировать", None),
            ("как взять отпуск", Some("Отпуск.md")),
            ("хочу взять отпуск, только без содержания", Some("Без содержания.md")),
            ("", None),
        ] {
            assert_eq!(find(question, phrases), note, "{question}");
        }
    }
}
