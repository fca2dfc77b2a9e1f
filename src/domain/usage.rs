//! A charge on its way to Microsoft (`product.md` §4, *Reporting*): which slot it takes, what goes over the wire, and what
//! each answer means.
//!
//! Invariants: one charge, one live slot; what may have been accepted is never sent in another slot by itself.

use serde::Serialize;
use serde_json::value::RawValue;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::money::Quantity;

/// Microsoft takes a usage event for so long after its time.
pub const WINDOW: Duration = Duration::hours(24);
/// A slot with less than this left would leave no room for repeating.
const ROOM_TO_REPEAT: Duration = Duration::hours(2);
/// The same for what can only be told while Microsoft still takes it.
const LAST_CALL: Duration = Duration::minutes(5);

/// Where a charge is reported: Microsoft keeps one event for each (resource, dimension, hour).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The start of the UTC hour.
    pub hour: OffsetDateTime,
    /// The time within it that is told.
    pub effective_start: OffsetDateTime,
}

/// What becomes of a due charge now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotDecision {
    /// It takes this slot.
    Take(Slot),
    /// Every slot up to now is taken.
    WaitUntil(OffsetDateTime),
    /// The subscription has ended, and Microsoft takes nothing for it any more.
    TooLate,
}

/// The UTC hour of an instant.
#[must_use]
pub fn hour_of(at: OffsetDateTime) -> OffsetDateTime {
    at - Duration::nanoseconds(at.unix_timestamp_nanos().rem_euclid(3_600_000_000_000).try_into().unwrap_or(0))
}

/// Chooses a slot. The own hour of the charge first, so that the same charge leads to the same slot when a database was set
/// back; never an hour before it was reportable. Where its own is nearly closed: the hour of now, or after the end of the
/// subscription the newest one before it, which leaves the most time for repeating.
///
/// `ended_at`: when the subscription ended; Microsoft then takes only what lies before.
#[must_use]
pub fn decide_slot(
    reportable_from: OffsetDateTime,
    ended_at: Option<OffsetDateTime>,
    is_taken: impl Fn(OffsetDateTime) -> bool,
    now: OffsetDateTime,
) -> SlotDecision {
    if reportable_from > now {
        return SlotDecision::WaitUntil(reportable_from);
    }
    let room = if ended_at.is_some() { LAST_CALL } else { ROOM_TO_REPEAT };
    let slot = |hour: OffsetDateTime| Slot { hour, effective_start: reportable_from.max(hour) };
    let is_open = |hour| slot(hour).effective_start + WINDOW - now >= room;
    let is_before_the_end = |hour| ended_at.is_none_or(|end| slot(hour).effective_start < end);
    let own = hour_of(reportable_from);
    let last = hour_of(ended_at.unwrap_or(now).min(now));
    let (mut hour, step) = match ended_at {
        _ if is_open(own) => (own, Duration::HOUR),
        None => (last, Duration::HOUR),
        Some(_) => (last, -Duration::HOUR),
    };
    while hour <= last && is_open(hour) {
        if is_before_the_end(hour) && !is_taken(hour) {
            return SlotDecision::Take(slot(hour));
        }
        hour += step;
    }
    if ended_at.is_some() { SlotDecision::TooLate } else { SlotDecision::WaitUntil(hour_of(now) + Duration::HOUR) }
}

/// The JSON text of an event, exactly as it is sent, each time.
///
/// # Errors
/// When the instant has no text (a year beyond 9999).
pub fn event_body(
    resource_id: Uuid,
    dimension: &str,
    plan_id: &str,
    quantity: Quantity,
    slot: Slot,
) -> Result<String, String> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Event<'a> {
        resource_id: Uuid,
        quantity: Box<RawValue>,
        dimension: &'a str,
        effective_start_time: String,
        plan_id: &'a str,
    }
    let event = Event {
        resource_id,
        // Printed from the decimal: a JSON number that never was a binary one.
        quantity: RawValue::from_string(quantity.to_string()).map_err(|error| error.to_string())?,
        dimension,
        effective_start_time: slot.effective_start.format(&Rfc3339).map_err(|error| error.to_string())?,
        plan_id,
    };
    serde_json::to_string(&event).map_err(|error| error.to_string())
}

/// What came of one attempt, for one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Recorded, with this quantity as far as the answer names one.
    Accepted(Option<Quantity>),
    /// The slot was taken before, with this quantity as far as the answer names one.
    Duplicate(Option<Quantity>),
    /// Too old for its slot.
    Expired,
    /// The subscription is suspended, ended or not active yet.
    NotActive,
    /// Refused for good: resource, dimension, quantity, argument.
    Refused,
    /// The request was not looked at: no connection, no token, 401, 403, 429.
    NotProcessed,
    /// It may have been recorded, or not: no answer, a broken one, 5xx, a status nobody knows.
    Unclear,
}

/// What follows from an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Microsoft has it.
    Accepted,
    /// Microsoft has something else in this slot: for a person.
    Conflict,
    /// Microsoft will not have it: for a person.
    Rejected,
    /// Certainly not accepted: the charge may take another slot.
    TakeAnotherSlot,
    /// Certainly not accepted, and not now: the charge is held until the subscription is in order.
    HoldAgain,
    /// The same bytes again, later.
    TryAgain {
        /// Whether an attempt so far may have been recorded.
        in_doubt: bool,
    },
    /// It may be there, and nothing proves it: for a person.
    Unknown,
}

/// What an answer means. `in_doubt`: an earlier attempt may have been recorded; then a refusal proves nothing about it.
#[must_use]
pub fn decide_verdict(said: Said, sent: Quantity, in_doubt: bool) -> Verdict {
    match said {
        Said::Accepted(quantity) if quantity.is_none_or(|quantity| quantity == sent) => Verdict::Accepted,
        Said::Duplicate(Some(quantity)) if quantity == sent => Verdict::Accepted,
        Said::Accepted(_) | Said::Duplicate(_) => Verdict::Conflict,
        Said::NotProcessed => Verdict::TryAgain { in_doubt },
        Said::Unclear => Verdict::TryAgain { in_doubt: true },
        Said::NotActive if in_doubt => Verdict::TryAgain { in_doubt },
        Said::NotActive => Verdict::HoldAgain,
        Said::Expired | Said::Refused if in_doubt => Verdict::Unknown,
        Said::Expired => Verdict::TakeAnotherSlot,
        Said::Refused => Verdict::Rejected,
    }
}

/// What becomes of an event whose window has closed without a verdict.
#[must_use]
pub fn decide_closed(in_doubt: bool) -> Verdict {
    if in_doubt { Verdict::Unknown } else { Verdict::TakeAnotherSlot }
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
