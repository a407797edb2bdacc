//! Updates as such: size, depth, secrets, repetitions, numbers.

use serde_json::{Value, json};

use crate::SECRET;
use crate::stage::Stage;

const QUESTION: &str = "какой предохранитель на питание маяка";

/// Raw JSON with something in the place of `"HERE"`.
fn raw(stage: &Stage<'_>, player: &fitter_testkit::Player<'_>, content: Value, here: &str) -> (i64, String) {
    let update = stage.message(player, &content);
    (update["update_id"].as_i64().unwrap(), update.to_string().replace("\"HERE\"", here))
}

/// It is answered, and was asked as it was typed.
async fn answered(stage: &Stage<'_>, player: &fitter_testkit::Player<'_>, number: i64, update: String) -> bool {
    let written = stage.since(player, async || stage.raw(number, update).await).await;
    written.iter().any(|message| message.text().contains("3 А, плавкий"))
        && stage.questions(player).await.iter().any(|text| text == QUESTION)
}

cases! {
    ten_megabytes {
        sent: "an update of 10 MB to the webhook (Telegram's largest, a rich message, has some hundred kilobytes)",
        seen: ["HTTP 413"],
        kept: [],
        play: async |stage| {
            let aidos = stage.technician("Айдос Мегабайт").await;
            let (number, update) = raw(stage, &aidos, json!({"text": QUESTION, "x": "HERE"}), &format!("\"{}\"", "я".repeat(5 << 20)));
            assert_eq!(stage.knock(Some(SECRET), update).await, 413);
            assert_eq!(stage.in_inbox(number).await, 0);
            // The next one is answered.
            let (number, update) = raw(stage, &aidos, json!({"text": QUESTION}), "");
            assert!(answered(stage, &aidos, number, update).await);
        },
    }
    ten_thousand_levels {
        sent: "JSON nested 10,000 deep beside the words: arrays, objects, within the message and beside it",
        seen: ["3 А, плавкий"],
        kept: ["the words, as a question", "the update, without what is deeper than 96 levels"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Глубина").await;
            let deep = [format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000)), format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000))];
            for deep in &deep {
                for content in [json!({"text": QUESTION, "x": "HERE"}), json!({"text": QUESTION, "reply_to_message": "HERE"}), json!({"text": "HERE", "caption": QUESTION})] {
                    let (number, update) = raw(stage, &aidos, content, deep);
                    assert!(answered(stage, &aidos, number, update).await);
                }
                let (number, update) = raw(stage, &aidos, json!({"text": QUESTION}), "");
                let update = update.replacen('{', &format!("{{\"y\":{deep},"), 1);
                assert!(answered(stage, &aidos, number, update).await);
                stage.settle(number).await;
            }
            stage.keeps("the words, as a question", stage.questions(&aidos).await.len() == 8);
            let kept = stage.fitter.count("SELECT count(*) FROM queue_items WHERE payload::text LIKE '%[[[[[%null%]]]]]%'").await;
            stage.keeps("the update, without what is deeper than 96 levels", kept >= 4);
        },
    }
    a_wrong_secret {
        sent: "an update with no secret, an empty one, a part of the secret, a wrong one; with the right one for another bot",
        seen: ["HTTP 401"],
        kept: [],
        play: async |stage| {
            let aidos = stage.technician("Айдос Секрет").await;
            let (number, update) = raw(stage, &aidos, json!({"text": QUESTION}), "");
            for secret in [None, Some(""), Some("strange-but-tru"), Some("x")] {
                assert_eq!(stage.knock(secret, update.clone()).await, 401, "{secret:?}");
            }
            let other = format!("http://{}/telegram/7000002", stage.fitter.http_addr());
            let request = fitter_testkit::telegram::client().post(other).header("x-telegram-bot-api-secret-token", SECRET);
            assert_eq!(request.body(update).send().await.unwrap().status(), 401);
            assert_eq!((stage.in_inbox(number).await, stage.questions(&aidos).await.len()), (0, 0));
        },
    }
    a_thousand_times {
        sent: "one update 1,000 times, 16 at once",
        seen: ["Шаг 2 из 3"],
        kept: ["the update once", "the answer once"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Тысяча").await;
            stage.walk(&aidos, "Короткая проверка").await;
            let (number, update) = raw(stage, &aidos, json!({"text": "12"}), "");
            let knocks = (0..1000).map(|_| stage.knock(Some(SECRET), update.clone()));
            let statuses: Vec<u16> = futures::StreamExt::collect(futures::StreamExt::buffer_unordered(futures::stream::iter(knocks), 16)).await;
            assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
            stage.settle(number).await;
            stage.keeps("the update once", stage.in_inbox(number).await == 1);
            let state = &stage.runs(&aidos).await[0]["state"];
            assert_eq!(state["at"]["step"], 1, "{state}");
            let answers = state["records"][0][1]["answers"].as_array().unwrap().len();
            stage.keeps("the answer once", answers == 1 && state["records"].as_array().unwrap().len() == 2);
        },
    }
    no_update {
        sent: "what is no JSON, or cut off",
        seen: ["HTTP 400"],
        kept: [],
        play: async |stage| {
            for body in ["", "not json", "{", "{\"update_id\": 1", "{\"update_id\": 01}", "\"\\ud800", "{\"a\": tru}", "\u{feff}{}"] {
                assert_eq!(stage.knock(Some(SECRET), body).await, 400, "{body}");
            }
            assert_eq!(stage.knock(Some(SECRET), vec![b'"', 0xff, 0xfe, b'"']).await, 400);
        },
    }
    no_number {
        sent: "JSON that is no update: nothing, lists, numbers, an update without a number or with one that is none",
        seen: ["HTTP 200"],
        kept: [],
        play: async |stage| {
            let items = "SELECT count(*) FROM queue_items WHERE dedupe_key LIKE '7000001:%x%' OR dedupe_key = '7000001:'";
            for body in ["{}", "[]", "null", "1", "\"x\"", "[{\"update_id\": 1}]", "{\"update_id\": \"x1\"}", "{\"update_id\": 1.5}", "{\"update_id\": null}",
                "{\"update_id\": 99999999999999999999999}", "{\"message\": {\"text\": \"x\"}}"] {
                assert_eq!(stage.knock(Some(SECRET), body).await, 200, "{body}");
            }
            assert_eq!(stage.fitter.count(items).await, 0);
        },
    }
    unknown_kinds {
        sent: "kinds of updates that nobody knows, and known kinds with contents of another type",
        seen: [],
        kept: ["the updates"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Квант").await;
            let from = json!({"id": aidos.id, "is_bot": false, "first_name": "Айдос"});
            let mut numbers = Vec::new();
            let before = aidos.from_bot().await.len();
            for update in [
                json!({"quantum": {"from": from, "chat": {"id": aidos.id, "type": "private"}, "text": "привет"}}),
                json!({"quantum": 5, "entangled": [1, 2]}), json!({"message": 5}), json!({"message": []}), json!({"message": {}}),
                json!({"message": {"chat": {"id": "x"}, "text": 5}}), json!({"callback_query": {"from": from}}), json!({"callback_query": "x"}),
                json!({"edited_message": {"from": from}}), json!({"my_chat_member": {"chat": {"id": aidos.id, "type": "private"}}}),
                json!({"stopped_message_generation": {"chat": null}}), json!({}),
            ] {
                numbers.push(stage.update(update).await);
            }
            let mut kept = 0;
            for number in &numbers {
                kept += stage.in_inbox(*number).await;
            }
            stage.keeps("the updates", kept == 12);
            assert_eq!(aidos.from_bot().await.len(), before, "nobody is written to");
        },
    }
    odd_numbers {
        sent: "update numbers 0, negative, the largest there is; message numbers and topics likewise; dates 0, negative, in 3000 years; the number 1e999",
        seen: ["3 А, плавкий"],
        kept: ["the words, as a question, each"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Числа").await;
            for number in [0, -5, i64::MIN, i64::MAX] {
                let mut update = stage.message(&aidos, &json!({"text": QUESTION}));
                update["update_id"] = number.into();
                assert!(answered(stage, &aidos, number, update.to_string()).await, "{number}");
            }
            for content in [
                json!({"message_id": i64::MAX}), json!({"message_id": 0}), json!({"message_id": -1}),
                json!({"date": 0}), json!({"date": -1}), json!({"date": 99_999_999_999_i64}), json!({"date": i64::MIN}), json!({"date": "x"}),
                json!({"message_thread_id": i64::MAX}), json!({"message_thread_id": -1, "is_topic_message": false}), json!({"x": "HERE"}),
            ] {
                let mut content = content;
                content["text"] = QUESTION.into();
                let (number, update) = raw(stage, &aidos, content.clone(), "1e999");
                assert!(answered(stage, &aidos, number, update).await, "{content}");
            }
            stage.keeps("the words, as a question, each", stage.questions(&aidos).await.len() == 15);
        },
    }
    a_topic_that_is_gone {
        sent: "a message in a topic of the private chat that does not exist any more when it is answered",
        seen: ["3 А, плавкий"],
        kept: ["the words, as a question"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Тема").await;
            for thread in [77, i64::MAX] {
                let content = json!({"text": QUESTION, "is_topic_message": true, "message_thread_id": thread});
                let (number, update) = raw(stage, &aidos, content, "");
                assert!(answered(stage, &aidos, number, update).await, "{thread}");
            }
            stage.keeps("the words, as a question", stage.questions(&aidos).await.len() == 2);
        },
    }
    twice_in_one {
        sent: "an object that names the same field twice",
        seen: ["3 А, плавкий"],
        kept: ["the words that come last, as a question"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Дважды").await;
            let (number, update) = raw(stage, &aidos, json!({"text": "HERE"}), &format!("\"ой\", \"text\": \"{QUESTION}\""));
            let update = update.replacen('{', "{\"update_id\": 1,", 1);
            assert!(answered(stage, &aidos, number, update).await);
            stage.keeps("the words that come last, as a question", stage.questions(&aidos).await == [QUESTION]);
        },
    }
}
