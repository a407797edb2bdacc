//! SQL statements as constants that a test can find.

/// Defines constants with SQL text and `STATEMENTS`, the list of them.
macro_rules! sql {
    ($($name:ident = $sql:expr;)+) => {
        $(const $name: &str = $sql;)+
        /// Every SQL statement of this module, for the test that prepares them all.
        pub const STATEMENTS: &[&str] = &[$($name),+];
    };
}
pub(crate) use sql;
