//! One person proposes a decision about a charge, another one approves it; only then it is carried out, in one transaction
//! with the approval.

use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    App, AppError,
    converge::audit,
    resolve_charge::{Decided, decide_charge},
};
use crate::{
    clock::new_id,
    domain::{
        approval::{ApprovalRefused, PROPOSAL_LIFETIME, Proposal, ProposalKind, ProposalState, check_approval},
        charge::Charge,
        decision::{Decision, DecisionRefused, check_reason},
        staff::{Actor, Member},
    },
    store::{StoreError, Tx},
};

/// How a charge stands, for a proposal about it.
fn basis(charge: &Charge) -> String {
    format!("{} since {}", charge.state.as_str(), charge.since.unix_timestamp_nanos())
}

async fn find_charge(tx: &Tx, id: Uuid) -> Result<(Uuid, Charge), AppError> {
    let found = tx.list_charges_by_id(&[id]).await?.into_iter().next();
    Ok(found.ok_or(DecisionRefused::NoCharge(id))?)
}

/// Proposes a decision; gives the proposal's id.
///
/// # Errors
/// [`AppError::Decision`] when it is not possible or has no reason; [`AppError::Approval`] when there is another one.
pub(super) async fn propose_resolution(
    app: &App,
    member: &Member,
    (charge_id, decision): (Uuid, Decision),
    reason: &str,
) -> Result<Uuid, AppError> {
    check_reason(reason)?;
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let (subscription_id, charge) = find_charge(&tx, charge_id).await?;
    super::resolve_charge::check_decision(&tx, (subscription_id, &charge), decision, now).await?;
    let proposal = Proposal {
        id: new_id(now),
        kind: ProposalKind::ResolveCharge,
        subject: charge_id,
        subscription_id: Some(subscription_id),
        body: decision.as_str().to_owned(),
        basis: basis(&charge),
        reason: reason.trim().to_owned(),
        proposed_by: member.id,
        proposed_at: now,
        expires_at: now + PROPOSAL_LIFETIME,
        state: ProposalState::Open,
    };
    let taken = |error: StoreError| match error {
        StoreError::Conflict(_) => AppError::Approval(ApprovalRefused::Pending),
        error => error.into(),
    };
    tx.insert_proposal(&proposal).await.map_err(taken)?;
    note(&tx, member, "resolution_proposed", &proposal, now);
    tx.commit().await?;
    Ok(proposal.id)
}

/// Approves a proposal and carries it out.
///
/// # Errors
/// [`AppError::Approval`] when it cannot be approved by this person or any more; [`AppError::Decision`] when the decision
/// is not possible any more.
pub(super) async fn approve(app: &App, member: &Member, id: Uuid) -> Result<(), AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let proposal = tx.get_proposal(id).await?;
    let proposer = tx.find_staff_member(proposal.proposed_by).await?;
    // The roles of the last sign-in: they may be other ones than those of the page that was looked at.
    let approver = tx.find_staff_member(member.id).await?.ok_or(AppError::Forbidden)?;
    let (_, charge) = find_charge(&tx, proposal.subject).await?;
    check_approval(&proposal, proposer.as_ref(), &approver, &basis(&charge), now)?;
    let decision = Decision::from_word(&proposal.body).ok_or(ApprovalRefused::Stale)?;
    tx.decide_proposal(id, (ProposalState::Approved, member.id), "", now).await?;
    let actor = proposer.map(Actor::Member).ok_or(AppError::Forbidden)?;
    let decided = Decided {
        charge_id: proposal.subject,
        decision,
        reason: &proposal.reason,
        by: actor.name(),
        approved_by: &approver.name,
        actor: &actor.audit_word(),
    };
    note(&tx, &approver, "resolution_approved", &proposal, now);
    decide_charge(app, &tx, decided, now).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(())
}

/// Refuses a proposal, or takes one's own back.
///
/// # Errors
/// [`AppError::Decision`] without a reason; [`StoreError::Conflict`] when somebody has decided already.
pub(super) async fn refuse(app: &App, member: &Member, id: Uuid, reason: &str) -> Result<(), AppError> {
    check_reason(reason)?;
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let proposal = tx.get_proposal(id).await?;
    tx.decide_proposal(id, (ProposalState::Refused, member.id), reason.trim(), now).await?;
    note(&tx, member, "resolution_refused", &proposal, now);
    Ok(tx.commit().await?)
}

fn note(tx: &Tx, member: &Member, action: &str, proposal: &Proposal, now: OffsetDateTime) {
    let detail = json!({
        "proposal": proposal.id, "charge": proposal.subject, "decision": proposal.body, "reason": proposal.reason,
    });
    let subscription_id = proposal.subscription_id.unwrap_or_default();
    audit(tx, subscription_id, &Actor::Member(member.clone()).audit_word(), action, &detail, now);
}
