//! The jobs of one subscription: its own, and those of its mails, webhooks and changes.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::ExprTrait,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    JobKind, ListedJob, Reader, Result, Store, Tx,
    job_lists::from_row,
    jobs::entity::{ActiveModel, Column, Entity},
};
use crate::clock::to_micros;

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
    /// The newest jobs of a subscription, newest first; `others` are kinds with the subjects that belong to it, too.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_subscription_jobs(
        &self,
        subscription_id: Uuid,
        others: &[(JobKind, Vec<Uuid>)],
        limit: u64,
    ) -> Result<Vec<ListedJob>> {
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
