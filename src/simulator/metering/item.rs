//! One usage event as it was sent: its raw fields, and what they say.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::rules::Problem;

/// The fields as they were written, so that answers can echo every digit.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item<'a> {
    #[serde(borrow)]
    pub(super) resource_id: Option<&'a RawValue>,
    pub(super) resource_uri: Option<&'a RawValue>,
    pub(super) quantity: Option<&'a RawValue>,
    pub(super) dimension: Option<&'a RawValue>,
    pub(super) effective_start_time: Option<&'a RawValue>,
    pub(super) plan_id: Option<&'a RawValue>,
}

/// What the fields say; nothing where one is missing or malformed.
pub(super) struct Facts {
    pub(super) resource_id: Option<Uuid>,
    pub(super) quantity: Option<Decimal>,
    /// The quantity as it was written, whatever it is.
    pub(super) quantity_text: String,
    pub(super) dimension: Option<String>,
    pub(super) effective_start: Option<OffsetDateTime>,
    pub(super) plan_id: Option<String>,
}

/// A usage event with all of its fields.
pub(super) struct Complete<'a> {
    pub(super) resource_id: Uuid,
    pub(super) quantity: Decimal,
    pub(super) dimension: &'a str,
    pub(super) effective_start: OffsetDateTime,
    pub(super) plan_id: &'a str,
}

impl<'a> Item<'a> {
    /// The fields of a JSON text; none of them where it is not an object.
    pub(super) fn read(raw: &'a str) -> Self {
        serde_json::from_str(raw).unwrap_or_default()
    }

    pub(super) fn facts(&self) -> Facts {
        Facts {
            resource_id: text(self.resource_id).and_then(|text| Uuid::parse_str(&text).ok()),
            quantity: self.quantity.and_then(|raw| number(raw.get())),
            quantity_text: self.quantity.map_or_else(String::new, |raw| raw.get().to_owned()),
            dimension: text(self.dimension),
            effective_start: text(self.effective_start_time).and_then(|text| instant(&text)),
            plan_id: text(self.plan_id),
        }
    }

    /// All fields of it.
    ///
    /// # Errors
    /// Each field that is missing or malformed.
    pub(super) fn complete<'f>(&self, facts: &'f Facts) -> Result<Complete<'f>, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut check = |given: Option<&RawValue>, is_good: bool, target: &'static str, name: &str| {
            if !is_good {
                let what = if given.is_some() { "invalid" } else { "required" };
                problems.push(Problem { target, message: format!("The {name} is {what}.") });
            }
        };
        check(self.resource_id, facts.resource_id.is_some(), "ResourceId", "resourceId");
        check(self.resource_uri, self.resource_uri.is_none(), "ResourceUri", "resourceUri");
        check(self.quantity, facts.quantity.is_some(), "Quantity", "quantity");
        check(self.dimension, facts.dimension.is_some(), "Dimension", "dimension");
        check(self.effective_start_time, facts.effective_start.is_some(), "EffectiveStartTime", "effectiveStartTime");
        check(self.plan_id, facts.plan_id.is_some(), "PlanId", "planId");
        let complete = facts.complete().filter(|_| problems.is_empty());
        complete.ok_or(problems)
    }
}

impl Facts {
    fn complete(&self) -> Option<Complete<'_>> {
        Some(Complete {
            resource_id: self.resource_id?,
            quantity: self.quantity?,
            dimension: self.dimension.as_deref()?,
            effective_start: self.effective_start?,
            plan_id: self.plan_id.as_deref()?,
        })
    }
}

/// A JSON text that says something.
fn text(raw: Option<&RawValue>) -> Option<String> {
    let text: String = serde_json::from_str(raw?.get()).ok()?;
    (!text.trim().is_empty()).then_some(text)
}

/// A JSON number, from its digits.
pub(super) fn number(raw: &str) -> Option<Decimal> {
    // The exponent comes first: without it, every JSON number is a plain decimal.
    if raw.contains(['e', 'E']) { Decimal::from_scientific(raw).ok() } else { raw.parse().ok() }
}

fn instant(text: &str) -> Option<OffsetDateTime> {
    Some(OffsetDateTime::parse(text, &Rfc3339).ok()?.to_offset(UtcOffset::UTC))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_their_digits() {
        for (raw, expected) in [("27.123287", "27.123287"), ("5.0", "5.0"), ("1e3", "1000"), ("2.5E-1", "0.25")] {
            assert_eq!(number(raw).map(|number| number.to_string()).as_deref(), Some(expected));
        }
        assert_eq!(["\"5\"", "true", "1e99", "[]"].map(number), [None; 4]);
    }

    #[test]
    fn instants_have_a_zone() {
        assert_eq!(instant("2026-01-15T12:00:00+02:00"), instant("2026-01-15T10:00:00.0000000Z"));
        assert_eq!(["2026-01-15T10:00:00", "2026-01-15", "now"].map(instant), [None; 3]);
    }
}
