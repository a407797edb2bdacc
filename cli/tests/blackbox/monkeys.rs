//! People who press and write whatever comes to mind.

use fitter_domain::Locale;
use fitter_domain::person::Role;
use fitter_testkit::app::run;
use fitter_testkit::telegram::picture;
use fitter_testkit::{Fitter, Player};
use futures::future::join_all;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use crate::{options, vault};

/// Things that each of them does.
const ACTIONS: usize = 40;

const WORDS: [&str; 26] = [
    "12,4",
    "8",
    "-5",
    "1e9",
    "да",
    "готово",
    "Замок",
    "какой предохранитель на питание маяка?",
    "гарантия",
    "бешбармак",
    "123 ABC 02",
    "WDB9634031L123456",
    "356307042441013",
    "/start",
    "/menu",
    "/jobs",
    "/new",
    "/procedures",
    "/help",
    "/language",
    "/ask где номер",
    "/нет",
    "🙂🙂🙂",
    "*жирный* _курсив_ <b>&amp;</b> [x](http://y) `код`",
    "\u{202e}наоборот\u{200b}",
    "строка\nдругая\n\nтретья",
];

/// Does something; gives how many taps the bot has to answer.
async fn act(player: &Player<'_>, random: &mut StdRng) -> usize {
    match random.random_range(0..100) {
        0..62 => {
            let messages = player.from_bot().await;
            let recent: Vec<_> = messages.iter().rev().take(4).filter(|message| !message.labels().is_empty()).collect();
            let Some(message) = recent.choose(random) else { return 0 };
            let places: Vec<(usize, usize)> = message.buttons().map(|(_, row, col)| (row, col)).collect();
            let Some((row, col)) = places.choose(random).copied() else { return 0 };
            let did = player.press_at(message.id(), row, col).await;
            let taps = usize::from(matches!(did, fitter_testkit::player::Did::Tapped(_)));
            player.settle(did).await;
            return taps;
        }
        62..84 => {
            player.say(WORDS.choose(random).copied().unwrap_or("?")).await;
        }
        84..92 => {
            let caption = [None, Some("подпись"), Some("555 MNK 02"), Some("12")];
            player.photos(random.random_range(1..4), caption.choose(random).copied().flatten()).await;
        }
        92..95 => {
            player.files(vec![("sticker", "a.webp".to_owned(), b"sticker".to_vec())], None).await;
        }
        95..97 => {
            player.files(vec![("document", "photo.png".to_owned(), picture(random.random()))], None).await;
        }
        _ => {
            let own = player.messages().await.into_iter().rev().find(|message| !message.by_bot() && message.0.get("text").is_some());
            if let Some(own) = own {
                player.edit(own.id(), &format!("{} {}", WORDS.choose(random).copied().unwrap_or("?"), random.random::<u32>())).await;
            }
        }
    }
    0
}

#[test]
fn whatever_they_do_the_bot_answers() {
    run(async {
        let fitter = Fitter::start(options().vault(vault())).await;
        let seed: u64 = std::env::var("FITTER_CHAOS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_120);
        eprintln!("seed {seed}: FITTER_CHAOS_SEED repeats it");
        let roles = [Role::Technician, Role::Technician, Role::Technician, Role::Manager, Role::Admin, Role::Client];
        let mut players = Vec::new();
        for (place, role) in roles.into_iter().enumerate() {
            players.push(fitter.person(&format!("Обезьяна {place}"), role, Locale::Ru).await);
        }
        join_all(players.iter().zip(0..).map(async |(player, place)| {
            let mut random = StdRng::seed_from_u64(seed + place);
            let mut taps = 0;
            for _ in 0..ACTIONS {
                taps += act(player, &mut random).await;
            }
            player.say("/language").await;
            let russian = player.got("Выберите язык").await;
            let did = player.press_data(russian.id(), &russian.data("Русский").unwrap()).await;
            player.settle(did).await;
            player.say("/cancel").await;
            player.got("чем помочь?").await;
            let answers = player.answers().await.len();
            if answers != taps + 1 {
                player.fail(&format!("{} taps, {answers} answers", taps + 1)).await;
            }
            player.never_sees("Что-то пошло не так").await;
        }))
        .await;
        let log = fitter.log();
        let complaints: Vec<&str> = log.lines().filter(|line| line.contains(" ERROR ") || line.contains(" WARN ")).collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
        fitter.finish().await;
    });
}
