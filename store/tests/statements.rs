//! Every SQL statement of store and queue is one that PostgreSQL takes.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use fitter_testkit::TestDb;
use sqlx::{AssertSqlSafe, Executor, Row, SqlSafeStr};

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

/// A card with photos looks up each of them, in tables that only grow.
#[tokio::test]
async fn the_content_of_a_file_is_found_by_indexes() {
    let db = TestDb::server().await;
    let mut conn = db.pool().acquire().await.unwrap();
    let statement = fitter_store::statements().into_iter().find(|sql| sql.contains("p.file_id = $2")).unwrap();
    conn.execute("SET enable_seqscan = off").await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN (GENERIC_PLAN) {statement}"));
    let plan = sqlx::raw_sql(explain).fetch_all(&mut *conn).await.unwrap();
    let plan = plan.iter().map(|line| line.get::<String, _>(0)).collect::<Vec<_>>().join("\n");
    for index in ["telegram_files_file", "photos_file"] {
        assert!(plan.contains(index), "{plan}");
    }
}
