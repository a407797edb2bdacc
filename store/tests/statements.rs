//! Every SQL statement of store and queue is one that PostgreSQL takes.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use fitter_testkit::TestDb;
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

async fn prepare_all(db: &TestDb) {
    let mut conn = db.pool().acquire().await.unwrap();
    let statements = fitter_store::statements();
    assert!(statements.len() > 100, "{}", statements.len());
    for statement in statements {
        if let Err(error) = conn.prepare(AssertSqlSafe(statement).into_sql_str()).await {
            panic!("{error}\n{statement}");
        }
    }
}

#[tokio::test]
async fn on_a_server() {
    prepare_all(&TestDb::server().await).await;
}

#[tokio::test]
async fn on_the_embedded_server() {
    prepare_all(&TestDb::embedded().await).await;
}
