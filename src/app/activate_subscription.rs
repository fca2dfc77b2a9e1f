//! The job that brings an accepted order to its end: activate, ask until it is true, then charges, key and mail in one
//! transaction. Every step may run twice.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    App, AppError, Step,
    open_purchase::{note_credential, record_snapshot},
    review_order::check_term,
    welcome_mail::{Activated, welcome_mail},
};
use crate::{
    clock::new_id,
    domain::{
        enrolment::FrozenQuote,
        license::{Claims, Organisation, first_key_expiry},
        pricing::Line,
        proration::FirstTerm,
        subscription::{MicrosoftStatus, Snapshot, Stage, Subscription},
        time::Term,
    },
    marketplace::MarketplaceError,
    signing::SignedKey,
    store::{AuditEntry, Enrolment, JobKind, Lease, LicenseKey, NewCharge, NewMail, Tx},
};

/// Microsoft takes up to a minute from "received" to `Subscribed`.
const POLL: Duration = Duration::seconds(2);
/// What takes longer than that is not waited for by the second.
const LATE_POLL: Duration = Duration::minutes(5);
/// "Received" without an effect for so long: ask again.
const RECEIVED_IS_STALE: Duration = Duration::minutes(2);
const SUSPENDED_PAUSE: Duration = Duration::minutes(15);

/// Runs one step; the job is finished together with its effect.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn activate_subscription(app: &App, lease: Lease, id: Uuid) -> Result<Step, AppError> {
    let Some(subscription) = app.store.find_subscription(id).await? else { return Ok(Step::Done) };
    let Stage::Activating { enrolled_at } = subscription.stage else { return Ok(Step::Done) };
    let answer = app.marketplace.get_subscription(id).await;
    note_credential(app, answer.as_ref().err());
    let snapshot = answer?.value;
    match (&snapshot.status, snapshot.term) {
        (MicrosoftStatus::Subscribed, Some(term)) => {
            let (_, plan) = app.find_plan(&snapshot.offer_id, &snapshot.plan_id)?;
            check_term(&snapshot, plan)?;
            complete(app, lease, snapshot, term).await
        }
        // Dates come some moments after the status.
        (MicrosoftStatus::Subscribed, None) | (MicrosoftStatus::Unknown(_), _) => {
            let late = app.clock.now() - enrolled_at > RECEIVED_IS_STALE;
            Ok(Step::Again(if late { LATE_POLL } else { POLL }))
        }
        (MicrosoftStatus::PendingFulfillmentStart, _) => activate(app, &snapshot).await,
        (MicrosoftStatus::Suspended, _) => Ok(Step::Again(SUSPENDED_PAUSE)),
        (MicrosoftStatus::Unsubscribed, _) => {
            record_snapshot(app, &snapshot).await?;
            Ok(Step::Done)
        }
    }
}

/// Asks Microsoft to activate, unless it has just said that it will. The intent is committed before the call.
async fn activate(app: &App, snapshot: &Snapshot) -> Result<Step, AppError> {
    let now = app.clock.now();
    let last = app.store.find_newest_call(snapshot.id, "activate").await?;
    let received = last
        .is_some_and(|call| call.outcome.as_deref() == Some("accepted") && now - call.intended_at < RECEIVED_IS_STALE);
    if received {
        return Ok(Step::Again(POLL));
    }
    let call_id = app.store.record_intent(snapshot.id, "activate", now).await?;
    let answer = app.marketplace.activate(snapshot.id, &snapshot.plan_id, snapshot.quantity).await;
    note_credential(app, answer.as_ref().err());
    let now = app.clock.now();
    match answer {
        Ok(answer) => {
            let ids = Some((answer.request_id.as_str(), answer.correlation_id.as_str()));
            app.store.record_answer(call_id, "accepted", ids, now).await?;
            Ok(Step::Again(Duration::milliseconds(300)))
        }
        // Refused because it is active already (a lost race with auto-activation): the next look at it tells.
        Err(error @ MarketplaceError::Refused { .. }) => {
            app.store.record_answer(call_id, &error.to_string(), None, now).await?;
            let fresh = app.marketplace.get_subscription(snapshot.id).await?.value;
            if fresh.status == MicrosoftStatus::Subscribed { Ok(Step::Again(POLL)) } else { Err(error.into()) }
        }
        // No answer is not a no: the intent stays open.
        Err(error @ MarketplaceError::NoAnswer(_)) => Err(error.into()),
        Err(error) => {
            app.store.record_answer(call_id, &error.to_string(), None, now).await?;
            Err(error.into())
        }
    }
}

/// What is written when Microsoft says `Subscribed`.
struct Completion {
    subscription: Subscription,
    enrolment: Enrolment,
    frozen: FrozenQuote,
    first: FirstTerm,
    charges: Vec<Line>,
    key: LicenseKey,
    mail: NewMail,
}

async fn complete(app: &App, lease: Lease, snapshot: Snapshot, term: Term) -> Result<Step, AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let subscription = tx.get_subscription(snapshot.id).await?;
    let Stage::Activating { enrolled_at } = subscription.stage else {
        tx.finish_job(lease).await?;
        tx.commit().await?;
        return Ok(Step::Done);
    };
    let enrolment = tx.get_enrolment(snapshot.id).await?;
    let frozen = tx.get_quote(enrolment.quote_id).await?.frozen;
    if let Some(quote) = frozen.quote.as_ref().filter(|quote| *quote.plan_id != *snapshot.plan_id) {
        let text = format!("{} was ordered in plan {} and is now in {}", snapshot.id, quote.plan_id, snapshot.plan_id);
        return Err(AppError::Internal(text));
    }
    // Activated by Microsoft before the order: then the order is what starts the clock.
    let activated_at = if frozen.estimated { now } else { enrolled_at };
    let stage = Stage::Active { enrolled_at, activated_at };
    // Where Microsoft bills seats, its own number is the truth.
    let users = snapshot.quantity.filter(|_| frozen.quote.is_none()).or(subscription.users);
    let subscription = Subscription { microsoft: snapshot, stage, users, ..subscription };
    let completion = prepare(app, subscription, enrolment, frozen, term, activated_at)?;
    write(&tx, &completion, now).await?;
    tx.finish_job(lease).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(Step::Done)
}

/// Final figures, key and mail: computed, not yet written.
fn prepare(
    app: &App,
    subscription: Subscription,
    enrolment: Enrolment,
    frozen: FrozenQuote,
    term: Term,
    activated_at: OffsetDateTime,
) -> Result<Completion, AppError> {
    let (first, charges) = frozen.at_activation(term, activated_at.max(enrolment.submitted_at))?;
    let (key, provisional) = sign_first_key(app, &subscription, &enrolment, &frozen, &first)?;
    let activated = Activated { subscription: &subscription, enrolment: &enrolment, frozen: &frozen, first: &first };
    let mail = welcome_mail(app, activated, &charges, &key, provisional)?;
    Ok(Completion { subscription, enrolment, frozen, first, charges, key, mail })
}

async fn write(tx: &Tx, completion: &Completion, now: OffsetDateTime) -> Result<(), AppError> {
    let Completion { subscription, enrolment, first, charges, key, mail, frozen } = completion;
    let id = subscription.microsoft.id;
    tx.update_subscription(subscription, now).await?;
    for (position, line) in charges.iter().enumerate() {
        let charge = NewCharge {
            subscription_id: id,
            quote_id: enrolment.quote_id,
            reason: "enrolment",
            term_start: first.term.start,
            position,
            line,
            reportable_from: first.reportable_from,
        };
        tx.insert_charge(charge, now).await?;
    }
    tx.insert_license_key(key, now).await?;
    let mail_id = tx.insert_mail(mail, now).await?;
    tx.insert_job(JobKind::SendMail, mail_id, now).await?;
    let detail = serde_json::json!({
        "users": frozen.order.users, "charges": charges.len(), "license": key.license_id, "seq": key.seq,
    });
    let detail = detail.to_string();
    let entry =
        AuditEntry { subscription_id: Some(id), actor: "seatkey", action: "subscription_activated", detail: &detail };
    Ok(tx.record_audit(entry, now).await?)
}

fn sign_first_key(
    app: &App,
    subscription: &Subscription,
    enrolment: &Enrolment,
    frozen: &FrozenQuote,
    first: &FirstTerm,
) -> Result<(LicenseKey, bool), AppError> {
    let microsoft = &subscription.microsoft;
    let (offer, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    let (expires_at, provisional) = first_key_expiry(first, frozen.first_key);
    let now = app.clock.now();
    let license_id = format!("lic_{}", new_id(now).simple());
    let claims = Claims {
        iss: app.issuer().to_owned(),
        jti: license_id.clone(),
        seq: 1,
        product: offer.id.clone(),
        plan: plan.id.to_string(),
        segment: frozen.segment().map(ToString::to_string),
        org: Organisation { name: enrolment.organisation.clone(), tid: microsoft.beneficiary.tenant_id },
        users: subscription.users,
        devices_per_user: plan.devices_per_user,
        trial: first.trial_days > 0,
        provisional,
        test: microsoft.is_test,
        nbf: first.start_day.midnight().assume_utc().unix_timestamp(),
        exp: expires_at.unix_timestamp(),
        iat: now.unix_timestamp(),
    };
    let SignedKey { compact, key_id } = app.keyring.sign(&claims)?;
    let key =
        LicenseKey { subscription_id: microsoft.id, license_id, seq: 1, signing_key_id: key_id, compact, expires_at };
    Ok((key, provisional))
}
