//! What the publisher's people may do: a role is a handle, and what a role may not do its handle has no method for. A page
//! asks for the handle and cannot call the use cases behind it in any other way.

use uuid::Uuid;

use super::{App, AppError, approve};
use crate::domain::{
    decision::Decision,
    staff::{Member, Role},
};

/// One of the staff at work.
#[derive(Debug, Clone, Copy)]
pub struct Desk<'a> {
    app: &'a App,
    member: &'a Member,
}

impl<'a> Desk<'a> {
    /// The desk of a signed-in person.
    #[must_use]
    pub fn new(app: &'a App, member: &'a Member) -> Self {
        Self { app, member }
    }

    /// What finance may do.
    #[must_use]
    pub fn finance(self) -> Option<FinanceDesk<'a>> {
        self.member.roles.include(Role::Finance).then_some(FinanceDesk(self))
    }
}

/// Decisions about charges; each takes two people.
#[derive(Debug, Clone, Copy)]
pub struct FinanceDesk<'a>(Desk<'a>);

impl FinanceDesk<'_> {
    /// Proposes a decision about a charge; gives the proposal's id.
    ///
    /// # Errors
    /// [`AppError::Decision`] when it is not possible or has no reason; [`AppError::Approval`] when there is another one.
    pub async fn propose_resolution(
        &self,
        charge_id: Uuid,
        decision: Decision,
        reason: &str,
    ) -> Result<Uuid, AppError> {
        approve::propose_resolution(self.0.app, self.0.member, (charge_id, decision), reason).await
    }

    /// Approves somebody else's proposal, and carries it out.
    ///
    /// # Errors
    /// [`AppError::Approval`], [`AppError::Decision`].
    pub async fn approve(&self, proposal_id: Uuid) -> Result<(), AppError> {
        approve::approve(self.0.app, self.0.member, proposal_id).await
    }

    /// Refuses a proposal, or takes one's own back.
    ///
    /// # Errors
    /// [`AppError::Decision`] without a reason.
    pub async fn refuse(&self, proposal_id: Uuid, reason: &str) -> Result<(), AppError> {
        approve::refuse(self.0.app, self.0.member, proposal_id, reason).await
    }
}
