//! Several bots in one process: start, and stop without loss.

use std::collections::HashMap;
use std::sync::Arc;

use fitter_domain::ids::BotId;
use fitter_domain::outbound::Outbound;
use fitter_queue::{Failure, Finished, Task};
use secrecy::SecretString;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::api::Api;
use crate::draft::Drafts;
use crate::fault::ApiError;
use crate::inbox::Desk;
use crate::outbox::{self, Postman};
use crate::poll::{PollError, poll};
use crate::ports::{Blobs, Conversation, Storage};
use crate::route::Me;
use crate::send::Sender;
use crate::setup::{SetupError, Words, dress, identify};
use crate::webhook::{self, WebhookError};

/// So many taps are answered at a time.
const ANSWERS: usize = 64;

/// How updates come.
#[derive(Debug, Clone)]
pub enum Updates {
    /// This process fetches them.
    Poll,
    /// Telegram brings them.
    Webhook {
        /// The public address that reaches [`Bots::router`], without the path: `https://bot.example.org`.
        base: Url,
        /// 1 to 256 characters out of `A-Z a-z 0-9 _ -`.
        secret: SecretString,
    },
    /// Another process takes care of it; this one only works.
    Elsewhere,
}

/// One bot.
#[derive(Debug, Clone)]
pub struct BotConfig {
    /// From @BotFather.
    pub token: SecretString,
    /// Where the Bot API is: [`crate::api::TELEGRAM_API`], a local server, or the simulator.
    pub api: Url,
    /// How updates come.
    pub updates: Updates,
    /// Take the bot from the webhook of another program.
    pub take_over: bool,
    /// What people see before they write, per language.
    pub words: Vec<Words>,
}

/// Why the bots cannot start.
#[derive(Debug, thiserror::Error)]
#[error("bot {bot}: {why}")]
pub struct StartError {
    /// Which bot, as far as its token tells.
    pub bot: String,
    /// Why.
    pub why: StartFailure,
}

/// What is wrong with one bot.
#[derive(Debug, thiserror::Error)]
pub enum StartFailure {
    /// Its configuration.
    #[error(transparent)]
    Config(#[from] ApiError),
    /// Telegram does not know it.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Its updates go elsewhere.
    #[error(transparent)]
    Poll(#[from] PollError),
    /// Its webhook.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// Configured twice.
    #[error("it is configured twice")]
    Twice,
}

/// Running bots.
pub struct Bots {
    apis: HashMap<BotId, (Arc<Api>, Me)>,
    secrets: HashMap<BotId, SecretString>,
    desk: Arc<Desk>,
    postman: Arc<Postman>,
    storage: Arc<dyn Storage>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    answers: TaskTracker,
}

impl Bots {
    /// Asks Telegram who the bots are, sets their webhooks, and begins to fetch updates.
    ///
    /// The workers are not started here: give [`Bots::inbox`] and [`Bots::outbox`] to [`fitter_queue::run_lanes`].
    ///
    /// # Errors
    /// [`StartError`] names the bot and says what to do.
    pub async fn start(
        configs: Vec<BotConfig>,
        conversation: Arc<dyn Conversation>,
        storage: Arc<dyn Storage>,
        blobs: Arc<dyn Blobs>,
    ) -> Result<Self, StartError> {
        let mut apis = HashMap::new();
        let mut secrets = HashMap::new();
        let mut tasks = JoinSet::new();
        let stop = CancellationToken::new();
        let client = crate::api::client().map_err(|error| StartError { bot: "?".to_owned(), why: error.into() })?;
        for config in configs {
            let name = crate::api::bot_of(&config.token).map_or_else(|_| "?".to_owned(), |bot| bot.to_string());
            let (api, me) = prepare(&config, client.clone()).await.map_err(|why| StartError { bot: name.clone(), why })?;
            if apis.insert(api.bot(), (Arc::clone(&api), me)).is_some() {
                return Err(StartError { bot: name, why: StartFailure::Twice });
            }
            match config.updates {
                Updates::Poll => drop(tasks.spawn(poll(Arc::clone(&api), Arc::clone(&storage), stop.clone()))),
                Updates::Webhook { secret, .. } => drop(secrets.insert(api.bot(), secret)),
                Updates::Elsewhere => continue,
            }
            let stop = stop.clone();
            tasks.spawn(async move {
                let _stopped = stop.run_until_cancelled(dress(&api, &config.words)).await;
            });
        }
        let mes = apis.iter().map(|(bot, (_, me))| (*bot, me.clone())).collect();
        let sender = |api: &Arc<Api>| Sender::new(Arc::clone(api), Arc::clone(&storage), Arc::clone(&blobs));
        let senders = apis.iter().map(|(bot, (api, _))| (*bot, sender(api))).collect();
        Ok(Self {
            desk: Arc::new(Desk::new(mes, conversation, Arc::clone(&storage))),
            postman: Arc::new(Postman::new(senders, Arc::clone(&storage))),
            apis,
            secrets,
            storage,
            stop,
            tasks,
            answers: TaskTracker::new(),
        })
    }

    /// The handler of the inbox, for [`fitter_queue::run_lanes`].
    pub fn inbox(&self) -> impl Fn(Task) -> Handled + Clone + Send + Sync + 'static {
        let desk = Arc::clone(&self.desk);
        move |task| {
            let desk = Arc::clone(&desk);
            Box::pin(async move { desk.handle(task).await })
        }
    }

    /// The handler of the outbox, for [`fitter_queue::run_lanes`]. Give it many lanes (hundreds): they wait for the network, not for this
    /// machine, and an answer to a tap must find a free one while others upload.
    pub fn outbox(&self) -> impl Fn(Task) -> Handled + Clone + Send + Sync + 'static {
        let postman = Arc::clone(&self.postman);
        move |task| {
            let postman = Arc::clone(&postman);
            Box::pin(async move { postman.handle(task).await })
        }
    }

    /// Sends an answer to a tap at once, past the queue. What is refused for now becomes a letter.
    pub fn answering(&self) -> impl Fn(Outbound) + Send + Sync + 'static {
        let (postman, storage, answers) = (Arc::clone(&self.postman), Arc::clone(&self.storage), self.answers.clone());
        let places = Arc::new(Semaphore::new(ANSWERS));
        move |answer| {
            let (postman, storage, places) = (Arc::clone(&postman), Arc::clone(&storage), Arc::clone(&places));
            answers.spawn(async move {
                let _place = places.acquire().await;
                outbox::answer(&postman, storage.as_ref(), answer).await;
            });
        }
    }

    /// Shows answers while they are written.
    #[must_use]
    pub fn drafting(&self) -> Drafts {
        let apis = self.apis.iter().map(|(bot, (api, _))| (*bot, Arc::clone(api))).collect();
        Drafts::new(apis, self.answers.clone())
    }

    /// Answers to taps and drafts on their way: to be waited for when the workers have stopped.
    #[must_use]
    pub fn answers(&self) -> TaskTracker {
        self.answers.clone()
    }

    /// The route of the webhooks, to be merged into the web server.
    pub fn router(&self) -> axum::Router {
        let bots = self.secrets.iter().filter_map(|(bot, secret)| Some((self.api(*bot)?, secret.clone())));
        webhook::router(bots, Arc::clone(&self.storage))
    }

    /// The client of a bot, for [`crate::fetch::fetch`].
    #[must_use]
    pub fn api(&self, bot: BotId) -> Option<Arc<Api>> {
        self.apis.get(&bot).map(|(api, _)| Arc::clone(api))
    }

    /// Who the bots are.
    pub fn mes(&self) -> impl Iterator<Item = &Me> {
        self.apis.values().map(|(_, me)| me)
    }

    /// Stops fetching updates. Workers are stopped by their own token, and drain by their own deadline.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "fetching updates ended badly");
            }
        }
    }
}

/// What a handler gives back.
pub type Handled = std::pin::Pin<Box<dyn Future<Output = Result<Finished, Failure>> + Send>>;

async fn prepare(config: &BotConfig, client: reqwest::Client) -> Result<(Arc<Api>, Me), StartFailure> {
    let api = Arc::new(Api::over(client, config.api.clone(), config.token.clone())?);
    let me = identify(&api).await?;
    match &config.updates {
        Updates::Poll => {
            if webhook::current(&api).await?.is_some() {
                if !config.take_over {
                    return Err(PollError::WebhookActive.into());
                }
                let _deleted: bool = api.call(crate::api::Call::new("deleteWebhook")).await?;
            }
        }
        Updates::Webhook { base, secret } => {
            let mut address = base.clone();
            if let Ok(mut path) = address.path_segments_mut() {
                path.pop_if_empty().extend(["telegram", &api.bot().to_string()]);
            }
            webhook::set(&api, &address, secret, config.take_over).await?;
        }
        Updates::Elsewhere => {}
    }
    Ok((api, me))
}
