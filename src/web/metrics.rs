//! `GET /metrics`: the alarms, as Prometheus text. Each help text says what to do.

use std::sync::atomic::Ordering;

use actix_web::{HttpResponse, web::Data};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::ConstCounter, family::Family, gauge::Gauge},
    registry::Registry,
};
use time::OffsetDateTime;

use crate::{app::App, domain::charge::State, store::Figures};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Reads everything at this moment: nothing is counted on the side, so that all processes say the same.
pub(super) async fn show(app: Data<App>) -> HttpResponse {
    let now = app.clock.now();
    let figures = match app.store.read_figures(&State::ALL, now).await {
        Ok(figures) => figures,
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be read");
            return HttpResponse::ServiceUnavailable()
                .content_type("text/plain")
                .body("the database does not answer\n");
        }
    };
    let mut registry = Registry::with_prefix("seatkey");
    register_charges(&mut registry, &figures, now);
    register_reporter(&mut registry, &figures);
    register_others(&mut registry, &figures, app.unreadable_webhooks.load(Ordering::Relaxed));
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => HttpResponse::Ok().content_type(CONTENT_TYPE).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

type Labelled = Family<Vec<(&'static str, String)>, Gauge>;

fn register(registry: &mut Registry, name: &str, help: &str, value: i64) {
    let gauge: Gauge = Gauge::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}

fn register_charges(registry: &mut Registry, figures: &Figures, now: OffsetDateTime) {
    let charges = Labelled::default();
    for (state, count) in &figures.charges {
        charges.get_or_create(&vec![("state", state.as_str().to_owned())]).set(*count);
    }
    registry.register(
        "charges",
        "Charges by state. unknown, conflict, rejected and frozen wait for a person (seatkey ledger resolve); expired \
         ones are lost",
        charges,
    );
    register(
        registry,
        "oldest_due_charge_age_seconds",
        "For how long the oldest unreported charge could have been reported; 0 when there is none. Beyond an hour: look \
         at reporter_locked, reporter_last_success_timestamp_seconds and the log",
        figures.oldest_due.map_or(0, |at| (now - at).whole_seconds()),
    );
    if let Some(deadline) = figures.nearest_deadline {
        register(
            registry,
            "nearest_deadline_seconds",
            "Time left until Microsoft stops taking the most urgent report; absent when nothing is open. Below 4 hours: \
             see to it that the reporter reaches Microsoft now",
            (deadline - now).whole_seconds(),
        );
    }
}

fn register_reporter(registry: &mut Registry, figures: &Figures) {
    let reporter = &figures.reporter;
    register(
        registry,
        "reporter_locked",
        "1 while nothing is reported, because Microsoft has what the ledger does not know: see seatkey restore",
        reporter.lock.is_some().into(),
    );
    if let Some(at) = reporter.last_success_at {
        register(
            registry,
            "reporter_last_success_timestamp_seconds",
            "When the reporter last came to its end without trouble. Older than an hour: look at the log",
            at.unix_timestamp(),
        );
    }
    if let Some(at) = reporter.digested_at {
        register(
            registry,
            "ledger_digest_timestamp_seconds",
            "When the digest of the ledger was last written down. Older than two days: look at [audit] digest_file and \
             the log",
            at.unix_timestamp(),
        );
    }
}

fn register_others(registry: &mut Registry, figures: &Figures, unreadable_webhooks: u64) {
    let findings = Labelled::default();
    for (kind, count) in &figures.findings {
        findings.get_or_create(&vec![("kind", kind.clone())]).set(*count);
    }
    registry.register(
        "open_findings",
        "What a person has to look at, by kind; usage_… = ledger and Microsoft differ. Each one is in the log, with what \
         to do",
        findings,
    );
    register(
        registry,
        "dead_jobs",
        "Jobs that were given up: a person has to look at their last error in the table job",
        figures.dead_jobs,
    );
    registry.register(
        "unreadable_webhooks",
        "Webhooks of Microsoft that nobody could read since this process was started: look at the log, and update Seatkey",
        ConstCounter::new(unreadable_webhooks),
    );
}
