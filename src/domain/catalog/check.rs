//! The rules that a catalog must meet. Every finding names file, line and field; all are found in one go.

use std::{collections::BTreeMap, fmt, sync::Arc};

use time::Duration;
use toml::Spanned;

use super::{
    Catalog, Extra, FirstKey, MAX_DIMENSIONS_PER_OFFER, Model, Offer, Plan, PriceList, Segment,
    read::{RawCatalog, RawExtra, RawOffer, RawPlan, RawSegment},
};
use crate::domain::{
    money::{Currency, QuantityDecimals, UnitPrice},
    pricing::PricedPlan,
    time::TermUnit,
};

/// The most decimals of a list price: Microsoft's own price sheet has four.
const MAX_LIST_PRICE_DECIMALS: u32 = 4;
const DEFAULT_ACCENT: &str = "#0072c6";
const DEFAULT_DEVICES_PER_USER: u32 = 5;

/// Whether the catalog can be used all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but somebody should look.
    Warning,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it stops the catalog.
    pub severity: Severity,
    /// The file's name as it was given.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The field, as written in the file.
    pub field: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl Finding {
    pub(super) fn error(file: &str, text: &str, at: usize, field: &str, message: String) -> Self {
        Self {
            severity: Severity::Error,
            file: file.to_owned(),
            line: line_of(text, at),
            field: field.to_owned(),
            message,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{}:{}: {word}: {}: {}", self.file, self.line, self.field, self.message)
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// Collects findings while the raw catalog becomes a checked one.
struct Checker<'a> {
    file: &'a str,
    text: &'a str,
    findings: Vec<Finding>,
}

pub(super) fn check(file: &str, text: &str, raw: RawCatalog) -> Result<(Catalog, Vec<Finding>), Vec<Finding>> {
    let mut checker = Checker { file, text, findings: Vec::new() };
    let mut markets = BTreeMap::new();
    for (market, code) in raw.markets {
        if let Some(currency) = checker.currency(code.span().start, &format!("markets.{market}"), code.get_ref()) {
            markets.insert(market, currency);
        }
    }
    let mut offers: Vec<Arc<Offer>> = Vec::new();
    for raw_offer in raw.offer {
        let at = raw_offer.get_ref().id.span().start;
        let offer = checker.offer(raw_offer.into_inner());
        if offers.iter().any(|other| other.id == offer.id) {
            checker.error(at, "offer.id", format!("the offer \"{}\" stands twice", offer.id));
        }
        offers.push(Arc::new(offer));
    }
    if offers.is_empty() {
        checker.error(0, "offer", "there is no offer; write at least one [[offer]] with one [[offer.plan]]".to_owned());
    }
    let mut findings = checker.findings;
    findings.sort_by_key(|finding| finding.line);
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(findings);
    }
    Ok((Catalog { offers, markets, version: digest(text) }, findings))
}

/// The first 16 hexadecimal digits of the text's SHA-256.
fn digest(text: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl Checker<'_> {
    fn error(&mut self, at: usize, field: &str, message: String) {
        self.findings.push(Finding::error(self.file, self.text, at, field, message));
    }

    fn warn(&mut self, at: usize, field: &str, message: String) {
        let finding = Finding::error(self.file, self.text, at, field, message);
        self.findings.push(Finding { severity: Severity::Warning, ..finding });
    }

    fn offer(&mut self, raw: RawOffer) -> Offer {
        let id = raw.id.get_ref().clone();
        let accent_color = self.accent(raw.accent_color);
        let ids: Vec<String> = raw.plan.iter().map(|plan| plan.get_ref().id.get_ref().clone()).collect();
        let mut plans: Vec<Arc<Plan>> = Vec::new();
        for raw_plan in raw.plan {
            let at = raw_plan.get_ref().id.span().start;
            let plan = self.plan(raw_plan.into_inner(), &ids);
            if plans.iter().any(|other| other.id == plan.id) {
                self.error(at, "plan.id", format!("the plan \"{}\" stands twice in offer \"{id}\"", plan.id));
            }
            plans.push(Arc::new(plan));
        }
        let mut dimensions: Vec<&Arc<str>> = plans.iter().flat_map(|plan| plan.dimensions()).collect();
        dimensions.sort();
        dimensions.dedup();
        if dimensions.len() > MAX_DIMENSIONS_PER_OFFER {
            let count = dimensions.len();
            let message = format!("{count} dimensions; Microsoft allows {MAX_DIMENSIONS_PER_OFFER} in one offer");
            self.error(raw.id.span().start, "offer.id", message);
        }
        let trial_group = raw.trial_group.unwrap_or_else(|| id.clone());
        Offer {
            id,
            name: raw.name,
            publisher: raw.publisher,
            support_url: raw.support_url,
            support_email: raw.support_email,
            accent_color,
            logo: raw.logo,
            trial_group,
            plans,
        }
    }

    fn accent(&mut self, raw: Option<Spanned<String>>) -> String {
        let Some(raw) = raw else { return DEFAULT_ACCENT.to_owned() };
        let hex = raw.get_ref().strip_prefix('#').unwrap_or_default();
        if hex.len() != 6 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            self.error(raw.span().start, "accent_color", "write a colour as \"#rrggbb\"".to_owned());
        }
        raw.into_inner()
    }

    fn plan(&mut self, raw: RawPlan, ids: &[String]) -> Plan {
        let at = raw.id.span().start;
        let model = self.model(&raw.model, raw.segment, at);
        let extras = raw.extra.into_iter().map(|extra| extra_of(extra.into_inner())).collect();
        let prices = raw.prices.into_iter().filter_map(|(code, list)| self.price_list(&code, list)).collect();
        let trial_days = raw.trial_days.as_ref().map_or(0, |days| *days.get_ref());
        if let (Some(days), false) = (&raw.trial_days, matches!(model, Model::Segments(_))) {
            let message = "a trial needs metered fees; on this plan Microsoft bills, so remove it".to_owned();
            self.error(days.span().start, "trial_days", message);
        }
        if let (Some(minimum), false) = (&raw.minimum_users, matches!(model, Model::PerUser)) {
            let message = "only a plan with model = \"per_user\" has a minimum of its own".to_owned();
            self.error(minimum.span().start, "minimum_users", message);
        }
        if let Some(predecessor) = &raw.successor_of {
            let known = ids.iter().any(|id| id == predecessor.get_ref() && id != raw.id.get_ref());
            if !known {
                let message = format!("there is no other plan \"{}\" in this offer", predecessor.get_ref());
                self.error(predecessor.span().start, "successor_of", message);
            }
        }
        let plan = Plan {
            id: raw.id.get_ref().as_str().into(),
            name: raw.name,
            term_unit: TermUnit::new(&raw.term_unit),
            model,
            trial_days,
            grace_period: self.duration(raw.grace_period, "grace_period", Duration::hours(72)),
            reseller_grace_period: self.duration(raw.reseller_grace_period, "reseller_grace_period", Duration::days(7)),
            first_key: raw.first_key.unwrap_or(FirstKey::Provisional),
            devices_per_user: raw.devices_per_user.unwrap_or(DEFAULT_DEVICES_PER_USER),
            tenant_members_may_buy: raw.tenant_members_may_buy,
            successor_of: raw.successor_of.map(Spanned::into_inner),
            minimum_users: raw.minimum_users.map(Spanned::into_inner),
            extras,
            prices,
            quantity_decimals: QuantityDecimals::default(),
        };
        self.unique_dimensions(&plan, at);
        self.prices_fit(&plan, at);
        plan
    }

    fn model(&mut self, raw: &Spanned<String>, segments: Vec<Spanned<RawSegment>>, at: usize) -> Model {
        let model = match raw.get_ref().as_str() {
            "segments" => return Model::Segments(self.segments(segments, at)),
            "per_user" => Model::PerUser,
            "flat" => Model::Flat,
            "usage" => {
                self.error(raw.span().start, "model", "usage-based plans are not built yet".to_owned());
                Model::Flat
            }
            other => {
                let message = format!("\"{other}\" is not a pricing model; write segments, per_user or flat");
                self.error(raw.span().start, "model", message);
                Model::Flat
            }
        };
        if let Some(first) = segments.first() {
            self.error(first.span().start, "segment", "only a plan with model = \"segments\" has segments".to_owned());
        }
        model
    }

    fn segments(&mut self, raw: Vec<Spanned<RawSegment>>, plan_at: usize) -> Vec<Arc<Segment>> {
        if raw.is_empty() {
            self.error(plan_at, "segment", "a plan with model = \"segments\" needs at least one".to_owned());
        }
        let mut segments: Vec<Arc<Segment>> = Vec::new();
        for segment in raw.into_iter().map(Spanned::into_inner) {
            let included = *segment.included.get_ref();
            if included == 0 {
                self.error(segment.included.span().start, "included", "at least 1 user is included".to_owned());
            }
            if segments.iter().any(|other| other.included == included) {
                let message = format!("two segments include {included} users; one of them can never be told apart");
                self.error(segment.included.span().start, "included", message);
            }
            if let Some(maximum) = &segment.maximum
                && *maximum.get_ref() < included
            {
                let message = format!("the maximum of {} is below the {included} included users", maximum.get_ref());
                self.error(maximum.span().start, "maximum", message);
            }
            segments.push(Arc::new(Segment {
                name: segment.name.into(),
                included,
                maximum: segment.maximum.map(Spanned::into_inner),
                base_dimension: segment.base_dimension.into_inner().into(),
                user_dimension: segment.user_dimension.into_inner().into(),
            }));
        }
        segments.sort_by_key(|segment| segment.included);
        segments
    }

    fn unique_dimensions(&mut self, plan: &Plan, at: usize) {
        let mut seen: Vec<&Arc<str>> = Vec::new();
        for dimension in plan.dimensions() {
            if seen.contains(&dimension) {
                let at = self.last_mention(dimension, at);
                let message = format!("the dimension \"{dimension}\" is used twice in plan \"{}\"", plan.id);
                self.error(at, "dimension", message);
            }
            seen.push(dimension);
        }
    }

    /// Where the second of two equal dimensions stands, as nearly as the text tells.
    fn last_mention(&self, dimension: &str, plan_at: usize) -> usize {
        let quoted = format!("= \"{dimension}\"");
        let rest = self.text.get(plan_at..).unwrap_or_default();
        rest.match_indices(&quoted).nth(1).map_or(plan_at, |(offset, _)| plan_at + offset)
    }

    fn price_list(
        &mut self,
        code: &Spanned<String>,
        list: BTreeMap<String, Spanned<toml::Value>>,
    ) -> Option<PriceList> {
        let currency = self.currency(code.span().start, "prices", code.get_ref());
        let mut prices = BTreeMap::new();
        for (dimension, value) in list {
            if let Some(price) = self.price(&dimension, &value) {
                prices.insert(dimension, price);
            }
        }
        currency.map(|currency| PriceList { currency, prices })
    }

    fn price(&mut self, dimension: &str, value: &Spanned<toml::Value>) -> Option<UnitPrice> {
        let at = value.span().start;
        let toml::Value::String(text) = value.get_ref() else {
            let message = "a price is a text, so that no digit is lost; put it in quotes: \"12.50\"".to_owned();
            self.error(at, dimension, message);
            return None;
        };
        match text.parse::<UnitPrice>() {
            Ok(price) if price.value().scale() > MAX_LIST_PRICE_DECIMALS => {
                self.error(at, dimension, format!("{text} has more than {MAX_LIST_PRICE_DECIMALS} decimals"));
                None
            }
            Ok(price) => Some(price),
            Err(error) => {
                self.error(at, dimension, error.to_string());
                None
            }
        }
    }

    fn currency(&mut self, at: usize, field: &str, code: &str) -> Option<Currency> {
        code.parse()
            .map_err(|error: crate::domain::money::UnknownCurrency| self.error(at, field, error.to_string()))
            .ok()
    }

    fn duration(&mut self, raw: Option<Spanned<String>>, field: &str, default: Duration) -> Duration {
        let Some(raw) = raw else { return default };
        parse_duration(raw.get_ref()).unwrap_or_else(|| {
            let message = "write a number of hours or days, such as \"72h\" or \"7d\"".to_owned();
            self.error(raw.span().start, field, message);
            default
        })
    }

    /// Every dimension has a price in every list, no additional user is free, and a segment that never wins is named.
    fn prices_fit(&mut self, plan: &Plan, at: usize) {
        for list in &plan.prices {
            for segment in plan.segments() {
                if list.price(&segment.user_dimension).is_some_and(UnitPrice::is_zero) {
                    let at = self.price_line(at, list, &segment.user_dimension);
                    let message =
                        "an additional user must cost something, or upgrades could not be reported".to_owned();
                    self.error(at, &segment.user_dimension, message);
                }
            }
            for dimension in plan.dimensions().filter(|dimension| list.price(dimension).is_none()) {
                let mentioned = self.text.contains(&format!("\"{dimension}\" ="));
                if !mentioned {
                    self.error(at, dimension, format!("there is no {} price for it", list.currency));
                }
            }
            for dimension in list.prices.keys() {
                if !plan.dimensions().any(|known| **known == **dimension) {
                    let at = self.price_line(at, list, dimension);
                    self.error(at, dimension, format!("no segment or extra of plan \"{}\" uses it", plan.id));
                }
            }
            self.dominated(plan, list, at);
        }
    }

    fn dominated(&mut self, plan: &Plan, list: &PriceList, at: usize) {
        let Ok(priced) = PricedPlan::new(plan, list) else { return };
        for (segment, users) in priced.dominated() {
            let message = format!(
                "{} is dominated from {users} users on: a higher segment is cheaper there ({})",
                segment.name, list.currency
            );
            let at = self.text.find(&format!("\"{}\"", segment.base_dimension)).unwrap_or(at);
            self.warn(at, "segment", message);
        }
    }

    fn price_line(&self, plan_at: usize, list: &PriceList, dimension: &str) -> usize {
        let rest = self.text.get(plan_at..).unwrap_or_default();
        let start = plan_at + rest.find(&format!("prices.{}", list.currency)).unwrap_or(0);
        let rest = self.text.get(start..).unwrap_or_default();
        start + rest.find(&format!("\"{dimension}\"")).unwrap_or(0)
    }
}

fn extra_of(raw: RawExtra) -> Extra {
    Extra { id: raw.id, name: raw.name, dimension: raw.dimension.into_inner().into() }
}

/// `72h` or `7d`.
fn parse_duration(text: &str) -> Option<Duration> {
    let hours = text.strip_suffix('h').and_then(|n| n.parse::<u16>().ok()).map(|n| Duration::hours(n.into()));
    hours.or_else(|| text.strip_suffix('d').and_then(|n| n.parse::<u16>().ok()).map(|n| Duration::days(n.into())))
}
