//! What one person proposes and another one approves (`product.md` §4.10; trials above the limits, §6).
//!
//! Invariants: the second person is another one; both have the role at the time of the approval, as of their last sign-in,
//! and the approver's is fresh; what was proposed still stands as it stood when it was proposed.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::staff::{Member, Role};

/// A proposal that nobody has decided about by then is over.
pub const PROPOSAL_LIFETIME: Duration = Duration::days(7);
/// An approver has signed in within this time, so that a role that was taken away is known.
pub const FRESH_SIGN_IN: Duration = Duration::hours(1);

/// What can be proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalKind {
    /// A decision about a charge that nothing else decides.
    ResolveCharge,
    /// A credit that was given in Partner Center.
    Credit,
}

impl ProposalKind {
    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResolveCharge => "resolve_charge",
            Self::Credit => "credit",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::ResolveCharge, Self::Credit].into_iter().find(|kind| kind.as_str() == word)
    }

    /// Who proposes and approves it.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::ResolveCharge | Self::Credit => Role::Finance,
        }
    }
}

/// Where a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalState {
    /// It waits for a second person.
    Open,
    /// It was approved, and carried out.
    Approved,
    /// Somebody has said no, or taken it back.
    Refused,
}

impl ProposalState {
    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Refused => "refused",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Open, Self::Approved, Self::Refused].into_iter().find(|state| state.as_str() == word)
    }
}

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its id.
    pub id: Uuid,
    /// What is proposed.
    pub kind: ProposalKind,
    /// About what: the charge.
    pub subject: Uuid,
    /// The subscription.
    pub subscription_id: Option<Uuid>,
    /// What exactly: the word of the decision, or the text of a `CreditWish`.
    pub body: String,
    /// How the subject stood then; where it stands otherwise now, the proposal is stale.
    pub basis: String,
    /// Why.
    pub reason: String,
    /// Who proposes: one of the staff.
    pub proposed_by: Uuid,
    /// When.
    pub proposed_at: OffsetDateTime,
    /// Until when it can be approved.
    pub expires_at: OffsetDateTime,
    /// Where it stands.
    pub state: ProposalState,
}

/// Why a proposal is not approved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalRefused {
    /// Whoever proposes cannot approve.
    #[error("it takes a second person: whoever proposed it cannot approve it")]
    SamePerson,
    /// Somebody has decided, or its time is over.
    #[error("this proposal is not open any more")]
    NotOpen,
    /// What it is about has moved on.
    #[error("it has changed since it was proposed: look at it again, and propose what fits now")]
    Stale,
    /// Whoever proposed has no longer the role.
    #[error("whoever proposed it does not have the role {0} any more: somebody who has it proposes it anew")]
    ProposerWithoutRole(&'static str),
    /// Whoever approves has not the role.
    #[error("it takes the role {0}")]
    WithoutRole(&'static str),
    /// The approver's sign-in is old.
    #[error("your last sign-in was more than an hour ago: sign in again, so that your role is known to be yours still")]
    OldSignIn,
    /// There is such a proposal already.
    #[error("somebody has proposed something about this already: approve or refuse that first")]
    Pending,
}

/// Whether a proposal can be carried out. `proposer` is as of their last sign-in; `basis` how the subject stands now.
///
/// # Errors
/// [`ApprovalRefused`].
pub fn check_approval(
    proposal: &Proposal,
    proposer: Option<&Member>,
    approver: &Member,
    basis: &str,
    now: OffsetDateTime,
) -> Result<(), ApprovalRefused> {
    let role = proposal.kind.role();
    if proposal.state != ProposalState::Open || proposal.expires_at <= now {
        return Err(ApprovalRefused::NotOpen);
    }
    if approver.id == proposal.proposed_by {
        return Err(ApprovalRefused::SamePerson);
    }
    if !approver.roles.include(role) {
        return Err(ApprovalRefused::WithoutRole(role.as_str()));
    }
    if now - approver.signed_in_at > FRESH_SIGN_IN {
        return Err(ApprovalRefused::OldSignIn);
    }
    if !proposer.is_some_and(|proposer| proposer.roles.include(role)) {
        return Err(ApprovalRefused::ProposerWithoutRole(role.as_str()));
    }
    if proposal.basis != basis {
        return Err(ApprovalRefused::Stale);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::domain::{policy::Identity, staff::Roles};

    const NOW: OffsetDateTime = datetime!(2026-03-12 09:40 UTC);

    fn member(number: u128, roles: &str) -> Member {
        Member {
            id: Uuid::from_u128(number),
            identity: Identity { tenant_id: Uuid::nil(), object_id: Uuid::from_u128(number) },
            name: String::new(),
            email: String::new(),
            roles: Roles::from_words(roles.split(' ')),
            signed_in_at: NOW - Duration::minutes(30),
        }
    }

    fn proposal() -> Proposal {
        Proposal {
            id: Uuid::from_u128(9),
            kind: ProposalKind::ResolveCharge,
            subject: Uuid::from_u128(8),
            subscription_id: None,
            body: "accepted".to_owned(),
            basis: "unknown".to_owned(),
            reason: "Microsoft’s support says so".to_owned(),
            proposed_by: Uuid::from_u128(1),
            proposed_at: NOW - Duration::DAY,
            expires_at: NOW + Duration::DAY,
            state: ProposalState::Open,
        }
    }

    #[test]
    fn each_condition_counts() {
        use ApprovalRefused as R;
        let (finn, fay) = (member(1, "Finance"), member(2, "Finance"));
        let check = |proposal: &Proposal, proposer: Option<&Member>, approver: &Member| {
            check_approval(proposal, proposer, approver, "unknown", NOW)
        };
        assert_eq!(check(&proposal(), Some(&finn), &fay), Ok(()));
        assert_eq!(check(&proposal(), Some(&finn), &member(3, "Admin")), Ok(()));
        assert_eq!(check(&proposal(), Some(&finn), &finn), Err(R::SamePerson));
        assert_eq!(check(&proposal(), Some(&finn), &member(3, "Sales Support")), Err(R::WithoutRole("Finance")));
        assert_eq!(check(&proposal(), Some(&member(1, "Sales")), &fay), Err(R::ProposerWithoutRole("Finance")));
        assert_eq!(check(&proposal(), None, &fay), Err(R::ProposerWithoutRole("Finance")));
        let long_ago = Member { signed_in_at: NOW - Duration::minutes(61), ..fay.clone() };
        assert_eq!(check(&proposal(), Some(&finn), &long_ago), Err(R::OldSignIn));
        let moved = Proposal { basis: "accepted".to_owned(), ..proposal() };
        assert_eq!(check(&moved, Some(&finn), &fay), Err(R::Stale));
        for over in [
            Proposal { expires_at: NOW, ..proposal() },
            Proposal { state: ProposalState::Approved, ..proposal() },
            Proposal { state: ProposalState::Refused, ..proposal() },
        ] {
            assert_eq!(check(&over, Some(&finn), &fay), Err(R::NotOpen));
        }
    }
}
