//! Search: forms of words, three languages, typos, codes, jargon, rights, changes.

use fitter_domain::Locale;
use fitter_retrieval::glossary::Glossary;
use fitter_retrieval::index::{LexicalIndex, NoteEntry, TantivyIndex, Version};
use fitter_retrieval::links::LinkIndex;
use fitter_retrieval::local::{self, LocalSearch};
use fitter_retrieval::meta::Visibility;
use fitter_retrieval::note;
use fitter_retrieval::search::{Filter, Question};

fn fixtures() -> LocalSearch {
    local::search_vault(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/vault"))).unwrap()
}

#[test]
fn a_note_that_answers_by_keyword_comes_first_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let policy = "---\nanswer: [гарантия на трекер, рабочее время]\n---\n\nРаботаем с девяти до шести.\n";
    std::fs::write(folder.path().join("Распорядок.md"), policy).unwrap();
    std::fs::write(folder.path().join("Время.md"), "# Рабочее время трекера\n\nРабочее время от батареи — 8 часов.\n").unwrap();
    std::fs::write(folder.path().join("Тайна.md"), "---\nvisibility: draft\nanswer: рабочее время трекера\n---\n\nТайна.\n").unwrap();
    let search = local::search_vault(folder.path()).unwrap();
    let hits = search.answer("какое рабочее время у трекера?", &Filter::staff(5)).unwrap();
    assert_eq!(hits.iter().map(|hit| (hit.note.as_str(), hit.fixed)).collect::<Vec<_>>(), [("Распорядок.md", true), ("Время.md", false)]);
    assert_eq!(fitter_domain::passage::first_message(&hits).count(), 1, "it answers alone");
    let none = search.answer("время полёта", &Filter::staff(5)).unwrap();
    assert!(none.iter().all(|hit| !hit.fixed), "{none:?}");
}

#[test]
fn questions_find_their_passages() {
    let search = fixtures();
    assert_eq!(search.import.problems, []);
    let cases = [
        ("как подключать трекер к питанию", "Монтаж.md", "Питание"),
        ("где ставить антенну", "Монтаж.md", "Антенна"),
        ("не ловит спутники", "Неисправности.md", "Нет координат"),
        ("трекер не выходит на связь", "Неисправности.md", "Нет связи"),
        ("прошивкой обновить", "Настройка.md", "Обновление прошивки"),
        ("P0420", "Неисправности.md", "Коды ошибок"),
        ("ошибка р0420", "Неисправности.md", "Коды ошибок"),
        ("rs 485 датчик топлива", "Датчики.md", "Подключение по RS-485"),
        ("RS485", "Датчики.md", "Подключение по RS-485"),
        ("фмб920", "Настройка.md", "Обновление прошивки"),
        ("антена", "Монтаж.md", "Антенна"),
        ("fynt́yyf", "Монтаж.md", "Антенна"),
        ("ghjibdrf", "Настройка.md", "Обновление прошивки"),
        ("датчикті қалай калибрлеу керек", "kk/Датчик.md", "Калибрлеу"),
        ("how do I calibrate the fuel probe", "en/Probe.md", "Calibration"),
        ("поменять мак", "Настройка.md", "Сетевой адрес"),
        ("веб морда пароль", "Настройка.md", "Вход"),
        ("fw_setenv", "Настройка.md", "Сетевой адрес"),
    ];
    let mut wrong = Vec::new();
    for (question, note, heading) in cases {
        let found = search.find(question, &Filter::staff(5)).unwrap();
        let first = found.first().map(|hit| (hit.note.as_str(), hit.heading.rsplit(" › ").next().unwrap_or_default().to_owned()));
        if first != Some((note, heading.to_owned())) {
            wrong.push(format!("{question}: {first:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn questions_without_an_answer_are_told_from_others() {
    let search = fixtures();
    let answered = |question: &str| search.searcher().ask(question, &Filter::staff(5)).unwrap().answered;
    for question in ["где ставить антенну", "трекер не выходит на связь", "датчик топлива RS-485"]
    {
        assert!(answered(question), "{question}");
    }
    for question in ["сколько стоит доставка в Астану", "рецепт борща"] {
        assert!(!answered(question), "{question}");
    }
    assert!(!answered("как это не"), "a question of stop words is no fault");
    assert!(search.find("", &Filter::staff(5)).unwrap().is_empty());
    assert!(search.find("+++ \"( :* ~ [", &Filter::staff(5)).unwrap().is_empty());
    assert!(search.find("антенна AND (NOT title:\"x", &Filter::staff(5)).is_ok());
}

#[test]
fn rights_and_language() {
    let search = fixtures();
    let notes = |filter: &Filter| search.find("прайс скидка", filter).unwrap().into_iter().map(|hit| hit.note).collect::<Vec<_>>();
    assert!(notes(&Filter::staff(10)).iter().all(|note| note != "Черновик.md"));
    let draft = Filter { visible: vec![Visibility::Draft], prefer: None, limit: 10 };
    assert_eq!(notes(&draft), ["Черновик.md"]);
    let public = search.find("трекер питание антенна", &Filter::public(10)).unwrap();
    assert!(!public.is_empty() && public.iter().all(|hit| hit.note == "Монтаж.md"), "{public:?}");
    let prefer = |locale| Filter { prefer: Some(locale), ..Filter::staff(5) };
    let first = |locale| search.find("LLS 5", &prefer(locale)).unwrap()[0].note.clone();
    assert_eq!((first(Locale::En), first(Locale::Kk)), ("en/Probe.md".to_owned(), "kk/Датчик.md".to_owned()));
}

fn entry(path: &str, text: &str) -> NoteEntry {
    let vault = crate::vault(&[(path, text)]);
    NoteEntry::from(&note::parse(path, text.as_bytes(), &LinkIndex::new(&vault)))
}

fn found(index: &TantivyIndex, question: &str) -> Vec<String> {
    let question = Question::new(question, &Glossary::default());
    index.search(&question, &Filter::staff(10)).unwrap().into_iter().map(|hit| hit.note).collect()
}

#[test]
fn notes_are_added_replaced_and_removed() {
    let index = TantivyIndex::in_memory().unwrap();
    index.update("1", &[], &[entry("a.md", "# A\nклемма\n# B\nреле"), entry("b.md", "клемма")]).unwrap();
    assert_eq!((index.len(), index.version()), (3, Version::current("1")));
    assert_eq!(found(&index, "клеммы").len(), 2);
    index.update("2", &["b.md".to_owned()], &[entry("a.md", "антенна")]).unwrap();
    assert_eq!((index.len(), index.version()), (1, Version::current("2")));
    assert!(found(&index, "клеммы").is_empty());
    assert_eq!(found(&index, "антенной"), ["a.md"]);
}

/// A vault in a folder, searched.
fn searched(files: &[(&str, &str)]) -> (tempfile::TempDir, LocalSearch) {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        std::fs::write(dir.path().join(path), text).unwrap();
    }
    let search = local::search_vault(dir.path()).unwrap();
    (dir, search)
}

fn first(search: &LocalSearch, question: &str) -> (String, String) {
    let found = search.find(question, &Filter::staff(5)).unwrap();
    found.first().map(|hit| (hit.note.clone(), hit.heading.clone())).unwrap_or_default()
}

#[test]
fn a_section_goes_before_the_short_opening_of_its_note() {
    // Two headings of one level: the opening is not joined to the section below it.
    let text = "---\ntitle: Самосвал\n---\n# Самосвал\nСамосвал: коротко о машине.\n# Питание\nПлюс берём с блока предохранителей самосвала, длинный рассказ о проводах, клеммах, колодках и местах, где их искать.";
    let (_dir, search) = searched(&[("a.md", text), ("b.md", "Погрузчик и плюс на нём.")]);
    assert_eq!(first(&search, "самосвал"), ("a.md".to_owned(), "Питание".to_owned()));
    assert_eq!(first(&search, "самосвал коротко о машине").1, "Самосвал", "what only the opening says is answered by it");
}

#[test]
fn a_procedure_is_found_as_a_whole_by_its_name_and_by_a_step_for_a_step() {
    let steps = "---\ntype: procedure\ntitle: Монтаж маяка\n---\nСтавим маяк.\n\n1. **Снимите обшивку.** Отвёрткой, восемь винтов.\n\n   > [!check] text: Номер\n   > example: 12345\n\n2. **Заклейте герметиком.** Сушим час.\n";
    let (_dir, search) = searched(&[("p.md", steps), ("n.md", "# Разное\nПро маяк и про винты тоже.")]);
    let found = search.find("монтаж маяка", &Filter::staff(5)).unwrap();
    assert_eq!(found[0].text, "Ставим маяк.\n\n1. Снимите обшивку\n2. Заклейте герметиком");
    let found = search.find("сколько винтов у обшивки", &Filter::staff(5)).unwrap();
    assert!(found[0].text.contains("восемь винтов"), "{found:?}");
    assert!(found.iter().all(|hit| !hit.text.contains("12345")), "an example is no knowledge");
}

#[test]
fn names_of_one_thing_find_each_other() {
    let glossary = "---\ntype: glossary\n---\n- **Зонд** (палка, щуп): трубка в баке.\n- **Прозвонить**: проверить провод на целость.\n";
    let (_dir, search) = searched(&[
        ("g.md", glossary),
        ("n.md", "# Длина\nЗонд короче бака."),
        ("m.md", "# Провод\nПроверить целость провода мультиметром."),
    ]);
    let terms = &search.notes()["g.md"].terms;
    assert!(terms.contains(&("палка".to_owned(), "щуп".to_owned())) && terms.contains(&("щуп".to_owned(), "Зонд".to_owned())), "{terms:?}");
    assert_eq!(first(&search, "какой длины палка").0, "n.md");
    assert_eq!(first(&search, "чем прозвонить провод").0, "m.md");
}

#[test]
fn what_is_no_question_is_refused_with_the_nearest_passages() {
    let search = fixtures();
    let ask = |question: &str| search.searcher().ask(question, &Filter::staff(5)).unwrap();
    for question in ["да", "спасибо", "как это не", "ывапр", ""] {
        assert!(!ask(question).answered, "{question}");
    }
    let answer = ask("ставить антенну");
    assert!(answer.answered && !answer.hits.is_empty());
    let refused = ask("не видел ли кто антенну моего соседа с третьего этажа вчера");
    assert!(!refused.answered && !refused.hits.is_empty(), "{refused:?}");
}

#[test]
fn the_letters_of_a_question_tell_its_language() {
    let (_dir, search) = searched(&[
        ("ru.md", "---\nlang: ru\n---\nLLS 5 RS485"),
        ("en.md", "---\nlang: en\n---\nLLS 5 RS485"),
        ("kk.md", "---\nlang: kk\n---\nLLS 5 RS485"),
    ]);
    let asked = |question: &str| {
        search.searcher().search(question, &Filter { prefer: Some(Locale::Ru), ..Filter::staff(3) }).unwrap()[0].note.clone()
    };
    assert_eq!(asked("LLS 5"), "ru.md", "names have no language: the asker's");
    assert_eq!(asked("what is LLS 5"), "en.md");
    assert_eq!(asked("LLS 5 қайда"), "kk.md");
}

#[test]
fn what_a_passage_begins_with_and_words_side_by_side_come_first() {
    let dir = tempfile::tempdir().unwrap();
    let section = |heading: &str, text: &str| format!("## {heading}\n\n{text}\n\n");
    let note = [
        section("Первое", "Когда меняют предохранитель, провод питания лежит рядом, а блок висит отдельно от него весь день."),
        section("Второе", "Провод и предохранитель: блок держит провод, а блок питания лежит отдельно. Рядом висит замок."),
        section("Третье", "Рядом лежит замок, отдельно висит провод, весь день держит предохранитель. Терминал виден."),
        section("Четвёртое", "Терминал висит рядом, весь день отдельно держит провод. Предохранитель лежит, замок виден."),
    ];
    std::fs::write(dir.path().join("Заметка.md"), note.concat()).unwrap();
    let search = local::search_vault(dir.path()).unwrap();
    let first = |question: &str| search.find(question, &Filter::staff(5)).unwrap()[0].heading.clone();
    assert_eq!(first("блок питания"), "Второе");
    assert_eq!(first("терминал"), "Четвёртое");
}
