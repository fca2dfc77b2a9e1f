//! API keys: only the digest of a key's text is kept, so that nobody who reads the database can use one.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{ExprTrait, LockType},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, StoreError, Tx};
use crate::{
    clock::{from_micros, to_micros},
    domain::{api_key::ApiKey, staff::Scope},
};

const TABLE: &str = "api_key";

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "api_key")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub name: String,
        pub digest: String,
        pub scopes: String,
        pub created_by: String,
        pub created_at: i64,
        pub expires_at: i64,
        pub revoked_at: Option<i64>,
        pub revoked_by: Option<String>,
        pub last_used_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl Store {
    /// The key with this digest, whether it still counts or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_api_key_by_digest(&self, digest: &str) -> Result<Option<ApiKey>> {
        let this = entity::Column::Digest.eq(digest);
        entity::Entity::find().filter(this).one(self.connection()).await?.map(from_row).transpose()
    }

    /// All keys, newest first; there are as many as somebody made by hand.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_api_keys(&self) -> Result<Vec<ApiKey>> {
        let rows = entity::Entity::find().order_by_desc(entity::Column::Id).all(self.connection()).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// Keys that count at the first of these times and do not at the second, the first to expire first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_expiring_api_keys(&self, (from, until): (OffsetDateTime, OffsetDateTime)) -> Result<Vec<ApiKey>> {
        use entity::Column;
        let between = Condition::all()
            .add(Column::ExpiresAt.gt(to_micros(from)))
            .add(Column::ExpiresAt.lte(to_micros(until)))
            .add(Column::RevokedAt.is_null());
        let rows = entity::Entity::find().filter(between).order_by_asc(Column::ExpiresAt);
        rows.all(self.connection()).await?.into_iter().map(from_row).collect()
    }

    /// The names of these keys.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_api_key_names(&self, ids: impl IntoIterator<Item = Uuid>) -> Result<BTreeMap<Uuid, String>> {
        use entity::Column;
        let named = entity::Entity::find().select_only().columns([Column::Id, Column::Name]);
        let rows: Vec<(Uuid, String)> = named.filter(Column::Id.is_in(ids)).into_tuple().all(self.connection()).await?;
        Ok(rows.into_iter().collect())
    }

    /// Notes that a key is used, unless that was noted after `unless_after`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn touch_api_key(&self, id: Uuid, now: OffsetDateTime, unless_after: OffsetDateTime) -> Result<()> {
        use entity::Column;
        let row = entity::ActiveModel { last_used_at: Set(Some(to_micros(now))), ..Default::default() };
        let long_ago = Column::LastUsedAt.lte(to_micros(unless_after));
        let untouched = Condition::any().add(Column::LastUsedAt.is_null()).add(long_ago);
        let this = Condition::all().add(Column::Id.eq(id)).add(untouched);
        entity::Entity::update_many().set(row).filter(this).exec(self.connection()).await?;
        Ok(())
    }
}

impl Tx {
    /// A key by its id; nobody else writes it until the end.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_api_key(&self, id: Uuid) -> Result<Option<ApiKey>> {
        let found = entity::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(self.connection()).await?;
        found.map(from_row).transpose()
    }

    /// Keeps a new key by the digest of its text.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_api_key(&self, key: &ApiKey, digest: &str) -> Result<()> {
        let row = entity::ActiveModel {
            id: Set(key.id),
            name: Set(key.name.clone()),
            digest: Set(digest.to_owned()),
            scopes: Set(key.scope_words()),
            created_by: Set(key.created_by.clone()),
            created_at: Set(to_micros(key.created_at)),
            expires_at: Set(to_micros(key.expires_at)),
            ..Default::default()
        };
        entity::Entity::insert(row).exec_without_returning(self.connection()).await?;
        Ok(())
    }

    /// Revokes a key that nobody has revoked.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody has.
    pub async fn revoke_api_key(&self, id: Uuid, by: &str, now: OffsetDateTime) -> Result<()> {
        use entity::Column;
        let row = entity::ActiveModel {
            revoked_at: Set(Some(to_micros(now))),
            revoked_by: Set(Some(by.to_owned())),
            ..Default::default()
        };
        let valid = Column::Id.eq(id).and(Column::RevokedAt.is_null());
        let revoked = entity::Entity::update_many().set(row).filter(valid).exec(self.connection()).await?;
        if revoked.rows_affected == 1 { Ok(()) } else { Err(StoreError::Conflict(TABLE)) }
    }
}

fn from_row(row: entity::Model) -> Result<ApiKey> {
    let scopes: Option<BTreeSet<Scope>> = row.scopes.split_whitespace().map(Scope::from_word).collect();
    Ok(ApiKey {
        id: row.id,
        scopes: scopes.ok_or_else(|| StoreError::inconsistent(TABLE, "scopes", row.id, &row.scopes))?,
        name: row.name,
        created_by: row.created_by,
        created_at: from_micros(row.created_at),
        expires_at: from_micros(row.expires_at),
        revoked_at: row.revoked_at.map(from_micros),
        last_used_at: row.last_used_at.map(from_micros),
    })
}
