//! Test harness.
//!
//! | module | what |
//! | --- | --- |
//! | [`db`] | a fresh, migrated database per test |

pub mod db;

pub use db::TestDb;
