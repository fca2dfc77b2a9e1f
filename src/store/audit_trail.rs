//! The audit log of a subscription, read for people.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Reader, Result, Store,
    audit::entity::{Column, Entity},
};
use crate::clock::from_micros;

/// An entry of the audit log, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Who did it: the word of an [`Actor`](crate::domain::staff::Actor), `seatkey`, `microsoft`, or that it is erased.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// The facts, as JSON.
    pub detail: String,
    /// When.
    pub at: OffsetDateTime,
    /// Its place in the chain, counted from 1.
    pub position: Option<i64>,
    /// Its hash, in hexadecimal.
    pub hash: Option<String>,
}

impl Store {
    /// The newest entries of a subscription, newest first.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_trail(&self, subscription_id: Uuid, limit: u64) -> Result<Vec<AuditRecord>> {
        let rows = Entity::find()
            .filter(Column::SubscriptionId.eq(subscription_id))
            .order_by_desc(Column::At)
            .order_by_desc(Column::Position)
            .limit(limit)
            .all(self.connection())
            .await?;
        let record = |row: super::audit::entity::Model| AuditRecord {
            actor: row.actor,
            action: row.action,
            detail: row.detail,
            at: from_micros(row.at),
            position: row.position,
            hash: row.hash,
        };
        Ok(rows.into_iter().map(record).collect())
    }
}
