//! `GET /metrics`: alarms and counters, as Prometheus text. Each help text says what to do.
//!
//! How things stand is read from the database at this moment, so that all processes say the same; what has happened is
//! counted by each process by itself ([`Meters`](crate::meters::Meters)).

mod business;
mod standing;

use std::time::Duration;

use actix_web::{HttpResponse, web::Data};
use prometheus_client::{
    encoding::text::encode,
    metrics::{family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use crate::{
    app::{App, AppError, Trouble},
    domain::{
        charge::State,
        numbers::{Topic, month_of, week_of},
        time::utc_day,
    },
    store::{Figures, RolledUp},
};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Prometheus gives up after ten seconds, and then nobody would know why.
const READ_WITHIN: Duration = Duration::from_secs(5);

/// Always answers: a database that does not is one of the alarms.
pub(super) async fn show(app: Data<App>) -> HttpResponse {
    let mut registry = Registry::with_prefix("seatkey");
    register_process(&mut registry, &app);
    app.meters.register(&mut registry);
    let read = tokio::time::timeout(READ_WITHIN, read(&app)).await;
    let read = read.unwrap_or_else(|_| Err(AppError::Internal("the database takes too long".to_owned())));
    let help =
        "1 while the figures of the database can be read; 0: look at the database, nothing else is told until then";
    register(&mut registry, "database_up", help, read.is_ok().into());
    match read {
        Ok((figures, rolled_up)) => {
            standing::register(&mut registry, &figures, app.clock.now());
            business::register(&mut registry, &rolled_up);
        }
        Err(error) => tracing::error!(%error, "the metrics cannot be read"),
    }
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => HttpResponse::Ok().content_type(CONTENT_TYPE).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

async fn read(app: &App) -> Result<(Figures, RolledUp), AppError> {
    let now = app.clock.now();
    let today = utc_day(now);
    let topics = [Topic::Segment, Topic::Revenue, Topic::Purchase, Topic::Reported];
    let rolled_up = app.store.read_rolled_up_of(&topics, &[month_of(today), week_of(today)]).await?;
    Ok((app.store.read_figures(&State::OPEN, now).await?, rolled_up))
}

type Labelled<const N: usize> = Family<[(&'static str, String); N], Gauge>;

fn register(registry: &mut Registry, name: &str, help: &str, value: i64) {
    let gauge: Gauge = Gauge::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}

/// What is true of this process alone.
fn register_process(registry: &mut Registry, app: &App) {
    let build = Labelled::default();
    build.get_or_create(&[("version", env!("CARGO_PKG_VERSION").to_owned())]).set(1);
    registry.register("build_info", "Always 1; the label says which version this process runs", build);
    let started_at = app.started_at.unix_timestamp();
    register(registry, "process_start_timestamp_seconds", "When this process was started", started_at);
    let (refused, expires) = (Labelled::default(), Labelled::default());
    for trouble in Trouble::ALL {
        let section = [("section", trouble.section().to_owned())];
        refused.get_or_create(&section).set(app.health.is_known(trouble).into());
        if let Some(day) = app.secrets_expire.get(&trouble) {
            expires.get_or_create(&section).set(day.midnight().assume_utc().unix_timestamp());
        }
    }
    let help = "1 while Entra or the database refuses a credential of ours, by section of the configuration: renew it";
    registry.register("credential_refused", help, refused);
    let help = "The day on which a client secret expires, as the configuration says it: renew it before";
    registry.register("secret_expires_timestamp_seconds", help, expires);
    let pool = app.store.pool_figures();
    let connections = Labelled::default();
    for (state, count) in [("in_use", pool.in_use), ("idle", pool.idle)] {
        connections.get_or_create(&[("state", state.to_owned())]).set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    registry.register("database_connections", "Connections of this process to the database", connections);
    let limit = i64::try_from(pool.limit).unwrap_or(i64::MAX);
    register(registry, "database_connections_limit", "So many connections this process may have", limit);
    let help = "How long writers waited for a connection and, on SQLite, for each other";
    registry.register_with_unit("database_begin", help, Unit::Seconds, app.store.begin_seconds());
    let help = "What went wrong with the database: unreachable, credential (the server refuses ours), read_only, full (the server \
                takes no more connections, or has no room), in_use (all connections of this process are), locked (by others \
                who work on the same)";
    registry.register("database_failures", help, app.store.failures());
}
