//! The inbox as a list, the newest first: the order of the ids, backwards.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Reader, Result, Store,
    webhooks::entity::{Column, Entity, Model},
};
use crate::clock::from_micros;

/// What is looked for; nothing = all of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebhookFilter<'a> {
    /// Microsoft's word.
    pub action: Option<&'a str>,
    /// Whether it has been acted upon.
    pub is_handled: Option<bool>,
    /// The subscription.
    pub subscription_id: Option<Uuid>,
}

/// A webhook as somebody looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedWebhook {
    /// Its id here.
    pub id: Uuid,
    /// When it came first.
    pub received_at: OffsetDateTime,
    /// Its action, in Microsoft's word.
    pub action: String,
    /// The subscription that it is about.
    pub subscription_id: Option<Uuid>,
    /// Microsoft's id of the operation.
    pub operation_id: String,
    /// When it was acted upon.
    pub handled_at: Option<OffsetDateTime>,
    /// What came of it.
    pub outcome: Option<String>,
    /// Why the catalog alone refused the change, where it did.
    pub refusal: Option<String>,
    /// The body as it came.
    pub body: String,
}

impl Store {
    /// The newest webhooks behind one of them.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_newest_webhooks(
        &self,
        filter: WebhookFilter<'_>,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<ListedWebhook>> {
        let handled = |is| if is { Column::HandledAt.is_not_null() } else { Column::HandledAt.is_null() };
        let these = Condition::all()
            .add_option(filter.action.map(|action| Column::Action.eq(action)))
            .add_option(filter.is_handled.map(handled))
            .add_option(filter.subscription_id.map(|id| Column::SubscriptionId.eq(id)))
            .add_option(after.map(|id| Column::Id.lt(id)));
        let rows = Entity::find().filter(these).order_by_desc(Column::Id).limit(limit).all(self.connection()).await?;
        Ok(rows.into_iter().map(from_row).collect())
    }
}

fn from_row(row: Model) -> ListedWebhook {
    ListedWebhook {
        id: row.id,
        received_at: from_micros(row.received_at),
        action: row.action,
        subscription_id: row.subscription_id,
        operation_id: row.operation_id,
        handled_at: row.handled_at.map(from_micros),
        outcome: row.outcome,
        refusal: row.refusal,
        body: row.body,
    }
}
