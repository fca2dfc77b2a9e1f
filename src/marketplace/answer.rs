//! What is read from an answer besides its JSON: the status, the ids, the words of an error, where to go on.

use std::time::Duration;

use reqwest::{Response, header::RETRY_AFTER};
use serde::de::DeserializeOwned;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use url::Url;

use super::{
    client::PendingOperation,
    error::{MarketplaceError, Result},
};

/// An answer with the ids that Microsoft's support asks for.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// What was asked for.
    pub value: T,
    /// `x-ms-requestid`.
    pub request_id: String,
    /// `x-ms-correlationid`.
    pub correlation_id: String,
}

/// What came back, not read yet.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) status: u16,
    pub(super) text: String,
    /// How long Microsoft wants us to wait.
    pub(super) retry_after: Option<Duration>,
    /// Where a change was accepted.
    pub(super) operation_id: Option<String>,
}

impl<T> Answer<T> {
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { value: change(self.value), request_id: self.request_id, correlation_id: self.correlation_id }
    }
}

/// The answer, when it says yes.
pub(super) fn checked(answer: Answer<Received>) -> Result<Answer<Received>> {
    let Received { status, retry_after, .. } = answer.value;
    let message = || message_of(&answer.value.text);
    match status {
        200..=299 => Ok(answer),
        401 | 403 => Err(MarketplaceError::Credential(message())),
        404 => Err(MarketplaceError::NotFound(message())),
        409 => Err(MarketplaceError::Conflict(message())),
        // 408 is no refusal: whoever stands between lost patience, or closed a connection at the moment in which we used it
        // (RFC 9110, 15.5.9: it may be sent again).
        408 | 429 | 500..=599 => Err(MarketplaceError::Unavailable { status, retry_after }),
        other => Err(MarketplaceError::Refused { status: other, message: message() }),
    }
}

/// The real service answers 400 where its documents say 404.
pub(super) fn unknown_as_not_found<T>(answer: Result<T>) -> Result<T> {
    answer.map_err(|error| match error {
        MarketplaceError::Refused { status: 400, message } => MarketplaceError::NotFound(message),
        other => other,
    })
}

/// Microsoft's words in any of its shapes, shortened: `{"message"}`, `{"Error":{"Message"}}`, a bare text, nothing.
pub(super) fn message_of(text: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(text).unwrap_or(serde_json::Value::Null);
    let inner = json.get("Error").or_else(|| json.get("error")).unwrap_or(&json);
    let part = |names: [&str; 2]| names.iter().find_map(|name| inner.get(name)).and_then(|value| value.as_str());
    let words = match (part(["code", "Code"]), part(["message", "Message"]), json.as_str()) {
        (Some(code), Some(message), _) => format!("{code}: {message}"),
        (None, Some(only), _) | (Some(only), None, _) | (None, None, Some(only)) => only.to_owned(),
        (None, None, None) => "no reason given".to_owned(),
    };
    words.chars().take(300).collect()
}

pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| MarketplaceError::Unreadable(error.to_string()))
}

pub(super) fn pending(answer: Answer<Received>) -> Result<Answer<PendingOperation>> {
    let Some(operation_id) = answer.value.operation_id.clone() else {
        return Err(MarketplaceError::Unreadable("the change was accepted without an operation id".to_owned()));
    };
    Ok(answer.map(|_| PendingOperation { operation_id }))
}

/// `Operation-Id`, or the last part of `Operation-Location`, which names an internal host and is never followed.
pub(super) fn operation_id(response: &Response) -> Option<String> {
    let header = |name: &str| response.headers().get(name)?.to_str().ok();
    header("Operation-Id").map(str::to_owned).or_else(|| {
        let location = Url::parse(header("Operation-Location")?).ok()?;
        location.path_segments()?.next_back().map(str::to_owned)
    })
}

/// How long to wait: a number of seconds, or until a date.
pub(super) fn retry_after(response: &Response, now: OffsetDateTime) -> Option<Duration> {
    pause(response.headers().get(RETRY_AFTER)?.to_str().ok()?, now)
}

fn pause(text: &str, now: OffsetDateTime) -> Option<Duration> {
    let text = text.trim();
    let seconds = || text.parse().ok().map(Duration::from_secs);
    let date = || OffsetDateTime::parse(text, &Rfc2822).ok().map(|date| (date - now).try_into().unwrap_or_default());
    seconds().or_else(date)
}

/// The token of a next link; its host is Microsoft's internal one and is never called. Without a link the listing is at its
/// end; a link without a token must not look like the end.
pub(super) fn continuation_token(link: &str) -> Result<Option<String>> {
    if link.trim().is_empty() {
        return Ok(None);
    }
    // Microsoft's documents show the scheme twice in one place.
    let start = link.rfind("https://").or_else(|| link.rfind("http://")).unwrap_or_default();
    let url = link.get(start..).and_then(|text| Url::parse(text.trim()).ok());
    let token = url.and_then(|url| {
        let found = url.query_pairs().find(|(name, _)| name == "continuationToken");
        found.map(|(_, token)| token.into_owned()).filter(|token| !token.is_empty())
    });
    token.map(Some).ok_or_else(|| MarketplaceError::Unreadable("the next page's link has no token".to_owned()))
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
