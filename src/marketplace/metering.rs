//! The metering operations (reference: Microsoft's marketplace metering API, `api-version=2018-08-31`).

use reqwest::{RequestBuilder, header::CONTENT_TYPE};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{
    Client,
    answer::{Answer, checked},
    error::{MarketplaceError, Result},
    usage_days::{UsageDay, usage_days},
    usage_wire::{UsageOutcome, accepted_outcome, batch_outcomes, duplicate, refusal_in},
};

/// No batch has more events (reference, 6.2).
pub const MAX_BATCH: usize = 25;

/// A usage event as it goes over the wire: `body` is the item's JSON text, committed before and never changed.
#[derive(Clone, Copy)]
pub struct UsageItem<'a> {
    /// The subscription.
    pub resource_id: Uuid,
    /// The dimension's id.
    pub dimension: &'a str,
    /// `effectiveStartTime` of the body.
    pub effective_start: OffsetDateTime,
    /// One JSON object. Its bytes are sent as they are; the other fields only find its answer.
    pub body: &'a str,
}

impl UsageItem<'_> {
    /// Whether answers to the two cannot be told apart.
    pub(super) fn has_key_of(&self, other: &Self) -> bool {
        (self.resource_id, self.dimension, self.effective_start)
            == (other.resource_id, other.dimension, other.effective_start)
    }
}

impl Client {
    /// Sends 1 to 25 events in one request, once. The outcomes have the length and the order of `items`; `None` where the
    /// answer has nothing for an item, or something contradictory: it may have been accepted, or not.
    ///
    /// # Errors
    /// [`MarketplaceError::Refused`] with status 400 for more than 25 events or none, before anything is sent; else
    /// [`MarketplaceError`]; [`MarketplaceError::is_certainly_unprocessed`] tells whether events can have been accepted.
    pub async fn report_usage_batch(&self, items: &[UsageItem<'_>]) -> Result<Answer<Vec<Option<UsageOutcome>>>> {
        if items.is_empty() || items.len() > MAX_BATCH {
            let message = format!("a batch has 1 to {MAX_BATCH} events, this one has {}", items.len());
            return Err(MarketplaceError::Refused { status: 400, message });
        }
        let url = self.metering_url("batchUsageEvent", &[]);
        let bodies: Vec<&str> = items.iter().map(|item| item.body).collect();
        let body = format!(r#"{{"request":[{}]}}"#, bodies.join(","));
        let answer = self.change("report_usage_batch", |http| with_json(http.post(url.clone()), &body)).await?;
        let outcomes = batch_outcomes(&answer.value.text, items)?;
        Ok(answer.map(|_| outcomes))
    }

    /// Sends one event, once. A 409 is [`UsageOutcome::Duplicate`], a 400 that names one of the item's statuses is that
    /// outcome.
    ///
    /// # Errors
    /// [`MarketplaceError`]; [`MarketplaceError::is_certainly_unprocessed`] tells whether the event can have been accepted.
    pub async fn report_usage(&self, item: UsageItem<'_>) -> Result<Answer<UsageOutcome>> {
        let url = self.metering_url("usageEvent", &[]);
        let answer = self.exchange("report_usage", |http| with_json(http.post(url.clone()), item.body)).await?;
        let text = answer.value.text.as_str();
        let outcome = match answer.value.status {
            409 => Some(duplicate(text, &item).ok_or_else(contradiction)?),
            400 => refusal_in(text),
            _ => None,
        };
        if let Some(outcome) = outcome {
            return Ok(answer.map(|_| outcome));
        }
        let answer = checked(answer)?;
        let outcome = accepted_outcome(&answer.value.text, &item)?.ok_or_else(contradiction)?;
        Ok(answer.map(|_| outcome))
    }

    /// What Microsoft has of us: daily sums, from `since` (a UTC day) to now, of all subscriptions. They lag.
    ///
    /// # Errors
    /// [`MarketplaceError`]; a row without its day, or with a number that cannot be read exactly, makes the whole answer
    /// [`MarketplaceError::Unreadable`], because a sum that is left out would look like nothing reported.
    pub async fn list_usage(&self, since: Date) -> Result<Answer<Vec<UsageDay>>> {
        let url = self.metering_url("usageEvents", &[("usageStartDate", &format!("{since}T00:00:00Z"))]);
        let answer = self.read_text("list_usage", |http| http.get(url.clone())).await?;
        let days = usage_days(&answer.value)?;
        Ok(answer.map(|_| days))
    }
}

/// The bytes as they are: what was committed is what is sent.
fn with_json(request: RequestBuilder, body: &str) -> RequestBuilder {
    request.header(CONTENT_TYPE, "application/json").body(body.to_owned())
}

fn contradiction() -> MarketplaceError {
    MarketplaceError::Unreadable("the answer does not fit the event that was sent".to_owned())
}
