//! Signed license keys, unique by (subscription, sequence number).

use std::collections::BTreeMap;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, StoreError, Target, TermKind, Tx};
use crate::clock::{from_micros, new_id, to_micros};

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "license_key")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub subscription_id: Uuid,
        pub license_id: String,
        pub seq: i32,
        pub signing_key_id: String,
        pub compact: String,
        pub expires_at: i64,
        pub created_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A license key as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseKey {
    /// The subscription.
    pub subscription_id: Uuid,
    /// The license id (`jti`).
    pub license_id: String,
    /// Which key of that license.
    pub seq: u32,
    /// The `kid` of the signing key.
    pub signing_key_id: String,
    /// The key's text: a compact JWS.
    pub compact: String,
    /// From when on it is no longer valid.
    pub expires_at: OffsetDateTime,
}

/// What is told of the newest key to those who do not get its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewestKey {
    /// The license id (`jti`).
    pub license_id: String,
    /// Which key of that license.
    pub seq: u32,
    /// From when on it is no longer valid.
    pub expires_at: OffsetDateTime,
}

async fn find_newest(
    reader: &impl Reader,
    column: entity::Column,
    value: sea_orm::Value,
) -> Result<Option<LicenseKey>> {
    let row = entity::Entity::find()
        .filter(column.eq(value))
        .order_by_desc(entity::Column::Seq)
        .one(reader.connection())
        .await?;
    row.map(from_row).transpose()
}

fn from_row(row: entity::Model) -> Result<LicenseKey> {
    let wrong = |_| StoreError::inconsistent("license_key", "seq", row.id, row.seq);
    Ok(LicenseKey {
        subscription_id: row.subscription_id,
        seq: u32::try_from(row.seq).map_err(wrong)?,
        license_id: row.license_id,
        signing_key_id: row.signing_key_id,
        compact: row.compact,
        expires_at: from_micros(row.expires_at),
    })
}

impl Store {
    /// The newest key of a subscription.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_newest_key(&self, subscription_id: Uuid) -> Result<Option<LicenseKey>> {
        find_newest(self, entity::Column::SubscriptionId, subscription_id.into()).await
    }

    /// Every key that was signed for a subscription, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_license_keys(&self, subscription_id: Uuid) -> Result<Vec<LicenseKey>> {
        let rows = entity::Entity::find()
            .filter(entity::Column::SubscriptionId.eq(subscription_id))
            .order_by_asc(entity::Column::Seq)
            .all(self.connection())
            .await?;
        rows.into_iter().map(from_row).collect()
    }

    /// The newest keys of several subscriptions, where they have one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_newest_keys(&self, subscriptions: &[Uuid]) -> Result<BTreeMap<Uuid, NewestKey>> {
        use entity::Column;
        let rows: Vec<(Uuid, String, i32, i64)> = entity::Entity::find()
            .select_only()
            .columns([Column::SubscriptionId, Column::LicenseId, Column::Seq, Column::ExpiresAt])
            .filter(Column::SubscriptionId.is_in(subscriptions.iter().copied()))
            .order_by_asc(Column::Seq)
            .into_tuple()
            .all(self.connection())
            .await?;
        let newest = |(id, license_id, seq, expires_at): (Uuid, String, i32, i64)| {
            let wrong = |_| StoreError::inconsistent("license_key", "seq", id, seq);
            let seq = u32::try_from(seq).map_err(wrong)?;
            Ok((id, NewestKey { license_id, seq, expires_at: from_micros(expires_at) }))
        };
        // Later ones take the place of earlier ones.
        rows.into_iter().map(newest).collect()
    }

    /// The newest key of a license.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_newest_key_of_license(&self, license_id: &str) -> Result<Option<LicenseKey>> {
        find_newest(self, entity::Column::LicenseId, license_id.into()).await
    }
}

impl Tx {
    /// The newest key of a subscription, as this transaction sees it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_newest_key(&self, subscription_id: Uuid) -> Result<Option<LicenseKey>> {
        find_newest(self, entity::Column::SubscriptionId, subscription_id.into()).await
    }

    /// Keeps a signed key.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when that number has been signed before.
    pub async fn insert_license_key(&self, key: &LicenseKey, now: OffsetDateTime) -> Result<()> {
        let row = entity::ActiveModel {
            id: Set(new_id(now)),
            subscription_id: Set(key.subscription_id),
            license_id: Set(key.license_id.clone()),
            seq: Set(i32::try_from(key.seq).unwrap_or(i32::MAX)),
            signing_key_id: Set(key.signing_key_id.clone()),
            compact: Set(key.compact.clone()),
            expires_at: Set(to_micros(key.expires_at)),
            created_at: Set(to_micros(now)),
        };
        entity::Entity::insert(row).exec_without_returning(self.connection()).await?;
        self.note_term(Target::Subscription(key.subscription_id), TermKind::License, &key.license_id);
        Ok(())
    }
}
