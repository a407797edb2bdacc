//! Technicians at work: each opens a procedure of the example notes and walks through it, by the buttons and questions of the bot's last message,
//! then leaves the seat to the next one.
//!
//! There are more technicians than seats because the product sends a chat one message a second on average, with bursts of 40: a conversation
//! without pauses for thought would measure that limit.

use fitter_simulator::load::{Act, Crowd, Seen, Turn};

/// User id of the first technician.
pub const FIRST: i64 = 100_000;

/// Procedures of `examples/vault` without photos: words that find them, and their titles.
const PROCEDURES: [(&str, &str); 4] = [
    ("не выходит на связь", "Трекер не выходит на связь"),
    ("первая проверка связи", "Первая проверка связи"),
    ("разряжается аккумулятор", "Разряжается аккумулятор"),
    ("калибровка", "Калибровка ДУТ"),
];

/// A person who takes longer is lost in the menus.
const MOST_TURNS: u32 = 60;

/// All of them.
pub struct Crew {
    bots: usize,
    seats: Vec<Place>,
    size: usize,
}

#[derive(Clone, Default)]
struct Place {
    /// How many people left this seat.
    left: usize,
    stage: Stage,
    turns: u32,
    looked_back: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    New,
    Listed,
    Found,
    Walking,
    Ended,
}

impl Crew {
    /// `size` technicians for `seats` seats, spread over the bots.
    #[must_use]
    pub fn new(seats: usize, size: usize, bots: usize) -> Self {
        Self { bots: bots.max(1), seats: vec![Place::default(); seats], size: size.max(seats) }
    }

    fn person(&self, seat: usize) -> usize {
        let left = self.seats.get(seat).map_or(0, |place| place.left);
        (seat + left * self.seats.len()) % self.size
    }
}

impl Crowd for Crew {
    fn next(&mut self, seat: usize, seen: Option<&Seen>) -> Turn {
        let procedure = self.person(seat) + self.seats.get(seat).map_or(0, |place| place.left);
        let act = self.seats.get_mut(seat).map_or(Act::Photo, |place| place.act(procedure, seen));
        let person = self.person(seat);
        Turn { bot: person % self.bots, person: FIRST + i64::try_from(person).unwrap_or_default(), act }
    }
}

impl Place {
    fn act(&mut self, procedure: usize, seen: Option<&Seen>) -> Act {
        self.turns += 1;
        let (words, title) = PROCEDURES.get(procedure % PROCEDURES.len()).copied().unwrap_or_default();
        let Some(seen) = seen.filter(|_| self.turns < MOST_TURNS) else { return self.begin() };
        match self.stage {
            Stage::Listed => {
                self.stage = Stage::Found;
                Act::Say(words.to_owned())
            }
            Stage::Found => match data(seen, |label, data| data.starts_with("p:") && label == title) {
                Some(data) => {
                    self.stage = Stage::Walking;
                    Act::Tap(data)
                }
                None => self.begin(),
            },
            Stage::Walking => self.walk(seen).unwrap_or_else(|| self.begin()),
            Stage::Ended => {
                self.left += 1;
                self.begin()
            }
            Stage::New => self.begin(),
        }
    }

    fn begin(&mut self) -> Act {
        *self = Self { left: self.left, stage: Stage::Listed, ..Self::default() };
        Act::Say("/procedures".to_owned())
    }

    /// The next move in a walk; none if there is nothing to press.
    fn walk(&mut self, seen: &Seen) -> Option<Act> {
        if let Some(start) = data(seen, |_, data| data.starts_with("go:")) {
            return Some(Act::Tap(start));
        }
        let press = |what: &str| data(seen, |_, data| data.starts_with("w:") && data.rsplit(':').next() == Some(what));
        if data(seen, |_, data| data.starts_with("w:")).is_none() {
            self.stage = Stage::Ended;
            return data(seen, |_, data| data == "m").map(Act::Tap);
        }
        if let Some(back) = press("bk").filter(|_| !self.looked_back && self.turns > 8) {
            self.looked_back = true;
            return Some(Act::Tap(back));
        }
        // Send a problem; done, yes, on; an answer; the reason of a reading.
        for what in ["se", "ok", "c0", "rs"] {
            if let Some(data) = press(what) {
                return Some(Act::Tap(data));
            }
        }
        Some(Act::Say(value(&seen.text)))
    }
}

/// People who say the shortest thing that has a reply and changes where they are: one update, one dialogue, one new message.
pub struct Talkers {
    seats: Vec<usize>,
    size: usize,
}

/// So much says one person before the next one takes the seat.
const WORDS_EACH: usize = 20;

impl Talkers {
    /// `size` people for `seats` seats.
    #[must_use]
    pub fn new(seats: usize, size: usize) -> Self {
        Self { seats: vec![0; seats], size: size.max(seats) }
    }
}

impl Crowd for Talkers {
    fn next(&mut self, seat: usize, _seen: Option<&Seen>) -> Turn {
        let seats = self.seats.len();
        let said = self.seats.get_mut(seat).map_or(0, |said| std::mem::replace(said, *said + 1));
        let person = (seat + said / WORDS_EACH * seats) % self.size;
        Turn { bot: 0, person: FIRST + i64::try_from(person).unwrap_or_default(), act: Act::Say("/help".to_owned()) }
    }
}

fn data(seen: &Seen, wanted: impl Fn(&str, &str) -> bool) -> Option<String> {
    seen.buttons
        .iter()
        .filter_map(|button| Some((&button.text, button.callback_data.as_ref()?)))
        .find(|(text, data)| wanted(text, data))
        .map(|(_, data)| data.clone())
}

/// What to type: the lower bound of a reading's range, the example that the bot gives, or any words.
fn value(text: &str) -> String {
    let question = text.rsplit_once('❓').map_or(text, |(_, question)| question);
    if question.contains("число") {
        let range = question.split_once('(').map_or("12", |(_, range)| range);
        let digits = range.trim_start_matches(|c: char| !c.is_ascii_digit());
        let number: String = digits.chars().take_while(|c| c.is_ascii_digit() || *c == ',').collect();
        return if number.is_empty() { "12".to_owned() } else { number };
    }
    question
        .split_once("например: ")
        .map_or_else(|| "всё в порядке".to_owned(), |(_, example)| example.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use fitter_simulator::load::Button;

    use super::*;

    fn seen(text: &str, buttons: &[(&str, &str)]) -> Seen {
        let button = |(text, data): &(&str, &str)| Button { text: (*text).to_owned(), callback_data: Some((*data).to_owned()) };
        Seen { message: 1, text: text.to_owned(), buttons: buttons.iter().map(button).collect() }
    }

    #[test]
    fn what_is_typed() {
        assert_eq!(value("Шаг 2\n❓ Напряжение (9 – 32 В)\nНапишите число."), "9");
        assert_eq!(value("❓ Ток (до 0,05 А)\nНапишите число."), "0,05");
        assert_eq!(value("❓ IMEI\nНапишите ответ, например: 356307042441013"), "356307042441013");
        assert_eq!(value("❓ Что нашли?\nНапишите ответ."), "всё в порядке");
    }

    #[test]
    fn a_conversation_and_the_next_person() {
        let mut crew = Crew::new(2, 6, 2);
        let mut next = |seen: Option<&Seen>| crew.next(1, seen);
        assert_eq!(next(None), Turn { bot: 1, person: FIRST + 1, act: Act::Say("/procedures".to_owned()) });
        assert_eq!(next(Some(&seen("Какая?", &[]))).act, Act::Say("первая проверка связи".to_owned()));
        let found = seen("Какая?", &[("Другая", "p:1:-"), ("Первая проверка связи", "p:2:-")]);
        assert_eq!(next(Some(&found)).act, Act::Tap("p:2:-".to_owned()));
        assert_eq!(next(Some(&seen("Первая", &[("Начать", "go:2:-")]))).act, Act::Tap("go:2:-".to_owned()));
        let step = seen("Шаг 1", &[("Готово", "w:1:1:ok"), ("Пауза", "w:1:1:pa")]);
        assert_eq!(next(Some(&step)).act, Act::Tap("w:1:1:ok".to_owned()));
        let step = seen("Шаг 2", &[("А", "w:1:2:c0"), ("Б", "w:1:2:c1")]);
        assert_eq!(next(Some(&step)).act, Act::Tap("w:1:2:c0".to_owned()));
        assert_eq!(next(Some(&seen("❓ Что?", &[("Пауза", "w:1:3:pa")]))).act, Act::Say("всё в порядке".to_owned()));
        assert_eq!(next(Some(&seen("готово", &[("Меню", "m")]))).act, Act::Tap("m".to_owned()));
        assert_eq!(next(Some(&seen("Чем помочь?", &[("?", "help")]))).person, FIRST + 3);
    }

    #[test]
    fn people_who_talk_take_turns() {
        let mut talkers = Talkers::new(2, 4);
        let person = |turn: Turn| turn.person - FIRST;
        let first: Vec<i64> = (0..WORDS_EACH).map(|_| person(talkers.next(0, None))).collect();
        assert!(first.iter().all(|&person| person == 0));
        assert_eq!([person(talkers.next(0, None)), person(talkers.next(1, None))], [2, 1]);
    }
}
