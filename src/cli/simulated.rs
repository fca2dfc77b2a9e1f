//! The configuration of a service whose Microsoft is the simulator: for the demo, the tests and the benchmarks.

use std::path::Path;

use url::Url;

use crate::simulator::Simulator;

/// What Partner Center and the app registrations are told of a service.
pub fn register(simulator: &Simulator, public_url: &Url) {
    let callbacks = ["sign-in/callback", "console/sign-in/callback"].map(|path| format!("{public_url}{path}"));
    let (landing, webhook) = (format!("{public_url}landing"), format!("{public_url}webhook"));
    simulator.world().register_publisher(&landing, &webhook, callbacks);
}

/// The text of a configuration, to be read like any other. The directory holds `catalog.toml` and `key.pem`.
#[must_use]
pub fn configuration(simulator: &Simulator, public_url: &Url, directory: &Path, database_url: &str) -> String {
    format!(
        r#"
[server]
public_url = "{public_url}"
bind = "{host}:{port}"
management_bind = "127.0.0.1:0"
drain_seconds = 0
[database]
url = "{database_url}"
[catalog]
path = "{directory}/catalog.toml"
[marketplace]
base_url = "{microsoft}api"
application_id = "7c1f8b7a-3a55-4f0e-8d0b-5a0e5c1d2b33"
tenant_id = "5d9f1c3e-8a64-4c0b-9a1e-2f6d7b1c0a11"
[entra]
authority = "{microsoft}"
[entra.credential]
kind = "client_secret"
client_secret = "marketplace-secret"
[sign_in]
client_id = "2b6a3f7e-91c4-4a5e-b0c3-6d1f0e9a8c44"
client_secret = "sign-in-secret"
[staff]
tenant_id = "5d9f1c3e-8a64-4c0b-9a1e-2f6d7b1c0a11"
client_id = "9e4d2c1b-6f7a-4b8c-9d0e-1a2b3c4d5e66"
client_secret = "staff-secret"
[mail]
url = "{smtp}"
from = "Seatkey demo <licenses@seatkey.example>"
[signing]
keys = ["{directory}/key.pem"]
"#,
        host = public_url.host_str().unwrap_or("127.0.0.1"),
        port = public_url.port_or_known_default().unwrap_or(0),
        directory = directory.display(),
        microsoft = simulator.base_url(),
        smtp = simulator.smtp_url(),
    )
}
