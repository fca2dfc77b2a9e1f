//! Jobs as lists, for people.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Reader, Result, Store,
    jobs::entity::{Column, Entity, Model},
    ranges::{Sorted, newest},
};
use crate::clock::from_micros;

/// A job of any state, as somebody looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedJob {
    /// Its id.
    pub id: Uuid,
    /// The word for what there is to do.
    pub kind: String,
    /// With what; nil = nobody.
    pub subject: Uuid,
    /// `ready`, `done`, `dead`.
    pub state: String,
    /// Until when somebody works on it, where it was claimed.
    pub lease_until: Option<OffsetDateTime>,
    /// When it runs, or ran last.
    pub run_at: OffsetDateTime,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When its cause happened.
    pub created_at: OffsetDateTime,
}

impl ListedJob {
    /// Whether it has given up and waits for a person.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.state == "dead"
    }
}

impl Store {
    /// A job by its id.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_job(&self, id: Uuid) -> Result<Option<ListedJob>> {
        Ok(Entity::find_by_id(id).one(self.connection()).await?.map(from_row))
    }

    /// The newest jobs of (state, kind) behind one of them; their ids are made from the time.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_newest_jobs(
        &self,
        (state, kind): (Option<&str>, Option<&str>),
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<ListedJob>> {
        let (mut these, mut range) = (Condition::all(), Vec::new());
        match (state, kind) {
            // Nearly all that are ready are appointments, nearly all others are done: both together may find few.
            (Some(state), Some(kind)) => {
                range.extend([(Expr::col(Column::Kind), kind), (Expr::col(Column::State), state)]);
            }
            _ => {
                these = these
                    .add_option(state.map(|state| Column::State.eq(state)))
                    .add_option(kind.map(|kind| Column::Kind.eq(kind)));
            }
        }
        let rows =
            newest(Entity::find().filter(these), &range, &[Sorted::id(Expr::col(Column::Id), after)]).limit(limit);
        let rows = rows.all(self.connection()).await?;
        Ok(rows.into_iter().map(from_row).collect())
    }

    /// Jobs that have given up, oldest first.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_dead_jobs(&self, limit: u64) -> Result<Vec<ListedJob>> {
        let dead = Entity::find().filter(Column::State.eq("dead")).order_by_asc(Column::Id).limit(limit);
        Ok(dead.all(self.connection()).await?.into_iter().map(from_row).collect())
    }
}

pub(super) fn from_row(row: Model) -> ListedJob {
    ListedJob {
        id: row.id,
        kind: row.kind,
        subject: row.subject,
        state: row.state,
        lease_until: row.lease_owner.map(|_| from_micros(row.lease_until)),
        run_at: from_micros(row.run_at),
        attempts: u32::try_from(row.attempts).unwrap_or(0),
        last_error: row.last_error,
        created_at: from_micros(row.created_at),
    }
}
