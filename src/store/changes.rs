//! Changes of a subscription: as they were shown, and what became of them. Unique by (subscription, cause).

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{ExprTrait, OnConflict},
};
use serde::{Serialize, de::DeserializeOwned};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, StoreError, Target, TermKind, Tx};
use crate::{
    clock::{from_micros, to_micros},
    domain::policy::Identity,
};

const TABLE: &str = "change";

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "change")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub subscription_id: Uuid,
        pub kind: String,
        pub cause: String,
        pub body: String,
        pub state: String,
        pub tenant_id: Option<Uuid>,
        pub object_id: Option<Uuid>,
        pub operation_id: Option<String>,
        pub reason: Option<String>,
        pub created_at: i64,
        pub expires_at: i64,
        pub decided_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeState {
    /// Shown for review.
    Shown,
    /// On its way at Microsoft.
    Pending,
    /// In force.
    Done,
    /// Refused; the reason is kept.
    Refused,
}

impl ChangeState {
    const ALL: [Self; 4] = [Self::Shown, Self::Pending, Self::Done, Self::Refused];

    fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// A change that is about to be written.
#[derive(Debug, Clone)]
pub struct NewChange<B> {
    /// Its id, as in the review's address.
    pub id: Uuid,
    /// The subscription.
    pub subscription_id: Uuid,
    /// What kind of change.
    pub kind: &'static str,
    /// What makes it one and the same when it is written twice.
    pub cause: String,
    /// What was shown, or is asked for.
    pub body: B,
    /// Where it stands.
    pub state: ChangeState,
    /// Who saw it; `None` = nobody, it is our own.
    pub shown_to: Option<Identity>,
    /// Until when it may be submitted.
    pub expires_at: OffsetDateTime,
}

/// A change as it is kept.
#[derive(Debug, Clone)]
pub struct StoredChange<B> {
    /// Its id.
    pub id: Uuid,
    /// The subscription.
    pub subscription_id: Uuid,
    /// What was shown, or is asked for.
    pub body: B,
    /// Where it stands.
    pub state: ChangeState,
    /// Who saw it.
    pub shown_to: Option<Identity>,
    /// Microsoft's operation that carries it out.
    pub operation_id: Option<String>,
    /// Why it was refused.
    pub reason: Option<String>,
    /// When it was written.
    pub created_at: OffsetDateTime,
    /// Until when it may be submitted.
    pub expires_at: OffsetDateTime,
}

async fn find<B: DeserializeOwned>(reader: &impl Reader, id: Uuid) -> Result<Option<StoredChange<B>>> {
    entity::Entity::find_by_id(id).one(reader.connection()).await?.map(from_row).transpose()
}

async fn find_newest<B: DeserializeOwned>(
    reader: &impl Reader,
    subscription_id: Uuid,
    kind: &str,
) -> Result<Option<StoredChange<B>>> {
    use entity::Column;
    let submitted = Column::SubscriptionId.eq(subscription_id).and(Column::Kind.eq(kind));
    let row = entity::Entity::find()
        .filter(submitted.and(Column::State.ne(ChangeState::Shown.as_str())))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(1)
        .one(reader.connection())
        .await?;
    row.map(from_row).transpose()
}

impl Store {
    /// A change by its id.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when it is of another kind than asked for; [`StoreError`].
    pub async fn find_change<B: DeserializeOwned>(&self, id: Uuid) -> Result<Option<StoredChange<B>>> {
        find(self, id).await
    }

    /// The newest change of a kind that somebody submitted.
    ///
    /// # Errors
    /// As [`Store::find_change`].
    pub async fn find_newest_change<B: DeserializeOwned>(
        &self,
        subscription_id: Uuid,
        kind: &str,
    ) -> Result<Option<StoredChange<B>>> {
        find_newest(self, subscription_id, kind).await
    }
}

impl Tx {
    /// The newest change of a kind that somebody submitted, as this transaction sees it.
    ///
    /// # Errors
    /// As [`Store::find_change`].
    pub async fn find_newest_change<B: DeserializeOwned>(
        &self,
        subscription_id: Uuid,
        kind: &str,
    ) -> Result<Option<StoredChange<B>>> {
        find_newest(self, subscription_id, kind).await
    }

    /// A change by its id, where there is one, as this transaction sees it.
    ///
    /// # Errors
    /// As [`Store::find_change`].
    pub async fn find_change<B: DeserializeOwned>(&self, id: Uuid) -> Result<Option<StoredChange<B>>> {
        find(self, id).await
    }

    /// A change by its id, as this transaction sees it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; else as [`Store::find_change`].
    pub async fn get_change<B: DeserializeOwned>(&self, id: Uuid) -> Result<StoredChange<B>> {
        find(self, id).await?.ok_or_else(|| StoreError::NotFound { table: TABLE, id: id.to_string() })
    }

    /// Writes a change; says whether it was new.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_change<B: Serialize + Sync>(&self, change: &NewChange<B>, now: OffsetDateTime) -> Result<bool> {
        use entity::Column;
        let body = serde_json::to_string(&change.body);
        let row = entity::ActiveModel {
            id: Set(change.id),
            subscription_id: Set(change.subscription_id),
            kind: Set(change.kind.to_owned()),
            cause: Set(change.cause.clone()),
            body: Set(body.map_err(|error| StoreError::inconsistent(TABLE, "body", change.id, error))?),
            state: Set(change.state.as_str().to_owned()),
            tenant_id: Set(change.shown_to.map(|who| who.tenant_id)),
            object_id: Set(change.shown_to.map(|who| who.object_id)),
            created_at: Set(to_micros(now)),
            expires_at: Set(to_micros(change.expires_at)),
            ..Default::default()
        };
        let once = OnConflict::columns([Column::SubscriptionId, Column::Cause]).do_nothing().to_owned();
        let written = entity::Entity::insert(row).on_conflict(once).exec_without_returning(self.connection()).await?;
        Ok(written == 1)
    }

    /// Moves a change on; only from `from`, so that a second submit is none.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is not there any more.
    pub async fn decide_change(
        &self,
        id: Uuid,
        (from, to): (ChangeState, ChangeState),
        reason: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<()> {
        use entity::Column;
        let row = entity::ActiveModel {
            state: Set(to.as_str().to_owned()),
            reason: Set(reason.map(str::to_owned)),
            decided_at: Set(Some(to_micros(now))),
            ..Default::default()
        };
        let this = Column::Id.eq(id).and(Column::State.eq(from.as_str()));
        let moved = entity::Entity::update_many().set(row).filter(this).exec(self.connection()).await?;
        if moved.rows_affected == 1 { Ok(()) } else { Err(StoreError::Conflict(TABLE)) }
    }

    /// Forgets changes from before `shown_before` that nobody submitted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_unsubmitted_changes(&self, shown_before: OffsetDateTime) -> Result<()> {
        use entity::Column;
        let old = Column::CreatedAt.lt(to_micros(shown_before));
        let shown = Column::State.eq(ChangeState::Shown.as_str());
        entity::Entity::delete_many().filter(old.and(shown)).exec(self.connection()).await?;
        Ok(())
    }

    /// Notes Microsoft's operation that carries a change out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_operation(&self, id: Uuid, operation_id: &str) -> Result<()> {
        let row = entity::ActiveModel { operation_id: Set(Some(operation_id.to_owned())), ..Default::default() };
        entity::Entity::update_many().set(row).filter(entity::Column::Id.eq(id)).exec(self.connection()).await?;
        if let Some(change) = entity::Entity::find_by_id(id).one(self.connection()).await? {
            self.note_term(Target::Subscription(change.subscription_id), TermKind::Operation, operation_id);
        }
        Ok(())
    }
}

fn from_row<B: DeserializeOwned>(row: entity::Model) -> Result<StoredChange<B>> {
    let state = ChangeState::ALL.into_iter().find(|state| state.as_str() == row.state);
    let body = serde_json::from_str(&row.body);
    Ok(StoredChange {
        id: row.id,
        subscription_id: row.subscription_id,
        body: body.map_err(|error| StoreError::inconsistent(TABLE, "body", row.id, error))?,
        state: state.ok_or_else(|| StoreError::inconsistent(TABLE, "state", row.id, &row.state))?,
        shown_to: row.tenant_id.zip(row.object_id).map(|(tenant_id, object_id)| Identity { tenant_id, object_id }),
        operation_id: row.operation_id,
        reason: row.reason,
        created_at: from_micros(row.created_at),
        expires_at: from_micros(row.expires_at),
    })
}
