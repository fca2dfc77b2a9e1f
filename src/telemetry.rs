//! Logs. Secrets have types that do not print (`secrecy`), purchase tokens and keys never enter a field, and addresses are
//! logged without their query.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Logs to standard error: text for a terminal, JSON lines otherwise. `SEATKEY_LOG` filters (`info` by default).
pub fn install() {
    let filter = EnvFilter::try_from_env("SEATKEY_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let registry = tracing_subscriber::registry().with(filter);
    let text = fmt::layer().with_writer(std::io::stderr);
    // A second installation (tests) changes nothing.
    if std::io::stderr().is_terminal() {
        drop(registry.with(text).try_init());
    } else {
        drop(registry.with(text.json()).try_init());
    }
}
