//! The JSON of an explanation: camelCase, decimals are strings, instants RFC 3339; amounts that may not be shown are null.
//! The fields of a charge are those of the API (`GET /api/v1/subscriptions/{id}/charges`), and its words.

use serde::Serialize;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{CostLine, Ending, ExplainedCharge, ExplainedCredit, Explanation, Month, Payer, Point, StateSum, Step};
use crate::domain::{charge::LicenseAfterEnd, money::Amount, subscription::Subscription};

/// An explanation as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplanationJson {
    subscription_id: Uuid,
    name: String,
    offer_id: String,
    plan_id: String,
    status: String,
    users: Option<u32>,
    segment: Option<String>,
    invoice_to: &'static str,
    months: Vec<MonthJson>,
    timeline: Vec<PointJson>,
    cancellation_today: Option<EndingJson>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MonthJson {
    month: String,
    invoice_month: Option<String>,
    currency: Option<&'static str>,
    saas: Option<String>,
    credited: Option<String>,
    expected: Option<String>,
    cost_details: Vec<CostLineJson>,
    sums: Vec<SumJson>,
    charges: Vec<ChargeJson>,
}

#[derive(Debug, Serialize)]
struct CostLineJson {
    dimension: String,
    description: String,
    quantity: String,
    amount: Option<String>,
}

#[derive(Debug, Serialize)]
struct SumJson {
    state: &'static str,
    count: usize,
    amount: Option<String>,
}

/// A charge as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChargeJson {
    id: Uuid,
    words: String,
    reason: &'static str,
    description: String,
    dimension: String,
    quantity: String,
    unit_price: Option<String>,
    amount: Option<String>,
    currency: &'static str,
    users: Option<u32>,
    from_users: Option<u32>,
    charged_days: Option<u32>,
    term_days: Option<u32>,
    #[serde(with = "time::serde::rfc3339")]
    reportable_from: OffsetDateTime,
    state: &'static str,
    standing: String,
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    slot: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    effective_start: Option<OffsetDateTime>,
    attempts: u32,
    usage_event_id: Option<Uuid>,
    invoice_month: Option<String>,
    history: Vec<StepJson>,
    credits: Vec<CreditJson>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CreditJson {
    id: Uuid,
    words: String,
    amount: Option<String>,
    quantity: Option<String>,
    case_number: String,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
}

#[derive(Debug, Serialize)]
struct StepJson {
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    state: &'static str,
    reason: String,
}

#[derive(Debug, Serialize)]
struct PointJson {
    what: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    words: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EndingJson {
    license: &'static str,
    license_until: Option<String>,
    users: Option<u32>,
    dropped: Option<String>,
    dropped_charges: Vec<Uuid>,
    stays: Option<String>,
    saved: Option<String>,
    words: String,
}

impl ExplanationJson {
    /// The explanation of this subscription.
    #[must_use]
    pub fn new(subscription: &Subscription, explanation: &Explanation) -> Self {
        let microsoft = &subscription.microsoft;
        Self {
            subscription_id: microsoft.id,
            name: microsoft.name.clone(),
            offer_id: microsoft.offer_id.clone(),
            plan_id: microsoft.plan_id.clone(),
            status: microsoft.status.as_str().to_owned(),
            users: subscription.users,
            segment: subscription.segment.clone(),
            invoice_to: match explanation.payer {
                Payer::Buyer => "buyer",
                Payer::Reseller => "reseller",
                Payer::Nobody => "nobody",
            },
            months: explanation.months.iter().map(month_json).collect(),
            timeline: explanation.timeline.iter().map(point_json).collect(),
            cancellation_today: explanation.ending.as_ref().map(|ending| ending_json(ending, subscription.users)),
        }
    }
}

/// `2026-02`
fn month_text(first: Date) -> String {
    format!("{:04}-{:02}", first.year(), u8::from(first.month()))
}

fn text(amount: Option<Amount>) -> Option<String> {
    amount.map(|amount| amount.to_string())
}

fn month_json(month: &Month) -> MonthJson {
    let shown = month.charges.iter().find_map(|charge| charge.amount);
    let line = |line: &CostLine| CostLineJson {
        dimension: line.dimension.clone(),
        description: line.description.clone(),
        quantity: line.quantity.to_string(),
        amount: text(line.amount),
    };
    let sum = |sum: &StateSum| SumJson { state: sum.state.as_str(), count: sum.count, amount: text(sum.amount) };
    MonthJson {
        month: month_text(month.first),
        invoice_month: month.invoice.map(month_text),
        currency: shown.map(|amount| amount.currency.code()),
        saas: text(month.saas),
        credited: text(month.credited),
        expected: text(month.expected),
        cost_details: month.cost_details.iter().map(line).collect(),
        sums: month.sums.iter().map(sum).collect(),
        charges: month.charges.iter().map(ChargeJson::new).collect(),
    }
}

impl ChargeJson {
    /// An explained charge.
    #[must_use]
    pub fn new(charge: &ExplainedCharge) -> Self {
        let step = |step: &Step| StepJson { at: step.at, state: step.state.as_str(), reason: step.reason.clone() };
        Self {
            id: charge.id,
            words: charge.words.clone(),
            reason: charge.reason.as_str(),
            description: charge.description.clone(),
            dimension: charge.dimension.clone(),
            quantity: charge.quantity.to_string(),
            unit_price: charge.unit_price.map(|price| price.to_string()),
            amount: text(charge.amount),
            currency: charge.currency.code(),
            users: charge.users,
            from_users: charge.from_users,
            charged_days: charge.part.map(|part| part.days),
            term_days: charge.part.map(|part| part.of_days),
            reportable_from: charge.reportable_from,
            state: charge.state.as_str(),
            standing: charge.standing.clone(),
            since: charge.since,
            slot: charge.slot.map(|slot| slot.hour),
            effective_start: charge.slot.map(|slot| slot.effective_start),
            attempts: charge.attempts,
            usage_event_id: charge.usage_event_id,
            invoice_month: charge.invoice.map(month_text),
            history: charge.steps.iter().map(step).collect(),
            credits: charge.credits.iter().map(credit_json).collect(),
        }
    }
}

fn credit_json(credit: &ExplainedCredit) -> CreditJson {
    CreditJson {
        id: credit.id,
        words: credit.words.clone(),
        amount: text(credit.amount),
        quantity: credit.units.map(|units| units.to_string()),
        case_number: credit.case_number.clone(),
        at: credit.at,
    }
}

fn point_json(point: &Point) -> PointJson {
    PointJson { what: point.kind.as_str(), at: point.at, words: point.words.clone() }
}

fn ending_json(ending: &Ending, users: Option<u32>) -> EndingJson {
    let (license, users) = match ending.license {
        LicenseAfterEnd::EndsAtOnce => ("ends_at_once", None),
        LicenseAfterEnd::RunsOut { users_taken_back_to } => ("runs_out", users_taken_back_to.or(users)),
    };
    EndingJson {
        license,
        license_until: ending.runs_until.map(|day| day.to_string()),
        users,
        dropped: text(ending.dropped_sum),
        dropped_charges: ending.dropped.clone(),
        stays: text(ending.stays_sum),
        saved: text(ending.saved),
        words: format!("{} License: {}", ending.fees_words(), ending.license_words()),
    }
}
