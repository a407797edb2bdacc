//! The simulator of one test and its `/sim` API.

#![expect(clippy::expect_used, clippy::panic, reason = "a helper that cannot do its work fails the test that asked for it")]

use std::time::Duration;

use fitter_simulator::{BotSeed, Running, SimClock, Simulator, SimulatorConfig};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

/// A message as its person sees it.
#[derive(Debug, Clone)]
pub struct Message(pub Value);

impl From<Value> for Message {
    /// Spaces that do not break are spaces: people do not see the difference.
    fn from(mut message: Value) -> Self {
        for field in ["text", "caption"] {
            if let Some(Value::String(text)) = message.get_mut(field) {
                *text = text.replace(['\u{a0}', '\u{202f}'], " ");
            }
        }
        Self(message)
    }
}

impl Message {
    /// Its number in the chat.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.0.pointer("/message_id").and_then(Value::as_i64).unwrap_or_default()
    }

    /// Text or caption.
    #[must_use]
    pub fn text(&self) -> &str {
        let text = self.0.get("text").or_else(|| self.0.get("caption"));
        text.and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the bot wrote it.
    #[must_use]
    pub fn by_bot(&self) -> bool {
        self.0.pointer("/from/is_bot").and_then(Value::as_bool).unwrap_or(false)
    }

    /// Whether there is a photo.
    #[must_use]
    pub fn has_photo(&self) -> bool {
        self.0.get("photo").is_some()
    }

    /// Label, row, column of every button.
    pub fn buttons(&self) -> impl Iterator<Item = (&str, usize, usize)> {
        let rows = self.0.pointer("/reply_markup/inline_keyboard").and_then(Value::as_array).into_iter().flatten().enumerate();
        rows.flat_map(|(row, buttons)| {
            let buttons = buttons.as_array().into_iter().flatten().enumerate();
            buttons.map(move |(col, button)| (button.get("text").and_then(Value::as_str).unwrap_or_default(), row, col))
        })
    }

    /// Words of the buttons, without the signs around them.
    #[must_use]
    pub fn labels(&self) -> Vec<&str> {
        self.buttons().map(|(label, ..)| words(label)).collect()
    }

    /// Row and column of the button with these words; what ends in `…` is their beginning.
    #[must_use]
    pub fn place(&self, label: &str) -> Option<(usize, usize)> {
        let begin = label.strip_suffix('…').map(words);
        let fits = |found: &str| begin.map_or(found == words(label), |begin| found.starts_with(begin));
        self.buttons().find(|(found, ..)| fits(words(found))).map(|(_, row, col)| (row, col))
    }

    /// Callback data of a button.
    #[must_use]
    pub fn data(&self, label: &str) -> Option<String> {
        let (row, col) = self.place(label)?;
        let data = self.0.pointer(&format!("/reply_markup/inline_keyboard/{row}/{col}/callback_data"));
        data.and_then(Value::as_str).map(str::to_owned)
    }
}

/// A label without the signs around it: designers change them, and they mean nothing.
fn words(label: &str) -> &str {
    label.trim_matches(|c: char| !c.is_alphanumeric())
}

/// A Telegram of one test.
pub struct Telegram {
    running: Running,
    client: reqwest::Client,
    bots: Vec<BotSeed>,
}

/// Number of the first bot.
pub const BOT: i64 = 7_000_001;

impl Telegram {
    /// A Telegram with so many bots and no people. It lives in the runtime it is started in.
    ///
    /// # Panics
    /// If it cannot listen.
    pub async fn start(bots: usize) -> Self {
        let bots: Vec<BotSeed> = (BOT..)
            .take(bots)
            .map(|id| BotSeed {
                token: format!("{id}:AAHsecret-of-{id}"),
                username: format!("fitter{}_bot", id - BOT),
                first_name: "Fitter".to_owned(),
                id,
            })
            .collect();
        let config = SimulatorConfig { bots: bots.clone(), ..SimulatorConfig::default() };
        let running = Simulator::start(config).await.expect("the simulator starts");
        Self { running, client: client(), bots }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// The bots' tokens as `FITTER_BOT_TOKEN` takes them.
    #[must_use]
    pub fn tokens(&self) -> String {
        self.bots.iter().map(|bot| bot.token.as_str()).collect::<Vec<_>>().join(",")
    }

    /// A bot's username.
    ///
    /// # Panics
    /// If there is no such bot.
    #[must_use]
    pub fn username(&self, bot: usize) -> &str {
        self.bots.get(bot).map(|bot| bot.username.as_str()).expect("a bot of this place")
    }

    /// A bot's number.
    #[must_use]
    pub fn bot_id(&self, bot: usize) -> i64 {
        self.bots.get(bot).map_or(0, |bot| bot.id)
    }

    /// Calls the Bot API as a bot.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn bot_api(&self, bot: usize, method: &str, params: Value) -> Value {
        let token = self.bots.get(bot).map(|bot| bot.token.as_str()).unwrap_or_default();
        let answer = self.client.post(format!("{}/bot{token}/{method}", self.url())).json(&params).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }

    /// `GET /sim/…`; the status and the JSON.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.client.get(format!("{}/sim/{path}", self.url())).send().await.expect("the simulator answers");
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap_or_default();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// `POST /sim/…`; the status and the JSON.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn try_post(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.client.post(format!("{}/sim/{path}", self.url())).json(body).send().await.expect("the simulator answers");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// `POST /sim/…` that has to go well.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.try_post(path, &body).await;
        assert!(status < 300, "/sim/{path} {body}: {status} {answer}");
        answer
    }

    /// `POST /sim/send` with files: part name and content each.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn send_files(&self, body: &Value, files: Vec<(&'static str, String, Vec<u8>)>) -> Value {
        let mut form = Form::new().text("json", body.to_string());
        for (part, name, bytes) in files {
            form = form.part(part, Part::bytes(bytes).file_name(name));
        }
        let answer = self.client.post(format!("{}/sim/send", self.url())).multipart(form).send().await.expect("the simulator answers");
        let status = answer.status();
        let json: Value = answer.json().await.unwrap_or_default();
        assert!(status.is_success(), "/sim/send {body}: {status} {json}");
        json
    }

    /// A new account.
    pub async fn account(&self, id: i64, name: &str, language: &str) {
        self.post("people", json!({"id": id, "first_name": name, "language_code": language})).await;
    }

    /// A person makes a group (`"group"` or `"supergroup"`) and adds people and the bot to it; its number.
    pub async fn group(&self, kind: &str, by: i64, people: &[i64], bot: usize) -> i64 {
        let body = json!({"title": "Бригада", "kind": kind, "by": by, "people": people, "bots": [self.username(bot)]});
        self.post("groups", body).await.get("chat_id").and_then(Value::as_i64).unwrap_or_default()
    }

    /// Somebody makes the bot a `"member"` or `"administrator"` of a group, or removes it: `"left"`, `"kicked"`.
    pub async fn bot_in_group(&self, chat: i64, by: i64, bot: usize, status: &str) {
        self.post("groups/member", json!({"chat_id": chat, "by": by, "bot": self.username(bot), "status": status})).await;
    }

    /// A group becomes a supergroup; its new number.
    pub async fn upgrade(&self, chat: i64, by: i64) -> i64 {
        let new = self.post("groups/upgrade", json!({"chat_id": chat, "by": by})).await;
        new.get("chat_id").and_then(Value::as_i64).unwrap_or_default()
    }

    /// Updates come twice, late or overtaken from now on, see `docs/simulator.md`.
    pub async fn disturb(&self, plan: Value) {
        self.post("updates", plan).await;
    }

    /// Updates come as they should, those held back at once.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn calm(&self) {
        self.client.delete(format!("{}/sim/updates", self.url())).send().await.expect("the simulator answers");
    }

    /// Telegram's clock, to be moved or stopped.
    #[must_use]
    pub fn clock(&self) -> SimClock {
        self.running.simulator().clock()
    }

    /// A fault of the Bot API, see `docs/simulator.md`.
    pub async fn fault(&self, fault: Value) {
        self.post("faults", fault).await;
    }

    /// Faults that have not happened as often as they were asked for.
    pub async fn faults_left(&self) -> usize {
        let faults = self.faults().await;
        faults.iter().filter(|fault| fault.get("left").and_then(Value::as_u64) != Some(0)).count()
    }

    /// All faults, each with `met`, `hits` and `left`.
    pub async fn faults(&self) -> Vec<Value> {
        self.get("faults").await.1.as_array().cloned().unwrap_or_default()
    }

    /// Ends all faults.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn clear_faults(&self) {
        self.client.delete(format!("{}/sim/faults", self.url())).send().await.expect("the simulator answers");
    }

    /// Who called although Telegram had said to wait: `{refused, early, calls}`.
    pub async fn violations(&self) -> Value {
        self.get("violations").await.1
    }

    /// How many calls the log keeps from now on.
    pub async fn keep_calls(&self, most: usize) {
        self.post("calls", json!({"keep": most})).await;
    }

    /// All calls of the Bot API after a number, oldest first.
    pub async fn calls(&self, after: u64) -> Vec<Value> {
        let (_, calls) = self.get(&format!("calls?after={after}&limit=100000")).await;
        calls.as_array().cloned().unwrap_or_default()
    }

    /// Time between two calls, in milliseconds.
    ///
    /// # Panics
    /// If they have no times.
    #[must_use]
    pub fn between(one: &Value, two: &Value) -> i64 {
        let at = |call: &Value| {
            let at = call.get("at").and_then(Value::as_str).unwrap_or_default();
            chrono::DateTime::parse_from_rfc3339(at).expect("the time of a call")
        };
        (at(two) - at(one)).num_milliseconds()
    }

    /// Calls of a method whose request contains a text.
    pub async fn calls_of(&self, method: &str, contains: &str) -> Vec<Value> {
        let is = |call: &Value| {
            call.get("method").and_then(Value::as_str) == Some(method)
                && call.get("request").is_some_and(|request| request.to_string().contains(contains))
        };
        self.calls(0).await.into_iter().filter(is).collect()
    }

    /// Waits until every update is fetched and no call came for `settle`.
    ///
    /// # Errors
    /// What goes on, if it does not become quiet.
    pub async fn quiet(&self, settle: Duration, timeout: Duration) -> Result<(), String> {
        let body = json!({"settle_ms": u64::try_from(settle.as_millis()).unwrap_or(0), "timeout_ms": u64::try_from(timeout.as_millis()).unwrap_or(0)});
        let (status, answer) = self.try_post("quiet", &body).await;
        if status == 200 { Ok(()) } else { Err(answer.to_string()) }
    }
}

/// A client without a proxy and with patience.
///
/// # Panics
/// If there is no TLS.
#[must_use]
pub fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap_or_else(|error| panic!("no HTTP client: {error}"))
}

/// A small picture; another number gives another one.
#[must_use]
pub fn picture(number: u64) -> Vec<u8> {
    // A PNG of 40 by 30 points; what follows its end is not looked at.
    const PNG: &[u8] = include_bytes!("picture.png");
    [PNG, &number.to_be_bytes()].concat()
}
