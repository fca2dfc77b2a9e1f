//! The one way to make an HTTP client: time-outs, no redirects, the ring provider. The usual proxy variables
//! (`HTTPS_PROXY`, `NO_PROXY`) count.

use std::time::Duration;

/// Longer than any healthy answer of Microsoft's, shorter than a buyer's patience.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Whoever asks after a container's health gives up after some seconds.
const LOCAL_TIMEOUT: Duration = Duration::from_secs(4);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Installs the TLS provider for the whole process. Without it `reqwest` panics at the first client; a second call does
/// nothing.
pub fn install_crypto_provider() {
    // The error says that a provider is installed already, which is what we want.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// The HTTP client for everything that leaves this process.
///
/// # Errors
/// When the machine's certificate store cannot be read.
#[expect(clippy::disallowed_methods, reason = "the one place that may build a client")]
pub fn client() -> reqwest::Result<reqwest::Client> {
    install_crypto_provider();
    reqwest::Client::builder()
        .timeout(TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("seatkey/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// The HTTP client for a look at a process of this machine: no proxy between, and no patience.
///
/// # Errors
/// When the machine's certificate store cannot be read.
#[expect(clippy::disallowed_methods, reason = "beside the other one")]
pub fn client_of_this_machine() -> reqwest::Result<reqwest::Client> {
    install_crypto_provider();
    reqwest::Client::builder().timeout(LOCAL_TIMEOUT).redirect(reqwest::redirect::Policy::none()).no_proxy().build()
}

/// The innermost reason why there is no answer: it names the certificate, the name or the connection, and no address.
#[must_use]
pub fn innermost(error: &reqwest::Error) -> String {
    let mut told: &dyn std::error::Error = error;
    while let Some(source) = told.source() {
        told = source;
    }
    told.to_string()
}

/// The text of an answer, up to `limit` bytes; `None` when it is longer.
///
/// # Errors
/// When the connection breaks.
pub async fn bounded_text(mut response: reqwest::Response, limit: usize) -> reqwest::Result<Option<String>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > limit {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
