//! In the middle of a walk: what was said is changed, deleted, forwarded, too large; the person is blocked, or blocks.

use fitter_testkit::app::eventually;
use fitter_testkit::telegram::{BOT, picture};
use serde_json::json;

cases! {
    an_edited_message {
        sent: "an answer of a walk, changed afterwards; a photo replaced by another one; a question changed",
        seen: ["Правку сообщения я не учитываю. Чтобы изменить ответ: «Назад» → «Изменить ответ».", "3 А, плавкий"],
        kept: ["the answer as it was given", "the changed question, as a question"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Правка").await;
            aidos.say("бешбармак").await;
            aidos.edit(aidos.own_last().await, "какой предохранитель на питание маяка").await;
            stage.look(&aidos).await;
            stage.walk(&aidos, "Короткая проверка").await;
            aidos.say("12").await.say("сто").await;
            aidos.edit(aidos.own_last().await, "двести").await;
            let mut photo = stage.message(&aidos, &json!({"photo": [{"file_id": "x", "file_unique_id": "x", "width": 1, "height": 1}]}));
            photo["edited_message"] = photo["message"].take();
            let written = stage.since(&aidos, async || stage.update(photo).await).await;
            assert!(written.iter().any(|message| message.text().contains("Правку сообщения я не учитываю.")), "{written:?}");
            let state = stage.runs(&aidos).await[0]["state"].to_string();
            stage.keeps("the answer as it was given", state.contains("сто") && !state.contains("двести"));
            let questions = stage.questions(&aidos).await;
            stage.keeps("the changed question, as a question", questions == ["бешбармак", "какой предохранитель на питание маяка"]);
        },
    }
    a_deleted_message {
        sent: "the step's message deleted by the person, then an answer and a tap; Telegram does not tell bots what is deleted",
        seen: ["Шаг 2 из 3", "✓ Короткая проверка — готово"],
        kept: ["the answers"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Удалил").await;
            stage.walk(&aidos, "Короткая проверка").await;
            for answer in ["12", "сто"] {
                let step = aidos.sees("из 3").await;
                let deleted = stage.fitter.telegram.bot_api(0, "deleteMessage", json!({"chat_id": aidos.id, "message_id": step.id()})).await;
                assert_eq!(deleted["ok"], true, "{deleted}");
                aidos.say(answer).await;
                stage.look(&aidos).await;
            }
            aidos.tap("Готово").await;
            let state = stage.runs(&aidos).await[0]["state"].to_string();
            stage.keeps("the answers", state.contains("сто") && state.contains("12"));
        },
    }
    forwarded {
        sent: "forwarded words and photos, from people, hidden people, groups and channels, by way of another bot, as replies to other chats",
        seen: ["Шаг 3 из 3", "3 А, плавкий"],
        kept: ["the words, as the answer", "the words, as a question, each"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Пересыл").await;
            stage.walk(&aidos, "Короткая проверка").await;
            let origins = [json!({"type": "user", "date": 1, "sender_user": {"id": 5, "is_bot": true, "first_name": "x"}}),
                json!({"type": "hidden_user", "date": 1, "sender_user_name": "Кто-то"}), json!({"type": "chat", "date": 1, "sender_chat": {"id": -5, "type": "group"}}),
                json!({"type": "channel", "date": 1, "chat": {"id": -7, "type": "channel"}, "message_id": 5}), json!({"type": "martian"})];
            stage.sends(&aidos, json!({"text": "12", "forward_origin": origins[1]})).await;
            stage.sends(&aidos, json!({"text": "переслано", "forward_origin": origins[0], "forward_from": {"id": 5, "is_bot": true}})).await;
            let state = stage.runs(&aidos).await[0]["state"].to_string();
            stage.keeps("the words, as the answer", state.contains("переслано"));
            let question = "какой предохранитель на питание маяка";
            for origin in &origins {
                stage.sends(&aidos, json!({"text": question, "forward_origin": origin, "is_automatic_forward": true})).await;
            }
            stage.sends(&aidos, json!({"text": question, "via_bot": {"id": 5, "is_bot": true, "first_name": "b"}})).await;
            stage.sends(&aidos, json!({"text": question, "external_reply": {"origin": origins[2]}, "quote": {"text": "x", "position": 0}})).await;
            stage.sends(&aidos, json!({"text": question, "from": null})).await;
            stage.keeps("the words, as a question, each", stage.questions(&aidos).await.len() == 8);
        },
    }
    a_file_over_20_mb {
        sent: "a picture as a file of 25 MB, where a photo is due, alone and with words under it; with photos in one album",
        seen: ["Файл больше 20 МБ — Telegram не даёт мне его забрать. Пришлите снимок как фото, а не файлом.", "3 А, плавкий"],
        kept: ["the words under it, as a question", "the photos that came with it", "no dead letter"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Тяжёлый").await;
            stage.walk(&aidos, "Восемь замеров").await;
            for answer in ["раз", "2", "три", "да", "пять", "Левый", "семь"] {
                aidos.say(answer).await;
            }
            let heavy = json!({"file_id": "heavy", "file_unique_id": "heavy", "mime_type": "image/jpeg", "file_size": 25 << 20});
            let written = stage.sends(&aidos, json!({"document": heavy})).await;
            assert!(written.iter().any(|message| message.text().contains("Пришлите фото.")), "{written:?}");
            stage.sends(&aidos, json!({"document": heavy, "caption": "какой предохранитель на питание маяка?"})).await;
            stage.keeps("the words under it, as a question", stage.questions(&aidos).await.len() == 1);
            // At a card, in an album with one that can be had.
            aidos.say("/cancel").await.say("/new").await.say("777 HVY 02").await.tap("📷 Фото").await;
            aidos.photo().await;
            let light = stage.fitter.rows("SELECT file_id, unique_id FROM photos ORDER BY id DESC LIMIT 1").await[0].clone();
            let light = json!([{"file_id": light["file_id"], "file_unique_id": light["unique_id"], "width": 40, "height": 30, "file_size": 99}]);
            let one = stage.message(&aidos, &json!({"media_group_id": "heavy", "photo": light}));
            let other = stage.message(&aidos, &json!({"media_group_id": "heavy", "document": heavy}));
            assert_eq!(stage.knock(Some(crate::SECRET), one.to_string()).await, 200);
            stage.update(other).await;
            let sql = format!("SELECT count(*) FROM photos f JOIN people p ON p.id = f.by WHERE p.user_id = {}", aidos.id);
            stage.keeps("the photos that came with it", stage.fitter.count(&sql).await == 2);
            stage.keeps("no dead letter", stage.fitter.count("SELECT count(*) FROM queue_items WHERE status = 2").await == 0);
        },
    }
    a_file_of_no_size {
        sent: "a picture as a file of 21 MB whose size Telegram does not tell, where a photo is due, and on a card",
        seen: ["Файл больше 20 МБ — Telegram не даёт мне его забрать. Пришлите снимок как фото, а не файлом."],
        kept: ["no dead letter"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Без размера").await;
            stage.walk(&aidos, "Восемь замеров").await;
            for answer in ["раз", "2", "три", "да", "пять", "Левый", "семь"] {
                aidos.say(answer).await;
            }
            let john = stage.person("John", fitter_domain::person::Role::Technician, fitter_domain::Locale::En).await;
            john.say("/new").await.say("777 HVY 03").await.tap("📷 Photo").await;
            // Telegram has to have it, whoever sent it first.
            let who = json!({"person": stage.client("Ольга Без размера").await.id, "bot": stage.fitter.telegram.username(0)});
            let sent = stage.fitter.telegram.send_files(&who, vec![("document", "photo.jpg".to_owned(), vec![0; 21 << 20])]).await;
            let file = &sent[0]["document"];
            for (player, unique, told) in [(&aidos, "one", "Файл больше 20 МБ"), (&john, "two", "The file is larger than 20 MB")] {
                let document = json!({"file_id": file["file_id"], "file_unique_id": unique, "mime_type": "image/jpeg"});
                stage.sends(player, json!({"document": document})).await;
                player.wait_for(told).await;
            }
            let fetched = "SELECT count(*) FROM queue_items WHERE lane LIKE 'fetch:%' AND status = 0";
            eventually("nobody tries any more", async || (stage.fitter.count(fetched).await == 0).then_some(())).await;
            stage.keeps("no dead letter", stage.fitter.count("SELECT count(*) FROM queue_items WHERE status = 2").await == 0);
        },
    }
    a_picture_as_a_file {
        sent: "a picture as a file, as the evidence of a problem and on a card",
        seen: ["искрит", "Показать фото"],
        kept: ["the picture: the manager sees it, and so does whoever opens the card"],
        play: async |stage| {
            let marina = stage.manager("Марина Файл").await;
            let aidos = stage.technician("Айдос Файл").await;
            aidos.say("/new").await.say("777 DOC 02").await.tap("📷 Фото").await;
            let file = || vec![("document", "photo.png".to_owned(), picture(77_777))];
            aidos.files(file(), None).await;
            aidos.photos(2, None).await;
            aidos.tap("Готово").await.tap("Ещё").await;
            stage.look(&aidos).await;
            let blobs = format!(
                "SELECT count(*) FROM photos f JOIN people p ON p.id = f.by JOIN telegram_files t ON t.bot = f.bot AND t.unique_id = f.unique_id
                 WHERE p.user_id = {} AND t.blob IS NOT NULL", aidos.id
            );
            eventually("the pictures are fetched", async || (stage.fitter.count(&blobs).await == 3).then_some(())).await;
            aidos.tap("Показать фото").await;
            let shown = aidos.from_bot().await.iter().filter(|message| message.has_photo()).count();
            aidos.tap("‹ Назад").await.tap("Ещё").await.tap("Проблема").await.say("искрит").await;
            aidos.files(file(), None).await;
            aidos.tap("Отправить менеджеру").await;
            let fault = marina.wait_for("искрит").await;
            let seen = fault.has_photo() || marina.from_bot().await.iter().any(|message| message.has_photo());
            stage.keeps("the picture: the manager sees it, and so does whoever opens the card", shown == 3 && seen);
        },
    }
    blocked_and_back {
        sent: "the bot blocked in the middle of a walk, while a timer runs, and unblocked later",
        seen: ["▶ Установка маяка · 3/7", "Шаг 3 из"],
        kept: ["the walk where it stood", "no message to a chat that does not want any"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Блок").await;
            stage.walk(&aidos, "Установка маяка").await;
            aidos.tap("✓ Да").await.say("356307042441013").await.tap("⏱ Засечь 1 с").await;
            let before = stage.runs(&aidos).await;
            aidos.block().await;
            let blocked = format!("SELECT count(*) FROM chats WHERE chat = {} AND blocked", aidos.id);
            eventually("the block is known", async || (stage.fitter.count(&blocked).await == 1).then_some(())).await;
            let timers = "SELECT count(*) FROM queue_items WHERE status = 0 AND lane LIKE 'timer:%'";
            eventually("the timer is over", async || (stage.fitter.count(timers).await == 0).then_some(())).await;
            let waiting = format!("SELECT count(*) FROM queue_items WHERE status = 0 AND lane LIKE '%{BOT}:{}%'", aidos.id);
            eventually("nothing waits", async || (stage.fitter.count(&waiting).await == 0).then_some(())).await;
            let refused = stage.fitter.telegram.calls_of("sendMessage", &format!("\"chat_id\":{}", aidos.id)).await;
            let refused = refused.iter().filter(|call| call["response"]["ok"] == false).count();
            aidos.unblock().await;
            eventually("the block is gone", async || (stage.fitter.count(&blocked).await == 0).then_some(())).await;
            aidos.say("/start").await;
            stage.look(&aidos).await;
            aidos.tap("▶ Установка маяка · 3/7").await;
            let state = |runs: &[serde_json::Value]| (runs[0]["state"]["at"].clone(), runs[0]["state"]["records"].clone());
            stage.keeps("the walk where it stood", state(&stage.runs(&aidos).await) == state(&before));
            stage.keeps("no message to a chat that does not want any", refused <= 2);
        },
    }
    removed {
        sent: "access taken away in the middle of a walk (`fitter user remove`), then words, photos, taps; given back later",
        seen: ["Ваш доступ закрыт.", "Ваш доступ снова открыт.", "✓ Короткая проверка — готово"],
        kept: ["what they did", "nothing of what came while the access was closed"],
        play: async |stage| {
            let aidos = stage.technician("Айдос Уволен").await;
            let id = stage.fitter.count(&format!("SELECT id FROM people WHERE user_id = {}", aidos.id)).await.to_string();
            stage.walk(&aidos, "Короткая проверка").await;
            aidos.say("12").await;
            let before = stage.runs(&aidos).await;
            let removed = stage.fitter.cli(["user", "remove", &id]).await;
            assert_eq!(removed.code, Some(0), "{removed:?}");
            // They hear of it at once, not when they next write.
            aidos.wait_for("Ваш доступ закрыт.").await;
            stage.keeps("what they did", stage.runs(&aidos).await == before);
            aidos.say("сто").await.photo().await.forge("js").await.forge("jn").await.forge("m").await;
            aidos.sees("Ваш доступ закрыт.").await;
            aidos.say("/procedures").await.sees("Ваш доступ закрыт.").await;
            let photos = format!("SELECT count(*) FROM photos f JOIN people p ON p.id = f.by WHERE p.user_id = {}", aidos.id);
            let nothing = stage.runs(&aidos).await == before && stage.fitter.count(&photos).await == 0;
            stage.keeps("nothing of what came while the access was closed", nothing);
            let back = stage.fitter.cli(["user", "remove", "--undo", &id]).await;
            assert_eq!(back.code, Some(0), "{back:?}");
            aidos.wait_for("Ваш доступ снова открыт.").await;
            aidos.say("/menu").await.tap("▶ Короткая проверка · 2/3").await.say("сто").await.tap("Готово").await;
        },
    }
}
