//! License ids that no product may take any more.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::OnConflict};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, Tx};
use crate::clock::{from_micros, to_micros};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "revocation")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub license_id: String,
        pub subscription_id: Uuid,
        pub reason: String,
        pub revoked_at: i64,
        pub keys_end_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A revoked license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The license id (`jti`).
    pub license_id: String,
    /// The subscription.
    pub subscription_id: Uuid,
    /// Why: `ended`, `withdrawn`, `rotated`.
    pub reason: String,
    /// Since when.
    pub revoked_at: OffsetDateTime,
    /// When its last key would have ended by itself; after that nobody needs to be told.
    pub keys_end_at: OffsetDateTime,
}

async fn find(reader: &impl Reader, license_id: &str) -> Result<Option<Revocation>> {
    Ok(entity::Entity::find_by_id(license_id).one(reader.connection()).await?.map(from_row))
}

impl Store {
    /// Whether, and why, a license is revoked.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_revocation(&self, license_id: &str) -> Result<Option<Revocation>> {
        find(self, license_id).await
    }

    /// Revoked licenses whose keys would still be valid, oldest first.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_revocations(&self, now: OffsetDateTime) -> Result<Vec<Revocation>> {
        let rows = entity::Entity::find()
            .filter(entity::Column::KeysEndAt.gt(to_micros(now)))
            .order_by_asc(entity::Column::RevokedAt)
            .order_by_asc(entity::Column::LicenseId)
            .all(self.connection())
            .await?;
        Ok(rows.into_iter().map(from_row).collect())
    }
}

impl Tx {
    /// Whether, and why, a license is revoked, as this transaction sees it.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_revocation(&self, license_id: &str) -> Result<Option<Revocation>> {
        find(self, license_id).await
    }

    /// Revokes a license, once and for ever.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn insert_revocation(&self, revocation: &Revocation) -> Result<()> {
        let row = entity::ActiveModel {
            license_id: Set(revocation.license_id.clone()),
            subscription_id: Set(revocation.subscription_id),
            reason: Set(revocation.reason.clone()),
            revoked_at: Set(to_micros(revocation.revoked_at)),
            keys_end_at: Set(to_micros(revocation.keys_end_at)),
        };
        let once = OnConflict::column(entity::Column::LicenseId).do_nothing().to_owned();
        entity::Entity::insert(row).on_conflict(once).exec_without_returning(self.connection()).await?;
        Ok(())
    }
}

fn from_row(row: entity::Model) -> Revocation {
    Revocation {
        license_id: row.license_id,
        subscription_id: row.subscription_id,
        reason: row.reason,
        revoked_at: from_micros(row.revoked_at),
        keys_end_at: from_micros(row.keys_end_at),
    }
}
