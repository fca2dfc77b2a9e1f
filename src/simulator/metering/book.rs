//! Every usage event that arrived, and which of them has which slot.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    ops::RangeInclusive,
    sync::Arc,
};

use serde::Serialize;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{super::bounded::Bounded, item::Complete};

/// How many events are remembered as they arrived. The accepted ones stay in the slots and days.
const LIMIT: usize = 4_000_000;

/// One usage event as it arrived, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceivedUsage {
    /// When it arrived, by the simulator's clock.
    #[serde(serialize_with = "time::serde::rfc3339::serialize")]
    pub at: OffsetDateTime,
    /// Its JSON, exactly as it was received.
    pub bytes: String,
    /// The subscription, if it was a GUID.
    pub resource_id: Option<Uuid>,
    /// The dimension; empty if there was none.
    pub dimension: String,
    /// The plan; empty if there was none.
    pub plan_id: String,
    /// The quantity, digit by digit as it stood in the JSON; empty if there was none.
    pub quantity_text: String,
    /// When it was used, in UTC, if it was an instant with a zone.
    #[serde(serialize_with = "time::serde::rfc3339::option::serialize")]
    pub effective_start: Option<OffsetDateTime>,
    /// What it was judged: `Accepted`, `Duplicate` and so on.
    pub status: Cow<'static, str>,
    /// The id of an accepted event.
    pub usage_event_id: Option<Uuid>,
    /// What Microsoft bills for a unit, as decimal text in the currency of the customer's market. Only of an accepted
    /// event, and only where the plan is sold in the market.
    pub unit_price: Option<String>,
    /// Whether another program of the publisher sent it ([`World::post_foreign_usage`](super::super::World)).
    pub foreign: bool,
}

/// What can be used once: a dimension of a resource in an hour (hours since 1970, in UTC).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Slot {
    resource_id: Uuid,
    dimension: String,
    hour: i64,
}

impl Slot {
    pub(super) fn of(event: &Complete<'_>) -> Self {
        Self::new(event.resource_id, event.dimension, event.effective_start)
    }

    fn new(resource_id: Uuid, dimension: &str, used: OffsetDateTime) -> Self {
        Self { resource_id, dimension: dimension.to_owned(), hour: used.unix_timestamp().div_euclid(3_600) }
    }
}

/// What was said about a day of a dimension after it was processed.
#[derive(Debug, Clone)]
pub(super) struct Verdict {
    pub(super) recon_status: String,
    pub(super) processed_quantity: String,
}

/// All usage.
#[derive(Debug)]
pub(in super::super) struct Book {
    received: Bounded<Arc<ReceivedUsage>>,
    /// The first accepted event of each slot.
    slots: HashMap<Slot, Arc<ReceivedUsage>>,
    /// All accepted events, by the UTC day of their use.
    days: BTreeMap<Date, Vec<Arc<ReceivedUsage>>>,
    verdicts: HashMap<(Uuid, String, Date), Verdict>,
}

impl Default for Book {
    fn default() -> Self {
        let received = Bounded::new(LIMIT);
        Self { received, slots: HashMap::new(), days: BTreeMap::new(), verdicts: HashMap::new() }
    }
}

impl Book {
    pub(super) fn in_slot(&self, slot: &Slot) -> Option<&Arc<ReceivedUsage>> {
        self.slots.get(slot)
    }

    /// Remembers an event; one with an id as accepted.
    pub(super) fn record(&mut self, usage: &Arc<ReceivedUsage>) {
        self.received.push(Arc::clone(usage));
        if let (Some(_), Some(id), Some(used)) = (usage.usage_event_id, usage.resource_id, usage.effective_start) {
            let slot = Slot::new(id, &usage.dimension, used);
            self.slots.entry(slot).or_insert_with(|| Arc::clone(usage));
            self.days.entry(used.date()).or_default().push(Arc::clone(usage));
        }
    }

    /// Everything that arrived, oldest first.
    pub(super) fn received(&self) -> impl Iterator<Item = &Arc<ReceivedUsage>> {
        self.received.iter()
    }

    /// The accepted events of some days, newest day first.
    pub(super) fn days(&self, days: RangeInclusive<Date>) -> impl Iterator<Item = (Date, &[Arc<ReceivedUsage>])> {
        let is_range = days.start() <= days.end();
        let days = is_range.then(|| self.days.range(days).rev()).into_iter().flatten();
        days.map(|(day, events)| (*day, events.as_slice()))
    }

    pub(super) fn set_verdict(&mut self, id: Uuid, dimension: &str, day: Date, verdict: Verdict) {
        self.verdicts.insert((id, dimension.to_owned(), day), verdict);
    }

    pub(super) fn verdict(&self, id: Uuid, dimension: &str, day: Date) -> Option<&Verdict> {
        self.verdicts.get(&(id, dimension.to_owned(), day))
    }
}
