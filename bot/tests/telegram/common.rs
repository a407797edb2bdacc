//! A simulator to talk to, and the ports in memory.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use fitter_bot::api::Api;
use fitter_bot::outbox::Postman;
use fitter_bot::ports::{Blobs, Place, Placed, PortError, Ported, Storage};
use fitter_bot::send::{Letter, Progress, Sender};
use fitter_domain::ids::{BotId, ChatId};
use fitter_domain::outbound::{Outbound, OutboundKind};
use fitter_domain::screen::{Screen, Slot};
use fitter_queue::limiter::{Need, Wait};
use fitter_queue::{Failure, Finished, ItemId, NewItem, Queue, Task, Wake};
use fitter_simulator::{BotSeed, PersonSeed, Running, Simulator, SimulatorConfig};
use fitter_store::Database;
use serde_json::{Value, json};
use tokio::sync::Notify;

pub const TOKEN: &str = "1000001:demo";
pub const BOT: BotId = BotId(1_000_001);
pub const CHAT: ChatId = ChatId(101);

/// The ports in memory.
#[derive(Default)]
pub struct Memory {
    /// The queue, where a test has a real one.
    pub db: OnceLock<(Database, Wake)>,
    pub items: Mutex<Vec<NewItem>>,
    pub put: Notify,
    pub broken: AtomicBool,
    pub refused: Notify,
    pub slots: Mutex<HashMap<(ChatId, Slot), Placed>>,
    pub parts: Mutex<HashMap<(i64, usize), Option<Placed>>>,
    pub file_ids: Mutex<HashMap<String, String>>,
    pub blocked: Mutex<HashSet<ChatId>>,
    pub moved: Mutex<Vec<(ChatId, ChatId)>>,
    pub taken: Mutex<Vec<Vec<Need>>>,
    pub blobs: Mutex<HashMap<String, Bytes>>,
}

impl Memory {
    pub fn payloads(&self) -> Vec<Value> {
        self.items.lock().unwrap().iter().map(|item| serde_json::from_str(&item.payload).unwrap()).collect()
    }
}

#[async_trait]
impl Storage for Memory {
    async fn put(&self, items: Vec<NewItem>) -> Ported<()> {
        if self.broken.load(Ordering::SeqCst) {
            self.refused.notify_one();
            return Err(PortError::new(std::io::Error::other("the database is away")));
        }
        if let Some((db, wake)) = self.db.get() {
            fitter_queue::put(&mut *db.pool().acquire().await.map_err(PortError::new)?, &items).await.map_err(PortError::new)?;
            wake.notify(Queue::Inbox);
        }
        let mut all = self.items.lock().unwrap();
        for item in items {
            if all.iter().all(|old| old.dedupe != item.dedupe) {
                all.push(item);
            }
        }
        self.put.notify_one();
        Ok(())
    }
    async fn finish(&self, task: &Task, _: Option<Place>) -> Result<Finished, Failure> {
        let (db, _) = self.db.get().expect("tasks exist only with a database");
        task.done(&mut *db.pool().acquire().await?).await.map_err(Failure::from)
    }
    async fn take(&self, needs: Vec<Need>) -> Ported<Result<(), Wait>> {
        self.taken.lock().unwrap().push(needs);
        Ok(Ok(()))
    }
    async fn parts(&self, _: BotId, _: ChatId, item: ItemId) -> Ported<Vec<Option<Placed>>> {
        let parts = self.parts.lock().unwrap();
        Ok((0..).map_while(|at| parts.get(&(item.0, at)).copied()).collect())
    }
    async fn part_done(&self, _: BotId, _: ChatId, item: ItemId, part: usize, placed: Option<Placed>) -> Ported<()> {
        self.parts.lock().unwrap().insert((item.0, part), placed);
        Ok(())
    }
    async fn placed(&self, _: BotId, chat: ChatId, slot: &Slot) -> Ported<Option<Placed>> {
        Ok(self.slots.lock().unwrap().get(&(chat, slot.clone())).copied())
    }
    async fn displace(&self, _: BotId, chat: ChatId, slot: &Slot) -> Ported<()> {
        self.slots.lock().unwrap().remove(&(chat, slot.clone()));
        Ok(())
    }
    async fn file_id(&self, _: BotId, sha: &str) -> Ported<Option<String>> {
        Ok(self.file_ids.lock().unwrap().get(sha).cloned())
    }
    async fn stored(&self, _: BotId, _: &str) -> Ported<Option<String>> {
        Ok(None)
    }
    async fn remember_file(&self, _: BotId, sha: &str, file_id: Option<&str>) -> Ported<()> {
        let mut ids = self.file_ids.lock().unwrap();
        match file_id {
            Some(id) => drop(ids.insert(sha.to_owned(), id.to_owned())),
            None => drop(ids.remove(sha)),
        }
        Ok(())
    }
    async fn unreachable(&self, _: BotId, chat: ChatId) -> Ported<()> {
        self.blocked.lock().unwrap().insert(chat);
        Ok(())
    }
    async fn migrated(&self, _: BotId, from: ChatId, to: ChatId) -> Ported<()> {
        self.moved.lock().unwrap().push((from, to));
        Ok(())
    }
    async fn lead(&self, _: BotId) -> Ported<bool> {
        Ok(true)
    }
    async fn resign(&self, _: BotId) -> Ported<()> {
        Ok(())
    }
}

#[async_trait]
impl Blobs for Memory {
    async fn blob(&self, sha: &str) -> Ported<Option<Bytes>> {
        Ok(self.blobs.lock().unwrap().get(sha).cloned())
    }
}

/// A Bot API address, the ports, and a postman between them.
pub struct Stage {
    pub base: String,
    pub api: Arc<Api>,
    pub memory: Arc<Memory>,
    pub postman: Postman,
    http: reqwest::Client,
    _simulator: Option<Running>,
}

impl Stage {
    /// With a simulator in which the person 101 has opened the bot.
    pub async fn simulated() -> Self {
        let person = |id, first_name: &str| PersonSeed { id, first_name: first_name.into(), ..PersonSeed::default() };
        let config = SimulatorConfig {
            bots: vec![BotSeed { token: TOKEN.into(), username: "fitter_bot".into(), first_name: "Fitter".into(), id: BOT.0 }],
            people: vec![person(101, "Айдос"), person(102, "Мария"), person(103, "John"), person(104, "Aliya")],
            ..SimulatorConfig::default()
        };
        let simulator = Simulator::start(config).await.unwrap();
        let stage = Self::at(simulator.url(), Some(simulator));
        for person in 101..=104 {
            stage.sim("open", json!({"person": person, "bot": "fitter_bot"})).await;
        }
        stage
    }

    pub fn at(base: String, simulator: Option<Running>) -> Self {
        let api = Arc::new(Api::new(base.parse().unwrap(), TOKEN.into()).unwrap());
        let memory = Arc::new(Memory::default());
        let sender = Sender::new(Arc::clone(&api), memory.clone(), memory.clone());
        let postman = Postman::new([(BOT, sender)].into(), memory.clone());
        Self { base, api, memory, postman, http: reqwest::Client::new(), _simulator: simulator }
    }

    /// The person's side.
    pub async fn sim(&self, call: &str, body: Value) -> Value {
        let response = self.http.post(format!("{}/sim/{call}", self.base)).json(&body).send().await.unwrap();
        assert!(response.status().is_success(), "{call}: {}", response.text().await.unwrap());
        response.json().await.unwrap()
    }

    /// The person sends photos, several as an album.
    pub async fn sim_photos(&self, person: i64, photos: Vec<Bytes>, caption: &str) -> Value {
        let json = json!({"person": person, "bot": "fitter_bot", "caption": caption}).to_string();
        let mut form = reqwest::multipart::Form::new().text("json", json);
        for photo in photos {
            form = form.part("photo", reqwest::multipart::Part::stream(photo).file_name("p.png"));
        }
        let response = self.http.post(format!("{}/sim/send", self.base)).multipart(form).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.text().await.unwrap());
        response.json().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Value {
        self.http.get(format!("{}/sim/{path}", self.base)).send().await.unwrap().json().await.unwrap()
    }

    /// What the bot has written to the person, oldest first.
    pub async fn messages(&self) -> Vec<Value> {
        let all = self.get("messages?person=101&bot=fitter_bot").await;
        all.as_array().unwrap().iter().filter(|message| message["from"]["is_bot"] == true).cloned().collect()
    }

    /// Requests of a method that reached the simulator.
    pub async fn calls(&self, method: &str) -> Vec<Value> {
        let all = self.get("calls?bot=fitter_bot&limit=1000").await;
        all.as_array().unwrap().iter().filter(|call| call["method"].as_str().unwrap().eq_ignore_ascii_case(method)).cloned().collect()
    }

    /// Sends, and remembers slots as the outbox worker does.
    pub async fn deliver(&self, what: OutboundKind) -> Result<Option<Place>, Failure> {
        self.deliver_to(CHAT, what, Progress::default(), false).await
    }

    pub async fn deliver_to(&self, chat: ChatId, what: OutboundKind, progress: Progress, bulk: bool) -> Result<Option<Place>, Failure> {
        let letter = Letter { item: ItemId(7), out: Outbound { bot: BOT, chat, thread: None, what }, progress };
        let place = self.postman.deliver(letter, bulk).await?;
        if let Some(place) = &place {
            self.memory.slots.lock().unwrap().insert((place.chat, place.slot.clone()), place.placed);
        }
        Ok(place)
    }

    pub async fn send(&self, slot: &str, screen: Screen) -> Placed {
        self.deliver(OutboundKind::Send { slot: Some(Slot::new(slot)), screen }).await.unwrap().unwrap().placed
    }

    pub async fn edit(&self, slot: &str, screen: Screen) -> Placed {
        self.deliver(OutboundKind::Edit { slot: Slot::new(slot), screen }).await.unwrap().unwrap().placed
    }
}

/// A real picture.
pub fn picture(name: &str) -> Bytes {
    std::fs::read(format!("{}/../examples/vault/Вложения/{name}.png", env!("CARGO_MANIFEST_DIR"))).unwrap().into()
}
