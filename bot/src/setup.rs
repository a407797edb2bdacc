//! At the start: who the bot is, and what people see before they write to it.

use std::time::Duration;

use fitter_domain::ids::BotId;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use teloxide::payloads::{
    GetMe, GetMyCommands, GetMyDescription, GetMyShortDescription, SetChatMenuButton, SetMyCommands, SetMyDescription,
    SetMyShortDescription,
};
use teloxide::requests::Payload;
use teloxide::types::{BotCommand, MenuButton};

use crate::api::Api;
use crate::fault::{ApiError, Fault};
use crate::route::Me;

/// A network that is down at the start (a machine that has just booted) gets so many tries, with pauses of 1, 2, 4, … seconds.
const TRIES: u32 = 5;

/// Why a bot cannot start. A person has to do something.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Revoked or mistyped.
    #[error("Telegram does not know this token: copy it again from @BotFather, or make a new one there with /revoke")]
    Unauthorized,
    /// No connection, or a strange answer.
    #[error("the bot cannot be reached: {0}")]
    Api(#[from] ApiError),
}

#[derive(Deserialize)]
struct Myself {
    id: i64,
    #[serde(default)]
    username: String,
}

/// Who the bot is.
///
/// # Errors
/// [`SetupError`].
pub async fn identify(api: &Api) -> Result<Me, SetupError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let error = match api.ask::<_, Myself>(&GetMe::new()).await {
            Ok(me) => return Ok(Me { id: BotId(me.id), username: me.username }),
            Err(error) => error,
        };
        match error.fault() {
            Fault::Unauthorized => return Err(SetupError::Unauthorized),
            Fault::Retry | Fault::Uncertain if tries < TRIES => {
                tracing::warn!(%error, "Telegram does not answer, trying again");
                tokio::time::sleep(Duration::from_secs(1 << (tries - 1))).await;
            }
            Fault::Wait(time) if tries < TRIES => tokio::time::sleep(time).await,
            _ => return Err(error.into()),
        }
    }
}

/// What people of one language see before they write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// ISO 639-1; `None` for everybody whose language has no words of its own.
    pub language: Option<String>,
    /// Commands, without the slash, and what they do.
    pub commands: Vec<(String, String)>,
    /// In the empty chat, up to 512 characters.
    pub description: String,
    /// On the profile page, up to 120 characters.
    pub short_description: String,
}

/// Sets commands, descriptions and the menu button where they differ: Telegram limits these calls strictly.
///
/// All of this is cosmetic: what fails is logged, and nothing depends on it.
pub async fn dress(api: &Api, words: &[Words]) {
    let result = async {
        for words in words {
            commands(api, words).await?;
            description(api, words).await?;
            short_description(api, words).await?;
        }
        let mut menu = SetChatMenuButton::new();
        menu.menu_button = Some(MenuButton::Commands);
        set(api, &menu).await
    };
    if let Err(error) = result.await {
        tracing::warn!(%error, "commands or descriptions of the bot are not up to date");
    }
}

async fn commands(api: &Api, words: &Words) -> Result<(), ApiError> {
    let commands: Vec<BotCommand> = words.commands.iter().map(|(name, text)| BotCommand::new(name.clone(), text.clone())).collect();
    let mut get = GetMyCommands::new();
    get.language_code.clone_from(&words.language);
    if get_or_none(api, &get).await? == Some(commands.clone()) {
        return Ok(());
    }
    let mut payload = SetMyCommands::new(commands);
    payload.language_code.clone_from(&words.language);
    set(api, &payload).await
}

#[derive(Deserialize)]
struct Description {
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct ShortDescription {
    #[serde(default)]
    short_description: String,
}

async fn description(api: &Api, words: &Words) -> Result<(), ApiError> {
    let mut get = GetMyDescription::new();
    get.language_code.clone_from(&words.language);
    if get_or_none(api, &get).await?.is_some_and(|old: Description| old.description == words.description) {
        return Ok(());
    }
    let mut payload = SetMyDescription::new();
    payload.description = Some(words.description.clone());
    payload.language_code.clone_from(&words.language);
    set(api, &payload).await
}

async fn short_description(api: &Api, words: &Words) -> Result<(), ApiError> {
    let mut get = GetMyShortDescription::new();
    get.language_code.clone_from(&words.language);
    if get_or_none(api, &get).await?.is_some_and(|old: ShortDescription| old.short_description == words.short_description) {
        return Ok(());
    }
    let mut payload = SetMyShortDescription::new();
    payload.short_description = Some(words.short_description.clone());
    payload.language_code.clone_from(&words.language);
    set(api, &payload).await
}

/// What is set now; `None` if it cannot be read, which is no reason not to set it.
async fn get_or_none<P: Payload + serde::Serialize, T: DeserializeOwned>(api: &Api, payload: &P) -> Result<Option<T>, ApiError> {
    match api.ask(payload).await {
        Ok(value) => Ok(Some(value)),
        Err(ApiError::Odd { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// One refusal ("too long") must not keep the others from being set; without a connection there is no point in going on.
async fn set<P: Payload + serde::Serialize>(api: &Api, payload: &P) -> Result<(), ApiError> {
    match api.ask::<_, bool>(payload).await {
        Err(error) if error.fault() == Fault::Rejected => {
            tracing::warn!(%error, method = P::NAME, "refused");
            Ok(())
        }
        other => other.map(drop),
    }
}
