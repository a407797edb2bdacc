//! Questions that mean the same, for the editors' list of what the notes do not answer.

use std::collections::{HashMap, HashSet};

use crate::analyse;
use crate::search::Question;

/// From this share of common words on two questions mean the same.
const SAME_WORDS: f32 = 0.6;
/// A word of at least so many letters is the same with one letter more, less or other.
const LONG_WORD: usize = 5;
/// So many rare words in common mean the same if they are most of the shorter question.
const RARE_WORDS: usize = 2;
const MOST: f32 = 0.75;

/// What a question says, free of how it is said.
struct Meaning {
    /// Stems and codes.
    words: HashSet<String>,
    codes: HashSet<String>,
}

impl Meaning {
    fn of(question: &Question) -> Self {
        let told: Vec<_> = question.terms.iter().filter(|term| !term.stop).collect();
        // A question of nothing but stop words is told by those.
        let told = if told.is_empty() { question.terms.iter().collect() } else { told };
        let codes: HashSet<String> = question.codes.iter().cloned().collect();
        let mut words = codes.clone();
        // `FMB-920` and `FMB920` are the same code, but not the same words.
        for term in told.iter().filter(|term| !codes.iter().any(|code| code.contains(&term.word))) {
            // Jargon and what it stands for are the same.
            match term.meanings.first() {
                Some(meaning) => words.extend(meaning.iter().map(|word| analyse::stem(word))),
                None => {
                    words.insert(analyse::stem(&term.word));
                }
            }
        }
        Self { words, codes }
    }

    /// The words of it that the other one has too.
    fn common<'m>(&'m self, other: &'m Self) -> impl Iterator<Item = &'m String> {
        self.words.iter().filter(|word| other.words.contains(*word) || other.words.iter().any(|known| one_letter_apart(word, known)))
    }
}

/// Whether two long words differ by a typo.
fn one_letter_apart(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if short.len() < LONG_WORD || long.len() - short.len() > 1 || short.iter().any(char::is_ascii_digit) {
        return false;
    }
    let same = short.iter().zip(&long).take_while(|(a, b)| a == b).count();
    let rest = |word: &[char], from: usize| word.get(from..).map(<[char]>::to_vec).unwrap_or_default();
    let from = if short.len() == long.len() { same + 1 } else { same };
    rest(&short, from) == rest(&long, same + 1)
}

/// Groups of questions that mean the same, by their places in the list: groups in the order of their first question, the first one first in each.
#[must_use]
pub fn group(questions: &[Question]) -> Vec<Vec<usize>> {
    let meanings: Vec<Meaning> = questions.iter().map(Meaning::of).collect();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for word in meanings.iter().flat_map(|meaning| &meaning.words) {
        *known.entry(word).or_default() += 1;
    }
    // A word of a tenth of all questions is what the company works with.
    let common = (questions.len() / 10).max(3);
    let rare = |word: &String| known.get(word.as_str()).is_some_and(|count| *count <= common);
    let same = |a: &Meaning, b: &Meaning| {
        if !a.codes.is_empty() && !b.codes.is_empty() && a.codes.is_disjoint(&b.codes) {
            return false;
        }
        let common = a.common(b).count();
        let all = a.words.len() + b.words.len() - common.min(b.words.len());
        let shared = a.common(b).filter(|word| rare(word)).count();
        let shorter = a.words.len().min(b.words.len()).max(1);
        common as f32 / all.max(1) as f32 >= SAME_WORDS || (shared >= RARE_WORDS && shared as f32 / shorter as f32 >= MOST)
    };
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (place, meaning) in meanings.iter().enumerate() {
        // Compared with the first of a group only, so that a chain of likenesses does not join what has nothing in common.
        let group =
            groups.iter_mut().find(|group| group.first().and_then(|first| meanings.get(*first)).is_some_and(|first| same(first, meaning)));
        match group {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::group;
    use crate::glossary::Glossary;
    use crate::search::Question;

    fn groups(texts: &[&str]) -> Vec<Vec<usize>> {
        let glossary = Glossary::new(&[("мак".to_owned(), "MAC-адрес".to_owned()), ("симка".to_owned(), "SIM-карта".to_owned())]);
        group(&texts.iter().map(|text| Question::new(text, &glossary)).collect::<Vec<_>>())
    }

    #[test]
    fn the_same_in_other_words_is_one_group() {
        let texts = [
            "где ключ от склада запчастей",
            "как поменять мак камеры",
            "Ключи от склада запчастей где?",
            "поменять MAC-адрес камеры",
            "когда привезут перчатки",
            "ключ от склада запчстей",
            "где склад",
        ];
        assert_eq!(groups(&texts), [vec![0, 2, 5], vec![1, 3], vec![4], vec![6]]);
    }

    #[test]
    fn other_devices_are_other_questions() {
        assert_eq!(groups(&["прошивка для FMB920", "прошивка для FMB125", "прошивка FMB-920"]), [vec![0, 2], vec![1]]);
    }

    #[test]
    fn two_rare_words_are_enough_if_they_are_most_of_it() {
        let texts = ["можно ли мыть салон автомобиля керхером после установки маяка", "мыть керхером"];
        assert_eq!(groups(&texts), [vec![0, 1]]);
    }

    #[test]
    fn a_typo_is_one_letter_of_a_long_word() {
        for (one, other, same) in [
            ("запчаст", "запчст", true),
            ("маяк", "маяка", false),
            ("датчик", "датчтк", true),
            ("бак", "бок", false),
            ("fmb920", "fmb921", false),
            ("маячок", "маяк", false),
        ] {
            assert_eq!((super::one_letter_apart(one, other), super::one_letter_apart(other, one)), (same, same), "{one} {other}");
        }
    }

    #[test]
    fn nothing_is_nothing() {
        assert!(groups(&[]).is_empty());
        assert_eq!(groups(&["", "что", ""]).len(), 3);
    }
}
