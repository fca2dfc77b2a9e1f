//! Mails as a list without what they say, the newest first: the order of the ids, backwards.

use sea_orm::{ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Reader, Result, Store, StoreError,
    mails::entity::{Column, Entity},
};
use crate::clock::from_micros;

/// A mail as somebody looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedMail {
    /// Its id.
    pub id: Uuid,
    /// The subscription that it is about.
    pub subscription_id: Option<Uuid>,
    /// Who gets it.
    pub recipients: Vec<String>,
    /// The subject line.
    pub subject: String,
    /// `queued`, `sent`, `erased`.
    pub state: String,
    /// What the mail server said last, where it refused.
    pub last_error: Option<String>,
    /// When its cause happened.
    pub created_at: OffsetDateTime,
    /// When the mail server took it.
    pub sent_at: Option<OffsetDateTime>,
}

#[derive(FromQueryResult)]
struct Head {
    id: Uuid,
    subscription_id: Option<Uuid>,
    recipients: String,
    subject: String,
    state: String,
    last_error: Option<String>,
    created_at: i64,
    sent_at: Option<i64>,
}

impl Store {
    /// The newest mails behind one of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_newest_mails(
        &self,
        (state, subscription_id): (Option<&str>, Option<Uuid>),
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<ListedMail>> {
        let these = Condition::all()
            .add_option(state.map(|state| Column::State.eq(state)))
            .add_option(subscription_id.map(|id| Column::SubscriptionId.eq(id)))
            .add_option(after.map(|id| Column::Id.lt(id)));
        let columns = [
            Column::Id,
            Column::SubscriptionId,
            Column::Recipients,
            Column::Subject,
            Column::State,
            Column::LastError,
            Column::CreatedAt,
            Column::SentAt,
        ];
        let heads = Entity::find().select_only().columns(columns).filter(these).order_by_desc(Column::Id).limit(limit);
        let heads = heads.into_model::<Head>().all(self.connection()).await?;
        heads.into_iter().map(listed).collect()
    }
}

fn listed(head: Head) -> Result<ListedMail> {
    let recipients = serde_json::from_str(&head.recipients);
    Ok(ListedMail {
        id: head.id,
        subscription_id: head.subscription_id,
        recipients: recipients.map_err(|error| StoreError::inconsistent("mail", "recipients", head.id, error))?,
        subject: head.subject,
        state: head.state,
        last_error: head.last_error,
        created_at: from_micros(head.created_at),
        sent_at: head.sent_at.map(from_micros),
    })
}
