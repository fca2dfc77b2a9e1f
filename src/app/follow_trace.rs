//! What one request, webhook or job has led to, in the order of time: found by its id, an operation, or an id of Microsoft's.

use std::collections::BTreeSet;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    store::{Result, Store, TracedStep},
    trace::StepKind,
};

/// Nobody has a longer id.
pub const MAX_ID_CHARS: usize = 128;

/// A line of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceLine {
    /// When.
    pub at: OffsetDateTime,
    /// The request id that it follows from; `None` = it was told by what is found in the ledger.
    pub trace_id: Option<Uuid>,
    /// `request`, `webhook`, `audit`, `charge`, `mail`, `job`, `call`, `usage`, or `waiting` and `dead` for a job that is not over.
    pub kind: &'static str,
    /// Which route, action, job or operation.
    pub name: String,
    /// The subscription, or what a job is about.
    pub subject: Option<Uuid>,
    /// What it is found by: of a call Microsoft's request id, of a webhook the operation, of others their own id.
    pub reference: Option<String>,
    /// The operation that a call began, or Microsoft's correlation id where it is not ours.
    pub other_reference: Option<String>,
    /// What came of it.
    pub outcome: Option<String>,
}

/// Everything that belongs to an id, oldest first; nothing when nothing is known of it. What Microsoft answered an operation
/// with comes back as a webhook: both are told.
///
/// # Errors
/// [`StoreError`](crate::store::StoreError).
pub async fn follow_trace(store: &Store, id: &str) -> Result<Vec<TraceLine>> {
    let id = id.trim();
    if id.is_empty() || id.chars().count() > MAX_ID_CHARS || id.contains('\0') {
        return Ok(Vec::new());
    }
    let mut traces = store.find_traces(id).await?;
    let mut steps = store.list_steps(&traces).await?;
    let mut operations: BTreeSet<&str> = BTreeSet::new();
    for TracedStep { step, .. } in &steps {
        match step.kind {
            StepKind::Webhook => operations.extend(step.reference.as_deref()),
            StepKind::Call => operations.extend(step.other_reference.as_deref()),
            _ => {}
        }
    }
    let mut others = BTreeSet::new();
    for operation in operations {
        others.extend(store.find_traces(operation).await?);
    }
    if !others.is_subset(&traces) {
        traces.append(&mut others);
        steps = store.list_steps(&traces).await?;
    }
    let charges: BTreeSet<Uuid> = steps.iter().flat_map(charges_of).collect();
    let mut lines: Vec<TraceLine> = steps.into_iter().map(line).collect();
    lines.extend(left(store, &traces).await?);
    lines.extend(usage(store, &charges).await?);
    lines.sort_by_key(|line| line.at);
    Ok(lines)
}

fn charges_of(TracedStep { step, .. }: &TracedStep) -> Vec<Uuid> {
    let ids = match step.kind {
        StepKind::Charge => step.reference.as_deref(),
        StepKind::Batch => step.outcome.as_deref(),
        _ => None,
    };
    ids.unwrap_or_default().split(' ').filter_map(|id| Uuid::parse_str(id).ok()).collect()
}

fn line(TracedStep { trace_id, step }: TracedStep) -> TraceLine {
    TraceLine {
        at: step.at,
        trace_id: Some(trace_id),
        kind: step.kind.as_str(),
        name: step.name,
        subject: step.subject,
        reference: step.reference,
        other_reference: step.other_reference,
        outcome: step.outcome,
    }
}

async fn left(store: &Store, traces: &BTreeSet<Uuid>) -> Result<Vec<TraceLine>> {
    let jobs = store.list_traced_jobs(traces).await?.into_iter();
    let told = jobs.map(|job| TraceLine {
        at: job.run_at,
        trace_id: Some(job.trace_id),
        kind: if job.is_dead { "dead" } else { "waiting" },
        name: job.kind,
        subject: Some(job.subject).filter(|subject| !subject.is_nil()),
        reference: None,
        other_reference: None,
        outcome: None,
    });
    Ok(told.collect())
}

async fn usage(store: &Store, charges: &BTreeSet<Uuid>) -> Result<Vec<TraceLine>> {
    let slots = store.list_traced_usage(charges).await?.into_iter();
    let told = slots.map(|slot| TraceLine {
        at: slot.answered_at.unwrap_or(slot.created_at),
        trace_id: None,
        kind: "usage",
        name: if slot.answered_at.is_some() { "answered" } else { "in its slot" }.to_owned(),
        subject: None,
        reference: Some(slot.charge_id.to_string()),
        other_reference: None,
        outcome: slot.last_answer,
    });
    Ok(told.collect())
}
