//! Accepted orders: one for each subscription, which is what makes a double submit harmless.

use std::collections::BTreeMap;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, sea_query::SelectStatement,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, Tx, search_terms::of_enrolment};
use crate::clock::{from_micros, to_micros};

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "enrolment")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub subscription_id: Uuid,
        pub quote_id: Uuid,
        pub organisation: String,
        pub buyer_name: String,
        pub buyer_email: String,
        pub technical_contact: String,
        pub submitted_at: i64,
        pub language: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An accepted order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The subscription.
    pub subscription_id: Uuid,
    /// The quote that was accepted.
    pub quote_id: Uuid,
    /// The organisation's name.
    pub organisation: String,
    /// Who ordered.
    pub buyer_name: String,
    /// Where they want mail.
    pub buyer_email: String,
    /// The technical contact's mailbox.
    pub technical_contact: String,
    /// When.
    pub submitted_at: OffsetDateTime,
    /// The language of mails, `en`.
    pub language: String,
}

async fn find(reader: &impl Reader, subscription_id: Uuid) -> Result<Option<Enrolment>> {
    let row = entity::Entity::find_by_id(subscription_id).one(reader.connection()).await?;
    Ok(row.map(from_row))
}

pub(super) fn from_row(row: entity::Model) -> Enrolment {
    Enrolment {
        subscription_id: row.subscription_id,
        quote_id: row.quote_id,
        organisation: row.organisation,
        buyer_name: row.buyer_name,
        buyer_email: row.buyer_email,
        technical_contact: row.technical_contact,
        submitted_at: from_micros(row.submitted_at),
        language: row.language,
    }
}

/// The quotes that were ordered, for other queries.
pub(super) fn quote_ids() -> SelectStatement {
    entity::Entity::find().select_only().column(entity::Column::QuoteId).into_query()
}

impl Store {
    /// The accepted order of a subscription.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_enrolment(&self, subscription_id: Uuid) -> Result<Option<Enrolment>> {
        find(self, subscription_id).await
    }
}

impl Store {
    /// The organisations of these subscriptions, as far as they are enrolled.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_organisations(&self, ids: impl IntoIterator<Item = Uuid>) -> Result<BTreeMap<Uuid, String>> {
        use entity::Column;
        let rows: Vec<(Uuid, String)> = entity::Entity::find()
            .select_only()
            .columns([Column::SubscriptionId, Column::Organisation])
            .filter(Column::SubscriptionId.is_in(ids))
            .into_tuple()
            .all(self.connection())
            .await?;
        Ok(rows.into_iter().collect())
    }
}

impl Tx {
    /// The accepted order of a subscription, where there is one.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_enrolment(&self, subscription_id: Uuid) -> Result<Option<Enrolment>> {
        find(self, subscription_id).await
    }

    /// The accepted order of a subscription.
    ///
    /// # Errors
    /// [`StoreError::NotFound`](super::StoreError::NotFound).
    pub async fn get_enrolment(&self, subscription_id: Uuid) -> Result<Enrolment> {
        let missing = || super::StoreError::NotFound { table: "enrolment", id: subscription_id.to_string() };
        find(self, subscription_id).await?.ok_or_else(missing)
    }

    /// Accepts an order.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](super::StoreError::Conflict) when there is one already.
    pub async fn insert_enrolment(&self, enrolment: &Enrolment) -> Result<()> {
        let row = entity::ActiveModel {
            subscription_id: Set(enrolment.subscription_id),
            quote_id: Set(enrolment.quote_id),
            organisation: Set(enrolment.organisation.clone()),
            buyer_name: Set(enrolment.buyer_name.clone()),
            buyer_email: Set(enrolment.buyer_email.clone()),
            technical_contact: Set(enrolment.technical_contact.clone()),
            submitted_at: Set(to_micros(enrolment.submitted_at)),
            language: Set(enrolment.language.clone()),
        };
        entity::Entity::insert(row).exec_without_returning(self.connection()).await?;
        self.note_terms(of_enrolment(enrolment));
        Ok(())
    }

    /// Changes who gets the mails, and in which language.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn update_contacts(&self, enrolment: &Enrolment) -> Result<()> {
        let row = entity::ActiveModel {
            buyer_email: Set(enrolment.buyer_email.clone()),
            technical_contact: Set(enrolment.technical_contact.clone()),
            language: Set(enrolment.language.clone()),
            ..Default::default()
        };
        let this = entity::Column::SubscriptionId.eq(enrolment.subscription_id);
        entity::Entity::update_many().set(row).filter(this).exec(self.connection()).await?;
        self.note_terms(of_enrolment(enrolment));
        Ok(())
    }
}
