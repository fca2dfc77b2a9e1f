//! Signed-in buyers, and browsers that came with a purchase token. Ids are digests of what the cookies hold.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use time::OffsetDateTime;

use super::{Reader, Result, Store, Tx};
use crate::{
    clock::{from_micros, to_micros},
    domain::policy::Identity,
};

mod arrival {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "arrival")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub purchase_token: String,
        pub expires_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "session")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub tenant_id: Uuid,
        pub object_id: Uuid,
        pub name: String,
        pub email: String,
        pub csrf: String,
        pub created_at: i64,
        pub last_seen_at: i64,
        pub expires_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A browser that came from the Azure portal; the purchase token stays here and is never sent back.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The digest of the browser's cookie.
    pub id: String,
    /// The decoded purchase token.
    pub purchase_token: String,
}

/// A signed-in buyer.
#[derive(Debug, Clone)]
pub struct Session {
    /// The digest of the cookie.
    pub id: String,
    /// Who it is.
    pub identity: Identity,
    /// Their name, for the page's head.
    pub name: String,
    /// Their e-mail address, a suggestion for the form; it grants nothing.
    pub email: String,
    /// What every form of this session must send back.
    pub csrf: String,
    /// When it was last used.
    pub last_seen_at: OffsetDateTime,
    /// The absolute end.
    pub expires_at: OffsetDateTime,
}

impl Store {
    /// The arrival behind a cookie's digest.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_arrival(&self, id: &str, now: OffsetDateTime) -> Result<Option<Arrival>> {
        let row = arrival::Entity::find_by_id(id).one(self.connection()).await?;
        let row = row.filter(|row| row.expires_at > to_micros(now));
        Ok(row.map(|row| Arrival { id: row.id, purchase_token: row.purchase_token }))
    }

    /// The session behind a cookie's digest, unless its absolute end is over.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_session(&self, id: &str, now: OffsetDateTime) -> Result<Option<Session>> {
        let row = entity::Entity::find_by_id(id).one(self.connection()).await?;
        let row = row.filter(|row| row.expires_at > to_micros(now));
        Ok(row.map(|row| Session {
            id: row.id,
            identity: Identity { tenant_id: row.tenant_id, object_id: row.object_id },
            name: row.name,
            email: row.email,
            csrf: row.csrf,
            last_seen_at: from_micros(row.last_seen_at),
            expires_at: from_micros(row.expires_at),
        }))
    }

    /// Notes that a session is in use.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn touch_session(&self, id: &str, now: OffsetDateTime) -> Result<()> {
        let row = entity::ActiveModel { last_seen_at: Set(to_micros(now)), ..Default::default() };
        entity::Entity::update_many().set(row).filter(entity::Column::Id.eq(id)).exec(self.connection()).await?;
        Ok(())
    }
}

impl Tx {
    /// Remembers a browser that came with a purchase token.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn insert_arrival(&self, arrival: &Arrival, expires_at: OffsetDateTime) -> Result<()> {
        let row = arrival::ActiveModel {
            id: Set(arrival.id.clone()),
            purchase_token: Set(arrival.purchase_token.clone()),
            expires_at: Set(to_micros(expires_at)),
        };
        arrival::Entity::insert(row).exec_without_returning(self.connection()).await?;
        Ok(())
    }

    /// Forgets a purchase token that has done its work.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn delete_arrival(&self, id: &str) -> Result<()> {
        arrival::Entity::delete_by_id(id).exec(self.connection()).await?;
        Ok(())
    }

    /// Opens a session.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn insert_session(&self, session: &Session, now: OffsetDateTime) -> Result<()> {
        let row = entity::ActiveModel {
            id: Set(session.id.clone()),
            tenant_id: Set(session.identity.tenant_id),
            object_id: Set(session.identity.object_id),
            name: Set(session.name.clone()),
            email: Set(session.email.clone()),
            csrf: Set(session.csrf.clone()),
            created_at: Set(to_micros(now)),
            last_seen_at: Set(to_micros(session.last_seen_at)),
            expires_at: Set(to_micros(session.expires_at)),
        };
        entity::Entity::insert(row).exec_without_returning(self.connection()).await?;
        Ok(())
    }

    /// Closes a session.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn delete_session(&self, id: &str) -> Result<()> {
        entity::Entity::delete_by_id(id).exec(self.connection()).await?;
        Ok(())
    }

    /// Forgets sessions and arrivals that are over.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn delete_expired_sessions(&self, now: OffsetDateTime) -> Result<()> {
        let now = to_micros(now);
        entity::Entity::delete_many().filter(entity::Column::ExpiresAt.lte(now)).exec(self.connection()).await?;
        arrival::Entity::delete_many().filter(arrival::Column::ExpiresAt.lte(now)).exec(self.connection()).await?;
        Ok(())
    }
}
