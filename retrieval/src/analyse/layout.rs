//! Wrong keyboard layout, transliteration and look-alike letters.

/// Keys of a Russian keyboard (ЙЦУКЕН) and of a Latin one (QWERTY) in the same places.
const KEYS: [(char, char); 33] = [
    ('й', 'q'),
    ('ц', 'w'),
    ('у', 'e'),
    ('к', 'r'),
    ('е', 't'),
    ('н', 'y'),
    ('г', 'u'),
    ('ш', 'i'),
    ('щ', 'o'),
    ('з', 'p'),
    ('х', '['),
    ('ъ', ']'),
    ('ф', 'a'),
    ('ы', 's'),
    ('в', 'd'),
    ('а', 'f'),
    ('п', 'g'),
    ('р', 'h'),
    ('о', 'j'),
    ('л', 'k'),
    ('д', 'l'),
    ('ж', ';'),
    ('э', '\''),
    ('я', 'z'),
    ('ч', 'x'),
    ('с', 'c'),
    ('м', 'v'),
    ('и', 'b'),
    ('т', 'n'),
    ('ь', 'm'),
    ('б', ','),
    ('ю', '.'),
    ('ё', '`'),
];

/// What was meant if the other keyboard layout was on: `ghbdtn` is `привет`. `None` when nothing changes or a key has no counterpart.
#[must_use]
pub fn other_layout(word: &str) -> Option<String> {
    let latin = word.chars().any(|c| c.is_ascii_alphabetic());
    let cyrillic = word.chars().any(|c| KEYS.iter().any(|(key, _)| *key == c));
    if latin == cyrillic {
        return None;
    }
    word.chars()
        .map(|c| match c {
            c if c.is_ascii_digit() => Some(c),
            c if latin => KEYS.iter().find(|(_, key)| *key == c).map(|(letter, _)| *letter),
            c => KEYS.iter().find(|(key, _)| *key == c).map(|(_, letter)| *letter),
        })
        .collect()
}

/// A word in Latin letters as it sounds: `фмб920` is `fmb920`. `None` when nothing changes.
#[must_use]
pub fn transliterated(word: &str) -> Option<String> {
    const LETTERS: [(char, &str); 32] = [
        ('а', "a"),
        ('б', "b"),
        ('в', "v"),
        ('г', "g"),
        ('д', "d"),
        ('е', "e"),
        ('ж', "zh"),
        ('з', "z"),
        ('и', "i"),
        ('й', "y"),
        ('к', "k"),
        ('л', "l"),
        ('м', "m"),
        ('н', "n"),
        ('о', "o"),
        ('п', "p"),
        ('р', "r"),
        ('с', "s"),
        ('т', "t"),
        ('у', "u"),
        ('ф', "f"),
        ('х', "h"),
        ('ц', "c"),
        ('ч', "ch"),
        ('ш', "sh"),
        ('щ', "sch"),
        ('ъ', ""),
        ('ы', "y"),
        ('ь', ""),
        ('э', "e"),
        ('ю', "yu"),
        ('я', "ya"),
    ];
    let mut changed = false;
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        match LETTERS.iter().find(|(letter, _)| *letter == c) {
            Some((_, latin)) => {
                changed = true;
                out.push_str(latin);
            }
            None => out.push(c),
        }
    }
    changed.then_some(out)
}

/// The Latin letter that looks like this small Cyrillic one when capital: both are typed in part codes.
pub(super) fn look_alike(c: char) -> char {
    match c {
        'а' => 'a',
        'в' => 'b',
        'е' => 'e',
        'к' => 'k',
        'м' => 'm',
        'н' => 'h',
        'о' => 'o',
        'р' => 'p',
        'с' => 'c',
        'т' => 't',
        'у' => 'y',
        'х' => 'x',
        'і' => 'i',
        other => other,
    }
}
