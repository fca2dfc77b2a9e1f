//! Who changed what: append-only, in the transaction of the change.

use sea_orm::{ActiveValue::Set, EntityTrait};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Tx};
use crate::clock::{new_id, to_micros};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub subscription_id: Option<Uuid>,
        pub actor: String,
        pub action: String,
        pub detail: String,
        pub at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An entry of the audit log. It holds no personal data beyond the actor's (tenant, object).
#[derive(Debug, Clone, Copy)]
pub struct AuditEntry<'a> {
    /// The subscription that was changed.
    pub subscription_id: Option<Uuid>,
    /// `buyer:<tenant>/<object>` or `seatkey`.
    pub actor: &'a str,
    /// What happened, `verb_noun` in the past tense.
    pub action: &'a str,
    /// The facts, as JSON.
    pub detail: &'a str,
}

impl Tx {
    /// Appends to the audit log.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn record_audit(&self, entry: AuditEntry<'_>, now: OffsetDateTime) -> Result<()> {
        let row = entity::ActiveModel {
            id: Set(new_id(now)),
            subscription_id: Set(entry.subscription_id),
            actor: Set(entry.actor.to_owned()),
            action: Set(entry.action.to_owned()),
            detail: Set(entry.detail.to_owned()),
            at: Set(to_micros(now)),
        };
        entity::Entity::insert(row).exec_without_returning(self.connection()).await?;
        Ok(())
    }
}
