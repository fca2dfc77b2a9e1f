//! A credit that was given in Partner Center becomes a line of the ledger (`product.md` §4.10). Nothing follows from it: it is
//! never reported, no key and no date depends on it, and no comparison with Microsoft's sums knows it, because Microsoft
//! does not take it out of the usage either.

use time::OffsetDateTime;
use uuid::Uuid;

use super::AppError;
use crate::{
    domain::{
        approval::Proposal,
        charge::Charge,
        credit::{CreditWish, Creditable},
    },
    store::{NewCredit, Tx},
};

/// Whether a credit of a charge can be entered now. The subscription's row is locked from then on.
///
/// # Errors
/// [`AppError::Credit`].
pub(super) async fn check_credit(
    tx: &Tx,
    subscription_id: Uuid,
    charge: &Charge,
    wish: &CreditWish,
) -> Result<(), AppError> {
    let microsoft = tx.get_subscription(subscription_id).await?.microsoft;
    let credits = tx.list_credits(subscription_id).await?;
    let (is_resold, is_test) = (microsoft.is_reseller_deal(), microsoft.is_test);
    Ok(Creditable { charge, credits: &credits, is_resold, is_test }.check(wish)?)
}

/// Writes what one person has proposed and another one approved.
///
/// # Errors
/// [`AppError::Credit`] when it is not possible any more.
pub(super) async fn enter_credit(
    tx: &Tx,
    (proposal, charge, wish): (&Proposal, &Charge, &CreditWish),
    (by, approved_by): (&str, &str),
    now: OffsetDateTime,
) -> Result<(), AppError> {
    check_credit(tx, proposal.subscription_id.unwrap_or_default(), charge, wish).await?;
    let reason = format!("{} (entered by {by}, approved by {approved_by})", proposal.reason);
    let credit = NewCredit { charge_id: charge.id, wish, cause_id: proposal.id, reason: &reason };
    tx.insert_credit(credit, now).await?;
    Ok(())
}
