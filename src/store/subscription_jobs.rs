//! The jobs of one subscription: its own, and those of its mails, webhooks and changes.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::ExprTrait,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    JobKind, Reader, Result, Store, Tx,
    jobs::entity::{ActiveModel, Column, Entity, Model},
};
use crate::clock::{from_micros, to_micros};

/// A job, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionJob {
    /// Its id.
    pub id: Uuid,
    /// The word for what there is to do.
    pub kind: String,
    /// With what.
    pub subject: Uuid,
    /// `ready`, `done` or `dead`.
    pub state: String,
    /// When it runs next, or ran last.
    pub run_at: OffsetDateTime,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When its cause happened.
    pub created_at: OffsetDateTime,
}

impl SubscriptionJob {
    /// Whether it has given up and waits for a person.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.state == "dead"
    }
}

/// Kinds whose subject is the subscription itself.
const OWN: [JobKind; 8] = [
    JobKind::ActivateSubscription,
    JobKind::ReconcileSubscription,
    JobKind::RenewSubscription,
    JobKind::WithdrawSubscription,
    JobKind::RewriteCharges,
    JobKind::ReleaseCharges,
    JobKind::IssueKey,
    JobKind::KeepAppointment,
];

impl Store {
    /// A job by its id.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_job(&self, id: Uuid) -> Result<Option<SubscriptionJob>> {
        Ok(Entity::find_by_id(id).one(self.connection()).await?.map(from_row))
    }

    /// The newest jobs of a subscription, newest first; `others` are kinds with the subjects that belong to it, too.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_subscription_jobs(
        &self,
        subscription_id: Uuid,
        others: &[(JobKind, Vec<Uuid>)],
        limit: u64,
    ) -> Result<Vec<SubscriptionJob>> {
        let own = OWN.map(JobKind::as_str);
        let own = Column::Kind.is_in(own).and(Column::Subject.eq(subscription_id));
        let other = |(kind, subjects): &(JobKind, Vec<Uuid>)| {
            Column::Kind.eq(kind.as_str()).and(Column::Subject.is_in(subjects.iter().copied()))
        };
        let these = others.iter().filter(|(_, subjects)| !subjects.is_empty()).map(other);
        let these = these.fold(Condition::any().add(own), Condition::add);
        let rows = Entity::find().filter(these).order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(limit);
        Ok(rows.all(self.connection()).await?.into_iter().map(from_row).collect())
    }
}

impl Tx {
    /// Lets a job that has given up run again; says whether it had given up.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn revive_job(&self, id: Uuid, now: OffsetDateTime) -> Result<bool> {
        let row = ActiveModel {
            state: Set("ready".to_owned()),
            run_at: Set(to_micros(now)),
            attempts: Set(0),
            lease_owner: Set(None),
            lease_until: Set(0),
            ..Default::default()
        };
        let dead = Column::Id.eq(id).and(Column::State.eq("dead"));
        let revived = Entity::update_many().set(row).filter(dead).exec(self.connection()).await?;
        Ok(revived.rows_affected == 1)
    }
}

fn from_row(row: Model) -> SubscriptionJob {
    SubscriptionJob {
        id: row.id,
        kind: row.kind,
        subject: row.subject,
        state: row.state,
        run_at: from_micros(row.run_at),
        attempts: u32::try_from(row.attempts).unwrap_or(0),
        last_error: row.last_error,
        created_at: from_micros(row.created_at),
    }
}
