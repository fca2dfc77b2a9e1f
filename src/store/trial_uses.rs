//! First-time trials that were used up, unique by (trial group, customer).

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::ExprTrait};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, Tx};
use crate::clock::{new_id, to_micros};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "trial_use")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub trial_group: String,
        pub customer: String,
        pub subscription_id: Uuid,
        pub days: i32,
        pub used_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

async fn is_used(reader: &impl Reader, trial_group: &str, customer: &str) -> Result<bool> {
    use entity::Column;
    let either = [customer.to_owned(), digest(customer)];
    let key = Column::TrialGroup.eq(trial_group).and(Column::Customer.is_in(either));
    Ok(entity::Entity::find().filter(key).one(reader.connection()).await?.is_some())
}

/// What is remembered of a customer whose personal data is erased.
fn digest(customer: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, customer.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Store {
    /// Whether a customer has had the first-time trial of a group.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn is_trial_used(&self, trial_group: &str, customer: &str) -> Result<bool> {
        is_used(self, trial_group, customer).await
    }
}

impl Tx {
    /// The same, as this transaction sees it.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn is_trial_used(&self, trial_group: &str, customer: &str) -> Result<bool> {
        is_used(self, trial_group, customer).await
    }

    /// Uses up a first-time trial, for ever. Where no purchase did, the grant of the trial stands for the subscription.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](super::StoreError::Conflict) when it is used up already.
    pub async fn insert_trial_use(
        &self,
        trial_group: &str,
        customer: &str,
        subscription_id: Uuid,
        days: u32,
        now: OffsetDateTime,
    ) -> Result<()> {
        let row = entity::ActiveModel {
            id: Set(new_id(now)),
            trial_group: Set(trial_group.to_owned()),
            customer: Set(customer.to_owned()),
            subscription_id: Set(subscription_id),
            days: Set(i32::try_from(days).unwrap_or(i32::MAX)),
            used_at: Set(to_micros(now)),
        };
        entity::Entity::insert(row).exec_without_returning(self.connection()).await?;
        Ok(())
    }

    /// A purchase has taken a trial over: its erasure is that of the subscription.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn move_trial_use(&self, from_grant: Uuid, to_subscription: Uuid) -> Result<()> {
        let row = entity::ActiveModel { subscription_id: Set(to_subscription), ..Default::default() };
        let this = entity::Column::SubscriptionId.eq(from_grant);
        entity::Entity::update_many().set(row).filter(this).exec(self.connection()).await?;
        Ok(())
    }

    /// From now on the customer of a subscription, or of a grant, is remembered by a digest alone.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub(super) async fn digest_trial_customer(&self, subscription_id: Uuid) -> Result<()> {
        use entity::Column;
        let of_subscription = Column::SubscriptionId.eq(subscription_id);
        for row in entity::Entity::find().filter(of_subscription).all(self.connection()).await? {
            let erased = entity::ActiveModel { customer: Set(digest(&row.customer)), ..Default::default() };
            entity::Entity::update_many().set(erased).filter(Column::Id.eq(row.id)).exec(self.connection()).await?;
        }
        Ok(())
    }
}
