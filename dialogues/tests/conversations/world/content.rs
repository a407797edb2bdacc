//! What the world's vault says.

use chrono::{TimeZone as _, Utc};
use fitter_domain::Locale;
use fitter_domain::ids::ProcedureId;
use fitter_domain::passage::Passage;
use fitter_domain::procedure::{Check, CheckKind, ChoiceOption, Condition, Figure, Procedure, Severity, Step, Warning};
use fitter_domain::rich::{Node, Rich};

fn step(id: &str, title: &str, checks: Vec<Check>) -> Step {
    Step {
        id: id.into(),
        section: None,
        title: title.into(),
        body: Rich::new(),
        warnings: Vec::new(),
        figures: Vec::new(),
        checks,
        optional: false,
        repeat: None,
        timer: None,
        when: None,
        line: 1,
    }
}

fn check(question: &str, kind: CheckKind) -> Check {
    Check { question: question.into(), hint: String::new(), kind }
}

fn choice(options: &[(&str, bool)]) -> CheckKind {
    CheckKind::Choice { options: options.iter().map(|(label, fault)| ChoiceOption { label: (*label).into(), fault: *fault }).collect() }
}

fn when(answer: &str, negated: bool) -> Option<Condition> {
    Some(Condition { step: "ignition".into(), answers: vec![answer.into()], negated })
}

fn procedure(title: &str, steps: Vec<Step>) -> Procedure {
    Procedure {
        note: format!("{title}.md"),
        title: title.into(),
        locale: Locale::Ru,
        duration: None,
        intro: Rich::new(),
        warnings: Vec::new(),
        steps,
    }
}

/// The installation with every kind of checkpoint, and three small ones.
pub fn procedures() -> Vec<Procedure> {
    let voltage = CheckKind::Number { unit: "В".into(), min: Some(9.0), max: Some(32.0) };
    let imei = CheckKind::Text { pattern: Some(r"\d{15}".into()), example: Some("356307042441013".into()) };
    let warning = Warning {
        severity: Severity::Danger,
        title: "Снимите клемму".into(),
        body: Rich::text("Короткое замыкание выводит трекер из строя."),
    };
    let place = Step {
        warnings: vec![warning],
        figures: vec![Figure { blob: "aa".into(), caption: String::new() }],
        ..step("place", "Выберите место", vec![check("Место сухое?", CheckKind::Confirm)])
    };
    let power = Step {
        section: Some("Питание".into()),
        body: Rich::text("Красный провод на плюс, чёрный на массу."),
        checks: vec![
            Check { hint: "Мультиметр на 20 В, щупы на клеммы.".into(), ..check("Напряжение", voltage) },
            check("Как подключили", CheckKind::Text { pattern: None, example: None }),
        ],
        ..step("power", "Подключите питание", Vec::new())
    };
    let photos = step(
        "photos",
        "Сфотографируйте монтаж",
        vec![check("Фото монтажа", CheckKind::Photo { min: 1, max: 3 }), check("Жгут закреплён?", CheckKind::Confirm)],
    );
    let steps = vec![
        place,
        step("imei", "Запишите IMEI", vec![check("IMEI", imei)]),
        power,
        step(
            "ignition",
            "Откуда берём зажигание?",
            vec![check("Зажигание", choice(&[("Замок", false), ("CAN", false), ("Провод перебит", true)]))],
        ),
        Step {
            when: when("CAN", false), ..step("can", "Настройте CAN", vec![check("Обороты видны?", CheckKind::Confirm)])
        },
        Step {
            when: when("CAN", true), ..step("lock", "Подключите замок", vec![check("Лампа гаснет?", CheckKind::Confirm)])
        },
        photos,
        Step {
            repeat: Some((1, 3)),
            ..step(
                "sensor",
                "Установите датчик",
                vec![check("Длина датчика", CheckKind::Number { unit: "мм".into(), min: Some(100.0), max: None })],
            )
        },
        Step { timer: Some(120), ..step("wait", "Дождитесь спутников", Vec::new()) },
        Step {
            optional: true,
            ..step(
                "label",
                "Наклейте наклейку",
                vec![
                    check("Фото наклейки", CheckKind::Photo { min: 2, max: 2 }),
                    check("Что написали", CheckKind::Text { pattern: None, example: None }),
                ],
            )
        },
        step("end", "Проверьте на карте", vec![check("Машина на карте?", CheckKind::Confirm)]),
    ];
    let main = Procedure {
        duration: Some(45),
        intro: Rich::text("Установка трекера на легковую машину."),
        warnings: vec![Warning { severity: Severity::Warning, title: "Зажигание выключено".into(), body: Rich::new() }],
        ..procedure("Установка трекера", steps)
    };
    let twice = Step {
        repeat: Some((2, 4)),
        ..step("wheel", "Проверьте колесо", vec![check("Давление", CheckKind::Number { unit: String::new(), min: None, max: Some(10.0) })])
    };
    let empty = Step { optional: true, ..step("note", "Заметка", Vec::new()) };
    vec![
        main,
        procedure(
            "Проверка питания",
            vec![
                step("a", "Измерьте", vec![check("Напряжение", CheckKind::Number { unit: "В".into(), min: Some(9.0), max: Some(32.0) })]),
                step("b", "Закройте крышку", Vec::new()),
            ],
        ),
        procedure("Осмотр колёс", vec![twice, empty]),
        procedure("Пустая проверка", vec![step("only", "Осмотрите машину", Vec::new())]),
    ]
}

fn passage(title: &str, heading: &str, body: &str) -> Passage {
    let changed = Some(Utc.with_ymd_and_hms(2026, 3, 12, 9, 0, 0).unwrap());
    Passage {
        note: format!("{title}.md"),
        title: title.into(),
        headings: vec![heading.into()],
        start_line: 1,
        end_line: 2,
        score: 1.0,
        body: Rich::text(body),
        changed,
        ..Passage::default()
    }
}

/// The sections of the note that a hit is from.
pub fn sections(hit: &Passage) -> Vec<Passage> {
    let section = |heading: &str, body: &str| passage(&hit.title, heading, body);
    vec![section("Обзор", "О чём эта заметка."), Passage { span: None, ..hit.clone() }, section("Проверка", "Измерьте напряжение.")]
}

/// What search finds.
pub fn find(text: &str) -> (Vec<Passage>, Option<(ProcedureId, String)>) {
    let text = text.to_lowercase();
    let procedure = |title: &str, score| {
        let body = format!("{title}: по шагам.");
        Passage { score, procedure: Some(format!("{title}.md")), ..passage(title, "Шаги", &body) }
    };
    if text.contains("инструкци") {
        return (
            vec![procedure("Проверка питания", 0.9), procedure("Осмотр колёс", 0.89)],
            Some((ProcedureId(2), "Проверка питания".into())),
        );
    }
    if text.contains("длинн") {
        let warning = Node::Quote {
            expandable: false, body: Rich::new().bold("⚠️ Снимите клемму").push("\nИначе замыкание.")
        };
        let body = Rich::text("Много слов о другом.\n\nНужен предохранитель 3 А.\n\n").push(warning);
        let long = Passage {
            span: Some(Rich::text("Нужен предохранитель 3 А.")),
            author: Some("Алия".into()),
            images: vec!["bb".into()],
            body,
            ..passage("Предохранители", "Номиналы", "")
        };
        let second = Passage {
            score: 0.95, ..passage("Диагностика", "Нет питания", "Проверьте предохранитель 3 А.")
        };
        return (
            vec![
                long,
                second,
                Passage {
                    score: 0.5, ..passage("Словарь", "П", "Предохранитель — плавкая вставка.")
                },
            ],
            None,
        );
    }
    if !text.contains("питан") {
        return (Vec::new(), None);
    }
    let mut hits = vec![
        passage("Установка трекера", "Питание", "Красный провод на постоянный плюс, чёрный на массу."),
        Passage { score: 0.8, ..passage("Предохранители", "Номиналы", "Трекеру хватает 1 А.") },
        Passage {
            score: 0.7, ..passage("Диагностика", "Нет питания", "Проверьте массу и предохранитель.")
        },
    ];
    if text.contains("масс") {
        let warning = Node::Quote { expandable: false, body: Rich::text("⚠️ Снимите клемму") };
        hits.push(Passage { body: Rich::text("Масса на кузов.\n\n").push(warning), ..passage("Масса", "Точки", "") });
    }
    (hits, Some((ProcedureId(1), "Установка трекера".into())))
}
