//! SQL statements as constants that a test can find, and reading of rows.

use sqlx::postgres::PgRow;
use sqlx::{Error, Row};

/// Defines constants with SQL text and `STATEMENTS`, the list of them.
macro_rules! sql {
    ($($name:ident = $sql:expr;)+) => {
        $(const $name: &str = $sql;)+
        /// Every SQL statement of this module, for the test that prepares them all.
        pub const STATEMENTS: &[&str] = &[$($name),+];
    };
}
pub(crate) use sql;

/// A value of the database that this version of the program does not know.
#[derive(Debug, thiserror::Error)]
#[error("the database has the unknown {what} '{value}'")]
struct UnknownValue {
    what: &'static str,
    value: String,
}

pub(crate) fn unknown(what: &'static str, value: impl ToString) -> Error {
    Error::Decode(Box::new(UnknownValue { what, value: value.to_string() }))
}

/// Reads a text column by `read`.
pub(crate) fn named<T>(row: &PgRow, column: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Error> {
    let value: &str = row.try_get(column)?;
    read(value).ok_or_else(|| unknown(column, value))
}

/// Reads a non-negative integer column.
pub(crate) fn count(row: &PgRow, column: &'static str) -> Result<u32, Error> {
    let value: i32 = row.try_get(column)?;
    u32::try_from(value).map_err(|_| unknown(column, value))
}

/// An unsigned number as PostgreSQL's `integer`; larger ones than it has become its largest.
pub(crate) fn int(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// Lower-case words of what a person looks for, as patterns for LIKE that match anywhere.
pub(crate) fn patterns(like: Option<&str>) -> Vec<String> {
    like.unwrap_or_default()
        .to_lowercase()
        .split_whitespace()
        .map(|word| format!("%{}%", word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::patterns;

    #[test]
    fn a_search_is_not_a_pattern() {
        assert_eq!(patterns(Some("100% Датчик_1")), [r"%100\%%", r"%датчик\_1%"]);
        assert!(patterns(Some("  ")).is_empty());
    }
}
