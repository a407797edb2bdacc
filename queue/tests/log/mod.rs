//! What handlers worked on, held against what was put.

use std::collections::HashMap;

use sqlx::PgPool;

/// What was worked on, and every item that was put: done ones are deleted.
const LOG: &str = "
    CREATE TABLE log (n bigserial PRIMARY KEY, lane text NOT NULL, item bigint NOT NULL);
    CREATE TABLE every (id bigint PRIMARY KEY, lane text NOT NULL, payload json NOT NULL);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO every VALUES (NEW.id, NEW.lane, NEW.payload);
        RETURN NULL;
    END $$;
    CREATE TRIGGER note AFTER INSERT ON queue_items FOR EACH ROW EXECUTE FUNCTION note();
";

/// Items by their lanes, in order.
pub type Lanes = HashMap<String, Vec<i64>>;

/// Makes the log; handlers write into it in the transaction of doing the work.
pub async fn make(pool: &PgPool) {
    sqlx::raw_sql(LOG).execute(pool).await.unwrap();
}

/// What was worked on, and what was put, but for those items with the payload `except`.
pub async fn worked_and_put(pool: &PgPool, except: &str) -> (Lanes, Lanes) {
    let log: Vec<(String, i64)> = sqlx::query_as("SELECT lane, item FROM log ORDER BY n").fetch_all(pool).await.unwrap();
    let put: Vec<(String, i64)> =
        sqlx::query_as("SELECT lane, id FROM every WHERE payload::text <> $1 ORDER BY id").bind(except).fetch_all(pool).await.unwrap();
    (by_lane(log), by_lane(put))
}

fn by_lane(rows: Vec<(String, i64)>) -> Lanes {
    rows.into_iter().fold(Lanes::new(), |mut lanes, (lane, id)| {
        lanes.entry(lane).or_default().push(id);
        lanes
    })
}
