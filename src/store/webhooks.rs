//! The inbox: webhooks as they came, once for each operation, action and subscription.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{JobKind, Reader, Result, Store, Target, TermKind, Tx};
use crate::{
    clock::{from_micros, new_id, to_micros},
    trace::{Step, StepKind},
};

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "webhook")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub operation_id: String,
        pub action: String,
        pub subscription_id: Option<Uuid>,
        pub body: String,
        pub claims: String,
        pub refusal: Option<String>,
        pub received_at: i64,
        pub handled_at: Option<i64>,
        pub outcome: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A webhook that is about to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewWebhook<'a> {
    /// Microsoft's id of the operation; the digest of the body where it names none.
    pub operation_id: &'a str,
    /// Its action, in Microsoft's word.
    pub action: &'a str,
    /// The subscription that it is about, where it names one.
    pub subscription_id: Option<Uuid>,
    /// The body as it came.
    pub body: &'a str,
    /// The verified claims of its token, as JSON.
    pub claims: &'a str,
    /// Why the catalog alone refuses the change, where it does.
    pub refusal: Option<&'a str>,
}

/// A webhook of the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id here.
    pub id: Uuid,
    /// Microsoft's id of the operation.
    pub operation_id: String,
    /// Its action, in Microsoft's word.
    pub action: String,
    /// The subscription that it is about.
    pub subscription_id: Option<Uuid>,
    /// The body as it came.
    pub body: String,
    /// The verified claims of its token, as JSON.
    pub claims: String,
    /// Why the catalog alone refused the change, where it did.
    pub refusal: Option<String>,
    /// When it came first.
    pub received_at: OffsetDateTime,
    /// When it was acted upon last.
    pub handled_at: Option<OffsetDateTime>,
    /// What came of it, once it has been acted upon.
    pub outcome: Option<String>,
}

impl Store {
    /// A webhook by its id here.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_webhook(&self, id: Uuid) -> Result<Option<Webhook>> {
        Ok(entity::Entity::find_by_id(id).one(self.connection()).await?.map(from_row))
    }

    /// The webhooks of a subscription, newest first.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_webhooks(&self, subscription_id: Uuid, limit: u64) -> Result<Vec<Webhook>> {
        let rows = entity::Entity::find()
            .filter(entity::Column::SubscriptionId.eq(subscription_id))
            .order_by_desc(entity::Column::ReceivedAt)
            .order_by_desc(entity::Column::Id)
            .limit(limit)
            .all(self.connection())
            .await?;
        Ok(rows.into_iter().map(from_row).collect())
    }
}

impl Store {
    /// When the oldest webhook came that nobody has acted upon.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_oldest_unhandled_webhook(&self) -> Result<Option<OffsetDateTime>> {
        use entity::Column;
        let oldest: Option<i64> = entity::Entity::find()
            .select_only()
            .column(Column::ReceivedAt)
            .filter(Column::HandledAt.is_null())
            .order_by_asc(Column::Id)
            .limit(1)
            .into_tuple()
            .one(self.connection())
            .await?;
        Ok(oldest.map(from_micros))
    }
}

impl Tx {
    /// Stores a webhook with the job that acts on it. One that came before is stored already, and its job with it: a second
    /// copy has no effect. Says whether it was new.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn insert_webhook(&self, webhook: NewWebhook<'_>, now: OffsetDateTime) -> Result<bool> {
        use entity::Column;
        let id = new_id(now);
        let row = entity::ActiveModel {
            id: Set(id),
            operation_id: Set(webhook.operation_id.to_owned()),
            action: Set(webhook.action.to_owned()),
            subscription_id: Set(webhook.subscription_id),
            body: Set(webhook.body.to_owned()),
            claims: Set(webhook.claims.to_owned()),
            refusal: Set(webhook.refusal.map(str::to_owned)),
            received_at: Set(to_micros(now)),
            handled_at: Set(None),
            outcome: Set(None),
        };
        // The subscription belongs to it: an operation's id in a false body about another one must not hide the true body.
        let key = [Column::OperationId, Column::Action, Column::SubscriptionId];
        let once = OnConflict::columns(key).do_nothing().to_owned();
        let written = entity::Entity::insert(row).on_conflict(once).exec_without_returning(self.connection()).await?;
        let outcome = if written == 1 { "stored" } else { "repeated" };
        self.note_step(Step {
            subject: webhook.subscription_id,
            reference: Some(webhook.operation_id.to_owned()),
            outcome: Some(outcome.to_owned()),
            ..Step::new(now, StepKind::Webhook, webhook.action)
        });
        if written == 1 {
            self.insert_job(JobKind::HandleWebhook, id, now).await?;
            if let Some(id) = webhook.subscription_id {
                self.note_term(Target::Subscription(id), TermKind::Operation, webhook.operation_id);
            }
        }
        Ok(written == 1)
    }

    /// Asks for a webhook to be acted upon once more; says whether there is one with this id.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn replay_webhook(&self, id: Uuid, now: OffsetDateTime) -> Result<bool> {
        let row = entity::ActiveModel { handled_at: Set(None), outcome: Set(None), ..Default::default() };
        let this = entity::Column::Id.eq(id);
        let found = entity::Entity::update_many().set(row).filter(this).exec(self.connection()).await?;
        if found.rows_affected == 1 {
            self.schedule_job(JobKind::HandleWebhook, id, now, now).await?;
        }
        Ok(found.rows_affected == 1)
    }

    /// Notes what came of a webhook.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn record_webhook_handled(&self, id: Uuid, outcome: &str, now: OffsetDateTime) -> Result<()> {
        let row = entity::ActiveModel {
            handled_at: Set(Some(to_micros(now))),
            outcome: Set(Some(outcome.to_owned())),
            ..Default::default()
        };
        entity::Entity::update_many().set(row).filter(entity::Column::Id.eq(id)).exec(self.connection()).await?;
        Ok(())
    }
}

fn from_row(row: entity::Model) -> Webhook {
    Webhook {
        id: row.id,
        operation_id: row.operation_id,
        action: row.action,
        subscription_id: row.subscription_id,
        body: row.body,
        claims: row.claims,
        refusal: row.refusal,
        received_at: from_micros(row.received_at),
        handled_at: row.handled_at.map(from_micros),
        outcome: row.outcome,
    }
}
