//! Erasing personal data of an ended subscription. The ledger stays, with what explains it; the first-time trial is
//! remembered by a digest.

use sea_orm::{ConnectionTrait, Statement};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Tx};
use crate::clock::to_micros;

/// What personal data becomes.
pub(super) const ERASED: &str = "(erased)";

/// Where it stands, beside the subscription's own row and the trial.
const STATEMENTS: [&str; 8] = [
    "UPDATE enrolment SET organisation = $2, buyer_name = $2, buyer_email = $2, technical_contact = $2 WHERE subscription_id = $1",
    "UPDATE mail SET recipients = '[]', subject = $2, text_body = $2, html_body = $2, attachments = '[]', \
     state = CASE WHEN state = 'queued' THEN 'erased' ELSE state END WHERE subscription_id = $1",
    "UPDATE webhook SET body = $2, claims = $2 WHERE subscription_id = $1",
    "UPDATE license_key SET compact = $2 WHERE subscription_id = $1",
    "DELETE FROM quote WHERE subscription_id = $1 AND id NOT IN (SELECT quote_id FROM enrolment)",
    // The digest stays, and the chain with it; without the salt nobody can try who it was.
    "UPDATE audit SET actor = $2, actor_salt = NULL WHERE subscription_id = $1 AND actor LIKE 'buyer:%'",
    "UPDATE note SET text = $2, salt = NULL WHERE subscription_id = $1",
    "UPDATE change SET tenant_id = NULL, object_id = NULL WHERE subscription_id = $1 AND kind <> $2",
];

/// For whom a trial was. The key names the organisation.
const ERASED_GRANT: &str = "UPDATE trial_grant SET tenant_id = NULL, domain = NULL, organisation = $2, \
     contact_name = $2, contact_email = $2, license_key = CASE WHEN license_key IS NULL THEN NULL ELSE $2 END, \
     version = version + 1 WHERE id = $1";

/// The mails about it: their Message-IDs name the grant.
const ERASED_TRIAL_MAILS: &str = "UPDATE mail SET recipients = '[]', subject = $2, text_body = $2, html_body = $2, \
     attachments = '[]', state = CASE WHEN state = 'queued' THEN 'erased' ELSE state END WHERE message_id LIKE $1";

impl Tx {
    /// Erases; says whether this was the first time.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn erase_personal_data(&self, id: Uuid, now: OffsetDateTime) -> Result<bool> {
        let first = "UPDATE subscription SET erased_at = $2, name = '(erased)', beneficiary_email = '', \
                     purchaser_email = '', beneficiary_object_id = NULL, purchaser_object_id = NULL \
                     WHERE id = $1 AND erased_at IS NULL";
        let marked = self.run(first, [id.into(), to_micros(now).into()]).await?;
        if marked == 0 {
            return Ok(false);
        }
        for statement in STATEMENTS {
            self.run(statement, [id.into(), ERASED.into()]).await?;
        }
        self.erase_people_of_quotes(id, ERASED).await?;
        for grant in self.list_trials_of_subscription(id).await? {
            self.erase_trial_grant(grant.id).await?;
        }
        self.digest_trial_customer(id).await?;
        self.forget_people(id).await?;
        Ok(true)
    }

    /// Erases for whom a trial was, with the mails about it; the grant stays.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn erase_trial_grant(&self, id: Uuid) -> Result<()> {
        self.run(ERASED_GRANT, [id.into(), ERASED.into()]).await?;
        self.run(ERASED_TRIAL_MAILS, [format!("%.{id}.%").into(), ERASED.into()]).await?;
        self.digest_trial_customer(id).await
    }

    async fn run(&self, sql: &str, values: [sea_orm::Value; 2]) -> Result<u64> {
        let backend = self.connection().get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, values);
        Ok(self.connection().execute_raw(statement).await?.rows_affected())
    }
}
