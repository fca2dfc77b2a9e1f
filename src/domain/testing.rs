//! Plans and seeded randomness for the tests of the domain.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    catalog::{Catalog, FirstKey, Model, Plan, PriceList, Segment},
    money::{Currency, QuantityDecimals},
    pricing::PricedPlan,
    time::TermUnit,
};

/// The example catalog that the repository ships.
pub(crate) fn example_catalog() -> Catalog {
    let text = include_str!("../../deploy/catalog.example.toml");
    Catalog::from_toml("deploy/catalog.example.toml", text).expect("the example catalog is in order").0
}

/// A plan of the example catalog with its EUR prices.
pub(crate) fn example_plan(plan_id: &str) -> PricedPlan {
    let catalog = example_catalog();
    let (_, plan) = catalog.plans_named(plan_id).next().expect("the plan is in the example catalog");
    PricedPlan::new(plan, plan.list_prices(Currency::EUR).expect("there are EUR prices")).expect("it is priced")
}

/// One segment in plain numbers: included, maximum, base price, additional price (both as text).
pub(crate) type Row = (u32, Option<u32>, String, String);

/// A plan of such rows.
pub(crate) fn plan_of(rows: &[Row], currency: Currency) -> PricedPlan {
    let mut prices = BTreeMap::new();
    let mut segments = Vec::new();
    for (included, maximum, base, additional) in rows {
        let (base_dimension, user_dimension) = (format!("b{included}"), format!("u{included}"));
        prices.insert(base_dimension.clone(), base.parse().expect("a price"));
        prices.insert(user_dimension.clone(), additional.parse().expect("a price"));
        segments.push(Arc::new(Segment {
            name: format!("S{included}").into(),
            included: *included,
            maximum: *maximum,
            base_dimension: base_dimension.into(),
            user_dimension: user_dimension.into(),
        }));
    }
    let plan = Plan {
        id: "plan".into(),
        name: "Plan".into(),
        term_unit: TermUnit::new("P1Y"),
        model: Model::Segments(segments),
        trial_days: 0,
        grace_period: time::Duration::hours(72),
        reseller_grace_period: time::Duration::days(7),
        first_key: FirstKey::Provisional,
        devices_per_user: 5,
        tenant_members_may_buy: false,
        successor_of: None,
        minimum_users: None,
        extras: Vec::new(),
        prices: Vec::new(),
        quantity_decimals: QuantityDecimals::default(),
    };
    PricedPlan::new(&plan, &PriceList { currency, prices }).expect("it is priced")
}

/// SplitMix64: small, seeded, the same on every machine. The seed is printed by whoever uses it.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number in `low..=high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        low + (z ^ (z >> 31)) % (high - low + 1)
    }
}
