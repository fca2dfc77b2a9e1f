//! What requests with an idempotency key were answered, unique by (API key, idempotency key).

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::ExprTrait};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, StoreError, Tx};
use crate::clock::{new_id, to_micros};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "api_answer")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub api_key_id: Uuid,
        pub idempotency_key: String,
        pub fingerprint: String,
        pub status: i32,
        pub body: String,
        pub created_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An answer as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The API key that asked.
    pub api_key_id: Uuid,
    /// What the caller calls the request.
    pub idempotency_key: String,
    /// A digest of the request: the same name must not stand for another one.
    pub fingerprint: String,
    /// The status of the answer.
    pub status: u16,
    /// Its body.
    pub body: String,
}

impl Store {
    /// What a request of this API key was answered, where it was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_api_answer(&self, api_key_id: Uuid, idempotency_key: &str) -> Result<Option<StoredAnswer>> {
        use entity::Column;
        let this = Column::ApiKeyId.eq(api_key_id).and(Column::IdempotencyKey.eq(idempotency_key));
        entity::Entity::find().filter(this).one(self.connection()).await?.map(from_row).transpose()
    }
}

impl Tx {
    /// Keeps an answer, in the transaction of what it tells.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the same name has been answered in the meantime: then nothing of this transaction may
    /// become true.
    pub async fn insert_api_answer(&self, answer: &StoredAnswer, now: OffsetDateTime) -> Result<()> {
        let row = entity::ActiveModel {
            id: Set(new_id(now)),
            api_key_id: Set(answer.api_key_id),
            idempotency_key: Set(answer.idempotency_key.clone()),
            fingerprint: Set(answer.fingerprint.clone()),
            status: Set(answer.status.into()),
            body: Set(answer.body.clone()),
            created_at: Set(to_micros(now)),
        };
        entity::Entity::insert(row).exec_without_returning(self.connection()).await?;
        Ok(())
    }

    /// Forgets answers from before `answered_before`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_api_answers(&self, answered_before: OffsetDateTime) -> Result<()> {
        let old = entity::Column::CreatedAt.lt(to_micros(answered_before));
        entity::Entity::delete_many().filter(old).exec(self.connection()).await?;
        Ok(())
    }
}

fn from_row(row: entity::Model) -> Result<StoredAnswer> {
    let wrong = |_| StoreError::inconsistent("api_answer", "status", row.id, row.status);
    Ok(StoredAnswer {
        api_key_id: row.api_key_id,
        status: u16::try_from(row.status).map_err(wrong)?,
        idempotency_key: row.idempotency_key,
        fingerprint: row.fingerprint,
        body: row.body,
    })
}
