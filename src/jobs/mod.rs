//! The job runner: claims due jobs by lease, runs them, and gives back what has to be tried again.
//!
//! Owns: when and how often. Does not own: what a job does (`app`). Invariants: a job that fails is never lost; whatever a
//! crash leaves behind is claimed again when its lease is over.

use std::{sync::Arc, time::Duration as StdDuration};

use time::Duration;
use tokio::{sync::watch, task::JoinSet};
use tracing::{Instrument as _, Span, field::Empty};

use crate::{
    app::{
        App, AppError, SharedApp, Step, activate_subscription, carry_out_seats, check_up, digest_ledger,
        forget_expired, handle_webhook, issue_due_key, keep_appointment, keep_trial, reconcile_subscription,
        reconcile_usage, release_charges, renew_subscription, report_usage, rewrite_charges, roll_up, schedule_digest,
        schedule_reporting, schedule_roll_up, schedule_sweep, schedule_usage_reconciliation, send_mail,
        sweep_subscriptions, withdraw_subscription,
    },
    clock::{Stopwatch, new_id, random_id},
    store::{Claim, Job, JobKind, StoreError},
    trace::{self, SPANS, StepKind, Trace},
};

/// Others keep away for so long; steps are shorter, and a crash is noticed after this.
const LEASE: Duration = Duration::seconds(60);
const LONGEST_STEP: StdDuration = StdDuration::from_secs(50);
/// How many jobs a process works on at once.
const AT_A_TIME: usize = 8;
/// How often a runner looks without being woken. Time may have been advanced by hand.
const LOOK: StdDuration = StdDuration::from_millis(250);
const FIRST_PAUSE: Duration = Duration::seconds(2);
const LONGEST_PAUSE: Duration = Duration::hours(1);
/// Polls go on for as long as it takes; failures are given to a person after about four days of hourly attempts.
const MAX_ATTEMPTS: u32 = 100;
const HOUSEKEEPING: StdDuration = StdDuration::from_secs(600);

/// Runs jobs.
#[derive(Debug)]
pub struct Runner {
    app: SharedApp,
}

impl Runner {
    /// A runner of the application's jobs.
    #[must_use]
    pub fn new(app: SharedApp) -> Self {
        Self { app }
    }

    /// Runs until `stop` says so, several jobs at a time: most of one is waiting for Microsoft. Jobs that have begun are
    /// finished first.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let mut running = JoinSet::new();
        while !*stop.borrow() {
            let claimed = if running.len() < AT_A_TIME { self.claim().await } else { Ok(None) };
            match claimed {
                Ok(Some(job)) => {
                    let app = Arc::clone(&self.app);
                    running.spawn(async move { complete(&app, &job).await });
                }
                Ok(None) => self.rest(&mut running, &mut stop).await,
                Err(error) => {
                    tracing::error!(%error, "the job table cannot be used");
                    self.rest(&mut running, &mut stop).await;
                }
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Until something may have changed: a job is over, somebody has written one, time has passed.
    async fn rest(&self, running: &mut JoinSet<()>, stop: &mut watch::Receiver<bool>) {
        tokio::select! {
            Some(_) = running.join_next() => {}
            () = self.app.wake.notified(), if running.len() < AT_A_TIME => {}
            () = tokio::time::sleep(LOOK) => {}
            // The sender is gone only when the process ends.
            _ = stop.changed() => {}
        }
    }

    async fn claim(&self) -> Result<Option<Job>, StoreError> {
        let now = self.app.clock.now();
        // Each claim is another owner: a job that is asked for anew while it runs may be claimed by the same process.
        self.app.store.claim_job(Claim { owner: new_id(now), lease: LEASE }, now).await
    }

    /// Runs the job that has been due for longest; says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when the job table cannot be used.
    pub async fn run_next(&self) -> Result<bool, StoreError> {
        let Some(job) = self.claim().await? else { return Ok(false) };
        run_to_end(&self.app, &job).await?;
        Ok(true)
    }

    /// Runs everything that is due now, and gives how many steps that were.
    ///
    /// # Errors
    /// [`StoreError`] when the job table cannot be used.
    pub async fn run_due(&self) -> Result<u32, StoreError> {
        let mut steps = 0;
        while self.run_next().await? {
            steps += 1;
        }
        Ok(steps)
    }
}

/// Runs a claimed job to its end. What cannot be written now is found again when its lease is over.
async fn complete(app: &SharedApp, job: &Job) {
    if let Err(error) = run_to_end(app, job).await {
        tracing::error!(%error, kind = job.kind.as_str(), subject = %job.subject, "the end of a job could not be written");
    }
}

/// One step of a claimed job, as a part of the trace of what has asked for it; what nobody has asked for begins one.
async fn run_to_end(app: &SharedApp, job: &Job) -> Result<(), StoreError> {
    let trace = Trace::begin(job.trace_id.unwrap_or_else(random_id));
    let span =
        tracing::info_span!("job", kind = job.kind.as_str(), subject = %job.subject, correlation_id = %trace.id());
    let seen = seen(&span, job);
    let steps = async {
        let result = perform_apart(app, job, Arc::clone(&trace), [&seen, &span]).await;
        seen.record("seatkey.outcome", outcome(job, &result));
        if result.is_err() {
            seen.record("otel.status_code", "ERROR");
        }
        note_step(app, job, &trace, &result);
        conclude(app, job, result).await?;
        write_rest(app, &trace).await;
        Ok(())
    };
    trace::within(Arc::clone(&trace), steps.instrument(seen.clone())).instrument(span.clone()).await
}

/// The step as a collector sees it.
fn seen(log: &Span, job: &Job) -> Span {
    tracing::info_span!(
        target: SPANS,
        parent: log,
        "job",
        otel.name = job.kind.as_str(),
        otel.kind = "consumer",
        otel.status_code = Empty,
        seatkey.job = %job.lease.job_id,
        seatkey.subject = Some(job.subject).filter(|subject| !subject.is_nil()).map(tracing::field::display),
        seatkey.attempt = i64::from(job.attempts),
        seatkey.outcome = Empty,
    )
}

/// What was noted after the last commit. A job is over without it.
async fn write_rest(app: &App, trace: &Trace) {
    if trace.is_written() {
        return;
    }
    let written = async { app.store.begin().await?.commit().await };
    if let Err(error) = written.await {
        tracing::warn!(%error, "steps of a trace are lost");
    }
}

/// What comes by itself and has found nothing to do leaves no trace.
fn note_step(app: &App, job: &Job, trace: &Trace, result: &Result<Step, AppError>) {
    if job.trace_id.is_none() && trace.is_written() && result.is_ok() {
        return;
    }
    let outcome = match result {
        // What a mail server says names people.
        Err(error) if job.kind != JobKind::SendMail => {
            format!("{}: {}", outcome(job, result), error.to_string().chars().take(200).collect::<String>())
        }
        _ => outcome(job, result).to_owned(),
    };
    trace.note(trace::Step {
        subject: Some(job.subject).filter(|subject| !subject.is_nil()),
        reference: Some(job.lease.job_id.to_string()),
        outcome: Some(outcome),
        ..trace::Step::new(app.clock.now(), StepKind::Job, job.kind.as_str())
    });
}

/// Writes what becomes of a claimed job after its step.
///
/// # Errors
/// [`StoreError`]; the job is found again when its lease is over.
pub async fn conclude(app: &App, job: &Job, result: Result<Step, AppError>) -> Result<(), StoreError> {
    let now = app.clock.now();
    let store = &app.store;
    let kind = job.kind.as_str();
    app.meters.job(kind, outcome(job, &result));
    match result {
        Ok(Step::Done) => {
            let tx = store.begin().await?;
            tx.finish_job(job.lease).await?;
            tx.commit().await
        }
        Ok(Step::Again(after)) => store.postpone_job(job.lease, now.saturating_add(after), None).await,
        Err(error) if goes_on(job, &error) => {
            let pause = pause_after(job.attempts);
            tracing::warn!(kind, subject = %job.subject, attempts = job.attempts, %error, "a job will be tried again");
            store.postpone_job(job.lease, now.saturating_add(pause), Some(&error.to_string())).await
        }
        Err(error) => {
            tracing::error!(kind, subject = %job.subject, attempts = job.attempts, %error, "a job needs a person");
            store.bury_job(job.lease, &error.to_string()).await
        }
    }
}

/// The word of the counters for a step.
fn outcome(job: &Job, result: &Result<Step, AppError>) -> &'static str {
    match result {
        Ok(Step::Done) => "done",
        Ok(Step::Again(_)) => "again",
        Err(error) if goes_on(job, error) => "failed",
        Err(_) => "dead",
    }
}

/// Whether a failed job is tried again by itself. Only what something else makes good is ever given up: a mail that nobody
/// takes is seen by a person, and what a webhook told of is found by the next sweep. An accepted order, a new term or a
/// withdrawal may be billed already.
fn goes_on(job: &Job, error: &AppError) -> bool {
    let may_be_given_up =
        matches!(job.kind, JobKind::SendMail | JobKind::HandleWebhook | JobKind::ReconcileSubscription);
    !may_be_given_up || (error.is_retryable() && job.attempts < MAX_ATTEMPTS)
}

/// Does what a claimed job asks for. What becomes of the job is for [`conclude`] to write.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn perform(app: &App, job: &Job) -> Result<Step, AppError> {
    let (lease, subject) = (job.lease, job.subject);
    match job.kind {
        JobKind::ActivateSubscription => activate_subscription(app, lease, subject).await,
        JobKind::SendMail => send_mail(app, lease, subject).await,
        JobKind::HandleWebhook => handle_webhook(app, lease, subject).await,
        JobKind::ReconcileSubscription => reconcile_subscription(app, lease, subject).await,
        JobKind::RenewSubscription => renew_subscription(app, lease, subject).await,
        JobKind::WithdrawSubscription => withdraw_subscription(app, lease, subject).await,
        JobKind::ChangeSeats => carry_out_seats(app, lease, subject).await,
        JobKind::RewriteCharges => rewrite_charges(app, lease, subject).await,
        JobKind::ReleaseCharges => release_charges(app, lease, subject).await,
        JobKind::IssueKey => issue_due_key(app, lease, subject).await,
        JobKind::ReportUsage => report_usage(app).await,
        JobKind::DigestLedger => digest_ledger(app).await,
        JobKind::ReconcileUsage => reconcile_usage(app).await,
        JobKind::KeepAppointment => keep_appointment(app, subject).await,
        JobKind::SweepSubscriptions => sweep_subscriptions(app).await,
        JobKind::KeepTrial => keep_trial(app, subject).await,
        JobKind::RollUp => roll_up(app).await,
        JobKind::CheckUp => check_up(app).await,
    }
}

/// Runs a job in a task of its own: a panic is its failure and not the runner's end, and it is over before its lease is.
async fn perform_apart(app: &SharedApp, job: &Job, trace: Arc<Trace>, spans: [&Span; 2]) -> Result<Step, AppError> {
    let (meters, kind) = (app.meters.clone(), job.kind.as_str());
    let (app, job) = (Arc::clone(app), job.clone());
    let watch = Stopwatch::start();
    // A task has neither the trace nor the spans of the one that starts it.
    let work = trace::within(trace, async move { perform(&app, &job).await });
    let work = work.instrument(spans[0].clone()).instrument(spans[1].clone());
    let work = tokio::spawn(tokio::time::timeout(LONGEST_STEP, work));
    let work = work.await;
    meters.job_took(kind, watch.elapsed());
    match work {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(StoreError::Busy("the step took too long".to_owned()).into()),
        Err(error) => Err(AppError::Internal(format!("the job broke off: {error}"))),
    }
}

/// Doubles from two seconds to an hour.
fn pause_after(attempts: u32) -> Duration {
    let doubled = FIRST_PAUSE * 2_i32.saturating_pow(attempts.saturating_sub(1).min(16));
    doubled.min(LONGEST_PAUSE)
}

/// Starts runner and housekeeping; they end when `stop` says so.
pub fn spawn(app: &SharedApp, stop: &watch::Receiver<bool>) -> Vec<tokio::task::JoinHandle<()>> {
    let runner = Runner::new(Arc::clone(app));
    let runner_stop = stop.clone();
    let running = tokio::spawn(async move { runner.run(runner_stop).await });
    vec![running, tokio::spawn(keep_house(Arc::clone(app), stop.clone()))]
}

async fn keep_house(app: SharedApp, mut stop: watch::Receiver<bool>) {
    // Whatever happened while nobody was here is found at once.
    if let Err(error) = schedule_sweep(&app).await {
        tracing::warn!(%error, "the comparison with Microsoft could not be asked for");
    }
    if let Err(error) = schedule_reporting(&app).await {
        tracing::warn!(%error, "the reporter could not be asked for");
    }
    if let Err(error) = schedule_digest(&app).await {
        tracing::warn!(%error, "the digest of the ledger could not be asked for");
    }
    if let Err(error) = schedule_usage_reconciliation(&app).await {
        tracing::warn!(%error, "the comparison with Microsoft's sums could not be asked for");
    }
    if let Err(error) = schedule_roll_up(&app).await {
        tracing::warn!(%error, "the figures of the pictures could not be asked for");
    }
    while !*stop.borrow() {
        if let Err(error) = forget_expired(&app).await {
            tracing::warn!(%error, "old sessions could not be forgotten");
        }
        tokio::select! {
            () = tokio::time::sleep(HOUSEKEEPING) => {}
            _ = stop.changed() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let table = [(1, 2), (2, 4), (3, 8), (10, 1_024), (12, 3_600), (100, 3_600)];
        for (attempts, seconds) in table {
            assert_eq!(pause_after(attempts), Duration::seconds(seconds), "after {attempts} attempts");
        }
    }
}
