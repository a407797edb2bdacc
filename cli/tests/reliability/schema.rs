//! The schema changes under the program: migrations only add, so that processes can be replaced one by one.

use std::time::Duration;

use fitter_testkit::app::{eventually, run};
use fitter_testkit::command::said;

use crate::audit::Meant;
use crate::options;
use crate::storm::{Size, Storm};

/// What a later release may do: a column for every table, a table, an index; recorded as sqlx records it.
const LATER: &str = r#"
    DO $$ DECLARE one regclass; BEGIN
        FOR one IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname !~ '^(_sqlx|trail)' ORDER BY oid
        LOOP
            EXECUTE format('ALTER TABLE %s ADD COLUMN of_the_future text, ADD COLUMN also_new integer NOT NULL DEFAULT 7', one);
        END LOOP;
    END $$;
    CREATE TABLE things_of_the_future (id bigint PRIMARY KEY, person bigint REFERENCES people);
    CREATE INDEX ON queue_items (created_at);
    INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9001, 'of the future', true, '\x00', 0);
"#;

#[test]
fn an_old_program_works_on_a_new_schema() {
    run(async {
        let storm = Storm::prepare(options(), Size::of(1, 40, 20.0)).await;
        let mut old = storm.spawn("old", &[], &[]);
        old.ready().await;
        storm.crowd.start(&storm.fitter.telegram).await;
        let done = "SELECT count(*) FROM queue_items WHERE queue = 1 AND status = 1";
        let seconds = if storm.size.long { 300 } else { 3 };
        let mut again = None;
        storm
            .crowd_acts(async {
                // It has prepared its statements.
                eventually("work is under way", async || (storm.fitter.count(done).await > 60).then_some(())).await;
                storm.fitter.execute(&format!("BEGIN; {LATER} COMMIT")).await;
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                // It also starts anew.
                let mut new = storm.spawn("again", &[], &[]);
                new.ready().await;
                old.terminate().await;
                again = Some(new);
                let before = storm.fitter.count(done).await;
                eventually("the work goes on", async || (storm.fitter.count(done).await > before + 20).then_some(())).await;
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            })
            .await;
        storm.calm().await;
        let failed = storm.fitter.rows("SELECT queue, error FROM queue_items WHERE attempts > 0").await;
        assert!(failed.is_empty(), "{failed:#?}");
        let report = storm.audit().await;
        storm.publish("old program, new schema", &report);
        report.check(&Meant::default());
        for (args, out) in [(["migrate"], "the database is up to date"), (["doctor"], "ok    database")] {
            let mut command = storm.fitter.command();
            command.args(args);
            let said = said(command).await;
            assert!(said.code == Some(0) && said.out.contains(out), "{said:?}");
        }
        let after = storm.fitter.count("SELECT count(*) FROM _sqlx_migrations WHERE version = 9001").await;
        assert_eq!(after, 1, "what it does not know it leaves alone");

        // Its own migrations it wants to be there, whatever else there is.
        storm
            .fitter
            .execute("DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations WHERE version < 9001)")
            .await;
        let mut refused = storm.spawn("refused", &[], &[]);
        let status = eventually("it refuses", async || refused.ended()).await;
        assert_eq!(status.code(), Some(1));
        assert!(refused.log().contains("1 migrations are pending") && refused.log().contains("run `fitter migrate`"), "{}", refused.log());
        again.unwrap().terminate().await;
        storm.check_logs();
    });
}
