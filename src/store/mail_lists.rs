//! Mails as a list without what they say, the newest first: the order of the ids, backwards.

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select,
    sea_query::{ExprTrait, SimpleExpr},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    JobKind, Reader, Result, Store, StoreError, jobs,
    mails::entity::{Column, Entity},
};
use crate::clock::{from_micros, to_micros};

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
        self.heads(Entity::find().filter(these).order_by_desc(Column::Id).limit(limit)).await
    }

    /// These mails, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_mails_by_id(&self, ids: impl IntoIterator<Item = Uuid>) -> Result<Vec<ListedMail>> {
        self.heads(Entity::find().filter(Column::Id.is_in(ids)).order_by_asc(Column::Id)).await
    }

    /// Mails that were to leave before that and have not, oldest first, but for those whose job has given up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_late_mails(&self, before: OffsetDateTime, limit: u64) -> Result<Vec<ListedMail>> {
        self.heads(Entity::find().filter(is_late(before)).order_by_asc(Column::Id).limit(limit)).await
    }

    /// How many these are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_late_mails(&self, before: OffsetDateTime) -> Result<u64> {
        Ok(Entity::find().filter(is_late(before)).count(self.connection()).await?)
    }

    async fn heads(&self, these: Select<Entity>) -> Result<Vec<ListedMail>> {
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
        let heads = these.select_only().columns(columns).into_model::<Head>().all(self.connection()).await?;
        heads.into_iter().map(listed).collect()
    }
}

fn is_late(before: OffsetDateTime) -> SimpleExpr {
    let given_up = jobs::entity::Entity::find()
        .select_only()
        .column(jobs::entity::Column::Subject)
        .filter(jobs::entity::Column::Kind.eq(JobKind::SendMail.as_str()).and(jobs::entity::Column::State.eq("dead")));
    let waits = Column::State.eq("queued").and(Column::CreatedAt.lt(to_micros(before)));
    waits.and(Column::Id.not_in_subquery(given_up.into_query()))
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
