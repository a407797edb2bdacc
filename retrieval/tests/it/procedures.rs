//! Procedures: the grammar of docs/vault.md and every message about a mistake.

use std::collections::HashMap;

use fitter_domain::procedure::{Check, CheckKind, ChoiceOption, Condition, Figure, Procedure, Severity};
use fitter_retrieval::vault::Vault;

use crate::{parse_in, problems, vault};

const GOOD: &str = "---
type: procedure
title: Установка трекера
lang: ru
duration: 45
---
# Установка трекера

Возьмите **тестер**.

> [!danger] Работайте вдвоём
> Под машиной опасно.

## Питание

1. **Подключите питание.** Красный провод на постоянный плюс. [timer:: 2m] ^power

   ![[power.png|Схема питания]]

   > [!warning] Снимите клемму
   > Короткое замыкание.

   > [!check] number: Напряжение на питании
   > unit: В
   > min: 9
   > max: 32,5
   > hint: Меряйте на колодке: два контакта

2. Выберите зажигание. Смотрите схему. ^ignition

   > [!check] choice: Откуда зажигание?
   > - Замок
   > - CAN
   > - Нет сигнала (fault)

> [!caution] Между шагами

## Проверка

3. [optional:: true] [repeat:: 1..4] [when:: ignition = замок | CAN] **Снимите фото**

   - ближе
   - ярче

   > [!check] photo: Фото
   > count: 1..3

   > [!check] text: Номер
   > pattern: ^\\d{15}\\.$
   > example: 123456789012345.

   > [!tip] Совет
   > протрите

   > [!check] confirm: Готово?
4. [when:: ignition != CAN] Проверьте обрыв

Не забудьте чек.

## Ссылки
Текст вне шагов
";

fn files(text: &str) -> Vault {
    vault(&[("p.md", text), ("img/power.png", "")])
}

fn procedure(text: &str) -> Procedure {
    let parsed = parse_in(&files(text), "p.md");
    let problems = problems(&parsed);
    parsed.procedure.unwrap_or_else(|| panic!("{problems:?}")).procedure().clone()
}

#[test]
fn the_whole_grammar() {
    let parsed = parse_in(&files(GOOD), "p.md");
    assert!(parsed.problems.is_empty(), "{:?}", problems(&parsed));
    let procedure = procedure(GOOD);
    assert_eq!((procedure.title.as_str(), procedure.duration, procedure.note.as_str()), ("Установка трекера", Some(45), "p.md"));
    assert_eq!(procedure.intro.plain(), "Возьмите тестер.");
    assert_eq!(procedure.warnings.len(), 1);
    assert_eq!((procedure.warnings[0].severity, procedure.warnings[0].title.as_str()), (Severity::Danger, "Работайте вдвоём"));

    let [power, ignition, photo, last] = procedure.steps.as_slice() else { panic!("{:#?}", procedure.steps) };
    assert_eq!((power.id.as_str(), power.title.as_str(), power.section.as_deref()), ("power", "Подключите питание", Some("Питание")));
    assert_eq!(power.body.plain(), "Красный провод на постоянный плюс.");
    assert_eq!((power.timer, power.line), (Some(120), 16));
    assert_eq!(power.figures, [Figure { blob: "img/power.png".to_owned(), caption: "Схема питания".to_owned() }]);
    assert_eq!((power.warnings[0].title.as_str(), power.warnings[0].body.plain().as_str()), ("Снимите клемму", "Короткое замыкание."));
    let number = Check {
        question: "Напряжение на питании".to_owned(),
        hint: "Меряйте на колодке: два контакта".to_owned(),
        kind: CheckKind::Number { unit: "В".to_owned(), min: Some(9.0), max: Some(32.5) },
    };
    assert_eq!(power.checks, [number]);

    assert_eq!((ignition.title.as_str(), ignition.body.plain().as_str()), ("Выберите зажигание", "Смотрите схему."));
    let option = |label: &str, fault| ChoiceOption { label: label.to_owned(), fault };
    let options = vec![option("Замок", false), option("CAN", false), option("Нет сигнала", true)];
    assert_eq!(ignition.checks[0].kind, CheckKind::Choice { options });

    assert_eq!((photo.id.as_str(), photo.title.as_str(), photo.section.as_deref()), ("s3", "Снимите фото", Some("Проверка")));
    assert_eq!((photo.optional, photo.repeat), (true, Some((1, 4))));
    let answers = vec!["Замок".to_owned(), "CAN".to_owned()];
    assert_eq!(photo.when, Some(Condition { step: "ignition".to_owned(), answers, negated: false }));
    assert_eq!(photo.warnings[0].title, "Между шагами");
    assert_eq!(photo.body.plain(), "• ближе\n• ярче\n\n💡 Совет\nпротрите");
    assert_eq!(photo.checks[0].kind, CheckKind::Photo { min: 1, max: 3 });
    let text = CheckKind::Text { pattern: Some("^\\d{15}\\.$".to_owned()), example: Some("123456789012345.".to_owned()) };
    assert_eq!(photo.checks[1].kind, text);
    assert_eq!(photo.checks[2].kind, CheckKind::Confirm);

    assert!(last.when.as_ref().is_some_and(|when| when.negated));
    assert_eq!((last.title.as_str(), last.body.plain().as_str()), ("Проверьте обрыв", "Не забудьте чек."));
}

#[test]
fn passages_of_a_procedure_show_no_fields() {
    let parsed = parse_in(&files(GOOD), "p.md");
    let text: String = parsed.chunks.iter().map(|chunk| chunk.text.as_str()).collect();
    assert!(!text.contains("::") && !text.contains("^power") && !text.contains("[!check]") && !text.contains("pattern"), "{text}");
    assert!(text.contains("Напряжение на питании: 9–32.5 В") && text.contains("CAN"), "checkpoints are searched: {text}");
    assert!(text.contains("Текст вне шагов"));
    let shown: String = parsed.chunks.iter().map(|chunk| chunk.body.plain()).collect();
    assert!(shown.contains("Напряжение на питании: 9–32.5 В"), "the norm is worth reading: {shown}");
    assert!(!shown.contains("• CAN"), "answers belong to the walk: {shown}");
    let overview = parsed.chunks.first().map(|chunk| chunk.body.plain()).unwrap_or_default();
    assert!(overview.contains("\n1. ") && overview.contains("\n2. "), "the first passage names the steps: {overview}");
}

#[test]
fn pictures_become_blobs() {
    let draft = parse_in(&files(GOOD), "p.md").procedure.unwrap();
    assert_eq!(draft.pictures().into_iter().collect::<Vec<_>>(), ["img/power.png"]);
    let blobs = HashMap::from([("img/power.png".to_owned(), "ab12".to_owned())]);
    assert_eq!(draft.clone().with_blobs(&blobs).steps[0].figures[0].blob, "ab12");
    assert!(draft.with_blobs(&HashMap::new()).steps[0].figures.is_empty());
}

#[test]
fn steps_come_from_other_notes_too() {
    let vault = vault(&[
        ("p.md", "---\ntype: procedure\n---\n![[Общее#Питание]]\n\n1. Свой шаг"),
        ("Общее.md", "## Питание\n1. **Снимите клемму**\n2. Подождите [timer:: 1m]\n\n## Иное\n1. Нет"),
    ]);
    let parsed = parse_in(&vault, "p.md");
    let draft = parsed.procedure.unwrap();
    let titles: Vec<_> = draft.procedure().steps.iter().map(|step| step.title.as_str()).collect();
    assert_eq!(titles, ["Снимите клемму", "Подождите", "Свой шаг"]);
    assert_eq!(parsed.embeds, ["Общее.md"]);
}

#[test]
fn a_picture_of_the_introduction_is_shown_with_the_first_step() {
    let draft =
        parse_in(&files("---\ntype: procedure\n---\nСхема: ![[power.png|Общая]]\n\n1. Шаг ![[power.png]]"), "p.md").procedure.unwrap();
    let captions: Vec<_> = draft.procedure().steps[0].figures.iter().map(|figure| figure.caption.as_str()).collect();
    assert_eq!(captions, ["Общая", ""]);
}

#[test]
fn a_missing_picture_does_not_stop_the_procedure() {
    let parsed = parse_in(&files("---\ntype: procedure\n---\n1. Шаг ![[нет.png]]"), "p.md");
    assert_eq!(problems(&parsed), ["p.md:4: picture `нет.png` does not exist"]);
    assert!(parsed.procedure.unwrap().procedure().steps[0].figures.is_empty());
}

/// The body of a procedure and the messages about it; lines count from the body's first, which is line 4.
fn wrong(body: &str) -> Vec<String> {
    let parsed = parse_in(&files(&format!("---\ntype: procedure\n---\n{body}")), "p.md");
    assert!(parsed.procedure.is_none(), "{body}");
    assert!(!parsed.chunks.is_empty(), "it stays an ordinary note");
    problems(&parsed)
}

#[test]
fn messages_about_steps() {
    let cases = [
        ("просто текст", "p.md:1: a procedure needs at least one step: an item of a numbered list"),
        ("1. Шаг ^питание", "p.md:4: step name `^питание`: only Latin letters, digits and dashes"),
        ("1. A ^x\n2. B ^x", "p.md:5: step name `^x` is used twice, first in line 4"),
        ("1. A ^s2\n2. B", "p.md:4: step name `^s2` is reserved for unnamed steps: choose a word"),
        ("1. A [optional:: может]", "p.md:4: `[optional:: может]`: write true or false"),
        ("1. A [repeat:: 4..1]", "p.md:4: `[repeat:: 4..1]`: write `least..most`, such as `1..4`, at most 99"),
        ("1. A [timer:: 5 минут]", "p.md:4: `[timer:: 5 минут]`: write `90s`, `5m` or `1h`, at most 24 hours"),
        ("1. A [timer:: 25h]", "p.md:4: `[timer:: 25h]`: write `90s`, `5m` or `1h`, at most 24 hours"),
        ("1. A [when:: x]", "p.md:4: `[when:: x]`: write `step = answer`, `step = one | other` or `step != answer`"),
        ("1. A [when:: x = да]", "p.md:4: `when` names the step `x`, which does not exist"),
        ("1. A ^x [when:: x = да]", "p.md:4: `when` names the step `x` itself"),
        ("1. A [when:: x = да]\n2. B ^x", "p.md:4: `when` names the step `x`, which comes later"),
        ("1. A ^x\n2. B [when:: x = да]", "p.md:5: `when` names the step `x`, which has no `choice` checkpoint"),
        (
            "1. A ^x\n   > [!check] choice: Да?\n   > - да\n   > - нет\n2. B [when:: x = что]",
            "p.md:8: `when`: the choice of step `x` has no answer `что`; it has `да`, `нет`",
        ),
        ("1. ![[power.png]]", "p.md:4: the step has no text: write what to do"),
        ("1. A\n\n> [!check] confirm: Да?", "p.md:6: the checkpoint stands outside a step: indent it under its step"),
        ("> [!check] confirm: Да?\n\n1. A", "p.md:4: the checkpoint stands outside a step: indent it under its step"),
        (
            "1. A\n   - b\n\n     > [!check] confirm: Да?",
            "p.md:7: the checkpoint stands inside a list or quote of the step: indent it directly under the step",
        ),
    ];
    for (body, message) in cases {
        assert_eq!(wrong(body), [message], "{body}");
    }
}

#[test]
fn messages_about_checkpoints() {
    let cases = [
        (
            "bool: Да?",
            "p.md:5: checkpoint kind `bool` is not known: write `[!check] kind: question` with confirm, text, number, choice or photo",
        ),
        ("confirm", "p.md:5: the checkpoint asks nothing: write `[!check] kind: question`"),
        ("number: U\n   > min: много", "p.md:6: `min: много` is not a number"),
        ("number: U\n   > min: 5\n   > max: 1", "p.md:5: `min: 5` is greater than `max: 1`"),
        ("number: U\n   > pattern: x", "p.md:6: `pattern:` is not known in a checkpoint of this kind"),
        ("confirm: Да?\n   > просто так", "p.md:6: `просто так` is neither `key: value` nor an answer `- …`"),
        ("confirm: Да?\n   > - да", "p.md:6: answers `- …` belong to a checkpoint of kind choice only"),
        ("text: N\n   > pattern: (", "p.md:6: `pattern: (` is not a regular expression: unclosed group"),
        ("text: N\n   > pattern: \\d+\n   > example: abc", "p.md:7: `example: abc` does not match the pattern `\\d+`"),
        ("choice: Что?", "p.md:5: a choice needs answers: a bullet list under its title"),
        ("choice: Что?\n   > - да\n   > - Да", "p.md:7: answer `Да` is there twice"),
        ("photo: Фото\n   > count: 0", "p.md:6: `count: 0`: write a number or `least..most`, from 1 to 10"),
    ];
    for (check, message) in cases {
        assert_eq!(wrong(&format!("1. A\n   > [!check] {check}")), [message], "{check}");
    }
    let answers: String = (0..9).map(|n| format!("\n   > - ответ {n}")).collect();
    assert_eq!(wrong(&format!("1. A\n   > [!check] choice: Что?{answers}")), ["p.md:5: a choice has at most 8 answers, this one has 9"]);
}

#[test]
fn an_unknown_field_is_only_a_warning() {
    let parsed = parse_in(&files("---\ntype: procedure\n---\n1. A [таймер:: 5m]"), "p.md");
    assert_eq!(problems(&parsed), ["p.md:4: field `таймер` is not known: optional, repeat, timer or when; ignored"]);
    assert!(parsed.procedure.is_some());
}
