//! A Bot API to replay pairs against.

use std::time::Duration;

use reqwest::Client;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::fill::{Known, fill};
use crate::matching::difference;
use crate::pairs::{Content, Pair, Step};
use crate::picture;

/// Most waits after a 429.
const PATIENCE: usize = 5;

pub struct Server {
    http: Client,
    url: String,
    token: String,
    known: Known,
    /// Messages that were sent.
    sent: Vec<Value>,
}

impl Server {
    pub fn new(url: &str, token: &str) -> Self {
        let client = Client::builder().timeout(Duration::from_secs(120));
        let here = url.starts_with("http://127.0.0.1");
        let http = if here { client.no_proxy() } else { client }.build().unwrap();
        Self { http, url: url.to_owned(), token: token.to_owned(), known: Known::new(), sent: Vec::new() }
    }

    /// Gives a value a name for the pairs.
    pub fn know(&mut self, name: &str, value: Value) {
        self.known.insert(name.to_owned(), value);
    }

    pub fn forget(&mut self) {
        self.known.clear();
    }

    /// A call; whoever is told to wait waits.
    pub async fn call(&mut self, method: &str, params: Value, files: &[(String, Content)]) -> Value {
        let mut answer = Value::Null;
        for _ in 0..PATIENCE {
            answer = self.try_call(method, &params, files).await;
            let Some(seconds) = answer["parameters"]["retry_after"].as_u64() else { break };
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
        let result = &answer["result"];
        let messages = result.as_array().cloned().unwrap_or_else(|| vec![result.clone()]);
        self.sent.extend(messages.iter().map(|message| message["message_id"].clone()).filter(Value::is_i64));
        answer
    }

    async fn try_call(&self, method: &str, params: &Value, files: &[(String, Content)]) -> Value {
        let request = self.http.post(format!("{}/bot{}/{method}", self.url, self.token));
        let request = if files.is_empty() { request.json(params) } else { request.multipart(form(params, files)) };
        let response = request.send().await.unwrap_or_else(|error| panic!("{method}: {}", error.without_url()));
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_else(|_| json!({ "error_code": status.as_u16(), "description": text }))
    }

    /// `POST /sim/…`, which only the simulator has.
    pub async fn sim(&self, path: &str, body: Value) -> Value {
        let response = self.http.post(format!("{}/sim/{path}", self.url)).json(&body).send().await.unwrap();
        assert!(response.status().is_success(), "/sim/{path}: {}", response.text().await.unwrap());
        response.json().await.unwrap()
    }

    /// Replays a pair with what comes before and after; the difference if there is one.
    pub async fn replay(&mut self, pair: &Pair) -> Result<(), String> {
        let answer = self.ask(pair).await;
        for step in &pair.after {
            self.step(step).await?;
        }
        answer
    }

    async fn ask(&mut self, pair: &Pair) -> Result<(), String> {
        for step in &pair.before {
            self.step(step).await?;
        }
        let (params, expect) = (fill(&pair.params, &self.known), fill(&pair.expect, &self.known));
        let files: Vec<_> = pair.files.iter().map(|(name, content)| (name.clone(), content.clone())).collect();
        let answer = self.call(&pair.method, params, &files).await;
        match difference(&expect, &answer) {
            Some(why) if answer["ok"] == true => Err(why),
            Some(why) => Err(format!("{why}; the answer is {answer}")),
            None => Ok(()),
        }
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        let result = if let Some(path) = &step.sim {
            self.sim(path, fill(&step.body, &self.known)).await
        } else {
            let method = step.method.as_deref().expect("a method");
            let files: Vec<_> = step.files.iter().map(|(name, content)| (name.clone(), content.clone())).collect();
            let answer = self.call(method, fill(&step.params, &self.known), &files).await;
            if answer["ok"] != true {
                return Err(format!("the step {method} was refused: {answer}"));
            }
            answer["result"].clone()
        };
        if let Some(name) = &step.save {
            self.know(name, result);
        }
        Ok(())
    }

    /// Deletes what was sent.
    pub async fn clean(&mut self, chat: i64) {
        for ids in std::mem::take(&mut self.sent).chunks(100) {
            self.call("deleteMessages", json!({ "chat_id": chat, "message_ids": ids }), &[]).await;
        }
    }
}

fn form(params: &Value, files: &[(String, Content)]) -> Form {
    let mut form = Form::new();
    for (name, value) in params.as_object().expect("parameters") {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        form = form.text(name.clone(), text);
    }
    for (name, content) in files {
        let (data, file_name) = match content {
            Content::Bytes(count) => (vec![b'x'; *count], "conformance.bin"),
            Content::Png([width, height, number]) => (picture::png(*width, *height, *number), "conformance.png"),
            Content::PngHeader([width, height, size]) => (picture::header(*width, *height, *size as usize), "conformance.png"),
        };
        form = form.part(name.clone(), Part::bytes(data).file_name(file_name));
    }
    form
}
