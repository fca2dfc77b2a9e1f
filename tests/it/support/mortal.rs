//! A worker that can die in the midst of a job.

use seatkey::{
    app::{SharedApp, Step},
    clock::new_id,
    jobs::{conclude, perform},
    store::{Claim, JobKind},
};
use time::Duration;

/// How long others keep away from a job of the dead.
pub(crate) const LEASE: Duration = Duration::seconds(60);

/// What the runner does, in this very task: it dies as one.
pub(crate) async fn work(app: &SharedApp) -> Option<String> {
    step(app, true).await
}

/// The same where mails are another story: they count as sent, which saves their TLS.
pub(crate) async fn work_but_mails(app: &SharedApp) -> Option<String> {
    step(app, false).await
}

async fn step(app: &SharedApp, mails: bool) -> Option<String> {
    let claim = Claim { owner: new_id(app.clock.now()), lease: LEASE };
    let job = app.store.claim_job(claim, app.clock.now()).await.unwrap()?;
    let skipped = !mails && job.kind == JobKind::SendMail;
    let result = if skipped { Ok(Step::Done) } else { perform(app, &job).await };
    let told = format!("{:?} of {}: {result:?}", job.kind, job.subject);
    // What could not be written is found again when the lease is over.
    let written = conclude(app, &job, result).await;
    Some(if written.is_ok() { told } else { format!("{told}, and its end is not written: {written:?}") })
}
