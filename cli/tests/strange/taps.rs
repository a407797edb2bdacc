//! Buttons: pressed twice, two at once, a month later, by somebody else, and never made.

use std::collections::HashSet;

use fitter_testkit::Player;
use fitter_testkit::player::Did;
use serde_json::{Value, json};

const STALE: &str = "Кнопка устарела — показываю, как сейчас";

/// Every tap was answered, once.
async fn answers(player: &Player<'_>) -> (usize, usize) {
    let answers = player.answers().await;
    let ids: HashSet<&str> = answers.iter().filter_map(|answer| answer["callback_query_id"].as_str()).collect();
    (answers.len(), ids.len())
}

/// Presses two buttons at the same moment, and waits for both.
async fn both(player: &Player<'_>, one: impl Future<Output = Did>, other: impl Future<Output = Did>) {
    let (one, other) = futures::future::join(one, other).await;
    player.settle(one).await.settle(other).await;
}

cases! {
    the_same_twice_at_once {
        sent: "one button twice at the same moment: «Да» of a step, «Начать» of a procedure",
        seen: [STALE, "Пятый", "Шаг 1 из 8"],
        kept: ["one answer", "one walk"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Палец").await;
            stage.walk(&aidos, "Восемь замеров").await;
            aidos.say("раз").await.say("2").await.say("три").await;
            let step = aidos.sees("Четвёртый?").await;
            let data = step.data("✓ Да").unwrap();
            both(&aidos, aidos.press_data(step.id(), &data), aidos.press_data(step.id(), &data)).await;
            let records = stage.runs(&aidos).await[0]["state"]["records"].as_array().unwrap().len();
            stage.keeps("one answer", records == 5 && answers(&aidos).await == (4, 4));

            let serik = stage.technician("Серик Палец").await;
            serik.say("/procedures").await.tap("Восемь замеров").await;
            let intro = serik.last().await;
            let data = intro.data("▶ Начать").unwrap();
            both(&serik, serik.press_data(intro.id(), &data), serik.press_data(intro.id(), &data)).await;
            stage.keeps("one walk", stage.runs(&serik).await.len() == 1 && answers(&serik).await == (3, 3));
        },
    }
    two_at_once {
        sent: "two different buttons of a step at the same moment: «Готово» and «Проблема»",
        seen: [STALE],
        kept: ["what came first: the step is done, or the problem is being told"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Ладонь").await;
            stage.walk(&aidos, "Короткая проверка").await;
            aidos.say("12").await.say("сто").await;
            let step = aidos.sees("Шаг 3 из 3").await;
            let (done, problem) = (step.data("Готово").unwrap(), step.data("⚠ Проблема").unwrap());
            both(&aidos, aidos.press_data(step.id(), &done), aidos.press_data(step.id(), &problem)).await;
            let run = &stage.runs(&aidos).await[0];
            let (is_done, is_problem) = (run["status"] == "done", run["state"]["pending"]["kind"] == "problem");
            stage.keeps("what came first: the step is done, or the problem is being told", is_done != is_problem);
            assert_eq!(answers(&aidos).await, (4, 4));
        },
    }
    a_month_later {
        sent: "buttons of a message so old that Telegram only tells its number: of an earlier revision of the walk, of a walk that is over, of a menu",
        seen: [STALE, "чем помочь?", "✓ Короткая проверка — готово"],
        kept: ["the walk where it stood"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Месяц").await;
            stage.walk(&aidos, "Короткая проверка").await;
            let first = aidos.sees("Шаг 1 из 3").await;
            let old = [first.data("⚠ Проблема").unwrap(), first.data("⏸ Пауза").unwrap()];
            aidos.say("12").await.say("сто").await;
            let before = stage.runs(&aidos).await;
            for data in old.iter().map(String::as_str).chain(["m", "js"]) {
                let tap = stage.tap(&aidos, data, &json!({}));
                let id = tap["callback_query"]["id"].clone();
                stage.update(tap).await;
                stage.look(&aidos).await;
                // To the simulator it is too old to be answered.
                let answered = stage.fitter.telegram.calls_of("answerCallbackQuery", &id.to_string()).await;
                assert_eq!(answered.len(), 1, "{data}");
                stage.reads(answered[0]["request"]["text"].as_str().unwrap_or_default());
            }
            stage.keeps("the walk where it stood", stage.runs(&aidos).await == before);
            aidos.say("/menu").await.tap("▶ Короткая проверка · 3/3").await.tap("Готово").await;
            for data in [old[0].as_str(), "m", "js", "n", "l:ru", "jx", "se"] {
                stage.update(stage.tap(&aidos, data, &json!({}))).await;
            }
        },
    }
    somebody_elses {
        sent: "buttons of somebody else's walk, card, search, question, problem; buttons of managers and administrators",
        seen: ["Это недоступно"],
        kept: ["everything as it was"],
        play: async |stage| {
            let marina = stage.manager("Марина Чужое").await;
            let aidos = stage.technician("Айдос Чужое").await;
            aidos.say("/new").await.say("777 FRG 02").await;
            let job = stage.fitter.count(&format!("SELECT max(j.id) FROM jobs j JOIN people p ON p.id = j.technician WHERE p.user_id = {}", aidos.id)).await;
            aidos.say("/procedures").await.tap("Короткая проверка").await.tap("Начать без карточки").await;
            aidos.say("12").await.tap("⚠ Проблема").await.say("секрет").await.tap("Отправить менеджеру").await;
            aidos.say("зщшгк щшзхъ?").await.tap("Спросить человека").await;
            let ids = async |table: &str| stage.fitter.count(&format!("SELECT max(id) FROM {table}")).await;
            let (question, fault, query) = (ids("questions").await, ids("faults").await, ids("queries").await);
            marina.wait_for("секрет").await;
            let run = stage.runs(&aidos).await[0].clone();
            let (id, rev) = (run["id"].as_i64().unwrap(), run["state"]["rev"].as_i64().unwrap());
            let table = async |name: &str| stage.fitter.rows(&format!("SELECT * FROM {name} ORDER BY 1")).await;
            let mine = async || [table(&format!("runs WHERE id = {id}")).await, table(&format!("jobs WHERE id = {job}")).await,
                table(&format!("questions WHERE id = {question}")).await, table(&format!("faults WHERE id = {fault}")).await];
            let before = mine().await;
            for (role, name) in [("technician", "Чужой Техник"), ("client", "Чужой Клиент")] {
                let other = stage.person(name, role.parse().unwrap(), fitter_domain::Locale::Ru).await;
                let mut forged: Vec<String> = ["ok", "c0", "sk", "bk", "pa", "pr", "ay", "ab", "se", "es", "e0", "fw"].iter().map(|walk| format!("w:{id}:{rev}:{walk}")).collect();
                forged.extend([format!("r:{id}"), format!("h:{query}:0"), format!("hu:{query}"), format!("q:{question}"), format!("f:{fault}"), format!("fc:{fault}")]);
                forged.extend(["j", "jm", "jc", "jp", "jg", "jh", "jf"].iter().map(|verb| format!("{verb}:{job}")));
                forged.extend([format!("jt:{job}:complete"), format!("ps:{job}:0"), format!("go:1:{job}"), format!("p:1:{job}"), "iv".into(), "iv:admin".into(), "qs".into(), "fs".into()]);
                for data in &forged {
                    stage.unhurried(&other).await;
                    other.forge(data).await;
                }
                assert_eq!(answers(&other).await, (forged.len(), forged.len()));
                for secret in ["секрет", "зщшгк", "?start=", "FRG"] {
                    other.never_sees(secret).await;
                }
            }
            stage.keeps("everything as it was", mine().await == before);
        },
    }
    never_made {
        sent: "callback data that no release ever made: other signs, other grammar, numbers of nothing, 64 bytes, 10,000 bytes, none at all, of a game",
        seen: [STALE, "Это недоступно", "чем помочь?"],
        kept: ["everything as it was"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Подделка").await;
            stage.walk(&aidos, "Короткая проверка").await;
            aidos.say("12").await;
            let before = stage.runs(&aidos).await;
            let forged: Vec<String> = ["🙂", ":", "::::", "x".repeat(64).as_str(), "w:1:2:zz", "w:1:2", "w:1:2:3:4", "j:999999", "j:-1", "j:0", "j:1e3", "j: 1", "go:999999:-", "go:1", "q:999999",
                "f:999999", "h:999999:0", "h:1:99999999999", "hu:999999", "r:9223372036854775807", "r:9223372036854775808", "p:1:999999", "ps:-:4294967295", "ps:-:4294967296",
                "jn:plate:ПРИВЕТ", "jn:vin:X", "jt:1:gone", "l:de", "l:", "iv:root", "M", "m ", "\n", "а", "javascript:alert(1)"].iter().map(|data| (*data).to_owned()).collect();
            for data in &forged {
                stage.unhurried(&aidos).await;
                aidos.forge(data).await;
                stage.look(&aidos).await;
            }
            assert_eq!(answers(&aidos).await, (forged.len() + 2, forged.len() + 2), "every tap is answered once");
            for change in [json!({"data": "y".repeat(10_000)}), json!({"data": null, "game_short_name": "x"}), json!({"data": null}), json!({"data": ""}), json!({"data": 5}),
                json!({"message": null, "inline_message_id": "x", "data": "zz"}), json!({"id": "9".repeat(10_000), "data": "zz"})] {
                stage.unhurried(&aidos).await;
                stage.update(stage.tap(&aidos, "", &change)).await;
            }
            stage.keeps("everything as it was", runs_stand(&stage.runs(&aidos).await, &before));
        },
    }
}

/// Put aside at most: a button that leads home leaves a walk where it is.
fn runs_stand(now: &[Value], before: &[Value]) -> bool {
    now.len() == before.len() && now.iter().zip(before).all(|(now, before)| now["state"]["records"] == before["state"]["records"])
}
