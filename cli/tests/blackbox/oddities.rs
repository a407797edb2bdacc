//! What people and Telegram do that nobody expects.

use std::collections::HashSet;

use fitter_testkit::app::{eventually, run};
use fitter_testkit::{Fitter, Player};

use crate::walks::runs;
use crate::{options, shared, vault};

async fn begin(player: &Player<'_>, title: &str) {
    player.say("/procedures").await.tap(title).await.tap("▶ Начать").await;
}

/// Every tap was answered, once.
async fn every_tap_is_answered(player: &Player<'_>, taps: usize) {
    let answers = player.answers().await;
    let ids: HashSet<&str> = answers.iter().filter_map(|answer| answer["callback_query_id"].as_str()).collect();
    assert_eq!((answers.len(), ids.len()), (taps, taps), "{answers:?}");
}

#[test]
fn a_button_pressed_twice_counts_once() {
    shared(async |fitter| {
        let aidos = fitter.technician("Айдос Д").await;
        begin(&aidos, "Восемь замеров").await;
        aidos.say("раз").await.say("2").await.say("три").await;
        let step = aidos.sees("Четвёртый?").await;
        let data = step.data("✓ Да").unwrap();
        let (one, two) = (aidos.press_data(step.id(), &data).await, aidos.press_data(step.id(), &data).await);
        aidos.settle(one).await.settle(two).await;
        assert_eq!(aidos.toast().await, "Кнопка устарела — показываю, как сейчас");
        aidos.sees("Пятый").await;
        let state = &runs(fitter, &aidos).await[0]["state"];
        assert_eq!(state["records"].as_array().unwrap().len(), 5, "{state}");
        every_tap_is_answered(&aidos, 4).await;

        // "Start" pressed twice begins one walk.
        let serik = fitter.technician("Серик Д").await;
        serik.say("/procedures").await.tap("Восемь замеров").await;
        let intro = serik.last().await;
        let data = intro.data("▶ Начать").unwrap();
        let (one, two) = (serik.press_data(intro.id(), &data).await, serik.press_data(intro.id(), &data).await);
        serik.settle(one).await.settle(two).await;
        assert_eq!(runs(fitter, &serik).await.len(), 1);
        serik.sees("Шаг 1 из 8").await;
        every_tap_is_answered(&serik, 3).await;
    });
}

#[test]
fn stale_and_forged_buttons_change_nothing() {
    shared(async |fitter| {
        let aidos = fitter.technician("Ануар Д").await;
        begin(&aidos, "Короткая проверка").await;
        let first = aidos.sees("Шаг 1 из 3").await;
        let problem = first.data("⚠ Проблема").unwrap();
        aidos.say("12").await.say("показание").await;
        let before = runs(fitter, &aidos).await;
        aidos.tap_old(first.id(), &problem).await;
        assert_eq!(aidos.toast().await, "Кнопка устарела — показываю, как сейчас");
        assert_eq!(runs(fitter, &aidos).await, before);
        aidos.wait_for("Шаг 3 из 3").await;

        // What no release of the bot ever made, and what belongs to others or to nobody.
        let other = fitter.technician("Чужой Д").await;
        let run = before[0]["id"].to_string();
        let rev = before[0]["state"]["rev"].to_string();
        let long = "x".repeat(64);
        let forged = [
            "🙂".to_owned(),
            ":".to_owned(),
            long,
            "w:1:2:zz".to_owned(),
            "j:999999".to_owned(),
            "j:-1".to_owned(),
            "go:999999:-".to_owned(),
            format!("w:{run}:{rev}:ok"),
            format!("w:{run}:{rev}:ay"),
            format!("r:{run}"),
            "q:999999".to_owned(),
            "f:999999".to_owned(),
            "fc:1".to_owned(),
            "iv:admin".to_owned(),
            "h:999999:0".to_owned(),
            "hu:999999".to_owned(),
            "r:9223372036854775807".to_owned(),
            "p:1:999999".to_owned(),
        ];
        for data in &forged {
            other.forge(data).await;
        }
        assert_eq!(runs(fitter, &aidos).await, before);
        assert_eq!(runs(fitter, &other).await.len(), 0);
        other.never_sees("показание").await;
        other.never_sees("?start=").await;
        every_tap_is_answered(&other, forged.len()).await;
        other.say("/menu").await.sees("чем помочь?").await;
        aidos.say("/menu").await.tap("▶ Короткая проверка · 3/3").await.tap("Готово").await;
        aidos.sees("✓ Короткая проверка — готово").await;
    });
}

#[test]
fn stickers_voices_and_files() {
    shared(async |fitter| {
        let aidos = fitter.technician("Азат Д").await;
        let file = |part: &'static str, name: &str| vec![(part, name.to_owned(), b"OggS or whatever".to_vec())];
        aidos.files(file("sticker", "a.webp"), None).await;
        aidos.got("Это я пока не понимаю. Пришлите текст или фото.").await;
        aidos.files(file("voice", "a.ogg"), None).await;
        aidos.got("Это я пока не понимаю.").await;
        // Words under a file are read.
        aidos.files(file("document", "act.pdf"), Some("какой предохранитель на питание маяка")).await;
        aidos.got("3 А, плавкий").await;
        // In a walk the step stays in view, and a picture sent as a file is a photo.
        begin(&aidos, "Восемь замеров").await;
        aidos.say("раз").await.say("2").await.say("три").await.tap("✓ Да").await.say("пять").await.tap("Левый").await;
        aidos.files(file("sticker", "a.webp"), None).await;
        aidos.sees("Седьмой").await;
        aidos.say("семь").await;
        aidos.files(vec![("document", "photo.png".to_owned(), fitter_testkit::telegram::picture(99_999))], None).await;
        aidos.sees("✓ Восемь замеров — готово").await;
    });
}

#[test]
fn an_edited_message_is_read_where_it_can_be() {
    shared(async |fitter| {
        let aidos = fitter.technician("Асхат Д").await;
        aidos.say("бешбармак").await.sees("Не нашёл в базе").await;
        let own = aidos.own_last().await;
        aidos.edit(own, "какой предохранитель на питание маяка").await;
        aidos.got("3 А, плавкий").await;
        begin(&aidos, "Короткая проверка").await;
        aidos.say("12").await.say("сто").await;
        let own = aidos.own_last().await;
        aidos.edit(own, "двести").await;
        aidos.got("Правку сообщения я не учитываю.").await;
        aidos.sees("Шаг 3 из 3").await;
        let state = runs(fitter, &aidos).await[0]["state"].to_string();
        assert!(state.contains("сто") && !state.contains("двести"), "{state}");
        aidos.tap("Готово").await;
    });
}

#[test]
fn texts_longer_than_a_message_arrive_whole() {
    shared(async |fitter| {
        let marina = fitter.manager("Марина Д").await;
        let aidos = fitter.technician("Алмас Д").await;
        aidos.say("какой регламент на всё сразу").await.tap("Спросить человека").await;
        let asked = marina.wait_for("какой регламент на всё сразу").await;
        let words: Vec<String> = (0..700).map(|n| format!("слово{n:03}")).collect();
        let long: String = words.join(" ").chars().take(4096).collect();
        marina.reply(asked.id(), &long).await;
        aidos.wait_for(&words[0]).await;
        let last = words[400].clone();
        let parts: Vec<String> = eventually("the whole answer", async || {
            let texts: Vec<String> = aidos.from_bot().await.iter().map(|message| message.text().to_owned()).collect();
            texts.iter().any(|text| text.contains(&last)).then_some(texts)
        })
        .await;
        let all = parts.join(" ");
        for word in &words[..440] {
            assert!(all.contains(word.as_str()), "{word} is lost");
        }
        assert!(parts.iter().all(|part| part.encode_utf16().count() <= 4096));

        // An answer of a walk that fills a message: step lines and reports do not fail.
        begin(&aidos, "Короткая проверка").await;
        aidos.say("12").await.say(&long).await;
        aidos.sees("Шаг 3 из 3").await;
        aidos.tap("Назад").await.tap("Дальше").await;
        aidos.tap("Готово").await;
        aidos.wait_for("✓ Короткая проверка — готово").await;
        marina.wait_for("✓ Алмас Д: Короткая проверка").await;
    });
}

#[test]
fn an_album_is_one_event() {
    shared(async |fitter| {
        let aidos = fitter.technician("Абай Д").await;
        aidos.say("/new").await.say("777 ALB 02").await.tap("📷 Фото").await;
        aidos.photos(7, Some("салон")).await;
        aidos.sees("Добавил 7 фото.").await;
        assert_eq!(aidos.count("Добавил").await, 1);
        // More photos than a checkpoint wants: it goes on, and none is lost.
        aidos.tap("Готово").await;
        begin_for_card(&aidos).await;
        aidos.say("раз").await.say("2").await.say("три").await.tap("✓ Да").await.say("пять").await.tap("Правый").await.say("семь").await;
        aidos.photos(3, None).await;
        aidos.sees("✓ Восемь замеров — готово").await;
        let photos =
            fitter.count(&format!("SELECT count(*) FROM photos p JOIN people w ON w.id = p.by WHERE w.user_id = {}", aidos.id)).await;
        assert_eq!(photos, 10);
    });
}

async fn begin_for_card(player: &Player<'_>) {
    player.tap("▶ Начать по инструкции").await.tap("Восемь замеров").await.tap("▶ Начать").await;
}

#[test]
fn a_person_who_blocks_the_bot_is_left_alone() {
    run(async {
        let fitter = Fitter::start(options().vault(vault())).await;
        let marina = fitter.manager("Марина").await;
        let aidos = fitter.technician("Айдос").await;
        marina.block().await;
        let blocked = format!("SELECT count(*) FROM chats WHERE chat = {} AND blocked", marina.id);
        eventually("the block is known", async || (fitter.count(&blocked).await == 1).then_some(())).await;
        let calls = fitter.telegram.calls_of("sendMessage", &format!("\"chat_id\":{}", marina.id)).await.len();
        begin(&aidos, "Короткая проверка").await;
        aidos.say("12").await.say("сто").await.tap("Готово").await;
        fitter.quiet().await;
        let after = fitter.telegram.calls_of("sendMessage", &format!("\"chat_id\":{}", marina.id)).await.len();
        assert_eq!(calls, after, "nothing is sent to a chat that is known to be blocked");
        marina.unblock().await;
        eventually("the block is gone", async || (fitter.count(&blocked).await == 0).then_some(())).await;
        begin(&aidos, "Короткая проверка").await;
        aidos.say("13").await.say("двести").await.tap("Готово").await;
        marina.wait_for("двести").await;
        marina.never_sees("сто").await;
        fitter.finish().await;
    });
}

#[test]
fn a_person_who_was_removed_is_told_so() {
    shared(async |fitter| {
        let aidos = fitter.technician("Ахмет Д").await;
        let id = fitter.count(&format!("SELECT id FROM people WHERE user_id = {}", aidos.id)).await.to_string();
        let list = fitter.cli(["user", "list"]).await;
        assert!(list.out.lines().any(|line| line.contains("Ахмет Д") && line.contains("technician")), "{list:?}");
        begin(&aidos, "Короткая проверка").await;
        aidos.say("12").await;
        let removed = fitter.cli(["user", "remove", &id]).await;
        assert_eq!((removed.code, removed.out.as_str()), (Some(0), "done\n"), "{removed:?}");
        let before = runs(fitter, &aidos).await;
        aidos.say("сто").await;
        aidos.got("Ваш доступ закрыт.").await;
        aidos.say("/start").await.forge("js").await.forge("jn").await;
        aidos.sees("Ваш доступ закрыт.").await;
        every_tap_is_answered(&aidos, 4).await;
        assert_eq!(runs(fitter, &aidos).await, before);
        let back = fitter.cli(["user", "remove", "--undo", &id]).await;
        assert_eq!(back.code, Some(0), "{back:?}");
        aidos.say("/menu").await.tap("▶ Короткая проверка · 2/3").await;
        aidos.say("сто").await.tap("Готово").await;
        aidos.sees("✓ Короткая проверка — готово").await;
        let nobody = fitter.cli(["user", "remove", "999999"]).await;
        assert_eq!(nobody.code, Some(1));
        assert!(nobody.err.contains("there is no person 999999"), "{nobody:?}");
    });
}

#[test]
fn several_bots_in_one_process() {
    run(async {
        let fitter = Fitter::start(options().vault(vault()).bots(2)).await;
        let aidos = fitter.technician("Айдос").await;
        let marina = fitter.manager("Марина").await;
        // The manager is now to be found at the second bot.
        let marina = marina.at(1);
        marina.start("").await;
        marina.sees("Марина, чем помочь?").await;
        begin(&aidos, "Короткая проверка").await;
        aidos.tap("⚠ Проблема").await.say("искрит").await.photo().await.tap("Отправить менеджеру").await;
        let fault = marina.wait_for("искрит").await;
        assert!(!fault.has_photo(), "a picture of one bot cannot be shown by another");
        marina.tap("Закрыть неполадку").await;
        // The same person at both bots, with a state of their own at each, and the same walks.
        let second = aidos.at(1);
        second.start("").await;
        second.tap("▶ Короткая проверка · 1/3").await;
        second.say("12").await;
        second.sees("Шаг 2 из 3").await;
        aidos.say("сто").await;
        aidos.say("/menu").await;
        let run = &runs(&fitter, &aidos).await[0];
        assert_eq!(run["status"], "active", "{run}");
        fitter.finish().await;
    });
}
