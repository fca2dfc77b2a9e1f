//! What finance may do: decide about charges and enter credits, each time two people.

use uuid::Uuid;

use super::Desk;
use crate::{
    app::{
        AppError,
        approve::{self, Signatory, Wish},
    },
    domain::{credit::CreditWish, decision::Decision},
};

/// The handle of finance.
#[derive(Debug, Clone, Copy)]
pub struct FinanceDesk<'a>(Desk<'a>);

impl<'a> FinanceDesk<'a> {
    pub(super) fn new(desk: Desk<'a>) -> Self {
        Self(desk)
    }

    fn signatory(&self) -> Signatory<'a> {
        Signatory { member: self.0.member, deed: self.0.deed() }
    }

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
        approve::propose(self.0.app, self.signatory(), (charge_id, Wish::Resolution(decision)), reason).await
    }

    /// Proposes to enter a credit that was given in Partner Center; gives the proposal's id.
    ///
    /// # Errors
    /// [`AppError::Credit`] when it is not possible; [`AppError::Decision`] without a reason; [`AppError::Approval`] when
    /// there is another one.
    pub async fn propose_credit(&self, charge_id: Uuid, wish: CreditWish, reason: &str) -> Result<Uuid, AppError> {
        approve::propose(self.0.app, self.signatory(), (charge_id, Wish::Credit(wish)), reason).await
    }

    /// Approves somebody else's proposal, and carries it out.
    ///
    /// # Errors
    /// [`AppError::Approval`], [`AppError::Decision`], [`AppError::Credit`].
    pub async fn approve(&self, proposal_id: Uuid) -> Result<(), AppError> {
        approve::approve(self.0.app, self.signatory(), proposal_id).await
    }

    /// Refuses a proposal, or takes one's own back.
    ///
    /// # Errors
    /// [`AppError::Decision`] without a reason.
    pub async fn refuse(&self, proposal_id: Uuid, reason: &str) -> Result<(), AppError> {
        approve::refuse(self.0.app, self.signatory(), proposal_id, reason).await
    }
}
