//! A person has looked at a finding that nothing else ends: it is closed, with a reason, and the audit log keeps it.

use uuid::Uuid;

use super::{App, AppError, converge::audit};
use crate::{domain::staff::Actor, store::Finding};

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledged {
    /// It is closed.
    Closed,
    /// There is no such finding that is open.
    NotOpen,
    /// It is about a charge that is not settled: `resolve_charge` decides about that.
    ChargeWaits,
}

/// Closes the finding (subscription, kind, cause). What is found again is open again.
///
/// # Errors
/// [`AppError::Store`].
pub async fn acknowledge_finding(
    app: &App,
    (subscription_id, kind, cause): (Uuid, &str, &str),
    (reason, by): (&str, &str),
) -> Result<Acknowledged, AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let open = tx.list_findings(subscription_id).await?;
    let is_it = |finding: &&Finding| finding.kind == kind && finding.cause == cause;
    let Some(finding) = open.iter().find(is_it) else { return Ok(Acknowledged::NotOpen) };
    // The cause of what a charge waits for is the charge, or begins with it.
    let charge_id = cause.split('/').next().and_then(|id| id.parse::<Uuid>().ok());
    let charges = tx.list_charges(subscription_id).await?;
    if charges.iter().any(|charge| Some(charge.id) == charge_id && charge.state.is_open()) {
        return Ok(Acknowledged::ChargeWaits);
    }
    tx.resolve_finding(finding, now).await?;
    let detail = serde_json::json!({ "kind": kind, "cause": cause, "reason": reason });
    audit(
        &tx,
        subscription_id,
        &Actor::Operator { name: by.to_owned() }.audit_word(),
        "finding_acknowledged",
        &detail,
        now,
    );
    tx.commit().await?;
    Ok(Acknowledged::Closed)
}
