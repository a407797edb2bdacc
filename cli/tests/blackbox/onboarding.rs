//! Links, languages, names, homes of the roles.

use fitter_domain::Locale;
use fitter_domain::person::Role;
use fitter_testkit::app::run;
use fitter_testkit::{Fitter, Storage};

use crate::{options, shared};

#[test]
fn a_technician_comes_by_an_invitation_that_works_once() {
    shared(async |fitter| {
        let payload = fitter.invite("technician").await;
        let aidos = fitter.stranger("Айдос", "ru").await;
        aidos.start(&payload).await;
        aidos.got("Вас пригласили как техника.").await;
        let choice = aidos.sees("Выберите язык · Тілді таңдаңыз · Choose a language").await;
        assert_eq!(choice.labels(), ["Русский", "Қазақша", "English"]);
        aidos.tap("Русский").await;
        aidos.sees("Как к вам обращаться?").await;
        aidos.tap("Айдос").await;
        aidos.wait_for("Айдос, готово. Спросите что угодно об установке").await;
        let home = aidos.wait_for("Айдос, чем помочь?").await;
        assert_eq!(home.labels(), ["Новая карточка", "Инструкции", "Помощь"]);

        // The link is used up, for somebody else and for the same person.
        let other = fitter.stranger("Болат", "ru").await;
        other.start(&payload).await;
        other.got("Этой ссылкой уже воспользовались.").await;
        other.tap("Русский").await.tap("Болат").await;
        let home = other.wait_for("Болат, чем помочь?").await;
        assert_eq!(home.labels(), ["Задать вопрос", "Помощь"], "a client");
        aidos.start(&payload).await;
        aidos.got("Эта ссылка уже сработала: вы в компании.").await;
        assert_eq!(aidos.last().await.labels(), ["Новая карточка", "Инструкции", "Помощь"], "still a technician");

        let audit =
            fitter.rows(&format!("SELECT a.verb, a.new FROM audit a JOIN people p ON p.id = a.actor WHERE p.user_id = {}", aidos.id)).await;
        assert!(audit.iter().any(|row| row["verb"] == "redeem" && row["new"] == "technician"), "{audit:?}");
    });
}

#[test]
fn links_that_do_not_work_say_why() {
    shared(async |fitter| {
        let expired = fitter.invite("technician").await;
        fitter
            .execute(&format!("UPDATE invites SET expires_at = now() - interval '1 second' WHERE hash = sha256('{expired}'::bytea)"))
            .await;
        let late = fitter.stranger("Поздний", "ru").await;
        late.start(&expired).await;
        late.got("Срок этой ссылки истёк.").await;
        late.tap("Русский").await.tap("Поздний").await;
        assert_eq!(late.wait_for("чем помочь?").await.labels(), ["Задать вопрос", "Помощь"]);

        let foreign = fitter.stranger("Чужой", "ru").await;
        foreign.start("promo-2026_42").await;
        foreign.got("Эта ссылка-приглашение не подходит.").await;
        foreign.tap("Русский").await.tap("Чужой").await;
        assert_eq!(foreign.wait_for("чем помочь?").await.labels(), ["Задать вопрос", "Помощь"]);
    });
}

#[test]
fn a_stranger_becomes_a_client_and_types_a_name() {
    shared(async |fitter| {
        let olga = fitter.stranger("Olga123", "ru").await;
        olga.say("Здравствуйте").await;
        olga.sees("Выберите язык").await;
        // Words instead of a button: the choice stays.
        olga.say("русский").await;
        olga.sees("Выберите язык").await;
        olga.tap("Русский").await.say("  Ольга   Петровна ").await;
        olga.wait_for("Ольга Петровна, здравствуйте!").await;
        let row = fitter.rows(&format!("SELECT name, role, locale, onboarded FROM people WHERE user_id = {}", olga.id)).await;
        assert_eq!(row[0]["name"], "Ольга Петровна");
        assert_eq!(row[0]["role"], "client");
        assert_eq!(row[0]["onboarded"], true);
        // A client has no way to the staff's things.
        olga.say("/jobs").await.say("/new").await;
        olga.got("Это недоступно").await;
        olga.say("/procedures").await;
        olga.got("Это недоступно").await;
        let jobs =
            fitter.count(&format!("SELECT count(*) FROM jobs j JOIN people p ON p.id = j.technician WHERE p.user_id = {}", olga.id)).await;
        assert_eq!(jobs, 0);
    });
}

#[test]
fn kazakh_and_english_from_the_first_minute() {
    shared(async |fitter| {
        let payload = fitter.invite("technician").await;
        let dana = fitter.stranger("Дана", "kk").await;
        dana.start(&payload).await;
        dana.tap("Қазақша").await.tap("Дана").await;
        let home = dana.with_button("Нұсқаулықтар").await.unwrap();
        assert!(!home.text().contains("чем помочь") && home.text().contains("Дана"), "{}", home.text());

        let payload = fitter.invite("technician").await;
        let john = fitter.stranger("John", "en").await;
        john.start(&payload).await;
        john.got("You were invited as a technician.").await;
        john.tap("English").await.tap("John").await;
        let home = john.wait_for("John, how can I help?").await;
        assert_eq!(home.labels(), ["New card", "Procedures", "Help"]);
        // The language can be changed later.
        john.say("/language").await.tap("Русский").await;
        john.sees("John, чем помочь?").await;
        john.tap("Помощь").await;
        john.sees("веду по инструкции шаг за шагом").await;
    });
}

#[test]
fn every_role_has_its_home() {
    shared(async |fitter| {
        let manager = fitter.manager("Марина Г").await;
        let labels: Vec<String> = manager.last().await.labels().iter().map(|label| (*label).to_owned()).collect();
        for begin in ["Вопросы · ", "Неполадки · ", "Работы · ", "Инструкции", "Помощь"] {
            assert!(labels.iter().any(|label| label.starts_with(begin)), "{begin} of {labels:?}");
        }
        assert!(!labels.iter().any(|label| label == "Пригласить"), "{labels:?}");

        let admin = fitter.person("Ержан Г", Role::Admin, Locale::Ru).await;
        admin.tap("Пригласить").await;
        admin.sees("Кого приглашаем?").await;
        admin.tap("Менеджер").await;
        let link = admin.sees("сработает один раз").await;
        let text = link.text().to_owned();
        assert!(text.contains("7 дней"), "{text}");
        let payload = text.split("?start=").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap().to_owned();
        let newcomer = fitter.stranger("Новая", "ru").await;
        newcomer.start(&payload).await;
        newcomer.got("Вас пригласили как менеджера.").await;
        newcomer.tap("Русский").await.tap("Новая").await;
        newcomer.wait_for("Новая, готово. Сюда будут приходить вопросы, неполадки и отчёты техников.").await;

        // A link for technicians does not take a manager's role away.
        let lower = fitter.invite("technician").await;
        newcomer.start(&lower).await;
        let role = fitter.rows(&format!("SELECT role FROM people WHERE user_id = {}", newcomer.id)).await;
        assert_eq!(role[0]["role"], "manager");
    });
}

#[test]
fn an_invitation_on_the_embedded_database() {
    run(async {
        let fitter = Fitter::prepare(options().storage(Storage::Embedded)).await;
        let payload = fitter.invite("technician").await;
        fitter.launch().await;
        // The process owns the database now; the command says so.
        let refused = fitter.cli(["user", "list"]).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.err.contains("is in use by another fitter"), "{refused:?}");
        let aidos = fitter.stranger("Айдос", "ru").await;
        aidos.start(&payload).await;
        aidos.tap("Русский").await.tap("Айдос").await;
        aidos.wait_for("Айдос, чем помочь?").await;
        fitter.restart().await;
        aidos.say("/menu").await;
        aidos.sees("Айдос, чем помочь?").await;
        fitter.finish().await;
    });
}

#[test]
fn the_menu_is_the_last_thing_a_newcomer_sees() {
    shared(async |fitter| {
        let olga = fitter.stranger("Ольга М", "ru").await;
        olga.start("").await;
        olga.tap("Русский").await.tap("Ольга М").await;
        olga.wait_for("Ольга М, здравствуйте!").await;
        let last = olga.sees("чем помочь?").await;
        assert_eq!(last.labels(), ["Задать вопрос", "Помощь"]);
    });
}
