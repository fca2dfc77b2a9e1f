//! Microsoft's answers about usage, read leniently: everything may be missing, words are open, numbers are read from their
//! text and never pass through a binary float. What contradicts the question counts as no answer.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use time::{OffsetDateTime, PrimitiveDateTime, format_description::well_known::Rfc3339, macros::format_description};
use uuid::Uuid;

use super::{
    answer::message_of,
    error::{MarketplaceError, Result},
    metering::UsageItem,
};
use crate::domain::money::Quantity;

/// What became of one usage event (reference, 6.2). The texts are Microsoft's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsageOutcome {
    /// It is recorded.
    Accepted {
        /// Microsoft's id of it.
        usage_event_id: Option<String>,
        /// As answered; `None` when it is missing or no exact number of millionths.
        quantity: Option<Quantity>,
    },
    /// This hour was reported before; nothing was recorded now.
    Duplicate {
        /// The id of the message that was accepted then.
        usage_event_id: Option<String>,
        /// The quantity of that message; `None` when it is missing or no exact number of millionths.
        quantity: Option<Quantity>,
    },
    /// The hour is more than 24 hours ago.
    Expired,
    /// A failure of Microsoft's.
    Error(String),
    /// No such subscription.
    ResourceNotFound(String),
    /// Not a subscription of ours.
    ResourceNotAuthorized(String),
    /// It is suspended, ended, or was never activated.
    ResourceNotActive(String),
    /// The plan does not have the dimension.
    InvalidDimension(String),
    /// Not above zero.
    InvalidQuantity(String),
    /// Something is missing or malformed.
    BadArgument(String),
    /// A status that this version does not know: that word.
    Unknown(String),
}

/// The answer to one event, or the message that was accepted before it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    usage_event_id: Option<String>,
    status: Option<String>,
    resource_id: Option<String>,
    dimension: Option<String>,
    effective_start_time: Option<String>,
    #[serde(borrow)]
    quantity: Option<&'a RawValue>,
    /// Of no promised shape.
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

impl Row<'_> {
    /// Whether subscription, dimension and instant are the item's; `None` for what the answer does not have.
    fn key_fits(&self, item: &UsageItem<'_>) -> [Option<bool>; 3] {
        let start = self.effective_start_time.as_deref();
        [
            self.resource_id.as_deref().map(|id| Uuid::parse_str(id.trim()).ok() == Some(item.resource_id)),
            self.dimension.as_deref().map(|dimension| dimension == item.dimension),
            start.map(|start| instant(start) == Some(item.effective_start)),
        ]
    }

    fn is_about(&self, item: &UsageItem<'_>) -> bool {
        self.key_fits(item).iter().all(|fits| *fits == Some(true))
    }

    fn contradicts(&self, item: &UsageItem<'_>) -> bool {
        self.key_fits(item).contains(&Some(false))
    }

    fn outcome(&self, item: &UsageItem<'_>) -> Option<UsageOutcome> {
        let error = self.error.map(RawValue::get).unwrap_or_default();
        match self.status.as_deref().unwrap_or_default().trim() {
            "" => None,
            "Accepted" => Some(UsageOutcome::Accepted {
                usage_event_id: self.usage_event_id.clone(),
                quantity: self.quantity.and_then(quantity),
            }),
            "Duplicate" => duplicate(error, item),
            word => Some(refusal(word, error).unwrap_or_else(|| UsageOutcome::Unknown(word.to_owned()))),
        }
    }
}

/// The outcomes of a batch in the order of `items`. Answers find their item by what they are about, never by their place.
pub(super) fn batch_outcomes(text: &str, items: &[UsageItem<'_>]) -> Result<Vec<Option<UsageOutcome>>> {
    #[derive(Deserialize)]
    struct Batch<'a> {
        #[serde(borrow)]
        result: Vec<&'a RawValue>,
    }
    let batch: Batch<'_> = read(text)?;
    // One row that nobody can read must not hide all the others.
    let rows: Vec<Row<'_>> = batch.result.iter().filter_map(|row| serde_json::from_str(row.get()).ok()).collect();
    let outcome = |item: &UsageItem<'_>| {
        let is_alone = items.iter().filter(|other| item.has_key_of(other)).count() == 1;
        let mut found = rows.iter().filter(|row| is_alone && row.is_about(item)).map(|row| row.outcome(item));
        let first = found.next()??;
        found.all(|other| other.as_ref() == Some(&first)).then_some(first)
    };
    Ok(items.iter().map(outcome).collect())
}

/// What a 200 to a single event says; `None` when it is about another event, or says nothing.
pub(super) fn accepted_outcome(text: &str, item: &UsageItem<'_>) -> Result<Option<UsageOutcome>> {
    let row: Row<'_> = read(text)?;
    Ok(if row.contradicts(item) { None } else { row.outcome(item) })
}

/// A duplicate, from the error that holds the accepted message; `None` when that message is of another slot.
pub(super) fn duplicate(error: &str, item: &UsageItem<'_>) -> Option<UsageOutcome> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Conflict<'a> {
        #[serde(borrow)]
        additional_info: AdditionalInfo<'a>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct AdditionalInfo<'a> {
        #[serde(borrow)]
        accepted_message: Row<'a>,
    }
    let conflict = match serde_json::from_str::<Conflict<'_>>(error) {
        Ok(conflict) => conflict,
        // It says so, without the accepted message.
        Err(problem) if problem.is_data() || error.trim().is_empty() => {
            return Some(UsageOutcome::Duplicate { usage_event_id: None, quantity: None });
        }
        // Half an answer says nothing about the quantity.
        Err(_) => return None,
    };
    let accepted = conflict.additional_info.accepted_message;
    let [resource, dimension, _] = accepted.key_fits(item);
    // The accepted message may be of another minute, but not of another hour (reference, 6.3).
    let hour = |time: OffsetDateTime| time.unix_timestamp().div_euclid(3600);
    let start = accepted.effective_start_time.as_deref();
    let same_hour = start.map(|start| instant(start).map(hour) == Some(hour(item.effective_start)));
    let fits = [resource, dimension, same_hour].iter().all(|fits| *fits != Some(false));
    fits.then(|| UsageOutcome::Duplicate {
        usage_event_id: accepted.usage_event_id,
        quantity: accepted.quantity.and_then(quantity),
    })
}

/// What a 400 names, in its details or by itself; `None` when that is none of an item's statuses.
pub(super) fn refusal_in(text: &str) -> Option<UsageOutcome> {
    let body: Value = serde_json::from_str(text).ok()?;
    let details = body.get("details").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    details.iter().chain([&body]).find_map(|part| refusal(part.get("code")?.as_str()?.trim(), &part.to_string()))
}

fn refusal(word: &str, error: &str) -> Option<UsageOutcome> {
    let words = || message_of(error);
    match word {
        "Expired" => Some(UsageOutcome::Expired),
        "Error" => Some(UsageOutcome::Error(words())),
        "ResourceNotFound" => Some(UsageOutcome::ResourceNotFound(words())),
        "ResourceNotAuthorized" => Some(UsageOutcome::ResourceNotAuthorized(words())),
        "ResourceNotActive" => Some(UsageOutcome::ResourceNotActive(words())),
        "InvalidDimension" => Some(UsageOutcome::InvalidDimension(words())),
        "InvalidQuantity" => Some(UsageOutcome::InvalidQuantity(words())),
        "BadArgument" => Some(UsageOutcome::BadArgument(words())),
        _ => None,
    }
}

/// An instant as Microsoft writes it: with a zone, or without one in UTC.
fn instant(text: &str) -> Option<OffsetDateTime> {
    let without_zone =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second][optional [.[subsecond digits:1+]]]");
    let utc = || PrimitiveDateTime::parse(text, without_zone).ok().map(PrimitiveDateTime::assume_utc);
    OffsetDateTime::parse(text, &Rfc3339).ok().or_else(utc)
}

/// A quantity as number or text, when it is a whole number of millionths.
fn quantity(raw: &RawValue) -> Option<Quantity> {
    Quantity::exactly(amount(raw)?)
}

/// Microsoft's numbers are doubles: a sum of what we sent may differ from it in a place that no quantity has. The nearest
/// quantity is meant where the difference is that small.
pub(super) fn amount(raw: &RawValue) -> Option<Decimal> {
    const NOISE: Decimal = Decimal::from_parts(1, 0, 0, false, 8);
    let told = decimal(raw)?;
    let nearest = told.round_dp(6);
    Some(if (told - nearest).abs() < NOISE { nearest } else { told })
}

/// The very number that a JSON number or text says; `None` rather than a rounded one.
pub(super) fn decimal(raw: &RawValue) -> Option<Decimal> {
    let text = raw.get().trim_matches('"').trim();
    let Some((digits, _)) = text.split_once(['e', 'E']) else { return Decimal::from_str_exact(text).ok() };
    // The reader of exponents would round digits that do not fit.
    Decimal::from_str_exact(digits).ok()?;
    Decimal::from_scientific(text).ok()
}

/// Reads an answer; the error says where it breaks, and nothing of what stands there.
pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        MarketplaceError::Unreadable(format!("it is not what was asked for, at {place}"))
    })
}

#[cfg(test)]
#[path = "usage_wire_tests.rs"]
mod tests;
