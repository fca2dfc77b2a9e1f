//! Where Microsoft's answers take effect. Whoever has asked Microsoft about a subscription (a page, a webhook, a sweep, a
//! crash that is made good) brings the answer here: it is compared with what is known, and everything that follows from the
//! difference is written in one transaction.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    App, AppError,
    change_plan::plan_changed,
    end_subscription::{BeforeEnd, end_subscription},
    issue_key::issue_key,
    life_mail::{Letter, life_mail},
};
use crate::{
    domain::{
        catalog::Model,
        change::check_seats,
        charge::State,
        subscription::{Event, MicrosoftStatus, Snapshot, Stage, Subscription, appointment_after_change, observe},
    },
    pages::mail::life::LifeEvent,
    store::{AuditEntry, Enrolment, Finding, JobKind, StoreError, Tx},
};

/// Another change in the same moment makes an attempt void; this many times in a row does not happen.
const ATTEMPTS: u32 = 5;

/// An answer of Microsoft's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    /// What it said.
    pub(super) snapshot: &'a Snapshot,
    /// When it was asked. What was asked for earlier never overwrites what was asked for later.
    pub(super) asked_at: OffsetDateTime,
    /// When the subscription ended, as far as a webhook says.
    pub(super) ended_at: Option<OffsetDateTime>,
}

/// What came of an answer.
#[derive(Debug)]
pub(super) struct Converged {
    /// The subscription as it is now.
    pub(super) subscription: Subscription,
    /// What Microsoft says of it, in the answer itself: an old answer, or one with an unknown word, changes nothing.
    pub(super) told: MicrosoftStatus,
    /// What was new.
    pub(super) events: Vec<Event>,
    /// Whether the subscription was never seen before.
    pub(super) is_new: bool,
}

/// Asks Microsoft about one subscription and writes what is new.
///
/// # Errors
/// [`AppError`]; nothing is half done.
pub(super) async fn ask_and_converge(
    app: &App,
    id: Uuid,
    ended_at: Option<OffsetDateTime>,
) -> Result<Converged, AppError> {
    let asked_at = app.clock.now();
    let answer = app.marketplace.get_subscription(id).await;
    super::open_purchase::note_credential(app, answer.as_ref().err());
    converge(app, Seen { snapshot: &answer?.value, asked_at, ended_at }).await
}

/// Whether a subscription that a job cannot go on with has ended at Microsoft, which names no prices of what has ended.
/// What follows from the end is written then.
///
/// # Errors
/// [`AppError`]; nothing is half done.
pub(super) async fn has_ended(app: &App, id: Uuid) -> Result<bool, AppError> {
    let converged = ask_and_converge(app, id, None).await?;
    Ok(matches!(converged.subscription.stage, Stage::Ended { .. }))
}

/// Writes what an answer changes.
///
/// # Errors
/// [`AppError`]; nothing is half done.
pub(super) async fn converge(app: &App, seen: Seen<'_>) -> Result<Converged, AppError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match attempt(app, seen).await {
            Err(AppError::Store(StoreError::Conflict(_))) if attempts < ATTEMPTS => {}
            other => return other,
        }
    }
}

async fn attempt(app: &App, seen: Seen<'_>) -> Result<Converged, AppError> {
    if let Some(known) = app.store.find_subscription(seen.snapshot.id).await?
        && !is_news(&known, seen)
    {
        // Before an enrolment there is nothing that an older answer could spoil.
        if known.observed_at < seen.asked_at && known.stage != Stage::AwaitingEnrolment {
            app.store.record_observation(seen.snapshot.id, seen.asked_at).await?;
        }
        return Ok(Converged {
            subscription: known,
            told: seen.snapshot.status.clone(),
            events: Vec::new(),
            is_new: false,
        });
    }
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let converged = match tx.find_subscription(seen.snapshot.id).await? {
        None => insert(app, &tx, seen, now).await?,
        Some(known) if is_news(&known, seen) => update(app, &tx, known, seen, now).await?,
        Some(known) => {
            Converged { subscription: known, told: seen.snapshot.status.clone(), events: Vec::new(), is_new: false }
        }
    };
    tx.commit().await?;
    app.wake.notify_one();
    Ok(converged)
}

fn is_news(known: &Subscription, seen: Seen<'_>) -> bool {
    known.observed_at <= seen.asked_at && observe(known, seen.snapshot).is_some()
}

async fn insert(app: &App, tx: &Tx, seen: Seen<'_>, now: OffsetDateTime) -> Result<Converged, AppError> {
    let mut fresh = Subscription::new(seen.snapshot.clone(), seen.asked_at);
    if fresh.microsoft.status == MicrosoftStatus::Unsubscribed {
        fresh.stage = Stage::Ended { enrolled: None, ended_at: now };
    }
    tx.insert_subscription(&fresh, now).await?;
    schedule_appointment(app, tx, &fresh, now).await?;
    let detail = serde_json::json!({ "offer": fresh.microsoft.offer_id, "plan": fresh.microsoft.plan_id });
    audit(tx, fresh.microsoft.id, "microsoft", "subscription_seen", &detail, now);
    Ok(Converged { subscription: fresh, told: seen.snapshot.status.clone(), events: Vec::new(), is_new: true })
}

async fn update(
    app: &App,
    tx: &Tx,
    known: Subscription,
    seen: Seen<'_>,
    now: OffsetDateTime,
) -> Result<Converged, AppError> {
    let Some(observation) = observe(&known, seen.snapshot) else {
        return Ok(Converged {
            subscription: known,
            told: seen.snapshot.status.clone(),
            events: Vec::new(),
            is_new: false,
        });
    };
    let enrolment = tx.find_enrolment(known.microsoft.id).await?;
    let before = known.clone();
    let mut fresh = Subscription { microsoft: observation.snapshot, observed_at: seen.asked_at, ..known };
    let mut happened = Vec::new();
    for event in observation.events {
        match fresh.stage.on(event, now) {
            Ok(next) => {
                fresh.stage = next;
                let news = News { event, before: &before, enrolment: enrolment.as_ref(), ended_at: seen.ended_at };
                take_effect(app, tx, &mut fresh, news, now).await?;
                happened.push(event);
            }
            Err(refused) => find_out(tx, &fresh, "unexpected_event", event.name(), &refused.to_string(), now).await?,
        }
    }
    follow_term(tx, &mut fresh, now).await?;
    write_subscription(app, tx, &mut fresh, now).await?;
    if fresh.unwritten_renewal().is_some() {
        tx.schedule_job(JobKind::RenewSubscription, fresh.microsoft.id, now, now).await?;
    }
    for event in &happened {
        let detail = serde_json::json!({ "status": fresh.microsoft.status.as_str(), "stage": fresh.stage.name() });
        audit(tx, fresh.microsoft.id, "microsoft", audit_word(*event), &detail, now);
    }
    Ok(Converged { subscription: fresh, told: seen.snapshot.status.clone(), events: happened, is_new: false })
}

/// Microsoft's dates are the truth, within a term, too. Another end is taken over; what was charged for the old dates is for
/// a person to look at.
async fn follow_term(tx: &Tx, fresh: &mut Subscription, now: OffsetDateTime) -> Result<(), AppError> {
    let (Some(own), Some(told)) = (fresh.term, fresh.microsoft.term) else { return Ok(()) };
    if own == told || fresh.unwritten_renewal().is_some() || matches!(fresh.stage, Stage::Ended { .. }) {
        return Ok(());
    }
    if own.start == told.start {
        fresh.term = Some(told);
        tx.schedule_job(JobKind::IssueKey, fresh.microsoft.id, now, now).await?;
    }
    let detail = format!(
        "Microsoft moved the term from {}–{} to {}–{}; see to it that the charges fit",
        own.start, own.end, told.start, told.end
    );
    find_out(tx, fresh, "term_moved", &format!("{}/{}", told.start, told.end), &detail, now).await
}

/// An event with its circumstances.
#[derive(Clone, Copy)]
struct News<'a> {
    event: Event,
    before: &'a Subscription,
    enrolment: Option<&'a Enrolment>,
    ended_at: Option<OffsetDateTime>,
}

async fn take_effect(
    app: &App,
    tx: &Tx,
    fresh: &mut Subscription,
    news: News<'_>,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let Some(enrolment) = news.enrolment.filter(|_| fresh.stage.enrolled().is_some()) else { return Ok(()) };
    let mark = fresh.version.to_string();
    let letter = |subscription| Letter { subscription, enrolment: Some(enrolment), key: None, cause: &mark };
    match news.event {
        Event::Suspended => {
            hold_due(tx, fresh, now).await?;
            queue(app, tx, letter(fresh), &LifeEvent::Suspended, now).await
        }
        Event::Reinstated if matches!(news.before.stage, Stage::Suspended { .. }) => {
            tx.schedule_job(JobKind::ReleaseCharges, fresh.microsoft.id, now, now).await?;
            tx.schedule_job(JobKind::IssueKey, fresh.microsoft.id, now, now).await?;
            queue(app, tx, letter(fresh), &LifeEvent::Reinstated, now).await
        }
        Event::SeatsChanged => seats_changed(app, tx, fresh, enrolment, now).await,
        Event::PlanChanged => plan_changed(app, tx, fresh, &news.before.microsoft.plan_id, now).await,
        Event::Ended => {
            let before = BeforeEnd {
                last_seen_alive: news.before.observed_at,
                suspended_at: match news.before.stage {
                    Stage::Suspended { suspended_at, .. } => Some(suspended_at),
                    _ => None,
                },
                told: news.ended_at,
            };
            end_subscription(app, tx, fresh, enrolment, before, now).await
        }
        _ => Ok(()),
    }
}

/// A suspension holds what is not on its way yet (`product.md` §4.7).
async fn hold_due(tx: &Tx, fresh: &Subscription, now: OffsetDateTime) -> Result<(), AppError> {
    let charges = tx.list_charges(fresh.microsoft.id).await?;
    let due: Vec<Uuid> = charges.iter().filter(|charge| charge.state == State::Due).map(|charge| charge.id).collect();
    tx.move_charges(&due, (State::Due, State::Held), "the subscription is suspended", now).await?;
    Ok(())
}

/// Where Microsoft bills seats, its own number is the truth; elsewhere its quantity means nothing.
async fn seats_changed(
    app: &App,
    tx: &Tx,
    fresh: &mut Subscription,
    enrolment: &Enrolment,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    // A plan that the catalog does not have is a finding of its own (`change_plan`).
    let plan = app.catalog.find_plan(&fresh.microsoft.offer_id, &fresh.microsoft.plan_id);
    let Some((_, plan)) = plan.filter(|(_, plan)| plan.model == Model::PerUser) else { return Ok(()) };
    let Some(to) = fresh.microsoft.quantity else { return Ok(()) };
    if let Err(refused) = check_seats(plan, to) {
        let detail = format!("Microsoft has {to} seats although they are refused ({refused}); talk to the customer");
        find_out(tx, fresh, "seats_changed", &to.to_string(), &detail, now).await?;
    }
    let from = fresh.users;
    if from == Some(to) {
        return Ok(());
    }
    fresh.users = Some(to);
    fresh.planned = fresh.planned.filter(|planned| planned.users < to);
    let key = issue_key(app, tx, fresh, enrolment, now).await?;
    let mark = fresh.version.to_string();
    let letter = Letter { subscription: fresh, enrolment: Some(enrolment), key: key.as_ref(), cause: &mark };
    queue(app, tx, letter, &LifeEvent::SeatsChanged { from, to }, now).await
}

/// Renders a mail and queues it, once for its cause.
pub(super) async fn queue(
    app: &App,
    tx: &Tx,
    letter: Letter<'_>,
    event: &LifeEvent<'_>,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    if let Some(mail) = life_mail(app, letter, event)? {
        tx.queue_mail(&mail, now).await?;
    }
    Ok(())
}

/// Writes a changed subscription and what the calendar asks for next.
pub(super) async fn write_subscription(
    app: &App,
    tx: &Tx,
    subscription: &mut Subscription,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    tx.update_subscription(subscription, now).await?;
    subscription.version += 1;
    schedule_appointment(app, tx, subscription, now).await
}

async fn schedule_appointment(
    app: &App,
    tx: &Tx,
    subscription: &Subscription,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    if let Some(at) = appointment_after_change(subscription, app.retention, now) {
        tx.schedule_job(JobKind::KeepAppointment, subscription.microsoft.id, at, now).await?;
    }
    Ok(())
}

/// Tells a person, once for each (kind, cause).
pub(super) async fn find_out(
    tx: &Tx,
    subscription: &Subscription,
    kind: &str,
    cause: &str,
    detail: &str,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let finding = Finding {
        subscription_id: subscription.microsoft.id,
        kind: kind.to_owned(),
        cause: cause.to_owned(),
        detail: detail.to_owned(),
        found_at: now,
    };
    Ok(tx.record_finding(&finding).await?)
}

/// Appends to the audit log.
pub(super) fn audit(tx: &Tx, id: Uuid, actor: &str, action: &str, detail: &serde_json::Value, now: OffsetDateTime) {
    let detail = detail.to_string();
    tx.record_audit(AuditEntry { subscription_id: id, actor, action, detail: &detail }, now);
}

fn audit_word(event: Event) -> &'static str {
    match event {
        Event::Suspended => "subscription_suspended",
        Event::Reinstated => "subscription_reinstated",
        Event::Ended => "subscription_ended",
        Event::PlanChanged => "plan_changed",
        Event::SeatsChanged => "seats_changed",
        _ => "subscription_changed",
    }
}
