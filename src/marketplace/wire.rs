//! Microsoft's JSON, read leniently: everything may be missing, words are open, prices stay text.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use time::{Date, macros::format_description};
use uuid::Uuid;

use crate::domain::{
    catalog::PriceList,
    money::{Currency, UnitPrice},
    subscription::{MicrosoftStatus, Party, Snapshot},
    time::{Term, TermUnit},
};

/// Any member may be null (reference, 2.8): then it counts as missing.
fn null_as_nothing<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// The answer of `resolve`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resolved {
    pub(super) subscription: Subscription,
}

/// A subscription as it stands in an answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subscription {
    id: Uuid,
    #[serde(default)]
    offer_id: Option<String>,
    #[serde(default)]
    plan_id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    saas_subscription_status: Option<String>,
    #[serde(default)]
    beneficiary: Option<WireParty>,
    #[serde(default)]
    purchaser: Option<WireParty>,
    #[serde(default)]
    term: Option<WireTerm>,
    #[serde(default)]
    auto_renew: Option<bool>,
    #[serde(default)]
    allowed_customer_operations: Option<Vec<String>>,
    #[serde(default)]
    session_mode: Option<String>,
    #[serde(default)]
    sandbox_type: Option<String>,
    #[serde(default)]
    quantity: Option<serde_json::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireParty {
    #[serde(default)]
    email_id: Option<String>,
    #[serde(default)]
    object_id: Option<String>,
    #[serde(default)]
    tenant_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTerm {
    #[serde(default)]
    start_date: Option<String>,
    #[serde(default)]
    end_date: Option<String>,
    #[serde(default)]
    term_unit: Option<String>,
}

impl Subscription {
    /// The facts, in our words.
    pub(super) fn into_snapshot(self) -> Snapshot {
        let offer_id = self.offer_id.unwrap_or_default();
        let term = self.term.unwrap_or_default();
        let is = |value: &Option<String>, word: &str| value.as_deref().is_some_and(|text| text.trim() == word);
        Snapshot {
            id: self.id,
            is_test: is(&self.session_mode, "DryRun")
                || is(&self.sandbox_type, "Csp")
                || offer_id.ends_with("-preview"),
            offer_id,
            plan_id: self.plan_id.unwrap_or_default(),
            name: self.name.unwrap_or_default(),
            status: MicrosoftStatus::new(&self.saas_subscription_status.unwrap_or_default()),
            beneficiary: self.beneficiary.unwrap_or_default().into_party(),
            purchaser: self.purchaser.unwrap_or_default().into_party(),
            term: term.dates(),
            term_unit: term.term_unit.as_deref().map(TermUnit::new),
            auto_renew: self.auto_renew.unwrap_or(true),
            // Missing altogether says nothing; a list without Update says that changes are the reseller's.
            update_allowed: self
                .allowed_customer_operations
                .is_none_or(|allowed| allowed.iter().any(|operation| operation.trim() == "Update")),
            quantity: self.quantity.as_ref().and_then(count),
        }
    }
}

impl WireParty {
    fn into_party(self) -> Party {
        let id = |text: Option<String>| text.and_then(|text| Uuid::parse_str(text.trim()).ok());
        Party {
            tenant_id: id(self.tenant_id),
            object_id: id(self.object_id),
            email: self.email_id.unwrap_or_default().trim().to_owned(),
        }
    }
}

impl WireTerm {
    fn dates(&self) -> Option<Term> {
        Term::new(date(self.start_date.as_deref()?)?, date(self.end_date.as_deref()?)?)
    }
}

/// The day of `2026-01-15T00:00:00Z`, `2026-01-15` and everything between. The first day of the year 1 is how Microsoft's
/// software writes that there is none.
pub(super) fn date(text: &str) -> Option<Date> {
    let day = Date::parse(text.trim().get(..10)?, format_description!("[year]-[month]-[day]")).ok()?;
    Some(day).filter(|day| day.year() > 1)
}

/// A quantity as number, text, empty text or null.
pub(super) fn count(value: &serde_json::Value) -> Option<u32> {
    match value {
        serde_json::Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        serde_json::Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A page of the listing.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Listing {
    #[serde(default, deserialize_with = "readable_rows")]
    pub(super) subscriptions: Vec<Subscription>,
    #[serde(default, rename = "@nextLink")]
    pub(super) next_link: Option<String>,
}

/// One row that nobody can read must not hide all the others.
fn readable_rows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Subscription>, D::Error> {
    let rows: Vec<serde_json::Value> = null_as_nothing(deserializer)?;
    let read = |row| match Subscription::deserialize(row) {
        Ok(subscription) => Some(subscription),
        Err(error) => {
            tracing::error!(%error, "a row of the listing cannot be read and is left out");
            None
        }
    };
    Ok(rows.iter().filter_map(read).collect())
}

/// The answer of `listAvailablePlans`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Plans {
    #[serde(default, deserialize_with = "null_as_nothing")]
    pub(super) plans: Vec<WirePlan>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WirePlan {
    plan_id: String,
    #[serde(default)]
    market: Option<String>,
    #[serde(default)]
    is_private: Option<bool>,
    #[serde(default)]
    is_stop_sell: Option<bool>,
    #[serde(default)]
    is_price_per_seat: Option<bool>,
    #[serde(default)]
    plan_components: Option<PlanComponents>,
    #[serde(default, deserialize_with = "null_as_nothing")]
    source_offers: Vec<serde_json::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlanComponents {
    #[serde(default, deserialize_with = "null_as_nothing")]
    recurrent_billing_terms: Vec<BillingTerm>,
    #[serde(default, deserialize_with = "null_as_nothing")]
    metering_dimensions: Vec<MeteringDimension>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BillingTerm {
    #[serde(default)]
    term_unit: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MeteringDimension {
    id: String,
    #[serde(default)]
    currency: Option<String>,
    /// The text of the JSON number: a binary float would lose digits.
    #[serde(default)]
    price_per_unit: Option<Box<RawValue>>,
}

/// One plan as it is sold to this customer today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvailablePlan {
    /// The plan's id.
    pub plan_id: String,
    /// The customer's market.
    pub market: Option<String>,
    /// Whether it is sold to chosen customers only, or at negotiated prices.
    pub is_private_deal: bool,
    /// Whether it is no longer sold.
    pub is_stop_sell: bool,
    /// Whether Microsoft bills by seat; `None` where it does not say.
    pub is_per_seat: Option<bool>,
    /// The lengths of terms that it is sold for.
    pub term_units: Vec<TermUnit>,
    /// The price of each dimension; `None` where Microsoft gave none that can be used.
    pub prices: Option<PriceList>,
}

impl WirePlan {
    pub(super) fn into_plan(self) -> AvailablePlan {
        let PlanComponents { recurrent_billing_terms, metering_dimensions } = self.plan_components.unwrap_or_default();
        let units = recurrent_billing_terms.iter().filter_map(|term| term.term_unit.as_deref());
        AvailablePlan {
            plan_id: self.plan_id,
            market: self.market,
            is_private_deal: self.is_private.unwrap_or(false) || !self.source_offers.is_empty(),
            is_stop_sell: self.is_stop_sell.unwrap_or(false),
            is_per_seat: self.is_price_per_seat,
            term_units: units.map(|unit| TermUnit::new(unit.trim())).collect(),
            prices: price_list(&metering_dimensions),
        }
    }
}

/// All dimensions in one currency; a price that cannot be read is missing, and the plan then counts as unpriced.
fn price_list(dimensions: &[MeteringDimension]) -> Option<PriceList> {
    let currency: Currency = dimensions.first()?.currency.as_deref()?.parse().ok()?;
    let one_currency = dimensions.iter().all(|dimension| dimension.currency.as_deref() == Some(currency.code()));
    let price = |raw: &RawValue| raw.get().trim_matches('"').parse::<UnitPrice>().ok();
    let prices: BTreeMap<String, UnitPrice> = dimensions
        .iter()
        .filter_map(|dimension| Some((dimension.id.clone(), price(dimension.price_per_unit.as_deref()?)?)))
        .collect();
    one_currency.then_some(PriceList { currency, prices })
}

/// An operation that changes a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Its id; not always a GUID.
    pub id: String,
    /// The subscription.
    pub subscription_id: Option<Uuid>,
    /// The plan after it.
    #[serde(default)]
    pub plan_id: Option<String>,
    /// Open-ended: `ChangePlan`, `ChangeQuantity`, `Reinstate`, …
    #[serde(default, deserialize_with = "null_as_nothing")]
    pub action: String,
    /// Open-ended: `NotStarted`, `InProgress`, `Succeeded`, `Failed`, `Conflict`.
    #[serde(default, deserialize_with = "null_as_nothing")]
    pub status: String,
    #[serde(default)]
    quantity: Option<serde_json::Value>,
    /// `Azure` or `Partner`.
    #[serde(default)]
    operation_request_source: Option<String>,
    #[serde(default)]
    error_message: Option<String>,
}

impl Operation {
    /// Whether it waits for an answer or is being carried out.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.status.trim(), "NotStarted" | "InProgress")
    }

    /// Whether we asked for it; such a one is not answered.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.operation_request_source.as_deref().is_some_and(|source| source.trim() == "Partner")
    }

    /// Microsoft's words for why it failed; may be empty.
    #[must_use]
    pub fn error_message(&self) -> &str {
        self.error_message.as_deref().unwrap_or_default().trim()
    }

    /// The seats after it.
    #[must_use]
    pub fn quantity(&self) -> Option<u32> {
        self.quantity.as_ref().and_then(count)
    }
}

/// The answer of `operations`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Operations {
    #[serde(default, deserialize_with = "null_as_nothing")]
    pub(super) operations: Vec<Operation>,
}
