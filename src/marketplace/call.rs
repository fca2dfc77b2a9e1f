//! How a call is made: the headers, what is repeated and what never is, the limits.

use std::time::Duration;

use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tracing::{Span, field::Empty};
use url::Url;

use super::{
    Client,
    answer::{Answer, Received, checked, operation_id, parse, retry_after},
    error::{MarketplaceError, Result},
};
use crate::{
    clock::{Stopwatch, new_id},
    crash::{Broken, failing_point},
    http::bounded_text,
    trace::{self, SPANS, Step, StepKind},
};

/// A page of the listing has been seen at 57 kB for 66 rows; a hundred times that is not an answer.
const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// Reads are tried this often before somebody is told.
const READ_ATTEMPTS: u32 = 3;
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Client {
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        request: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Answer<T>> {
        let answer = self.read_text(operation, request).await?;
        let value = parse(&answer.value)?;
        Ok(answer.map(|_| value))
    }

    /// Reads where Microsoft says "nothing" with an empty body, `{}` or `[]`.
    pub(super) async fn read_or_nothing<T: DeserializeOwned + Default>(
        &self,
        operation: &'static str,
        request: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Answer<T>> {
        let answer = self.read_text(operation, request).await?;
        let nothing = matches!(answer.value.trim(), "" | "[]" | "null");
        let value = if nothing { T::default() } else { parse(&answer.value)? };
        Ok(answer.map(|_| value))
    }

    /// A read may be repeated: after a pause, when Microsoft is not well.
    pub(super) async fn read_text(
        &self,
        operation: &'static str,
        request: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Answer<String>> {
        let mut attempt = 1;
        loop {
            let error = match self.change(operation, &request).await {
                Ok(answer) => return Ok(answer.map(|received| received.text)),
                Err(error) => error,
            };
            let pause = match &error {
                MarketplaceError::Unavailable { retry_after, .. } => {
                    retry_after.unwrap_or(Duration::from_millis(200) * attempt)
                }
                MarketplaceError::Unreached(_) | MarketplaceError::NoAnswer(_) => Duration::from_millis(200) * attempt,
                _ => return Err(error),
            };
            if attempt == READ_ATTEMPTS || pause > LONGEST_PAUSE {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    /// Sends once; a refused token is renewed once, because ours may have expired on the way.
    pub(super) async fn change(
        &self,
        operation: &'static str,
        request: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Answer<Received>> {
        checked(self.exchange(operation, request).await?)
    }

    /// The same, with the answer as it came, whatever its status.
    pub(super) async fn exchange(
        &self,
        operation: &'static str,
        request: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Answer<Received>> {
        let token = self.tokens.token().await?;
        let answer = self.send(operation, request(&self.http), &token).await?;
        if !matches!(answer.value.status, 401 | 403) {
            return Ok(answer);
        }
        let token = self.tokens.renewed_token().await?;
        self.send(operation, request(&self.http), &token).await
    }

    /// One request and its answer: the text, and the operation id where a change was accepted.
    #[tracing::instrument(target = SPANS, name = "call", skip_all, fields(
        otel.name = operation,
        otel.kind = "client",
        otel.status_code = Empty,
        server.address = Empty,
        http.response.status_code = Empty,
        azure.service.request.id = Empty,
        seatkey.correlation_id = Empty,
    ))]
    async fn send(
        &self,
        operation: &'static str,
        request: RequestBuilder,
        token: &SecretString,
    ) -> Result<Answer<Received>> {
        // Microsoft answers with the same correlation id, and so does its support.
        let correlation_id = trace::current_id().unwrap_or_else(|| new_id(self.clock.now()));
        let ids = (new_id(self.clock.now()).to_string(), correlation_id.to_string());
        let seen = Span::current();
        seen.record("seatkey.correlation_id", &ids.1);
        let watch = Stopwatch::start();
        let broken = |_: Broken| "the connection broke".to_owned();
        failing_point("before a request to the marketplace").map_err(broken).map_err(MarketplaceError::Unreached)?;
        let response = request
            .bearer_auth(token.expose_secret())
            .header("x-ms-requestid", &ids.0)
            .header("x-ms-correlationid", &ids.1)
            .send()
            .await;
        failing_point("after an answer of the marketplace").map_err(broken).map_err(MarketplaceError::NoAnswer)?;
        let response = response.map_err(|error| {
            let outcome = if error.is_connect() { "unreached" } else { "no_answer" };
            self.meters.call(operation, outcome, watch.elapsed());
            self.note(operation, (&ids.0, None), outcome.to_owned());
            seen.record("server.address", error.url().and_then(Url::host_str));
            seen.record("azure.service.request.id", &ids.0).record("otel.status_code", "ERROR");
            no_answer(operation, &ids.0, &error)
        })?;
        let status = response.status();
        self.meters.call(operation, outcome(status.as_u16()), watch.elapsed());
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let request_id = header("x-ms-requestid").unwrap_or(ids.0);
        let correlation_id = header("x-ms-correlationid").unwrap_or_else(|| ids.1.clone());
        let milliseconds = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            operation,
            status = status.as_u16(),
            request_id,
            correlation_id,
            milliseconds,
            "marketplace call"
        );
        seen.record("server.address", response.url().host_str());
        seen.record("http.response.status_code", i64::from(status.as_u16()));
        seen.record("azure.service.request.id", &request_id);
        if !status.is_success() {
            seen.record("otel.status_code", "ERROR");
        }
        let operation_id = operation_id(&response);
        let foreign = Some(&correlation_id).filter(|id| **id != ids.1);
        self.note(
            operation,
            (&request_id, operation_id.as_ref().or(foreign)),
            format!("{} in {milliseconds} ms", status.as_u16()),
        );
        let retry_after = retry_after(&response, self.clock.now());
        let text = bounded_text(response, MAX_BODY_BYTES).await.map_err(|e| no_answer(operation, &request_id, &e))?;
        let text = text.ok_or_else(|| MarketplaceError::Unreadable("the answer is too long".to_owned()))?;
        let value = Received { status: status.as_u16(), text, retry_after, operation_id };
        Ok(Answer { value, request_id, correlation_id })
    }
}

impl Client {
    /// Keeps a request in the trace of what it was made for.
    fn note(&self, operation: &str, (reference, other): (&str, Option<&String>), outcome: String) {
        trace::note(Step {
            reference: Some(reference.to_owned()),
            other_reference: other.cloned(),
            outcome: Some(outcome),
            ..Step::new(self.clock.now(), StepKind::Call, operation)
        });
    }
}

/// The word of the counters for an answer.
fn outcome(status: u16) -> &'static str {
    match status {
        200..=299 => "ok",
        401 | 403 => "credential",
        404 => "not_found",
        409 => "conflict",
        429 => "too_many",
        408 | 500..=599 => "unavailable",
        _ => "refused",
    }
}

/// The error without the address: a query of Microsoft's may carry a token.
fn no_answer(operation: &'static str, request_id: &str, error: &reqwest::Error) -> MarketplaceError {
    let kind = match () {
        // A connection that was not made in time is both; what counts is that nothing was sent.
        () if error.is_connect() => "no connection",
        () if error.is_timeout() => "timed out",
        () => "the connection broke",
    };
    tracing::warn!(operation, request_id, kind, "marketplace call without an answer");
    let error = if error.is_connect() { MarketplaceError::Unreached } else { MarketplaceError::NoAnswer };
    error(kind.to_owned())
}
