//! Obsidian's syntax, item by item.

use fitter_domain::rich::EntityKind;

use crate::{parse, parse_in, problems, shown, vault};

fn kinds(text: &str) -> Vec<(EntityKind, String)> {
    let flat = shown(text);
    let units: Vec<u16> = flat.text.encode_utf16().collect();
    flat.entities.into_iter().map(|e| (e.kind, String::from_utf16(&units[e.offset..e.offset + e.length]).unwrap())).collect()
}

#[test]
fn emphasis_highlight_strike_and_code() {
    let found = kinds("a **b** *c* ~~d~~ ==e== `f` ***g***");
    let names: Vec<_> = found.iter().map(|(kind, text)| (format!("{kind:?}"), text.as_str())).collect();
    let expected = [("Bold", "b"), ("Italic", "c"), ("Strikethrough", "d"), ("Bold", "e"), ("Code", "f"), ("Bold", "g"), ("Italic", "g")];
    assert_eq!(names, expected.map(|(kind, text)| (kind.to_owned(), text)));
}

#[test]
fn code_ends_the_bold_around_it() {
    let found = kinds("**жми `Ввод` два раза**");
    assert_eq!(found[0], (EntityKind::Bold, "жми".to_owned()));
    assert_eq!(found[1], (EntityKind::Code, "Ввод".to_owned()));
    assert_eq!(found[2], (EntityKind::Bold, "два раза".to_owned()));
}

#[test]
fn only_web_links_become_links() {
    let found = kinds("[сайт](https://example.com/a) [почта](mailto:a@b.c) [x](javascript:alert) <https://example.com/b>");
    assert_eq!(found, [(EntityKind::TextLink { url: "https://example.com/a".to_owned() }, "сайт".to_owned())]);
    assert!(shown("<https://example.com/b>").text.contains("https://example.com/b"));
}

#[test]
fn wikilinks_are_their_words() {
    let flat = shown("[[Note]], [[Note.md]], [[folder/Note]], [[Note|слово]], [[Note#Глава]], [[Note#A#B]], [[#Тут]], [[Note#^id]]");
    assert_eq!(flat.text, "Note, Note, Note, слово, Note › Глава, Note › A › B, Тут, Note");
    assert!(flat.entities.is_empty());
    assert_eq!(shown("| a | b |\n|---|---|\n| [[Note\\|al]] | 2 |").text, "a   b\nal  2");
}

#[test]
fn comments_are_never_shown_or_found() {
    let text = "видно %%тайна%% тоже\n\n%%\nтайна\n\nтайна\n%%\n\nконец `%%код%%`\n\n```\n%%код%%\n```\n\n> %%тайна%% цитата";
    let parsed = parse(text);
    let chunk = &parsed.chunks[0];
    assert!(!chunk.text.contains("тайна") && !format!("{:?}", chunk.body).contains("тайна"), "{}", chunk.text);
    assert_eq!(chunk.text.matches("%%код%%").count(), 2);
    assert!(chunk.text.contains("видно") && chunk.text.contains("цитата") && chunk.text.contains("конец"));
    assert_eq!(shown("5 %% от 10\n\nи 7 %% от 20").text, "5 %% от 10\n\nи 7 %% от 20");
    for hidden in [
        "видно <!-- тайна --> тоже",
        "видно\n\n<!--\nтайна\n\nтайна\n-->",
        "видно <!-- тайна\n\nтайна --> и",
        "| видно | b |\n|---|---|\n| видно | <!-- тайна --> c |",
        "> [!check] number: видно <!-- тайна -->\n> min: 9 <!-- тайна -->",
        "видно ![<!-- тайна -->](a.png)",
        "видно\n\n<!-- тайна",
    ] {
        let parsed = parse(hidden);
        let all = format!("{:?}", parsed.chunks);
        assert!(all.contains("видно") && !all.contains("тайна"), "{hidden}: {all}");
    }
    assert!(shown("`<!-- код -->`").text.contains("<!-- код -->"));
    let open = parse("до\n\n%% тайна\n\nтайна");
    assert_eq!(open.chunks[0].text, "до");
    assert_eq!(problems(&open), ["note.md:3: the comment `%%` is not closed: everything after it is hidden"]);
}

#[test]
fn html_and_templates_leave_their_text() {
    let parsed = parse(
        "<b>жирно</b> a<br>b &lt;3\n\n<div>\nблок <img src=\"a.png\" alt=\"подпись\">\n<script>x()</script>\n</div>\n\n<!-- нет --> <% tp.date %> да",
    );
    let chunk = &parsed.chunks[0];
    assert_eq!(chunk.body.plain(), "жирно a\nb <3\n\nблок\n\nда");
    assert!(chunk.text.contains("подпись"));
}

#[test]
fn callouts_are_quotes_with_a_sign() {
    let flat = shown("> [!tip]- Снимите **клемму**\n> Иначе искра.\n> - раз\n> - два");
    assert_eq!(flat.text, "💡 Снимите клемму\nИначе искра.\n• раз\n• два");
    assert_eq!(flat.entities[0].kind, EntityKind::ExpandableBlockquote);
    assert_eq!(flat.entities[0].length, flat.text.encode_utf16().count());
    assert_eq!(shown("> [!danger]- A\n> b").entities[0].kind, EntityKind::Blockquote, "a danger is never folded away");
    assert_eq!(shown("> [!TIP]\n> только текст").text, "💡 только текст");
    assert_eq!(shown("> [!note] Лишь заголовок").text, "ℹ️ Лишь заголовок");
    assert_eq!(shown("> [!своё] Что-то\n> текст").text, "ℹ️ Что-то\nтекст");
    let nested = shown("> [!danger] A\n> > [!tip] B\n> > c");
    assert_eq!(nested.text, "⛔ A\n💡 B\nc");
    assert_eq!(nested.entities.iter().filter(|e| e.kind == EntityKind::Blockquote).count(), 1);
}

#[test]
fn lists_and_tasks() {
    let text = "Вот:\n\n- a\n- b\n  - c\n\n3. d\n4. e\n\n   f\n\n- [ ] g\n- [x] h\n- [/] i\n1. [ ] j";
    assert_eq!(shown(text).text, "Вот:\n• a\n• b\n   • c\n\n3. d\n4. e\n   f\n\n☐ g\n☑ h\n◪ i\n\n1. ☐ j");
}

#[test]
fn tables_fit_a_phone() {
    let narrow = shown("| Цвет | Что |\n|---|---|\n| красный | + |\n| чёрный | − |");
    assert_eq!(narrow.text, "Цвет     Что\nкрасный  +\nчёрный   −");
    assert!(matches!(narrow.entities[0].kind, EntityKind::Pre { .. }));
    let two = shown("| Параметр | Что он значит |\n|---|---|\n| period | период отправки записей на сервер |");
    assert_eq!(two.text, "• period: период отправки записей на сервер");
    let wide = shown("| Код | Причина | Что делать |\n|---|---|---|\n| P0420 | катализатор изношен | заменить, проверить лямбду |");
    assert_eq!(wide.text, "• P0420\n   Причина: катализатор изношен\n   Что делать: заменить, проверить лямбду");
}

#[test]
fn footnotes_stay_in_their_passage() {
    let parsed = parse("# A\nтекст[^1] и^[сразу]\n\n# B\nдругое\n\n[^1]: сноска");
    assert_eq!(parsed.chunks[0].body.plain(), "текст[1] и[*1]\n\n[1] сноска\n\n[*1] сразу");
    assert_eq!(parsed.chunks[1].body.plain(), "другое");
    assert_eq!((parsed.chunks[0].start_line, parsed.chunks[0].end_line), (1, 2));
}

#[test]
fn formulas_and_diagrams_are_words() {
    assert_eq!(shown("$R = \\frac{U}{I} \\cdot 2$").text, "R = (U)/(I) · 2");
    assert_eq!(
        shown("```mermaid\ngraph TD\nA[Начало] --> B{Есть связь?}\nB -->|да| C(Готово)\n```").text,
        "Начало\nЕсть связь?\nда\nГотово"
    );
    let parsed = parse("a\n\n```dataview\nLIST\n```\n\n`= this.x` b");
    assert_eq!(parsed.chunks[0].body.plain(), "a\n\nb");
    assert_eq!(
        problems(&parsed),
        [
            "note.md:3: a `dataview` block is made by Obsidian when it is looked at; left out",
            "note.md:7: `= this.x` is made by Obsidian when it is looked at; left out",
        ]
    );
    assert_eq!(shown("```mermaid\ngraph TD\n%% тайна [X]\nA[Начало]\n```").text, "Начало");
}

#[test]
fn dataview_fields_are_text() {
    assert_eq!(shown("рейтинг:: 5\nцена [руб:: 100] и (скрыто:: да)").text, "рейтинг: 5\nцена руб: 100 и да");
    assert_eq!(shown("std::vector остаётся").text, "std::vector остаётся");
}

#[test]
fn pictures_are_listed_and_their_captions_found() {
    let vault = vault(&[
        (
            "note.md",
            "![[a.png|300]] ![[a.png|Схема питания]] ![разъём|640x480](img/b.jpg) ![[c.pdf#page=3]] ![250](https://x.y/z.png)\n\n![[нет.png]]",
        ),
        ("files/a.png", ""),
        ("img/b.jpg", ""),
        ("c.pdf", ""),
        ("d.svg", ""),
        ("svg.md", "![[d.svg]]"),
    ]);
    assert_eq!(problems(&parse_in(&vault, "svg.md")), ["svg.md:1: picture `d.svg` cannot be sent: save it as PNG, JPEG or WebP"]);
    let parsed = parse_in(&vault, "note.md");
    let chunk = &parsed.chunks[0];
    assert_eq!(chunk.images, ["files/a.png", "img/b.jpg"]);
    assert_eq!(parsed.images, ["files/a.png", "img/b.jpg"]);
    assert_eq!(chunk.body.plain(), "📎 c.pdf › 3 https://x.y/z.png");
    assert!(chunk.text.contains("Схема питания") && chunk.text.contains("разъём"));
    assert_eq!(problems(&parsed), ["note.md:3: picture `нет.png` does not exist"]);
}

#[test]
fn tags_ids_and_invisible_characters() {
    let parsed = parse(
        "---\ntags: [Трекер, \"#b\"]\n---\nтекст #монтаж/кабель и #123 ^block-1\n\n#только #метки\n\nне\u{200b}ви\u{202e}димо `#код`",
    );
    assert_eq!(parsed.meta.tags, ["трекер", "b", "монтаж/кабель", "только", "метки"]);
    assert_eq!(parsed.chunks[0].body.plain(), "текст #монтаж/кабель и #123\n\nневидимо #код");
}

#[test]
fn front_matter() {
    let parsed = parse(
        "---\ntype: procedure\ntitle: 'Имя'\naliases: один\ndevices: [FMB920, 130]\nvisibility: public\nlang: kk-KZ\nduration: 45\nunknown: [x]\n---\n1. шаг",
    );
    let meta = &parsed.meta;
    assert_eq!((meta.title.as_str(), meta.duration, meta.locale.code(), meta.visibility.code()), ("Имя", Some(45), "kk", "public"));
    assert_eq!(
        (meta.aliases.as_slice(), meta.devices.as_slice()),
        (&["один".to_owned()][..], &["FMB920".to_owned(), "130".to_owned()][..])
    );
    let wrong = parse("---\nvisibility: pubic\nlang: xx\nduration: час\n---\nт");
    assert_eq!(
        problems(&wrong),
        [
            "note.md:2: visibility `pubic` is not public, staff or draft; taken as staff",
            "note.md:3: lang `xx` is not ru, kk or en; taken as ru",
            "note.md:4: duration `час` is not a number of minutes; ignored",
        ]
    );
    assert_eq!(wrong.meta.visibility.code(), "staff");
}

#[test]
fn broken_yaml_is_text() {
    let parsed = parse("---\ntitle: [не закрыт\nдальше: \"x\n---\n# A\nтекст");
    assert!(parsed.problems[0].what.starts_with("front matter is not valid YAML"), "{:?}", parsed.problems);
    assert!(parsed.chunks[0].text.contains("не закрыт"));
    assert_eq!(parsed.meta.title, "note");
    assert_eq!((parsed.chunks[0].start_line, parsed.chunks[0].end_line), (1, 6));
    assert_eq!(parse("---\nне закрыто").chunks[0].text, "не закрыто");
}

#[test]
fn canvases_are_notes() {
    let canvas = r##"{
	"nodes":[
		{"id":"g","type":"group","x":0,"y":300,"width":500,"height":300,"label":"Питание"},
		{"id":"b","type":"text","x":20,"y":320,"width":100,"height":50,"text":"# Плюс\n\nКрасный провод %%тайна%% [[Масса]]"},
		{"id":"a","type":"text","x":20,"y":0,"width":100,"height":50,"text":"Сверху"},
		{"id":"f","type":"file","x":200,"y":0,"width":100,"height":50,"file":"Масса.md","subpath":"#Точка"},
		{"id":"p","type":"file","x":300,"y":0,"width":100,"height":50,"file":"img/p.png"},
		{"id":"l","type":"link","x":400,"y":0,"width":100,"height":50,"url":"https://example.com/a"}
	],
	"edges":[{"id":"e","fromNode":"a","toNode":"b","label":"потом"}]
}"##;
    let files =
        [("Схема.canvas", canvas), ("Масса.md", "# Точка\nкузов"), ("img/p.png", ""), ("плохой.canvas", "{"), ("пустой.canvas", "")];
    let vault = vault(&files);
    let parsed = parse_in(&vault, "Схема.canvas");
    assert_eq!(parsed.meta.title, "Схема");
    assert_eq!(problems(&parsed), Vec::<String>::new());
    // The cards outside of groups are a short opening, so they stand with the first group.
    let chunk = &parsed.chunks[0];
    assert_eq!(parsed.chunks.len(), 1);
    assert_eq!(chunk.body.plain(), "Сверху\n\nМасса › Точка\n\nhttps://example.com/a\n\nПлюс\n\nКрасный провод  Масса\n\nпотом");
    assert_eq!((chunk.headings.as_slice(), chunk.start_line, chunk.end_line), (&["Питание".to_owned()][..], 4, 10));
    assert_eq!(
        (chunk.images.as_slice(), chunk.links.as_slice()),
        (&["img/p.png".to_owned()][..], &["Масса.md#Точка".to_owned(), "Масса.md".to_owned()][..])
    );
    assert_eq!(parsed.links, ["Масса.md"]);
    assert!(problems(&parse_in(&vault, "плохой.canvas"))[0].contains("not valid JSON"));
    assert!(parse_in(&vault, "пустой.canvas").chunks.is_empty());
    // It is linked to by its whole name, and embedded like any note.
    let other = crate::vault(&[("Схема.canvas", canvas), ("n.md", "[[Схема.canvas]] [[Схема]]")]);
    assert_eq!(problems(&parse_in(&other, "n.md")), ["n.md:1: link to `Схема`: no such note"]);
}

#[test]
fn passages_know_where_they_lead() {
    let vault = vault(&[
        (
            "a/n.md",
            "# Раз\n[[Цель#Глава|слово]] ![[m.pdf#page=3]] [x](../%D0%A6%D0%B5%D0%BB%D1%8C.md) [y](b.md#^id)\n\n# Два\n[сайт](https://e.com) [[нет]]",
        ),
        ("Цель.md", "# Глава"),
        ("a/b.md", "слова ^id"),
        ("files/m.pdf", ""),
    ]);
    let parsed = parse_in(&vault, "a/n.md");
    assert_eq!(parsed.chunks[0].links, ["Цель.md#Глава", "files/m.pdf#page=3", "Цель.md", "a/b.md#^id"]);
    assert!(parsed.chunks[1].links.is_empty());
    assert_eq!(problems(&parsed), ["a/n.md:5: link to `нет`: no such note"]);
    assert_eq!((parsed.targets, parsed.unresolved.as_slice()), (5, &["нет".to_owned()][..]));
}

#[test]
fn drawings_keep_their_words() {
    let files = [(
        "d.excalidraw.md",
        "---\nexcalidraw-plugin: parsed\n---\n# Text Elements\nКлемма 30 ^abc\n\n%%\n# Drawing\n```json\n{\"x\":1}\n```\n%%",
    )];
    let parsed = parse_in(&vault(&files), "d.excalidraw.md");
    assert_eq!(parsed.chunks[0].text, "Клемма 30");
    assert!(parsed.problems.is_empty());
    let whole = "---\nexcalidraw-plugin: parsed\n---\n==⚠ Switch to EXCALIDRAW VIEW ⚠==\n\n# Excalidraw Data\n\n## Text Elements\nРеле ^a\n\nМасса ^b\n\n## Embedded Files\nff: [[x.png]]\n\n%%\n## Drawing\n```compressed-json\nN4\n```\n%%";
    let parsed = parse(whole);
    assert_eq!(parsed.chunks.iter().map(|chunk| chunk.body.plain()).collect::<Vec<_>>(), ["Реле\n\nМасса"]);
    assert_eq!(parsed.chunks[0].start_line, 9);
}
