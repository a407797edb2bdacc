//! A case: its people, its updates, what came of them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use fitter_domain::Locale;
use fitter_domain::person::Role;
use fitter_testkit::app::eventually;
use fitter_testkit::telegram::{BOT, Message, client};
use fitter_testkit::{Fitter, Player};
use serde_json::{Value, json};

use crate::{Row, SECRET};

/// Numbers of updates, messages and taps that the simulator never gets to.
static NEXT: AtomicI64 = AtomicI64::new(8_000_000_000);

/// A number that no other update, message or tap has.
pub fn fresh() -> i64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A case under way.
pub struct Stage<'f> {
    /// The program.
    pub fitter: &'f Fitter,
    door: reqwest::Client,
    people: Mutex<Vec<Player<'f>>>,
    seen: Mutex<Vec<String>>,
    kept: Mutex<Vec<&'static str>>,
}

fn with<T, R>(list: &Mutex<Vec<T>>, change: impl FnOnce(&mut Vec<T>) -> R) -> R {
    change(&mut list.lock().unwrap_or_else(PoisonError::into_inner))
}

impl<'f> Stage<'f> {
    pub fn new(fitter: &'f Fitter) -> Self {
        Self { fitter, door: client(), people: Mutex::default(), seen: Mutex::default(), kept: Mutex::default() }
    }

    // Who.

    /// Somebody whom the company knows.
    pub async fn person(&self, name: &str, role: Role, locale: Locale) -> Player<'f> {
        let player = self.fitter.person(name, role, locale).await;
        self.watch(&player);
        player
    }

    pub async fn technician(&self, name: &str) -> Player<'f> {
        self.person(name, Role::Technician, Locale::Ru).await
    }

    pub async fn manager(&self, name: &str) -> Player<'f> {
        self.person(name, Role::Manager, Locale::Ru).await
    }

    pub async fn client(&self, name: &str) -> Player<'f> {
        self.person(name, Role::Client, Locale::Ru).await
    }

    /// Somebody who has never written to the bot.
    pub async fn stranger(&self, name: &str, language: &str) -> Player<'f> {
        let player = self.fitter.stranger(name, language).await;
        self.watch(&player);
        player
    }

    /// What they read counts, and they have to be able to go on afterwards.
    fn watch(&self, player: &Player<'f>) {
        with(&self.people, |people| people.push(player.at(0)));
    }

    // What is sent.

    /// Hands an update to the webhook as Telegram does; its status.
    pub async fn knock(&self, secret: Option<&str>, body: impl Into<reqwest::Body>) -> u16 {
        let request = self.door.post(format!("http://{}/telegram/{BOT}", self.fitter.http_addr())).body(body);
        let request = match secret {
            Some(secret) => request.header("x-telegram-bot-api-secret-token", secret),
            None => request,
        };
        let status = request.send().await.unwrap().status().as_u16();
        with(&self.seen, |seen| seen.push(format!("HTTP {status}")));
        status
    }

    /// An update that arrives; its number.
    pub async fn update(&self, mut update: Value) -> i64 {
        if update.get("update_id").is_none() {
            update["update_id"] = fresh().into();
        }
        let number = update["update_id"].as_i64().unwrap();
        self.raw(number, update.to_string()).await;
        number
    }

    /// An update as text that arrives and is dealt with.
    pub async fn raw(&self, number: i64, update: String) {
        assert_eq!(self.knock(Some(SECRET), update).await, 200);
        self.settle(number).await;
    }

    /// Waits until an update is dealt with and all that comes of it is out.
    pub async fn settle(&self, number: i64) {
        let done = format!("SELECT count(*) FROM queue_items WHERE dedupe_key = '{BOT}:{number}' AND status <> 0");
        eventually("the update is dealt with", async || (self.fitter.count(&done).await == 1).then_some(())).await;
        for id in with(&self.people, |people| people.iter().map(|player| player.id).collect::<Vec<_>>()) {
            let waiting = format!("SELECT count(*) FROM queue_items WHERE status = 0 AND lane LIKE '%{BOT}:{id}%'");
            eventually("all of it is out", async || (self.fitter.count(&waiting).await == 0).then_some(())).await;
        }
    }

    /// A message of a person as a raw update; `content` stands over what every message has.
    pub fn message(&self, player: &Player<'_>, content: &Value) -> Value {
        let mut message = json!({
            "message_id": fresh(), "date": 1_790_000_000,
            "chat": {"id": player.id, "type": "private", "first_name": player.name},
            "from": {"id": player.id, "is_bot": false, "first_name": player.name, "language_code": "ru"},
        });
        for (name, value) in content.as_object().unwrap() {
            message[name] = value.clone();
        }
        json!({"update_id": fresh(), "message": message})
    }

    /// Forgets how much was sent to a person lately: Telegram's limits are tested elsewhere.
    pub async fn unhurried(&self, player: &Player<'_>) {
        self.fitter.execute(&format!("DELETE FROM rate_limits WHERE key = 'tg:{BOT}:{}'", player.id)).await;
    }

    /// A person sends such a message; what the bot has written since.
    pub async fn sends(&self, player: &Player<'_>, content: Value) -> Vec<Message> {
        self.unhurried(player).await;
        self.since(player, async || self.update(self.message(player, &content)).await).await
    }

    /// A person presses a button by a raw update; `change` stands over what every tap has.
    pub fn tap(&self, player: &Player<'_>, data: &str, change: &Value) -> Value {
        let mut tap = json!({
            "id": fresh().to_string(), "from": {"id": player.id, "is_bot": false, "first_name": player.name}, "chat_instance": "1",
            "message": {"message_id": fresh(), "date": 0, "chat": {"id": player.id, "type": "private"}}, "data": data,
        });
        for (name, value) in change.as_object().unwrap() {
            tap[name] = value.clone();
        }
        json!({"update_id": fresh(), "callback_query": tap})
    }

    /// What the bot writes to a person, or changes, while something happens.
    pub async fn since<T>(&self, player: &Player<'_>, happens: impl AsyncFnOnce() -> T) -> Vec<Message> {
        let before = player.from_bot().await;
        happens().await;
        self.look(player).await;
        let known = |message: &Message| before.iter().any(|old| old.0 == message.0);
        player.from_bot().await.into_iter().filter(|message| !known(message)).collect()
    }

    // What comes of it.

    /// Remembers what somebody reads now: it may be gone at the end.
    pub async fn look(&self, player: &Player<'_>) {
        let mut texts = Vec::new();
        for message in player.from_bot().await {
            texts.push(message.text().to_owned());
            texts.extend(message.buttons().map(|(label, ..)| label.to_owned()));
        }
        texts.extend(player.answers().await.iter().filter_map(|answer| Some(answer.get("text")?.as_str()?.to_owned())));
        with(&self.seen, |seen| seen.extend(texts));
    }

    /// Remembers what others read, whom nobody plays.
    pub fn reads(&self, text: &str) {
        with(&self.seen, |seen| seen.push(text.replace(['\u{a0}', '\u{202f}'], " ")));
    }

    /// Something of the row is there.
    pub fn keeps(&self, what: &'static str, is_there: bool) {
        assert!(is_there, "not kept: {what}\n{}", self.fitter.log_tail());
        with(&self.kept, |kept| kept.push(what));
    }

    /// How many updates of this number the inbox has.
    pub async fn in_inbox(&self, number: i64) -> i64 {
        self.fitter.count(&format!("SELECT count(*) FROM queue_items WHERE dedupe_key = '{BOT}:{number}'")).await
    }

    /// The questions that a person has asked.
    pub async fn questions(&self, player: &Player<'_>) -> Vec<String> {
        let sql = format!("SELECT q.text FROM queries q JOIN people p ON p.id = q.person WHERE p.user_id = {} ORDER BY q.id", player.id);
        self.fitter.rows(&sql).await.iter().filter_map(|row| Some(row["text"].as_str()?.to_owned())).collect()
    }

    /// The states of a person's walks.
    pub async fn runs(&self, player: &Player<'_>) -> Vec<Value> {
        let sql = format!(
            "SELECT r.id, r.state, r.status FROM runs r JOIN people p ON p.id = r.person WHERE p.user_id = {} ORDER BY r.id",
            player.id
        );
        self.fitter.rows(&sql).await
    }

    /// Begins a walk.
    pub async fn walk(&self, player: &Player<'_>, title: &str) {
        player.say("/procedures").await.tap(title).await.tap("▶ Начать").await;
    }

    /// The case is over: people read what the row says, all of it was kept, and they can go on.
    pub async fn end(&self, row: &Row) {
        let people = with(&self.people, std::mem::take);
        for player in &people {
            self.look(player).await;
        }
        let seen = with(&self.seen, std::mem::take);
        for wanted in row.seen {
            let plain = wanted.replace(['\u{a0}', '\u{202f}'], " ");
            assert!(seen.iter().any(|text| text.contains(&plain)), "nobody read «{wanted}», but:\n{}", seen.join("\n"));
        }
        let kept = with(&self.kept, std::mem::take);
        assert_eq!(kept, row.kept, "what is kept");
        for player in &people {
            let there = player.from_bot().await.len();
            let (status, _) =
                self.fitter.telegram.try_post("send", &json!({"person": player.id, "bot": "fitter0_bot", "text": "/menu"})).await;
            if status != 200 {
                // They have blocked the bot.
                continue;
            }
            let lanes = format!("SELECT count(*) FROM queue_items WHERE status = 0 AND lane LIKE '%{BOT}:{}%'", player.id);
            eventually("a menu", async || (self.fitter.count(&lanes).await == 0 && answered(player).await).then_some(())).await;
            assert!(player.from_bot().await.len() + 1 >= there, "the bot is still there");
        }
    }
}

/// The bot has answered the person's last words.
async fn answered(player: &Player<'_>) -> bool {
    player.messages().await.last().is_some_and(Message::by_bot)
}
