//! The job that does what the calendar asks for of a grant: reminders before a prospect's key or an unused offer ends, and
//! the erasure of whom it was for.

use uuid::Uuid;

use super::{
    App, AppError, Step,
    converge::audit,
    trial_mail::{key_ends_mail, notice_mail, queue_trial_mail},
};
use crate::{
    domain::trial_grant::{TrialNotice, due_trial_notice, next_trial_appointment, trial_erasure_due},
    pages::mail::trial::NoticeOf,
    store::HOUSE,
};

/// Does what is due, and says when it is to be looked at again.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn keep_trial(app: &App, id: Uuid) -> Result<Step, AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let Some(grant) = tx.find_trial_grant(id).await? else { return Ok(Step::Done) };
    match due_trial_notice(&grant, now) {
        Some(TrialNotice::KeyEnds { days }) => {
            queue_trial_mail(&tx, key_ends_mail(app, &grant, days)?, now).await?;
            queue_trial_mail(&tx, notice_mail(app, &grant, NoticeOf::Key, (days, grant.expires_at))?, now).await?;
        }
        Some(TrialNotice::OfferEnds { days }) => {
            queue_trial_mail(&tx, notice_mail(app, &grant, NoticeOf::Offer, (days, grant.expires_at))?, now).await?;
        }
        None => {}
    }
    if trial_erasure_due(&grant, app.retention).is_some_and(|at| at <= now) {
        tx.erase_trial_grant(id).await?;
        audit(&tx, HOUSE, "seatkey", "personal_data_erased", &serde_json::json!({ "trial": id }), now);
    }
    tx.commit().await?;
    app.wake.notify_one();
    let next = next_trial_appointment(&grant, app.retention, now);
    Ok(next.map_or(Step::Done, |at| Step::Again(at - now)))
}
