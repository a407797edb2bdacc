//! Language models behind [`fitter_retrieval::llm::LanguageModel`]: servers that speak OpenAI's protocol, Anthropic, Gemini, Ollama.
//!
//! Only the program that is started knows this crate: everything else knows the trait. Nothing is called unless a model is configured.

use std::fmt::Write as _;
use std::time::Duration;

use fitter_retrieval::llm::{Ask, Completing, Heard, LanguageModel, ModelError, Speaker};
use futures::StreamExt as _;
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, ChatResponseFormat, ChatStreamEvent, JsonSpec};
use genai::resolver::{AuthData, Endpoint};
use genai::{Client, ModelIden, ServiceTarget};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// A connection is made in this time or not at all.
const CONNECT: Duration = Duration::from_secs(5);
/// Bytes of a reply that are read: far more than any that is asked for.
const LONGEST: usize = 64 << 10;

/// The protocol of a model's server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// OpenAI's chat completions, which vLLM, llama.cpp, LM Studio, OpenRouter and others speak as well.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Google's Gemini.
    Gemini,
    /// Ollama's own.
    Ollama,
}

impl Provider {
    const fn adapter(self) -> AdapterKind {
        match self {
            Self::OpenAi => AdapterKind::OpenAI,
            Self::Anthropic => AdapterKind::Anthropic,
            Self::Gemini => AdapterKind::Gemini,
            Self::Ollama => AdapterKind::Ollama,
        }
    }

    const fn address(self) -> &'static str {
        match self {
            Self::OpenAi => "https://api.openai.com/v1/",
            Self::Anthropic => "https://api.anthropic.com/v1/",
            Self::Gemini => "https://generativelanguage.googleapis.com/v1beta/",
            Self::Ollama => "http://localhost:11434/",
        }
    }

    /// Whether its own server wants a key.
    #[must_use]
    pub const fn wants_key(self) -> bool {
        !matches!(self, Self::Ollama)
    }
}

/// A model and where it is.
#[derive(Debug, Clone)]
pub struct Config {
    /// The protocol.
    pub provider: Provider,
    /// The model's name there.
    pub model: String,
    /// Its server; none for the provider's own.
    pub base: Option<Url>,
    /// The key; none for servers without.
    pub key: Option<SecretString>,
    /// The longest that one reply may take.
    pub timeout: Duration,
}

/// Why a model cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Its HTTP client.
    #[error("HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// The client of its protocol.
    #[error("client: {0}")]
    Protocol(String),
}

/// A model behind a network.
pub struct Remote {
    client: Client,
    target: ServiceTarget,
    timeout: Duration,
    /// The likeliest words, please. Newer models of the big providers refuse to be asked that.
    plain: bool,
}

impl std::fmt::Debug for Remote {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").field("model", &self.name()).finish_non_exhaustive()
    }
}

impl Remote {
    /// Sets a model up; nothing is called yet.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(config: &Config) -> Result<Self, SetupError> {
        // The one that everything else here uses; whoever came first has installed the same.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        // No redirects: the next address would get the key.
        let redirect = reqwest::redirect::Policy::none();
        let web =
            reqwest::Client::builder().connect_timeout(CONNECT).timeout(config.timeout).tcp_nodelay(true).redirect(redirect).build()?;
        let client = Client::builder().with_reqwest(web).build().map_err(|error| SetupError::Protocol(error.to_string()))?;
        // Joined to, not replaced: the last part of a path counts only before a slash.
        let mut base = config.base.as_ref().map_or_else(|| config.provider.address().to_owned(), Url::to_string);
        if !base.ends_with('/') {
            base.push('/');
        }
        // A server without keys gets a word in its place: the protocol has a field for it.
        let key = config.key.as_ref().map_or("none", |key| key.expose_secret());
        let target = ServiceTarget {
            endpoint: Endpoint::from_owned(base),
            auth: AuthData::from_single(key),
            model: ModelIden::new(config.provider.adapter(), config.model.clone()),
        };
        let plain = config.base.is_some() || config.provider == Provider::Ollama;
        Ok(Self { client, target, timeout: config.timeout, plain })
    }

    async fn stream(&self, ask: &Ask, heard: Heard<'_>) -> Result<String, ModelError> {
        let messages = ask.messages.iter().map(|message| match message.by {
            Speaker::System => ChatMessage::system(message.text.as_str()),
            Speaker::User => ChatMessage::user(message.text.as_str()),
        });
        let wish = ChatResponseFormat::JsonSpec(JsonSpec::new(ask.wish.name, ask.wish.schema.clone()));
        let options = ChatOptions::default().with_max_tokens(ask.max_tokens).with_response_format(wish);
        let options = if self.plain { options.with_temperature(0.0) } else { options };
        let request = ChatRequest::new(messages.collect());
        let answer = self.client.exec_chat_stream(self.target.clone(), request, Some(&options)).await.map_err(|error| fault(&error))?;
        let (mut stream, mut reply) = (answer.stream, String::new());
        while let Some(event) = stream.next().await {
            match event.map_err(|error| fault(&error))? {
                ChatStreamEvent::Chunk(chunk) => {
                    if reply.len() + chunk.content.len() > LONGEST {
                        return Err(ModelError::Unreadable("too long"));
                    }
                    // A String takes everything.
                    let _taken = reply.write_str(&chunk.content);
                    heard(&reply);
                }
                ChatStreamEvent::End(_) => break,
                _ => {}
            }
        }
        if reply.is_empty() { Err(ModelError::Unreadable("empty")) } else { Ok(reply) }
    }
}

impl LanguageModel for Remote {
    fn name(&self) -> &str {
        self.target.model.model_name.as_str()
    }

    fn complete<'a>(&'a self, ask: &'a Ask, heard: Heard<'a>) -> Completing<'a> {
        Box::pin(async move { tokio::time::timeout(self.timeout, self.stream(ask, heard)).await.unwrap_or(Err(ModelError::Timeout)) })
    }
}

/// What a failure means. Bodies of answers are left out: they may repeat the question or the key.
fn fault(error: &genai::Error) -> ModelError {
    use genai::Error as E;
    if let Some(status) = error.status() {
        return match status.as_u16() {
            408 | 504 => ModelError::Timeout,
            code @ (429 | 500..) => ModelError::Overloaded(format!("status {code}")),
            code => ModelError::Refused(format!("status {code}")),
        };
    }
    match error {
        E::WebStream { error, .. } => match (error.downcast_ref::<genai::Error>(), error.downcast_ref::<reqwest::Error>()) {
            (Some(inner), _) => fault(inner),
            (_, Some(web)) if web.is_timeout() => ModelError::Timeout,
            _ => ModelError::Overloaded("no connection".to_owned()),
        },
        E::RequiresApiKey { .. } | E::NoAuthResolver { .. } | E::NoAuthData { .. } | E::Resolver { .. } => {
            ModelError::Refused("no key".to_owned())
        }
        _ => ModelError::Unreadable("not of its protocol"),
    }
}

#[cfg(test)]
mod tests;
