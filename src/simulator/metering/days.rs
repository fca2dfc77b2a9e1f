//! `usageEvents`: the daily sums of accepted usage, which lag.

use std::collections::{BTreeMap, HashSet};

use rust_decimal::prelude::ToPrimitive as _;
use serde::Serialize;
use serde_json::value::RawValue;
use time::{
    Date, Duration, OffsetDateTime, PrimitiveDateTime, UtcOffset,
    format_description::well_known::{Iso8601, Rfc3339},
};
use uuid::Uuid;

use super::{
    super::{
        exchange::{Form, Reply},
        gate,
        subscription::Subscription,
        terms,
        world::{State, World},
    },
    item, wire,
};

/// How long after its last event a day waits to be processed (Microsoft's documentation of the analytics: up to 48 h).
const PROCESSING: Duration = Duration::hours(48);

/// One row, in the order of the recorded traffic.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RowBody<'a> {
    usage_date: String,
    usage_resource_id: Uuid,
    dimension: &'a str,
    plan_id: &'a str,
    plan_name: &'a str,
    offer_id: &'a str,
    offer_name: &'a str,
    offer_type: &'static str,
    azure_subscription_id: Uuid,
    recon_status: &'a str,
    submitted_quantity: Box<RawValue>,
    processed_quantity: Box<RawValue>,
    submitted_count: u32,
}

/// What was used on one day.
struct Sum {
    /// Microsoft's documents say `double`, and so do its sums.
    quantity: f64,
    count: u32,
    /// When the last of its events was accepted.
    newest: OffsetDateTime,
}

impl Sum {
    #[expect(clippy::float_arithmetic, reason = "so that the service meets what doubles make of sums")]
    fn add(&mut self, quantity: &str) {
        self.quantity += double(quantity);
    }
}

fn double(text: &str) -> f64 {
    item::number(text).and_then(|exact| exact.to_f64()).unwrap_or_default()
}

pub(super) fn list(world: &World, query: &Form) -> Reply {
    let now = world.now();
    let Some(start) = query.get("usageStartDate").and_then(day) else {
        let message = "The usageStartDate is required, as an ISO 8601 date or time.";
        return gate::error(400, "BadArgument", message, "usageStartDate");
    };
    // Microsoft's document has the capital letter.
    let end = match query.get("UsageEndDate").or_else(|| query.get("usageEndDate")) {
        None => Some(now.date()),
        Some(text) => day(text),
    };
    let Some(end) = end else {
        return gate::error(400, "BadArgument", "The UsageEndDate is not an ISO 8601 date or time.", "UsageEndDate");
    };
    let state = world.state();
    let rows: Vec<RowBody<'_>> = rows(&state, start, end, now).into_iter().filter(|row| fits(row, query)).collect();
    Reply::json(200, &rows)
}

/// The UTC day of a date, or of a time with or without a zone.
fn day(text: &str) -> Option<Date> {
    let exact = OffsetDateTime::parse(text, &Rfc3339).map(|at| at.to_offset(UtcOffset::UTC).date());
    let local = || PrimitiveDateTime::parse(text, &Iso8601::PARSING).map(PrimitiveDateTime::date);
    exact.or_else(|_| local()).or_else(|_| Date::parse(text, &Iso8601::PARSING)).ok()
}

fn fits(row: &RowBody<'_>, query: &Form) -> bool {
    let payer = row.azure_subscription_id.to_string();
    let wanted = [
        ("offerId", row.offer_id),
        ("planId", row.plan_id),
        ("dimension", row.dimension),
        ("azureSubscriptionId", &payer),
        ("reconStatus", row.recon_status),
    ];
    wanted.into_iter().all(|(name, own)| query.get(name).is_none_or(|wanted| wanted == own))
}

/// The rows of some days, newest day first as recorded.
fn rows(state: &State, start: Date, end: Date, now: OffsetDateTime) -> Vec<RowBody<'_>> {
    let lag = Duration::minutes(i64::from(state.switches.usage_lag_minutes));
    let mut rows = Vec::new();
    for (day, events) in state.usage.days(start..=end) {
        let mut sums: BTreeMap<(Uuid, &str, &str), Sum> = BTreeMap::new();
        // Where everything is accepted, the same bytes again count once: the sums are what Microsoft would have.
        let mut counted: HashSet<&str> = HashSet::new();
        for event in events.iter().filter(|event| event.at + lag <= now && counted.insert(&event.bytes)) {
            let Some(id) = event.resource_id else { continue };
            let sum = sums.entry((id, &event.dimension, &event.plan_id));
            let sum = sum.or_insert(Sum { quantity: 0.0, count: 0, newest: event.at });
            sum.add(&event.quantity_text);
            sum.count = sum.count.saturating_add(1);
            sum.newest = sum.newest.max(event.at);
        }
        rows.extend(sums.iter().filter_map(|((id, dimension, plan), sum)| {
            let subscription = state.find(*id)?;
            row(state, subscription, (day, dimension, plan), sum, now)
        }));
    }
    rows
}

fn row<'a>(
    state: &'a State,
    subscription: &'a Subscription,
    (day, dimension, plan_id): (Date, &'a str, &'a str),
    sum: &Sum,
    now: OffsetDateTime,
) -> Option<RowBody<'a>> {
    let verdict = state.usage.verdict(subscription.id, dimension, day);
    let recon_status = match verdict {
        Some(verdict) => verdict.recon_status.as_str(),
        None => untouched(subscription, sum, now),
    };
    let processed = match verdict {
        Some(verdict) => double(&verdict.processed_quantity),
        None if recon_status == "Accepted" => sum.quantity,
        None => 0.0,
    };
    // The names come from the analytics, so they are there when these have it.
    let is_known = ["Accepted", "Rejected", "Mismatch"].contains(&recon_status);
    let offer = state.seed.offer(&subscription.offer_id).filter(|_| is_known);
    let plan = state.seed.plan(&subscription.offer_id, plan_id).filter(|_| is_known);
    Some(RowBody {
        usage_date: terms::day(day),
        usage_resource_id: subscription.id,
        dimension,
        plan_id,
        plan_name: plan.map_or("", |plan| &plan.name),
        offer_id: &subscription.offer_id,
        offer_name: offer.map_or("", |offer| &offer.name),
        offer_type: "SaaS",
        azure_subscription_id: wire::azure_subscription(&state.seed, subscription),
        recon_status,
        submitted_quantity: number(sum.quantity)?,
        processed_quantity: number(processed)?,
        submitted_count: sum.count,
    })
}

/// How far a day is about which nobody said anything. Tests never get to the analytics.
fn untouched(subscription: &Subscription, sum: &Sum, now: OffsetDateTime) -> &'static str {
    if subscription.is_test() {
        if subscription.session_mode == "DryRun" { "DryRun" } else { "TestHeaders" }
    } else if now - sum.newest < PROCESSING {
        "Submitted"
    } else {
        "Accepted"
    }
}

/// A sum as .NET prints it: the shortest text that means this double, always with a point.
fn number(sum: f64) -> Option<Box<RawValue>> {
    RawValue::from_string(format!("{sum:?}")).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn days_are_read_as_the_document_writes_them() {
        for text in ["2020-12-03", "2020-12-03T15:00", "2020-12-03T15:00:00.0746760Z", "2020-12-04T01:00:00+02:00"] {
            assert_eq!(day(text), Some(date!(2020 - 12 - 03)), "{text}");
        }
        assert_eq!(["", "3.12.2020", "2020-13-01"].map(day), [None; 3]);
    }

    #[test]
    fn sums_always_have_a_point() {
        let printed = |text: &str| number(double(text)).unwrap().get().to_owned();
        assert_eq!(["6", "0", "20.50", "27.123287"].map(printed), ["6.0", "0.0", "20.5", "27.123287"]);
        let mut sum = Sum { quantity: double("27.123287"), count: 1, newest: OffsetDateTime::UNIX_EPOCH };
        sum.add("12.5");
        assert_eq!(number(sum.quantity).unwrap().get(), "39.623287000000005", "a double cannot say it");
    }
}
