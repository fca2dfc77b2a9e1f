//! The fulfillment operations (reference: Microsoft's SaaS fulfillment API v2, `api-version=2018-08-31`).

use std::sync::Arc;

use reqwest::{Method, header::HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;
use uuid::Uuid;

use super::{
    TokenSource,
    answer::{Answer, continuation_token, pending, unknown_as_not_found},
    error::{MarketplaceError, Result},
    wire::{AvailablePlan, Listing, Operation, Operations, Plans, Resolved, Subscription, WirePlan},
};
use crate::{
    clock::SharedClock,
    domain::subscription::{MicrosoftStatus, Snapshot},
    meters::Meters,
};

const API_VERSION: &str = "2018-08-31";

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
    metering_base: Url,
    pub(super) http: reqwest::Client,
    pub(super) tokens: Arc<dyn TokenSource>,
    pub(super) clock: SharedClock,
    pub(super) meters: Meters,
}

impl Client {
    /// A client for the API at `base` (`https://marketplaceapi.microsoft.com/api`), metering included.
    #[must_use]
    pub fn new(base: Url, http: reqwest::Client, tokens: Arc<dyn TokenSource>, clock: SharedClock) -> Self {
        let base = without_slash(base);
        Self { metering_base: base.clone(), base, http, tokens, clock, meters: Meters::default() }
    }

    /// The same client, with the metering operations elsewhere.
    #[must_use]
    pub fn with_metering_base(self, base: Url) -> Self {
        Self { metering_base: without_slash(base), ..self }
    }

    /// The same client, counting into these meters.
    #[must_use]
    pub fn counting(self, meters: Meters) -> Self {
        Self { meters, ..self }
    }

    /// Turns a purchase token into the subscription that it stands for. Works in every state and as often as needed.
    ///
    /// # Errors
    /// [`MarketplaceError::BadPurchaseToken`] when it is expired or none; else [`MarketplaceError`].
    pub async fn resolve(&self, purchase_token: &SecretString) -> Result<Answer<Snapshot>> {
        let bad_token = |message: &str| {
            // Microsoft's words go to the log, the token must not.
            let secret = purchase_token.expose_secret();
            let message = if secret.is_empty() { message.to_owned() } else { message.replace(secret, "…") };
            MarketplaceError::BadPurchaseToken(message)
        };
        let Ok(mut token) = HeaderValue::from_str(purchase_token.expose_secret()) else {
            return Err(bad_token("it has characters that no token has"));
        };
        token.set_sensitive(true);
        let url = self.url(&["saas", "subscriptions", "resolve"], &[]);
        let request =
            |http: &reqwest::Client| http.post(url.clone()).header("x-ms-marketplace-token", token.clone()).body("");
        let answer = self.read::<Resolved>("resolve", request).await;
        let answer = answer.map_err(|error| match error {
            MarketplaceError::Refused { status: 400, message } | MarketplaceError::NotFound(message) => {
                bad_token(&message)
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
        // With the slash at the end: so it is in the OpenAPI document and in recorded traffic.
        let url = self.url(&["saas", "subscriptions", ""], &query);
        let answer = self.read_or_nothing::<Listing>("list_subscriptions", |http| http.get(url.clone())).await?;
        let next = continuation_token(answer.value.next_link.as_deref().unwrap_or_default())?;
        if next.is_some() && next.as_deref() == continuation {
            return Err(MarketplaceError::Unreadable("the next page is the same page".to_owned()));
        }
        Ok(answer.map(|listing| Page {
            continuation: next,
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
        let answer = match answer {
            Err(error @ MarketplaceError::Credential(_)) => Err(self.not_our_credential(id, error).await),
            answer => unknown_as_not_found(answer),
        };
        Ok(answer?.map(|plans| plans.plans.into_iter().map(WirePlan::into_plan).collect()))
    }

    /// Microsoft answers 403 for the plans of an ended subscription, too; only the subscription tells the two apart.
    async fn not_our_credential(&self, id: Uuid, error: MarketplaceError) -> MarketplaceError {
        match (error, self.get_subscription(id).await) {
            (MarketplaceError::Credential(message), Ok(answer))
                if answer.value.status == MicrosoftStatus::Unsubscribed =>
            {
                MarketplaceError::Refused { status: 403, message }
            }
            (error, _) => error,
        }
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
    /// [`MarketplaceError::Refused`] with status 200 when it has ended already; else [`MarketplaceError`]; after
    /// [`MarketplaceError::NoAnswer`] it may have happened.
    pub async fn cancel(&self, id: Uuid) -> Result<Answer<PendingOperation>> {
        let url = self.url(&["saas", "subscriptions", &id.to_string()], &[]);
        let accepted = self.change("cancel", |http| http.delete(url.clone())).await?;
        if accepted.value.status == 200 && accepted.value.operation_id.is_none() {
            let message = "the subscription has ended already".to_owned();
            return Err(MarketplaceError::Refused { status: 200, message });
        }
        pending(accepted)
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

    /// Where the API is.
    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        extended(&self.base, path, query)
    }

    pub(super) fn metering_url(&self, operation: &str, query: &[(&str, &str)]) -> Url {
        extended(&self.metering_base, &[operation], query)
    }
}

fn without_slash(mut base: Url) -> Url {
    let path = base.path().trim_end_matches('/').to_owned();
    base.set_path(&path);
    base
}

fn extended(base: &Url, path: &[&str], query: &[(&str, &str)]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.extend(path);
    }
    url.query_pairs_mut().append_pair("api-version", API_VERSION).extend_pairs(query);
    url
}
