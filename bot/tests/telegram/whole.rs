//! Update to answer through the queue, on the embedded database with its one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use fitter_bot::ports::{Conversation, Ported};
use fitter_bot::{BotConfig, Bots, Updates};
use fitter_dialogues::event::{Incoming, Input};
use fitter_domain::outbound::{Outbound, OutboundKind};
use fitter_domain::rich::Rich;
use fitter_domain::screen::Screen;
use fitter_queue::{Failure, Finished, NewItem, Queue, RunnerConfig, Task, Wake, run_lanes};
use fitter_store::Database;
use fitter_testkit::TestDb;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::common::{Stage, TOKEN, picture};

/// Says back what it heard, in one transaction.
struct Echo {
    db: Database,
    wake: Wake,
    panicked: AtomicBool,
}

#[async_trait]
impl Conversation for Echo {
    async fn take(&self, task: &Task, incoming: Incoming) -> Result<Finished, Failure> {
        let heard = match incoming.input {
            Input::Text { text } => format!("эхо: {text}"),
            Input::Photos { photos, .. } => format!("фото: {}", photos.len()),
            other => format!("{other:?}"),
        };
        if heard.contains("паника") && !self.panicked.swap(true, Ordering::SeqCst) {
            panic!("this was asked for");
        }
        let what = OutboundKind::Send { slot: None, screen: Screen::of(Rich::text(heard)) };
        let out = Outbound { bot: incoming.bot, chat: incoming.chat, thread: None, what };
        let mut tx = self.db.pool().begin().await?;
        let finished = task.done(&mut tx).await?;
        fitter_queue::put(&mut tx, &[NewItem::json(Queue::Outbox, format!("{}", incoming.chat), &out).map_err(Failure::retry)?]).await?;
        tx.commit().await?;
        self.wake.notify(Queue::Outbox);
        Ok(finished)
    }
    async fn resume(&self, _: &Task) -> Result<Finished, Failure> {
        unreachable!("nothing slow was asked for")
    }
    async fn apologise(&self, _: &Incoming, _: &str) -> Ported<()> {
        unreachable!("nothing fails for good")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_person_through_the_queue_and_back() {
    let stage = Stage::simulated().await;
    let test = TestDb::embedded().await;
    let (db, wake) = (test.database().clone(), Wake::new());
    assert!(stage.memory.db.set((db.clone(), wake.clone())).is_ok());
    let echo = Echo { db: db.clone(), wake: wake.clone(), panicked: AtomicBool::default() };
    let config =
        BotConfig { token: TOKEN.into(), api: stage.base.parse().unwrap(), updates: Updates::Poll, take_over: false, words: Vec::new() };
    let bots = Bots::start(vec![config], Arc::new(echo), stage.memory.clone(), stage.memory.clone()).await.unwrap();
    let stop = CancellationToken::new();
    let run = |queue| (db.pool().clone(), queue, RunnerConfig::default(), wake.clone(), stop.clone());
    let (inbox, outbox) = (bots.inbox(), bots.outbox());
    let (pool, queue, config, woken, stopped) = run(Queue::Inbox);
    let reading = tokio::spawn(async move { run_lanes(pool, queue, config, &woken, stopped, inbox).await });
    let (pool, queue, config, woken, stopped) = run(Queue::Outbox);
    let writing = tokio::spawn(async move { run_lanes(pool, queue, config, &woken, stopped, outbox).await });

    let heard = async |text: &str| {
        let found = stage.get(&format!("wait?person=101&bot=fitter_bot&after=0&contains={text}&timeout_ms=20000")).await;
        assert!(found["text"].as_str().is_some_and(|found| found.contains(text)), "{text}: {found}");
    };
    stage.sim("send", json!({"person": 101, "bot": "fitter_bot", "text": "привет"})).await;
    heard("привет").await;
    stage.sim_photos(101, vec![picture("leds"), picture("power")], "").await;
    heard("фото: 2").await;
    stage.sim("send", json!({"person": 101, "bot": "fitter_bot", "text": "паника"})).await;
    heard("паника").await;

    bots.stop().await;
    stop.cancel();
    reading.await.unwrap();
    writing.await.unwrap();
    let mut conn = db.pool().acquire().await.unwrap();
    assert!(fitter_queue::idle(&mut conn).await.unwrap());
    assert!(fitter_queue::dead_list(&mut conn, fitter_queue::ItemId(0), 10).await.unwrap().is_empty());
}
