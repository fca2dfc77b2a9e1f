//! Jobs as lists, for people.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Reader, Result, Store,
    jobs::entity::{Column, Entity, Model},
};
use crate::clock::from_micros;

/// A job as somebody looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingJob {
    /// Its id.
    pub id: Uuid,
    /// The word for what there is to do.
    pub kind: String,
    /// With what.
    pub subject: Uuid,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When its cause happened.
    pub created_at: OffsetDateTime,
}

impl Store {
    /// Jobs that have given up, oldest first.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_dead_jobs(&self, limit: u64) -> Result<Vec<WaitingJob>> {
        let dead = Entity::find().filter(Column::State.eq("dead")).order_by_asc(Column::Id).limit(limit);
        Ok(dead.all(self.connection()).await?.into_iter().map(from_row).collect())
    }
}

fn from_row(row: Model) -> WaitingJob {
    WaitingJob {
        id: row.id,
        kind: row.kind,
        subject: row.subject,
        attempts: u32::try_from(row.attempts).unwrap_or(0),
        last_error: row.last_error,
        created_at: from_micros(row.created_at),
    }
}
