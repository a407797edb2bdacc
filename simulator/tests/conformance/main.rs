//! Pairs of requests and answers that are true of Telegram, replayed against the simulator, and against Telegram itself by whoever has a token.
//!
//! The pairs and what they rest on are in `simulator/conformance`, the way to replay them in `docs/simulator.md`.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

mod fill;
mod matching;
mod pairs;
mod picture;
mod server;

use std::collections::BTreeSet;
use std::time::Duration;

use fitter_simulator::{BotSeed, PersonSeed, Simulator, SimulatorConfig};
use serde_json::json;

use crate::pairs::{Pair, all};
use crate::server::Server;

/// The chat of the pairs.
const CHAT: i64 = 101;
/// Somebody who never pressed Start.
const STRANGER: i64 = 102;

/// What a pair came to, if it is not as it should be.
async fn in_a_fresh_simulator(pair: &Pair) -> Option<String> {
    let token = "1001:conformance";
    let bot = BotSeed { token: token.into(), username: "conformance_bot".into(), first_name: "Conformance".into(), id: 1001 };
    let person = |id| PersonSeed { id, first_name: "Tester".into(), ..PersonSeed::default() };
    let people = vec![person(CHAT), person(STRANGER)];
    let running = Simulator::start(SimulatorConfig { bots: vec![bot], people, ..SimulatorConfig::default() }).await.unwrap();
    let mut server = Server::new(&running.url(), token);
    server.know("chat", json!(CHAT));
    server.know("stranger", json!(STRANGER));
    server.know("bot", json!("conformance_bot"));
    server.sim("open", json!({ "person": CHAT, "bot": "conformance_bot" })).await;
    let answer = server.replay(pair).await;
    running.shutdown().await;
    answer.err()
}

#[tokio::test]
async fn the_simulator_answers_as_telegram_does() {
    let mut wrong = Vec::new();
    for pair in all() {
        if let Some(why) = in_a_fresh_simulator(&pair).await {
            wrong.push(format!("{}/{}: {why}", pair.topic, pair.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_pair_says_what_it_rests_on() {
    let pairs = all();
    assert!(pairs.len() >= 150, "{} pairs", pairs.len());
    let names: BTreeSet<_> = pairs.iter().map(|pair| (&pair.topic, &pair.name)).collect();
    assert_eq!(names.len(), pairs.len(), "names are not repeated");
    for pair in &pairs {
        assert!(!pair.source.is_empty(), "{}", pair.name);
        let with_sim = pair.before.iter().any(|step| step.sim.is_some());
        assert!(!with_sim || pair.offline.is_some(), "{}: Telegram has no /sim", pair.name);
    }
}

/// Sends some 200 messages to one chat, and changes nothing that the suite does not change back. See `docs/simulator.md`.
#[tokio::test]
#[ignore = "needs a bot's token and a chat: FITTER_CONFORMANCE_TOKEN, FITTER_CONFORMANCE_CHAT"]
async fn telegram_answers_as_recorded() {
    let setting = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set, see docs/simulator.md"));
    let url = std::env::var("FITTER_CONFORMANCE_URL").unwrap_or_else(|_| "https://api.telegram.org".into());
    let chat: i64 = setting("FITTER_CONFORMANCE_CHAT").parse().expect("a number");
    let mut server = Server::new(&url, &setting("FITTER_CONFORMANCE_TOKEN"));
    let hook = server.call("getWebhookInfo", json!({}), &[]).await;
    assert_eq!(hook["result"]["url"], "", "take a bot without a webhook, this would remove it: {hook}");
    let (mut wrong, mut count) = (Vec::new(), 0);
    for pair in all().iter().filter(|pair| pair.offline.is_none()) {
        server.forget();
        server.know("chat", json!(chat));
        if let Err(why) = server.replay(pair).await {
            wrong.push(format!("{}/{} ({}): {why}", pair.topic, pair.name, pair.checked));
        }
        count += 1;
        // One message a second is what a chat takes.
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }
    server.clean(chat).await;
    assert!(wrong.is_empty(), "{} of {count} pairs differ:\n{}", wrong.len(), wrong.join("\n"));
}
