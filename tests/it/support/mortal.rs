//! A worker that can die in the midst of a job.

use seatkey::{
    app::SharedApp,
    clock::new_id,
    jobs::{conclude, perform},
    store::Claim,
};
use time::Duration;

/// How long others keep away from a job of the dead.
pub(crate) const LEASE: Duration = Duration::seconds(60);

/// What the runner does, in this very task: it dies as one.
pub(crate) async fn work(app: &SharedApp) -> Option<String> {
    let claim = Claim { owner: new_id(app.clock.now()), lease: LEASE };
    let job = app.store.claim_job(claim, app.clock.now()).await.unwrap()?;
    let result = perform(app, &job).await;
    let told = format!("{:?} of {}: {result:?}", job.kind, job.subject);
    conclude(app, &job, result).await.unwrap();
    Some(told)
}
