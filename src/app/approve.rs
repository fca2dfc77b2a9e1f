//! One person proposes something about a charge, another one approves it; only then it is carried out, in one transaction
//! with the approval.

use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    App, AppError, Deed,
    enter_credit::{check_credit, enter_credit},
    resolve_charge::{Decided, check_decision, decide_charge},
};
use crate::{
    clock::new_id,
    domain::{
        approval::{ApprovalRefused, PROPOSAL_LIFETIME, Proposal, ProposalKind, ProposalState, check_approval},
        charge::Charge,
        credit::CreditWish,
        decision::{Decision, DecisionRefused, check_reason},
        staff::{Actor, Member},
    },
    store::{StoreError, Tx},
};

/// Who proposes or decides, and what the audit log keeps of that.
#[derive(Debug)]
pub(super) struct Signatory<'a> {
    pub(super) member: &'a Member,
    pub(super) deed: Deed,
}

/// What is proposed about a charge.
#[derive(Debug)]
pub(super) enum Wish {
    /// A decision.
    Resolution(Decision),
    /// A credit.
    Credit(CreditWish),
}

impl Wish {
    fn of(proposal: &Proposal) -> Option<Self> {
        match proposal.kind {
            ProposalKind::ResolveCharge => Decision::from_word(&proposal.body).map(Self::Resolution),
            ProposalKind::Credit => CreditWish::from_text(&proposal.body).map(Self::Credit),
        }
    }

    fn kind(&self) -> ProposalKind {
        match self {
            Self::Resolution(_) => ProposalKind::ResolveCharge,
            Self::Credit(_) => ProposalKind::Credit,
        }
    }

    fn body(&self) -> String {
        match self {
            Self::Resolution(decision) => decision.as_str().to_owned(),
            Self::Credit(wish) => wish.to_string(),
        }
    }

    /// Whether it is possible now.
    async fn check(&self, tx: &Tx, (id, charge): (Uuid, &Charge), now: OffsetDateTime) -> Result<(), AppError> {
        match self {
            Self::Resolution(decision) => check_decision(tx, (id, charge), *decision, now).await,
            Self::Credit(wish) => check_credit(tx, id, charge, wish).await,
        }
    }
}

async fn find_charge(tx: &Tx, id: Uuid) -> Result<(Uuid, Charge), AppError> {
    let found = tx.list_charges_by_id(&[id]).await?.into_iter().next();
    Ok(found.ok_or(DecisionRefused::NoCharge(id))?)
}

/// How the charge of a proposal stands; of a credit, with the credits that it has.
async fn basis(tx: &Tx, kind: ProposalKind, (id, charge): (Uuid, &Charge)) -> Result<String, AppError> {
    let standing = format!("{} since {}", charge.state.as_str(), charge.since.unix_timestamp_nanos());
    Ok(match kind {
        ProposalKind::ResolveCharge => standing,
        ProposalKind::Credit => {
            let credits = tx.list_credits(id).await?;
            let own = credits.iter().filter(|credit| credit.charge_id == charge.id).count();
            format!("{standing}, {own} credits")
        }
    })
}

/// Proposes something about a charge; gives the proposal's id.
///
/// # Errors
/// [`AppError::Decision`], [`AppError::Credit`] when it is not possible or has no reason; [`AppError::Approval`] when there
/// is another proposal.
pub(super) async fn propose(
    app: &App,
    who: Signatory<'_>,
    (charge_id, wish): (Uuid, Wish),
    reason: &str,
) -> Result<Uuid, AppError> {
    check_reason(reason)?;
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let (subscription_id, charge) = find_charge(&tx, charge_id).await?;
    wish.check(&tx, (subscription_id, &charge), now).await?;
    let proposal = Proposal {
        id: new_id(now),
        kind: wish.kind(),
        subject: charge_id,
        subscription_id: Some(subscription_id),
        body: wish.body(),
        basis: basis(&tx, wish.kind(), (subscription_id, &charge)).await?,
        reason: reason.trim().to_owned(),
        proposed_by: who.member.id,
        proposed_at: now,
        expires_at: now + PROPOSAL_LIFETIME,
        state: ProposalState::Open,
    };
    let taken = |error: StoreError| match error {
        StoreError::Conflict(_) => AppError::Approval(ApprovalRefused::Pending),
        error => error.into(),
    };
    tx.insert_proposal(&proposal).await.map_err(taken)?;
    note(&tx, &who.deed, ("proposed", &proposal), now).await?;
    tx.commit().await?;
    Ok(proposal.id)
}

/// Approves a proposal and carries it out.
///
/// # Errors
/// [`AppError::Approval`] when it cannot be approved by this person or any more; [`AppError::Decision`],
/// [`AppError::Credit`] when it is not possible any more.
pub(super) async fn approve(app: &App, who: Signatory<'_>, id: Uuid) -> Result<(), AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let proposal = tx.get_proposal(id).await?;
    let proposer = tx.find_staff_member(proposal.proposed_by).await?;
    // The roles of the last sign-in: they may be other ones than those of the page that was looked at.
    let approver = tx.find_staff_member(who.member.id).await?.ok_or(AppError::Forbidden)?;
    let (subscription_id, _) = find_charge(&tx, proposal.subject).await?;
    // Nobody else writes its ledger from here on.
    tx.get_subscription(subscription_id).await?;
    let (_, charge) = find_charge(&tx, proposal.subject).await?;
    let standing = basis(&tx, proposal.kind, (subscription_id, &charge)).await?;
    check_approval(&proposal, proposer.as_ref(), &approver, &standing, now)?;
    let wish = Wish::of(&proposal).ok_or(ApprovalRefused::Stale)?;
    tx.decide_proposal(id, (ProposalState::Approved, who.member.id), "", now).await?;
    let proposer = proposer.ok_or(AppError::Forbidden)?;
    note(&tx, &who.deed, ("approved", &proposal), now).await?;
    match wish {
        Wish::Resolution(decision) => {
            let decided = Decided {
                charge_id: proposal.subject,
                decision,
                reason: &proposal.reason,
                by: &proposer.name,
                approved_by: &approver.name,
                actor: &Actor::Member(proposer.clone()).audit_word(),
            };
            decide_charge(app, &tx, decided, now).await?;
        }
        Wish::Credit(wish) => {
            let people = (proposer.name.as_str(), approver.name.as_str());
            enter_credit(&tx, (&proposal, &charge, &wish), people, now).await?;
        }
    }
    tx.commit().await?;
    app.wake.notify_one();
    Ok(())
}

/// Refuses a proposal, or takes one's own back.
///
/// # Errors
/// [`AppError::Decision`] without a reason; [`StoreError::Conflict`] when somebody has decided already.
pub(super) async fn refuse(app: &App, who: Signatory<'_>, id: Uuid, reason: &str) -> Result<(), AppError> {
    check_reason(reason)?;
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let proposal = tx.get_proposal(id).await?;
    tx.decide_proposal(id, (ProposalState::Refused, who.member.id), reason.trim(), now).await?;
    note(&tx, &who.deed, ("refused", &proposal), now).await?;
    Ok(tx.commit().await?)
}

/// `resolution_proposed`, `credit_approved` and so on.
async fn note(tx: &Tx, deed: &Deed, (what, proposal): (&str, &Proposal), now: OffsetDateTime) -> Result<(), AppError> {
    let (about, name) = match proposal.kind {
        ProposalKind::ResolveCharge => ("resolution", "decision"),
        ProposalKind::Credit => ("credit", "credit"),
    };
    let facts = json!({
        "proposal": proposal.id, "charge": proposal.subject, name: proposal.body, "reason": proposal.reason,
    });
    deed.record(tx, proposal.subscription_id.unwrap_or_default(), &format!("{about}_{what}"), facts, now).await
}
