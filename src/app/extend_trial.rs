//! A running trial, or the grace period, is made longer while nothing is reported: the held charges are cancelled and
//! written anew, the key follows, and the buyer is told the new dates (`product.md` §6).

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    App, AppError,
    converge::{audit, queue, write_subscription},
    grant_trial::audit_grant,
    issue_key::issue_key,
    life_mail::Letter,
    open_trial::{open_trial, schedule_trial},
    preview_extension::{Admitted, Rewriting, admit, derive_charges, preview_within},
};
use crate::{
    clock::new_id,
    domain::{
        change::FrozenChange,
        charge::{Charge, State as ChargeState},
        pricing::Line,
        proration::Part,
        staff::Actor,
        subscription::Subscription,
        time::{end_of_day, plus_days, utc_day},
        trial_grant::{
            Contact, DEFAULT_OFFER_DAYS, Extends, Granter, Kind, State, TrialGrant, TrialRefused, check_reason,
            extension::{Extended, Rewritten, changes, decide_extension},
        },
    },
    pages::mail::life::LifeEvent,
    store::{ChangeState, Enrolment, NewChange, NewCharges, Tx},
};

/// No part of a term.
const WHOLE: Part = Part { days: 1, of_days: 1 };

/// What is to be made longer.
#[derive(Debug, Clone, Copy)]
pub struct TrialExtension<'a> {
    /// The subscription.
    pub subscription_id: Uuid,
    /// Its trial, or its grace period.
    pub extends: Extends,
    /// Days more.
    pub days: u32,
    /// Why; at least 10 characters.
    pub reason: &'a str,
}

/// Extends, or proposes it where it takes a second person; gives the grant.
///
/// # Errors
/// [`AppError::Trial`] with what to do: nothing runs that could be longer, or something is reported; [`AppError::Store`].
pub async fn extend_trial(app: &App, actor: &Actor, extension: TrialExtension<'_>) -> Result<TrialGrant, AppError> {
    let tx = app.store.begin().await?;
    let grant = write_extension(app, &tx, actor, extension).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(grant)
}

/// The same, if what becomes of the charges is still what was shown.
///
/// # Errors
/// [`TrialRefused::ShownOtherwise`]; else as [`extend_trial`].
pub(super) async fn extend_as_shown(
    app: &App,
    actor: &Actor,
    extension: TrialExtension<'_>,
    fingerprint: &str,
) -> Result<TrialGrant, AppError> {
    let tx = app.store.begin().await?;
    let preview = preview_within(app, &tx, actor, extension).await?;
    if preview.fingerprint() != fingerprint {
        return Err(TrialRefused::ShownOtherwise.into());
    }
    let grant = write_extension(app, &tx, actor, extension).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(grant)
}

/// The same in a transaction of the caller's, who wakes the workers after the commit.
///
/// # Errors
/// As [`extend_trial`].
pub async fn write_extension(
    app: &App,
    tx: &Tx,
    actor: &Actor,
    extension: TrialExtension<'_>,
) -> Result<TrialGrant, AppError> {
    let now = app.clock.now();
    check_reason(extension.reason)?;
    // Nobody has to approve what cannot be carried out.
    let Admitted { subscription, enrolment, offer, begins, .. } = admit(app, tx, actor, extension).await?;
    let mut grant = fresh_grant(actor, &subscription, &enrolment, extension, now);
    grant.trial_group.clone_from(&offer.trial_group);
    grant.offer_id.clone_from(&offer.id);
    if begins == State::Open {
        open_trial(app, tx, &mut grant, (actor, None), now).await?;
    } else {
        audit_grant(tx, &grant, actor, "trial_proposed", now);
    }
    tx.insert_trial_grant(&grant).await?;
    schedule_trial(app, tx, &grant, now).await?;
    Ok(grant)
}

fn fresh_grant(
    actor: &Actor,
    subscription: &Subscription,
    enrolment: &Enrolment,
    extension: TrialExtension<'_>,
    now: OffsetDateTime,
) -> TrialGrant {
    let microsoft = &subscription.microsoft;
    let contact = Contact {
        organisation: enrolment.organisation.clone(),
        name: enrolment.buyer_name.clone(),
        email: enrolment.buyer_email.clone(),
        language: enrolment.language.clone(),
    };
    TrialGrant {
        id: new_id(now),
        kind: Kind::Extension,
        offer_id: microsoft.offer_id.clone(),
        plan_id: microsoft.plan_id.clone(),
        trial_group: String::new(),
        tenant_id: microsoft.beneficiary.tenant_id,
        domain: None,
        contact,
        extends: Some(extension.extends),
        subscription_id: Some(microsoft.id),
        days: extension.days,
        users: subscription.users,
        reason: extension.reason.trim().to_owned(),
        state: State::Proposed,
        granted_by: Granter::of(actor),
        granted_at: now,
        expires_at: end_of_day(plus_days(utc_day(now), DEFAULT_OFFER_DAYS)),
        opened_at: None,
        used_at: None,
        taken_back: None,
        license: None,
        version: 1,
    }
}

/// One transaction: dates, charges, key, mail, audit entry.
pub(super) async fn carry_out(
    app: &App,
    tx: &Tx,
    grant: &TrialGrant,
    actor: &Actor,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let (Some(id), Some(extends)) = (grant.subscription_id, grant.extends) else {
        return Err(AppError::Internal(format!("the extension {} does not say of what", grant.id)));
    };
    // A release in the same moment does not change the subscription's version: it waits for the row.
    let mut subscription = tx.get_subscription(id).await?;
    let enrolment = tx.get_enrolment(id).await?;
    let charges = tx.list_charges(id).await?;
    let extended = decide_extension(&subscription, &charges, (extends, grant.days), now)?;
    let mut lines = Vec::new();
    for group in derive_charges(app, tx, &subscription, &charges, extended).await? {
        rewrite(tx, &subscription, grant, &group, extended, now).await?;
        lines.extend(group.charges.into_iter().map(|(_, rewritten)| rewritten.line));
    }
    let before = (subscription.trial_end, subscription.grace_end);
    (subscription.trial_end, subscription.grace_end) = (extended.trial_end, extended.grace_end);
    let key = issue_key(app, tx, &subscription, &enrolment, now).await?;
    write_subscription(app, tx, &mut subscription, now).await?;
    let cause = grant.id.to_string();
    let letter = Letter { subscription: &subscription, enrolment: Some(&enrolment), key: key.as_ref(), cause: &cause };
    let event = LifeEvent::Extended {
        trial_end: extended.trial_end.filter(|_| extends == Extends::Trial),
        days: grant.days,
        held_until: extended.reportable_from,
        lines: &lines,
    };
    queue(app, tx, letter, &event, now).await?;
    let detail = serde_json::json!({
        "trial": grant.id, "extends": extends.as_str(), "days": grant.days, "reason": grant.reason,
        "before": { "trialEnd": before.0, "graceEnd": before.1.map(OffsetDateTime::unix_timestamp) },
        "after": {
            "trialEnd": extended.trial_end, "graceEnd": extended.grace_end.map(OffsetDateTime::unix_timestamp),
        },
    });
    audit(tx, id, &actor.audit_word(), "trial_extended", &detail, now);
    Ok(())
}

/// Writes the held charges of one cause anew, where anything of them changes.
async fn rewrite(
    tx: &Tx,
    subscription: &Subscription,
    grant: &TrialGrant,
    group: &Rewriting,
    extended: Extended,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let changed: Vec<&(Charge, Rewritten)> =
        group.charges.iter().filter(|(old, new)| changes(old, new, extended)).collect();
    let Some((first, _)) = changed.first() else { return Ok(()) };
    // What is bought once is for no part of the term.
    let mut parts = changed.iter().filter(|(old, _)| old.part.is_some()).map(|(_, new)| new.part);
    let ids: Vec<Uuid> = changed.iter().map(|(old, _)| old.id).collect();
    let lines: Vec<Line> = changed.iter().map(|(_, new)| new.line.clone()).collect();
    tx.move_charges(&ids, (ChargeState::Held, ChargeState::Cancelled), "written anew for an extension", now).await?;
    let new = NewCharges {
        subscription_id: subscription.microsoft.id,
        cause_id: record_cause(tx, grant, first, group.upgrade.as_ref(), now).await?,
        reason: first.reason,
        plan_id: &group.plan_id,
        term_start: first.term_start,
        lines: &lines,
        part: parts.next().unwrap_or(WHOLE),
        users: first.users,
        from_users: first.from_users,
        reportable_from: extended.reportable_from,
        state: ChargeState::Held,
    };
    Ok(tx.insert_charges(new, now).await?)
}

/// The extension as a cause of its own; of an upgrade, with what it was frozen as.
async fn record_cause(
    tx: &Tx,
    grant: &TrialGrant,
    charge: &Charge,
    upgrade: Option<&FrozenChange>,
    now: OffsetDateTime,
) -> Result<Uuid, AppError> {
    let body = match upgrade {
        Some(frozen) => serde_json::to_value(frozen).map_err(|error| AppError::Internal(error.to_string()))?,
        None => serde_json::json!({ "trial": grant.id }),
    };
    let id = new_id(now);
    let subscription_id = grant.subscription_id.unwrap_or_default();
    let change = NewChange {
        id,
        subscription_id,
        kind: "extension",
        cause: format!("extension:{}:{}", grant.id, charge.cause_id),
        body,
        state: ChangeState::Done,
        shown_to: None,
        expires_at: now,
    };
    tx.insert_change(&change, now).await?;
    Ok(id)
}
