//! The job table: work that is written in the transaction of its cause, and claimed by lease.
//!
//! Correctness comes from unique keys and repeatable steps; the lease only saves work.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{Reader, Result, Store, StoreError, Tx};
use crate::{
    clock::{from_micros, new_id, to_micros},
    crash::crash_point,
    trace,
};

const TABLE: &str = "job";
/// How many due jobs a claimer looks at before it gives up for this round.
const CANDIDATES: u64 = 8;

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "job")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub kind: String,
        pub subject: Uuid,
        pub state: String,
        pub run_at: i64,
        pub attempts: i32,
        pub lease_owner: Option<Uuid>,
        pub lease_until: i64,
        pub last_error: Option<String>,
        pub created_at: i64,
        pub trace_id: Option<Uuid>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Activate a subscription at Microsoft and bring its enrolment to an end; the subject is the subscription.
    ActivateSubscription,
    /// Hand a mail to the mail server; the subject is the mail.
    SendMail,
    /// Act on a webhook of the inbox; the subject is the webhook.
    HandleWebhook,
    /// Compare a subscription with Microsoft and converge; the subject is the subscription.
    ReconcileSubscription,
    /// Write the charges of a new term; the subject is the subscription.
    RenewSubscription,
    /// Bring a withdrawal to its end at Microsoft; the subject is the subscription.
    WithdrawSubscription,
    /// Bring a change of seats that Microsoft bills to its end; the subject is the change.
    ChangeSeats,
    /// Write held charges anew after a change of plan; the subject is the subscription.
    RewriteCharges,
    /// Release charges whose hold is over; the subject is the subscription.
    ReleaseCharges,
    /// Sign the key that the charges are worth now; the subject is the subscription.
    IssueKey,
    /// Report due charges to Microsoft; the subject is nobody.
    ReportUsage,
    /// Write down what ledger and audit log are; the subject is nobody.
    DigestLedger,
    /// Compare the ledger with Microsoft's daily sums; the subject is nobody.
    ReconcileUsage,
    /// Do what the calendar asks for; the subject is the subscription.
    KeepAppointment,
    /// Compare everything with Microsoft; the subject is nobody.
    SweepSubscriptions,
    /// Do what the calendar asks for of a custom trial; the subject is the grant.
    KeepTrial,
    /// Count what the console's pictures show; the subject is nobody.
    RollUp,
    /// Look whether everything that the service depends on is well; the subject is nobody.
    CheckUp,
}

impl JobKind {
    const ALL: [Self; 18] = [
        Self::ActivateSubscription,
        Self::SendMail,
        Self::HandleWebhook,
        Self::ReconcileSubscription,
        Self::RenewSubscription,
        Self::WithdrawSubscription,
        Self::ChangeSeats,
        Self::RewriteCharges,
        Self::ReleaseCharges,
        Self::IssueKey,
        Self::ReportUsage,
        Self::DigestLedger,
        Self::ReconcileUsage,
        Self::KeepAppointment,
        Self::SweepSubscriptions,
        Self::KeepTrial,
        Self::RollUp,
        Self::CheckUp,
    ];

    /// The word in the table and in logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ActivateSubscription => "activate_subscription",
            Self::SendMail => "send_mail",
            Self::HandleWebhook => "handle_webhook",
            Self::ReconcileSubscription => "reconcile_subscription",
            Self::RenewSubscription => "renew_subscription",
            Self::WithdrawSubscription => "withdraw_subscription",
            Self::ChangeSeats => "change_seats",
            Self::RewriteCharges => "rewrite_charges",
            Self::ReleaseCharges => "release_charges",
            Self::IssueKey => "issue_key",
            Self::ReportUsage => "report_usage",
            Self::DigestLedger => "digest_ledger",
            Self::ReconcileUsage => "reconcile_usage",
            Self::KeepAppointment => "keep_appointment",
            Self::SweepSubscriptions => "sweep_subscriptions",
            Self::KeepTrial => "keep_trial",
            Self::RollUp => "roll_up",
            Self::CheckUp => "check_up",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The trace that a job belongs to: that of what asks for it. What comes by itself again and again begins its own.
    fn trace_id(self) -> Option<Uuid> {
        trace::current_id().filter(|_| !self.is_appointment())
    }

    /// What waits for a date, however long, and is no work that is left over.
    fn is_appointment(self) -> bool {
        matches!(
            self,
            Self::KeepAppointment
                | Self::KeepTrial
                | Self::SweepSubscriptions
                | Self::ReportUsage
                | Self::DigestLedger
                | Self::ReconcileUsage
                | Self::RollUp
                | Self::CheckUp
        )
    }
}

/// Who claims, and until when the claim holds.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// The worker, new for each claim.
    pub owner: Uuid,
    /// How long others keep away.
    pub lease: Duration,
}

/// What a worker holds of a claimed job. Once the job has been taken over, it is worth nothing: whoever was too slow can
/// neither end the job nor give it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job_id: Uuid,
    /// The worker.
    pub owner: Uuid,
}

/// A claimed job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The hold on it.
    pub lease: Lease,
    /// What there is to do.
    pub kind: JobKind,
    /// With what.
    pub subject: Uuid,
    /// Which attempt this is, counted from 1.
    pub attempts: u32,
    /// When its cause happened.
    pub created_at: OffsetDateTime,
    /// The trace of what asked for it last.
    pub trace_id: Option<Uuid>,
}

impl Tx {
    /// Writes a job, once for each (kind, subject).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_job(&self, kind: JobKind, subject: Uuid, now: OffsetDateTime) -> Result<()> {
        let row = entity::ActiveModel {
            id: Set(new_id(now)),
            kind: Set(kind.as_str().to_owned()),
            subject: Set(subject),
            state: Set("ready".to_owned()),
            run_at: Set(to_micros(now)),
            attempts: Set(0),
            lease_until: Set(0),
            created_at: Set(to_micros(now)),
            trace_id: Set(kind.trace_id()),
            ..Default::default()
        };
        let once = OnConflict::columns([entity::Column::Kind, entity::Column::Subject]).do_nothing().to_owned();
        entity::Entity::insert(row).on_conflict(once).exec_without_returning(self.connection()).await?;
        Ok(())
    }

    /// Writes a job, or asks for it anew: one that is waiting runs at the earlier time, one that is being worked on runs
    /// again, because what it has read may be old.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn schedule_job(
        &self,
        kind: JobKind,
        subject: Uuid,
        run_at: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<()> {
        self.schedule_jobs(kind, [subject], run_at, now).await
    }

    /// The same for several subjects.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn schedule_jobs(
        &self,
        kind: JobKind,
        subjects: impl IntoIterator<Item = Uuid>,
        run_at: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<()> {
        use entity::Column;
        let row = |subject| entity::ActiveModel {
            id: Set(new_id(now)),
            kind: Set(kind.as_str().to_owned()),
            subject: Set(subject),
            state: Set("ready".to_owned()),
            run_at: Set(to_micros(run_at)),
            attempts: Set(0),
            lease_owner: Set(None),
            lease_until: Set(0),
            last_error: Set(None),
            created_at: Set(to_micros(now)),
            trace_id: Set(kind.trace_id()),
        };
        let rows: Vec<entity::ActiveModel> = subjects.into_iter().map(row).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let own = |column: Column| Expr::col((entity::Entity, column));
        let waiting_earlier = own(Column::State).eq("ready").and(own(Column::RunAt).lt(to_micros(run_at)));
        let earlier = Expr::case(waiting_earlier, own(Column::RunAt)).finally(Expr::val(to_micros(run_at)));
        let anew = OnConflict::columns([Column::Kind, Column::Subject])
            .update_columns([
                Column::State,
                Column::Attempts,
                Column::LeaseOwner,
                Column::LeaseUntil,
                Column::LastError,
                Column::TraceId,
            ])
            .value(Column::RunAt, earlier)
            .to_owned();
        entity::Entity::insert_many(rows).on_conflict(anew).exec_without_returning(self.connection()).await?;
        Ok(())
    }

    /// Ends a job with its effect, in one transaction.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn finish_job(&self, lease: Lease) -> Result<()> {
        let row = entity::ActiveModel { state: Set("done".to_owned()), last_error: Set(None), ..released() };
        write(self, lease, row).await
    }
}

impl Store {
    /// Claims the job that has been due for longest. May lose against other workers, then it takes the next one. What a newer
    /// version has written is left to that version's workers, which run beside this one during an update.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_job(&self, claim: Claim, now: OffsetDateTime) -> Result<Option<Job>> {
        use entity::Column;
        let free = || Column::State.eq("ready").and(Column::LeaseUntil.lte(to_micros(now)));
        let first = || {
            entity::Entity::find()
                .filter(free().and(Column::RunAt.lte(to_micros(now))))
                .order_by_asc(Column::RunAt)
                .order_by_asc(Column::Id)
                .limit(CANDIDATES)
        };
        let mut due = self.admitted(|| first().all(self.connection())).await?;
        if due.iter().any(|row| JobKind::from_word(&row.kind).is_none()) {
            // Not each time: it could lead PostgreSQL away from the index of what is due.
            let known = Column::Kind.is_in(JobKind::ALL.map(JobKind::as_str));
            due = first().filter(known).all(self.connection()).await?;
        }
        for row in due {
            let claimed = entity::ActiveModel {
                lease_owner: Set(Some(claim.owner)),
                lease_until: Set(to_micros(now.saturating_add(claim.lease))),
                attempts: Set(row.attempts.saturating_add(1)),
                ..Default::default()
            };
            let result = entity::Entity::update_many()
                .set(claimed)
                .filter(Column::Id.eq(row.id).and(Column::RunAt.eq(row.run_at)).and(free()))
                .exec(self.connection())
                .await?;
            if result.rows_affected == 1 {
                crash_point("after a job is claimed");
                return from_row(&row, claim.owner).map(Some);
            }
        }
        Ok(None)
    }

    /// Gives a job back, to be run at `run_at`, unless it was taken over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn postpone_job(&self, lease: Lease, run_at: OffsetDateTime, reason: Option<&str>) -> Result<()> {
        crash_point("before a job is postponed");
        let mut row = entity::ActiveModel {
            run_at: Set(to_micros(run_at)),
            last_error: Set(reason.map(str::to_owned)),
            ..released()
        };
        if reason.is_none() {
            // Waiting for Microsoft is no failure: the next one starts with a short pause again.
            row.attempts = Set(0);
        }
        write(self, lease, row).await
    }

    /// Sets a job aside for a person, unless it was taken over: trying again does not help.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bury_job(&self, lease: Lease, reason: &str) -> Result<()> {
        let row = entity::ActiveModel {
            state: Set("dead".to_owned()),
            last_error: Set(Some(reason.to_owned())),
            ..released()
        };
        write(self, lease, row).await
    }

    /// Jobs that are due or being worked on now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_open_jobs(&self, now: OffsetDateTime) -> Result<i64> {
        use entity::Column;
        let open = Column::State.eq("ready");
        let due_or_leased = Column::RunAt.lte(to_micros(now)).or(Column::LeaseUntil.gt(to_micros(now)));
        count(self, open.and(due_or_leased)).await
    }

    /// Jobs that wait for a person.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_dead_jobs(&self) -> Result<i64> {
        count(self, entity::Column::State.eq("dead")).await
    }

    /// Since when the job that has been due for longest waits for somebody to take it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_oldest_ready_job(&self, now: OffsetDateTime) -> Result<Option<OffsetDateTime>> {
        use entity::Column;
        let waiting = Column::State.eq("ready").and(Column::LeaseUntil.lte(to_micros(now)));
        let oldest: Option<i64> = entity::Entity::find()
            .select_only()
            .column(Column::RunAt)
            .filter(waiting.and(Column::RunAt.lte(to_micros(now))))
            .order_by_asc(Column::RunAt)
            .limit(1)
            .into_tuple()
            .one(self.connection())
            .await?;
        Ok(oldest.map(from_micros))
    }

    /// When the next work that is not being done becomes due. What waits for a date does not count.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_next_job_time(&self) -> Result<Option<OffsetDateTime>> {
        let appointments = JobKind::ALL.into_iter().filter(|kind| kind.is_appointment()).map(JobKind::as_str);
        let row = entity::Entity::find()
            .filter(entity::Column::State.eq("ready").and(entity::Column::Kind.is_not_in(appointments)))
            .order_by_asc(entity::Column::RunAt)
            .one(self.connection())
            .await?;
        Ok(row.map(|row| from_micros(row.run_at)))
    }
}

fn released() -> entity::ActiveModel {
    entity::ActiveModel { lease_owner: Set(None), lease_until: Set(0), ..Default::default() }
}

async fn write(reader: &impl Reader, lease: Lease, row: entity::ActiveModel) -> Result<()> {
    let held = entity::Column::Id.eq(lease.job_id).and(entity::Column::LeaseOwner.eq(lease.owner));
    entity::Entity::update_many().set(row).filter(held).exec(reader.connection()).await?;
    Ok(())
}

async fn count(store: &Store, filter: sea_orm::sea_query::SimpleExpr) -> Result<i64> {
    let count = entity::Entity::find()
        .select_only()
        .column_as(Expr::col(entity::Column::Id).count(), "count")
        .filter(filter)
        .into_tuple::<i64>()
        .one(store.connection())
        .await?;
    Ok(count.unwrap_or(0))
}

fn from_row(row: &entity::Model, owner: Uuid) -> Result<Job> {
    let unknown = || StoreError::inconsistent(TABLE, "kind", row.id, &row.kind);
    Ok(Job {
        lease: Lease { job_id: row.id, owner },
        kind: JobKind::from_word(&row.kind).ok_or_else(unknown)?,
        subject: row.subject,
        attempts: u32::try_from(row.attempts).unwrap_or(0).saturating_add(1),
        created_at: from_micros(row.created_at),
        trace_id: row.trace_id,
    })
}
