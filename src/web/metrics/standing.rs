//! How the work stands: charges, jobs, webhooks, mails, findings.

use prometheus_client::registry::Registry;
use time::OffsetDateTime;

use super::{Labelled, register as one};
use crate::store::Figures;

pub(super) fn register(registry: &mut Registry, figures: &Figures, now: OffsetDateTime) {
    charges(registry, figures, now);
    reporter(registry, figures);
    work(registry, figures, now);
}

/// How long ago something was; 0 when there is none.
fn age(since: Option<OffsetDateTime>, now: OffsetDateTime) -> i64 {
    since.map_or(0, |at| (now - at).whole_seconds().max(0))
}

fn charges(registry: &mut Registry, figures: &Figures, now: OffsetDateTime) {
    let charges = Labelled::default();
    for (state, count) in &figures.charges {
        charges.get_or_create(&[("state", state.as_str().to_owned())]).set(*count);
    }
    registry.register(
        "charges",
        "Charges by state, but for those that are accepted or cancelled. unknown, conflict, rejected and frozen wait for a \
         person (seatkey ledger resolve); expired ones are lost",
        charges,
    );
    one(
        registry,
        "oldest_due_charge_age_seconds",
        "For how long the oldest unreported charge could have been reported; 0 when there is none. Beyond an hour: look \
         at reporter_locked, reporter_last_success_timestamp_seconds and the log",
        age(figures.oldest_due, now),
    );
    if let Some(deadline) = figures.nearest_deadline {
        one(
            registry,
            "nearest_deadline_seconds",
            "Time left until Microsoft stops taking the most urgent report; absent when nothing is open. Below 4 hours: \
             see to it that the reporter reaches Microsoft now",
            (deadline - now).whole_seconds(),
        );
    }
}

fn reporter(registry: &mut Registry, figures: &Figures) {
    let reporter = &figures.reporter;
    one(
        registry,
        "reporter_locked",
        "1 while nothing is reported, because Microsoft has what the ledger does not know: see seatkey restore",
        reporter.lock.is_some().into(),
    );
    if let Some(at) = reporter.last_success_at {
        one(
            registry,
            "reporter_last_success_timestamp_seconds",
            "When the reporter last came to its end without trouble. Older than an hour: look at the log",
            at.unix_timestamp(),
        );
    }
    if let Some(at) = reporter.digested_at {
        one(
            registry,
            "ledger_digest_timestamp_seconds",
            "When the digest of the ledger was last written down. Older than two days: look at [audit] digest_file and \
             the log",
            at.unix_timestamp(),
        );
    }
}

fn work(registry: &mut Registry, figures: &Figures, now: OffsetDateTime) {
    let findings = Labelled::default();
    for (kind, count) in &figures.findings {
        findings.get_or_create(&[("kind", kind.clone())]).set(*count);
    }
    registry.register(
        "open_findings",
        "What a person has to look at, by kind; usage_… = ledger and Microsoft differ. Each one is in the log, with what \
         to do",
        findings,
    );
    one(
        registry,
        "dead_jobs",
        "Jobs that were given up: a person has to look at their last error in the table job",
        figures.dead_jobs,
    );
    one(
        registry,
        "oldest_ready_job_age_seconds",
        "For how long the oldest job that is due waits to be taken; 0 when none waits. Beyond five minutes: no worker \
         runs, or they are too few",
        age(figures.oldest_ready_job, now),
    );
    one(
        registry,
        "oldest_unhandled_webhook_age_seconds",
        "For how long the oldest webhook waits to be acted upon; 0 when none waits. Beyond ten minutes: look at the \
         console's webhooks and jobs",
        age(figures.oldest_unhandled_webhook, now),
    );
    one(
        registry,
        "queued_mails",
        "Mails that have not left: look at the mail server and the log",
        figures.queued_mails,
    );
}
