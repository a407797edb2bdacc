//! The disk of PostgreSQL is full: nothing is acknowledged that is not stored, and the work goes on by itself when there is room.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use fitter_testkit::app::run;
use fitter_testkit::postgres::Settings;
use serde_json::json;

use crate::audit::Meant;
use crate::database::{Answer, SECRET, Server, Watch, spawn, update_in_the_inbox, work_goes_on};
use crate::options;
use crate::storm::{Size, Storm};

/// What the log has to say.
const ADVICE: &str = "PostgreSQL has no room: free or add space on its disk";

/// A disk without room, as statements see it: PostgreSQL's own error whenever something is to be written to the queue.
const NO_ROOM: &str = "
    CREATE TABLE no_room (is_now boolean NOT NULL DEFAULT false);
    INSERT INTO no_room DEFAULT VALUES;
    CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT is_now FROM no_room) THEN
            RAISE EXCEPTION 'could not extend file \"base/16384/16642\": No space left on device' USING ERRCODE = 'disk_full';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON queue_items FOR EACH ROW EXECUTE FUNCTION no_room();
";

#[test]
fn no_room_again_and_again() {
    run(async {
        let options = options().env("FITTER_WEBHOOK_URL", "http://{http}").env("FITTER_WEBHOOK_SECRET", SECRET);
        let size = Size::one_of_many(2, 40, 20.0);
        let storm = Storm::prepare(options, Size { apart: true, ..size }).await;
        storm.fitter.execute(NO_ROOM).await;
        let mut all = spawn(&storm);
        all.ready().await;
        storm.crowd.start(&storm.fitter.telegram).await;
        let watch = Watch::begin(&storm, &update_in_the_inbox(&storm).await);
        let mut outages = Vec::new();
        storm
            .crowd_acts(async {
                for _ in 0..storm.size.rounds {
                    work_goes_on(&storm).await;
                    storm.fitter.execute("UPDATE no_room SET is_now = true").await;
                    let full = Instant::now();
                    tokio::time::sleep(Duration::from_secs(4)).await;
                    outages.push((full, Instant::now()));
                    storm.fitter.execute("UPDATE no_room SET is_now = false").await;
                    watch.well(Instant::now()).await;
                }
            })
            .await;
        storm.calm().await;
        let mut refused = 0;
        for (full, room) in &outages {
            let meanwhile = |answer: &&Answer| answer.asked >= *full && answer.came <= *room;
            // Whether it can write is not tried anew for everybody who asks; what it has noticed it does not forget.
            let pages = watch.answers("readyz");
            let noticed = pages.iter().filter(meanwhile).filter(|answer| answer.status == 503).map(|answer| answer.came).min();
            let noticed = noticed.expect("it is ready without room for an update");
            let well: Vec<&Answer> = pages.iter().filter(meanwhile).filter(|a| a.asked >= noticed && a.status != 503).collect();
            assert!(well.is_empty(), "{well:?}");
            let answers = watch.answers("webhook");
            let lies: Vec<&Answer> = answers.iter().filter(meanwhile).filter(|answer| answer.status != 503).collect();
            assert!(lies.is_empty(), "{lies:?}");
            refused += answers.iter().filter(meanwhile).count();
        }
        assert!(refused > 0, "nobody was refused");
        assert!(watch.answers("healthz").iter().all(|answer| answer.status == 200), "the process lives all the time");
        assert!(storm.logs().contains(ADVICE), "{}", storm.log_ends());
        let blamed = storm.fitter.count("SELECT count(*) FROM queue_items WHERE attempts > 0").await;
        assert_eq!(blamed, 0, "no item is to blame for a full disk");
        let report = storm.audit().await;
        storm.publish_with("disk full", &report, &json!({"webhook_503": refused}));
        report.check(&Meant::default());
        drop(watch);
        all.terminate().await;
        storm.check_logs();
    });
}

/// A small disk in memory; gone when this is dropped.
struct Disk(tempfile::TempDir);

/// Its size in MB: what an empty server takes, its write-ahead log, and a little.
const SIZE: u64 = 220;

impl Disk {
    fn mount() -> Self {
        // Others have to get through to it: the server does not run as root.
        let folder = tempfile::Builder::new().permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755)).tempdir().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={SIZE}m,mode=0755"), "tmpfs"]).arg(folder.path()).status();
        assert!(mounted.is_ok_and(|status| status.success()), "a small disk cannot be mounted: run this as root");
        Self(folder)
    }

    fn ballast(&self) -> std::path::PathBuf {
        self.0.path().join("ballast")
    }

    /// Takes all the room that there is; gives the bytes that it took.
    fn fill(&self) -> u64 {
        let mut file = File::options().create(true).append(true).open(self.ballast()).unwrap();
        for piece in [1 << 20, 4096] {
            while file.write_all(&vec![0; piece]).is_ok() {}
        }
        file.metadata().unwrap().len()
    }

    /// Gives it back.
    fn clear(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.0.path()).status().ok();
    }
}

#[test]
#[ignore = "mounts a small disk, which only root may; cargo xtask faults runs it"]
fn a_real_disk_full_again_and_again() {
    run(async {
        let disk = Disk::mount();
        let small = [("max_wal_size", "48MB"), ("min_wal_size", "32MB"), ("checkpoint_timeout", "30s")];
        let extra = small.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let server = Server::start(Settings { data: Some(disk.path().join("data")), extra, ..Settings::default() }).await;
        let storm = Storm::prepare(options().server(server.url()), Size::one_of_many(2, 40, 20.0)).await;
        let mut all = spawn(&storm);
        all.ready().await;
        storm.crowd.start(&storm.fitter.telegram).await;
        let mut longest = Duration::ZERO;
        storm
            .crowd_acts(async {
                for round in 0..storm.size.rounds {
                    work_goes_on(&storm).await;
                    let until = Instant::now() + Duration::from_secs(8);
                    while Instant::now() < until {
                        disk.fill();
                        if round % 2 == 1 {
                            // Its log needs a new file, which it cannot live without.
                            storm.fitter.try_to("SELECT pg_switch_wal()").await;
                        }
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                    disk.clear();
                    server.revive().await;
                    storm.died(false).await;
                    let room = Instant::now();
                    work_goes_on(&storm).await;
                    longest = longest.max(room.elapsed());
                }
            })
            .await;
        storm.calm().await;
        let panics = server.log().matches("PANIC").count();
        let refusals = server.log().matches("No space left on device").count();
        assert!(refusals > 0, "the disk was never full:\n{}", server.log());
        assert!(storm.logs().contains(ADVICE), "{}", storm.log_ends());
        let report = storm.audit().await;
        let figures = json!({"works_again_ms": longest.as_millis(), "errors_of_postgresql": refusals, "its_crashes": panics});
        storm.publish_with("disk full, a real one", &report, &figures);
        report.check(&Meant::default());
        all.terminate().await;
        storm.check_logs();
    });
}
