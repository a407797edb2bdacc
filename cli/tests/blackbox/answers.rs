//! The part that answers, what stands around it, what people think of it, and what the notes lack.

use fitter_domain::Locale;
use fitter_domain::person::Role;
use fitter_testkit::app::{eventually, run};
use fitter_testkit::{Fitter, Options};

use crate::{options, vault};

const ASIDE: &str = "Терминал стоит в кабине за панелью приборов и служит для связи водителя с диспетчером на маршруте. Водитель видит на нём рейсы, \
    расписание и сообщения. Диспетчер видит место машины и время стоянки. ";

/// A process with notes of this test's own, and a folder for drafts.
async fn start() -> Fitter {
    let drafts = |options: Options| options.env("FITTER_VAULT_DRAFTS", "Черновики");
    let fitter = Fitter::prepare(drafts(options().vault(vault()))).await;
    let terminal = format!(
        "---\ntitle: Терминал\n---\n\n# Обзор\n\n{ASIDE}{ASIDE}\n\n# Перезагрузка терминала\n\n{ASIDE}\n\n{ASIDE}\n\n\
         Для перезагрузки держите красную кнопку 12 секунд.\n\n> [!warning] Не вынимайте карту\n> Сотрутся рейсы.\n\n{ASIDE}\n\n{ASIDE}\n\n\
         # Экран\n\nЭкран протирают сухой салфеткой.\n"
    );
    let policy = "---\ntitle: Распорядок\nanswer: [рабочее время]\n---\n\nРаботаем с девяти до шести, обед с часу до двух.\n";
    std::fs::write(fitter.vault().join("Терминал.md"), terminal).unwrap();
    std::fs::write(fitter.vault().join("Распорядок.md"), policy).unwrap();
    fitter.launch().await;
    fitter
}

#[test]
fn the_part_that_answers_and_the_section_around_it() {
    run(async {
        let fitter = start().await;
        let aidos = fitter.technician("Айдос О").await;
        aidos.say("сколько секунд держать кнопку для перезагрузки терминала").await;
        let answer = aidos.got("12 секунд").await;
        assert!(answer.text().starts_with("📄 Терминал › Перезагрузка терминала"), "{}", answer.text());
        assert!(answer.text().contains("⚠️ Не вынимайте карту") && answer.text().contains("Обновлено "), "{}", answer.text());
        let asides = |text: &str| text.matches("Терминал стоит в кабине").count();
        assert!(asides(answer.text()) < 4, "only a part is quoted: {}", answer.text());

        aidos.tap("Весь раздел").await;
        let whole = aidos.messages().await.into_iter().find(|message| message.id() == answer.id()).unwrap();
        assert_eq!(asides(whole.text()), 4, "{}", whole.text());
        assert!(whole.labels().contains(&"Обзор") && whole.labels().contains(&"Экран"), "{:?}", whole.labels());
        aidos.tap("Экран ›").await;
        aidos.wait_for("сухой салфеткой").await;
        aidos.tap("‹ К ответу").await;
        aidos.wait_for("12 секунд").await;

        // An opinion is one, and can be changed.
        aidos.tap("👍").await.tap("👍").await;
        assert_eq!(fitter.count("SELECT count(*) FROM feedback WHERE good").await, 1);
        assert_eq!(fitter.count("SELECT count(*) FROM gaps").await, 0);
        aidos.tap("Не то").await;
        assert_eq!(fitter.count("SELECT count(*) FROM feedback WHERE NOT good").await, 1);
        assert_eq!(fitter.count("SELECT count(*) FROM gaps WHERE why = 'disliked'").await, 1);
        assert_eq!(fitter.count("SELECT count(*) FROM queries WHERE revision > 0").await, 1);
        fitter.finish().await;
    });
}

#[test]
fn a_question_goes_on_from_the_one_before_and_a_policy_answers_first() {
    run(async {
        let fitter = start().await;
        let aidos = fitter.technician("Азамат О").await;
        aidos.say("какой предохранитель на питание маяка").await;
        aidos.got("3 А, плавкий").await;
        aidos.say("а где он?").await;
        let answer = aidos.got("в разрыв красного провода").await;
        assert!(answer.text().starts_with("📄 Предохранитель › Номинал"), "{}", answer.text());
        let context = fitter.count("SELECT count(*) FROM queries WHERE context = 'какой предохранитель на питание маяка'").await;
        assert_eq!(context, 1);
        // A human reads it with what it goes on from.
        aidos.tap("Спросить человека").await;
        aidos.got("Передал ваш вопрос").await;
        let asked = fitter.rows("SELECT text FROM questions").await;
        assert_eq!(asked[0]["text"], "какой предохранитель на питание маяка → а где он?");

        aidos.say("какое у нас рабочее время на питание и обед").await;
        let policy = aidos.got("с девяти до шести").await;
        assert!(policy.text().starts_with("📄 Распорядок"), "{}", policy.text());
        fitter.finish().await;
    });
}

#[test]
fn what_the_notes_lack_is_answered_for_all_and_becomes_a_note() {
    run(async {
        let fitter = start().await;
        let (marina, admin) = (fitter.manager("Марина О").await, fitter.person("Ерлан О", Role::Admin, Locale::Ru).await);
        let (arman, aset) = (fitter.technician("Арман О").await, fitter.technician("Асет О").await);
        arman.say("где ключ от склада запчастей").await;
        arman.got("Не нашёл в базе").await;
        aset.say("ключи от склада запчастей где взять").await;
        aset.got("Не нашёл в базе").await;
        aset.tap("Спросить человека").await;
        aset.got("Передал ваш вопрос").await;

        marina.say("/gaps").await;
        marina.sees("Чего нет в базе: 1").await;
        marina.tap("2 · где ключ от склада запчастей").await;
        let gap = marina.wait_for("Спрашивали: 2").await;
        assert!(gap.text().contains("Арман О") && gap.text().contains("ключи от склада запчастей где взять"), "{}", gap.text());
        marina.tap("Ответить").await;
        marina.say("Ключ висит у охраны на посту.").await;
        for person in [&arman, &aset] {
            let told = person.wait_for("у охраны на посту").await;
            assert!(told.text().starts_with("Марина О отвечает на ваш вопрос:"), "{}", told.text());
        }
        assert_eq!(fitter.count("SELECT count(*) FROM questions WHERE answer IS NULL").await, 0);
        marina.tap("Сохранить заметкой").await;
        let saved = marina.wait_for("Сохранил черновик: Черновики/").await;
        let path = saved.text().split_once("Черновики/").unwrap().1.split(".md").next().unwrap().to_owned();
        let note = std::fs::read_to_string(fitter.vault().join(format!("Черновики/{path}.md"))).unwrap();
        assert!(note.contains("visibility: draft") && note.contains("author: \"Марина О\""), "{note}");
        // Pressed again, it is the same note.
        marina.say("/gaps").await;
        marina.sees("Вопросов, на которые база не ответила, нет.").await;

        // It is imported as a draft: admins find it, others do not.
        eventually("the draft is imported", async || {
            let count = fitter.count("SELECT count(*) FROM notes WHERE path LIKE 'Черновики/%' AND visibility = 2").await;
            (count == 1).then_some(())
        })
        .await;
        eventually("the draft is found", async || {
            admin.say("где ключ от склада запчастей").await;
            (admin.count("у охраны на посту").await > 0).then_some(())
        })
        .await;
        let before = arman.count("у охраны на посту").await;
        arman.say("где ключ от склада запчастей").await;
        fitter.quiet().await;
        assert_eq!(arman.count("у охраны на посту").await, before, "a draft is for editors");

        let log = fitter.log().to_lowercase();
        for word in ["склад", "запчаст", "охран", "арман", "марина"] {
            assert!(!log.contains(word), "the log has \u{ab}{word}\u{bb}");
        }
        fitter.finish().await;
    });
}

#[test]
fn answers_are_measured_from_the_shell() {
    run(async {
        let fitter = Fitter::prepare(options().vault(vault())).await;
        let file = fitter.vault().join("questions.jsonl");
        let questions = [
            r#"{"id": 1, "text": "какой предохранитель на питание маяка", "category": "прямой", "must_contain": ["3 А"], "note": "Предохранитель.md"}"#,
            r#"{"id": 2, "text": "какой предохранитель на питание маяка", "category": "прямой", "must_contain": ["7 А"], "note": "Предохранитель.md"}"#,
            r#"{"id": 3, "text": "рецепт бешбармака", "category": "чужой", "answerable": false}"#,
        ];
        std::fs::write(&file, questions.join("\n")).unwrap();
        let (vault, file) = (fitter.vault().display().to_string(), file.display().to_string());
        let said = fitter.cli(["eval", "answers", "--vault", &vault, "--queries", &file, "--json"]).await;
        assert_eq!(said.code, Some(0), "{said:?}");
        let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(report["all"]["answered_right"], 1, "{report}");
        assert_eq!(report["categories"]["прямой"]["answered_wrong"], 1, "{report}");
        assert_eq!(report["categories"]["чужой"]["refused_right"], 1, "{report}");
        let table = fitter.cli(["eval", "answers", "--vault", &vault, "--queries", &file]).await;
        assert!(
            table.out.contains("of 2 answerable: 50.0 % answered right, 0.0 % refused; of 1 unanswerable: 100.0 % refused"),
            "{table:?}"
        );
        std::fs::write(&file, "not json\n").unwrap();
        let broken = fitter.cli(["eval", "answers", "--vault", &vault, "--queries", &file]).await;
        assert_eq!(broken.code, Some(1), "{broken:?}");
        assert!(broken.err.contains("line 1"), "{broken:?}");
    });
}
