use super::*;

const FUSE: &str = "Номинал предохранителя: 3 А, плавкий. Ставьте его на красный провод, не дальше 10 см от клеммы. \
                    Никогда не снимайте клемму при работающем двигателе. Перед работой отключите зажигание.";

fn excerpts() -> Vec<Excerpt> {
    let excerpt = |id: &str, place, source: &str, text: &str| Excerpt { id: id.into(), place, source: source.into(), text: text.into() };
    vec![
        excerpt("k1100", 0, "Предохранитель › Номинал", FUSE),
        excerpt("k2200", 2, "Реле", "Реле блокировки на 24 В ставят после проверки зажигания."),
        excerpt("k3300", 3, "Fuse", "Use a fuse of 3 A on the red wire. Do not remove the clamp."),
    ]
}

fn checked_for(question: &str, text: &str, citations: &[&str]) -> Result<Checked, Flaw> {
    let draft = Draft { text: text.into(), citations: citations.iter().map(|id| (*id).to_owned()).collect() };
    check(question, &draft, &excerpts())
}

fn checked(text: &str, citations: &[&str]) -> Result<Checked, Flaw> {
    checked_for("какой предохранитель на питание маяка", text, citations)
}

#[test]
fn what_the_passages_bear_out_is_shown() {
    for text in [
        "На питание маяка нужен плавкий предохранитель на 3 А.",
        "Поставьте плавкий предохранитель 3 А на красный провод, не дальше 10 см от клеммы [k1100].",
        "1. Отключите зажигание.\n2. Поставьте предохранитель 3 А на красный провод.",
        "Клемму при работающем двигателе не снимайте.",
        "3 А",
    ] {
        let found = checked(text, &["k1100"]).unwrap_or_else(|flaw| panic!("{text}: {flaw:?}"));
        assert_eq!(found.cited, [0], "{text}");
        assert!(!found.text.contains("k1100"), "{}", found.text);
    }
    assert_eq!(checked("Предохранитель на 3 А, реле на 24 В.", &["k2200", "k1100", "k2200"]).unwrap().cited, [2, 0]);
    let kazakh = checked_for("Қандай сақтандырғыш керек", "Балқымалы сақтандырғыш 3 А, қызыл сымға қойылады", &["k1100"]);
    assert_eq!(kazakh.unwrap().cited, [0]);
}

#[test]
fn citations_are_of_the_request() {
    assert_eq!(checked("Предохранитель на 3 А.", &[]), Err(Flaw::Uncited));
    assert_eq!(checked("Предохранитель на 3 А.", &["k9999"]), Err(Flaw::Stranger));
    assert_eq!(checked("Предохранитель на 3 А.", &["k1100", "1"]), Err(Flaw::Stranger));
    // What another passage states does not count.
    assert_eq!(checked("Реле на 24 В.", &["k1100"]), Err(Flaw::Foreign(Fact::Number("24".into(), Some("V")))));
}

#[test]
fn figures_and_names_come_from_the_cited_passages() {
    for text in [
        "Предохранитель на 5 А.",
        "Предохранитель на пять ампер.",
        "Предохранитель MEGA3000.",
        "Нажмите «Сбросить всё».",
        "Меню → Питание",
        "Предохранитель фирмы Littelfuse на 3 А.",
    ] {
        assert!(matches!(checked(text, &["k1100"]), Err(Flaw::Foreign(_))), "{text}");
    }
}

#[test]
fn nothing_is_to_be_pressed() {
    for text in [
        "https://evil.example",
        "http://1.2.3.4/x",
        "зайдите на evil.com",
        "сайт завод.рф/акт",
        "t.me/evil",
        "tg://resolve?domain=evil",
        "@evil_bot",
        "пишите evil@mail.ru",
        "/approve",
        "нажмите /cancel сейчас",
        "www.evil",
        "mailto:a@b",
        "10.0.0.1/login",
        "javascript:alert(1)",
    ] {
        assert!(pressable(text), "{text}");
        let answer = format!("Предохранитель на 3 А, {text}");
        assert!(checked(&answer, &["k1100"]).is_err(), "{text}");
    }
    for text in ["и/или", "12/24 В", "км/ч", "/etc/init.d/net", "Готово.", "v1.2.3", "фото сверху/снизу", "10:30", "network.conf"]
    {
        assert!(!pressable(text), "{text}");
    }
}

#[test]
fn what_has_nothing_to_do_with_the_passages_is_not_shown() {
    for text in ["Акт приёмки утверждён начальником смены.", "Предохранитель на 3 А. Позвоните директору, сообщите пароль администратора."]
    {
        assert_eq!(checked(text, &["k1100"]), Err(Flaw::Unfounded), "{text}");
    }
}

#[test]
fn advice_is_not_turned_round() {
    assert_eq!(checked("Снимайте клемму при работающем двигателе.", &["k1100"]), Err(Flaw::Reversed));
    assert_eq!(checked("Не отключайте зажигание перед работой.", &["k1100"]), Err(Flaw::Reversed));
    assert_eq!(checked_for("what about the clamp", "Remove the clamp", &["k3300"]), Err(Flaw::Reversed));
}

#[test]
fn language_and_length() {
    assert_eq!(checked("Use a fuse of 3 A on the red wire.", &["k3300"]), Err(Flaw::Language));
    assert_eq!(checked_for("which fuse to use", "Предохранитель на 3 А, плавкий.", &["k1100"]), Err(Flaw::Language));
    assert!(checked_for("which fuse to use", "Use a 3 A fuse on the red wire.", &["k3300"]).is_ok());
    assert_eq!(checked(" … ", &["k1100"]), Err(Flaw::Empty));
    assert_eq!(checked(&"предохранитель ".repeat(100), &["k1100"]), Err(Flaw::Long));
}

#[test]
fn a_glimpse_shows_whole_words_that_hold() {
    let excerpts = excerpts();
    let window = Window::new("какой предохранитель", &excerpts);
    let glimpse = |growing: &str| window.glimpse(growing);
    let text = "Плавкий предохранитель на 3 А, красный провод, реле на 24 В. Конец";
    let shown: Vec<Option<String>> = text.char_indices().map(|(at, _)| glimpse(&text[..at])).collect();
    assert!(shown.iter().flatten().all(|shown| text.starts_with(shown.as_str())), "{shown:?}");
    assert_eq!(shown.last().unwrap().as_deref(), Some("Плавкий предохранитель на 3 А, красный провод, реле на 24 В"));
    assert_eq!(glimpse("Предохранитель на 3"), Some("Предохранитель на".into()));
    assert_eq!(glimpse("Предохранитель на 3 "), Some("Предохранитель на".into()));
    for bad in ["Предохранитель на 5 А, плавкий ток", "Смотрите https://evil.example там ", "", "3", "Нажмите «Сбро"]
    {
        assert!(glimpse(bad).is_none_or(|seen| !seen.contains('5') && !seen.contains("evil") && !seen.contains('«')), "{bad}");
    }
}
