//! Calls that change something at Microsoft: the intent is committed before the call, the answer after it.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, Target, TermKind};
use crate::{
    clock::{from_micros, new_id, to_micros},
    crash::crash_point,
};

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "marketplace_call")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub subscription_id: Uuid,
        pub operation: String,
        pub intended_at: i64,
        pub answered_at: Option<i64>,
        pub outcome: Option<String>,
        pub request_id: Option<String>,
        pub correlation_id: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A call as it is known here. Without an answer it may have had its effect, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its id.
    pub id: Uuid,
    /// Which call it is.
    pub operation: String,
    /// When it was meant to go out.
    pub intended_at: OffsetDateTime,
    /// When its answer was written down.
    pub answered_at: Option<OffsetDateTime>,
    /// What came of it: `accepted`, or Microsoft's words; none = no answer is known.
    pub outcome: Option<String>,
    /// Microsoft's ids of request and correlation, which its support asks for.
    pub ids: Option<(String, String)>,
}

fn from_row(row: entity::Model) -> Call {
    Call {
        id: row.id,
        operation: row.operation,
        intended_at: from_micros(row.intended_at),
        answered_at: row.answered_at.map(from_micros),
        outcome: row.outcome,
        ids: row.request_id.zip(row.correlation_id),
    }
}

impl Store {
    /// Commits the intent of a call.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn record_intent(&self, subscription_id: Uuid, operation: &str, now: OffsetDateTime) -> Result<Uuid> {
        let id = new_id(now);
        let row = entity::ActiveModel {
            id: Set(id),
            subscription_id: Set(subscription_id),
            operation: Set(operation.to_owned()),
            intended_at: Set(to_micros(now)),
            ..Default::default()
        };
        crash_point("before an intent is committed");
        entity::Entity::insert(row).exec_without_returning(self.connection()).await?;
        crash_point("after an intent is committed");
        Ok(id)
    }

    /// Commits the answer of a call, with the ids that Microsoft's support asks for.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn record_answer(
        &self,
        call_id: Uuid,
        outcome: &str,
        ids: Option<(&str, &str)>,
        now: OffsetDateTime,
    ) -> Result<()> {
        let row = entity::ActiveModel {
            answered_at: Set(Some(to_micros(now))),
            outcome: Set(Some(outcome.to_owned())),
            request_id: Set(ids.map(|ids| ids.0.to_owned())),
            correlation_id: Set(ids.map(|ids| ids.1.to_owned())),
            ..Default::default()
        };
        let this = entity::Column::Id.eq(call_id);
        crash_point("before an answer is committed");
        let tx = self.begin().await?;
        let written = entity::Entity::update_many().set(row).filter(this).exec_with_returning(tx.connection()).await?;
        if let (Some(call), Some((request_id, correlation_id))) = (written.first(), ids) {
            for id in [request_id, correlation_id] {
                tx.note_term(Target::Subscription(call.subscription_id), TermKind::Request, id);
            }
        }
        tx.commit().await?;
        crash_point("after an answer is committed");
        Ok(())
    }

    /// The newest call of one kind.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_newest_call(&self, subscription_id: Uuid, operation: &str) -> Result<Option<Call>> {
        use entity::Column;
        let row = entity::Entity::find()
            .filter(Column::SubscriptionId.eq(subscription_id).and(Column::Operation.eq(operation)))
            .order_by_desc(Column::IntendedAt)
            .order_by_desc(Column::Id)
            .one(self.connection())
            .await?;
        Ok(row.map(from_row))
    }

    /// The newest calls about a subscription, newest first.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_calls(&self, subscription_id: Uuid, limit: u64) -> Result<Vec<Call>> {
        use entity::Column;
        let rows = entity::Entity::find()
            .filter(Column::SubscriptionId.eq(subscription_id))
            .order_by_desc(Column::IntendedAt)
            .order_by_desc(Column::Id)
            .limit(limit)
            .all(self.connection())
            .await?;
        Ok(rows.into_iter().map(from_row).collect())
    }
}
