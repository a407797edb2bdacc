//! A running simulator and short ways to talk to it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use fitter_simulator::{BotSeed, PersonSeed, Running, SimClock, Simulator, SimulatorConfig};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

/// Token of the first bot, `fitter_bot`.
pub const TOKEN: &str = "1001:first";
/// Token of the second bot, `other_bot`.
pub const OTHER: &str = "1002:second";
/// The person who presses Start in [`Rig::started`].
pub const AIDOS: i64 = 101;
/// A person who never does.
pub const MARIA: i64 = 102;

pub struct Rig {
    pub running: Running,
    pub http: Client,
}

impl Rig {
    /// A simulator without a past.
    pub async fn new() -> Self {
        Self::with_state(None).await
    }

    /// A simulator that keeps its state in a directory.
    pub async fn in_dir(dir: &Path) -> Self {
        Self::with_state(Some(dir)).await
    }

    async fn with_state(dir: Option<&Path>) -> Self {
        let bot = |token: &str, username: &str, first_name: &str, id| BotSeed {
            token: token.into(),
            username: username.into(),
            first_name: first_name.into(),
            id,
        };
        let person = |id, first_name: &str, language: &str| PersonSeed {
            id,
            first_name: first_name.into(),
            last_name: None,
            username: None,
            language_code: Some(language.into()),
            about: None,
        };
        let config = SimulatorConfig {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            bots: vec![bot(TOKEN, "fitter_bot", "Fitter", 1001), bot(OTHER, "other_bot", "Other", 1002)],
            people: vec![person(AIDOS, "Айдос", "ru"), person(MARIA, "Мария", "kk")],
            state_file: dir.map(Path::to_owned),
        };
        let running = Simulator::start(config).await.unwrap();
        let http = Client::builder().no_proxy().build().unwrap();
        Self { running, http }
    }

    /// The simulator's clock.
    pub fn clock(&self) -> SimClock {
        self.running.simulator().clock()
    }

    /// A simulator where Aidos pressed Start and the bot has seen it.
    pub async fn started() -> Self {
        let rig = Self::new().await;
        rig.start_chat().await;
        rig
    }

    /// Aidos presses Start; the update is confirmed.
    pub async fn start_chat(&self) {
        self.sim("open", json!({ "person": AIDOS, "bot": "fitter_bot" })).await;
        self.updates(json!({ "offset": -1 })).await;
        let last = self.last_update_id().await;
        self.updates(json!({ "offset": last + 1 })).await;
    }

    async fn last_update_id(&self) -> i64 {
        let updates = self.updates(json!({})).await;
        updates.last().map_or(0, |update| update["update_id"].as_i64().unwrap())
    }

    pub fn method_url(&self, method: &str) -> String {
        format!("{}/bot{TOKEN}/{method}", self.running.url())
    }

    /// A Bot API call with a JSON body; the whole answer.
    pub async fn raw(&self, method: &str, args: Value) -> Value {
        let response = self.http.post(self.method_url(method)).json(&args).send().await;
        response.unwrap().json().await.unwrap()
    }

    /// The result of a call that must succeed.
    pub async fn call(&self, method: &str, args: Value) -> Value {
        let answer = self.raw(method, args).await;
        assert_eq!(answer["ok"], true, "{method}: {answer}");
        answer["result"].clone()
    }

    /// The description of a call that must fail.
    pub async fn refused(&self, method: &str, args: Value) -> String {
        let answer = self.raw(method, args).await;
        assert_eq!(answer["ok"], false, "{method}: {answer}");
        answer["description"].as_str().unwrap().to_owned()
    }

    /// Sends a text to Aidos and returns the message id.
    pub async fn say(&self, text: &str) -> i64 {
        let sent = self.call("sendMessage", json!({ "chat_id": AIDOS, "text": text })).await;
        sent["message_id"].as_i64().unwrap()
    }

    /// `getUpdates`.
    pub async fn updates(&self, args: Value) -> Vec<Value> {
        self.call("getUpdates", args).await.as_array().unwrap().clone()
    }

    /// A multipart Bot API call with one file.
    pub async fn upload(&self, method: &str, part: &str, name: &str, data: Vec<u8>) -> Value {
        let form = Form::new().text("chat_id", AIDOS.to_string()).part(part.to_owned(), Part::bytes(data).file_name(name.to_owned()));
        let request = self.http.post(self.method_url(method)).multipart(form);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// A request to `/sim`: status and body.
    pub async fn try_sim(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let url = format!("{}/sim/{path}", self.running.url());
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// `POST /sim/<path>` that must succeed.
    pub async fn sim(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.try_sim(Method::POST, path, Some(body)).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }

    /// `GET /sim/<path>` that must succeed.
    pub async fn look(&self, path: &str) -> Value {
        let (status, answer) = self.try_sim(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }

    /// `POST /sim/<path>` that must fail with 4xx; the error text.
    pub async fn sim_refused(&self, path: &str, body: Value) -> String {
        let (status, answer) = self.try_sim(Method::POST, path, Some(body)).await;
        assert!(status.is_client_error(), "{path}: {status} {answer}");
        answer["error"].as_str().unwrap().to_owned()
    }

    /// Aidos writes to `fitter_bot`.
    pub async fn aidos_writes(&self, text: &str) -> Value {
        let body = json!({ "person": AIDOS, "bot": "fitter_bot", "text": text });
        self.sim("send", body).await[0].clone()
    }

    /// Aidos sends files to `fitter_bot`.
    pub async fn aidos_sends(&self, files: &[(&str, &str, Vec<u8>)], json: Value) -> Value {
        let mut json = json;
        json["person"] = AIDOS.into();
        json["bot"] = "fitter_bot".into();
        let mut form = Form::new().text("json", json.to_string());
        for (part, name, data) in files {
            let file = Part::bytes(data.clone()).file_name((*name).to_owned());
            form = form.part((*part).to_owned(), file);
        }
        let url = format!("{}/sim/send", self.running.url());
        let response = self.http.post(url).multipart(form).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }

    /// The messages of Aidos's chat with `fitter_bot`.
    pub async fn messages(&self) -> Vec<Value> {
        let messages = self.look(&format!("messages?person={AIDOS}&bot=fitter_bot")).await;
        messages.as_array().unwrap().clone()
    }
}

/// The start of a PNG file, which is all that anyone looks at, padded to `size` bytes.
pub fn png(width: u32, height: u32, size: usize) -> Vec<u8> {
    let mut data = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    data.extend(width.to_be_bytes());
    data.extend(height.to_be_bytes());
    data.extend([8, 2, 0, 0, 0]);
    data.resize(size.max(64), 0);
    data
}
