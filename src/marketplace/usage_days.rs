//! The daily sums of usage, read leniently. A number that cannot be read is never taken for nothing: the sums tell what
//! Microsoft has and we may not know of.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;
use time::Date;
use uuid::Uuid;

use super::{
    error::{MarketplaceError, Result},
    usage_wire::{amount, read},
    wire::date,
};

/// What Microsoft has of one day, subscription, dimension and plan (reference, 6.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageDay {
    /// The day, in UTC.
    pub day: Date,
    /// The subscription.
    pub resource_id: Option<Uuid>,
    /// The dimension's id.
    pub dimension: String,
    /// The plan's id.
    pub plan_id: String,
    /// The offer's id.
    pub offer_id: String,
    /// Where Microsoft is with it.
    pub recon_status: ReconStatus,
    /// Units that were accepted from us.
    pub submitted: Decimal,
    /// Units that reached the billing.
    pub processed: Decimal,
    /// How many events were accepted.
    pub count: u32,
}

/// Where Microsoft is with a day's usage. Open: words are added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReconStatus {
    /// Not processed yet.
    Submitted,
    /// Processed as it was submitted.
    Accepted,
    /// Not billed; Microsoft's support knows why.
    Rejected,
    /// Processed and submitted differ.
    Mismatch,
    /// Sent with test headers.
    TestHeaders,
    /// Of a test purchase.
    DryRun,
    /// A word that this version does not know; empty when there was none.
    Unknown(String),
}

impl ReconStatus {
    fn new(word: &str) -> Self {
        match word.trim() {
            "Submitted" => Self::Submitted,
            "Accepted" => Self::Accepted,
            "Rejected" => Self::Rejected,
            "Mismatch" => Self::Mismatch,
            "TestHeaders" => Self::TestHeaders,
            "DryRun" => Self::DryRun,
            other => Self::Unknown(other.to_owned()),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    usage_date: Option<String>,
    usage_resource_id: Option<String>,
    dimension: Option<String>,
    plan_id: Option<String>,
    offer_id: Option<String>,
    recon_status: Option<String>,
    #[serde(borrow)]
    submitted_quantity: Option<&'a RawValue>,
    #[serde(borrow)]
    processed_quantity: Option<&'a RawValue>,
    #[serde(borrow)]
    submitted_count: Option<&'a RawValue>,
}

impl Row<'_> {
    fn into_day(self) -> Option<UsageDay> {
        let number = |raw: Option<&RawValue>| raw.map_or(Some(Decimal::ZERO), amount);
        let count = number(self.submitted_count)?;
        Some(UsageDay {
            day: date(&self.usage_date?)?,
            resource_id: self.usage_resource_id.and_then(|id| Uuid::parse_str(id.trim()).ok()),
            dimension: self.dimension.unwrap_or_default(),
            plan_id: self.plan_id.unwrap_or_default(),
            offer_id: self.offer_id.unwrap_or_default(),
            recon_status: ReconStatus::new(&self.recon_status.unwrap_or_default()),
            submitted: number(self.submitted_quantity)?,
            processed: number(self.processed_quantity)?,
            count: u32::try_from(count).ok().filter(|whole| Decimal::from(*whole) == count)?,
        })
    }
}

/// All rows of an answer; no usage at all may be an empty body.
pub(super) fn usage_days(text: &str) -> Result<Vec<UsageDay>> {
    if matches!(text.trim(), "" | "null") {
        return Ok(Vec::new());
    }
    let rows: Vec<Row<'_>> = read(text)?;
    let day = |(number, row): (usize, Row<'_>)| {
        row.into_day().ok_or_else(|| MarketplaceError::Unreadable(format!("day or numbers of row {number}")))
    };
    rows.into_iter().enumerate().map(day).collect()
}

#[cfg(test)]
#[path = "usage_days_tests.rs"]
mod tests;
