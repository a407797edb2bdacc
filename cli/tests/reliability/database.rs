//! PostgreSQL going away: cut off, crashed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fitter_testkit::Storage;
use fitter_testkit::app::{eventually, run};
use fitter_testkit::postgres::{Cluster, Mode, Settings};
use fitter_testkit::telegram::client;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::task::{AbortHandle, spawn_blocking};

use crate::audit::Meant;
use crate::options;
use crate::process::Process;
use crate::storm::{Size, Storm};

/// How long the product may take to be well again after its database; held against the long form, on a machine of its own.
const WELL_AGAIN: Duration = Duration::from_secs(2);

/// A server of one test.
pub struct Server(Arc<Cluster>);

impl Server {
    /// Starts one whose commits survive a crash.
    pub async fn start(settings: Settings) -> Self {
        let started = spawn_blocking(|| Cluster::start(Settings { durable: true, ..settings })).await.unwrap();
        Self(Arc::new(started.unwrap_or_else(|error| panic!("a PostgreSQL of its own: {error:#}"))))
    }

    /// Its address.
    pub fn url(&self) -> &str {
        self.0.url()
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        self.0.log()
    }

    /// Starts it as its supervisor would, if it has ended by itself.
    pub async fn revive(&self) {
        let server = Arc::clone(&self.0);
        spawn_blocking(move || if server.is_running() { Ok(()) } else { server.start_again() }).await.unwrap().unwrap();
    }

    /// Stops it as a crash would.
    pub async fn crash(&self) {
        let server = Arc::clone(&self.0);
        spawn_blocking(move || server.stop(Mode::Immediate)).await.unwrap().unwrap();
    }

    /// Starts it again, and waits until it takes connections.
    pub async fn back(&self) {
        let server = Arc::clone(&self.0);
        spawn_blocking(move || server.start_again()).await.unwrap().unwrap();
    }
}

/// An answer of the product to somebody who asks all the time.
#[derive(Debug, Clone)]
pub struct Answer {
    page: &'static str,
    /// When it was asked for.
    pub asked: Instant,
    /// When it came.
    pub came: Instant,
    /// HTTP status; 0 for none.
    pub status: u16,
}

/// A balancer that asks whether the product is well, and a Telegram that brings one update again and again.
pub struct Watch {
    answers: Arc<Mutex<Vec<Answer>>>,
    asking: AbortHandle,
}

/// Of the webhook.
pub const SECRET: &str = "a-secret-of-the-tests";

impl Watch {
    /// Asks from now on. `update` is one that is in the inbox already, so that nothing comes of it.
    pub fn begin(storm: &Storm, update: &Value) -> Self {
        let base = format!("http://{}", storm.fitter.http_addr());
        let webhook = format!("{base}/telegram/{}", storm.fitter.telegram.bot_id(0));
        let (client, answers) = (client(), Arc::<Mutex<Vec<Answer>>>::default());
        let requests = [
            ("healthz", client.get(format!("{base}/healthz"))),
            ("readyz", client.get(format!("{base}/readyz"))),
            ("webhook", client.post(webhook).header("x-telegram-bot-api-secret-token", SECRET).json(update)),
        ];
        let kept = Arc::clone(&answers);
        let asking = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(50));
            loop {
                ticks.tick().await;
                for (page, request) in &requests {
                    let (page, request, kept) = (*page, request.try_clone().unwrap(), Arc::clone(&kept));
                    tokio::spawn(async move {
                        let asked = Instant::now();
                        let status = request.send().await.map_or(0, |answer| answer.status().as_u16());
                        let answer = Answer { page, asked, came: Instant::now(), status };
                        kept.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
                    });
                }
            }
        });
        Self { answers, asking: asking.abort_handle() }
    }

    /// All answers of a page so far.
    pub fn answers(&self, page: &str) -> Vec<Answer> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.iter().filter(|answer| answer.page == page).cloned().collect()
    }

    /// Waits until both pages are well again; how long the slower one took from `since`.
    pub async fn well(&self, since: Instant) -> Duration {
        let mut longest = Duration::ZERO;
        for page in ["readyz", "webhook"] {
            let well = async || self.answers(page).into_iter().filter(|a| a.status == 200 && a.asked >= since).map(|a| a.came).min();
            longest = longest.max(eventually("it is well again", well).await - since);
        }
        longest
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.asking.abort();
    }
}

/// An update that is in the inbox already.
pub async fn update_in_the_inbox(storm: &Storm) -> Value {
    let first = "SELECT payload->'update' AS update FROM queue_items WHERE queue = 1 ORDER BY id LIMIT 1";
    eventually("an update", async || storm.fitter.rows(first).await.first().map(|row| row["update"].clone())).await
}

/// A process that has the address that the tests know.
pub fn spawn(storm: &Storm) -> Process {
    storm.spawn("all", &[], &[("FITTER_HTTP_ADDR", &storm.fitter.http_addr().to_string())])
}

/// Waits until some more updates are handled: trouble that comes while nobody works shows nothing.
pub async fn work_goes_on(storm: &Storm) {
    let done = "SELECT count(*) FROM queue_items WHERE queue = 1 AND status = 1";
    let before = storm.fitter.count(done).await;
    eventually("the work goes on", async || (storm.fitter.count(done).await >= before + 20).then_some(())).await;
}

async fn ready_page(storm: &Storm) -> bool {
    storm.fitter.http("/readyz").await.0 == 200
}

#[test]
fn the_way_to_it_is_cut_again_and_again() {
    run(async {
        let storm = Storm::prepare(options().storage(Storage::Cuttable), Size::of(6, 40, 20.0)).await;
        let mut random = StdRng::seed_from_u64(storm.size.seed);
        let mut all = spawn(&storm);
        all.ready().await;
        storm.crowd.start(&storm.fitter.telegram).await;
        let mut well = Vec::new();
        storm
            .crowd_acts(async {
                for _ in 0..storm.size.rounds {
                    work_goes_on(&storm).await;
                    tokio::time::sleep(Duration::from_millis(random.random_range(0..1000))).await;
                    storm.fitter.way().cut();
                    storm.died(false).await;
                    tokio::time::sleep(Duration::from_millis(random.random_range(0..2500))).await;
                    storm.fitter.way().mend();
                    let mended = Instant::now();
                    eventually("it is well again", async || ready_page(&storm).await.then_some(())).await;
                    well.push(mended.elapsed());
                }
            })
            .await;
        storm.calm().await;
        let report = storm.audit().await;
        let longest = well.into_iter().max().unwrap_or_default();
        storm.publish_with("PostgreSQL cut off", &report, &json!({"well_again_ms": longest.as_millis()}));
        report.check(&Meant::default());
        assert!(!storm.size.long || longest <= WELL_AGAIN, "well again after {longest:?}");
        all.terminate().await;
        storm.check_logs();
    });
}

#[test]
fn it_crashes_again_and_again_and_no_webhook_is_lied_to() {
    run(async {
        let server = Server::start(Settings::default()).await;
        let options = options().server(server.url()).env("FITTER_WEBHOOK_URL", "http://{http}").env("FITTER_WEBHOOK_SECRET", SECRET);
        let size = Size::one_of_many(2, 40, 20.0);
        let storm = Storm::prepare(options, Size { apart: true, ..size }).await;
        let mut random = StdRng::seed_from_u64(storm.size.seed);
        let mut all = spawn(&storm);
        all.ready().await;
        storm.crowd.start(&storm.fitter.telegram).await;
        let watch = Watch::begin(&storm, &update_in_the_inbox(&storm).await);
        let (mut outages, mut well) = (Vec::new(), Vec::new());
        storm
            .crowd_acts(async {
                for _ in 0..storm.size.rounds {
                    work_goes_on(&storm).await;
                    tokio::time::sleep(Duration::from_millis(random.random_range(0..1000))).await;
                    server.crash().await;
                    let down = Instant::now();
                    // Long enough for somebody who has waited to be refused.
                    let refused = |page| watch.answers(page).iter().any(|answer| answer.asked >= down);
                    let both = async || (refused("readyz") && refused("webhook")).then_some(());
                    eventually("both to answer while the database is away", both).await;
                    tokio::time::sleep(Duration::from_millis(random.random_range(0..2000))).await;
                    outages.push((down, Instant::now()));
                    server.back().await;
                    let up = Instant::now();
                    storm.died(false).await;
                    well.push(watch.well(up).await);
                }
            })
            .await;
        storm.calm().await;
        let refused = |page: &str| watch.answers(page).iter().filter(|answer| answer.status == 503).count();
        for page in ["readyz", "webhook"] {
            let answers = watch.answers(page);
            let odd: Vec<&Answer> = answers.iter().filter(|answer| ![200, 503].contains(&answer.status)).collect();
            assert!(odd.is_empty(), "{odd:?}");
            for (down, up) in &outages {
                let meanwhile: Vec<&Answer> = answers.iter().filter(|answer| answer.asked >= *down && answer.came <= *up).collect();
                assert!(!meanwhile.is_empty(), "nobody was answered by {page} during {:?}", *up - *down);
                let lies: Vec<&&Answer> = meanwhile.iter().filter(|answer| answer.status == 200).collect();
                assert!(lies.is_empty(), "{lies:?}");
            }
        }
        assert!(watch.answers("healthz").iter().all(|answer| answer.status == 200), "the process lives all the time");
        let report = storm.audit().await;
        let longest = well.into_iter().max().unwrap_or_default();
        let more = json!({"well_again_ms": longest.as_millis(), "readyz_503": refused("readyz"), "webhook_503": refused("webhook")});
        storm.publish_with("PostgreSQL crashed", &report, &more);
        report.check(&Meant::default());
        assert!(!storm.size.long || longest <= WELL_AGAIN, "well again after {longest:?}");
        drop(watch);
        all.terminate().await;
        storm.check_logs();
    });
}
