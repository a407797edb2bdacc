//! Runs a simulator with two bots and four people: `cargo run -p fitter-simulator --example serve -- 8099`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use fitter_simulator::{BotSeed, PersonSeed, Simulator, SimulatorConfig};

fn person(id: i64, first: &str, last: &str, username: &str, language: &str, about: &str) -> PersonSeed {
    PersonSeed {
        id,
        first_name: first.into(),
        last_name: Some(last.into()),
        username: Some(username.into()),
        language_code: Some(language.into()),
        about: Some(about.into()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let port: u16 = args.next().map_or(Ok(8099), |port| port.parse())?;
    let config = SimulatorConfig {
        addr: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        bots: vec![
            BotSeed { token: "1000001:demo".into(), username: "fitter_bot".into(), first_name: "Fitter".into(), id: 1_000_001 },
            BotSeed { token: "1000002:demo".into(), username: "echo_bot".into(), first_name: "Echo".into(), id: 1_000_002 },
        ],
        people: vec![
            person(101, "Айдос", "Серик", "aidos", "ru", "Монтажник, Астана"),
            person(102, "Мария", "Петрова", "maria", "ru", "Диспетчер"),
            person(103, "John", "Smith", "jsmith", "en", "Technician"),
            person(104, "Aliya", "Nurlan", "aliya", "kk", "Монтажник, Алматы"),
        ],
        state_file: args.next().map(PathBuf::from),
    };
    let running = Simulator::start(config).await?;
    println!("simulator: {}/", running.url());
    println!("bots: {0}/bot1000001:demo/ and {0}/bot1000002:demo/", running.url());
    tokio::signal::ctrl_c().await?;
    running.shutdown().await;
    Ok(())
}
