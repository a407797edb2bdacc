//! Repair cards and their photos.

use std::time::Duration;

use fitter_dialogues::event::{Outcome, Photo};
use fitter_domain::ids::{JobId, RunId};
use fitter_domain::job::{Job, JobStatus};
use fitter_domain::person::{Object, Verb};
use fitter_domain::vehicle::VehicleNumber;
use fitter_store::PgConnection;
use fitter_store::photos::{NewPhoto, Origin};
use fitter_store::{files, jobs, photos, runs, vehicles};

use super::{Came, job_object, json};
use crate::conversation::Turn;
use crate::error::ServiceError;
use crate::jobs::Job as Slow;

/// Jobs of a list: more than anybody scrolls through.
const LISTED: u32 = 50;

impl Turn<'_> {
    /// The job, if it exists and the person may do this to it.
    pub(super) async fn job(&self, conn: &mut PgConnection, verb: Verb, job: JobId) -> Result<Option<Job>, ServiceError> {
        let job = jobs::get(conn, job).await?;
        Ok(job.filter(|job| self.may(verb, Object::Job { own: self.own(job.technician) })))
    }

    pub(super) async fn make_job(&mut self, conn: &mut PgConnection, number: &VehicleNumber) -> Came {
        if !self.may(Verb::Create, Object::Job { own: true }) {
            return Ok(Some(Outcome::Refused));
        }
        let now = self.app.clock.now();
        let vehicle = vehicles::find_or_create(conn, number, now).await?;
        if let Some(job) = jobs::open_for(conn, self.person.id, vehicle).await? {
            return Ok(Some(Outcome::Job { job: Box::new(job), made: false }));
        }
        let id = jobs::create(conn, vehicle, self.person.id, now).await?;
        self.record("create", job_object(id), None, json(number));
        let made = jobs::get(conn, id).await?;
        Ok(Some(made.map_or(Outcome::Refused, |job| Outcome::Job { job: Box::new(job), made: true })))
    }

    pub(super) async fn open_job(&mut self, conn: &mut PgConnection, job: JobId) -> Came {
        let job = self.job(conn, Verb::See, job).await?;
        Ok(Some(job.map_or(Outcome::Refused, |job| Outcome::Job { job: Box::new(job), made: false })))
    }

    pub(super) async fn set_job_status(&mut self, conn: &mut PgConnection, job: JobId, to: JobStatus) -> Came {
        let Some(mut job) = self.job(conn, Verb::Change, job).await? else { return Ok(Some(Outcome::Refused)) };
        if to == JobStatus::Complete && job.runs.iter().any(|(_, _, done)| !done) {
            return Ok(Some(Outcome::Unfinished { job: Box::new(job) }));
        }
        match job.status.go(to) {
            Ok(status) if status != job.status => {
                jobs::set_status(conn, job.id, status, self.app.clock.now()).await?;
                self.record("status", job_object(job.id), json(&job.status), json(&status));
                job.status = status;
            }
            // Pressed twice, or on an old card: the card as it is now answers it.
            Ok(_) | Err(_) => {}
        }
        Ok(Some(Outcome::Job { job: Box::new(job), made: false }))
    }

    pub(super) async fn finish_job(&mut self, conn: &mut PgConnection, job: JobId) -> Came {
        let Some(job) = self.job(conn, Verb::Change, job).await? else { return Ok(Some(Outcome::Refused)) };
        for run in runs::give_up_of_job(conn, job.id, self.app.clock.now()).await? {
            self.record("abandoned", format!("run:{run}"), None, None);
        }
        self.set_job_status(conn, job.id, JobStatus::Complete).await
    }

    pub(super) async fn add_job_photos(&mut self, conn: &mut PgConnection, job: JobId, files: &[Photo], caption: Option<&str>) -> Came {
        let Some(job) = self.job(conn, Verb::Change, job).await? else { return Ok(Some(Outcome::Refused)) };
        self.store_photos(conn, (Some(job.id), None), None, files, caption).await?;
        Ok(None)
    }

    /// Stores photos by their Telegram ids, and leaves fetching them to the workers.
    pub(super) async fn store_photos(
        &mut self,
        conn: &mut PgConnection,
        (job, run): (Option<JobId>, Option<RunId>),
        step: Option<&str>,
        new: &[Photo],
        caption: Option<&str>,
    ) -> Result<(), ServiceError> {
        let rows: Vec<NewPhoto> = new
            .iter()
            .map(|photo| NewPhoto { file_id: photo.file_id.clone(), unique_id: photo.unique_id.clone(), size: photo.size })
            .collect();
        let origin = Origin { job, run, step, caption, bot: self.at.bot, by: self.person.id };
        photos::add_photos(conn, &origin, &rows, self.app.clock.now()).await?;
        for photo in new {
            files::seen(conn, self.at.bot, &photo.unique_id, &photo.file_id, photo.size).await?;
            let lane = format!("fetch:{}:{}", self.at.bot, photo.unique_id);
            let (file_id, unique_id) = (photo.file_id.clone(), photo.unique_id.clone());
            let (chat, thread, person) = (self.at.chat, self.at.thread, self.person.id);
            let job = Slow::Fetch { bot: self.at.bot, chat, thread, person, file_id, unique_id };
            self.later(lane, &job, Duration::ZERO)?;
        }
        Ok(())
    }

    pub(super) async fn job_photos(&mut self, conn: &mut PgConnection, job: JobId) -> Came {
        let Some(job) = self.job(conn, Verb::See, job).await? else { return Ok(Some(Outcome::Refused)) };
        // A photo that another bot got cannot be shown by this one.
        let mut photos = photos::of_job(conn, job.id).await?;
        photos.retain(|photo| photo.bot == self.at.bot);
        let files = photos.into_iter().map(|photo| photo.file.file_id).collect();
        Ok(Some(Outcome::JobPhotos { job: job.id, files }))
    }

    pub(super) async fn list_jobs(&mut self, conn: &mut PgConnection) -> Came {
        let jobs = if self.may(Verb::See, Object::Job { own: false }) {
            jobs::all_open(conn, LISTED).await?
        } else if self.may(Verb::See, Object::Job { own: true }) {
            jobs::open_of(conn, self.person.id, LISTED).await?
        } else {
            return Ok(Some(Outcome::Refused));
        };
        Ok(Some(Outcome::Jobs { jobs }))
    }

    pub(super) async fn vehicle_history(&mut self, conn: &mut PgConnection, job: JobId) -> Came {
        // Who works on a vehicle may see what was done to it before, by whomever.
        let Some(job) = self.job(conn, Verb::See, job).await? else { return Ok(Some(Outcome::Refused)) };
        let jobs = jobs::history(conn, job.vehicle, LISTED).await?;
        Ok(Some(Outcome::History { job: job.id, jobs }))
    }
}
