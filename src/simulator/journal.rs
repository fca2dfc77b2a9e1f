//! The record of every request that reached the simulated Microsoft.

use serde::Serialize;

use super::{exchange::Request, terms};

/// How many requests are remembered.
pub(super) const LIMIT: usize = 100_000;

const KEPT_HEADERS: [&str; 8] = [
    "accept",
    "content-type",
    "retry-after",
    "user-agent",
    "x-ms-correlationid",
    "x-ms-marketplace-token",
    "x-ms-requestid",
    "metadata",
];

/// One request as it arrived, and the status that it got.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedRequest {
    /// When, by the simulator's clock.
    pub at: String,
    /// The HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query as it stood in the address.
    pub query: String,
    /// Selected headers; never a credential.
    pub headers: Vec<(String, String)>,
    /// The body as text, client secrets taken out.
    pub body: String,
    /// The status answered; none where the connection was cut before an answer.
    pub status: Option<u16>,
    /// Whether the request was acted on (a cut or answered fault is not; a lost answer is).
    pub acted: bool,
}

impl RecordedRequest {
    pub(super) fn new(request: &Request, at: time::OffsetDateTime, status: Option<u16>, acted: bool) -> Self {
        let kept = request.headers.iter().filter(|(name, _)| KEPT_HEADERS.contains(&name.as_str()));
        Self {
            at: terms::instant(at),
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: kept.cloned().collect(),
            body: without_secrets(&String::from_utf8_lossy(&request.body)),
            status,
            acted,
        }
    }
}

fn without_secrets(body: &str) -> String {
    if !body.contains("client_secret=") && !body.contains("client_assertion=") {
        return body.to_owned();
    }
    let hide = |pair: &str| match pair.split_once('=') {
        Some((name @ ("client_secret" | "client_assertion"), _)) => format!("{name}=***"),
        _ => pair.to_owned(),
    };
    body.split('&').map(hide).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    #[test]
    fn secrets_are_taken_out() {
        let body = "grant_type=client_credentials&client_secret=abc&scope=x";
        assert_eq!(super::without_secrets(body), "grant_type=client_credentials&client_secret=***&scope=x");
    }
}
