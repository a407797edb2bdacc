//! Number plates and VINs as people type them: checked and normalised.

use serde::{Deserialize, Serialize};

/// A number that names a vehicle, normalised: Latin capitals and digits, no spaces.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "number", rename_all = "lowercase")]
pub enum VehicleNumber {
    /// A number plate.
    Plate(String),
    /// A vehicle identification number (ISO 3779).
    Vin(String),
}

/// What is wrong with a typed number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// 17 characters, but with I, O or Q, which no VIN has.
    #[error("a VIN has no letters I, O and Q")]
    VinLetters,
    /// Neither a plate nor a VIN.
    #[error("neither a plate nor a VIN")]
    Unrecognised,
}

impl VehicleNumber {
    /// Reads a plate or a VIN. Cyrillic look-alikes become Latin; spaces, dashes and a trailing `RUS` or `KZ` mark are dropped.
    ///
    /// # Errors
    /// [`NumberError`] when it can be neither.
    pub fn parse(typed: &str) -> Result<Self, NumberError> {
        let number: String = typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '|' | '_' | '/')).map(latin).collect();
        if !number.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(NumberError::Unrecognised);
        }
        if number.len() == 17 {
            return if number.contains(['I', 'O', 'Q']) { Err(NumberError::VinLetters) } else { Ok(Self::Vin(number)) };
        }
        let bare = ["RUS", "KZ", "RU"].iter().find_map(|mark| number.strip_suffix(mark)).filter(|bare| country(bare).is_some());
        let number = bare.map_or(number.clone(), str::to_owned);
        if country(&number).is_some() || looks_like_a_plate(&number) { Ok(Self::Plate(number)) } else { Err(NumberError::Unrecognised) }
    }

    /// The normalised number.
    #[must_use]
    pub fn number(&self) -> &str {
        match self {
            Self::Plate(number) | Self::Vin(number) => number,
        }
    }

    /// `plate` or `vin`, as in the database.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Plate(_) => "plate",
            Self::Vin(_) => "vin",
        }
    }

    /// Builds it back from [`VehicleNumber::kind`] and [`VehicleNumber::number`].
    #[must_use]
    pub fn from_parts(kind: &str, number: String) -> Self {
        if kind == "vin" { Self::Vin(number) } else { Self::Plate(number) }
    }

    /// The number with spaces between its groups, easier to compare with a plate: `123 ABC 02`.
    #[must_use]
    pub fn spaced(&self) -> String {
        match self {
            Self::Vin(number) => number.clone(),
            Self::Plate(number) => {
                let mut out = String::with_capacity(number.len() + 4);
                let mut last: Option<char> = None;
                for c in number.chars() {
                    if last.is_some_and(|last| last.is_ascii_digit() != c.is_ascii_digit()) {
                        out.push(' ');
                    }
                    out.push(c);
                    last = Some(c);
                }
                out
            }
        }
    }

    /// Whether a VIN's check digit (position 9, ISO 3779 / 49 CFR 565.15) fits; `None` for a plate.
    ///
    /// Advisory: many European and Russian VINs do not carry one.
    #[must_use]
    pub fn check_digit_fits(&self) -> Option<bool> {
        let Self::Vin(vin) = self else { return None };
        const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
        let sum: u32 = vin.chars().zip(WEIGHTS).map(|(c, weight)| transliterate(c) * weight).sum();
        let expected = match sum % 11 {
            10 => 'X',
            digit => char::from_digit(digit, 10).unwrap_or('0'),
        };
        Some(vin.chars().nth(8) == Some(expected))
    }
}

impl std::fmt::Display for VehicleNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.spaced())
    }
}

/// Value of a VIN character (49 CFR 565.15, table III).
fn transliterate(c: char) -> u32 {
    match c {
        '0'..='9' => c.to_digit(10).unwrap_or(0),
        'A' | 'J' => 1,
        'B' | 'K' | 'S' => 2,
        'C' | 'L' | 'T' => 3,
        'D' | 'M' | 'U' => 4,
        'E' | 'N' | 'V' => 5,
        'F' | 'W' => 6,
        'G' | 'P' | 'X' => 7,
        'H' | 'Y' => 8,
        'R' | 'Z' => 9,
        _ => 0,
    }
}

/// Cyrillic letters that plates share with Latin ones (GOST R 50577), and capitals.
fn latin(c: char) -> char {
    match c.to_uppercase().next().unwrap_or(c) {
        'А' => 'A',
        'В' => 'B',
        'Е' | 'Ё' => 'E',
        'К' => 'K',
        'М' => 'M',
        'Н' => 'H',
        'О' => 'O',
        'Р' => 'P',
        'С' => 'C',
        'Т' => 'T',
        'У' => 'Y',
        'Х' => 'X',
        'І' => 'I',
        other => other,
    }
}

/// Shapes of the plates met in the field, `L` a letter and `N` a digit (GOST R 50577-2018, ST RK 986 and the neighbours' standards).
const SHAPES: [(&str, &str); 17] = [
    ("ru", "LNNNLLNN"),
    ("ru", "LNNNLLNNN"),
    ("ru", "LLNNNNN"),
    ("ru", "LLNNNNNN"),
    ("ru", "LLNNNNNNN"),
    ("ru", "NNNNLLNN"),
    ("ru", "LNNNNNN"),
    ("kz", "NNNLLLNN"),
    ("kz", "NNNLLNN"),
    ("kz", "LNNNLLL"),
    ("kz", "LNNNLL"),
    ("kg", "NNNNNLLL"),
    ("kg", "NNNNNLL"),
    ("by", "NNNNLLN"),
    ("uz", "NNLNNNLL"),
    ("ua", "LLNNNNLL"),
    ("kg", "LNNNNL"),
];

/// The country whose plates have this shape, by ISO code; the first of several.
#[must_use]
pub fn country(number: &str) -> Option<&'static str> {
    let shape: String = number.chars().map(|c| if c.is_ascii_digit() { 'N' } else { 'L' }).collect();
    SHAPES.iter().find(|(_, known)| *known == shape).map(|(country, _)| *country)
}

/// A plate of some other country: 4 to 10 characters with a digit among them.
fn looks_like_a_plate(number: &str) -> bool {
    (4..=10).contains(&number.len()) && number.chars().any(|c| c.is_ascii_digit()) && number.chars().any(|c| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plate(number: &str) -> Result<VehicleNumber, NumberError> {
        Ok(VehicleNumber::Plate(number.to_owned()))
    }

    #[test]
    fn plates_as_they_are_typed() {
        assert_eq!(VehicleNumber::parse("123 abc 02"), plate("123ABC02"));
        assert_eq!(VehicleNumber::parse("а123вс 77"), plate("A123BC77"));
        assert_eq!(VehicleNumber::parse("А 123 ВС 777 RUS"), plate("A123BC777"));
        assert_eq!(VehicleNumber::parse("123ABC02 KZ"), plate("123ABC02"));
        assert_eq!(VehicleNumber::parse("1234 AB-7"), plate("1234AB7"));
        assert_eq!(VehicleNumber::parse("привет"), Err(NumberError::Unrecognised));
        assert_eq!(VehicleNumber::parse("12"), Err(NumberError::Unrecognised));
        assert_eq!(VehicleNumber::parse("как подключить"), Err(NumberError::Unrecognised));
    }

    #[test]
    fn vins() {
        let vin = VehicleNumber::parse("1m8gdm9a xkp042788").unwrap();
        assert_eq!(vin, VehicleNumber::Vin("1M8GDM9AXKP042788".to_owned()));
        assert_eq!(vin.check_digit_fits(), Some(true));
        let misread = VehicleNumber::parse("1M8GDM9AXKP042789").unwrap();
        assert_eq!(misread.check_digit_fits(), Some(false));
        assert_eq!(VehicleNumber::parse("4TIBI1HKIKU240494"), Err(NumberError::VinLetters));
        assert_eq!(VehicleNumber::parse("123ABC02").unwrap().check_digit_fits(), None);
    }

    #[test]
    fn spaced_for_reading() {
        assert_eq!(VehicleNumber::parse("а123вс777").unwrap().to_string(), "A 123 BC 777");
        assert_eq!(country("123ABC02"), Some("kz"));
        assert_eq!(country("A123BC77"), Some("ru"));
    }
}
