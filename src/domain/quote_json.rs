//! The JSON of a quote (`interfaces.md`): decimals are strings, lines of quantity 0 are left out, amounts that may not be
//! shown are null. Command line, API and frozen quotes share it.

use serde::Serialize;

use super::{
    money::Amount,
    pricing::{Considered, Line, Quote},
    proration::UpgradeQuote,
};

/// Whether the reader may see amounts; in a reseller deal nobody may (`product.md` §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amounts {
    /// They may.
    Shown,
    /// Segment, items and quantities only.
    Hidden,
}

impl Amounts {
    fn text(self, value: &impl ToString) -> Option<String> {
        (self == Self::Shown).then(|| value.to_string())
    }
}

/// A quote as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QuoteJson {
    plan_id: String,
    users: u32,
    currency: &'static str,
    term_unit: String,
    segment: String,
    lines: Vec<LineJson>,
    total: Option<String>,
    unused_included_users: u32,
    segments: Vec<SegmentJson>,
    next_break: Option<NextBreakJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upgrade: Option<UpgradeJson>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LineJson {
    description: String,
    dimension: String,
    quantity: String,
    unit_price: Option<String>,
    amount: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SegmentJson {
    segment: String,
    eligible: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    chosen: bool,
}

#[derive(Debug, Serialize)]
struct NextBreakJson {
    users: u32,
    segment: String,
    total: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UpgradeJson {
    from_users: u32,
    to_users: u32,
    term_days: u32,
    remaining_days: u32,
    dimension: String,
    quantity: String,
    unit_price: Option<String>,
    amount: Option<String>,
    next_term_total: Option<String>,
}

impl QuoteJson {
    /// The JSON of a quote, with an upgrade where one was asked for.
    #[must_use]
    pub fn new(quote: &Quote, upgrade: Option<&UpgradeQuote>, amounts: Amounts) -> Self {
        Self {
            plan_id: quote.plan_id.to_string(),
            users: quote.users,
            currency: quote.total.currency.code(),
            term_unit: quote.term_unit.as_str().to_owned(),
            segment: quote.segment.name.to_string(),
            lines: quote.lines.iter().filter(|line| !line.quantity.is_zero()).map(|l| line_json(l, amounts)).collect(),
            total: amounts.text(&quote.total),
            unused_included_users: quote.unused_included_users,
            segments: quote.considered.iter().map(|considered| segment_json(considered, amounts)).collect(),
            next_break: quote.next_break.as_ref().map(|next| NextBreakJson {
                users: next.users,
                segment: next.segment.name.to_string(),
                total: amounts.text(&next.total),
            }),
            upgrade: upgrade.map(|upgrade| upgrade_json(upgrade, amounts)),
        }
    }
}

fn line_json(line: &Line, amounts: Amounts) -> LineJson {
    LineJson {
        description: line.item.description(),
        dimension: line.dimension.to_string(),
        quantity: line.quantity.to_string(),
        unit_price: amounts.text(&line.unit_price),
        amount: amounts.text(&line.amount),
    }
}

fn segment_json(considered: &Considered, amounts: Amounts) -> SegmentJson {
    let too_small = || considered.segment.maximum.map(|maximum| format!("at most {maximum} users"));
    SegmentJson {
        segment: considered.segment.name.to_string(),
        eligible: considered.total.is_some(),
        reason: if considered.total.is_none() { too_small() } else { None },
        total: considered.total.and_then(|total: Amount| amounts.text(&total)),
        chosen: considered.chosen,
    }
}

fn upgrade_json(upgrade: &UpgradeQuote, amounts: Amounts) -> UpgradeJson {
    UpgradeJson {
        from_users: upgrade.from_users,
        to_users: upgrade.to_users,
        term_days: upgrade.term_days,
        remaining_days: upgrade.remaining_days,
        dimension: upgrade.dimension.to_string(),
        quantity: upgrade.quantity.to_string(),
        unit_price: amounts.text(&upgrade.unit_price),
        amount: amounts.text(&upgrade.amount),
        next_term_total: amounts.text(&upgrade.next_term_total),
    }
}
