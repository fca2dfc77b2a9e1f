//! What is in force: offers, plans, segments, prices, and what somebody should look at.

use std::sync::Arc;

use serde::Serialize;

use super::{
    frame::ConsoleFrame,
    samples,
    table::{Cell, Column, Row, Table, plain_price},
};
use crate::{
    domain::{
        catalog::{Catalog, FirstKey, Model, Offer, Plan},
        money::Currency,
    },
    pages::{Page, samples::catalog, words},
};

const PLANS: [Column; 10] = [
    Column::text("Plan"),
    Column::text("Plan id"),
    Column::text("Term"),
    Column::text("Model"),
    Column::number("Trial days"),
    Column::text("Grace"),
    Column::text("Grace, resellers"),
    Column::text("First key"),
    Column::number("Devices a user"),
    Column::text("Replaces"),
];
const PRICES: [Column; 6] = [
    Column::text("Plan"),
    Column::text("For"),
    Column::number("Included"),
    Column::number("Maximum"),
    Column::text("Dimension"),
    Column::text("Unit"),
];
/// The columns of the file: a line for each price.
pub const COLUMNS: &[Column] = &[
    Column::text("Offer"),
    Column::text("Plan"),
    Column::text("Term"),
    Column::text("For"),
    Column::number("Included"),
    Column::number("Maximum"),
    Column::text("Dimension"),
    Column::text("Unit"),
    Column::text("Currency"),
    Column::number("Price"),
];

/// A dimension, and what it stands for.
struct Meter<'a> {
    dimension: &'a str,
    what: &'a str,
    unit: &'static str,
    included: String,
    maximum: String,
}

fn meters(plan: &Plan) -> Vec<Meter<'_>> {
    let of_segments = plan.segments().iter().flat_map(|segment| {
        let maximum = segment.maximum.map_or_else(|| "no limit".to_owned(), |maximum| maximum.to_string());
        let meter = |dimension, unit| Meter {
            dimension,
            what: &segment.name,
            unit,
            included: segment.included.to_string(),
            maximum: maximum.clone(),
        };
        [meter(&*segment.base_dimension, "base fee"), meter(&*segment.user_dimension, "additional user")]
    });
    let of_extras = plan.extras.iter().map(|extra| Meter {
        dimension: &extra.dimension,
        what: &extra.name,
        unit: "once",
        included: String::new(),
        maximum: String::new(),
    });
    of_segments.chain(of_extras).collect()
}

/// Every price of an offer, as lines of a file.
#[must_use]
pub fn rows(offer: &Offer) -> Vec<Row> {
    let mut rows = Vec::new();
    for plan in &offer.plans {
        for meter in meters(plan) {
            for list in &plan.prices {
                let price = list.price(meter.dimension).map(plain_price).unwrap_or_default();
                let words =
                    [&offer.id, &*plan.id, plan.term_unit.as_str(), meter.what, &meter.included, &meter.maximum];
                let more = [meter.dimension, meter.unit, list.currency.code(), &price];
                rows.push(words.into_iter().chain(more).map(Cell::text).collect());
            }
        }
    }
    rows
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct CatalogPage {
    frame: ConsoleFrame,
    title: &'static str,
    version: Cell,
    warnings: Vec<String>,
    offers: Vec<OfferView>,
}

#[derive(Debug, Clone, Serialize)]
struct OfferView {
    id: String,
    name: String,
    publisher: String,
    trial_group: String,
    plans: Table,
    prices: Table,
}

impl CatalogPage {
    /// The page.
    #[must_use]
    pub fn new(frame: ConsoleFrame, catalog: &Catalog, warnings: &[String]) -> Self {
        Self {
            frame,
            title: "Catalog",
            version: Cell::Id { text: catalog.version.clone(), href: String::new() },
            warnings: warnings.to_vec(),
            offers: catalog.offers.iter().map(|offer| offer_view(offer)).collect(),
        }
    }
}

fn offer_view(offer: &Offer) -> OfferView {
    let mut currencies: Vec<Currency> = Vec::new();
    for list in offer.plans.iter().flat_map(|plan| &plan.prices) {
        if !currencies.contains(&list.currency) {
            currencies.push(list.currency);
        }
    }
    let mut columns = PRICES.to_vec();
    columns.extend(currencies.iter().map(|currency| Column::number(currency.code())));
    let priced = |plan: &Plan| -> Vec<Row> {
        let row = |meter: Meter<'_>| {
            let price = |currency: &Currency| {
                let price = plan.list_prices(*currency).and_then(|list| list.price(meter.dimension));
                Cell::text(price.map(plain_price).unwrap_or_default())
            };
            let words = [&*plan.id, meter.what, &meter.included, &meter.maximum, meter.dimension, meter.unit];
            words.into_iter().map(Cell::text).chain(currencies.iter().map(price)).collect()
        };
        meters(plan).into_iter().map(row).collect()
    };
    OfferView {
        id: offer.id.clone(),
        name: offer.name.clone(),
        publisher: offer.publisher.clone(),
        trial_group: offer.trial_group.clone(),
        plans: Table {
            caption: format!("Plans of {}", offer.name),
            columns: PLANS.to_vec(),
            rows: offer.plans.iter().map(|plan| plan_row(plan)).collect(),
            empty: "This offer has no plan.",
        },
        prices: Table {
            caption: format!("List prices of {}", offer.name),
            columns,
            rows: offer.plans.iter().flat_map(|plan| priced(plan)).collect(),
            empty: "Microsoft bills this offer; it has no dimension of ours.",
        },
    }
}

fn plan_row(plan: &Plan) -> Row {
    let model = match plan.model {
        Model::Segments(_) => "segments",
        Model::PerUser => "per user, billed by Microsoft",
        Model::Flat => "flat, billed by Microsoft",
    };
    let first_key = match plan.first_key {
        FirstKey::Provisional => "until the hold is over",
        FirstKey::Full => "the whole term",
    };
    vec![
        Cell::text(&plan.name),
        Cell::text(&*plan.id),
        Cell::text(plan.term_unit.as_str()),
        Cell::text(model),
        Cell::text(words::count(plan.trial_days)),
        Cell::text(words::span(plan.grace_period)),
        Cell::text(words::span(plan.reseller_grace_period)),
        Cell::text(first_key),
        Cell::text(words::count(plan.devices_per_user)),
        Cell::text(plan.successor_of.clone().unwrap_or_default()),
    ]
}

impl Page for CatalogPage {
    const TEMPLATE: &'static str = "console/catalog.html";

    fn samples() -> Vec<Self> {
        let Some(mut catalog) = catalog() else { return Vec::new() };
        for offer in &mut catalog.offers {
            Arc::make_mut(offer).name = samples::HOSTILE.to_owned();
        }
        let full = Self::new(samples::frame(), &catalog, &[samples::HOSTILE.to_owned()]);
        catalog.offers.clear();
        vec![full, Self::new(samples::frame(), &catalog, &[])]
    }
}
