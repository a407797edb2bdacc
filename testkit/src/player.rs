//! A person at the phone: writes, taps, and reads what comes.

#![expect(clippy::panic, reason = "a person who does not see what they wait for fails the test")]

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fitter_queue::Queue;
use serde_json::{Value, json};

use crate::app::{Fitter, PATIENCE};
use crate::telegram::{Message, picture};

/// A person and their chat with one bot, or a group of both.
///
/// Everything they do waits until the bot has done all that comes of it, unless its name says otherwise.
pub struct Player<'f> {
    fitter: &'f Fitter,
    /// Their Telegram account, and their private chat's number.
    pub id: i64,
    /// Their name.
    pub name: String,
    bot: usize,
    /// The chat's number; a group's differs from the person's.
    chat: i64,
    seen: AtomicI64,
}

/// What a person did, for the bot to work on.
#[derive(Debug, Clone)]
pub enum Did {
    /// Sent messages; the last one's number.
    Sent(i64),
    /// Changed a message; its number and new text.
    Edited(i64, String),
    /// Pressed a button.
    Tapped(String),
    /// Pressed a button that does not tell the bot.
    Nothing,
}

static PICTURES: AtomicU64 = AtomicU64::new(1);

impl<'f> Player<'f> {
    pub(crate) fn new(fitter: &'f Fitter, id: i64, name: &str, bot: usize) -> Self {
        Self { fitter, id, name: name.to_owned(), bot, chat: id, seen: AtomicI64::new(0) }
    }

    /// The same person in the chat with another bot.
    #[must_use]
    pub fn at(&self, bot: usize) -> Self {
        Self::new(self.fitter, self.id, &self.name, bot)
    }

    /// The same person in a group. What the bot does not see there must be sent with [`Player::post`], which does not wait.
    #[must_use]
    pub fn in_group(&self, chat: i64) -> Self {
        Self { chat, ..self.at(self.bot) }
    }

    fn who(&self) -> Value {
        json!({"person": self.id, "bot": self.fitter.telegram.username(self.bot), "chat_id": self.chat})
    }

    fn with(&self, more: Value) -> Value {
        let mut body = self.who();
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        body
    }

    fn query(&self) -> String {
        format!("person={}&bot={}&chat_id={}", self.id, self.fitter.telegram.username(self.bot), self.chat)
    }

    /// The conversation so far.
    pub async fn transcript(&self) -> String {
        match self.fitter.telegram.get(&format!("transcript?{}&format=text", self.query())).await.1 {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    /// Fails with the conversation and the log.
    pub async fn fail(&self, what: &str) -> ! {
        let transcript = self.transcript().await;
        panic!("{}: {what}\n--- conversation ---\n{transcript}\n--- log ---\n{}", self.name, self.fitter.log_tail());
    }

    /// All messages of the chat, oldest first.
    pub async fn messages(&self) -> Vec<Message> {
        let (_, messages) = self.fitter.telegram.get(&format!("messages?{}&limit=10000", self.query())).await;
        messages.as_array().into_iter().flatten().cloned().map(Message::from).collect()
    }

    /// The bot's messages, oldest first.
    pub async fn from_bot(&self) -> Vec<Message> {
        self.messages().await.into_iter().filter(Message::by_bot).collect()
    }

    /// The bot's newest message.
    pub async fn last(&self) -> Message {
        match self.from_bot().await.pop() {
            Some(message) => message,
            None => self.fail("the bot has written nothing").await,
        }
    }

    // What they do.

    /// Opens the bot by a link and presses Start.
    pub async fn start(&self, payload: &str) -> &Self {
        let sent = self.fitter.telegram.post("open", self.with(json!({"start": payload}))).await;
        self.settle(sent_of(&sent)).await
    }

    /// Writes.
    pub async fn say(&self, text: &str) -> &Self {
        let did = self.post(json!({"text": text})).await;
        self.settle(did).await
    }

    /// Writes, and does not wait.
    pub async fn post(&self, body: Value) -> Did {
        self.mark().await;
        sent_of(&self.fitter.telegram.post("send", self.with(body)).await)
    }

    /// Writes an answer to one of the bot's messages.
    pub async fn reply(&self, to: i64, text: &str) -> &Self {
        let did = self.post(json!({"text": text, "reply_to": to})).await;
        self.settle(did).await
    }

    /// Sends one or more photos at once; gives their contents.
    pub async fn photos(&self, count: usize, caption: Option<&str>) -> Vec<Vec<u8>> {
        let pictures: Vec<Vec<u8>> = (0..count).map(|_| picture(PICTURES.fetch_add(1, Ordering::Relaxed))).collect();
        let files = pictures.iter().map(|bytes| ("photo", "photo.png".to_owned(), bytes.clone())).collect();
        self.files(files, caption).await;
        pictures
    }

    /// Sends one photo.
    pub async fn photo(&self) -> &Self {
        self.photos(1, None).await;
        self
    }

    /// Sends an album whose parts arrive with these pauses between them, in milliseconds of Telegram's clock, and does not wait.
    pub async fn stragglers(&self, pauses_ms: &[u64], caption: &str) -> Did {
        self.mark().await;
        let parts = 0..=pauses_ms.len();
        let files = parts.map(|_| ("photo", "photo.png".to_owned(), picture(PICTURES.fetch_add(1, Ordering::Relaxed)))).collect();
        let body = self.with(json!({"caption": caption, "stagger_ms": pauses_ms}));
        sent_of(&self.fitter.telegram.send_files(&body, files).await)
    }

    /// Sends files: the part's name as `/sim/send` has it, the file's name, its content.
    pub async fn files(&self, files: Vec<(&'static str, String, Vec<u8>)>, caption: Option<&str>) -> &Self {
        self.mark().await;
        let body = match caption {
            Some(caption) => self.with(json!({"caption": caption})),
            None => self.who(),
        };
        let sent = self.fitter.telegram.send_files(&body, files).await;
        self.settle(sent_of(&sent)).await
    }

    /// The newest message with a button of this label; a label that ends in `…` is the beginning of one.
    pub async fn with_button(&self, label: &str) -> Option<Message> {
        self.from_bot().await.into_iter().rev().find(|message| message.place(label).is_some())
    }

    /// Presses the newest button with this label; one that ends in `…` is the beginning of one.
    pub async fn tap(&self, label: &str) -> &Self {
        let did = self.press(label).await;
        self.settle(did).await
    }

    /// Presses the newest button with this label, and does not wait.
    pub async fn press(&self, label: &str) -> Did {
        let until = Instant::now() + PATIENCE;
        let message = loop {
            if let Some(message) = self.with_button(label).await {
                break message;
            }
            if Instant::now() > until {
                self.fail(&format!("there is no button [{label}]")).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let (row, col) = message.place(label).unwrap_or_default();
        self.press_at(message.id(), row, col).await
    }

    /// Presses the button at a place, and does not wait.
    pub async fn press_at(&self, message: i64, row: usize, col: usize) -> Did {
        self.mark().await;
        let pressed = self.fitter.telegram.post("tap", self.with(json!({"message_id": message, "row": row, "col": col}))).await;
        tapped(&pressed)
    }

    /// Presses a button that a message does not have any more, as a phone does that has not heard of it yet.
    pub async fn tap_old(&self, message: i64, data: &str) -> &Self {
        let markup = json!({"inline_keyboard": [[{"text": "⌛", "callback_data": data}]]});
        let telegram = &self.fitter.telegram;
        telegram
            .bot_api(self.bot, "editMessageReplyMarkup", json!({"chat_id": self.chat, "message_id": message, "reply_markup": markup}))
            .await;
        let did = self.press_data(message, data).await;
        self.settle(did).await
    }

    /// Presses a button that the product never made, as a forged client does.
    pub async fn forge(&self, data: &str) -> &Self {
        let markup = json!({"inline_keyboard": [[{"text": "✂", "callback_data": data}]]});
        let body = json!({"chat_id": self.chat, "text": "✂", "reply_markup": markup});
        let sent = self.fitter.telegram.bot_api(self.bot, "sendMessage", body).await;
        let message = sent.pointer("/result/message_id").and_then(Value::as_i64).unwrap_or_default();
        let did = self.press_data(message, data).await;
        self.settle(did).await
    }

    /// Presses a button of a message by what it says back, and does not wait.
    pub async fn press_data(&self, message: i64, data: &str) -> Did {
        self.mark().await;
        let pressed = self.fitter.telegram.post("tap", self.with(json!({"message_id": message, "data": data}))).await;
        tapped(&pressed)
    }

    /// Changes a message of theirs.
    pub async fn edit(&self, message: i64, text: &str) -> &Self {
        self.mark().await;
        self.fitter.telegram.post("edit", self.with(json!({"message_id": message, "text": text}))).await;
        self.settle(Did::Edited(message, text.to_owned())).await
    }

    /// Their own newest message.
    pub async fn own_last(&self) -> i64 {
        self.messages().await.iter().rev().find(|message| !message.by_bot()).map_or(0, Message::id)
    }

    /// Blocks the bot, and does not wait.
    pub async fn block(&self) {
        self.fitter.telegram.post("block", self.who()).await;
    }

    /// Lets the bot write again, and does not wait.
    pub async fn unblock(&self) {
        self.fitter.telegram.post("unblock", self.who()).await;
    }

    // What they see.

    async fn mark(&self) {
        let last = self.messages().await.last().map_or(0, Message::id);
        self.seen.store(last, Ordering::Relaxed);
    }

    /// Waits for a message of the bot that is in the chat with this text in it, wherever it stands.
    pub async fn wait_for(&self, text: &str) -> Message {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = self.from_bot().await.into_iter().rev().find(|message| message.text().contains(text)) {
                return found;
            }
            if Instant::now() > until {
                self.fail(&format!("no message has «{text}»")).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The bot's newest message has this text.
    pub async fn sees(&self, text: &str) -> Message {
        let last = self.last().await;
        if !last.text().contains(text) {
            self.fail(&format!("the last message has no «{text}»")).await;
        }
        last
    }

    /// One of the messages that came after the person's last doing has this text.
    pub async fn got(&self, text: &str) -> Message {
        let after = self.seen.load(Ordering::Relaxed);
        let found = self.from_bot().await.into_iter().rev().find(|message| message.id() > after && message.text().contains(text));
        match found {
            Some(message) => message,
            None => self.fail(&format!("no new message has «{text}»")).await,
        }
    }

    /// No message of the chat has this text.
    pub async fn never_sees(&self, text: &str) {
        if self.from_bot().await.iter().any(|message| message.text().contains(text)) {
            self.fail(&format!("a message has «{text}»")).await;
        }
    }

    /// How many messages of the chat have this text.
    pub async fn count(&self, text: &str) -> usize {
        self.from_bot().await.iter().filter(|message| message.text().contains(text)).count()
    }

    /// What the bot answered to taps, oldest first: `{callback_query_id, text, show_alert}`.
    pub async fn answers(&self) -> Vec<Value> {
        let (_, answers) = self.fitter.telegram.get(&format!("answers?person={}", self.id)).await;
        answers.as_array().cloned().unwrap_or_default()
    }

    /// The text that the newest answer to a tap showed.
    pub async fn toast(&self) -> String {
        let answers = self.answers().await;
        answers.last().and_then(|answer| answer.get("text")?.as_str()).unwrap_or_default().to_owned()
    }

    /// Waits until the bot has done all that comes of what was done.
    pub async fn settle(&self, did: Did) -> &Self {
        let until = Instant::now() + PATIENCE * 2;
        while !self.done(&did).await {
            if Instant::now() > until {
                self.fail(&format!("nothing comes of it: {did:?}")).await;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self
    }

    async fn done(&self, did: &Did) -> bool {
        if matches!(did, Did::Nothing) {
            return true;
        }
        if !self.fitter.has_pool() {
            // Only the process can look into its database.
            let quiet = self.fitter.telegram.quiet(Duration::from_millis(60), Duration::from_secs(5)).await;
            return quiet.is_ok() && self.fitter.idle(false).await && self.fitter.idle(false).await;
        }
        let chat = format!("{}:{}", self.fitter.telegram.bot_id(self.bot), self.chat);
        let (path, value, answer) = match did {
            Did::Sent(message) => ("{update,message,message_id}", message.to_string(), String::new()),
            Did::Edited(_, text) => ("{update,edited_message,text}", text.clone(), String::new()),
            Did::Tapped(id) => ("{update,callback_query,id}", id.clone(), format!("answer:{id}")),
            Did::Nothing => return true,
        };
        let lanes = [format!("{chat}:0"), chat.clone(), format!("search:{chat}"), answer];
        let (inbox, path): (i16, Vec<String>) =
            (Queue::Inbox.code(), path.trim_matches(['{', '}']).split(',').map(str::to_owned).collect());
        let handled = sqlx::query_scalar::<_, bool>(
            "SELECT EXISTS (SELECT FROM queue_items WHERE queue = $1 AND lane = $2 AND payload #>> $3 = $4 AND status <> 0)
                AND NOT EXISTS (SELECT FROM queue_items WHERE status = 0 AND lane = ANY($5))",
        )
        .bind(inbox)
        .bind(format!("{chat}:0"))
        .bind(path)
        .bind(value)
        .bind(lanes.as_slice())
        .fetch_one(self.fitter.pool())
        .await;
        match (handled, did) {
            (Ok(true), Did::Tapped(id)) => {
                // It is sent after the commit. A process that was killed in between does not send it at all.
                for _ in 0..100 {
                    if !self.fitter.telegram.calls_of("answerCallbackQuery", id).await.is_empty() {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                true
            }
            (Ok(handled), _) => handled,
            (Err(error), _) => panic!("the database does not tell: {error}"),
        }
    }
}

fn sent_of(answer: &Value) -> Did {
    let last = answer.as_array().and_then(|messages| messages.last());
    last.and_then(|message| message.get("message_id")?.as_i64()).map_or(Did::Nothing, Did::Sent)
}

fn tapped(answer: &Value) -> Did {
    answer.get("callback_query_id").and_then(Value::as_str).map_or(Did::Nothing, |id| Did::Tapped(id.to_owned()))
}
