//! What support may do: keys, contacts, people whom Microsoft does not name, and repetitions.

use serde_json::json;
use uuid::Uuid;

use super::{Desk, DeskRefused, grounds, optional_grounds};
use crate::{
    app::{AppError, Contacts, Deed, change_contacts, converge::write_subscription, resend_key, rotate_license},
    domain::{policy::Identity, subscription::Stage},
    hash::sha256_hex,
    mail::is_mailbox,
    pages::mail::Language,
    store::{JobKind, LicenseKey, ListedJob, StoreError},
};

/// The handle of support.
#[derive(Debug, Clone, Copy)]
pub struct SupportDesk<'a>(Desk<'a>);

impl<'a> SupportDesk<'a> {
    pub(super) fn new(desk: Desk<'a>) -> Self {
        Self(desk)
    }

    /// The keys with their text, which other roles do not see.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn list_license_keys(self, id: Uuid) -> Result<Vec<LicenseKey>, AppError> {
        Ok(self.0.app.store.list_license_keys(id).await?)
    }

    fn deed(self, reason: &str) -> Result<Deed, DeskRefused> {
        let deed = self.0.deed();
        Ok(match optional_grounds(reason)? {
            Some(reason) => deed.because(reason),
            None => deed,
        })
    }

    /// Mails the newest key once more; at most once an hour.
    ///
    /// # Errors
    /// [`DeskRefused::NoKey`]; else as [`resend_key`].
    pub async fn resend_key(self, id: Uuid, reason: &str) -> Result<(), AppError> {
        let store = &self.0.app.store;
        if store.find_newest_key(id).await?.is_none() || store.find_enrolment(id).await?.is_none() {
            return Err(DeskRefused::NoKey.into());
        }
        if resend_key(self.0.app, self.deed(reason)?, id).await? { Ok(()) } else { Err(DeskRefused::NoKey.into()) }
    }

    /// Replaces the license whose newest key has the number `seq`.
    ///
    /// # Errors
    /// [`DeskRefused`] without a reason, or when it is not the newest any more; else as [`rotate_license`].
    pub async fn rotate_key(self, id: Uuid, seq: u32, reason: &str) -> Result<(), AppError> {
        let deed = self.0.deed().because(grounds(reason, DeskRefused::Reason)?);
        if self.0.app.store.find_enrolment(id).await?.is_none() {
            return Err(DeskRefused::NoKey.into());
        }
        if rotate_license(self.0.app, deed, id, seq).await? { Ok(()) } else { Err(DeskRefused::OtherKey.into()) }
    }

    /// Changes who gets the mails.
    ///
    /// # Errors
    /// [`DeskRefused`] without a reason, before the enrolment and after the end, for what is no mailbox; else as
    /// [`change_contacts`].
    pub async fn change_contacts(self, id: Uuid, contacts: Contacts, reason: &str) -> Result<(), AppError> {
        let deed = self.0.deed().because(grounds(reason, DeskRefused::Reason)?);
        let store = &self.0.app.store;
        let known = store.find_subscription(id).await?;
        let is_over = known.is_none_or(|known| matches!(known.stage, Stage::Ended { .. }));
        if is_over || store.find_enrolment(id).await?.is_none() {
            return Err(DeskRefused::NoContacts.into());
        }
        if !is_mailbox(&contacts.buyer_email) || !is_mailbox(&contacts.technical_contact) {
            return Err(DeskRefused::Mailbox.into());
        }
        if !Language::all(&self.0.app.templates).iter().any(|one| one.as_str() == contacts.language) {
            return Err(DeskRefused::Language.into());
        }
        change_contacts(self.0.app, deed, id, contacts).await
    }

    /// Makes a person the one of each party for which Microsoft names nobody (`product.md` §7).
    ///
    /// # Errors
    /// [`DeskRefused`] without a reason, after the end, and for what Microsoft says itself; [`AppError::Store`].
    pub async fn bind_person(self, id: Uuid, who: Identity, reason: &str) -> Result<(), AppError> {
        let deed = self.0.deed().because(grounds(reason, DeskRefused::Reason)?);
        let app = self.0.app;
        let now = app.clock.now();
        let tx = app.store.begin().await?;
        let mut subscription = tx.get_subscription(id).await?;
        if matches!(subscription.stage, Stage::Ended { .. }) {
            return Err(DeskRefused::Ended.into());
        }
        let parties = subscription.microsoft.bind(who).map_err(DeskRefused::from)?;
        write_subscription(app, &tx, &mut subscription, now).await?;
        // Who it is, is personal data: the log has a digest.
        let person = sha256_hex(format!("{id}\n{}/{}", who.tenant_id, who.object_id).as_bytes());
        let facts =
            json!({ "parties": parties, "before": null, "after": { "tenant": who.tenant_id, "person": person } });
        deed.record(&tx, id, "person_bound", facts, now).await?;
        Ok(tx.commit().await?)
    }

    /// Lets a webhook of this subscription be acted upon once more.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not of this subscription; [`AppError::Store`].
    pub async fn replay_webhook(self, id: Uuid, webhook_id: Uuid, reason: &str) -> Result<(), AppError> {
        let deed = self.deed(reason)?;
        let app = self.0.app;
        let found = app.store.find_webhook(webhook_id).await?.filter(|webhook| webhook.subscription_id == Some(id));
        let webhook = found.ok_or_else(|| StoreError::NotFound { table: "webhook", id: webhook_id.to_string() })?;
        let now = app.clock.now();
        let tx = app.store.begin().await?;
        tx.replay_webhook(webhook_id, now).await?;
        let facts = json!({
            "webhook": webhook_id, "operation": webhook.operation_id, "action": webhook.action, "before": webhook.outcome,
        });
        deed.record(&tx, id, "webhook_replayed", facts, now).await?;
        tx.commit().await?;
        app.wake.notify_one();
        Ok(())
    }

    /// Lets a job of this subscription that has given up run again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not of this subscription; [`DeskRefused::NotDead`]; [`AppError::Store`].
    pub async fn retry_job(self, id: Uuid, job_id: Uuid, reason: &str) -> Result<(), AppError> {
        let deed = self.deed(reason)?;
        let app = self.0.app;
        let nothing = || StoreError::NotFound { table: "job", id: job_id.to_string() };
        let job = app.store.find_job(job_id).await?.ok_or_else(nothing)?;
        if self.subscription_of(&job).await? != Some(id) {
            return Err(nothing().into());
        }
        let now = app.clock.now();
        let tx = app.store.begin().await?;
        if !tx.revive_job(job_id, now).await? {
            return Err(DeskRefused::NotDead.into());
        }
        // Why it failed may name an address; the job still has it.
        let facts =
            json!({ "job": job_id, "kind": job.kind, "attempts": job.attempts, "before": "dead", "after": "ready" });
        deed.record(&tx, id, "job_retried", facts, now).await?;
        tx.commit().await?;
        app.wake.notify_one();
        Ok(())
    }

    async fn subscription_of(self, job: &ListedJob) -> Result<Option<Uuid>, AppError> {
        let store = &self.0.app.store;
        let is = |kind: JobKind| job.kind == kind.as_str();
        if is(JobKind::SendMail) {
            return Ok(store.find_mail(job.subject).await?.and_then(|mail| mail.content.subscription_id));
        }
        if is(JobKind::HandleWebhook) {
            return Ok(store.find_webhook(job.subject).await?.and_then(|webhook| webhook.subscription_id));
        }
        if is(JobKind::ChangeSeats) {
            let change = store.find_change::<serde_json::Value>(job.subject).await?;
            return Ok(change.map(|change| change.subscription_id));
        }
        Ok(Some(job.subject))
    }

    /// Asks for a comparison with Microsoft now.
    ///
    /// # Errors
    /// [`AppError::Store`], also when there is no such subscription.
    pub async fn reconcile(self, id: Uuid, reason: &str) -> Result<(), AppError> {
        let deed = self.deed(reason)?;
        let app = self.0.app;
        let now = app.clock.now();
        let tx = app.store.begin().await?;
        let subscription = tx.get_subscription(id).await?;
        tx.schedule_job(JobKind::ReconcileSubscription, id, now, now).await?;
        let facts = json!({ "status": subscription.microsoft.status.as_str(), "stage": subscription.stage.name() });
        deed.record(&tx, id, "reconciliation_asked", facts, now).await?;
        tx.commit().await?;
        app.wake.notify_one();
        Ok(())
    }
}
