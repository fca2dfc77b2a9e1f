//! What the buyer sees of usage: the invoice's one line, and the cost details that add up to it.

use std::collections::BTreeMap;

use iso_currency::Currency;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;
use serde_json::json;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{
    super::{
        exchange::Reply,
        seed::Seed,
        subscription::Subscription,
        world::{State, World},
    },
    item,
};

/// The usage of one calendar month in UTC, by the time of use.
#[derive(Serialize)]
struct Month {
    name: String,
    /// The invoice comes after the month.
    is_over: bool,
    /// The sum of the lines; none where nothing is billed to this customer.
    total: Option<String>,
    lines: Vec<Line>,
}

/// One line of the cost details.
#[derive(Serialize)]
struct Line {
    day: String,
    item: String,
    quantity: String,
    unit_price: Option<String>,
    amount: Option<String>,
}

/// Who gets the invoice.
enum Payer {
    /// The customer, in this currency.
    Customer(Money),
    /// The partner who sold it, whose prices nobody else knows.
    Partner(String),
    /// Nobody, it is a test.
    Nobody,
}

/// A currency and the decimals of its amounts.
struct Money {
    code: String,
    decimals: u32,
}

/// One dimension of a plan on one day, at one price.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    plan_id: &'a str,
    dimension: &'a str,
    unit_price: Option<&'a str>,
}

/// The page of a subscription.
pub(in super::super) fn show(world: &World, id: Uuid) -> Reply {
    let now = world.now();
    let details = {
        let state = world.settled(id);
        state.find(id).map(|subscription| {
            let payer = Payer::of(&state.seed, subscription);
            let (partner, test) = match &payer {
                Payer::Customer(_) => (None, false),
                Payer::Partner(name) => (Some(name.clone()), false),
                Payer::Nobody => (None, true),
            };
            json!({
                "title": format!("Invoices of {}", subscription.name), "id": id, "partner": partner, "test": test,
                "months": months(&state, subscription, &payer, now),
            })
        })
    };
    match details {
        Some(details) => world.page(200, "invoice.html", details),
        None => world.problem(404, "There is no such subscription."),
    }
}

impl Payer {
    fn of(seed: &Seed, subscription: &Subscription) -> Self {
        if subscription.is_test() {
            return Self::Nobody;
        }
        if subscription.reseller {
            let partner = seed.user(subscription.purchaser).map(|(tenant, _)| tenant.name.clone());
            return Self::Partner(partner.unwrap_or_default());
        }
        let plan = seed.plan(&subscription.offer_id, &subscription.plan_id);
        let code = plan.and_then(|plan| plan.markets.get(&subscription.market)).map(|prices| prices.currency.clone());
        let code = code.unwrap_or_default();
        let decimals = Currency::from_code(&code).and_then(Currency::exponent).map_or(2, u32::from);
        Self::Customer(Money { code, decimals })
    }
}

impl Money {
    /// Rounded half away from zero to what can be paid.
    fn round(&self, amount: Decimal) -> Decimal {
        amount.round_dp_with_strategy(self.decimals, RoundingStrategy::MidpointAwayFromZero)
    }

    fn show(&self, mut amount: Decimal) -> String {
        amount.rescale(self.decimals);
        format!("{amount} {}", self.code)
    }

    /// With at least four decimals.
    fn show_price(&self, mut price: Decimal) -> String {
        price.rescale(price.normalize().scale().max(4));
        format!("{price} {}", self.code)
    }
}

/// Newest first.
fn months(state: &State, subscription: &Subscription, payer: &Payer, now: OffsetDateTime) -> Vec<Month> {
    let mut months: BTreeMap<Date, (Decimal, Vec<Line>)> = BTreeMap::new();
    for (day, events) in state.usage.days(Date::MIN..=Date::MAX) {
        let mut sums: BTreeMap<Key<'_>, Decimal> = BTreeMap::new();
        for event in events.iter().filter(|event| event.resource_id == Some(subscription.id)) {
            let unit_price = event.unit_price.as_deref();
            let key = Key { plan_id: &event.plan_id, dimension: &event.dimension, unit_price };
            let sum = sums.entry(key).or_default();
            *sum = sum.saturating_add(item::number(&event.quantity_text).unwrap_or_default());
        }
        for (key, quantity) in sums {
            let amount = amount(&key, quantity, payer);
            let (total, lines) = months.entry(day.replace_day(1).unwrap_or(day)).or_default();
            *total = total.saturating_add(amount.unwrap_or_default());
            lines.push(line(&state.seed, subscription, (day, &key), quantity, amount, payer));
        }
    }
    let month = |(first, (total, lines)): (Date, (Decimal, Vec<Line>))| Month {
        name: format!("{} {}", first.month(), first.year()),
        is_over: (now.year(), u8::from(now.month())) > (first.year(), u8::from(first.month())),
        total: match payer {
            Payer::Customer(money) => Some(money.show(total)),
            Payer::Partner(_) | Payer::Nobody => None,
        },
        lines,
    };
    months.into_iter().rev().map(month).collect()
}

/// What the customer pays for a line.
fn amount(key: &Key<'_>, quantity: Decimal, payer: &Payer) -> Option<Decimal> {
    let Payer::Customer(money) = payer else { return None };
    Some(money.round(quantity.saturating_mul(item::number(key.unit_price?)?)))
}

fn line(
    seed: &Seed,
    subscription: &Subscription,
    (day, key): (Date, &Key<'_>),
    quantity: Decimal,
    amount: Option<Decimal>,
    payer: &Payer,
) -> Line {
    let plan = seed.plan(&subscription.offer_id, key.plan_id);
    let dimension = plan.and_then(|plan| plan.dimensions.iter().find(|found| found.id == key.dimension));
    let money = if let Payer::Customer(money) = payer { Some(money) } else { None };
    Line {
        day: day.to_string(),
        item: dimension.map_or(key.dimension, |found| &found.display_name).to_owned(),
        quantity: quantity.normalize().to_string(),
        unit_price: money.and_then(|money| Some(money.show_price(item::number(key.unit_price?)?))),
        amount: money.and_then(|money| Some(money.show(amount?))),
    }
}
