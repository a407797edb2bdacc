//! The repair card: made for a vehicle, moved through its states, with photos and the vehicle's history.

use fitter_domain::ids::JobId;
use fitter_domain::job::{Job, JobStatus};
use fitter_domain::msg::{self, Msg};
use fitter_domain::person::{Object, Verb, may};
use fitter_domain::rich::{Node, Rich};
use fitter_domain::screen::{Media, Screen};
use fitter_domain::vehicle::{NumberError, VehicleNumber};

use crate::action::Action;
use crate::effect::Command;
use crate::event::{Photo, Piece};
use crate::state::State;
use crate::turn::Turn;
use crate::walk::looks_like_a_question;

/// Jobs shown as buttons at once.
const LISTED: usize = 5;
/// Jobs of a vehicle's history shown.
const HISTORY: usize = 10;
/// Photos shown at once; Telegram's albums hold ten.
const GALLERY: usize = 10;
/// Photos that wait for a card at most; the newest are kept.
const MOST_WAITING: usize = 50;

/// Asks for a plate or VIN.
pub(crate) fn ask_number(turn: &mut Turn<'_>) {
    if !may(turn.ctx.person.role, Verb::Create, Object::Job { own: true }) {
        turn.refuse();
        return;
    }
    // Photos that wait for a card go on waiting: the number says which.
    if !matches!(turn.state, State::Photos { .. }) {
        turn.go(State::NewJob);
    }
    turn.show(Screen::say(msg::job_ask_number()).button(msg::button_cancel(), Action::Cancel));
}

/// A typed plate or VIN.
pub(crate) fn number(turn: &mut Turn<'_>, text: &str) {
    let problem = match VehicleNumber::parse(text) {
        Ok(number) => {
            if number.check_digit_fits() == Some(false) {
                turn.say(msg::vin_check_digit());
            }
            if !matches!(turn.state, State::Photos { .. }) {
                turn.go(State::Home);
            }
            turn.run(Command::MakeJob { number });
            return;
        }
        Err(_) if looks_like_a_question(text) => return crate::ask::search(turn, text),
        Err(NumberError::VinLetters) => msg::vin_letters(),
        Err(NumberError::Unrecognised) => msg::number_unrecognised(text.chars().take(40).collect::<String>()),
    };
    turn.show(Screen::say(problem).button(msg::button_cancel(), Action::Cancel));
}

/// Words at home that look like a vehicle's number.
pub(crate) fn offer(turn: &mut Turn<'_>, text: &str, number: VehicleNumber) {
    turn.go(State::Vehicle { text: text.to_owned() });
    let screen = Screen::say(msg::job_offer(number.to_string()));
    turn.show(screen.primary(msg::button_open_card(), Action::JobFor(number)).button(msg::button_it_was_a_question(), Action::NotAVehicle));
}

fn status(status: JobStatus) -> Msg {
    match status {
        JobStatus::Open => msg::status_open(),
        JobStatus::InProgress => msg::status_in_progress(),
        JobStatus::OnHold => msg::status_on_hold(),
        JobStatus::Complete => msg::status_complete(),
    }
}

fn title(job: &Job) -> Msg {
    msg::job_title(job.id.0.to_string(), job.number.to_string())
}

fn body(job: &Job) -> Rich {
    let mut body =
        Rich::new().bold(Rich::new().push(title(job))).line().push(status(job.status)).push(" · ").push(job.technician_name.as_str());
    if job.photos > 0 {
        body = body.line().push(msg::job_photos(job.photos));
    }
    for (_, run, done) in &job.runs {
        body = body.line().push(if *done { "✓ " } else { "… " }).push(run.as_str());
    }
    body
}

/// The card.
pub(crate) fn card(turn: &mut Turn<'_>, job: &Job, made: bool) {
    if made {
        turn.toast(msg::job_made());
    }
    if let State::Photos { photos: waiting, caption } = std::mem::take(&mut turn.state) {
        return add_photos(turn, job.id, &waiting, caption.as_deref(), Rich::new().bold(Rich::new().push(title(job))).line());
    }
    turn.go(State::Home);
    let own = job.technician == turn.ctx.person.id;
    let go = |to| Action::JobStatus(job.id, to);
    let screen = Screen::of(body(job));
    // A walk is continued by whoever began it.
    let open_run = job.runs.iter().find(|(_, _, done)| own && !done);
    let start = Action::Procedures { job: Some(job.id), skip: 0 };
    let hold_or_take_up = |screen: Screen| match job.status {
        JobStatus::InProgress => screen.button(msg::button_hold(), go(JobStatus::OnHold)),
        _ => screen.button(msg::button_take_up(), go(JobStatus::InProgress)),
    };
    let screen = match (job.status, open_run) {
        (JobStatus::OnHold, _) => screen.primary(msg::button_take_up(), go(JobStatus::InProgress)),
        (JobStatus::Complete, _) => screen.button(msg::button_reopen(), go(JobStatus::InProgress)),
        (_, Some((run, title, _))) => hold_or_take_up(
            screen
                .primary(msg::button_continue_run(title.as_str()), Action::Run(*run))
                .button(msg::button_complete(), go(JobStatus::Complete)),
        ),
        // What had to be walked is walked: the card can be closed.
        (JobStatus::InProgress, None) if !job.runs.is_empty() || !own => {
            hold_or_take_up(screen.primary(msg::button_complete(), go(JobStatus::Complete)).button(msg::button_start_procedure(), start))
        }
        (JobStatus::InProgress, None) => {
            hold_or_take_up(screen.primary(msg::button_start_procedure(), start).button(msg::button_complete(), go(JobStatus::Complete)))
        }
        (JobStatus::Open, None) => hold_or_take_up(screen.primary(msg::button_start_procedure(), start)),
    };
    turn.show(screen.row([
        (msg::button_photo().into(), Action::JobPhotos(job.id).into()),
        (msg::button_more().into(), Action::JobMore(job.id).into()),
        (msg::button_menu().into(), Action::Menu.into()),
    ]));
}

/// The rest of a card's buttons.
pub(crate) fn more(turn: &mut Turn<'_>, job: JobId) {
    let screen = Screen::say(msg::job_more(job))
        .button(msg::button_start_procedure(), Action::Procedures { job: Some(job), skip: 0 })
        .button(msg::button_problem(), Action::JobProblem(job))
        .row([
            (msg::button_history().into(), Action::JobHistory(job).into()),
            (msg::button_gallery().into(), Action::JobGallery(job).into()),
        ]);
    turn.show(screen.row([
        (msg::button_complete().into(), Action::JobStatus(job, JobStatus::Complete).into()),
        (msg::button_back().into(), Action::Job(job).into()),
    ]));
}

/// A job with open walks is not completed by the way.
pub(crate) fn unfinished(turn: &mut Turn<'_>, job: &Job) {
    let open = job.runs.iter().find(|(_, _, done)| !done).map(|(_, title, _)| title.as_str()).unwrap_or_default();
    let screen = Screen::say(msg::job_unfinished(open)).button(msg::button_finish_job(), Action::FinishJob(job.id));
    turn.show(screen.primary(msg::button_back(), Action::Job(job.id)));
}

/// Jobs of the person, or everybody's for a manager.
pub(crate) fn list(turn: &mut Turn<'_>, jobs: &[Job]) {
    let own = may(turn.ctx.person.role, Verb::Create, Object::Job { own: true });
    let text = match &turn.state {
        State::Photos { photos, .. } => msg::photos_for_which_job(photos.len()),
        _ if jobs.is_empty() => msg::jobs_none(),
        _ => msg::jobs_title(jobs.len()),
    };
    let screen = Screen::say(text);
    let mut screen = jobs.iter().take(LISTED).fold(screen, |screen, job| {
        let label = Node::Msg(match job.status {
            JobStatus::InProgress => msg::job_line_active(job.number.to_string()),
            JobStatus::OnHold => msg::job_line_hold(job.number.to_string()),
            JobStatus::Open | JobStatus::Complete => msg::job_line(job.number.to_string()),
        });
        screen.button(label, Action::Job(job.id))
    });
    if jobs.len() > LISTED {
        screen.body = screen.body.gap().push(msg::jobs_more(jobs.len() - LISTED));
    }
    if own {
        screen = screen.primary(msg::button_new_job(), Action::NewJob);
    }
    turn.show(screen.row([(msg::button_menu().into(), Action::Menu.into())]));
}

/// All jobs of a vehicle.
pub(crate) fn history(turn: &mut Turn<'_>, job: JobId, jobs: &[Job]) {
    let mut body = Rich::new();
    if let Some(first) = jobs.first() {
        body = body.bold(Rich::new().push(msg::history_title(first.number.to_string())));
    }
    for job in jobs.iter().take(HISTORY) {
        body = body
            .gap()
            .push(job.created.format("%d.%m.%Y").to_string())
            .push(" · ")
            .push(status(job.status))
            .push(" · ")
            .push(job.technician_name.as_str());
        for (_, run, done) in &job.runs {
            body = body.line().push(if *done { "✓ " } else { "… " }).push(run.as_str());
        }
        if job.photos > 0 {
            body = body.line().push(msg::job_photos(job.photos));
        }
    }
    turn.show(Screen::of(body).button(msg::button_back(), Action::Job(job)));
}

/// Photos for a card are awaited.
pub(crate) fn ask_photos(turn: &mut Turn<'_>, job: JobId) {
    turn.go(State::JobPhotos { job }).show(Screen::say(msg::job_ask_photos()).button(msg::button_back(), Action::Job(job)));
}

/// Photos for a card; more may follow.
pub(crate) fn photos(turn: &mut Turn<'_>, job: JobId, photos: &[Photo], caption: Option<&str>) {
    add_photos(turn, job, photos, caption, Rich::new());
}

/// Photos and notes that came in one go: each note stands under the photo before it, the first ones under the first photo.
pub(crate) fn many_photos(turn: &mut Turn<'_>, job: JobId, pieces: &[Piece]) {
    let mut all: Vec<(Vec<Photo>, Vec<&str>)> = Vec::new();
    let mut ahead: Vec<&str> = Vec::new();
    for piece in pieces {
        let words = piece.words().filter(|words| !words.contains('?') || matches!(piece, Piece::Photos { .. }));
        match (piece, all.last_mut()) {
            (Piece::Photos { photos, .. }, _) => all.push((photos.clone(), ahead.drain(..).chain(words).collect())),
            (_, Some((_, notes))) => notes.extend(words),
            (_, None) => ahead.extend(words),
        }
    }
    turn.go(State::JobPhotos { job });
    let count: usize = all.iter().map(|(photos, _)| photos.len()).sum();
    for (files, notes) in all {
        let caption = Some(notes.join("\n")).filter(|notes| !notes.is_empty());
        turn.run(Command::AddJobPhotos { job, files, caption });
    }
    turn.show(Screen::of(Rich::new().push(msg::photos_added(count))).primary(msg::button_done(), Action::Job(job)));
}

fn add_photos(turn: &mut Turn<'_>, job: JobId, photos: &[Photo], caption: Option<&str>, head: Rich) {
    turn.go(State::JobPhotos { job }).run(Command::AddJobPhotos { job, files: photos.to_vec(), caption: caption.map(str::to_owned) });
    turn.show(Screen::of(head.push(msg::photos_added(photos.len()))).primary(msg::button_done(), Action::Job(job)));
}

/// Photos that nobody asked for: which card are they for? They are kept until that is told.
pub(crate) fn stray_photos(turn: &mut Turn<'_>, new: &[Photo], caption: Option<&str>) {
    if !turn.ctx.person.role.is_staff() {
        match caption {
            Some(caption) => crate::ask::search(turn, caption),
            None => {
                turn.say_on(msg::only_text());
            }
        }
        return;
    }
    let (mut waiting, before) = match &turn.state {
        State::Photos { photos, caption } => (photos.clone(), caption.clone()),
        _ => (Vec::new(), None),
    };
    waiting.extend_from_slice(new);
    let more = waiting.len().saturating_sub(MOST_WAITING);
    waiting.drain(..more);
    let caption = caption.map(str::to_owned).or(before);
    let typed = caption.as_deref().and_then(|caption| caption.lines().find_map(|line| VehicleNumber::parse(line).ok()));
    turn.go(State::Photos { photos: waiting, caption });
    turn.run(match typed {
        Some(number) => Command::MakeJob { number },
        None => Command::ListJobs,
    });
}

/// A card's photos.
pub(crate) fn gallery(turn: &mut Turn<'_>, job: JobId, files: &[String]) {
    let from = files.len().saturating_sub(GALLERY);
    let media = files.iter().skip(from).cloned().map(Media::File).collect();
    let text = if files.is_empty() { msg::gallery_empty() } else { msg::job_photos(files.len()) };
    turn.show(Screen { media, ..Screen::say(text) }.button(msg::button_back(), Action::Job(job)));
}
