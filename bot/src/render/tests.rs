use fitter_domain::rich::{ENTITY_LIMIT, Entity};
use proptest::prelude::*;

use super::*;

fn photo(n: usize) -> Vec<Media> {
    (0..n).map(|i| Media::File(format!("f{i}"))).collect()
}

fn screen(text: &str, media: usize) -> Screen {
    Screen { media: photo(media), ..Screen::of(Rich::text(text)) }.button("Дальше", "next")
}

fn shapes(screen: &Screen) -> String {
    let shape = |part: &Part| match part {
        Part::Text { markup, .. } => format!("text{}", if markup.is_some() { "+" } else { "" }),
        Part::Photo { caption, markup, .. } => {
            format!("photo{}{}", if caption.text.is_empty() { "" } else { "/caption" }, if markup.is_some() { "+" } else { "" })
        }
        Part::Album { media } => format!("album{}", media.len()),
    };
    parts(screen).iter().map(shape).collect::<Vec<_>>().join(" ")
}

#[test]
fn media_and_text() {
    let long = "слово ".repeat(300);
    let very_long = "слово ".repeat(1500);
    assert_eq!(shapes(&screen("привет", 0)), "text+");
    assert_eq!(shapes(&screen(&very_long, 0)), "text text text+");
    assert_eq!(shapes(&screen("привет", 1)), "photo/caption+");
    assert_eq!(shapes(&screen("", 1)), "photo+");
    assert_eq!(shapes(&screen(&long, 1)), "photo text+");
    assert_eq!(shapes(&screen("привет", 3)), "album3 text+");
    assert_eq!(shapes(&screen("привет", 11)), "album6 album5 text+");
    assert_eq!(shapes(&screen("", 2)), "album2 text+");
    assert_eq!(shapes(&Screen { media: photo(2), ..Screen::default() }), "album2");
    assert_eq!(shapes(&screen("", 0)), "");
}

#[test]
fn keyboards() {
    let press = |press, style| Button { label: "x".into(), press, style };
    let rows = vec![
        vec![press(Press::Callback("a".into()), Style::Primary), press(Press::Url("https://e.org/x".into()), Style::Plain)],
        vec![press(Press::Copy("12".into()), Style::Danger)],
        vec![press(Press::Callback("b".repeat(65)), Style::Plain), press(Press::Url("javascript:1".into()), Style::Plain)],
        vec![press(Press::Copy(String::new()), Style::Plain)],
    ];
    let expected = json!({"inline_keyboard": [
        [{"text": "x", "callback_data": "a", "style": "primary"}, {"text": "x", "url": "https://e.org/x"}],
        [{"text": "x", "copy_text": {"text": "12"}, "style": "danger"}],
    ]});
    assert_eq!(keyboard(&rows), Some(expected));
    let many = vec![vec![press(Press::Callback("a".into()), Style::Plain); 8]; 20];
    let count =
        keyboard(&many).unwrap()["inline_keyboard"].as_array().unwrap().iter().map(|row| row.as_array().unwrap().len()).sum::<usize>();
    assert_eq!(count, BUTTON_LIMIT);
}

#[test]
fn a_question_opens_the_keyboard() {
    let mut screen = Screen { ask: Some("ш".repeat(70).as_str().into()), ..Screen::default() };
    let reply = markup(&screen).unwrap();
    assert_eq!(reply["force_reply"], true);
    assert_eq!(reply["input_field_placeholder"].as_str().unwrap().chars().count(), PLACEHOLDER_LIMIT);
    screen = screen.button("Отмена", "cancel");
    assert!(markup(&screen).unwrap().get("inline_keyboard").is_some());
}

fn rich() -> impl Strategy<Value = Rich> {
    let text = prop_oneof!["[ \\n.a-zа-я]{0,200}", "(🔧|👨‍👩‍👧|é|\u{2028}| ){0,60}", Just("слово ".repeat(400))];
    let leaf = prop_oneof![text.clone().prop_map(Node::Text), text.prop_map(Node::Code)];
    let node = leaf.prop_recursive(4, 200, 12, |inner| {
        let many = prop::collection::vec(inner, 0..12).prop_map(Rich);
        prop_oneof![
            many.clone().prop_map(Node::Bold),
            many.clone().prop_map(Node::Italic),
            many.clone().prop_map(|body| Node::Quote { expandable: true, body }),
            many.prop_map(|body| Node::Link { url: "https://e.org".into(), body }),
        ]
    });
    prop::collection::vec(node, 0..20).prop_map(Rich)
}

fn check(text: &Formatted, limit: usize) {
    let units: Vec<u16> = text.text.encode_utf16().collect();
    assert!(units.len() <= limit && text.entities.len() <= ENTITY_LIMIT);
    for Entity { offset, length, .. } in &text.entities {
        assert!(*length > 0 && offset + length <= units.len());
        // No entity begins or ends inside a surrogate pair.
        assert!(String::from_utf16(&units[*offset..offset + length]).is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn limits_hold_and_nothing_is_lost(body in rich(), media in 0usize..23) {
        let whole = body.plain();
        let screen = Screen { media: photo(media), ..Screen::of(body) }.button("ок", "ok");
        let parts = parts(&screen);
        let mut text = String::new();
        let (mut pictures, mut markups) = (0, 0);
        for (at, part) in parts.iter().enumerate() {
            match part {
                Part::Text { text: part, markup } => {
                    check(part, TEXT_LIMIT);
                    prop_assert!(!part.text.trim().is_empty());
                    text.push_str(&part.text);
                    markups += usize::from(markup.is_some());
                    prop_assert!(markup.is_none() || at + 1 == parts.len());
                }
                Part::Photo { caption, markup, .. } => {
                    check(caption, CAPTION_LIMIT);
                    text.push_str(&caption.text);
                    pictures += 1;
                    markups += usize::from(markup.is_some());
                }
                Part::Album { media } => {
                    prop_assert!((2..=ALBUM_LIMIT).contains(&media.len()));
                    pictures += media.len();
                }
            }
        }
        prop_assert_eq!(pictures, media);
        prop_assert_eq!(markups, usize::from(!parts.is_empty()));
        let squeeze = |text: &str| text.replace('⬆', "").split_whitespace().collect::<String>();
        prop_assert_eq!(squeeze(&text), squeeze(&whole));
    }
}
