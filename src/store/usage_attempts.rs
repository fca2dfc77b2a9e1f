//! Charges in their slots, for people: how often each was sent, and what Microsoft said last.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Reader, Result, Store,
    usage_events::{
        OPEN, UsageEvent,
        entity::{Column, Entity, Model},
        from_row,
    },
};
use crate::clock::from_micros;

/// A charge in its slot, with what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageAttempt {
    /// The slot and the bytes.
    pub event: UsageEvent,
    /// Whether its outcome is still to come.
    pub is_open: bool,
    /// When it got its slot.
    pub created_at: OffsetDateTime,
    /// When the last answer came.
    pub answered_at: Option<OffsetDateTime>,
    /// Microsoft's words.
    pub last_answer: Option<String>,
}

impl Store {
    /// The newest slots of a subscription, newest first.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_usage_attempts(&self, subscription_id: Uuid, limit: u64) -> Result<Vec<UsageAttempt>> {
        let rows = Entity::find()
            .filter(Column::SubscriptionId.eq(subscription_id))
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id)
            .limit(limit)
            .all(self.connection())
            .await?;
        rows.into_iter().map(attempt).collect()
    }
}

fn attempt(row: Model) -> Result<UsageAttempt> {
    Ok(UsageAttempt {
        is_open: row.state == OPEN,
        created_at: from_micros(row.created_at),
        answered_at: row.answered_at.map(from_micros),
        last_answer: row.last_answer.clone(),
        event: from_row(row)?,
    })
}
