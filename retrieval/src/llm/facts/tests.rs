use super::*;

/// Claims of an answer that a passage does not bear out.
fn foreign(passage: &str, answer: &str) -> Vec<Fact> {
    let ground = Ground::new([passage]);
    claims(answer).into_iter().filter(|fact| !ground.bears(fact)).collect()
}

fn stands(passage: &str, answer: &str) {
    assert_eq!(foreign(passage, answer), [], "{answer} | {passage}");
}

fn falls(passage: &str, answer: &str) {
    assert!(!foreign(passage, answer).is_empty(), "{answer} | {passage}");
}

#[test]
fn numbers_and_units() {
    let passage = "Предохранитель 3 А, плавкий; питание 10–32 В, сечение 0,75 мм², момент 1 500 об/мин, от -40 до +85 °C. Ток, мА: 250. Гарантия 24 месяца.";
    for answer in [
        "Предохранитель на 3 А.",
        "3А",
        "3 ампера",
        "3 A",
        "3-А",
        "три ампера",
        "от 10 до 32 В",
        "10 В",
        "0.75 мм2",
        "1500 об/мин",
        "1 500",
        "-40 °C",
        "−40 градусов",
        "до 85°C",
        "250 мА",
        "24 месяца",
        "двадцать четыре месяца",
    ] {
        stands(passage, answer);
    }
    for answer in [
        "5 А",
        "3 В",
        "3 мА",
        "пять ампер",
        "три вольта",
        "13 А",
        "3,5 А",
        "30 А",
        "10 А",
        "0,57 мм²",
        "75 мм2",
        "15 об/мин",
        "1,5 А",
        "40 °C",
        "-85 °C",
        "250 А",
        "25 мА",
        "двадцать пять месяцев",
        "½ А",
        "٣ А",
        "3.0 А",
    ] {
        falls(passage, answer);
    }
}

#[test]
fn separators_of_thousands_and_decimals() {
    stands("Скорость 115 200 бод", "115200");
    stands("Скорость 115200 бод", "115 200");
    stands("The limit is 1,500 mm", "1500 mm");
    stands("Зазор 1,500 мм", "1.500 мм");
    falls("Зазор 1,500 мм", "1500 мм");
    stands("Версия 1.25.3, время 12:30", "В версии 1.25.3 в 12:30");
    falls("Версия 1.25.3, время 12:30", "В версии 1.25.4");
    falls("Версия 1.25.3, время 12:30", "в 12:35");
    stands("Каналы 1 500 и 2 700", "500");
    stands("Лист 10×20 мм", "10x20 мм");
    falls("Лист 10×20 мм", "10×25 мм");
}

#[test]
fn the_numbers_of_a_list_are_its_own() {
    stands("Снимите клемму. Проверьте 3 А.", "1. Снимите клемму.\n2. Проверьте 3 А.\n3) Готово");
    falls("Снимите клемму. Проверьте 3 А.", "Снимите клемму 2 раза");
}

#[test]
fn part_codes() {
    let passage = "Трекер FMB920, шина RS-485, ошибка P0420, параметр fw_setenv, разъём IP67.";
    for answer in ["FMB920", "FМВ920", "RS485", "RS-485", "P0420", "fw_setenv", "IP67", "FMB920-ны тексеріңіз", "Р0420 русскими буквами"]
    {
        stands(passage, answer);
    }
    for answer in ["FMB930", "FMB92O1", "RS-232", "P0421", "fw_getenv", "IP68", "4G"] {
        falls(passage, answer);
    }
}

#[test]
fn names_quotes_and_words() {
    let passage = "В Configurator откройте bootDelay в файле network.conf, запустите `setup --force` и нажмите «Сохранить всё». Путь /etc/init.d/net.";
    for answer in [
        "bootDelay",
        "файл network.conf",
        "`setup --force`",
        "нажмите «Сохранить все»",
        "нажмите \"Сохранить всё\"",
        "Путь /etc/init.d/net",
        "Откройте Configurator",
    ] {
        stands(passage, answer);
    }
    for answer in [
        "bootTime",
        "файл network.cfg",
        "`setup --wipe`",
        "нажмите «Удалить всё»",
        "/etc/init.d/other",
        "Откройте Terminal и ждите",
        "setup --purge",
    ] {
        falls(passage, answer);
    }
}

#[test]
fn menu_paths() {
    let passage = "Откройте Настройки → Мобильная сеть → Точки доступа и нажмите +.";
    for answer in
        ["Настройки → Мобильная сеть → Точки доступа", "Настройки > Мобильная сеть > Точки", "Зайдите в Настройки -> Мобильная сеть"]
    {
        stands(passage, answer);
    }
    for answer in [
        "Настройки → Сеть → Точки доступа",
        "Настройки → Точки доступа",
        "Меню → Мобильная сеть",
        "Мобильная сеть → Настройки",
        "Настройки → Мобильная новая сеть → Точки доступа",
    ] {
        falls(passage, answer);
    }
}

#[test]
fn a_question_lends_words_and_nothing_else() {
    let mut ground = Ground::new(["Предохранитель 3 А."]);
    ground.allow_words("чем заменить 5 А на FMB920 от Teltonika");
    let bears = |answer: &str| claims(answer).iter().all(|fact| ground.bears(fact));
    assert!(bears("Для Teltonika предохранитель 3 А") && !bears("5 А") && !bears("Для FMB920 предохранитель 3 А"));
}
