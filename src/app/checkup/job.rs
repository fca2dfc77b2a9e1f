//! The job that makes the checks of a running service, and writes down what is not well.

use time::Duration;
use uuid::Uuid;

use super::{Outcome, Round, Verdict, clocks, database, entra, mail, marketplace, shelf, sign_in, work};
use crate::{
    app::{App, AppError, Step},
    store::{FailedCheck, JobKind},
};

const EVERY: Duration = Duration::HOUR;
/// A service that has just been started has other things to do.
const FIRST_AFTER: Duration = Duration::minutes(2);

/// Runs one step.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn check_up(app: &App) -> Result<Step, AppError> {
    let (at_microsoft, here) = tokio::join!(at_microsoft(app), here(app));
    let now = app.clock.now();
    let failed = |outcome: Outcome| {
        let mend = outcome.verdict.mend()?;
        Some(FailedCheck {
            id: outcome.check.id.to_owned(),
            is_wrong: matches!(outcome.verdict, Verdict::Wrong(..)),
            saw: outcome.verdict.saw().to_owned(),
            whose: mend.whose.as_str().to_owned(),
            mend: mend.does.to_owned(),
            since: now,
        })
    };
    let found: Vec<FailedCheck> = at_microsoft.into_iter().chain(here).filter_map(failed).collect();
    let tx = app.store.begin().await?;
    tx.replace_failed_checks(&found).await?;
    tx.commit().await?;
    Ok(Step::Again(EVERY))
}

/// Asks for a step soon; it goes on every hour.
///
/// # Errors
/// [`AppError::Store`].
pub async fn schedule_check_up(app: &App) -> Result<(), AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    tx.schedule_job(JobKind::CheckUp, Uuid::nil(), now + FIRST_AFTER, now).await?;
    Ok(tx.commit().await?)
}

async fn at_microsoft(app: &App) -> Vec<Outcome> {
    let mut round = Round::telling(log);
    let tenant_id = app.webhook_tokens.tenant_id();
    entra::look_at_tenant(&mut round, &app.sign_in, tenant_id).await;
    entra::look_at_token(&mut round, &app.marketplace).await;
    entra::look_at_webhook_keys(&mut round, &app.webhook_tokens).await;
    let subscriptions = marketplace::look(&mut round, &app.marketplace, &app.clock).await;
    shelf::look(&mut round, &app.marketplace, &app.catalog, &subscriptions.unwrap_or_default()).await;
    sign_in::look(&mut round, &sign_in::BUYERS, &app.sign_in, tenant_id).await;
    if let Some(staff) = &app.staff_sign_in {
        sign_in::look_at_tenant(&mut round, staff).await;
        sign_in::look(&mut round, &sign_in::STAFF, staff, tenant_id).await;
    }
    round.into_outcomes()
}

/// What else can change while the service runs and is told nowhere else.
async fn here(app: &App) -> Vec<Outcome> {
    let mut round = Round::telling(log);
    mail::look(&mut round, &app.mailer).await;
    clocks::look_at_microsoft(&mut round, &app.marketplace, &app.clock).await;
    clocks::look_at_database(&mut round, &app.store, &app.clock).await;
    database::look_at_durability(&mut round, &app.store).await;
    work::look_at_webhooks(&mut round, &app.store).await;
    round.into_outcomes()
}

fn log(outcome: &Outcome) {
    if let Some(mend) = outcome.verdict.mend() {
        let (check, saw) = (outcome.check.id, outcome.verdict.saw());
        tracing::warn!(check, saw, whose = mend.whose.as_str(), mend = mend.does, "a check is not well");
    }
}
