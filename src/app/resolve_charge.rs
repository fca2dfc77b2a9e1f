//! A person decides about a charge that nothing else decides. Two people stand for it; what follows (keys, reporting) is
//! written with it.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    App, AppError,
    converge::audit,
    release_charges::{PRICE_RISEN, WITHDRAWAL_REFUSED},
};
use crate::{
    domain::{
        charge::{Charge, Reason, State},
        decision::{Becomes, Circumstances, Decision, DecisionRefused, check_people, decide},
        pricing::{Item, Line},
        proration::Part,
        staff::Actor,
        subscription::{MicrosoftStatus, Stage, Subscription},
        time::utc_day,
    },
    store::{AdoptedUsage, Finding, JobKind, NewCharges, Tx},
};

/// A decision with the people who stand for it.
#[derive(Debug, Clone, Copy)]
pub struct Resolution<'a> {
    /// The charge.
    pub charge_id: Uuid,
    /// What is decided.
    pub decision: Decision,
    /// Why; at least 10 characters.
    pub reason: &'a str,
    /// Who decides.
    pub by: &'a str,
    /// Who approves: somebody else.
    pub approved_by: &'a str,
}

/// Carries a decision out, and gives the charge's new state.
///
/// # Errors
/// [`AppError::Decision`] when it is not possible or not complete; [`AppError::Store`].
pub async fn resolve_charge(app: &App, resolution: Resolution<'_>) -> Result<State, AppError> {
    let Resolution { charge_id, decision, reason, by, approved_by } = resolution;
    check_people(by, approved_by, reason)?;
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let actor = Actor::Operator { name: by.to_owned() }.audit_word();
    let decided = Decided { charge_id, decision, reason, by, approved_by, actor: &actor };
    let to = decide_charge(app, &tx, decided, now).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(to)
}

/// A decision that two people stand for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decided<'a> {
    pub(super) charge_id: Uuid,
    pub(super) decision: Decision,
    pub(super) reason: &'a str,
    /// Names, for whoever reads the ledger.
    pub(super) by: &'a str,
    pub(super) approved_by: &'a str,
    /// Who decides, as the audit log has it.
    pub(super) actor: &'a str,
}

/// The same within a transaction.
pub(super) async fn decide_charge(
    app: &App,
    tx: &Tx,
    decided: Decided<'_>,
    now: OffsetDateTime,
) -> Result<State, AppError> {
    let Decided { charge_id, decision, reason, by, approved_by, actor } = decided;
    let no_charge = || DecisionRefused::NoCharge(charge_id);
    let found = tx.list_charges_by_id(&[charge_id]).await?;
    let id = found.first().ok_or_else(no_charge)?.0;
    // Its state counts from here on: nobody else writes it.
    let subscription = tx.get_subscription(id).await?;
    let charges = tx.list_charges(id).await?;
    let charge = charges.iter().find(|charge| charge.id == charge_id).ok_or_else(no_charge)?;
    let findings = tx.list_findings(id).await?;
    let becomes = decide(decision, charge.state, circumstances(&subscription, charge, &findings, now))?;
    let words = format!("{}: {} (decided by {by}, approved by {approved_by})", decision.as_str(), reason.trim());
    let to = match becomes {
        Becomes::State(state) => state,
        Becomes::Replaced => State::WrittenOff,
    };
    tx.move_charges(&[charge_id], (charge.state, to), &words, now).await?;
    if charge.state == State::Conflict && to == State::WrittenOff {
        stay_explained(tx, id, charge, &words, now).await?;
    }
    if becomes == Becomes::Replaced {
        correct(app, tx, &subscription, charge, now).await?;
    }
    tx.resolve_charge_findings(id, charge_id, now).await?;
    let others = charges.iter().filter(|other| other.id != charge_id);
    if charge.state == State::Frozen && others.into_iter().all(|other| other.state != State::Frozen) {
        end_plan_changes(tx, id, now).await?;
    }
    let detail = serde_json::json!({
        "charge": charge_id, "decision": decision.as_str(), "from": charge.state.as_str(), "to": to.as_str(),
        "reason": reason.trim(), "approvedBy": approved_by,
    });
    audit(tx, id, actor, "charge_resolved", &detail, now);
    follow(tx, id, to, now).await?;
    Ok(to)
}

/// Whether a decision is possible now.
pub(super) async fn check_decision(
    tx: &Tx,
    (subscription_id, charge): (Uuid, &Charge),
    decision: Decision,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let subscription = tx.get_subscription(subscription_id).await?;
    let findings = tx.list_findings(subscription_id).await?;
    decide(decision, charge.state, circumstances(&subscription, charge, &findings, now))?;
    Ok(())
}

/// What can be decided about a charge now.
pub(super) async fn possible_decisions(
    app: &App,
    subscription: &Subscription,
    charge: &Charge,
) -> Result<Vec<Decision>, AppError> {
    let findings = app.store.list_findings(subscription.microsoft.id).await?;
    let circumstances = circumstances(subscription, charge, &findings, app.clock.now());
    Ok(Decision::ALL.into_iter().filter(|one| decide(*one, charge.state, circumstances).is_ok()).collect())
}

/// What a change of plan had set aside is decided about, all of it.
async fn end_plan_changes(tx: &Tx, id: Uuid, now: OffsetDateTime) -> Result<(), AppError> {
    for finding in tx.list_findings(id).await?.iter().filter(|finding| finding.kind == "plan_changed") {
        tx.resolve_finding(finding, now).await?;
    }
    Ok(())
}

fn circumstances(
    subscription: &Subscription,
    charge: &Charge,
    findings: &[Finding],
    now: OffsetDateTime,
) -> Circumstances {
    let cause = charge.id.to_string();
    let is_subscribed = subscription.microsoft.status == MicrosoftStatus::Subscribed;
    let may_be_told = match subscription.stage {
        Stage::Active(_) => is_subscribed,
        // Microsoft takes what lies before the end for a day.
        Stage::Ended { .. } => true,
        _ => false,
    };
    let holds = |kind: &str, about: &str| match kind {
        PRICE_RISEN => about == cause,
        WITHDRAWAL_REFUSED => true,
        _ => false,
    };
    Circumstances {
        hold_is_over: charge.reportable_from <= now,
        may_be_told,
        is_held_for_a_person: findings.iter().any(|finding| holds(&finding.kind, &finding.cause)),
    }
}

/// Somebody else's event is in the slot of the charge. It has been seen and decided about; it does not raise an alarm when
/// the charge is gone.
async fn stay_explained(tx: &Tx, id: Uuid, charge: &Charge, words: &str, now: OffsetDateTime) -> Result<(), AppError> {
    let since = utc_day(charge.reportable_from.min(charge.since));
    let told = tx.list_told_usage(&[id], since).await?;
    let Some(event) = told.into_iter().find(|event| event.charge_id == charge.id) else { return Ok(()) };
    let adopted = AdoptedUsage {
        subscription_id: id,
        place: event.place,
        quantity: event.quantity.value(),
        cause: charge.id.to_string(),
        reason: words.to_owned(),
    };
    Ok(tx.adopt_usage(&adopted, now).await?)
}

/// The same figures once more, due now. It points at the charge that it replaces.
async fn correct(
    app: &App,
    tx: &Tx,
    subscription: &Subscription,
    charge: &Charge,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let microsoft = &subscription.microsoft;
    let plan_id = charge.plan_id.as_deref().unwrap_or(&microsoft.plan_id);
    let plan = app.catalog.find_plan(&microsoft.offer_id, plan_id);
    let line = plan.and_then(|(_, plan)| charge.line(plan)).unwrap_or_else(|| Line {
        item: Item::Extra { name: charge.description.clone() },
        dimension: charge.dimension.as_str().into(),
        quantity: charge.quantity,
        unit_price: charge.unit_price,
        amount: charge.amount,
    });
    let new = NewCharges {
        subscription_id: microsoft.id,
        cause_id: charge.id,
        reason: Reason::Correction,
        plan_id,
        term_start: charge.term_start,
        lines: &[line],
        part: charge.part.unwrap_or(Part { days: 1, of_days: 1 }),
        users: charge.users,
        from_users: charge.from_users,
        reportable_from: now,
        state: State::Due,
    };
    Ok(tx.insert_charges(new, now).await?)
}

/// Keys follow what is settled; what may be told is told, or looked at by the job that releases.
async fn follow(tx: &Tx, id: Uuid, to: State, now: OffsetDateTime) -> Result<(), AppError> {
    tx.schedule_job(JobKind::IssueKey, id, now, now).await?;
    match to {
        State::Held => tx.schedule_job(JobKind::ReleaseCharges, id, now, now).await?,
        _ => tx.schedule_job(JobKind::ReportUsage, Uuid::nil(), now, now).await?,
    }
    Ok(())
}
