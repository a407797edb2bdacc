//! Answers from the notes and from people.

use fitter_domain::Locale;
use fitter_domain::person::Role;

use crate::shared;

#[test]
fn an_answer_has_its_source_and_the_next_one() {
    shared(async |fitter| {
        let aidos = fitter.technician("Айдос В").await;
        aidos.say("какой предохранитель на питание маяка").await;
        let answer = aidos.got("3 А, плавкий").await;
        assert!(answer.text().starts_with("📄 Предохранитель › Номинал"), "{}", answer.text());
        assert!(answer.labels().contains(&"Не то") && answer.labels().contains(&"Спросить человека"), "{:?}", answer.labels());
        // The next one stands in the same message, and there is a way back.
        aidos.tap("Не то").await;
        let next = aidos.messages().await.into_iter().find(|message| message.id() == answer.id()).unwrap();
        assert!(!next.text().contains("3 А, плавкий") && next.text().starts_with("📄 "), "{}", next.text());
        aidos.tap("‹ Первый ответ").await;
        aidos.wait_for("3 А, плавкий").await;
        // After the last one only a human is left.
        for _ in 0..6 {
            if aidos.with_button("Не то").await.is_none() {
                break;
            }
            aidos.tap("Не то").await;
        }
        aidos.sees("Больше ничего подходящего нет.").await;
    });
}

#[test]
fn a_procedure_that_answers_can_be_started() {
    shared(async |fitter| {
        let aidos = fitter.technician("Азамат В").await;
        aidos.say("как выполнить монтаж маяка").await;
        aidos.tap("▶ По шагам: Установка маяка").await;
        aidos.sees("7 шагов").await;
        aidos.tap("▶ Начать").await;
        aidos.sees("Шаг 1 из 7").await;
        aidos.tap("⏸ Пауза").await;
    });
}

#[test]
fn nothing_fits() {
    shared(async |fitter| {
        let aidos = fitter.technician("Асет В").await;
        aidos.say("рецепт бешбармака").await;
        let none = aidos.sees("Не нашёл в базе: «рецепт бешбармака».").await;
        assert_eq!(none.labels(), ["Спросить человека", "Меню"]);
    });
}

#[test]
fn a_human_answers_by_reply_and_by_button() {
    shared(async |fitter| {
        let marina = fitter.manager("Марина В").await;
        let aidos = fitter.technician("Арман В").await;
        aidos.say("где ключ от склада запчастей").await.tap("Спросить человека").await;
        aidos.got("Передал ваш вопрос, номер").await;
        let asked = marina.wait_for("где ключ от склада запчастей").await;
        assert!(asked.text().contains("· Арман В"), "{}", asked.text());
        marina.reply(asked.id(), "у охраны").await;
        marina.got("Отправил: Арман В.").await;
        let answer = aidos.wait_for("у охраны").await;
        assert!(answer.text().starts_with("Марина В отвечает на ваш вопрос:"), "{}", answer.text());
        // Answered once: a second answer does not go out.
        marina.reply(asked.id(), "на складе").await;
        marina.got("На этот вопрос уже ответили.").await;
        aidos.never_sees("на складе").await;

        // Pressed twice, it is one question.
        aidos.say("когда привезут зимние перчатки").await;
        let button = aidos.with_button("Спросить человека").await.unwrap();
        let data = button.data("Спросить человека").unwrap();
        let (one, two) = (aidos.press_data(button.id(), &data).await, aidos.press_data(button.id(), &data).await);
        aidos.settle(one).await.settle(two).await;
        assert_eq!(fitter.count("SELECT count(*) FROM questions WHERE text = 'когда привезут зимние перчатки'").await, 1);
        let asked = marina.wait_for("когда привезут зимние перчатки").await;
        assert_eq!(marina.count("когда привезут зимние перчатки").await, 1);
        let answering = marina.press_data(asked.id(), &asked.data("Ответить").unwrap()).await;
        marina.settle(answering).await;
        marina.sees("Спрашивает Арман В. Напишите ответ:").await;
        // A photo is no answer, its caption is.
        marina.photo().await;
        marina.got("Передать могу только слова.").await;
        marina.say("в понедельник").await;
        aidos.wait_for("в понедельник").await;
    });
}

#[test]
fn a_client_sees_public_notes_only() {
    shared(async |fitter| {
        let olga = fitter.person("Ольга В", Role::Client, Locale::Ru).await;
        olga.say("какая гарантия на маяк").await;
        let answer = olga.got("действует два года").await;
        assert!(!answer.labels().iter().any(|label| label.starts_with("По шагам")), "{:?}", answer.labels());
        olga.say("какой предохранитель на питание маяка").await;
        for secret in ["3 А", "плавкий", "красного провода"] {
            olga.never_sees(secret).await;
        }
        // What she is not shown does not come by leafing through either.
        for _ in 0..6 {
            if olga.with_button("Не то").await.is_none() {
                break;
            }
            olga.tap("Не то").await;
        }
        olga.never_sees("плавкий").await;

        let question = "закупочная цена крепления кронштейна бирюзовой серии";
        let aidos = fitter.technician("Алихан В").await;
        aidos.say(question).await;
        aidos.never_sees("семьсот").await;
        let admin = fitter.person("Ерлан В", Role::Admin, Locale::Ru).await;
        admin.say(question).await;
        admin.got("семьсот рублей").await;
        // Another's search is not opened by its number.
        let query = fitter.rows("SELECT max(id) AS id FROM queries WHERE text LIKE 'закупочная%'").await[0]["id"].to_string();
        olga.forge(&format!("h:{query}:0")).await;
        aidos.forge(&format!("h:{query}:0")).await.forge(&format!("hu:{query}")).await;
        olga.never_sees("семьсот").await;
        aidos.never_sees("семьсот").await;
        let asked = fitter.count(&format!("SELECT count(*) FROM questions WHERE query = {query}")).await;
        assert_eq!(asked, 0, "nobody asks a human with the words of another");
    });
}
