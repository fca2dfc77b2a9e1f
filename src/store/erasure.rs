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
        self.digest_trial_customer(id).await?;
        Ok(true)
    }

    async fn run(&self, sql: &str, values: [sea_orm::Value; 2]) -> Result<u64> {
        let backend = self.connection().get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, values);
        Ok(self.connection().execute_raw(statement).await?.rows_affected())
    }
}
