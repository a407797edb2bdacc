//! Entities that cannot stand together: Telegram does not refuse them, it drops or joins some.
//!
//! The rules are those of `fix_entities` in TDLib, `MessageEntity.cpp`: of two quotes, or of two other whole entities, that share a part
//! the later one goes, so the inner of nested quotes; whatever crosses the edge of a quote goes; styles of one kind that touch are joined.

use super::Entity;

/// Styles, which can be cut and joined.
const STYLES: [&str; 5] = ["bold", "italic", "underline", "strikethrough", "spoiler"];

fn is_style(entity: &Entity) -> bool {
    STYLES.contains(&entity.kind.as_str())
}

fn is_quote(entity: &Entity) -> bool {
    matches!(entity.kind.as_str(), "blockquote" | "expandable_blockquote")
}

fn share(one: &Entity, two: &Entity) -> bool {
    one.offset < two.end() && two.offset < one.end()
}

fn inside(inner: &Entity, outer: &Entity) -> bool {
    outer.offset <= inner.offset && inner.end() <= outer.end()
}

/// Leaves what can stand together, in the order of the text.
pub(crate) fn entities(mut given: Vec<Entity>) -> Vec<Entity> {
    super::check::by_place(&mut given);
    let (styles, others): (Vec<_>, Vec<_>) = given.into_iter().partition(is_style);
    let (quotes, whole): (Vec<_>, Vec<_>) = others.into_iter().partition(is_quote);
    let quotes = without_shared(quotes);
    let mut whole = without_shared(whole);
    whole.retain(|entity| quotes.iter().all(|quote| !share(entity, quote) || inside(entity, quote)));
    let mut kept: Vec<Entity> = quotes.into_iter().chain(whole).chain(joined(styles)).collect();
    super::check::by_place(&mut kept);
    kept
}

/// Drops each one that shares a part with an earlier one.
fn without_shared(entities: Vec<Entity>) -> Vec<Entity> {
    let mut end = 0;
    entities
        .into_iter()
        .filter(|entity| {
            let free = entity.offset >= end;
            if free {
                end = entity.end();
            }
            free
        })
        .collect()
}

/// Joins styles of one kind that touch.
fn joined(styles: Vec<Entity>) -> Vec<Entity> {
    let mut kept: Vec<Entity> = Vec::with_capacity(styles.len());
    for style in styles {
        match kept.iter_mut().rev().find(|before| before.kind == style.kind).filter(|before| before.end() >= style.offset) {
            Some(before) => before.length = before.end().max(style.end()) - before.offset,
            None => kept.push(style),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(given: &[(&str, usize, usize)]) -> Vec<(String, usize, usize)> {
        let given = given.iter().map(|(kind, offset, length)| Entity::new(kind, *offset, *length)).collect();
        entities(given).into_iter().map(|entity| (entity.kind, entity.offset, entity.length)).collect()
    }

    fn list(of: &[(&str, usize, usize)]) -> Vec<(String, usize, usize)> {
        of.iter().map(|(kind, offset, length)| ((*kind).to_owned(), *offset, *length)).collect()
    }

    #[test]
    fn a_quote_in_a_quote_is_dropped() {
        assert_eq!(fixed(&[("blockquote", 0, 10), ("expandable_blockquote", 2, 3)]), list(&[("blockquote", 0, 10)]));
        assert_eq!(fixed(&[("blockquote", 0, 5), ("blockquote", 3, 5)]), list(&[("blockquote", 0, 5)]));
        let beside = [("blockquote", 0, 5), ("blockquote", 5, 5)];
        assert_eq!(fixed(&beside), list(&beside));
    }

    #[test]
    fn whole_entities_do_not_share() {
        assert_eq!(fixed(&[("text_link", 0, 10), ("code", 2, 3)]), list(&[("text_link", 0, 10)]));
        assert_eq!(fixed(&[("blockquote", 0, 5), ("code", 3, 5)]), list(&[("blockquote", 0, 5)]), "it crosses the edge");
        let within = [("blockquote", 0, 5), ("code", 3, 2)];
        assert_eq!(fixed(&within), list(&within));
    }

    #[test]
    fn styles_of_one_kind_are_joined() {
        assert_eq!(fixed(&[("bold", 0, 5), ("bold", 5, 2), ("italic", 6, 3), ("bold", 1, 2)]), list(&[("bold", 0, 7), ("italic", 6, 3)]));
        let apart = [("bold", 0, 2), ("bold", 3, 2)];
        assert_eq!(fixed(&apart), list(&apart));
    }
}
