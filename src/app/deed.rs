//! Who does something, on what grounds, and from where: what an entry of the audit log tells besides the facts.

use std::net::IpAddr;

use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::AppError;
use crate::{
    domain::{policy::Identity, staff::Actor},
    store::{AuditEntry, Tx},
};

/// Who does it.
#[derive(Debug, Clone)]
enum By {
    /// A buyer, or one of their people.
    Buyer(Identity),
    /// The publisher's.
    Actor(Actor),
}

/// A deed of somebody. Buyers act for themselves; staff say why, and where it is the buyer's to decide, who consented.
#[derive(Debug, Clone)]
pub struct Deed {
    by: By,
    from: Option<IpAddr>,
    reason: Option<String>,
    consent: Option<String>,
}

impl From<Identity> for Deed {
    fn from(buyer: Identity) -> Self {
        Self::by(By::Buyer(buyer))
    }
}

impl Deed {
    /// A deed of the publisher's, without grounds.
    #[must_use]
    pub fn of(actor: Actor) -> Self {
        Self::by(By::Actor(actor))
    }

    fn by(by: By) -> Self {
        Self { by, from: None, reason: None, consent: None }
    }

    /// The same from an address of the network.
    #[must_use]
    pub fn from_address(self, from: IpAddr) -> Self {
        Self { from: Some(from), ..self }
    }

    /// The same with a reason, which stands in the audit log for ever.
    #[must_use]
    pub fn because(self, reason: &str) -> Self {
        Self { reason: Some(reason.to_owned()), ..self }
    }

    /// The same with the buyer's consent: who gave it, how, and when. It names people, so it becomes a note, and the audit
    /// log holds its digest.
    #[must_use]
    pub fn with_consent(self, consent: &str) -> Self {
        Self { consent: Some(consent.to_owned()), ..self }
    }

    /// Who is shown something and has to be the one who submits it.
    pub(super) fn identity(&self) -> Result<Identity, AppError> {
        match &self.by {
            By::Buyer(who) => Ok(*who),
            By::Actor(Actor::Member(member)) => Ok(member.identity),
            By::Actor(Actor::Program { .. } | Actor::Operator { .. }) => Err(AppError::Forbidden),
        }
    }

    fn audit_word(&self) -> String {
        match &self.by {
            By::Buyer(who) => format!("buyer:{}/{}", who.tenant_id, who.object_id),
            By::Actor(actor) => actor.audit_word(),
        }
    }

    /// Appends to the audit log, at the commit. `facts` is a JSON object.
    pub(super) async fn record(
        &self,
        tx: &Tx,
        subscription_id: Uuid,
        action: &str,
        facts: Value,
        now: OffsetDateTime,
    ) -> Result<(), AppError> {
        let Value::Object(mut facts) = facts else {
            return Err(AppError::Internal(format!("the facts of {action} are no object")));
        };
        facts.extend(self.reason.as_ref().map(|reason| ("reason".to_owned(), json!(reason))));
        facts.extend(self.from.map(|from| ("address".to_owned(), json!(from))));
        if let (Some(consent), By::Actor(Actor::Member(member))) = (&self.consent, &self.by) {
            let text = format!("Consent ({action}): {consent}");
            let (note, digest) = tx.insert_note(subscription_id, member.id, &text, now).await?;
            facts.insert("consent".to_owned(), json!({ "note": note, "digest": digest }));
        }
        let (actor, detail) = (self.audit_word(), Value::Object(facts).to_string());
        tx.record_audit(AuditEntry { subscription_id, actor: &actor, action, detail: &detail }, now);
        Ok(())
    }
}
