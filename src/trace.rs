//! What one request, webhook or job has led to. A request gets an id, or brings one; whatever is done for it, in this process
//! or by a job that it has asked for, carries the same id, down to Microsoft's `x-ms-correlationid`.
//!
//! Steps are gathered here and written by the next commit (`store/traces.rs`), so that a trace costs no transaction of its
//! own. They hold ids, names and outcomes; never a token, a key, a person, or what somebody has typed.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use time::OffsetDateTime;
use uuid::Uuid;

/// Nothing gathers more steps between two commits; what is beyond that is in the log.
const MAX_STEPS: usize = 200;

/// The target of spans that a collector may get. They hold what steps hold, and stay out of the log, whose lines have spans of
/// their own.
pub const SPANS: &str = "seatkey::span";

tokio::task_local! {
    static CURRENT: Arc<Trace>;
}

/// What kind of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// A request to us: a page, the API, the webhook.
    Request,
    /// A webhook was stored.
    Webhook,
    /// An entry of the audit log.
    Audit,
    /// A charge was written.
    Charge,
    /// A mail was written.
    Mail,
    /// A step of a job is over.
    Job,
    /// A request to Microsoft.
    Call,
    /// Which charges were in a request to Microsoft.
    Batch,
}

impl StepKind {
    const ALL: [Self; 8] =
        [Self::Request, Self::Webhook, Self::Audit, Self::Charge, Self::Mail, Self::Job, Self::Call, Self::Batch];

    /// The word in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Webhook => "webhook",
            Self::Audit => "audit",
            Self::Charge => "charge",
            Self::Mail => "mail",
            Self::Job => "job",
            Self::Call => "call",
            Self::Batch => "batch",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: OffsetDateTime,
    /// What kind.
    pub kind: StepKind,
    /// Which route, action, job or operation.
    pub name: String,
    /// The subscription, or what a job is about.
    pub subject: Option<Uuid>,
    /// What it is found by: of a call Microsoft's request id, of a webhook the operation, of the others their own id.
    pub reference: Option<String>,
    /// What else it is found by: of a call the operation that it began, or a correlation id that is not ours.
    pub other_reference: Option<String>,
    /// What came of it.
    pub outcome: Option<String>,
}

impl Step {
    /// A step of which nothing but its name is known.
    #[must_use]
    pub fn new(at: OffsetDateTime, kind: StepKind, name: impl Into<String>) -> Self {
        Self { at, kind, name: name.into(), subject: None, reference: None, other_reference: None, outcome: None }
    }
}

/// What is being followed.
#[derive(Debug)]
pub struct Trace {
    id: Uuid,
    steps: Mutex<Vec<Step>>,
}

impl Trace {
    /// Begins one, or goes on with it.
    #[must_use]
    pub fn begin(id: Uuid) -> Arc<Self> {
        Arc::new(Self { id, steps: Mutex::default() })
    }

    /// The request id, which is the correlation id of everything that follows.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Notes a step, for the next commit.
    pub fn note(&self, step: Step) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if steps.len() < MAX_STEPS {
            steps.push(step);
        }
    }

    /// Whether nothing is noted that is not written.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Takes what is noted, for one transaction of several that may run at once.
    #[must_use]
    pub fn take(self: &Arc<Self>) -> OnTheirWay {
        let steps = std::mem::take(&mut *self.steps.lock().unwrap_or_else(PoisonError::into_inner));
        OnTheirWay { trace: Arc::clone(self), steps }
    }
}

/// Steps on their way into the database. Those that do not arrive are noted again.
#[derive(Debug)]
pub struct OnTheirWay {
    trace: Arc<Trace>,
    steps: Vec<Step>,
}

impl OnTheirWay {
    /// The id of their trace.
    #[must_use]
    pub fn trace_id(&self) -> Uuid {
        self.trace.id
    }

    /// The steps.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// They are written.
    pub fn arrived(mut self) {
        self.steps.clear();
    }
}

impl Drop for OnTheirWay {
    fn drop(&mut self) {
        let mut steps = self.trace.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let later = std::mem::take(&mut *steps);
        *steps = std::mem::take(&mut self.steps);
        steps.extend(later);
    }
}

/// Does `work` as a part of a trace.
pub async fn within<F: Future>(trace: Arc<Trace>, work: F) -> F::Output {
    CURRENT.scope(trace, work).await
}

/// What is being followed here; `None` in a command and at the start.
#[must_use]
pub fn current() -> Option<Arc<Trace>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// Its id.
#[must_use]
pub fn current_id() -> Option<Uuid> {
    CURRENT.try_with(|trace| trace.id).ok()
}

/// Notes a step where something is being followed.
pub fn note(step: Step) {
    if let Some(trace) = current() {
        trace.note(step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_noted_stays_until_it_is_written() {
        let step = |name: &str| Step::new(OffsetDateTime::UNIX_EPOCH, StepKind::Call, name);
        note(step("nobody follows"));
        assert_eq!(current_id(), None);
        let trace = Trace::begin(Uuid::from_u128(7));
        within(Arc::clone(&trace), async {
            assert_eq!(current_id(), Some(Uuid::from_u128(7)));
            note(step("one"));
            let lost = trace.take();
            assert!(trace.is_written() && trace.take().steps().is_empty());
            note(step("two"));
            drop(lost);
        })
        .await;
        let taken = trace.take();
        assert_eq!(taken.steps(), [step("one"), step("two")]);
        taken.arrived();
        assert!(trace.is_written());
    }
}
