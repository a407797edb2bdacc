//! Words and names of odd signs.

use fitter_domain::Locale;
use fitter_domain::person::Role;
use fitter_testkit::Player;
use fitter_testkit::app::eventually;
use serde_json::{Value, json};

use crate::stage::{Stage, fresh};

/// A walk that waits for words.
async fn at_words<'f>(stage: &Stage<'f>, name: &str) -> Player<'f> {
    let player = stage.technician(name).await;
    stage.walk(&player, "Короткая проверка").await;
    player.say("12").await;
    player
}

/// The answers of the second step.
async fn answer(stage: &Stage<'_>, player: &Player<'_>) -> Option<String> {
    let state = stage.runs(player).await.pop()?["state"].clone();
    state["records"][1][1]["answers"][0]["text"].as_str().map(str::to_owned)
}

/// Somebody nobody knows presses Start; the name that is suggested, and the name that they have in the end.
async fn named(stage: &Stage<'_>, first_name: Value) -> (String, String) {
    let id = fresh();
    stage.fitter.telegram.account(id, "x", "ru").await;
    let from = json!({"id": id, "is_bot": false, "first_name": first_name, "language_code": "ru"});
    let chat = json!({"id": id, "type": "private"});
    let message = |text: &str| json!({"message": {"message_id": fresh(), "date": 1, "chat": chat, "from": from, "text": text}});
    let tap = |data: &str| json!({"callback_query": {"id": fresh().to_string(), "from": from, "data": data, "message": {"message_id": 1, "date": 0, "chat": chat}}});
    stage.update(message("/start")).await;
    stage.update(tap("l:ru")).await;
    let suggested = name_of(stage, id).await;
    // Without a suggestion there is nothing to press, and any name will do.
    stage.update(if suggested.is_empty() { message("Кто-то") } else { tap("n") }).await;
    stage.update(message("/cancel")).await;
    told(stage, id).await;
    (suggested, name_of(stage, id).await)
}

/// What was sent to somebody who cannot be written to: the simulator refuses it, and remembers.
async fn told(stage: &Stage<'_>, chat: i64) {
    let requests = eventually("something is sent", async || {
        let calls = stage.fitter.telegram.calls_of("sendMessage", &format!("\"chat_id\":{chat}")).await;
        (!calls.is_empty()).then_some(calls)
    })
    .await;
    for call in requests {
        stage.reads(call["request"]["text"].as_str().unwrap_or_default());
    }
}

async fn name_of(stage: &Stage<'_>, user: i64) -> String {
    let rows = stage.fitter.rows(&format!("SELECT name FROM people WHERE user_id = {user}")).await;
    rows[0]["name"].as_str().unwrap().to_owned()
}

cases! {
    four_thousand_emoji {
        sent: "4,096 emoji, as an answer in a walk",
        seen: ["Шаг 3 из 3", "✓ Короткая проверка — готово"],
        kept: ["the answer, whole"],
        play: async |stage| {
            let aidos = at_words(stage, "Айдос Эмодзи").await;
            let words = "👩‍🔧🔧🇰🇿".chars().cycle().take(4096).collect::<String>();
            stage.sends(&aidos, json!({"text": words})).await;
            stage.keeps("the answer, whole", answer(stage, &aidos).await == Some(words));
            aidos.tap("Готово").await;
            let parts = aidos.from_bot().await;
            assert!(parts.iter().all(|part| part.text().encode_utf16().count() <= 4096));
        },
    }
    right_to_left {
        sent: "words from right to left, with marks and overrides of direction in them, as an answer in a walk; a number between such marks",
        seen: ["Шаг 3 из 3"],
        kept: ["the answer, as it was typed", "the number"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Направо").await;
            stage.walk(&aidos, "Короткая проверка").await;
            stage.sends(&aidos, json!({"text": "\u{200f}\u{202b}12,4\u{202c}\u{200f}"})).await;
            let words = "القراءة ١٢ \u{202e}تمام\u{202c} שלום";
            stage.sends(&aidos, json!({"text": words})).await;
            stage.keeps("the answer, as it was typed", answer(stage, &aidos).await.as_deref() == Some(words));
            stage.keeps("the number", stage.runs(&aidos).await[0]["state"]["records"][0][1]["answers"][0]["value"] == 12.4);
        },
    }
    stacked_and_joined {
        sent: "4,000 stacked accents, joiners and zero widths between letters, as an answer in a walk",
        seen: ["Шаг 3 из 3", "✓ Короткая проверка — готово"],
        kept: ["the answer, as it was typed"],
        play: async |stage| {
            let aidos = at_words(stage, "Айдос Залго").await;
            let words: String = "по\u{200b}ка\u{200d}за\u{2060}ние".chars().chain(std::iter::repeat_n('\u{334}', 2000)).chain(std::iter::repeat_n('\u{20e3}', 2000)).collect();
            stage.sends(&aidos, json!({"text": words})).await;
            stage.keeps("the answer, as it was typed", answer(stage, &aidos).await.as_deref() == Some(words.as_str()));
            aidos.tap("Готово").await;
        },
    }
    nothing_to_see {
        sent: "a text of which nothing can be seen: zero widths, Hangul fillers, braille blanks, tags; where words, a value, a name or a reply are due",
        seen: ["Это я пока не понимаю. Пришлите текст или фото.", "❓ Показание", "Как к вам обращаться?"],
        kept: ["the walk where it stood"],
        play: async |stage| {
            let words = at_words(stage, "Айдос Пустота").await;
            let newcomer = stage.stranger("Новый Пустота", "ru").await;
            newcomer.start("").await.tap("Русский").await;
            let before = stage.runs(&words).await;
            for text in ["\u{200b}", "\u{3164}\u{3164}", "\u{2800} \u{feff}", "\u{2063}", "\u{e0020}\u{e007f}", "\u{200d}\u{fe0f}", "\u{ad}"] {
                assert!(!stage.sends(&words, json!({"text": text})).await.is_empty(), "{text:?}");
                assert!(!stage.sends(&newcomer, json!({"text": text})).await.is_empty(), "{text:?}");
                newcomer.sees("Как к вам обращаться?").await;
            }
            stage.keeps("the walk where it stood", stage.runs(&words).await == before);
            newcomer.say("Новый").await;
        },
    }
    no_characters {
        sent: "U+0000, halves of surrogate pairs, a byte order mark before a command and in words",
        seen: ["Шаг 3 из 3", "Что я умею:"],
        kept: ["the answer, without what is no character"],
        play: async |stage| {
            let aidos = at_words(stage, "Айдос Нуль").await;
            let update = stage.message(&aidos, &json!({"text": "HERE", "caption_entities": "HERE"}));
            let number = update["update_id"].as_i64().unwrap();
            stage.raw(number, update.to_string().replace("HERE", r"\ufeffа\u0000б\ud800в\udc00г\ud83d\ude00")).await;
            stage.keeps("the answer, without what is no character", answer(stage, &aidos).await.as_deref() == Some("аб\u{fffd}в\u{fffd}г😀"));
            // The same in names, captions, file ids, albums, taps.
            let odd = json!({"text": "/help", "from": {"id": aidos.id, "first_name": "HERE", "language_code": "HERE"}, "media_group_id": "HERE"});
            let update = stage.message(&aidos, &odd);
            let number = update["update_id"].as_i64().unwrap();
            stage.raw(number, update.to_string().replace("HERE", r"\u0000x")).await;
            stage.sends(&aidos, json!({"text": "\u{feff}/help"})).await;
            let tap = stage.tap(&aidos, "HERE", &json!({}));
            let number = tap["update_id"].as_i64().unwrap();
            stage.raw(number, tap.to_string().replace("HERE", r"m\u0000\ud800")).await;
        },
    }
    a_caption_at_its_limit {
        sent: "a photo with a caption of 1,024 signs, as a problem",
        seen: ["Сообщил менеджеру"],
        kept: ["the caption, whole, at the photo and in the problem"],
        play: async |stage| {
            let marina = stage.manager("Марина Подпись").await;
            let aidos = stage.technician("Айдос Подпись").await;
            stage.walk(&aidos, "Короткая проверка").await;
            aidos.tap("⚠ Проблема").await;
            let caption: String = "искрит ".chars().cycle().take(1019).chain("конец".chars()).collect();
            aidos.photos(1, Some(&caption)).await;
            aidos.tap("Отправить менеджеру").await;
            marina.wait_for("конец").await;
            let sql = format!("SELECT count(*) FROM photos f JOIN faults t ON t.run = f.run WHERE f.caption = '{caption}' AND t.note = f.caption");
            stage.keeps("the caption, whole, at the photo and in the problem", stage.fitter.count(&sql).await == 1);
        },
    }
    a_long_question {
        sent: "a question of 32,768 signs in a rich message, passed on to a human",
        seen: ["Спросить человека", "Передал ваш вопрос"],
        kept: ["the question, whole, for whoever answers it"],
        play: async |stage| {
            let marina = stage.manager("Марина Длина").await;
            let aidos = stage.technician("Айдос Длина").await;
            let question: String = (0..6000).map(|n| format!("щ{n:04} ")).collect::<String>().chars().take(32_760).chain("конец".chars()).collect();
            stage.sends(&aidos, json!({"rich_message": {"blocks": [{"type": "paragraph", "text": question}]}})).await;
            aidos.tap("Спросить человека").await;
            marina.wait_for("конец").await;
            let texts: String = marina.from_bot().await.iter().map(|message| message.text().to_owned()).collect();
            let all = (0..5400).all(|n| texts.contains(&format!("щ{n:04}")));
            stage.keeps("the question, whole, for whoever answers it", all);
        },
    }
    odd_names {
        sent: "first names: 10,000 signs, markup, overrides of direction, stacked accents, emoji only, nothing, nothing to see, a number",
        seen: ["Как к вам обращаться? Нажмите кнопку или напишите имя."],
        kept: ["names of at most 64 signs that stay in their line"],
        play: async |stage| {
            let rows = [
                (json!("Ы".repeat(10_000)), "Ы".repeat(64)), (json!("<b>Ян</b> *_`[x](y)"), "<b>Ян</b> *_`[x](y)".to_owned()),
                (json!("\u{202e}ымат\u{2066}\n\u{0}!"), "ымат !".to_owned()), (json!("🧑‍🔧🔥"), "🧑‍🔧🔥".to_owned()),
                (json!(format!("З{}", "\u{301}".repeat(60))), format!("З{}", "\u{301}".repeat(9))),
                (json!(""), String::new()), (json!("\u{3164}\u{200b}"), String::new()), (json!(5), String::new()), (Value::Null, String::new()),
            ];
            let mut fit = true;
            for (first_name, wanted) in rows {
                let (suggested, name) = named(stage, first_name.clone()).await;
                let last = if wanted.is_empty() { "Кто-то" } else { &wanted };
                assert_eq!((suggested.as_str(), name.as_str()), (wanted.as_str(), last), "{first_name}");
                fit &= name.chars().count() <= 64;
            }
            stage.keeps("names of at most 64 signs that stay in their line", fit);
        },
    }
    odd_languages {
        sent: "languages of a client: none, unknown, of a region, in capitals, very long, of another type",
        seen: ["Выберите язык · Тілді таңдаңыз · Choose a language"],
        kept: ["the nearest language that the bot speaks, or Russian"],
        play: async |stage| {
            let mut right = true;
            for (tag, locale) in [(json!(null), "ru"), (json!("xx"), "ru"), (json!("kk-Arab-CN"), "kk"), (json!("EN_us"), "en"), (json!(""), "ru"),
                (json!("-"), "ru"), (json!("en".repeat(10_000)), "ru"), (json!({"a": 1}), "ru"), (json!("рус"), "ru")] {
                let id = fresh();
                stage.fitter.telegram.account(id, "x", "ru").await;
                let from = json!({"id": id, "first_name": "x", "language_code": tag});
                stage.update(json!({"message": {"message_id": 1, "chat": {"id": id, "type": "private"}, "from": from, "text": "/start"}})).await;
                let rows = stage.fitter.rows(&format!("SELECT locale FROM people WHERE user_id = {id}")).await;
                assert_eq!(rows[0]["locale"], locale, "{tag}");
                told(stage, id).await;
                right &= rows.len() == 1;
            }
            stage.keeps("the nearest language that the bot speaks, or Russian", right);
        },
    }
    a_question_for_a_reason {
        sent: "a question without a question mark, where the reason for a reading is due",
        seen: ["Это причина, почему показание такое?", "3 А, плавкий", "8 В (клемма окислена)"],
        kept: ["the question, asked", "the reason that was meant"],
        play: async |stage| {
            let aidos = stage.person("Айдос Причина", Role::Technician, Locale::Ru).await;
            stage.walk(&aidos, "Короткая проверка").await;
            aidos.say("8").await.say("какой предохранитель на питание маяка").await;
            stage.look(&aidos).await;
            aidos.tap("Это был вопрос").await;
            stage.look(&aidos).await;
            stage.keeps("the question, asked", stage.questions(&aidos).await.len() == 1);
            aidos.say("клемма окислена").await.tap("Да, это причина").await;
            let state = stage.runs(&aidos).await[0]["state"].clone();
            stage.keeps("the reason that was meant", state["records"][0][1]["answers"][0]["reason"] == "клемма окислена");
        },
    }
}
