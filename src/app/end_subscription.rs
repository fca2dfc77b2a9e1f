//! The end of a subscription: what was not paid for is undone, what was paid stays (`product.md` §4.6).

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    App, AppError,
    converge::queue,
    issue_key::{issue_key, revoke},
    life_mail::Letter,
    release_charges::PRICE_RISEN,
};
use crate::{
    domain::{
        change::FrozenChange,
        charge::{AfterEnd, Charge, LicenseAfterEnd, Reason, State, decide_end},
        pricing::Line,
        subscription::Subscription,
    },
    pages::mail::life::LifeEvent,
    store::{Enrolment, JobKind, LicenseKey, Tx},
};

/// So much older than its operations Microsoft's answer about a subscription may be.
const ANSWERS_LAG: Duration = Duration::hours(1);

/// How a subscription stood before its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct BeforeEnd {
    /// When it was last known to run.
    pub(super) last_seen_alive: OffsetDateTime,
    /// Since when it was suspended, if it was.
    pub(super) suspended_at: Option<OffsetDateTime>,
    /// When it ended, as far as Microsoft's operation says.
    pub(super) told: Option<OffsetDateTime>,
}

/// Undoes what was not paid for, ends or shortens the license, and tells the buyer.
pub(super) async fn end_subscription(
    app: &App,
    tx: &Tx,
    subscription: &mut Subscription,
    enrolment: &Enrolment,
    before: BeforeEnd,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let BeforeEnd { last_seen_alive, suspended_at, told } = before;
    let id = subscription.microsoft.id;
    // Whether it fell into the grace period is judged by the operation's time; unknown is decided for the buyer. An operation
    // of long before the last answer that showed it running is none of this end.
    let alive_at = last_seen_alive.min(now);
    let judged_at = told.filter(|at| *at <= now).map_or(alive_at, |at| at.max(alive_at - ANSWERS_LAG));
    // A withdrawal counts from when it was asked for, however long Microsoft takes.
    let judged_at = subscription.withdrawn_at.unwrap_or(judged_at);
    let charges = tx.list_charges(id).await?;
    let microsoft = &subscription.microsoft;
    let plan = app.catalog.find_plan(&microsoft.offer_id, &microsoft.plan_id).map(|(_, plan)| &**plan);
    let after = decide_end(subscription, plan, &charges, (judged_at, suspended_at));
    for from in [State::Held, State::Frozen, State::Due] {
        tx.move_charges(&after.cancelled, (from, State::Cancelled), "the subscription ended", now).await?;
    }
    let findings = tx.list_findings(id).await?;
    let has_risen = |charge: &Uuid| {
        let cause = charge.to_string();
        findings.iter().any(|finding| finding.kind == PRICE_RISEN && finding.cause == cause)
    };
    let (risen, free): (Vec<Uuid>, Vec<Uuid>) = after.released.iter().partition(|charge| has_risen(charge));
    tx.move_charges(&risen, (State::Held, State::Frozen), "the meter costs more than what was shown", now).await?;
    tx.move_charges(&free, (State::Held, State::Due), "its hold was over before the end", now).await?;
    // Microsoft takes what lies before the end for a day.
    tx.schedule_job(JobKind::ReportUsage, Uuid::nil(), now, now).await?;
    subscription.planned = None;
    let newest = tx.find_newest_key(id).await?;
    let key = match after.license {
        LicenseAfterEnd::EndsAtOnce => {
            if let Some(newest) = &newest {
                let reason = if subscription.withdrawn_at.is_some() { "withdrawn" } else { "ended" };
                revoke(tx, subscription, newest, reason, now).await?;
            }
            None
        }
        LicenseAfterEnd::RunsOut { users_taken_back_to } => {
            take_back(tx, subscription, &charges, &after, users_taken_back_to).await?;
            issue_key(app, tx, subscription, enrolment, now).await?
        }
    };
    tell(app, tx, Told { subscription, enrolment, charges: &charges, after: &after, key, newest }, now).await
}

/// The users before the earliest upgrade that was not paid, in the segment that they were in.
async fn take_back(
    tx: &Tx,
    subscription: &mut Subscription,
    charges: &[Charge],
    after: &AfterEnd,
    users: Option<u32>,
) -> Result<(), AppError> {
    let Some(users) = users else { return Ok(()) };
    subscription.users = Some(users);
    let undone = charges.iter().find(|charge| {
        charge.reason == Reason::Upgrade && charge.from_users == Some(users) && after.cancelled.contains(&charge.id)
    });
    if let Some(charge) = undone {
        let change = tx.get_change::<Option<FrozenChange>>(charge.cause_id).await?;
        subscription.segment = change.body.and_then(|change| change.from_segment);
    }
    Ok(())
}

struct Told<'a> {
    subscription: &'a Subscription,
    enrolment: &'a Enrolment,
    charges: &'a [Charge],
    after: &'a AfterEnd,
    key: Option<LicenseKey>,
    newest: Option<LicenseKey>,
}

async fn tell(app: &App, tx: &Tx, told: Told<'_>, now: OffsetDateTime) -> Result<(), AppError> {
    let Told { subscription, enrolment, charges, after, key, newest } = told;
    let dropped: Vec<&Charge> = charges.iter().filter(|charge| after.cancelled.contains(&charge.id)).collect();
    let dropped = lines_of(app, subscription, &dropped);
    let license_until = match after.license {
        LicenseAfterEnd::EndsAtOnce => None,
        LicenseAfterEnd::RunsOut { .. } => key.as_ref().or(newest.as_ref()).map(|key| key.expires_at),
    };
    let event = if subscription.withdrawn_at.is_some() {
        LifeEvent::Withdrawn { dropped: &dropped }
    } else {
        LifeEvent::Cancelled { license_until, users: subscription.users, dropped: &dropped }
    };
    let letter = Letter { subscription, enrolment: Some(enrolment), key: key.as_ref(), cause: "end" };
    queue(app, tx, letter, &event, now).await
}

/// Charges in the words of the plan: a line names its segment or extra.
pub(super) fn lines_of(app: &App, subscription: &Subscription, charges: &[&Charge]) -> Vec<Line> {
    let microsoft = &subscription.microsoft;
    let Some((_, plan)) = app.catalog.find_plan(&microsoft.offer_id, &microsoft.plan_id) else { return Vec::new() };
    charges.iter().filter_map(|charge| charge.line(plan)).collect()
}
