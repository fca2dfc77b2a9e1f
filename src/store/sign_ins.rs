//! Sign-ins that have left for Microsoft and are not back yet. Each is used once.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use time::OffsetDateTime;

use super::{Reader, Result, Tx};
use crate::clock::to_micros;

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sign_in")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub state: String,
        pub browser: String,
        pub nonce: String,
        pub pkce_verifier: String,
        pub return_to: String,
        pub expires_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What has to be known when the browser comes back.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The `state` parameter; random.
    pub state: String,
    /// A digest of the browser's own cookie, so that the answer cannot be planted into another browser.
    pub browser: String,
    /// The nonce that the ID token must repeat.
    pub nonce: String,
    /// The PKCE verifier.
    pub pkce_verifier: String,
    /// A path of ours.
    pub return_to: String,
}

impl Tx {
    /// Remembers a sign-in.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn insert_sign_in(&self, sign_in: &SignIn, expires_at: OffsetDateTime) -> Result<()> {
        let row = entity::ActiveModel {
            state: Set(sign_in.state.clone()),
            browser: Set(sign_in.browser.clone()),
            nonce: Set(sign_in.nonce.clone()),
            pkce_verifier: Set(sign_in.pkce_verifier.clone()),
            return_to: Set(sign_in.return_to.clone()),
            expires_at: Set(to_micros(expires_at)),
        };
        entity::Entity::insert(row).exec_without_returning(self.connection()).await?;
        Ok(())
    }

    /// Takes a sign-in out, so that its answer counts once; none when it is unknown, used or too old.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn take_sign_in(&self, state: &str, now: OffsetDateTime) -> Result<Option<SignIn>> {
        let Some(row) = entity::Entity::find_by_id(state).one(self.connection()).await? else { return Ok(None) };
        let deleted = entity::Entity::delete_by_id(state).exec(self.connection()).await?;
        let valid = deleted.rows_affected == 1 && row.expires_at > to_micros(now);
        Ok(valid.then_some(SignIn {
            state: row.state,
            browser: row.browser,
            nonce: row.nonce,
            pkce_verifier: row.pkce_verifier,
            return_to: row.return_to,
        }))
    }

    /// Forgets sign-ins that never came back.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn delete_expired_sign_ins(&self, now: OffsetDateTime) -> Result<()> {
        let expired = entity::Column::ExpiresAt.lte(to_micros(now));
        entity::Entity::delete_many().filter(expired).exec(self.connection()).await?;
        Ok(())
    }
}
