//! The part of a passage that answers a question: paragraphs, items with the sentence that introduces them, rows with their header, code, quoted
//! exactly.

use std::collections::{BTreeSet, HashSet};

use fitter_domain::passage::Passage;
use fitter_domain::rich::{Node, Rich};

use crate::analyse;
use crate::search::Question;

mod unit;

use unit::{Kind, Unit};

/// A passage of at most this many characters is shown whole.
pub const SHORT: usize = 600;
/// About so many characters of a longer one are shown: a screen of a phone.
///
/// Measured with `fitter eval answers` on technicians' questions, of 30 | 28 with an answer, answered right: 480 characters 19 | 24, 600 19 | 26,
/// 800 20 | 26, whole passages 21 | 26.
const SPAN: usize = 750;
/// To leave out less than this many characters is not worth a tap.
const REST: usize = 120;

/// A word of the heading says little about where in the passage the answer is.
const HEADED: f32 = 0.4;
/// A word met by its grams only counts so much.
const ALIKE: f32 = 0.7;
/// Grams below this share are chance.
const GRAMS_LEAST: f32 = 0.5;
/// What follows a chosen part goes on with it.
const FOLLOWS: f32 = 0.35;
/// What stands before one may lead to it.
const PRECEDES: f32 = 0.12;
/// A part that adds less than this is left out.
const LEAST_GAIN: f32 = 0.2;
/// What a character costs: of two parts that say the same the shorter one is shown.
const PER_CHARACTER: f32 = 0.0006;
/// A part that looks like what is asked for: a number for "how many".
const LOOKS_RIGHT: f32 = 0.5;
/// A heading that asks the same is answered by what stands right below it.
const BEGINNING: f32 = 1.5;

/// The part of `passage` that answers the question; `None` if the whole passage is to be shown. Warnings are not in it: they are always shown
/// ([`Passage::parts`]).
#[must_use]
pub fn extract(question: &Question, passage: &Passage) -> Option<Rich> {
    let (text, _) = passage.parts();
    let units = unit::cut(&text);
    let total: usize = units.iter().map(|unit| unit.length).sum();
    if total <= SHORT || units.len() < 2 {
        return None;
    }
    let chosen = Choice::new(question, passage, &units).choose();
    let shown: usize = chosen.iter().filter_map(|at| units.get(*at)).map(|unit| unit.length).sum();
    (!chosen.is_empty() && shown + REST < total).then(|| joined(&units, &chosen))
}

/// What a question looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sought {
    /// A number.
    Number,
    /// A name, a value, a code.
    Value,
    /// What to do.
    Way,
    /// Anything.
    Any,
}

const NUMBER_WORDS: [&str; 18] = [
    "сколько",
    "скока",
    "скольки",
    "скольких",
    "сколь",
    "неше",
    "қанша",
    "many",
    "much",
    "long",
    "often",
    "напряжение",
    "ток",
    "скорость",
    "номинал",
    "длина",
    "voltage",
    "speed",
];
const VALUE_WORDS: [&str; 14] =
    ["какой", "какая", "какое", "какие", "каким", "каком", "какую", "который", "which", "what", "қандай", "қай", "где", "where"];
const WAY_WORDS: [&str; 7] = ["как", "how", "қалай", "чем", "қайтіп", "делать", "істеу"];

fn sought(question: &Question) -> Sought {
    let asks = |words: &[&str]| question.terms.iter().any(|term| words.contains(&term.word.as_str()));
    if asks(&NUMBER_WORDS) {
        Sought::Number
    } else if asks(&VALUE_WORDS) {
        Sought::Value
    } else if asks(&WAY_WORDS) {
        Sought::Way
    } else {
        Sought::Any
    }
}

/// The words of a unit in the forms in which a question may have them.
struct Words {
    stems: HashSet<String>,
    grams: HashSet<String>,
    codes: HashSet<String>,
}

impl Words {
    fn of(text: &str) -> Self {
        let words = analyse::words(text);
        Self {
            stems: words.iter().map(|word| analyse::stem(word)).collect(),
            grams: words.iter().flat_map(|word| analyse::grams(word)).collect(),
            codes: analyse::codes(text).into_iter().collect(),
        }
    }
}

/// Something that the question asks about.
struct Sign {
    /// Any of these, all words of it.
    stems: Vec<Vec<String>>,
    grams: Vec<String>,
    code: Option<String>,
}

impl Sign {
    /// How well these words have it, 0 to 1.
    fn met(&self, words: &Words) -> f32 {
        if self.code.as_ref().is_some_and(|code| words.codes.contains(code)) {
            return 1.0;
        }
        if self.stems.iter().any(|all| !all.is_empty() && all.iter().all(|stem| words.stems.contains(stem))) {
            return 1.0;
        }
        if self.grams.len() < 2 {
            return 0.0;
        }
        let found = self.grams.iter().filter(|gram| words.grams.contains(*gram)).count();
        let share = found as f32 / self.grams.len() as f32;
        if share >= GRAMS_LEAST { ALIKE * share } else { 0.0 }
    }
}

fn signs(question: &Question) -> Vec<Sign> {
    let terms = question.terms.iter().filter(|term| !term.stop).map(|term| {
        let meanings = term.meanings.iter().map(|meaning| meaning.iter().map(|word| analyse::stem(word)).collect());
        Sign {
            stems: std::iter::once(vec![analyse::stem(&term.word)]).chain(meanings).collect(),
            grams: analyse::grams(&term.word),
            code: None,
        }
    });
    let codes = question.codes.iter().map(|code| Sign { stems: Vec::new(), grams: Vec::new(), code: Some(code.clone()) });
    terms.chain(codes).collect()
}

/// The choice of units under way.
struct Choice<'u> {
    units: &'u [Unit],
    sought: Sought,
    /// Weight of each sign.
    weights: Vec<f32>,
    /// How well each unit has each sign.
    met: Vec<Vec<f32>>,
    covered: Vec<f32>,
    /// How much of the question the heading has, 0 to 1.
    headed: f32,
    chosen: BTreeSet<usize>,
    used: usize,
    looks_right: bool,
}

impl<'u> Choice<'u> {
    fn new(question: &Question, passage: &Passage, units: &'u [Unit]) -> Self {
        let signs = signs(question);
        let words: Vec<Words> = units.iter().map(|unit| Words::of(&unit.text)).collect();
        let heading = Words::of(&std::iter::once(&passage.title).chain(&passage.headings).cloned().collect::<Vec<_>>().join(" "));
        let met: Vec<Vec<f32>> = words.iter().map(|words| signs.iter().map(|sign| sign.met(words)).collect()).collect();
        let in_heading: Vec<f32> = signs.iter().map(|sign| sign.met(&heading)).collect();
        let headed = in_heading.iter().sum::<f32>() / in_heading.len().max(1) as f32;
        let weight = |(at, in_heading): (usize, &f32)| {
            let having = met.iter().filter(|met| met.get(at).is_some_and(|met| *met > 0.0)).count();
            // Rare in the passage: it tells one part from the others.
            let rarity = (1.0 + units.len() as f32 / having.max(1) as f32).ln();
            if *in_heading > 0.0 { HEADED * rarity } else { rarity }
        };
        let weights: Vec<f32> = in_heading.iter().enumerate().map(weight).collect();
        let covered = vec![0.0; weights.len()];
        Self { units, sought: sought(question), weights, met, covered, headed, chosen: BTreeSet::new(), used: 0, looks_right: false }
    }

    fn choose(mut self) -> BTreeSet<usize> {
        loop {
            let best = (0..self.units.len())
                .filter(|at| !self.chosen.contains(at))
                .filter_map(|at| {
                    let with = self.with_leads(at);
                    let length: usize = with.iter().filter_map(|at| self.units.get(*at)).map(|unit| unit.length).sum();
                    let fits = self.chosen.is_empty() || self.used + length <= SPAN;
                    fits.then(|| (self.gain(at) - PER_CHARACTER * length as f32, at, with, length))
                })
                // Of equals the first one.
                .max_by(|(a, one, ..), (b, other, ..)| a.total_cmp(b).then(other.cmp(one)));
            let Some((value, at, with, length)) = best else { break };
            if value < LEAST_GAIN - PER_CHARACTER * length as f32 && !self.chosen.is_empty() {
                break;
            }
            self.take(at, with, length);
        }
        self.chosen
    }

    /// A unit with what introduces it, as far as that is not chosen yet.
    fn with_leads(&self, at: usize) -> Vec<usize> {
        let mut with = vec![at];
        let mut next = self.units.get(at).and_then(|unit| unit.lead);
        while let Some(lead) = next.filter(|lead| !self.chosen.contains(lead) && !with.contains(lead)) {
            with.push(lead);
            next = self.units.get(lead).and_then(|unit| unit.lead);
        }
        with
    }

    fn gain(&self, at: usize) -> f32 {
        let Some((unit, met)) = self.units.get(at).zip(self.met.get(at)) else { return 0.0 };
        let new: f32 =
            met.iter().zip(&self.covered).zip(&self.weights).map(|((met, covered), weight)| weight * (met - covered).max(0.0)).sum();
        let looks = if !self.looks_right && looks_like(unit, self.sought) { LOOKS_RIGHT } else { 0.0 };
        let goes_on = unit.kind != Kind::Row && at.checked_sub(1).is_some_and(|before| self.chosen.contains(&before));
        let follows = if goes_on { FOLLOWS } else { 0.0 };
        let begins = if at == 0 { BEGINNING * self.headed * self.headed } else { 0.0 };
        let precedes = if self.chosen.contains(&(at + 1)) { PRECEDES } else { 0.0 };
        new + looks + follows + precedes + begins
    }

    fn take(&mut self, at: usize, with: Vec<usize>, length: usize) {
        self.used += length;
        self.looks_right |= self.units.get(at).is_some_and(|unit| looks_like(unit, self.sought));
        for at in with {
            for (covered, met) in self.covered.iter_mut().zip(self.met.get(at).map(Vec::as_slice).unwrap_or_default()) {
                *covered = covered.max(*met);
            }
            self.chosen.insert(at);
        }
    }
}

fn looks_like(unit: &Unit, sought: Sought) -> bool {
    let digit = || unit.text.chars().any(|c| c.is_ascii_digit());
    match sought {
        Sought::Number => digit(),
        Sought::Value => unit.kind == Kind::Code || unit.marked || digit(),
        Sought::Way => matches!(unit.kind, Kind::Code | Kind::Item),
        Sought::Any => false,
    }
}

/// The chosen units; an ellipsis stands where something is left out between them.
fn joined(units: &[Unit], chosen: &BTreeSet<usize>) -> Rich {
    let mut out: Vec<Node> = Vec::new();
    let mut last: Option<usize> = None;
    for at in chosen {
        let Some(unit) = units.get(*at) else { continue };
        let next = last.is_some_and(|last| last + 1 == *at);
        match out.last_mut() {
            // Rows of one table stay one block.
            Some(Node::Pre { text, .. }) if unit.kind == Kind::Row && unit.lead.is_some() => {
                text.push_str(if next { "\n" } else { "\n…\n" });
                text.push_str(&unit.text);
                last = Some(*at);
                continue;
            }
            Some(_) if next => out.push(Node::Text(unit.joint.to_owned())),
            Some(_) => out.push(Node::Text("\n…\n".to_owned())),
            None => {}
        }
        out.extend(unit.nodes.iter().cloned());
        last = Some(*at);
    }
    Rich(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glossary::Glossary;

    fn passage(heading: &str, body: Rich) -> Passage {
        Passage { title: "Заметка".into(), headings: vec![heading.into()], body, ..Passage::default() }
    }

    fn said(question: &str, heading: &str, body: Rich) -> Option<String> {
        extract(&Question::new(question, &Glossary::default()), &passage(heading, body)).map(|span| span.plain())
    }

    const PADDING: &str = "Здесь идёт речь о посторонних вещах, которые к делу не относятся, и потому этот абзац нужен только для длины. \
        Он продолжается ещё одним предложением, чтобы занять достаточно места на экране телефона. И ещё одно предложение для того же самого, \
        чтобы весь раздел не поместился целиком. Конец этого абзаца, который никому не интересен и ничего не говорит.";

    fn padding() -> String {
        [PADDING; 3].join("\n\n")
    }

    #[test]
    fn a_short_passage_is_shown_whole() {
        assert_eq!(said("какой предохранитель", "Питание", Rich::text("Предохранитель 3 А.\n\nМасса на кузов.")), None);
    }

    #[test]
    fn the_paragraph_with_the_rare_words_is_chosen() {
        let body = Rich::text(format!("{}\n\nСкорость порта UART — 115200 бод.\n\n{}", padding(), padding()));
        let span = said("скорость порта uart", "Подключение", body).unwrap();
        assert!(span.contains("115200") && span.chars().count() <= SPAN, "{span}");
    }

    #[test]
    fn an_item_comes_with_the_sentence_that_introduces_it() {
        let body = Rich::text(format!(
            "{}\n\nЦвета проводов:\n• красный — питание\n• чёрный — масса\n• жёлтый — зажигание\n\n{}",
            padding(),
            padding()
        ));
        let span = said("какого цвета провод зажигания", "Провода", body).unwrap();
        assert!(span.contains("Цвета проводов:\n") && span.contains("жёлтый — зажигание"), "{span}");
        assert!(span.chars().count() <= SPAN, "{span}");
    }

    #[test]
    fn rows_come_with_their_header() {
        let rows: String = (10..90).map(|n| format!("D{n}     {}\n", n * 7)).collect();
        let table = format!("Датчик  Длина\n{rows}LLS20   1500");
        let body = Rich::new().push(Node::Pre { lang: String::new(), text: table });
        let span = extract(&Question::new("длина LLS20", &Glossary::default()), &passage("Длины", body)).unwrap();
        let [Node::Pre { text, .. }] = span.0.as_slice() else { panic!("{span:?}") };
        assert!(text.starts_with("Датчик  Длина\n") && text.contains("LLS20   1500"), "{text}");
        assert!(!text.contains("D40 "), "{text}");
    }

    #[test]
    fn code_comes_with_what_leads_to_it_and_stays_code() {
        let body = Rich::text(format!("{}\n\nЗадайте адрес:\n\n", padding()))
            .push(Node::Pre { lang: "sh".into(), text: "fw_setenv ethaddr 02:00".into() })
            .push(format!("\n\n{}", padding()));
        let span = extract(&Question::new("как задать ethaddr", &Glossary::default()), &passage("Сеть", body)).unwrap();
        assert!(span.0.iter().any(|node| matches!(node, Node::Pre { lang, .. } if lang == "sh")), "{span:?}");
        assert!(span.plain().contains("Задайте адрес:"), "{}", span.plain());
    }

    #[test]
    fn a_number_is_looked_for_when_a_number_is_asked_for() {
        let body = Rich::text(format!("Трекер засыпает, когда машина стоит.\n\n{0}\n\nТрекер засыпает через 10 минут.\n\n{0}", padding()));
        let span = said("через сколько засыпает трекер", "Сон", body).unwrap();
        assert!(span.contains("10 минут"), "{span}");
    }

    #[test]
    fn a_question_that_the_heading_answers_shows_the_beginning() {
        let body = Rich::text(format!("Нажмите кнопку сброса.\n\n{}", padding()));
        let span = said("сброс настроек", "Сброс настроек", body).unwrap();
        assert!(span.starts_with("Нажмите кнопку сброса."), "{span}");
    }

    #[test]
    fn a_long_paragraph_is_cut_between_sentences() {
        let body = Rich::text(format!("{PADDING} {PADDING} Сопротивление шины равно 60 Ом. {PADDING} {PADDING}"));
        let span = said("какое сопротивление шины", "CAN", body).unwrap();
        assert!(span.contains("Сопротивление шины равно 60 Ом.") && span.chars().count() <= SPAN, "{span}");
    }

    #[test]
    fn formatting_stays_and_nothing_is_invented() {
        let body =
            Rich::text(format!("{}\n\nНужен предохранитель на ", padding())).bold("3 А").push(format!(", плавкий.\n\n{}", padding()));
        let whole = body.plain();
        let span = extract(&Question::new("какой нужен предохранитель", &Glossary::default()), &passage("Питание", body)).unwrap();
        assert!(span.0.contains(&Node::Bold(Rich::text("3 А"))), "{span:?}");
        for part in span.plain().split("\n…\n") {
            assert!(whole.contains(part), "{part}");
        }
    }
}
