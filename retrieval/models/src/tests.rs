use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use fitter_retrieval::llm::{Message, Wish};
use serde_json::{Value, json};

use super::*;

/// What a server was asked: path, headers, body.
type Asked = Arc<Mutex<Vec<(String, String, Value)>>>;

/// A server that answers everything in the same way.
async fn server(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> (Url, Asked) {
    let asked = Asked::default();
    let heard = Arc::clone(&asked);
    let router = Router::new().fallback(move |request: Request| {
        let (heard, answer) = (Arc::clone(&heard), answer.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            let path = parts.uri.to_string();
            let headers = format!("{:?}", parts.headers);
            heard.lock().unwrap().push((path, headers, serde_json::from_slice(&body).unwrap_or_default()));
            answer()
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, asked)
}

fn remote(provider: Provider, base: &Url) -> Remote {
    let config = Config {
        provider,
        model: "m-1".into(),
        base: Some(base.clone()),
        key: Some("k-secret".into()),
        timeout: Duration::from_millis(700),
    };
    Remote::new(&config).unwrap()
}

fn ask() -> Ask {
    let messages = vec![Message { by: Speaker::System, text: "правила".into() }, Message { by: Speaker::User, text: "вопрос".into() }];
    let schema =
        json!({"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"], "additionalProperties": false});
    Ask { messages, wish: Wish { name: "answer", schema }, max_tokens: 50 }
}

fn stream(kind: &'static str, text: String) -> Response {
    ([("content-type", kind)], text).into_response()
}

fn events(events: &[(&str, Value)]) -> String {
    events
        .iter()
        .map(|(name, data)| if name.is_empty() { format!("data: {data}\n\n") } else { format!("event: {name}\ndata: {data}\n\n") })
        .collect()
}

/// A reply of two pieces as each protocol has it.
fn reply(provider: Provider) -> Response {
    let delta = |text: &str, stop: Value| json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": stop}]});
    match provider {
        Provider::OpenAi => {
            let pieces = events(&[("", delta("Пред", Value::Null)), ("", delta("охранитель", json!("stop")))]);
            stream("text/event-stream", pieces + "data: [DONE]\n\n")
        }
        Provider::Anthropic => {
            let piece = |text: &str| json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}});
            let text = events(&[
                ("message_start", json!({"type": "message_start", "message": {"usage": {"input_tokens": 1, "output_tokens": 1}}})),
                ("content_block_start", json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})),
                ("content_block_delta", piece("Пред")),
                ("content_block_delta", piece("охранитель")),
                ("content_block_stop", json!({"type": "content_block_stop", "index": 0})),
                ("message_delta", json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}})),
                ("message_stop", json!({"type": "message_stop"})),
            ]);
            stream("text/event-stream", text)
        }
        Provider::Gemini => {
            let piece = |text: &str| json!({"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}}]});
            stream("text/event-stream", events(&[("", piece("Пред")), ("", piece("охранитель"))]))
        }
        Provider::Ollama => {
            let piece = |text: &str, done: bool| json!({"model": "m-1", "message": {"role": "assistant", "content": text}, "done": done});
            stream("application/x-ndjson", format!("{}\n{}\n", piece("Пред", false), piece("охранитель", true)))
        }
    }
}

#[tokio::test]
async fn every_protocol_is_spoken() {
    for (provider, path, key) in [
        (Provider::OpenAi, "/v1/chat/completions", "Bearer k-secret"),
        (Provider::Anthropic, "/v1/messages", "k-secret"),
        (Provider::Gemini, "/v1/models/m-1:streamGenerateContent", "k-secret"),
        (Provider::Ollama, "/v1/api/chat", ""),
    ] {
        let (base, asked) = server(move || reply(provider)).await;
        let mut grown = Vec::new();
        let said = remote(provider, &base).complete(&ask(), &mut |so_far| grown.push(so_far.to_owned())).await;
        assert_eq!(said.as_deref(), Ok("Предохранитель"), "{provider:?} {:?}", asked.lock().unwrap());
        assert_eq!(grown.last().map(String::as_str), Some("Предохранитель"), "{provider:?}");
        let asked = asked.lock().unwrap();
        let [(asked_path, headers, body)] = asked.as_slice() else { panic!("{provider:?}: asked {} times", asked.len()) };
        assert!(asked_path.starts_with(path), "{provider:?} {asked_path}");
        assert!(headers.contains(key) || asked_path.contains(key), "{provider:?}");
        let body = body.to_string();
        assert!(body.contains("правила") && body.contains("вопрос"), "{provider:?} {body}");
        assert!(provider == Provider::Gemini || body.contains("m-1"), "{provider:?} {body}");
    }
}

#[tokio::test]
async fn failures_have_a_kind_and_no_words() {
    for (status, expected) in [
        (401, ModelError::Refused("status 401".into())),
        (404, ModelError::Refused("status 404".into())),
        (429, ModelError::Overloaded("status 429".into())),
        (503, ModelError::Overloaded("status 503".into())),
        (504, ModelError::Timeout),
        (302, ModelError::Refused("status 302".into())),
    ] {
        let (base, _) = server(move || (StatusCode::from_u16(status).unwrap(), "ваш вопрос и k-secret").into_response()).await;
        assert_eq!(remote(Provider::OpenAi, &base).complete(&ask(), &mut |_| {}).await, Err(expected), "{status}");
    }
    let (base, _) = server(|| stream("text/event-stream", "data: [DONE]\n\n".to_owned())).await;
    assert_eq!(remote(Provider::OpenAi, &base).complete(&ask(), &mut |_| {}).await, Err(ModelError::Unreadable("empty")));
    let (base, _) = server(|| stream("text/event-stream", "data: {\"choices\": 5\n\n".to_owned())).await;
    assert!(matches!(remote(Provider::OpenAi, &base).complete(&ask(), &mut |_| {}).await, Err(ModelError::Unreadable(_))));
    let nobody: Url = "http://127.0.0.1:9/".parse().unwrap();
    assert_eq!(remote(Provider::OpenAi, &nobody).complete(&ask(), &mut |_| {}).await, Err(ModelError::Overloaded("no connection".into())));
}

#[tokio::test]
async fn nobody_waits_longer_than_configured() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    assert_eq!(remote(Provider::OpenAi, &base).complete(&ask(), &mut |_| {}).await, Err(ModelError::Timeout));
}

#[test]
fn the_key_is_not_printed() {
    let config = Config { provider: Provider::Ollama, model: "m".into(), base: None, key: Some("k-secret".into()), timeout: CONNECT };
    assert!(!format!("{config:?} {:?}", Remote::new(&config).unwrap()).contains("secret"));
}
