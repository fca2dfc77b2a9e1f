//! A worker that can die in the midst of a job.

use seatkey::{
    app::{AppError, Step},
    clock::{Clock as _, new_id},
    jobs::perform,
    store::{Claim, Job},
};
use time::Duration;

use super::Stage;

/// How long others keep away from a job of the dead.
pub(super) const LEASE: Duration = Duration::seconds(60);

/// What the runner does, in this very task: it dies as one.
pub(super) async fn work(stage: &Stage) -> Option<String> {
    let app = &stage.app;
    let claim = Claim { owner: new_id(app.clock.now()), lease: LEASE };
    let job = app.store.claim_job(claim, app.clock.now()).await.unwrap()?;
    let result = perform(app, &job).await;
    let told = format!("{:?} of {}: {result:?}", job.kind, job.subject);
    conclude(stage, &job, result).await;
    Some(told)
}

async fn conclude(stage: &Stage, job: &Job, result: Result<Step, AppError>) {
    let store = &stage.app.store;
    let now = stage.clock.now();
    match result {
        Ok(Step::Done) => {
            let tx = store.begin().await.unwrap();
            tx.finish_job(job.lease).await.unwrap();
            tx.commit().await.unwrap();
        }
        Ok(Step::Again(after)) => store.postpone_job(job.lease, now + after, None).await.unwrap(),
        Err(error) if error.is_retryable() => {
            let reason = error.to_string();
            store.postpone_job(job.lease, now + Duration::seconds(2), Some(&reason)).await.unwrap();
        }
        Err(error) => store.bury_job(job.lease, &error.to_string()).await.unwrap(),
    }
}
