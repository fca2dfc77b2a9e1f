//! What is done with usage in-process: receiving it, looking at it, and what others do to it.

use std::{borrow::Cow, sync::Arc};

use serde_json::json;
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::{
    super::{
        switches::UsageTrick,
        world::{World, WorldError},
    },
    book::{ReceivedUsage, Verdict},
    item::{self, Facts, Item},
    rules::{self, Judged, Passed, Refusal},
    wire,
};
use crate::clock::random_id;

/// The words for what became of a day (Microsoft's metering documentation).
const RECON_STATUSES: [&str; 4] = ["Submitted", "Accepted", "Rejected", "Mismatch"];

impl World {
    /// Judges a usage event (its JSON) and records it.
    pub(super) fn receive_usage(&self, raw: &str) -> Judged {
        let trick = self.state().switches.usage_trick.clone();
        let failing = match trick {
            Some(UsageTrick::AllFail(status)) => Some(status),
            _ => None,
        };
        self.judge_usage(raw, failing, false)
    }

    fn judge_usage(&self, raw: &str, failing: Option<String>, foreign: bool) -> Judged {
        let now = self.now();
        let item = Item::read(raw);
        let facts = item.facts();
        let mut state = self.settled(facts.resource_id.unwrap_or_default());
        let verdict = match failing {
            Some(status) => Err(Refusal::new(status, "usageEventRequest", "The usage event was not accepted.")),
            None => rules::judge(&state, &item, &facts, now),
        };
        let subscription = facts.resource_id.and_then(|id| state.find(id));
        let resource_uri = subscription.map(|found| wire::resource_uri(&state.seed, found)).unwrap_or_default();
        let received = Arc::new(ReceivedUsage { foreign, ..record_of(raw, now, facts, &verdict) });
        state.usage.record(&received);
        Judged { received, refusal: verdict.err(), resource_uri }
    }

    /// Every usage event that arrived, oldest first (the last 4,000,000).
    #[must_use]
    pub fn usage(&self) -> Vec<ReceivedUsage> {
        self.usage_where(|_| true)
    }

    /// The usage events that were accepted, oldest first.
    #[must_use]
    pub fn accepted_usage(&self) -> Vec<ReceivedUsage> {
        self.usage_where(|usage| usage.usage_event_id.is_some())
    }

    /// Every usage event of a subscription that arrived, oldest first.
    #[must_use]
    pub fn usage_of(&self, id: Uuid) -> Vec<ReceivedUsage> {
        self.usage_where(|usage| usage.resource_id == Some(id))
    }

    fn usage_where(&self, wanted: impl Fn(&ReceivedUsage) -> bool) -> Vec<ReceivedUsage> {
        let state = self.state();
        state.usage.received().filter(|usage| wanted(usage)).map(|usage| usage.as_ref().clone()).collect()
    }

    /// Another program of the publisher reports usage, under the plan that the subscription has. It is judged by the same
    /// rules and takes the same slots; tricks do not concern it. Returns what became of it.
    ///
    /// # Errors
    /// When the quantity is not the text of a JSON number.
    pub fn post_foreign_usage(
        &self,
        id: Uuid,
        dimension: &str,
        quantity_text: &str,
        effective_start: OffsetDateTime,
    ) -> Result<ReceivedUsage, WorldError> {
        check_number(quantity_text)?;
        let plan = self.settled(id).find(id).map_or_else(|| "unknown".to_owned(), |found| found.plan_id.clone());
        let dimension = json!(dimension);
        let start = effective_start.format(&Rfc3339).map_err(|error| WorldError(error.to_string()))?;
        let raw = format!(
            r#"{{"resourceId":"{id}","quantity":{quantity_text},"dimension":{dimension},"effectiveStartTime":"{start}","planId":"{plan}"}}"#
        );
        Ok(self.judge_usage(&raw, None, true).received.as_ref().clone())
    }

    /// Says what became of one UTC day of a dimension, from now on: `Submitted`, `Accepted`, `Rejected` or `Mismatch`,
    /// and the quantity that was processed, as decimal text.
    ///
    /// # Errors
    /// When the word is another one, or the quantity is not a number.
    pub fn set_usage_verdict(
        &self,
        id: Uuid,
        dimension: &str,
        day: Date,
        recon_status: &str,
        processed_quantity_text: &str,
    ) -> Result<(), WorldError> {
        check_number(processed_quantity_text)?;
        if !RECON_STATUSES.contains(&recon_status) {
            return Err(WorldError(format!("“{recon_status}” is none of {}", RECON_STATUSES.join(", "))));
        }
        let verdict =
            Verdict { recon_status: recon_status.to_owned(), processed_quantity: processed_quantity_text.to_owned() };
        self.state().usage.set_verdict(id, dimension, day, verdict);
        Ok(())
    }
}

fn check_number(text: &str) -> Result<(), WorldError> {
    let is_json = serde_json::from_str::<serde_json::Number>(text).is_ok();
    let is_number = is_json && item::number(text).is_some();
    if is_number { Ok(()) } else { Err(WorldError(format!("“{text}” is not a number"))) }
}

fn record_of(raw: &str, at: OffsetDateTime, facts: Facts, verdict: &Result<Passed, Refusal>) -> ReceivedUsage {
    let passed = verdict.as_ref().ok();
    ReceivedUsage {
        at,
        bytes: raw.to_owned(),
        resource_id: facts.resource_id,
        dimension: facts.dimension.unwrap_or_default(),
        plan_id: facts.plan_id.unwrap_or_default(),
        quantity_text: facts.quantity_text,
        effective_start: facts.effective_start,
        status: verdict.as_ref().err().map_or(Cow::Borrowed("Accepted"), |refusal| refusal.status.clone()),
        usage_event_id: passed.map(|_| random_id()),
        unit_price: passed.and_then(|passed| passed.unit_price.clone()),
        foreign: false,
    }
}
