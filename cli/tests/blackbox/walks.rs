//! Procedures step by step.

use fitter_domain::Locale;
use fitter_domain::person::Role;
use fitter_testkit::app::{eventually, run};
use fitter_testkit::{Fitter, Player, Storage};
use serde_json::Value;

use crate::{options, shared, vault};

/// Opens a procedure by its title, from the menu, and starts it.
async fn begin(player: &Player<'_>, title: &str) {
    player.say("/procedures").await.tap(title).await.tap("▶ Начать").await;
}

/// States of a person's walks, oldest first.
pub async fn runs(fitter: &Fitter, player: &Player<'_>) -> Vec<Value> {
    let sql = format!(
        "SELECT r.id, r.status, r.state FROM runs r JOIN people p ON p.id = r.person WHERE p.user_id = {} ORDER BY r.id",
        player.id
    );
    fitter.rows(&sql).await
}

#[test]
fn a_whole_procedure_with_every_kind_of_checkpoint() {
    shared(async |fitter| {
        let marina = fitter.manager("Марина Ш").await;
        let aidos = fitter.technician("Айдос Ш").await;
        aidos.say("/new").await.say("300 WLK 02").await;
        aidos.tap("▶ Начать по инструкции").await.tap("Установка маяка").await;
        let intro = aidos.sees("7 шагов · около 15 мин").await;
        assert!(intro.text().contains("Снимите клемму") && intro.text().contains("где его не видно"), "{}", intro.text());
        aidos.tap("▶ Начать").await;

        // A confirmation, with a hint.
        let step = aidos.sees("Шаг 1 из 7 · Подготовка").await;
        assert_eq!(step.labels(), ["Да", "Подсказка", "Пауза", "Проблема"]);
        aidos.tap("Подсказка").await;
        aidos.sees("Проведите рукой по металлу.").await;
        aidos.tap("✓ Да").await;
        aidos.wait_for("1. Осмотрите место").await;

        // A text with a pattern, and a figure.
        aidos.sees("Шаг 2 из 7").await;
        let figure = aidos.from_bot().await.iter().rev().take(2).any(|message| message.has_photo());
        assert!(figure, "{}", aidos.transcript().await);
        aidos.say("12345").await;
        aidos.got("Так не подходит. Пример: 356307042441013").await;
        aidos.say("356 307 042 441 013").await;
        aidos.wait_for("2. Запишите номер маяка — 356307042441013").await;

        // A timer, and a number out of range that stands with a reason.
        let step = aidos.sees("Шаг 3 из 7 · Питание").await;
        assert!(step.text().contains("⛔ Не касайтесь контактов") && step.text().contains("(9 – 32 В)"), "{}", step.text());
        aidos.tap("⏱ Засечь 1 с").await;
        assert_eq!(aidos.toast().await, "Засёк");
        aidos.wait_for("⏱ Время вышло: Измерьте напряжение").await;
        aidos.say("много").await;
        aidos.got("Нужно число, например 12,4.").await;
        aidos.say("7").await;
        aidos.sees("Вне допустимого.").await;
        aidos.tap("Измерить ещё раз").await.say("8,1").await;
        aidos.sees("8,1 В").await;
        aidos.tap("Указать причину").await;
        aidos.sees("Напишите причину одним сообщением.").await;
        aidos.say("аккумулятор разряжен").await;
        aidos.wait_for("3. Измерьте напряжение — 8,1 В (аккумулятор разряжен)").await;

        // A choice that is a fault: the manager hears of it, with a photo.
        aidos.sees("Шаг 4 из 7").await;
        aidos.tap("Сигнала нет").await;
        aidos.sees("Найдите зажигание: Сигнала нет").await;
        aidos.say("проверил тестером").await.photo().await;
        aidos.sees("Фото: 1").await;
        aidos.tap("Отправить менеджеру").await;
        aidos.got("Сообщил менеджеру, номер").await;
        let fault = marina.wait_for("· Айдос Ш\nУстановка маяка › Найдите зажигание").await;
        assert!(fault.text().contains("Неполадка №") && fault.text().contains("проверил тестером"), "{}", fault.text());
        assert!(fault.has_photo(), "{}", marina.transcript().await);

        // The answer is changed, with a reason; the way branches.
        aidos.tap("Изменить ответ").await.tap("CAN").await;
        aidos.sees("Почему меняем?").await;
        aidos.say("нашёл шину").await;
        aidos.tap("Дальше ›").await;
        aidos.sees("Шаг 5 из 8 · Питание\nНастройте шину CAN").await;
        aidos.tap("Готово").await;

        // An optional step.
        let step = aidos.sees("Шаг 6 из 8").await;
        assert!(step.labels().contains(&"Пропустить"), "{:?}", step.labels());
        aidos.tap("Пропустить").await;
        aidos.wait_for("6. Уложите жгут").await;

        // A repeated one, and a question in between.
        aidos.sees("Шаг 7 из 8").await;
        aidos.say("под сиденьем").await;
        aidos.sees("Готово: 1. Повторить этот шаг ещё раз?").await;
        aidos.tap("↻ Ещё раз").await;
        aidos.sees("2-й раз").await;
        aidos.say("какой предохранитель на питание маяка?").await;
        aidos.got("3 А, плавкий").await;
        aidos.tap("‹ К шагу").await;
        aidos.sees("2-й раз").await;
        aidos.say("в багажнике").await;
        aidos.tap("Дальше ›").await;

        // Photos, then a confirmation in the same step.
        aidos.sees("Пришлите фото: от 1 до 2.").await;
        aidos.photo().await;
        aidos.sees("Есть 1 из 2").await;
        aidos.tap("Дальше ›").await;
        aidos.sees("Светодиод мигает?").await;
        aidos.tap("✓ Да").await;
        let summary = aidos.sees("✓ Установка маяка — готово").await;
        for part in ["300 WLK 02", "6. Уложите жгут", "7. Закрепите датчик — под сиденьем", "(2) — в багажнике", "(нашёл шину)", "1 фото"]
        {
            assert!(summary.text().contains(part), "«{part}» in {}", summary.text());
        }
        let report = marina.wait_for("✓ Айдос Ш: Установка маяка").await;
        for part in ["356307042441013", "8,1 В (аккумулятор разряжен)", "✎ Найдите зажигание: Сигнала нет → CAN (нашёл шину)"]
        {
            assert!(report.text().contains(part), "«{part}» in {}", report.text());
        }
        aidos.tap("Карточка № …").await;
        aidos.sees("✓ Установка маяка").await;

        // The manager closes the fault and looks at the card.
        let label = fault.data("Закрыть неполадку").unwrap();
        let closing = marina.press_data(fault.id(), &label).await;
        marina.settle(closing).await;
        marina.wait_for("✓ Закрыта").await;
        let open = fitter.count("SELECT count(*) FROM faults WHERE by_name = 'Айдос Ш' AND closed_at IS NULL").await;
        assert_eq!(open, 0);

        let runs = runs(fitter, &aidos).await;
        assert_eq!((runs.len(), runs[0]["status"].as_str()), (1, Some("done")), "{runs:?}");
        let photos = fitter.count(&format!("SELECT count(*) FROM photos WHERE run = {}", runs[0]["id"])).await;
        assert_eq!(photos, 2, "the fault's and the last step's");
    });
}

#[test]
fn back_and_forward_keep_what_was_given() {
    shared(async |fitter| {
        let kanat = fitter.technician("Канат Ш").await;
        begin(&kanat, "Короткая проверка").await;
        kanat.say("12,4").await.say("показание А").await;
        kanat.sees("Шаг 3 из 3").await;
        kanat.tap("‹ Назад").await;
        kanat.sees("Показание: показание А").await;
        kanat.tap("‹ Назад").await;
        let first = kanat.sees("Напряжение: 12,4 В").await;
        assert!(first.labels().contains(&"К шагу 3"), "{:?}", first.labels());
        // A number typed here is meant to replace the reading.
        kanat.say("13,1").await;
        kanat.sees("Почему меняем?").await;
        kanat.say("завёл двигатель").await.tap("» К шагу 3").await;
        kanat.sees("Шаг 3 из 3").await;
        kanat.tap("Готово").await;
        let summary = kanat.sees("✓ Короткая проверка — готово").await;
        assert!(summary.text().contains("12,4 В → 13,1 В (завёл двигатель)"), "{}", summary.text());
    });
}

#[test]
fn two_walks_are_paused_and_resumed() {
    shared(async |fitter| {
        let nurlan = fitter.technician("Нурлан Ш").await;
        begin(&nurlan, "Короткая проверка").await;
        nurlan.say("12").await.tap("⏸ Пауза").await;
        nurlan.sees("На паузе — всё сохранено.").await;
        begin(&nurlan, "Восемь замеров").await;
        nurlan.say("раз").await;
        // Leaving without a pause keeps it as well.
        nurlan.say("/cancel").await;
        nurlan.got("Инструкция сохранена на этом шаге.").await;
        let home = nurlan.sees("Нурлан Ш, чем помочь?").await;
        assert!(home.labels().contains(&"Восемь замеров · 2/8") && home.labels().contains(&"Начатые · 2"), "{:?}", home.labels());
        nurlan.tap("Начатые · 2").await.tap("Короткая проверка · 2/3").await;
        nurlan.sees("Впишите показание").await;
        nurlan.say("сто").await.tap("Готово").await;
        nurlan.sees("✓ Короткая проверка — готово").await;
        nurlan.say("/menu").await.tap("▶ Восемь замеров · 2/8").await;
        nurlan.sees("Замер два").await;
        // Given up, with a question first.
        nurlan.tap("⏸ Пауза").await.tap("Прекратить").await;
        nurlan.sees("Прекратить инструкцию «Восемь замеров»?").await;
        nurlan.tap("Да, прекратить").await;
        let statuses: Vec<String> = runs(fitter, &nurlan).await.iter().map(|run| run["status"].as_str().unwrap().to_owned()).collect();
        assert_eq!(statuses, ["done", "abandoned"]);
    });
}

#[test]
fn a_walk_goes_on_with_the_version_it_began_with() {
    shared(async |fitter| {
        let talgat = fitter.technician("Талгат Ш").await;
        begin(&talgat, "Меняется").await;
        talgat.sees("Старый шаг").await;
        talgat.tap("⏸ Пауза").await;
        let note = fitter.vault().join("Меняется.md");
        let text = std::fs::read_to_string(&note).unwrap();
        std::fs::write(&note, text.replace("Старый шаг", "Новый шаг").replace("Старый вопрос", "Новый вопрос")).unwrap();
        eventually("the changed note is imported", async || {
            let count = fitter.count("SELECT count(*) FROM procedures WHERE title = 'Меняется'").await;
            (count == 2).then_some(())
        })
        .await;
        talgat.tap("▶ Продолжить").await;
        talgat.wait_for("Инструкцию обновили. Эту работу доведём по той версии").await;
        talgat.sees("Старый шаг").await;
        talgat.say("ответ").await.tap("Готово").await;
        let summary = talgat.sees("✓ Меняется — готово").await;
        assert!(summary.text().contains("Старый шаг — ответ"), "{}", summary.text());
        begin(&talgat, "Меняется").await;
        talgat.sees("Новый шаг").await;
        talgat.say("другой").await.tap("Готово").await;
        assert_eq!(talgat.count("Инструкцию обновили").await, 1);

        // Broken for the moment: the last good version stays usable.
        let text = std::fs::read_to_string(&note).unwrap();
        std::fs::write(&note, text.replace("[!check] text: Новый вопрос?", "[!check] riddle: Что?")).unwrap();
        eventually("the broken note is imported", async || {
            let log = fitter.log();
            log.lines().any(|line| line.contains("notes imported") && line.contains("problems=1")).then_some(())
        })
        .await;
        begin(&talgat, "Меняется").await;
        talgat.sees("Новый шаг").await;
        talgat.tap("⏸ Пауза").await;
    });
}

/// The words of a language for the main flow.
struct Words {
    locale: Locale,
    title: &'static str,
    procedures: &'static str,
    start: &'static str,
    yes: &'static str,
    out_of_range: &'static str,
    reason: &'static str,
    lock: &'static str,
    finished: &'static str,
    question: &'static str,
    answer: &'static str,
    new_card: &'static str,
}

const KAZAKH: Words = Words {
    locale: Locale::Kk,
    title: "Маяк орнату",
    procedures: "Нұсқаулықтар",
    start: "▶ Бастау",
    yes: "✓ Иә",
    out_of_range: "Рұқсат етілген шектен тыс.",
    reason: "Себебін көрсету",
    lock: "Құлып",
    finished: "✓ Маяк орнату — дайын",
    question: "маяк сақтандырғышы қандай?",
    answer: "сақтандырғышы 3 А",
    new_card: "＋ Жаңа карточка",
};

const ENGLISH: Words = Words {
    locale: Locale::En,
    title: "Beacon installation",
    procedures: "Procedures",
    start: "▶ Start",
    yes: "✓ Yes",
    out_of_range: "Out of range.",
    reason: "Give a reason",
    lock: "Lock",
    finished: "✓ Beacon installation: done",
    question: "what fuse for the beacon supply?",
    answer: "three amperes",
    new_card: "＋ New card",
};

/// No letter of another language's words, as far as its words have letters of their own.
async fn speaks(player: &Player<'_>, words: &Words) {
    if words.locale == Locale::En {
        for message in player.from_bot().await {
            // Vehicle numbers and the choice of the language aside, English has no Cyrillic.
            let odd = message.text().chars().any(|c| ('а'..='я').contains(&c)) && !message.text().contains("Choose a language");
            assert!(!odd || message.text().contains(&player.name), "{}", message.text());
        }
    }
}

async fn main_flow(player: &Player<'_>, words: &Words) {
    player.tap(words.procedures).await.tap(words.title).await.tap(words.start).await;
    player.tap(words.yes).await;
    player.say("5").await;
    player.sees(words.out_of_range).await;
    player.tap(words.reason).await.say("aqb 5").await;
    player.say(words.question).await;
    player.got(words.answer).await;
    player.tap(words.lock).await;
    player.photo().await;
    let summary = player.sees(words.finished).await;
    assert!(summary.text().contains("(aqb 5)"), "{}", summary.text());
    player.say("/menu").await.tap(words.new_card).await.say("555 KZT 02").await;
    player.sees("555 KZT 02").await;
    speaks(player, words).await;
}

#[test]
fn the_main_flow_in_kazakh() {
    shared(async |fitter| {
        let dana = fitter.person("Dana", Role::Technician, KAZAKH.locale).await;
        main_flow(&dana, &KAZAKH).await;
    });
}

#[test]
fn the_main_flow_in_english() {
    shared(async |fitter| {
        let john = fitter.person("John", Role::Technician, ENGLISH.locale).await;
        main_flow(&john, &ENGLISH).await;
    });
}

#[test]
fn the_main_flow_on_one_connection() {
    run(async {
        let fitter = Fitter::prepare(options().vault(vault()).storage(Storage::Embedded)).await;
        let (technician, manager) = (fitter.invite("technician").await, fitter.invite("manager").await);
        fitter.launch().await;
        let marina = fitter.stranger("Марина", "ru").await;
        marina.start(&manager).await;
        marina.tap("Русский").await.tap("Марина").await;
        let aidos = fitter.stranger("Айдос", "ru").await;
        aidos.start(&technician).await;
        aidos.tap("Русский").await.tap("Айдос").await;
        aidos.say("/new").await.say("100 EMB 01").await;
        aidos.tap("▶ Начать по инструкции").await.tap("Короткая проверка").await.tap("▶ Начать").await;
        aidos.say("7").await.tap("Указать причину").await.say("разряжен").await;
        aidos.say("какой предохранитель на питание маяка?").await;
        aidos.got("3 А, плавкий").await;
        aidos.tap("Спросить человека").await;
        marina.wait_for("какой предохранитель на питание маяка?").await;
        aidos.tap("‹ К шагу").await;
        // In the middle of it the power goes.
        fitter.kill9();
        fitter.launch().await;
        aidos.say("показание 5").await.photo().await;
        aidos.got("Фото сохранил.").await;
        aidos.tap("Готово").await;
        aidos.sees("✓ Короткая проверка — готово").await;
        marina.wait_for("✓ Айдос: Короткая проверка").await;
        marina.tap("Ответить").await.say("три ампера").await;
        aidos.wait_for("три ампера").await;
        fitter.finish().await;
    });
}
