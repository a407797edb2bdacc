//! Writes a vault for measuring: `cargo run -p fitter-retrieval --example vault -- DIR 10000`.
//!
//! Every note has front matter, four sections, links, a list, a table and a callout; every twentieth is a procedure, every thirtieth embeds
//! another. The same number gives the same vault.

use std::fmt::Write as _;
use std::path::Path;

const WORDS: [&str; 40] = [
    "трекер",
    "питание",
    "датчик",
    "топливо",
    "антенна",
    "кабель",
    "разъём",
    "масса",
    "предохранитель",
    "реле",
    "замок",
    "зажигание",
    "корпус",
    "герметик",
    "сигнал",
    "спутник",
    "сервер",
    "прошивка",
    "порт",
    "команда",
    "напряжение",
    "ток",
    "провод",
    "красный",
    "чёрный",
    "клемма",
    "панель",
    "крепление",
    "хомут",
    "проверка",
    "калибровка",
    "бак",
    "уровень",
    "фильтр",
    "обрыв",
    "помеха",
    "модем",
    "карта",
    "оператор",
    "журнал",
];

/// A small generator of numbers that look random: the vault has to be the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % limit as u64).unwrap_or(0)
    }

    fn sentence(&mut self, length: usize) -> String {
        let words: Vec<&str> = (0..length).map(|_| WORDS.get(self.below(WORDS.len())).copied().unwrap_or_default()).collect();
        format!("{} {}.", words.join(" "), self.below(100_000))
    }
}

fn note(number: usize, count: usize, dice: &mut Dice) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let procedure = number.is_multiple_of(20);
    let kind = if procedure { "procedure" } else { "note" };
    writeln!(text, "---\ntype: {kind}\naliases: [псевдоним {number}]\ntags: [раздел/{}]\n---\n", number % 50)?;
    writeln!(text, "{}\n", dice.sentence(20))?;
    if procedure {
        for step in 1..=6 {
            writeln!(text, "{step}. **Шаг {}** {}\n", dice.sentence(3), dice.sentence(12))?;
        }
        return Ok(text);
    }
    for section in 1..=4 {
        writeln!(text, "## Раздел {section}: {}\n", dice.sentence(3))?;
        writeln!(text, "{} [[Заметка {}]] {}\n", dice.sentence(25), dice.below(count), dice.sentence(25))?;
        writeln!(text, "- {}\n- {}\n", dice.sentence(8), dice.sentence(8))?;
    }
    writeln!(text, "| код | что |\n|---|---|\n| E{} | {} |\n", dice.below(1000), dice.sentence(4))?;
    writeln!(text, "> [!warning] {}\n> {}\n", dice.sentence(2), dice.sentence(10))?;
    if number.is_multiple_of(30) {
        writeln!(text, "![[Заметка {}#Раздел 1]]\n", dice.below(count))?;
    }
    Ok(text)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, count] = args.as_slice() else { return Err("usage: vault DIR COUNT".into()) };
    let count: usize = count.parse()?;
    let mut dice = Dice(1);
    for number in 0..count {
        let folder = Path::new(dir).join(format!("Папка {}", number % 100));
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("Заметка {number}.md")), note(number, count, &mut dice)?)?;
    }
    Ok(())
}
