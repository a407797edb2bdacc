//! Seats, chats and updates on their way.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::Notify;

use super::LoadConfig;
use super::crowd::{Act, Crowd, Seen, Turn};
use super::ledger::{Entry, Tally};
use super::pace::{Pace, Pacer};
use super::params;
use super::webhook::Hook;
use crate::clock::SimClock;
use crate::config::BotSeed;

/// Everything the load server knows.
pub(super) struct World {
    pub(super) bots: Vec<Bot>,
    by_token: HashMap<String, usize>,
    chats: HashMap<(usize, i64), Chat>,
    seats: Vec<Seat>,
    idle: VecDeque<usize>,
    pacer: Pacer,
    crowd: Box<dyn Crowd>,
    needs_buttons: bool,
    patience: Duration,
    clock: SimClock,
    last_update: i64,
    last_message: i64,
    pub(super) tally: Tally,
}

/// A bot.
pub(super) struct Bot {
    pub(super) seed: BotSeed,
    /// Updates that are not confirmed, or not taken by a webhook's connection.
    pub(super) queue: VecDeque<Waiting>,
    /// An update came.
    pub(super) news: Arc<Notify>,
    pub(super) hook: Option<Hook>,
    /// Webhooks that were set so far.
    pub(super) hooks: u64,
}

/// An update that waits.
pub(super) struct Waiting {
    pub(super) update: i64,
    pub(super) chat: i64,
    pub(super) json: String,
}

#[derive(Default)]
struct Seat {
    /// Bot and person; none at the beginning.
    holds: Option<(usize, i64)>,
    /// A reply is awaited since then.
    waits: Option<Instant>,
}

#[derive(Default)]
struct Chat {
    seat: Option<usize>,
    open: VecDeque<Entry>,
    last: Option<Shown>,
}

/// A message as the bot sent it: text and keyboard are JSON.
struct Shown {
    message: i64,
    text: String,
    markup: String,
}

/// A message of the bot to a chat.
pub(super) struct Said<'a> {
    /// Its number.
    pub(super) message: i64,
    /// JSON of its text or caption.
    pub(super) text: Option<&'a str>,
    /// JSON of its keyboard.
    pub(super) markup: Option<&'a str>,
    /// Somebody can press something.
    pub(super) buttons: bool,
}

impl World {
    pub(super) fn new(config: &LoadConfig, crowd: Box<dyn Crowd>) -> Self {
        let bot = |seed: &BotSeed| Bot { seed: seed.clone(), queue: VecDeque::new(), news: Arc::default(), hook: None, hooks: 0 };
        Self {
            bots: config.bots.iter().map(bot).collect(),
            by_token: config.bots.iter().enumerate().map(|(place, bot)| (bot.token.clone(), place)).collect(),
            chats: HashMap::new(),
            seats: (0..config.seats).map(|_| Seat::default()).collect(),
            idle: (0..config.seats).collect(),
            pacer: Pacer::new(),
            crowd,
            needs_buttons: config.needs_buttons,
            patience: config.patience,
            clock: SimClock::new(),
            last_update: 0,
            last_message: 0,
            tally: Tally::default(),
        }
    }

    pub(super) fn bot_of(&self, token: &str) -> Option<usize> {
        self.by_token.get(token).copied()
    }

    /// Unix time, seconds.
    pub(super) fn date(&self) -> i64 {
        self.clock.now()
    }

    pub(super) fn next_message(&mut self) -> i64 {
        self.last_message += 1;
        self.last_message
    }

    pub(super) fn take(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    pub(super) const fn made(&self) -> u64 {
        self.last_update.cast_unsigned()
    }

    pub(super) fn outstanding(&self) -> usize {
        self.chats.values().flat_map(|chat| &chat.open).filter(|entry| !entry.replied).count()
    }

    pub(super) const fn is_open(&self) -> bool {
        matches!(self.pacer.pace, Pace::Open { .. })
    }

    pub(super) fn set_pace(&mut self, pace: Pace) {
        self.pacer.set(pace);
        let now = Instant::now();
        if pace == Pace::Closed {
            for seat in std::mem::take(&mut self.idle) {
                self.turn(seat, now, true);
            }
        }
    }

    /// Turns that are due, and people who have waited too long.
    pub(super) fn tick(&mut self, now: Instant) {
        while let Some(due) = self.pacer.next(now) {
            let Some(seat) = self.idle.pop_front() else {
                self.pacer.later(due);
                break;
            };
            self.turn(seat, due, true);
        }
    }

    /// People who got nothing usable for too long start over.
    pub(super) fn lose_patience(&mut self, now: Instant) {
        let tired = |seat: &Seat| seat.waits.is_some_and(|since| now.duration_since(since) > self.patience);
        let stuck: Vec<usize> = self.seats.iter().enumerate().filter(|(_, seat)| tired(seat)).map(|(place, _)| place).collect();
        for seat in stuck {
            self.tally.stuck += 1;
            if self.pacer.pace != Pace::Still {
                self.turn(seat, now, false);
            } else if let Some(seat) = self.seats.get_mut(seat) {
                seat.waits = Some(now);
            }
        }
    }

    /// The next turn of a seat, made at this time.
    fn turn(&mut self, seat: usize, made: Instant, sees: bool) {
        let holds = self.seats.get(seat).and_then(|seat| seat.holds);
        let seen = holds.filter(|_| sees).and_then(|key| self.chats.get(&key)).and_then(|chat| chat.last.as_ref()).map(Shown::seen);
        let turn = self.crowd.next(seat, seen.as_ref());
        let takes = (turn.bot, turn.person);
        if let Some(left) = holds.filter(|left| *left != takes)
            && let Some(chat) = self.chats.get_mut(&left)
        {
            chat.seat = None;
            if chat.open.is_empty() {
                self.chats.remove(&left);
            }
        }
        if let Some(place) = self.seats.get_mut(seat) {
            *place = Seat { holds: Some(takes), waits: Some(Instant::now()) };
        }
        self.act(Some(seat), turn, made);
    }

    /// Somebody does something: the update's number. What is for no bot is number 0.
    pub(super) fn act(&mut self, seat: Option<usize>, turn: Turn, made: Instant) -> i64 {
        let Turn { bot, person, act } = turn;
        let date = self.date();
        let message = self.next_message();
        let Some(to) = self.bots.get_mut(bot) else { return 0 };
        self.last_update += 1;
        let update = self.last_update;
        let chat = self.chats.entry((bot, person)).or_default();
        chat.seat = seat.or(chat.seat);
        let tap = matches!(act, Act::Tap(_));
        let json = write(&to.seed, update, message, person, date, &act, chat.last.as_ref());
        chat.open.push_back(Entry::new(update, tap, made));
        self.tally.made += 1;
        self.tally.taps += u64::from(tap);
        to.queue.push_back(Waiting { update, chat: person, json });
        to.news.notify_one();
        update
    }

    /// The bot wrote to a chat or edited a message in it.
    pub(super) fn said(&mut self, bot: usize, chat: i64, said: &Said<'_>, now: Instant) {
        let Some(chat) = self.chats.get_mut(&(bot, chat)) else {
            self.tally.announcements += 1;
            return;
        };
        if let Some(entry) = chat.open.iter_mut().find(|entry| !entry.replied) {
            self.tally.reply(entry, now);
        }
        let usable = said.buttons || !self.needs_buttons;
        if usable {
            let json = |raw: Option<&str>| raw.unwrap_or("null").to_owned();
            chat.last = Some(Shown { message: said.message, text: json(said.text), markup: json(said.markup) });
        }
        let done = chat.open.iter().all(|entry| entry.replied);
        while chat.open.front().is_some_and(Entry::is_over) {
            chat.open.pop_front();
        }
        match chat.seat {
            Some(seat) if usable && done => self.ready(seat, now),
            _ => {}
        }
    }

    /// The bot answered a tap.
    pub(super) fn answered(&mut self, bot: usize, query: &str, now: Instant) {
        let numbers = query.split_once(':').and_then(|(update, chat)| Some((update.parse::<i64>().ok()?, chat.parse::<i64>().ok()?)));
        let Some((update, chat)) = numbers else { return };
        let Some(chat) = self.chats.get_mut(&(bot, chat)) else { return };
        if let Some(entry) = chat.open.iter_mut().find(|entry| entry.update == update) {
            self.tally.answer(entry, now);
        }
        while chat.open.front().is_some_and(Entry::is_over) {
            chat.open.pop_front();
        }
    }

    /// Notes that updates go to the bot now.
    pub(super) fn hand(&mut self, bot: usize, chat: i64, update: i64, now: Instant) {
        let Some(chat) = self.chats.get_mut(&(bot, chat)) else { return };
        if let Some(entry) = chat.open.iter_mut().find(|entry| entry.update == update) {
            self.tally.hand(entry, now);
        }
    }

    /// Confirms updates below `offset` and hands out what waits, as a JSON array; none if nothing waits.
    pub(super) fn fetch(&mut self, bot: usize, offset: Option<i64>, limit: usize, now: Instant) -> Option<String> {
        let queue = &mut self.bots.get_mut(bot)?.queue;
        while queue.front().is_some_and(|waiting| offset.is_some_and(|offset| waiting.update < offset)) {
            queue.pop_front();
        }
        if queue.is_empty() {
            return None;
        }
        let mut handed = Vec::with_capacity(limit.min(queue.len()));
        let mut json = String::from("[");
        for waiting in queue.iter().take(limit) {
            if json.len() > 1 {
                json.push(',');
            }
            json.push_str(&waiting.json);
            handed.push((waiting.chat, waiting.update));
        }
        json.push(']');
        for (chat, update) in handed {
            self.hand(bot, chat, update, now);
        }
        Some(json)
    }

    /// Somebody has what they waited for.
    fn ready(&mut self, seat: usize, now: Instant) {
        match self.seats.get_mut(seat) {
            Some(place) if place.waits.is_some() => place.waits = None,
            _ => return,
        }
        match self.pacer.pace {
            Pace::Closed => self.turn(seat, now, true),
            Pace::Still => self.idle.push_back(seat),
            Pace::Open { .. } => match self.pacer.next(now) {
                Some(due) => self.turn(seat, due, true),
                None => self.idle.push_back(seat),
            },
        }
    }
}

impl Shown {
    fn seen(&self) -> Seen {
        Seen { message: self.message, text: serde_json::from_str(&self.text).unwrap_or_default(), buttons: params::buttons(&self.markup) }
    }
}

/// A photo that everybody sends, and what is downloaded for it: the smallest JPEG file there is to speak of.
pub(super) const PHOTO: &str = r#"{"file_id":"load-photo","file_unique_id":"load-photo","file_size":4,"width":90,"height":90}"#;

/// An update as Telegram would write it.
fn write(bot: &BotSeed, update: i64, message: i64, person: i64, date: i64, act: &Act, last: Option<&Shown>) -> String {
    let from = format!(r#"{{"id":{person},"is_bot":false,"first_name":"Person {person}","language_code":"ru"}}"#);
    let chat = format!(r#"{{"id":{person},"first_name":"Person {person}","type":"private"}}"#);
    let head = format!(r#""message_id":{message},"from":{from},"chat":{chat},"date":{date}"#);
    match act {
        Act::Say(text) => {
            let length = text.split(' ').next().map_or(0, |command| command.encode_utf16().count());
            let entities = if text.starts_with('/') {
                format!(r#","entities":[{{"offset":0,"length":{length},"type":"bot_command"}}]"#)
            } else {
                String::new()
            };
            format!(r#"{{"update_id":{update},"message":{{{head},"text":{}{entities}}}}}"#, json!(text))
        }
        Act::Photo => format!(r#"{{"update_id":{update},"message":{{{head},"photo":[{PHOTO}]}}}}"#),
        Act::Tap(data) => {
            let of = match last {
                Some(Shown { message, text, markup }) => {
                    let from = json!({"id": bot.id, "is_bot": true, "first_name": bot.first_name, "username": bot.username});
                    format!(r#"{{"message_id":{message},"from":{from},"chat":{chat},"date":{date},"text":{text},"reply_markup":{markup}}}"#)
                }
                None => format!(r#"{{"message_id":{message},"chat":{chat},"date":0}}"#),
            };
            let query = format!(r#""id":"{update}:{person}","from":{from},"message":{of},"chat_instance":"1","data":{}"#, json!(data));
            format!(r#"{{"update_id":{update},"callback_query":{{{query}}}}}"#)
        }
    }
}
