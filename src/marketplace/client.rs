//! The fulfillment operations (reference: Microsoft's SaaS fulfillment API v2, `api-version=2018-08-31`).

use std::{sync::Arc, time::Duration};

use reqwest::{Method, RequestBuilder, Response, StatusCode, header::RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;
use uuid::Uuid;

use super::{
    error::MarketplaceError,
    tokens::TokenSource,
    wire::{AvailablePlan, Listing, Operation, Operations, Plans, Resolved, Subscription},
};
use crate::{
    clock::{SharedClock, Stopwatch, new_id},
    crash::crash_point,
    domain::subscription::Snapshot,
    http::bounded_text,
};

const API_VERSION: &str = "2018-08-31";
/// A page of the listing has been seen at 57 kB for 66 rows; a hundred times that is not an answer.
const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// Reads are tried this often before somebody is told.
const READ_ATTEMPTS: u32 = 3;
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

type Result<T> = std::result::Result<T, MarketplaceError>;

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

/// A page of the listing, and what to ask for next.
#[derive(Debug)]
pub struct Page {
    /// The subscriptions; a page may be empty and yet not the last.
    pub subscriptions: Vec<Snapshot>,
    /// The token of the next page; none = this was the last one.
    pub continuation: Option<String>,
}

/// A change that Microsoft has accepted and is working on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingOperation {
    /// The operation's id, to be asked after.
    pub operation_id: String,
}

/// The client. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    base: Url,
    http: reqwest::Client,
    tokens: Arc<dyn TokenSource>,
    clock: SharedClock,
}

impl Client {
    /// A client for the API at `base` (`https://marketplaceapi.microsoft.com/api`).
    #[must_use]
    pub fn new(mut base: Url, http: reqwest::Client, tokens: Arc<dyn TokenSource>, clock: SharedClock) -> Self {
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        Self { base, http, tokens, clock }
    }

    /// Turns a purchase token into the subscription that it stands for. Works in every state and as often as needed.
    ///
    /// # Errors
    /// [`MarketplaceError::BadPurchaseToken`] when it is expired or none; else [`MarketplaceError`].
    pub async fn resolve(&self, purchase_token: &SecretString) -> Result<Answer<Snapshot>> {
        let url = self.url(&["saas", "subscriptions", "resolve"], &[]);
        let request = |http: &reqwest::Client| {
            http.post(url.clone()).header("x-ms-marketplace-token", purchase_token.expose_secret()).body("")
        };
        let answer = self.read::<Resolved>("resolve", request).await;
        let answer = answer.map_err(|error| match error {
            MarketplaceError::Refused { status: 400, message } | MarketplaceError::NotFound(message) => {
                MarketplaceError::BadPurchaseToken(message)
            }
            other => other,
        })?;
        Ok(answer.map(|resolved| resolved.subscription.into_snapshot()))
    }

    /// The truth about one subscription.
    ///
    /// # Errors
    /// [`MarketplaceError`].
    pub async fn get_subscription(&self, id: Uuid) -> Result<Answer<Snapshot>> {
        let url = self.url(&["saas", "subscriptions", &id.to_string()], &[]);
        let answer = self.read::<Subscription>("get_subscription", |http| http.get(url.clone())).await;
        Ok(unknown_as_not_found(answer)?.map(Subscription::into_snapshot))
    }

    /// One page of all subscriptions; `continuation` comes from the page before.
    ///
    /// # Errors
    /// [`MarketplaceError`].
    pub async fn list_subscriptions(&self, continuation: Option<&str>) -> Result<Answer<Page>> {
        let query: Vec<(&str, &str)> = continuation.map(|token| ("continuationToken", token)).into_iter().collect();
        let url = self.url(&["saas", "subscriptions"], &query);
        let answer = self.read_or_nothing::<Listing>("list_subscriptions", |http| http.get(url.clone())).await?;
        Ok(answer.map(|listing| Page {
            continuation: listing.next_link.as_deref().and_then(continuation_token),
            subscriptions: listing.subscriptions.into_iter().map(Subscription::into_snapshot).collect(),
        }))
    }

    /// The plans that this customer could have, with today's prices. With `plan_id`, only that one, private offers included.
    ///
    /// # Errors
    /// [`MarketplaceError`].
    pub async fn list_available_plans(&self, id: Uuid, plan_id: Option<&str>) -> Result<Answer<Vec<AvailablePlan>>> {
        let query: Vec<(&str, &str)> = plan_id.map(|plan| ("planId", plan)).into_iter().collect();
        let url = self.url(&["saas", "subscriptions", &id.to_string(), "listAvailablePlans"], &query);
        let answer = self.read_or_nothing::<Plans>("list_available_plans", |http| http.get(url.clone())).await;
        let answer = unknown_as_not_found(answer)?;
        Ok(answer.map(|plans| plans.plans.into_iter().map(super::wire::WirePlan::into_plan).collect()))
    }

    /// Asks Microsoft to activate. Success means "received": [`Client::get_subscription`] tells when it is true.
    ///
    /// # Errors
    /// [`MarketplaceError`]; after [`MarketplaceError::NoAnswer`] it may have happened.
    pub async fn activate(&self, id: Uuid, plan_id: &str, quantity: Option<u32>) -> Result<Answer<()>> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Activation<'a> {
            plan_id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            quantity: Option<u32>,
        }
        let url = self.url(&["saas", "subscriptions", &id.to_string(), "activate"], &[]);
        let body = Activation { plan_id, quantity };
        self.change("activate", |http| http.post(url.clone()).json(&body)).await.map(|answer| answer.map(drop))
    }

    /// Asks for another plan.
    ///
    /// # Errors
    /// [`MarketplaceError`]; after [`MarketplaceError::NoAnswer`] it may have happened.
    pub async fn change_plan(&self, id: Uuid, plan_id: &str) -> Result<Answer<PendingOperation>> {
        self.patch_subscription("change_plan", id, &serde_json::json!({ "planId": plan_id })).await
    }

    /// Asks for another number of seats.
    ///
    /// # Errors
    /// [`MarketplaceError`]; after [`MarketplaceError::NoAnswer`] it may have happened.
    pub async fn change_quantity(&self, id: Uuid, quantity: u32) -> Result<Answer<PendingOperation>> {
        self.patch_subscription("change_quantity", id, &serde_json::json!({ "quantity": quantity })).await
    }

    /// Cancels at Microsoft.
    ///
    /// # Errors
    /// [`MarketplaceError`]; after [`MarketplaceError::NoAnswer`] it may have happened.
    pub async fn cancel(&self, id: Uuid) -> Result<Answer<PendingOperation>> {
        let url = self.url(&["saas", "subscriptions", &id.to_string()], &[]);
        pending(self.change("cancel", |http| http.delete(url.clone())).await?)
    }

    /// The operations in progress; Microsoft shows them with a delay.
    ///
    /// # Errors
    /// [`MarketplaceError`].
    pub async fn list_operations(&self, id: Uuid) -> Result<Answer<Vec<Operation>>> {
        let url = self.url(&["saas", "subscriptions", &id.to_string(), "operations"], &[]);
        let answer = self.read_or_nothing::<Operations>("list_operations", |http| http.get(url.clone())).await?;
        Ok(answer.map(|operations| operations.operations))
    }

    /// The truth about one operation. Microsoft answers 400 for one that it does not know.
    ///
    /// # Errors
    /// [`MarketplaceError`].
    pub async fn get_operation(&self, id: Uuid, operation_id: &str) -> Result<Answer<Operation>> {
        let url = self.url(&["saas", "subscriptions", &id.to_string(), "operations", operation_id], &[]);
        unknown_as_not_found(self.read("get_operation", |http| http.get(url.clone())).await)
    }

    /// Says yes or no to an operation. The words are Microsoft's: a typo would be accepted and lost.
    ///
    /// # Errors
    /// [`MarketplaceError::Conflict`] when it is decided already; else [`MarketplaceError`].
    pub async fn update_operation(&self, id: Uuid, operation_id: &str, accept: bool) -> Result<Answer<()>> {
        let url = self.url(&["saas", "subscriptions", &id.to_string(), "operations", operation_id], &[]);
        let body = serde_json::json!({ "status": if accept { "Success" } else { "Failure" } });
        let answer = self.change("update_operation", |http| http.patch(url.clone()).json(&body)).await?;
        Ok(answer.map(drop))
    }

    async fn patch_subscription(
        &self,
        operation: &'static str,
        id: Uuid,
        body: &serde_json::Value,
    ) -> Result<Answer<PendingOperation>> {
        let url = self.url(&["saas", "subscriptions", &id.to_string()], &[]);
        pending(self.change(operation, |http| http.request(Method::PATCH, url.clone()).json(body)).await?)
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        url.query_pairs_mut().append_pair("api-version", API_VERSION).extend_pairs(query);
        url
    }

    async fn read<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        request: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Answer<T>> {
        let answer = self.read_text(operation, request).await?;
        let value = parse(&answer.value)?;
        Ok(answer.map(|_| value))
    }

    /// Reads where Microsoft says "nothing" with an empty body, `{}` or `[]`.
    async fn read_or_nothing<T: DeserializeOwned + Default>(
        &self,
        operation: &'static str,
        request: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Answer<T>> {
        let answer = self.read_text(operation, request).await?;
        let nothing = matches!(answer.value.trim(), "" | "[]");
        let value = if nothing { T::default() } else { parse(&answer.value)? };
        Ok(answer.map(|_| value))
    }

    /// A read may be repeated: after a pause, when Microsoft is not well.
    async fn read_text(
        &self,
        operation: &'static str,
        request: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Answer<String>> {
        let mut attempt = 1;
        loop {
            let error = match self.change(operation, &request).await {
                Ok(answer) => return Ok(answer.map(|(text, _)| text)),
                Err(error) => error,
            };
            let pause = match &error {
                MarketplaceError::Unavailable { retry_after, .. } => {
                    retry_after.unwrap_or(Duration::from_millis(200) * attempt)
                }
                MarketplaceError::NoAnswer(_) => Duration::from_millis(200) * attempt,
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
    async fn change(
        &self,
        operation: &'static str,
        request: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Answer<(String, Option<String>)>> {
        let token = self.tokens.token().await?;
        match self.send(operation, request(&self.http), &token).await {
            Err(MarketplaceError::Credential(_)) => {
                let token = self.tokens.renewed_token().await?;
                self.send(operation, request(&self.http), &token).await
            }
            result => result,
        }
    }

    /// One request and its answer: the text, and the operation id where a change was accepted.
    async fn send(
        &self,
        operation: &'static str,
        request: RequestBuilder,
        token: &SecretString,
    ) -> Result<Answer<(String, Option<String>)>> {
        let ids = (new_id(self.clock.now()).to_string(), new_id(self.clock.now()).to_string());
        let watch = Stopwatch::start();
        crash_point("before a request to the marketplace");
        let response = request
            .bearer_auth(token.expose_secret())
            .header("x-ms-requestid", &ids.0)
            .header("x-ms-correlationid", &ids.1)
            .send()
            .await;
        crash_point("after an answer of the marketplace");
        let response = response.map_err(|error| no_answer(operation, &ids.0, &error))?;
        let status = response.status();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let request_id = header("x-ms-requestid").unwrap_or(ids.0);
        let correlation_id = header("x-ms-correlationid").unwrap_or(ids.1);
        let milliseconds = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            operation,
            status = status.as_u16(),
            request_id,
            correlation_id,
            milliseconds,
            "marketplace call"
        );
        let operation_id = operation_id(&response);
        let retry_after = retry_after(&response);
        let text = bounded_text(response, MAX_BODY_BYTES).await.map_err(|e| no_answer(operation, &request_id, &e))?;
        let text = text.ok_or_else(|| MarketplaceError::Unreadable("the answer is too long".to_owned()))?;
        check(status, &text, retry_after)?;
        Ok(Answer { value: (text, operation_id), request_id, correlation_id })
    }
}

impl<T> Answer<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { value: change(self.value), request_id: self.request_id, correlation_id: self.correlation_id }
    }
}

/// The error without the address: a query of Microsoft's may carry a token.
fn no_answer(operation: &'static str, request_id: &str, error: &reqwest::Error) -> MarketplaceError {
    let kind = match () {
        () if error.is_timeout() => "timed out",
        () if error.is_connect() => "no connection",
        () => "the connection broke",
    };
    tracing::warn!(operation, request_id, kind, "marketplace call without an answer");
    MarketplaceError::NoAnswer(kind.to_owned())
}

fn check(status: StatusCode, text: &str, retry_after: Option<Duration>) -> Result<()> {
    let message = || message_of(text);
    match status.as_u16() {
        200..=299 => Ok(()),
        401 | 403 => Err(MarketplaceError::Credential(message())),
        404 => Err(MarketplaceError::NotFound(message())),
        409 => Err(MarketplaceError::Conflict(message())),
        429 | 500..=599 => Err(MarketplaceError::Unavailable { status: status.as_u16(), retry_after }),
        other => Err(MarketplaceError::Refused { status: other, message: message() }),
    }
}

/// The real service answers 400 where its documents say 404.
fn unknown_as_not_found<T>(answer: Result<T>) -> Result<T> {
    answer.map_err(|error| match error {
        MarketplaceError::Refused { status: 400, message } => MarketplaceError::NotFound(message),
        other => other,
    })
}

/// Microsoft's words in any of its shapes, shortened: `{"message"}`, `{"Error":{"Message"}}`, a bare text, nothing.
fn message_of(text: &str) -> String {
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

fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| MarketplaceError::Unreadable(error.to_string()))
}

fn pending(answer: Answer<(String, Option<String>)>) -> Result<Answer<PendingOperation>> {
    let Some(operation_id) = answer.value.1.clone() else {
        return Err(MarketplaceError::Unreadable("the change was accepted without an operation id".to_owned()));
    };
    Ok(answer.map(|_| PendingOperation { operation_id }))
}

/// `Operation-Id`, or the last part of `Operation-Location`, which names an internal host and is never followed.
fn operation_id(response: &Response) -> Option<String> {
    let header = |name: &str| response.headers().get(name)?.to_str().ok();
    header("Operation-Id").map(str::to_owned).or_else(|| {
        let location = Url::parse(header("Operation-Location")?).ok()?;
        location.path_segments()?.next_back().map(str::to_owned)
    })
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The token of a next link; its host is Microsoft's internal one and is never called.
fn continuation_token(link: &str) -> Option<String> {
    // Microsoft's documents show the scheme twice in one place.
    let start = link.rfind("https://").or_else(|| link.rfind("http://"))?;
    let url = Url::parse(link.get(start..)?).ok()?;
    url.query_pairs().find(|(name, _)| name == "continuationToken").map(|(_, token)| token.into_owned())
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
