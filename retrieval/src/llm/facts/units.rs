//! Units of measurement, each under one name however it is written.

/// Units by their name here, with the ways in which people write them. Letters of two alphabets that look alike are both there. What is written
/// exactly so comes first: `мА` is not `МА`.
const UNITS: [(&str, &[&str]); 41] = [
    ("A", &["А", "A", "амп", "amp", "amps"]),
    ("mA", &["мА", "mA", "ма", "ma"]),
    ("Ah", &["Ач", "Ah", "ач", "ah"]),
    ("V", &["В", "V", "v", "вольт", "volt", "volts"]),
    ("mV", &["мВ", "mV"]),
    ("kV", &["кВ", "kV", "кв"]),
    ("W", &["Вт", "W", "вт", "ватт", "watt", "watts"]),
    ("kW", &["кВт", "kW", "квт"]),
    ("ohm", &["Ом", "Ω", "ом", "ohm", "ohms"]),
    ("kohm", &["кОм", "kΩ", "kOhm", "ком"]),
    ("Mohm", &["МОм", "MΩ"]),
    ("nF", &["нФ", "nF"]),
    ("uF", &["мкФ", "μF", "uF"]),
    ("Hz", &["Гц", "Hz", "гц", "hz", "герц"]),
    ("kHz", &["кГц", "kHz"]),
    ("MHz", &["МГц", "MHz"]),
    ("GHz", &["ГГц", "GHz"]),
    ("kbit", &["кбит/с", "kbps", "кбит", "kbit/s"]),
    ("Mbit", &["Мбит/с", "Mbps", "Мбит"]),
    ("KB", &["КБ", "KB", "кБ", "kB"]),
    ("MB", &["МБ", "MB"]),
    ("GB", &["ГБ", "GB"]),
    ("dB", &["дБ", "dB", "дбм", "дБм", "dBm"]),
    ("mm", &["мм", "mm"]),
    ("mm2", &["мм2", "mm2", "квмм"]),
    ("cm", &["см", "cm"]),
    ("m", &["м", "m"]),
    ("km", &["км", "km"]),
    ("kmh", &["км/ч", "km/h", "kmh", "км/сағ"]),
    ("s", &["с", "s", "сек", "sec"]),
    ("ms", &["мс", "ms"]),
    ("min", &["мин", "min"]),
    ("h", &["ч", "h"]),
    ("g", &["г", "g", "гр"]),
    ("kg", &["кг", "kg"]),
    ("l", &["л", "l", "L"]),
    ("ml", &["мл", "ml"]),
    ("Nm", &["Нм", "Nm", "нм"]),
    ("bar", &["бар", "bar", "атм", "кгс/см2", "кг/см2"]),
    ("deg", &["°", "°C", "°С", "C°", "℃", "град"]),
    ("%", &["%"]),
];

/// Beginnings of words for units, folded.
const WORDS: [(&str, &str); 42] = [
    ("миллиампер", "mA"),
    ("ампер", "A"),
    ("milliamp", "mA"),
    ("киловольт", "kV"),
    ("вольт", "V"),
    ("киловатт", "kW"),
    ("ватт", "W"),
    ("килоом", "kohm"),
    ("мегаом", "Mohm"),
    ("килогерц", "kHz"),
    ("мегагерц", "MHz"),
    ("килобайт", "KB"),
    ("мегабайт", "MB"),
    ("гигабайт", "GB"),
    ("децибел", "dB"),
    ("миллиметр", "mm"),
    ("millimet", "mm"),
    ("сантиметр", "cm"),
    ("centimet", "cm"),
    ("километр", "km"),
    ("метр", "m"),
    ("meter", "m"),
    ("metre", "m"),
    ("миллисекунд", "ms"),
    ("секунд", "s"),
    ("second", "s"),
    ("минут", "min"),
    ("minute", "min"),
    ("час", "h"),
    ("сагат", "h"),
    ("сағат", "h"),
    ("hour", "h"),
    ("килограмм", "kg"),
    ("грамм", "g"),
    ("миллилитр", "ml"),
    ("литр", "l"),
    ("liter", "l"),
    ("ньютон", "Nm"),
    ("градус", "deg"),
    ("degree", "deg"),
    ("процент", "%"),
    ("percent", "%"),
];

/// The name of a unit that is written so: a run of letters and of `°%/`, as it stands.
pub(super) fn unit(written: &str) -> Option<&'static str> {
    let written: String = written.chars().filter(|c| !matches!(c, '·' | '⋅' | '*' | '.')).collect();
    let exact = UNITS.iter().find(|(_, ways)| ways.contains(&written.as_str()));
    if let Some((name, _)) = exact {
        return Some(name);
    }
    let folded = crate::analyse::fold(&written);
    WORDS.iter().find(|(beginning, _)| folded.starts_with(beginning)).map(|(_, name)| *name)
}

/// As [`unit`], of what stands right behind the digits: whole words are not glued to them.
pub(super) fn glued(written: &str) -> Option<&'static str> {
    UNITS.iter().find(|(_, ways)| ways.contains(&written)).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_have_one_name() {
        for (written, name) in [
            ("А", "A"),
            ("A", "A"),
            ("мА", "mA"),
            ("ампера", "A"),
            ("Н·м", "Nm"),
            ("км/ч", "kmh"),
            ("°C", "deg"),
            ("градусов", "deg"),
            ("минуты", "min"),
            ("сағатқа", "h"),
            ("millimetres", "mm"),
            ("мм2", "mm2"),
        ] {
            assert_eq!(unit(written), Some(name), "{written}");
        }
        for other in ["а", "в", "провода", "FMB", ""] {
            assert_eq!(unit(other), None, "{other}");
        }
        assert_eq!((glued("В"), glued("вольта")), (Some("V"), None));
    }
}
