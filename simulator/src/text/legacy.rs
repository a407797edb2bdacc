//! `parse_mode=Markdown`, the old one without nesting.

use super::{Entity, Formatted};

/// Parses the old Markdown. The error is what follows `can't parse entities: `.
pub(crate) fn parse(source: &str) -> Result<Formatted, String> {
    let mut parsed = Formatted::default();
    let (mut at, mut offset) = (0, 0);
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(c) = rest.chars().next() else { break };
        let escaped = rest.chars().nth(1).filter(|next| c == '\\' && "_*`[".contains(*next));
        if !"_*`[".contains(c) || escaped.is_some() {
            let plain = escaped.unwrap_or(c);
            parsed.text.push(plain);
            offset += plain.len_utf16();
            at += c.len_utf8() + escaped.map_or(0, char::len_utf8);
            continue;
        }
        let (mark, end) = match c {
            '`' if rest.starts_with("```") => ("```", "```"),
            '`' => ("`", "`"),
            '_' => ("_", "_"),
            '*' => ("*", "*"),
            _ => ("[", "]"),
        };
        let missing = || format!("Can't find end of the entity starting at byte offset {at}");
        let inner = rest.get(mark.len()..).unwrap_or_default();
        let stop = inner.find(end).ok_or_else(missing)?;
        let label = inner.get(..stop).unwrap_or_default();
        let mut next = at + mark.len() + stop + end.len();
        let label_units = super::units(label);
        let kind = match mark {
            "```" => "pre",
            "`" => "code",
            "_" => "italic",
            "*" => "bold",
            _ => "text_link",
        };
        let mut entity = Entity::new(kind, offset, label_units);
        let mut keep = label_units > 0;
        if mark == "[" {
            let address = source.get(next..).and_then(|rest| rest.strip_prefix('('));
            match address {
                Some(address) => {
                    let stop = address.find(')').ok_or_else(missing)?;
                    keep = keep && super::link(&mut entity, address.get(..stop).unwrap_or_default());
                    next += stop + 2;
                }
                None => keep = false,
            }
        }
        if keep {
            parsed.entities.push(entity);
        }
        parsed.text.push_str(label);
        offset += label_units;
        at = next;
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_markdown_is_read() {
        let parsed = parse("*b* _i_ `c` [l](https://a.kz) \\_x").unwrap();
        assert_eq!(parsed.text, "b i c l _x");
        assert_eq!(parsed.entities.len(), 4);
        assert_eq!(parse("*unclosed").unwrap_err(), "Can't find end of the entity starting at byte offset 0");
    }
}
