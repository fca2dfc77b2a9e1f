//! Quotes that were shown for review, frozen with their inputs, and bound to the person who saw them.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::ExprTrait};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, StoreError, Tx, enrolments};
use crate::{
    clock::{from_micros, to_micros},
    domain::{enrolment::FrozenQuote, policy::Identity},
};

const TABLE: &str = "quote";

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "quote")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub subscription_id: Uuid,
        pub body: String,
        pub tenant_id: Uuid,
        pub object_id: Uuid,
        pub created_at: i64,
        pub expires_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A quote as it was shown.
#[derive(Debug, Clone)]
pub struct StoredQuote {
    /// Its id, as in the review's address.
    pub id: Uuid,
    /// The subscription that it is for.
    pub subscription_id: Uuid,
    /// What was shown.
    pub frozen: FrozenQuote,
    /// Who saw it.
    pub shown_to: Identity,
    /// When.
    pub created_at: OffsetDateTime,
    /// Until when it may be submitted.
    pub expires_at: OffsetDateTime,
}

async fn find(reader: &impl Reader, id: Uuid) -> Result<Option<StoredQuote>> {
    let row = entity::Entity::find_by_id(id).one(reader.connection()).await?;
    row.map(|row| {
        let frozen = serde_json::from_str(&row.body);
        Ok(StoredQuote {
            id: row.id,
            subscription_id: row.subscription_id,
            frozen: frozen.map_err(|error| StoreError::inconsistent(TABLE, "body", row.id, error))?,
            shown_to: Identity { tenant_id: row.tenant_id, object_id: row.object_id },
            created_at: from_micros(row.created_at),
            expires_at: from_micros(row.expires_at),
        })
    })
    .transpose()
}

impl Store {
    /// A quote by its id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_quote(&self, id: Uuid) -> Result<Option<StoredQuote>> {
        find(self, id).await
    }
}

impl Tx {
    /// A quote by its id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn get_quote(&self, id: Uuid) -> Result<StoredQuote> {
        find(self, id).await?.ok_or_else(|| StoreError::NotFound { table: TABLE, id: id.to_string() })
    }

    /// Keeps a quote as it is about to be shown.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_quote(&self, quote: &StoredQuote) -> Result<()> {
        let body = serde_json::to_string(&quote.frozen);
        let row = entity::ActiveModel {
            id: Set(quote.id),
            subscription_id: Set(quote.subscription_id),
            body: Set(body.map_err(|error| StoreError::inconsistent(TABLE, "body", quote.id, error))?),
            tenant_id: Set(quote.shown_to.tenant_id),
            object_id: Set(quote.shown_to.object_id),
            created_at: Set(to_micros(quote.created_at)),
            expires_at: Set(to_micros(quote.expires_at)),
        };
        entity::Entity::insert(row).exec_without_returning(self.connection()).await?;
        Ok(())
    }

    /// Nobody's name or address stays in the frozen orders of a subscription; the figures do.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn erase_people_of_quotes(&self, subscription_id: Uuid, erased: &str) -> Result<()> {
        use entity::Column;
        let of_subscription = Column::SubscriptionId.eq(subscription_id);
        for row in entity::Entity::find().filter(of_subscription).all(self.connection()).await? {
            let mut frozen: FrozenQuote = serde_json::from_str(&row.body)
                .map_err(|error| StoreError::inconsistent(TABLE, "body", row.id, error))?;
            let order = &mut frozen.order;
            for text in [&mut order.organisation, &mut order.buyer_name, &mut order.buyer_email] {
                erased.clone_into(text);
            }
            erased.clone_into(&mut order.technical_contact);
            let body = serde_json::to_string(&frozen);
            let written = entity::ActiveModel {
                body: Set(body.map_err(|error| StoreError::inconsistent(TABLE, "body", row.id, error))?),
                tenant_id: Set(Uuid::nil()),
                object_id: Set(Uuid::nil()),
                ..Default::default()
            };
            entity::Entity::update_many().set(written).filter(Column::Id.eq(row.id)).exec(self.connection()).await?;
        }
        Ok(())
    }

    /// Forgets quotes from before `shown_before` that nobody ordered; an ordered one is the reason of its charges.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_unordered_quotes(&self, shown_before: OffsetDateTime) -> Result<()> {
        use entity::Column;
        let old = Column::CreatedAt.lt(to_micros(shown_before));
        let unordered = Column::Id.not_in_subquery(enrolments::quote_ids());
        entity::Entity::delete_many().filter(old.and(unordered)).exec(self.connection()).await?;
        Ok(())
    }
}
