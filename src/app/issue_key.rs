//! License keys follow the subscription: whenever the newest key does not say what it may, the next one is signed, in the
//! transaction of the cause.
//!
//! A key that a vault signs is a network call, which no transaction makes: the cause commits without it and leaves a job. The
//! job derives what the key says, has it signed between two transactions, derives everything again in the second one, and
//! writes the key if it still says the same. (Subscription, number) is unique, so that of two of them one is written.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    App, AppError, Step,
    activate_subscription::late_welcome,
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

/// A key that says something else once it is signed is signed again, so often.
const TRIES: u32 = 4;
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
    /// The next one says this, and is signed in a vault, outside of any transaction.
    Unsigned(Box<Claims>),
    /// A newer one.
    Signed(LicenseKey),
}

/// A key that a vault has signed.
pub(super) struct Ahead {
    claims: Claims,
    signed: SignedKey,
}

/// Has a key signed, wherever the signing key is. Never within a transaction.
pub(super) async fn sign_ahead(app: &App, claims: Claims) -> Result<Ahead, AppError> {
    let signed = app.keyring.sign(&claims).await?;
    Ok(Ahead { claims, signed })
}

/// Signs a newer key when the newest one says something else than the subscription is worth now; `None` when it does not,
/// when the license is revoked, or when the key waits for an acceptance or a vault: a job looks again.
pub(super) async fn issue_key(
    app: &App,
    tx: &Tx,
    subscription: &Subscription,
    enrolment: &Enrolment,
    now: OffsetDateTime,
) -> Result<Option<LicenseKey>, AppError> {
    match sign_next(app, tx, (subscription, enrolment), None, now).await? {
        NextKey::Stays => Ok(None),
        NextKey::Unsigned(_) => {
            tx.schedule_job(JobKind::IssueKey, subscription.microsoft.id, now, now).await?;
            Ok(None)
        }
        NextKey::Waits(until) => {
            tx.schedule_job(JobKind::IssueKey, subscription.microsoft.id, until, now).await?;
            Ok(None)
        }
        NextKey::Signed(key) => Ok(Some(key)),
    }
}

/// The job: signs and mails the key that follows when fees were accepted, or bridges the time until they are; and every key
/// that a vault signs.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn issue_due_key(app: &App, lease: Lease, id: Uuid) -> Result<Step, AppError> {
    let mut ahead = None;
    for _ in 0..TRIES {
        match issue_once(app, lease, id, ahead.take()).await? {
            Issued::Step(step) => return Ok(step),
            Issued::Unsigned(claims) => ahead = Some(sign_ahead(app, *claims).await?),
        }
    }
    // It changes faster than it is signed.
    Ok(Step::Again(time::Duration::SECOND))
}

/// What became of a try.
enum Issued {
    Step(Step),
    /// Nothing is written: this has to be signed first.
    Unsigned(Box<Claims>),
}

async fn issue_once(app: &App, lease: Lease, id: Uuid, ahead: Option<Ahead>) -> Result<Issued, AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let subscription = tx.get_subscription(id).await?;
    let over = subscription.term.is_none_or(|term| end_of_day(term.end) <= now);
    let ended = matches!(subscription.stage, Stage::Ended { .. });
    let Some(enrolment) = tx.find_enrolment(id).await?.filter(|_| !(ended && over)) else {
        return Ok(Issued::Step(Step::Done));
    };
    let is_first = tx.find_newest_key(id).await?.is_none();
    match sign_next(app, &tx, (&subscription, &enrolment), ahead.as_ref(), now).await? {
        NextKey::Stays => return Ok(Issued::Step(Step::Done)),
        NextKey::Waits(until) => return Ok(Issued::Step(Step::Again(until - now))),
        NextKey::Unsigned(claims) => return Ok(Issued::Unsigned(claims)),
        NextKey::Signed(key) => {
            let welcome = if is_first { late_welcome(app, &tx, &subscription, &enrolment, &key).await? } else { None };
            match welcome {
                Some(welcome) => {
                    tx.queue_mail(&welcome, now).await?;
                }
                None => mail_key(app, &tx, (&subscription, &enrolment), &key, now).await?,
            }
            let detail = serde_json::json!({ "seq": key.seq, "expires": key.expires_at.unix_timestamp() });
            audit(&tx, id, "seatkey", "key_issued", &detail, now);
        }
    }
    tx.finish_job(lease).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(Issued::Step(Step::Done))
}

async fn mail_key(
    app: &App,
    tx: &Tx,
    (subscription, enrolment): (&Subscription, &Enrolment),
    key: &LicenseKey,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let cause = key.seq.to_string();
    let letter = Letter { subscription, enrolment: Some(enrolment), key: Some(key), cause: &cause };
    queue(app, tx, letter, &LifeEvent::KeyReady, now).await
}

/// What the next key says, if there is one; signed where it takes no network, or where `ahead` says the same.
async fn sign_next(
    app: &App,
    tx: &Tx,
    (subscription, enrolment): (&Subscription, &Enrolment),
    ahead: Option<&Ahead>,
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
    } else if matches!(subscription.stage, Stage::Suspended { .. } | Stage::Ended { .. }) {
        // It was over before a vault had signed the first key.
        return Ok(NextKey::Stays);
    }
    let before = match newest {
        Some(newest) => Some(newest),
        None => find_taken_over(tx, microsoft.id).await?,
    };
    let license_id = before.as_ref().map_or_else(|| fresh_license_id(ahead, now), |before| before.license_id.clone());
    let seq = next_seq(tx, before.as_ref()).await?;
    let claims = claims_for(app, (subscription, enrolment), entitlement, (license_id, seq), now)?;
    write_key(app, tx, subscription, claims, ahead, now).await
}

/// A new license; the one that a vault has signed already, where it has.
fn fresh_license_id(ahead: Option<&Ahead>, now: OffsetDateTime) -> String {
    ahead.map_or_else(|| new_license_id(now), |ahead| ahead.claims.jti.clone())
}

async fn write_key(
    app: &App,
    tx: &Tx,
    subscription: &Subscription,
    claims: Claims,
    ahead: Option<&Ahead>,
    now: OffsetDateTime,
) -> Result<NextKey, AppError> {
    let signed = match ahead.filter(|ahead| ahead.claims.agrees_with(&claims)) {
        Some(ahead) => Some(ahead.signed.clone()),
        None => app.keyring.sign_here(&claims)?,
    };
    let Some(SignedKey { compact, key_id }) = signed else { return Ok(NextKey::Unsigned(Box::new(claims))) };
    let expires_at = OffsetDateTime::from_unix_timestamp(claims.exp);
    let key = LicenseKey {
        subscription_id: subscription.microsoft.id,
        license_id: claims.jti,
        seq: claims.seq,
        signing_key_id: key_id,
        compact,
        expires_at: expires_at.map_err(|error| AppError::Internal(error.to_string()))?,
    };
    tx.insert_license_key(&key, now).await?;
    Ok(NextKey::Signed(key))
}

/// A license that is replaced.
pub(super) enum Replaced {
    /// By this key.
    By(LicenseKey),
    /// Not yet: this has to be signed first, outside of the transaction.
    Unsigned(Box<Claims>),
}

/// Revokes the license and signs the first key of a new one: whoever has the old key has nothing.
pub(super) async fn replace_license(
    app: &App,
    tx: &Tx,
    (subscription, enrolment): (&Subscription, &Enrolment),
    ahead: Option<&Ahead>,
    now: OffsetDateTime,
) -> Result<Option<Replaced>, AppError> {
    let microsoft = &subscription.microsoft;
    let (_, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    let charges = tx.list_charges(microsoft.id).await?;
    let newest = tx.find_newest_key(microsoft.id).await?;
    let (Some(entitlement), Some(newest)) = (decide_entitlement(subscription, plan, &charges), newest) else {
        return Ok(None);
    };
    revoke(tx, subscription, &newest, "rotated", now).await?;
    let seq = next_seq(tx, Some(&newest)).await?;
    let license_id = fresh_license_id(ahead, now);
    let claims = claims_for(app, (subscription, enrolment), entitlement, (license_id, seq), now)?;
    Ok(match write_key(app, tx, subscription, claims, ahead, now).await? {
        NextKey::Signed(key) => Some(Replaced::By(key)),
        NextKey::Unsigned(claims) => Some(Replaced::Unsigned(claims)),
        NextKey::Stays | NextKey::Waits(_) => None,
    })
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

fn claims_for(
    app: &App,
    (subscription, enrolment): (&Subscription, &Enrolment),
    entitlement: Entitlement,
    (license_id, seq): (String, u32),
    now: OffsetDateTime,
) -> Result<Claims, AppError> {
    let microsoft = &subscription.microsoft;
    let (offer, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    let start = subscription.stage.enrolled().map_or(now, crate::domain::subscription::Enrolled::start);
    Ok(Claims {
        iss: app.issuer().to_owned(),
        jti: license_id,
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
    })
}
