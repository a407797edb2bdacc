//! Numbers that are written as words: nobody may pass a wrong figure off by spelling it. One is left out: it is an article as often as a number.

use crate::analyse;

/// Beginnings of Russian numerals, longest first where one begins another, with what may follow.
const RUSSIAN: [(&str, &[&str], u32); 40] = [
    ("два", &["", "жды"], 2),
    ("две", &[""], 2),
    ("двух", &[""], 2),
    ("двум", &["", "я"], 2),
    ("три", &["", "жды"], 3),
    ("тре", &["х", "м", "мя"], 3),
    ("четыр", &["е", "ех", "ем", "ьмя"], 4),
    ("пят", &["ь", "и", "ью"], 5),
    ("шест", &["ь", "и", "ью"], 6),
    ("сем", &["ь", "и", "ью"], 7),
    ("вос", &["емь", "ьми", "емью", "ьмью"], 8),
    ("девят", &["ь", "и", "ью"], 9),
    ("десят", &["ь", "и", "ью", "ок", "ка"], 10),
    ("одиннадцат", &["ь", "и", "ью"], 11),
    ("двенадцат", &["ь", "и", "ью"], 12),
    ("тринадцат", &["ь", "и", "ью"], 13),
    ("четырнадцат", &["ь", "и", "ью"], 14),
    ("пятнадцат", &["ь", "и", "ью"], 15),
    ("шестнадцат", &["ь", "и", "ью"], 16),
    ("семнадцат", &["ь", "и", "ью"], 17),
    ("восемнадцат", &["ь", "и", "ью"], 18),
    ("девятнадцат", &["ь", "и", "ью"], 19),
    ("двадцат", &["ь", "и", "ью"], 20),
    ("тридцат", &["ь", "и", "ью"], 30),
    ("сорок", &["", "а"], 40),
    ("пят", &["ьдесят", "идесяти"], 50),
    ("шест", &["ьдесят", "идесяти"], 60),
    ("сем", &["ьдесят", "идесяти"], 70),
    ("вос", &["емьдесят", "ьмидесяти"], 80),
    ("девяност", &["о", "а"], 90),
    ("сто", &[""], 100),
    ("ста", &[""], 100),
    ("двест", &["и"], 200),
    ("двухсот", &[""], 200),
    ("трист", &["а"], 300),
    ("трехсот", &[""], 300),
    ("четырест", &["а"], 400),
    ("пят", &["ьсот", "исот"], 500),
    ("шест", &["ьсот", "исот"], 600),
    ("тысяч", &["", "а", "и", "у"], 1000),
];
const KAZAKH: [(&str, u32); 19] = [
    ("екі", 2),
    ("үш", 3),
    ("төрт", 4),
    ("бес", 5),
    ("алты", 6),
    ("жеті", 7),
    ("сегіз", 8),
    ("тоғыз", 9),
    ("жиырма", 20),
    ("отыз", 30),
    ("қырық", 40),
    ("елу", 50),
    ("алпыс", 60),
    ("жетпіс", 70),
    ("сексен", 80),
    ("тоқсан", 90),
    ("жүз", 100),
    ("мың", 1000),
    ("он", 10),
];
const ENGLISH: [(&str, u32); 29] = [
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("seventeen", 17),
    ("eighteen", 18),
    ("nineteen", 19),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
    ("hundred", 100),
    ("thousand", 1000),
    ("zero", 0),
];

/// The number that a folded word is. Kazakh numerals count in Kazakh texts only: some are Russian words.
pub(super) fn value(word: &str, kazakh: bool) -> Option<u32> {
    if word.is_ascii() {
        return ENGLISH.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
    }
    let russian = RUSSIAN.iter().find(|(beginning, ends, _)| word.strip_prefix(beginning).is_some_and(|end| ends.contains(&end)));
    if let Some((.., value)) = russian {
        return Some(*value);
    }
    KAZAKH.iter().find(|(name, _)| kazakh && *name == word).map(|(_, value)| *value)
}

/// A numeral and what it is made of: `двадцать пять` is 25.
pub(super) fn joined(before: u32, next: u32) -> Option<u32> {
    match next {
        100 | 1000 if (2..100).contains(&before) && before < next => before.checked_mul(next),
        0..10 if before >= 20 && before.is_multiple_of(10) => before.checked_add(next),
        10..100 if before >= 100 && before.is_multiple_of(100) => before.checked_add(next),
        100..1000 if before >= 1000 && before.is_multiple_of(1000) => before.checked_add(next),
        _ => None,
    }
}

/// Whether a text is Kazakh enough for its numerals.
pub(super) fn is_kazakh(text: &str) -> bool {
    analyse::words(text).iter().any(|word| word.contains(['ә', 'ғ', 'қ', 'ң', 'ө', 'ұ', 'ү', 'һ', 'і']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerals() {
        for (word, expected) in [
            ("пять", Some(5)),
            ("пятью", Some(5)),
            ("пятьдесят", Some(50)),
            ("пятьсот", Some(500)),
            ("восьми", Some(8)),
            ("трех", Some(3)),
            ("twelve", Some(12)),
            ("пятно", None),
            ("семья", None),
            ("один", None),
            ("он", None),
            ("бес", None),
        ] {
            assert_eq!(value(word, false), expected, "{word}");
        }
        assert_eq!((value("он", true), value("бес", true)), (Some(10), Some(5)));
        assert_eq!(
            (joined(20, 5), joined(100, 20), joined(2, 1000), joined(5, 2), joined(20, 20)),
            (Some(25), Some(120), Some(2000), None, None)
        );
    }
}
