//! Work that is done, waits, or was given up.

use super::{
    list::{Filters, Found, Rows, place},
    names::Names,
};
use crate::{
    app::{App, AppError},
    pages::console::{
        frame::Room,
        jobs::{COLUMNS, JobFacts, Subject, row},
        list::Filter,
        table::Column,
    },
    store::ListedJob,
};

pub(super) struct Jobs;

impl Rows for Jobs {
    const ROOM: Room = Room::Jobs;
    const TITLE: &'static str = "Jobs";
    const PATH: &'static str = "/console/jobs";
    const COLUMNS: &'static [Column] = COLUMNS;
    const FILTERS: &'static [Filter] = &[
        Filter { name: "state", label: "State", choices: &["ready", "done", "dead"] },
        Filter { name: "kind", label: "Kind, as send_mail", choices: &[] },
    ];
    const EMPTY: &'static str = "There is no such job.";

    async fn find(app: &App, filters: &Filters, after: Option<&str>, limit: u64) -> Result<Found, AppError> {
        let Some(after) = place(after) else { return Ok(Found::default()) };
        let now = app.clock.now();
        let found = app.store.list_newest_jobs((filters.get("state"), filters.get("kind")), after, limit).await?;
        let names = Names::read(app, found.iter().map(|one| one.subject)).await?;
        let shown = found.iter().map(|one| {
            let facts = JobFacts {
                id: one.id,
                kind: &one.kind,
                subject: (one.subject, subject(one, &names)),
                state: &one.state,
                is_claimed: one.lease_until.is_some_and(|until| until > now),
                run_at: one.run_at,
                attempts: one.attempts,
                last_error: one.last_error.as_deref(),
                created_at: one.created_at,
            };
            row(&facts, now)
        });
        Ok(Found::page(shown.collect(), found.last().map(|one| one.id), limit))
    }
}

fn subject<'a>(job: &ListedJob, names: &'a Names) -> Subject<'a> {
    if job.subject.is_nil() {
        Subject::Nobody
    } else if names.get(job.subject).is_some() {
        Subject::Subscription(names.name(job.subject))
    } else if job.kind == "send_mail" {
        Subject::Mail
    } else {
        Subject::Other
    }
}
