//! Mails, written with their cause and sent by a job. Unique by Message-ID, which follows from the cause.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{JobKind, Reader, Result, Store, StoreError, Tx};
use crate::{
    clock::{from_micros, new_id, to_micros},
    trace::{Step, StepKind},
};

const TABLE: &str = "mail";

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "mail")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub subscription_id: Option<Uuid>,
        pub message_id: String,
        pub recipients: String,
        pub subject: String,
        pub text_body: String,
        pub html_body: String,
        pub attachments: String,
        pub reply_to: String,
        pub state: String,
        pub last_error: Option<String>,
        pub created_at: i64,
        pub sent_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A file that goes with a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A mail that is about to be written.
#[derive(Debug, Clone)]
pub struct NewMail {
    /// The subscription that it is about.
    pub subscription_id: Option<Uuid>,
    /// The Message-ID without brackets, made from its cause.
    pub message_id: String,
    /// Who gets it.
    pub recipients: Vec<String>,
    /// The subject line.
    pub subject: String,
    /// The plain part.
    pub text_body: String,
    /// The HTML part.
    pub html_body: String,
    /// Attached files.
    pub attachments: Vec<Attachment>,
    /// Where answers go.
    pub reply_to: String,
}

/// Where a mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    /// Waiting for its job.
    Queued,
    /// Accepted by the mail server.
    Sent,
    /// Its people were erased before it left.
    Erased,
}

/// A stored mail.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Its id.
    pub id: Uuid,
    /// What it says and to whom.
    pub content: NewMail,
    /// Where it stands.
    pub state: MailState,
    /// What the mail server said last, where it refused.
    pub last_error: Option<String>,
    /// When its cause happened.
    pub created_at: OffsetDateTime,
    /// When the mail server took it.
    pub sent_at: Option<OffsetDateTime>,
}

impl Store {
    /// A mail by its id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_mail(&self, id: Uuid) -> Result<Option<Mail>> {
        entity::Entity::find_by_id(id).one(self.connection()).await?.map(from_row).transpose()
    }

    /// The mails of a subscription, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_mails(&self, subscription_id: Uuid) -> Result<Vec<Mail>> {
        let rows = entity::Entity::find()
            .filter(entity::Column::SubscriptionId.eq(subscription_id))
            .order_by_asc(entity::Column::CreatedAt)
            .order_by_asc(entity::Column::Id)
            .all(self.connection())
            .await?;
        rows.into_iter().map(from_row).collect()
    }

    /// The newest mails of a subscription, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_mails_of(&self, subscription_id: Uuid, limit: u64) -> Result<Vec<Mail>> {
        let rows = entity::Entity::find()
            .filter(entity::Column::SubscriptionId.eq(subscription_id))
            .order_by_desc(entity::Column::CreatedAt)
            .order_by_desc(entity::Column::Id)
            .limit(limit)
            .all(self.connection())
            .await?;
        rows.into_iter().map(from_row).collect()
    }
}

impl Store {
    /// Mails that have not left.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_queued_mails(&self) -> Result<i64> {
        let queued = entity::Entity::find().filter(entity::Column::State.eq("queued"));
        let count = queued.select_only().column_as(entity::Column::Id.count(), "count").into_tuple();
        Ok(count.one(self.connection()).await?.unwrap_or(0))
    }
}

impl Tx {
    /// Writes a mail and gives its id, for its job; `None` when that cause has been mailed before.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn insert_mail(&self, mail: &NewMail, now: OffsetDateTime) -> Result<Option<Uuid>> {
        let id = new_id(now);
        let json = |column, list: serde_json::Result<String>| {
            list.map_err(|error| StoreError::inconsistent(TABLE, column, id, error))
        };
        let row = entity::ActiveModel {
            id: Set(id),
            subscription_id: Set(mail.subscription_id),
            message_id: Set(mail.message_id.clone()),
            recipients: Set(json("recipients", serde_json::to_string(&mail.recipients))?),
            subject: Set(mail.subject.clone()),
            text_body: Set(mail.text_body.clone()),
            html_body: Set(mail.html_body.clone()),
            attachments: Set(json("attachments", serde_json::to_string(&mail.attachments))?),
            reply_to: Set(mail.reply_to.clone()),
            state: Set("queued".to_owned()),
            created_at: Set(to_micros(now)),
            ..Default::default()
        };
        let once = OnConflict::column(entity::Column::MessageId).do_nothing().to_owned();
        let written = entity::Entity::insert(row).on_conflict(once).exec_without_returning(self.connection()).await?;
        Ok((written == 1).then_some(id))
    }

    /// Writes a mail with the job that sends it, once for each cause; says whether this was the first time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn queue_mail(&self, mail: &NewMail, now: OffsetDateTime) -> Result<bool> {
        let Some(id) = self.insert_mail(mail, now).await? else { return Ok(false) };
        self.note_step(Step {
            subject: mail.subscription_id,
            reference: Some(id.to_string()),
            ..Step::new(now, StepKind::Mail, "queued")
        });
        self.insert_job(JobKind::SendMail, id, now).await?;
        Ok(true)
    }

    /// Notes that the mail server has taken a mail.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_mail_sent(&self, id: Uuid, now: OffsetDateTime) -> Result<()> {
        let row = entity::ActiveModel {
            state: Set("sent".to_owned()),
            sent_at: Set(Some(to_micros(now))),
            last_error: Set(None),
            ..Default::default()
        };
        entity::Entity::update_many().set(row).filter(entity::Column::Id.eq(id)).exec(self.connection()).await?;
        Ok(())
    }

    /// Notes why a mail could not be sent this time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_mail_refused(&self, id: Uuid, reason: &str) -> Result<()> {
        let row = entity::ActiveModel { last_error: Set(Some(reason.to_owned())), ..Default::default() };
        entity::Entity::update_many().set(row).filter(entity::Column::Id.eq(id)).exec(self.connection()).await?;
        Ok(())
    }
}

fn from_row(row: entity::Model) -> Result<Mail> {
    let wrong = |column, what: &dyn std::fmt::Display| StoreError::inconsistent(TABLE, column, row.id, what);
    let state = match row.state.as_str() {
        "queued" => MailState::Queued,
        "sent" => MailState::Sent,
        "erased" => MailState::Erased,
        other => return Err(wrong("state", &other)),
    };
    let recipients = serde_json::from_str(&row.recipients).map_err(|error| wrong("recipients", &error))?;
    let attachments = serde_json::from_str(&row.attachments).map_err(|error| wrong("attachments", &error))?;
    Ok(Mail {
        id: row.id,
        content: NewMail {
            subscription_id: row.subscription_id,
            message_id: row.message_id,
            recipients,
            subject: row.subject,
            text_body: row.text_body,
            html_body: row.html_body,
            attachments,
            reply_to: row.reply_to,
        },
        state,
        last_error: row.last_error,
        created_at: from_micros(row.created_at),
        sent_at: row.sent_at.map(from_micros),
    })
}
