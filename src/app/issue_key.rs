//! License keys follow the subscription: whenever the newest key does not say what it may, the next one is signed, in the
//! transaction of the cause.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    App, AppError, Step,
    converge::{audit, queue},
    life_mail::Letter,
};
use crate::{
    clock::new_id,
    domain::{
        license::{Claims, Entitlement, Organisation, decide_entitlement, waits_until},
        subscription::{Stage, Subscription},
        time::{end_of_day, utc_day},
        trial_grant::TrialGrant,
    },
    pages::mail::life::LifeEvent,
    signing::{self, SignedKey},
    store::{Enrolment, HOUSE, JobKind, Lease, LicenseKey, Revocation, Tx},
};

/// More keys than anybody signs for a license between a backup and its use.
const SEQ_JUMP: u32 = 1_000;

/// What a stored key says.
///
/// # Errors
/// [`AppError::Internal`] when it is none of ours.
pub(super) fn claims_of(key: &LicenseKey) -> Result<Claims, AppError> {
    signing::inspect(&key.compact).map_err(|error| AppError::Internal(error.to_string()))
}

/// What becomes of the newest key.
enum NextKey {
    /// It says what it may, or the license is revoked.
    Stays,
    /// The next one waits for Microsoft's acceptance.
    Waits(OffsetDateTime),
    /// A newer one.
    Signed(LicenseKey),
}

/// Signs a newer key when the newest one says something else than the subscription is worth now; `None` when it does not,
/// when the license is revoked, or when the key waits for an acceptance: a job looks again.
pub(super) async fn issue_key(
    app: &App,
    tx: &Tx,
    subscription: &Subscription,
    enrolment: &Enrolment,
    now: OffsetDateTime,
) -> Result<Option<LicenseKey>, AppError> {
    match sign_next(app, tx, subscription, enrolment, now).await? {
        NextKey::Stays => Ok(None),
        NextKey::Waits(until) => {
            tx.schedule_job(JobKind::IssueKey, subscription.microsoft.id, until, now).await?;
            Ok(None)
        }
        NextKey::Signed(key) => Ok(Some(key)),
    }
}

/// The job: signs and mails the key that follows when fees were accepted, or bridges the time until they are.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn issue_due_key(app: &App, lease: Lease, id: Uuid) -> Result<Step, AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let subscription = tx.get_subscription(id).await?;
    let over = subscription.term.is_none_or(|term| end_of_day(term.end) <= now);
    let ended = matches!(subscription.stage, Stage::Ended { .. });
    let Some(enrolment) = tx.find_enrolment(id).await?.filter(|_| !(ended && over)) else { return Ok(Step::Done) };
    match sign_next(app, &tx, &subscription, &enrolment, now).await? {
        NextKey::Stays => return Ok(Step::Done),
        NextKey::Waits(until) => return Ok(Step::Again(until - now)),
        NextKey::Signed(key) => {
            let cause = key.seq.to_string();
            let letter =
                Letter { subscription: &subscription, enrolment: Some(&enrolment), key: Some(&key), cause: &cause };
            queue(app, &tx, letter, &LifeEvent::KeyReady, now).await?;
            let detail = serde_json::json!({ "seq": key.seq, "expires": key.expires_at.unix_timestamp() });
            audit(&tx, id, "seatkey", "key_issued", &detail, now);
        }
    }
    tx.finish_job(lease).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(Step::Done)
}

async fn sign_next(
    app: &App,
    tx: &Tx,
    subscription: &Subscription,
    enrolment: &Enrolment,
    now: OffsetDateTime,
) -> Result<NextKey, AppError> {
    let microsoft = &subscription.microsoft;
    let Some((_, plan)) = app.catalog.find_plan(&microsoft.offer_id, &microsoft.plan_id) else {
        return Ok(NextKey::Stays);
    };
    let charges = tx.list_charges(microsoft.id).await?;
    let Some(entitlement) = decide_entitlement(subscription, plan, &charges) else { return Ok(NextKey::Stays) };
    let newest = tx.find_newest_key(microsoft.id).await?;
    if let Some(newest) = &newest {
        // A payment is missing: the next key comes with the reinstatement. A key that has ended is of no use to anybody.
        if matches!(subscription.stage, Stage::Suspended { .. }) || entitlement.expires_at <= now {
            return Ok(NextKey::Stays);
        }
        if tx.find_revocation(&newest.license_id).await?.is_some() || entitlement.is_said_by(&claims_of(newest)?) {
            return Ok(NextKey::Stays);
        }
        if let Some(until) = waits_until(subscription, &charges).filter(|until| *until > now) {
            return Ok(NextKey::Waits(until));
        }
    }
    let before = match newest {
        Some(newest) => Some(newest),
        None => find_taken_over(tx, microsoft.id).await?,
    };
    let license_id = before.as_ref().map_or_else(|| new_license_id(now), |before| before.license_id.clone());
    let seq = next_seq(tx, before.as_ref()).await?;
    let key = sign(app, subscription, enrolment, entitlement, (license_id, seq), now)?;
    tx.insert_license_key(&key, now).await?;
    Ok(NextKey::Signed(key))
}

/// Revokes the license and signs the first key of a new one: whoever has the old key has nothing.
pub(super) async fn replace_license(
    app: &App,
    tx: &Tx,
    subscription: &Subscription,
    enrolment: &Enrolment,
    now: OffsetDateTime,
) -> Result<Option<LicenseKey>, AppError> {
    let microsoft = &subscription.microsoft;
    let (_, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    let charges = tx.list_charges(microsoft.id).await?;
    let newest = tx.find_newest_key(microsoft.id).await?;
    let (Some(entitlement), Some(newest)) = (decide_entitlement(subscription, plan, &charges), newest) else {
        return Ok(None);
    };
    revoke(tx, subscription, &newest, "rotated", now).await?;
    let seq = next_seq(tx, Some(&newest)).await?;
    let key = sign(app, subscription, enrolment, entitlement, (new_license_id(now), seq), now)?;
    tx.insert_license_key(&key, now).await?;
    Ok(Some(key))
}

/// Puts a license on the revocation list.
pub(super) async fn revoke(
    tx: &Tx,
    subscription: &Subscription,
    newest: &LicenseKey,
    reason: &str,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    // An older key may run longer than the newest one, but none longer than the term.
    let term_end = subscription.term.map_or(newest.expires_at, |term| end_of_day(term.end));
    let revocation = Revocation {
        license_id: newest.license_id.clone(),
        subscription_id: subscription.microsoft.id,
        reason: reason.to_owned(),
        revoked_at: now,
        keys_end_at: newest.expires_at.max(term_end),
    };
    Ok(tx.insert_revocation(&revocation).await?)
}

/// The key of a trial without a purchase that the order took over: the license goes on.
async fn find_taken_over(tx: &Tx, id: Uuid) -> Result<Option<LicenseKey>, AppError> {
    let trials = tx.list_trials_of_subscription(id).await?;
    Ok(trials.iter().find_map(trial_key))
}

/// The key of a trial without a purchase.
pub(super) fn trial_key(grant: &TrialGrant) -> Option<LicenseKey> {
    let license = grant.license.as_ref()?;
    Some(LicenseKey {
        subscription_id: grant.subscription_id.unwrap_or(HOUSE),
        license_id: license.license_id.clone(),
        seq: license.seq,
        signing_key_id: String::new(),
        compact: license.key.clone(),
        expires_at: license.ends_at,
    })
}

pub(super) fn new_license_id(now: OffsetDateTime) -> String {
    format!("lic_{}", new_id(now).simple())
}

/// The next number. A restored database does not know the keys that were signed after the backup: behind a key of before,
/// the numbers jump.
async fn next_seq(tx: &Tx, newest: Option<&LicenseKey>) -> Result<u32, AppError> {
    let Some(newest) = newest else { return Ok(1) };
    let signed_at = claims_of(newest)?.iat;
    let restored_at = tx.get_reporter().await?.restored_at;
    let is_old = restored_at.is_some_and(|at| signed_at <= at.unix_timestamp());
    Ok(newest.seq.saturating_add(if is_old { SEQ_JUMP } else { 1 }))
}

fn sign(
    app: &App,
    subscription: &Subscription,
    enrolment: &Enrolment,
    entitlement: Entitlement,
    (license_id, seq): (String, u32),
    now: OffsetDateTime,
) -> Result<LicenseKey, AppError> {
    let microsoft = &subscription.microsoft;
    let (offer, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    let start = subscription.stage.enrolled().map_or(now, crate::domain::subscription::Enrolled::start);
    let claims = Claims {
        iss: app.issuer().to_owned(),
        jti: license_id.clone(),
        seq,
        product: offer.id.clone(),
        plan: entitlement.plan_id,
        segment: entitlement.segment,
        org: Organisation { name: enrolment.organisation.clone(), tid: microsoft.beneficiary.tenant_id },
        users: entitlement.users,
        devices_per_user: plan.devices_per_user,
        trial: subscription.trial_end.is_some_and(|end| utc_day(now) <= end),
        provisional: entitlement.provisional,
        test: microsoft.is_test,
        nbf: utc_day(start).midnight().assume_utc().unix_timestamp(),
        exp: entitlement.expires_at.unix_timestamp(),
        iat: now.unix_timestamp(),
        planned_change: entitlement.planned_change,
    };
    let SignedKey { compact, key_id } = app.keyring.sign(&claims)?;
    let subscription_id = microsoft.id;
    let expires_at = entitlement.expires_at;
    Ok(LicenseKey { subscription_id, license_id, seq, signing_key_id: key_id, compact, expires_at })
}
