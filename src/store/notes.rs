//! What people tell each other about a subscription: append-only, until the customer's data is erased.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, Tx};
use crate::{
    clock::{from_micros, new_id, to_micros},
    hash::sha256_hex,
};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "note")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub subscription_id: Uuid,
        pub member_id: Uuid,
        pub text: String,
        pub salt: Option<String>,
        pub at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub member_id: Uuid,
    /// What it says.
    pub text: String,
    /// When it was written.
    pub at: OffsetDateTime,
}

impl Store {
    /// The newest notes of a subscription, newest first.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_notes(&self, subscription_id: Uuid, limit: u64) -> Result<Vec<Note>> {
        use entity::Column;
        let rows = entity::Entity::find()
            .filter(Column::SubscriptionId.eq(subscription_id))
            .order_by_desc(Column::At)
            .order_by_desc(Column::Id)
            .limit(limit)
            .all(self.connection())
            .await?;
        let note =
            |row: entity::Model| Note { id: row.id, member_id: row.member_id, text: row.text, at: from_micros(row.at) };
        Ok(rows.into_iter().map(note).collect())
    }
}

impl Tx {
    /// Writes a note; gives its id and the salted digest of its text, for the audit log.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn insert_note(
        &self,
        subscription_id: Uuid,
        member_id: Uuid,
        text: &str,
        now: OffsetDateTime,
    ) -> Result<(Uuid, String)> {
        let id = new_id(now);
        let salt = Uuid::new_v4().simple().to_string();
        let digest = sha256_hex(format!("{salt}\n{text}").as_bytes());
        let row = entity::ActiveModel {
            id: Set(id),
            subscription_id: Set(subscription_id),
            member_id: Set(member_id),
            text: Set(text.to_owned()),
            salt: Set(Some(salt)),
            at: Set(to_micros(now)),
        };
        entity::Entity::insert(row).exec_without_returning(self.connection()).await?;
        Ok((id, digest))
    }
}
