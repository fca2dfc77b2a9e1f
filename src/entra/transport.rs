//! Between Microsoft's identity library and the network, and what its errors mean.
//!
//! Traps that this file answers: the library refuses plain http, so for an authority on loopback every request is sent there
//! (the fixed address of managed identities, too); it reports everything as one kind of error, and loses status and code of
//! an answer whose text has line breaks, so an Entra that is not well is told apart here, before the library reads it.

use async_trait::async_trait;
use azure_core::{
    Error,
    error::ErrorKind,
    http::{AsyncRawResponse, HttpClient, Request, StatusCode},
};
use url::Url;

use super::CredentialError;

/// Codes that Entra itself calls transient, whatever the status.
const TRANSIENT: [&str; 2] = ["AADSTS90033", "AADSTS90024"];

/// Sends the requests of the identity library.
#[derive(Debug)]
pub(super) struct EntraTransport {
    /// Where everything goes instead, when the authority is on loopback.
    loopback: Option<Url>,
    http: reqwest::Client,
}

impl EntraTransport {
    pub(super) fn new(authority: &Url, http: reqwest::Client) -> Self {
        Self { loopback: (authority.scheme() == "http").then(|| authority.clone()), http }
    }
}

#[async_trait]
impl HttpClient for EntraTransport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut request = request.clone();
        if let Some(authority) = &self.loopback {
            let mut url = authority.clone();
            url.set_path(request.url().path());
            url.set_query(request.url().query());
            *request.url_mut() = url;
        }
        let response = HttpClient::execute_request(&self.http, &request).await?;
        let status = response.status();
        if status.is_server_error() || status == StatusCode::TooManyRequests {
            return Err(Error::with_message(ErrorKind::Io, format!("Entra answers {}", u16::from(status))));
        }
        Ok(response)
    }
}

/// Whose fault it is that there is no token.
pub(super) fn explain(error: &Error) -> CredentialError {
    let text = first_line(&error.to_string());
    let mut unreachable = is_network(error);
    let mut innermost = String::new();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        unreachable |= inner.downcast_ref::<Error>().is_some_and(is_network);
        innermost = inner.to_string();
        source = inner.source();
    }
    if unreachable || TRANSIENT.iter().any(|code| text.contains(code)) {
        CredentialError::Unreachable(format!("{text} ({})", first_line(&innermost)))
    } else {
        CredentialError::Refused(text)
    }
}

fn is_network(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Io | ErrorKind::Connection)
}

/// Entra's descriptions go on with trace ids and times; the first line says it. One with line breaks is quoted by the library
/// in a complaint of its own about it, which is left out.
fn first_line(text: &str) -> String {
    let words = text.find("AADSTS").map_or(text, |at| &text[at..]);
    words.split("\\r\\n").next().unwrap_or(words).lines().next().unwrap_or_default().to_owned()
}
