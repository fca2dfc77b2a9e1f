//! Logs, and spans for a collector. Secrets have types that do not print (`secrecy`), purchase tokens and keys never enter a
//! field, and addresses are logged without their query.

use std::io::IsTerminal as _;

use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, LevelFilter, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::trace::SPANS;

#[cfg(feature = "otel")]
mod otlp;
/// What a build without the feature does about a collector: it says so.
#[cfg(not(feature = "otel"))]
mod otlp {
    pub(super) fn layer() -> (Option<tracing_subscriber::layer::Identity>, Option<String>) {
        let told =
            "OpenTelemetry's variables name a collector, but this build has no OTLP (cargo build --features otel)";
        (None, Some(told.to_owned()))
    }

    pub(super) fn finish() {}
}

/// Logs to standard error: text for a terminal, JSON lines otherwise. `SEATKEY_LOG` filters (`info` by default). Spans go to the
/// collector that OpenTelemetry's own variables name; without them nobody is asked for anything.
pub fn install() {
    let filter = EnvFilter::try_from_env("SEATKEY_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    // Lines of the log have spans of their own, which say what the line is about and nothing else.
    let filter = filter.and(filter_fn(|it| it.target() != SPANS).with_max_level_hint(LevelFilter::TRACE));
    let text = fmt::layer().with_writer(std::io::stderr);
    let log = if std::io::stderr().is_terminal() { text.boxed() } else { text.json().boxed() };
    let (spans, told) = if names_a_collector() { otlp::layer() } else { (None, None) };
    // A second installation (tests) changes nothing.
    let installed = tracing_subscriber::registry().with(log.with_filter(filter)).with(spans).try_init();
    if let (Ok(()), Some(told)) = (installed, told) {
        tracing::warn!("{told}");
    }
}

/// Sends what is left for the collector, where there is one: the last thing that a process does. Takes two seconds at most.
pub fn finish() {
    otlp::finish();
}

/// Whether OpenTelemetry's variables ask for spans.
fn names_a_collector() -> bool {
    let is = |name: &str, rule: fn(&str) -> bool| std::env::var(name).is_ok_and(|value| rule(value.trim()));
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
        .iter()
        .any(|name| is(name, |it| !it.is_empty()))
        && !is("OTEL_SDK_DISABLED", |it| it.eq_ignore_ascii_case("true"))
        && !is("OTEL_TRACES_EXPORTER", |it| it.eq_ignore_ascii_case("none"))
}
