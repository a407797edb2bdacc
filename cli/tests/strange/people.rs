//! Invitations used twice or by two, roles, and the commands that a client lists.

use fitter_domain::Locale;
use fitter_domain::person::Role;
use fitter_testkit::Player;
use fitter_testkit::app::eventually;
use serde_json::{Value, json};

use crate::stage::Stage;

const STAFF: [&str; 7] = ["menu", "jobs", "new", "procedures", "language", "help", "cancel"];
/// Managers and admins.
const EDITORS: [&str; 8] = ["menu", "jobs", "new", "procedures", "gaps", "language", "help", "cancel"];
const ALL: [&str; 4] = ["menu", "language", "help", "cancel"];

/// The commands that a person's client lists: names, and what the first one does.
async fn commands(stage: &Stage<'_>, player: &Player<'_>) -> (Vec<String>, String) {
    let (_, state) = stage.fitter.telegram.get(&format!("state?person={}", player.id)).await;
    let commands = state["bots"][0]["commands"].as_array().cloned().unwrap_or_default();
    let text = |command: &Value, name: &str| command[name].as_str().unwrap_or_default().to_owned();
    (
        commands.iter().map(|command| text(command, "command")).collect(),
        commands.first().map(|first| text(first, "description")).unwrap_or_default(),
    )
}

async fn lists(stage: &Stage<'_>, player: &Player<'_>, wanted: &[&str], first: &str) {
    eventually("the commands", async || {
        (commands(stage, player).await == (wanted.iter().map(|name| (*name).to_owned()).collect(), first.to_owned())).then_some(())
    })
    .await;
}

async fn role(stage: &Stage<'_>, player: &Player<'_>) -> String {
    let rows = stage.fitter.rows(&format!("SELECT role FROM people WHERE user_id = {}", player.id)).await;
    rows[0]["role"].as_str().unwrap().to_owned()
}

cases! {
    an_invitation_by_two_at_once {
        sent: "one invitation by eight people at the same moment",
        seen: ["Вас пригласили как техника.", "Этой ссылкой уже воспользовались. Попросите новую у своего менеджера, а пока можно просто задать вопрос."],
        kept: ["one technician; the others are clients"],
        play: async |stage| {
            let link = stage.fitter.invite("technician").await;
            let mut people = Vec::new();
            for n in 0..8 {
                people.push(stage.stranger(&format!("Спешит {n}"), "ru").await);
            }
            futures::future::join_all(people.iter().map(|player| player.start(&link))).await;
            let mut roles = Vec::new();
            let mut told = 0;
            for player in &people {
                stage.look(player).await;
                told += player.count("Вас пригласили как техника.").await + player.count("Этой ссылкой уже воспользовались.").await;
                player.tap("Русский").await.tap("Спешит…").await;
                roles.push(role(stage, player).await);
            }
            assert_eq!(told, 8, "each is told what came of it, once");
            let technicians = roles.iter().filter(|role| *role == "technician").count();
            stage.keeps("one technician; the others are clients", technicians == 1 && roles.iter().all(|role| role == "technician" || role == "client"));
        },
    }
    an_invitation_twice {
        sent: "an invitation twice by the same person, at once and a day later",
        seen: ["Вас пригласили как техника.", "Эта ссылка уже сработала: вы в компании.", "чем помочь?"],
        kept: ["the role"],
        play: async |stage| {
            let link = stage.fitter.invite("technician").await;
            let aidos = stage.stranger("Айдос Дважды", "ru").await;
            futures::future::join(aidos.start(&link), aidos.start(&link)).await;
            stage.look(&aidos).await;
            aidos.tap("Русский").await.tap("Айдос Дважды").await;
            aidos.start(&link).await;
            aidos.sees("чем помочь?").await;
            stage.keeps("the role", role(stage, &aidos).await == "technician");
        },
    }
    an_invitation_that_is_none {
        sent: "links that nobody made: of other bots, 64 signs, 100,000 signs, SQL, several words",
        seen: ["Эта ссылка-приглашение не подходит."],
        kept: ["no role"],
        play: async |stage| {
            let olga = stage.client("Ольга Ссылка").await;
            for payload in ["promo-2026_42", &"x".repeat(64), &"y".repeat(100_000), "' OR 1=1 --", "a b c", "\u{202e}x"] {
                let written = stage.sends(&olga, json!({"text": format!("/start {payload}")})).await;
                assert!(written.iter().any(|message| message.text().contains("Эта ссылка-приглашение не подходит.")), "{written:?}");
            }
            stage.keeps("no role", role(stage, &olga).await == "client");
        },
    }
    commands_of_others {
        sent: "a look at the list of commands, by a client, a technician, somebody invited just now, somebody whose access was taken away; staff commands typed by a client",
        seen: ["Это недоступно"],
        kept: ["the list of each in their language"],
        play: async |stage| {
            let olga = stage.client("Ольга Список").await;
            lists(stage, &olga, &ALL, "Главное меню").await;
            let aidos = stage.technician("Айдос Список").await;
            lists(stage, &aidos, &STAFF, "Главное меню").await;
            aidos.say("/language").await.tap("English").await;
            lists(stage, &aidos, &STAFF, "Main menu").await;
            let marina = stage.manager("Марина Список").await;
            lists(stage, &marina, &EDITORS, "Главное меню").await;
            let invited = stage.stranger("Новый Список", "kk").await;
            invited.start(&stage.fitter.invite("technician").await).await.tap("Қазақша").await.tap("Новый Список").await;
            lists(stage, &invited, &STAFF, "Басты мәзір").await;
            let id = stage.fitter.count(&format!("SELECT id FROM people WHERE user_id = {}", invited.id)).await.to_string();
            assert_eq!(stage.fitter.cli(["user", "remove", &id]).await.code, Some(0));
            lists(stage, &invited, &ALL, "Басты мәзір").await;
            assert_eq!(stage.fitter.cli(["user", "remove", "--undo", &id]).await.code, Some(0));
            lists(stage, &invited, &STAFF, "Басты мәзір").await;
            for command in ["/jobs", "/new", "/procedures"] {
                olga.say(command).await.sees("Это недоступно").await;
            }
            stage.look(&olga).await;
            stage.keeps("the list of each in their language", true);
        },
    }
    before_they_are_known {
        sent: "a sticker, a photo with words, a voice, a tap of an old button, a forwarded message, a rich message before language and name are told",
        seen: ["Выберите язык", "3 А, плавкий"],
        kept: ["the last words, as a question that is asked once they are known"],
        play: async |stage| {
            let player = stage.stranger("Новый Рано", "ru").await;
            player.start("").await;
            for content in [json!({"sticker": {"file_id": "x"}}), json!({"voice": {"file_id": "x"}}), json!({"photo": [{"file_id": "x"}], "caption": "здравствуйте"}),
                json!({"rich_message": {"blocks": [{"type": "paragraph", "text": "какой срок гарантии на маяк"}]}})] {
                stage.sends(&player, content).await;
                player.sees("Выберите язык").await;
            }
            stage.update(stage.tap(&player, "w:1:1:ok", &json!({}))).await;
            player.sees("Выберите язык").await;
            let role = Role::Technician;
            stage.fitter.execute(&format!("UPDATE people SET role = '{}' WHERE user_id = {}", role.name(), player.id)).await;
            stage.sends(&player, json!({"text": "какой предохранитель на питание маяка", "forward_origin": {"type": "hidden_user"}})).await;
            player.tap(Locale::Ru.endonym()).await.tap("Новый Рано").await;
            stage.look(&player).await;
            stage.keeps("the last words, as a question that is asked once they are known", stage.questions(&player).await == ["какой предохранитель на питание маяка"]);
        },
    }
}
