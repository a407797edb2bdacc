//! The language of a text, as far as its letters and its commonest words tell.

use fitter_domain::Locale;

use crate::analyse;

/// Letters of Kazakh that Russian does not have.
const KAZAKH: [char; 9] = ['ә', 'ғ', 'қ', 'ң', 'ө', 'ұ', 'ү', 'һ', 'і'];
/// Words of Kazakh, folded, that have no such letter and no meaning in Russian.
const KAZAKH_WORDS: [&str; 23] = [
    "калай",
    "кандай",
    "кайда",
    "неге",
    "немесе",
    "жане",
    "ушин",
    "керек",
    "болады",
    "емес",
    "мен",
    "туралы",
    "дейин",
    "кейин",
    "егер",
    "барлык",
    "кажет",
    "орнату",
    "косу",
    "алу",
    "ажырату",
    "тексеру",
    "жок",
];

/// The scripts that a language may be told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The language.
    Sure(Locale),
    /// Cyrillic letters only, of words that may be Russian or Kazakh.
    Cyrillic,
    /// Too little to tell: figures, codes, names.
    Nothing,
}

impl Told {
    /// Whether an answer in `self` fits a question in `asked`.
    #[must_use]
    pub fn fits(self, asked: Self) -> bool {
        match (asked, self) {
            (Self::Nothing, _) | (_, Self::Nothing) => true,
            (Self::Sure(asked), Self::Sure(answered)) => asked == answered,
            (Self::Cyrillic, told) | (told, Self::Cyrillic) => told != Self::Sure(Locale::En),
        }
    }
}

/// The language of a text. Latin words among Cyrillic ones are names.
#[must_use]
pub fn told(text: &str) -> Told {
    let words = analyse::words(text);
    // Other single letters are units as often as words.
    let prose = |word: &&String| {
        (word.chars().count() > 1 || ["и", "к", "у", "о", "я"].contains(&word.as_str())) && word.chars().all(char::is_alphabetic)
    };
    let (mut cyrillic, mut latin, mut kazakh, mut russian) = (0_usize, 0_usize, 0_usize, 0_usize);
    for word in words.iter().filter(prose) {
        if word.is_ascii() {
            latin += 1;
            continue;
        }
        cyrillic += 1;
        if word.contains(KAZAKH) || KAZAKH_WORDS.contains(&word.as_str()) {
            kazakh += 1;
        } else if analyse::is_stop_word(word) {
            russian += 1;
        }
    }
    if cyrillic == 0 {
        return if latin >= 2 { Told::Sure(Locale::En) } else { Told::Nothing };
    }
    // A name of two words in Latin letters beside one Cyrillic word is still a Cyrillic text; a whole sentence is not.
    if latin > 3 * cyrillic {
        return Told::Sure(Locale::En);
    }
    match (kazakh, russian) {
        (0, 0) => Told::Cyrillic,
        (kazakh, russian) if kazakh > russian => Told::Sure(Locale::Kk),
        (_, russian) if russian > 0 => Told::Sure(Locale::Ru),
        _ => Told::Cyrillic,
    }
}

/// The language to answer in; `otherwise` if the question does not tell.
#[must_use]
pub fn to_answer(question: &str, otherwise: Locale) -> Locale {
    match (told(question), otherwise) {
        (Told::Sure(locale), _) => locale,
        (Told::Cyrillic, Locale::En) => Locale::Ru,
        (_, otherwise) => otherwise,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages() {
        let sure = Told::Sure;
        for (text, expected) in [
            ("какой предохранитель на питание маяка", sure(Locale::Ru)),
            ("Қандай сақтандырғыш керек", sure(Locale::Kk)),
            ("маякты калай орнату керек", sure(Locale::Kk)),
            ("which fuse does the beacon need", sure(Locale::En)),
            ("маяк FMB920", Told::Cyrillic),
            ("FMB920", Told::Nothing),
            ("3 A", Told::Nothing),
            ("Установите Teltonika Configurator и откройте порт", sure(Locale::Ru)),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn an_answer_fits_its_question() {
        let fits = |asked: &str, answered: &str| told(answered).fits(told(asked));
        assert!(fits("какой предохранитель на питание", "Предохранитель на 3 А, плавкий, не дальше 10 см"));
        assert!(!fits("какой предохранитель на питание", "Use a fuse of 3 A"));
        assert!(!fits("which fuse to use", "Предохранитель на 3 А"));
        assert!(!fits("Қандай сақтандырғыш керек", "Это предохранитель на 3 А, и он плавкий"));
        assert!(fits("FMB920", "Это трекер") && fits("какой номинал", "3 А"));
        assert_eq!(to_answer("FMB920", Locale::Kk), Locale::Kk);
        assert_eq!(to_answer("маяк", Locale::En), Locale::Ru);
        assert_eq!(to_answer("where is it", Locale::Ru), Locale::En);
    }
}
