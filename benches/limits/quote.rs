//! A quote with its whole explanation, beside the bare arithmetic: five fees and their minimum, in integers.

use std::hint::black_box;

use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use seatkey::domain::{
    catalog::{Catalog, Plan, PriceList},
    pricing::PricedPlan,
    quote_json::{Amounts, QuoteJson},
};

use crate::support::{
    microsoft::{PLAN, plan_with_prices},
    stage::CATALOG,
    table::{Row, time},
    timing::{interleave, seconds_per_call},
};

const ROUNDS: usize = 15;
const GOAL_SECONDS: f64 = 2e-6;
const CASES: [(&str, &str, u32); 4] = [
    ("KONNEKT", PLAN, 150),
    ("KONNEKT", PLAN, 300),
    ("KONNEKT", PLAN, 9_999),
    ("SCEPman", "scepman-ee-monthly", 9_853),
];

/// A segment in plain integers; prices in millionths.
struct Fees {
    included: i64,
    maximum: i64,
    base: i64,
    additional: i64,
}

pub(crate) fn measure() -> Vec<Row> {
    let (catalog, _) = Catalog::from_toml("catalog.example.toml", CATALOG).unwrap();
    let mut rows: Vec<Row> = CASES.iter().map(|case| row(&catalog, *case)).collect();
    rows.push(json_row(&catalog));
    rows
}

fn row(catalog: &Catalog, (name, plan_id, users): (&str, &str, u32)) -> Row {
    let (plan, prices) = plan_with_prices(catalog, plan_id);
    let (priced, fees) = (PricedPlan::new(plan, prices).unwrap(), fees(plan, prices));
    let total = priced.quote(users).unwrap().total.value();
    assert_eq!(Decimal::new(cheapest(&fees, users.into()), 6), total, "both compute the same");
    let samples = interleave(
        ROUNDS,
        [&mut || seconds_per_call(|| priced.quote(black_box(users))), &mut || {
            seconds_per_call(|| cheapest(black_box(&fees), black_box(users.into())))
        }],
    );
    let ours = samples.median(0);
    Row {
        what: format!("quote with explanation, {name} at {}", seatkey::domain::money::grouped(&users.to_string())),
        ours: time(ours),
        limit: time(samples.median(1)),
        ratio: format!("{:.0} ×", samples.quotient(0, 1)),
        goal: "< 2 µs",
        met: ours < GOAL_SECONDS,
    }
}

/// The same with its JSON text, beside the quote alone.
fn json_row(catalog: &Catalog) -> Row {
    let (plan, prices) = plan_with_prices(catalog, PLAN);
    let priced = PricedPlan::new(plan, prices).unwrap();
    let json = || {
        let quote = priced.quote(black_box(300)).unwrap();
        serde_json::to_string(&QuoteJson::new(&quote, None, Amounts::Shown)).unwrap()
    };
    let samples =
        interleave(ROUNDS, [&mut || seconds_per_call(json), &mut || seconds_per_call(|| priced.quote(black_box(300)))]);
    Row {
        what: "the same as JSON text, KONNEKT at 300 (limit: the quote)".to_owned(),
        ours: time(samples.median(0)),
        limit: time(samples.median(1)),
        ratio: format!("{:.1} ×", samples.quotient(0, 1)),
        goal: "",
        met: true,
    }
}

fn fees(plan: &Plan, prices: &PriceList) -> Vec<Fees> {
    let millionths = |dimension: &str| {
        let price = prices.price(dimension).unwrap().value();
        (price * Decimal::from(1_000_000)).to_i64().unwrap()
    };
    let of_segment = |segment: &std::sync::Arc<seatkey::domain::catalog::Segment>| Fees {
        included: segment.included.into(),
        maximum: segment.maximum.map_or(i64::MAX, i64::from),
        base: millionths(&segment.base_dimension),
        additional: millionths(&segment.user_dimension),
    };
    plan.segments().iter().map(of_segment).collect()
}

fn cheapest(segments: &[Fees], users: i64) -> i64 {
    let admitting = segments.iter().filter(|segment| users <= segment.maximum);
    admitting.map(|segment| segment.base + (users - segment.included).max(0) * segment.additional).min().unwrap()
}
