//! Slow work: it runs outside of any turn, and what comes of it goes back through the inbox.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fitter_dialogues::event::Outcome;
use fitter_domain::ids::{BotId, ChatId, PersonId, QuestionId, RunId};
use fitter_queue::{Failure, Finished, Task};
use fitter_store::{Postgres, Transaction, files, people, questions};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::answers::{Ask, Shown};
use crate::app::App;
use crate::conversation::Late;
use crate::delivery::Address;
use crate::drafts::Draft;
use crate::error::ServiceError;

/// A piece of slow work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Searches the notes.
    Search {
        /// Where the answer goes.
        bot: BotId,
        /// To which chat.
        chat: ChatId,
        /// To which topic.
        thread: Option<i64>,
        /// Who asks.
        person: PersonId,
        /// The question.
        text: String,
        /// The procedure that they are in the middle of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<String>,
    },
    /// Writes an answer into the vault as a draft.
    Draft {
        /// Where the outcome goes.
        bot: BotId,
        /// To which chat.
        chat: ChatId,
        /// To which topic.
        thread: Option<i64>,
        /// Whose answer it is.
        person: PersonId,
        /// The answered question.
        question: QuestionId,
    },
    /// Calls when a step's timer is over; the item's delay is the time.
    Timer {
        /// Where the call goes.
        bot: BotId,
        /// To which chat.
        chat: ChatId,
        /// To which topic.
        thread: Option<i64>,
        /// Whose walk it is.
        person: PersonId,
        /// The walk.
        run: RunId,
        /// The step's index.
        step: u32,
    },
    /// Fetches a photo from Telegram into the file store.
    Fetch {
        /// By which bot.
        bot: BotId,
        /// From which chat.
        chat: ChatId,
        /// From which topic.
        thread: Option<i64>,
        /// Whose it is.
        person: PersonId,
        /// To fetch it.
        file_id: String,
        /// The same for the same file everywhere.
        unique_id: String,
    },
}

/// A question and who asks it.
struct Asked {
    person: PersonId,
    text: String,
    within: Option<String>,
}

/// Why a file did not come.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Telegram does not hand it out.
    #[error("the file is too large")]
    TooBig,
    /// It will not come however often it is tried: gone, no such bot.
    #[error("{0}")]
    Never(String),
    /// Try again.
    #[error("{0}")]
    Later(String),
    /// Not before this time is over.
    #[error("not before {0:?}")]
    Wait(Duration),
}

/// Fetches a file of Telegram's; the bot gives it, because only the bot speaks to Telegram.
pub type Fetch = Arc<dyn Fn(BotId, String) -> BoxFuture<'static, Result<Bytes, FetchError>> + Send + Sync>;

impl App {
    /// Does a piece of slow work.
    ///
    /// # Errors
    /// [`Failure`] for the worker: try again, or give up.
    pub async fn work(&self, task: Task, fetch: Fetch) -> Result<Finished, Failure> {
        let Some(item) = task.items().first() else { return Err(Failure::Lost) };
        let job: Job = item.decode()?;
        let done = match job {
            Job::Search { bot, chat, thread, person, text, within } => {
                self.answer(&task, Address { bot, chat, thread }, Asked { person, text, within }).await
            }
            Job::Draft { bot, chat, thread, person, question } => {
                let path = self.save_draft(person, question).await?;
                self.report(&task, Late { bot, chat, thread, person, outcome: Outcome::Drafted { path } }).await
            }
            Job::Timer { bot, chat, thread, person, run, step } => {
                let late = Late { bot, chat, thread, person, outcome: Outcome::TimerOver { run, step } };
                self.report(&task, late).await
            }
            Job::Fetch { bot, chat, thread, person, file_id, unique_id } => match fetch(bot, file_id).await {
                Ok(bytes) => self.keep(&task, bot, &unique_id, bytes).await,
                // Not every update tells the size of a file.
                Err(FetchError::TooBig) => self.report(&task, Late { bot, chat, thread, person, outcome: Outcome::TooBig }).await,
                Err(FetchError::Never(reason)) => return Err(Failure::Bury { reason }),
                Err(FetchError::Later(error)) => return Err(Failure::retry(error)),
                Err(FetchError::Wait(time)) => return Err(Failure::Hold { time }),
            },
        };
        done.map_err(Failure::from)
    }

    async fn answer(&self, task: &Task, to: Address, Asked { person, text, within }: Asked) -> Result<Finished, ServiceError> {
        let asker = {
            let mut conn = self.db.pool().acquire().await?;
            people::get(&mut conn, person).await?
        };
        let (role, locale) = asker.map_or_else(Default::default, |asker| (asker.role, asker.locale));
        let ask = Ask { person, role, locale, text, within };
        let searched = self.ask_notes(&ask).await?;
        let shown = self.show_notes(&mut *self.db.pool().acquire().await?, &ask, &searched).await?;
        // No connection is held while a language model thinks.
        let written = self.written(&searched.words, &shown.hits, locale, to).await;
        let mut tx = self.db.pool().begin().await?;
        let query = self.keep_search(&mut tx, &ask, &searched, &shown).await?;
        let Shown { hits, nearest, procedure } = shown;
        metrics::counter!("fitter_searches_total", "found" => if hits.is_empty() { "no" } else { "yes" }).increment(1);
        let outcome = Outcome::Found { query, text: ask.text, hits, nearest, procedure, written };
        self.tell_late(tx, task, Late { bot: to.bot, chat: to.chat, thread: to.thread, person, outcome }).await
    }

    /// Writes the answer to a question into the vault; its path, none if that cannot be.
    async fn save_draft(&self, person: PersonId, question: QuestionId) -> Result<Option<String>, ServiceError> {
        let (answered, author) = {
            let mut conn = self.db.pool().acquire().await?;
            (questions::get(&mut conn, question).await?, people::get(&mut conn, person).await?)
        };
        let (Some(drafts), Some(answered), Some(author)) = (&self.drafts, answered, author) else { return Ok(None) };
        let Some(answer) = answered.answer else { return Ok(None) };
        let lang = author.locale.code().to_owned();
        let draft = Draft { question, text: answered.text, answer, author: author.name, lang, at: self.clock.now() };
        match drafts.save(draft).await {
            Ok(path) => Ok(Some(path)),
            Err(error) => {
                tracing::warn!(%error, question = question.0, "draft of question {question} was not saved");
                Ok(None)
            }
        }
    }

    async fn report(&self, task: &Task, late: Late) -> Result<Finished, ServiceError> {
        let tx = self.db.pool().begin().await?;
        self.tell_late(tx, task, late).await
    }

    async fn tell_late(&self, mut tx: Transaction<'_, Postgres>, task: &Task, late: Late) -> Result<Finished, ServiceError> {
        let key = task.items().first().map(|item| format!("job:{}", item.id)).unwrap_or_default();
        let finished = task.done(&mut tx).await?;
        let handover = fitter_queue::hand(&mut tx, &self.wake, vec![late.item(key)?]).await?;
        tx.commit().await?;
        handover.committed(&self.wake);
        Ok(finished)
    }

    async fn keep(&self, task: &Task, bot: BotId, unique_id: &str, bytes: Bytes) -> Result<Finished, ServiceError> {
        let blob = self.files.put(bytes).await?;
        let mut tx = self.db.pool().begin().await?;
        files::fetched(&mut tx, bot, unique_id, &blob).await?;
        let finished = task.done(&mut tx).await?;
        tx.commit().await?;
        Ok(finished)
    }
}
