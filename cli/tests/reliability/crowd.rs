//! People at work: walks with answers that are known beforehand, questions, faults reported to managers. They do not wait for the bot longer
//! than people do, and they remember what they gave.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fitter_testkit::telegram::{Message, picture};
use fitter_testkit::{Fitter, Telegram};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::storm::Size;

/// Numbers of the people begin here.
const FIRST: i64 = 10_000;
/// Groups of people who act side by side.
const GROUPS: usize = 8;
/// The procedure that they walk.
const TITLE: &str = "Восемь замеров";
/// Steps of it.
const STEPS: usize = 8;

/// What Telegram made an update of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Sent {
    /// A message of a person's.
    Message(i64),
    /// A tap on a button.
    Tap(String),
}

/// What somebody does next.
#[derive(Debug, Clone, PartialEq)]
enum Act {
    Say(String),
    Photo,
    /// Presses the newest button of this label, below a message with this text; a label that ends in `…` is the beginning of one.
    Tap(&'static str, &'static str),
}

/// A step of a walk's script.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    act: Act,
    /// Which step of the procedure it answers, from 1; 0 for none.
    answers: usize,
    /// It reports a fault to the managers.
    reports: bool,
}

/// One of the crowd.
pub struct Person {
    /// Their Telegram account, and their chat's number.
    pub id: i64,
    /// Everything they did.
    pub sent: Vec<Sent>,
    /// For each of their walks, how many answers they gave in it.
    pub walks: Vec<usize>,
    /// Questions they asked.
    pub questions: i64,
    /// Photos they gave.
    pub photos: i64,
    /// Faults they reported.
    pub reports: i64,
    /// How often they lost patience.
    pub lost_patience: usize,
    script: Vec<Line>,
    at: usize,
    /// Messages up to this one are of earlier walks.
    mark: i64,
    /// When they last did something.
    since: Instant,
    /// Whether they look at a step before they answer it.
    careful: bool,
    patience: Duration,
    /// What they say may pass a tap.
    apart: bool,
    /// A tap that may not be answered yet.
    tapped: Option<String>,
    random: StdRng,
}

/// Everybody.
pub struct Crowd {
    groups: Vec<tokio::sync::Mutex<Vec<Person>>>,
    enough: std::sync::atomic::AtomicBool,
}

/// What a person answers at a step of a walk, as the database has it: field of the answer and value.
pub fn answer(person: i64, walk: usize, step: usize) -> (&'static str, Value) {
    match step {
        2 => ("value", json!(number(person, walk))),
        4 => ("kind", json!("confirmed")),
        6 => ("label", json!(choice(person, walk))),
        8 => ("files", Value::Null),
        _ => ("text", json!(words(person, walk, step))),
    }
}

fn words(person: i64, walk: usize, step: usize) -> String {
    format!("ответ {step} {person}-{walk}")
}

fn number(person: i64, walk: usize) -> f64 {
    f64::from(u32::try_from(person * 100 + i64::try_from(walk).unwrap()).unwrap())
}

fn choice(person: i64, walk: usize) -> &'static str {
    if (person.unsigned_abs() as usize + walk).is_multiple_of(2) { "Левый" } else { "Правый" }
}

/// A walk from the menu to its last answer; some report a fault on the way, some ask a question afterwards.
fn script(person: i64, walk: usize, random: &mut StdRng) -> Vec<Line> {
    let line = |act, answers| Line { act, answers, reports: false };
    let mut lines = vec![line(Act::Say("/procedures".to_owned()), 0), line(Act::Tap(TITLE, ""), 0), line(Act::Tap("▶ Начать", ""), 0)];
    if random.random_bool(0.05) {
        lines.push(line(Act::Tap("Проблема", "Шаг 1 из 8"), 0));
        lines.push(line(Act::Say(format!("искрит {person}-{walk}")), 0));
        lines.push(Line { reports: true, ..line(Act::Tap("Отправить менеджеру", ""), 0) });
    }
    for step in 1..=STEPS {
        let act = match step {
            2 => Act::Say(number(person, walk).to_string()),
            4 => Act::Tap("✓ Да", "Шаг 4 из 8"),
            6 => Act::Tap(choice(person, walk), "Шаг 6 из 8"),
            8 => Act::Photo,
            _ => Act::Say(words(person, walk, step)),
        };
        lines.push(line(act, step));
    }
    if random.random_bool(0.3) {
        lines.push(line(Act::Say(QUESTION.to_owned()), 0));
    }
    lines
}

/// The notes have an answer.
const QUESTION: &str = "какой предохранитель на питание маяка?";

impl Person {
    fn new(place: usize, size: &Size) -> Self {
        let id = FIRST + i64::try_from(place).unwrap();
        let mut random = StdRng::seed_from_u64(size.seed ^ (id.unsigned_abs() << 20));
        let (script, careful) = (script(id, 0, &mut random), random.random_bool(0.5));
        Self {
            id,
            sent: Vec::new(),
            walks: Vec::new(),
            questions: 0,
            photos: 0,
            reports: 0,
            lost_patience: 0,
            script,
            at: 0,
            mark: 0,
            since: Instant::now(),
            careful,
            patience: size.patience,
            apart: size.apart,
            tapped: None,
            random,
        }
    }

    /// Does the next thing, if it can be done by now.
    async fn act(&mut self, telegram: &Telegram) -> bool {
        let Some(line) = self.script.get(self.at).cloned() else {
            let walk = self.walks.len();
            self.script = script(self.id, walk, &mut self.random);
            self.careful = self.random.random_bool(0.5);
            self.at = 0;
            return false;
        };
        let done = match &line.act {
            _ if self.apart && !self.is_answered(telegram).await => false,
            Act::Tap(label, below) => self.tap(telegram, label, below).await,
            Act::Say(_) | Act::Photo if !self.sees_step(telegram, line.answers).await => false,
            Act::Say(text) => {
                self.say(telegram, text).await;
                true
            }
            Act::Photo => {
                self.photo(telegram).await;
                true
            }
        };
        if !done {
            return self.since.elapsed() > self.patience && self.lose_patience(telegram).await;
        }
        self.since = Instant::now();
        self.at += 1;
        match line.act {
            Act::Tap("▶ Начать", _) => self.walks.push(0),
            Act::Say(text) if text == QUESTION => self.questions += 1,
            Act::Photo => self.photos += 1,
            _ => {}
        }
        self.reports += i64::from(line.reports);
        if let (1.., Some(given)) = (line.answers, self.walks.last_mut()) {
            *given = line.answers;
        }
        true
    }

    /// Whether the step to answer is there; who is not careful does not look.
    async fn sees_step(&self, telegram: &Telegram, step: usize) -> bool {
        if step == 0 || !self.careful {
            return true;
        }
        let shown = format!("Шаг {step} из {STEPS}");
        self.newest(telegram).await.iter().any(|message| message.text().contains(&shown))
    }

    /// Whether the last tap is answered.
    async fn is_answered(&mut self, telegram: &Telegram) -> bool {
        let Some(tap) = &self.tapped else { return true };
        let (_, answers) = telegram.get(&format!("answers?person={}", self.id)).await;
        let is = |answer: &Value| answer.get("callback_query_id").and_then(Value::as_str) == Some(tap);
        let answered = answers.as_array().is_some_and(|answers| answers.iter().any(is));
        if answered {
            self.tapped = None;
        }
        answered
    }

    /// Opens the menu and goes on from there.
    async fn lose_patience(&mut self, telegram: &Telegram) -> bool {
        self.lost_patience += 1;
        self.since = Instant::now();
        self.say(telegram, "/menu").await;
        let begun = self.script[..self.at].iter().any(|line| matches!(line.act, Act::Tap("▶ Начать", _)));
        if begun && self.script[self.at..].iter().any(|line| line.answers > 0) {
            // What was half reported is given up.
            let rest = self.script.split_off(self.at).into_iter().skip_while(|line| line.answers == 0);
            self.script = [Line { act: Act::Tap("Восемь замеров…", ""), answers: 0, reports: false }].into_iter().chain(rest).collect();
            // The walk counts as begun already.
            self.script.insert(0, Line { act: Act::Tap("▶ Начать", ""), answers: 0, reports: false });
            self.at = 1;
        } else if !begun {
            self.at = 0;
        }
        true
    }

    /// What the bot wrote since the walk began, newest first.
    async fn newest(&self, telegram: &Telegram) -> Vec<Message> {
        let (_, messages) = telegram.get(&format!("messages?person={}&bot={}&limit=12", self.id, telegram.username(0))).await;
        let messages = messages.as_array().cloned().unwrap_or_default();
        messages.into_iter().rev().map(Message::from).filter(|message| message.by_bot() && message.id() > self.mark).collect()
    }

    async fn tap(&mut self, telegram: &Telegram, label: &str, below: &str) -> bool {
        let found = self.newest(telegram).await;
        let Some(message) = found.iter().find(|message| message.text().contains(below) && message.place(label).is_some()) else {
            return false;
        };
        let Some(data) = message.data(label) else { return false };
        let body = json!({"person": self.id, "bot": telegram.username(0), "message_id": message.id(), "data": data});
        // The bot may change the message at this very moment.
        let (status, pressed) = telegram.try_post("tap", &body).await;
        let Some(id) = pressed.get("callback_query_id").and_then(Value::as_str).filter(|_| status < 300) else { return false };
        self.sent.push(Sent::Tap(id.to_owned()));
        self.tapped = Some(id.to_owned());
        true
    }

    async fn say(&mut self, telegram: &Telegram, text: &str) {
        let sent = telegram.post("send", json!({"person": self.id, "bot": telegram.username(0), "text": text})).await;
        self.remember(&sent);
        if text.starts_with('/') {
            self.mark = match self.sent.last() {
                Some(Sent::Message(id)) => *id,
                _ => self.mark,
            };
        }
    }

    async fn photo(&mut self, telegram: &Telegram) {
        static PICTURES: AtomicU64 = AtomicU64::new(1_000_000);
        let bytes = picture(PICTURES.fetch_add(1, Ordering::Relaxed));
        let body = json!({"person": self.id, "bot": telegram.username(0)});
        let sent = telegram.send_files(&body, vec![("photo", "photo.png".to_owned(), bytes)]).await;
        self.remember(&sent);
    }

    fn remember(&mut self, sent: &Value) {
        let messages = sent.as_array().into_iter().flatten();
        self.sent.extend(messages.filter_map(|message| message.get("message_id")?.as_i64()).map(Sent::Message));
    }
}

impl Crowd {
    /// So many people whom the company knows, two of them managers. Who sees nothing for as long as their patience lasts opens the menu and goes
    /// on from there.
    pub async fn gather(fitter: &Fitter, size: &Size) -> Self {
        let people = size.people;
        let mut groups: Vec<Vec<Person>> = (0..GROUPS).map(|_| Vec::new()).collect();
        for place in 0..people {
            groups[place % GROUPS].push(Person::new(place, size));
        }
        let crowd = Self { groups: groups.into_iter().map(tokio::sync::Mutex::new).collect(), enough: false.into() };
        let last = FIRST + i64::try_from(people).unwrap();
        for id in FIRST..last {
            fitter.telegram.account(id, &format!("Техник {id}"), "ru").await;
        }
        let bot = fitter.telegram.bot_id(0);
        // Somebody has to hear of faults.
        fitter
            .execute(&format!(
                "WITH made AS (
                     INSERT INTO people (user_id, name, role, locale, onboarded, created_at)
                     SELECT id, 'Техник ' || id, CASE WHEN id < {FIRST} + 2 THEN 'manager' ELSE 'technician' END, 'ru', true, now()
                     FROM generate_series({FIRST}, {last} - 1) AS id RETURNING id, user_id
                 )
                 INSERT INTO chats (bot, chat, person, last_seen) SELECT {bot}, user_id, id, now() FROM made"
            ))
            .await;
        crowd
    }

    /// Everybody presses Start.
    pub async fn start(&self, telegram: &Telegram) {
        for group in &self.groups {
            for person in group.lock().await.iter_mut() {
                let sent = telegram.post("open", json!({"person": person.id, "bot": telegram.username(0)})).await;
                person.remember(&sent);
                person.since = Instant::now();
            }
        }
    }

    /// People do things, so many a second together, until [`Crowd::rest`].
    pub async fn act(&self, telegram: &Telegram, rate: f64) {
        let period = Duration::from_secs_f64(self.groups.len() as f64 / rate);
        self.enough.store(false, Ordering::Relaxed);
        futures::future::join_all(self.groups.iter().map(async |group| {
            let mut people = group.lock().await;
            let mut ticks = tokio::time::interval(period);
            let mut turn = 0;
            while !self.enough.load(Ordering::Relaxed) {
                ticks.tick().await;
                // Whoever waits for the bot does nothing; the next one may.
                for _ in 0..people.len().min(6) {
                    turn = (turn + 1) % people.len();
                    if people[turn].act(telegram).await {
                        break;
                    }
                }
            }
        }))
        .await;
    }

    /// Lets [`Crowd::act`] end.
    pub fn rest(&self) {
        self.enough.store(true, Ordering::Relaxed);
    }

    /// What everybody did and gave.
    pub async fn people(&self) -> Vec<tokio::sync::MutexGuard<'_, Vec<Person>>> {
        futures::future::join_all(self.groups.iter().map(tokio::sync::Mutex::lock)).await
    }
}
