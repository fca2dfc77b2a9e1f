//! The steps of traces, append-only: written by the commit of what they tell of, and kept for a while.

use std::{collections::BTreeSet, sync::PoisonError};

use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::Expr,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, StoreError, Tx, jobs, usage_events};
use crate::{
    clock::{from_micros, new_id, to_micros},
    trace::{self, OnTheirWay, Step, StepKind},
};

const TABLE: &str = "trace_step";
/// Of one question no more is told.
const MAX_TRACES: u64 = 20;
const MAX_STEPS: u64 = 1_000;

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "trace_step")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub trace_id: Uuid,
        pub at: i64,
        pub kind: String,
        pub name: String,
        pub subject: Option<Uuid>,
        pub reference: Option<String>,
        pub other_reference: Option<String>,
        pub outcome: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{Column, Entity, Model};

/// A step with the trace that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedStep {
    /// The trace.
    pub trace_id: Uuid,
    /// The step.
    pub step: Step,
}

/// A charge in its slot, as a trace tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedUsage {
    /// The charge.
    pub charge_id: Uuid,
    /// When it got its slot.
    pub created_at: OffsetDateTime,
    /// When the last answer came.
    pub answered_at: Option<OffsetDateTime>,
    /// Microsoft's words, with its request id.
    pub last_answer: Option<String>,
}

/// A job of a trace that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedJob {
    /// The trace.
    pub trace_id: Uuid,
    /// What there is to do.
    pub kind: String,
    /// With what.
    pub subject: Uuid,
    /// When it runs next, or ran last.
    pub run_at: OffsetDateTime,
    /// Whether it waits for a person.
    pub is_dead: bool,
}

impl Tx {
    /// Notes a step of what is being followed, where something is; it is written at the commit.
    pub(super) fn note_step(&self, step: Step) {
        if trace::current_id().is_some() {
            self.steps.lock().unwrap_or_else(PoisonError::into_inner).push(step);
        }
    }

    /// Writes what was noted, in this transaction and before it; what is given back has arrived when the commit has.
    pub(super) async fn write_steps(&self) -> Result<Option<OnTheirWay>> {
        let Some(trace) = trace::current() else { return Ok(None) };
        let taken = trace.take();
        let own = std::mem::take(&mut *self.steps.lock().unwrap_or_else(PoisonError::into_inner));
        let steps = taken.steps().iter().cloned().chain(own);
        let rows: Vec<entity::ActiveModel> = steps.map(|step| to_row(taken.trace_id(), step)).collect();
        if !rows.is_empty() {
            Entity::insert_many(rows).exec_without_returning(self.connection()).await?;
        }
        Ok(Some(taken))
    }

    /// Deletes steps from before `since`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_old_steps(&self, since: OffsetDateTime) -> Result<()> {
        // The ids begin with their millisecond, in 48 bits.
        let millisecond = u128::try_from(to_micros(since) / 1_000).unwrap_or(0);
        let first = Uuid::from_u128(millisecond << 80);
        Entity::delete_many().filter(Column::Id.lt(first)).exec(self.connection()).await?;
        Ok(())
    }
}

impl Store {
    /// The traces that an id belongs to: a trace's own id, or what a step is found by.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_traces(&self, id: &str) -> Result<BTreeSet<Uuid>> {
        let mut found = BTreeSet::new();
        if let Ok(own) = Uuid::parse_str(id) {
            let steps = Entity::find().select_only().column(Column::TraceId).filter(Column::TraceId.eq(own)).limit(1);
            found.extend(steps.into_tuple::<Uuid>().one(self.connection()).await?);
            found.extend(self.list_traced_jobs(&BTreeSet::from([own])).await?.into_iter().map(|job| job.trace_id));
        }
        for column in [Column::Reference, Column::OtherReference] {
            let steps: Select<Entity> = Entity::find().filter(column.eq(id));
            let steps = steps.select_only().column(Column::TraceId).distinct().limit(MAX_TRACES);
            found.extend(steps.into_tuple::<Uuid>().all(self.connection()).await?);
        }
        Ok(found)
    }

    /// The steps of these traces, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_steps(&self, traces: &BTreeSet<Uuid>) -> Result<Vec<TracedStep>> {
        let these = Column::TraceId.is_in(traces.iter().copied());
        let rows = Entity::find().filter(these).order_by_asc(Column::Id).limit(MAX_STEPS);
        rows.all(self.connection()).await?.into_iter().map(from_row).collect()
    }

    /// The jobs of these traces that are not over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_traced_jobs(&self, traces: &BTreeSet<Uuid>) -> Result<Vec<TracedJob>> {
        use jobs::entity::{Column, Entity};
        // In the words of the index.
        let left = Expr::cust("trace_id IS NOT NULL AND state <> 'done'");
        let these = Condition::all().add(left).add(Column::TraceId.is_in(traces.iter().copied()));
        let rows = Entity::find().filter(these).order_by_asc(Column::RunAt).all(self.connection()).await?;
        let told = |row: jobs::entity::Model| {
            Some(TracedJob {
                trace_id: row.trace_id?,
                is_dead: row.state == "dead",
                kind: row.kind,
                subject: row.subject,
                run_at: from_micros(row.run_at),
            })
        };
        Ok(rows.into_iter().filter_map(told).collect())
    }

    /// These charges in their slots, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_traced_usage(&self, charges: &BTreeSet<Uuid>) -> Result<Vec<TracedUsage>> {
        use usage_events::entity::{Column, Entity};
        let these = Column::ChargeId.is_in(charges.iter().copied());
        let rows = Entity::find().filter(these).order_by_asc(Column::CreatedAt).limit(MAX_STEPS);
        let told = |row: usage_events::entity::Model| TracedUsage {
            charge_id: row.charge_id,
            created_at: from_micros(row.created_at),
            answered_at: row.answered_at.map(from_micros),
            last_answer: row.last_answer,
        };
        Ok(rows.all(self.connection()).await?.into_iter().map(told).collect())
    }
}

fn to_row(trace_id: Uuid, step: Step) -> entity::ActiveModel {
    entity::ActiveModel {
        id: Set(new_id(step.at)),
        trace_id: Set(trace_id),
        at: Set(to_micros(step.at)),
        kind: Set(step.kind.as_str().to_owned()),
        name: Set(step.name),
        subject: Set(step.subject),
        reference: Set(step.reference),
        other_reference: Set(step.other_reference),
        outcome: Set(step.outcome),
    }
}

fn from_row(row: Model) -> Result<TracedStep> {
    let kind = StepKind::from_word(&row.kind);
    let step = Step {
        at: from_micros(row.at),
        kind: kind.ok_or_else(|| StoreError::inconsistent(TABLE, "kind", row.id, &row.kind))?,
        name: row.name,
        subject: row.subject,
        reference: row.reference,
        other_reference: row.other_reference,
        outcome: row.outcome,
    };
    Ok(TracedStep { trace_id: row.trace_id, step })
}
