//! The catalog: what is sold, in which segments, at which list prices.
//!
//! Owns: the shape of offers and plans after every rule of [`check`] has been met. Does not own: reading the file
//! (`config`), today's prices of a subscription (they come from Microsoft; these lists are the fallback).

mod check;
mod choose;
mod read;

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use time::Duration;

pub use check::{Finding, Severity};
pub use choose::NotInCatalog;

use super::{
    money::{Currency, QuantityDecimals, UnitPrice},
    time::TermUnit,
};

/// Microsoft's limit of custom meters in one offer.
pub const MAX_DIMENSIONS_PER_OFFER: usize = 30;

/// Everything that the publisher sells.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// Offers, in the order of the file.
    pub offers: Vec<Arc<Offer>>,
    /// The currency of each market (ISO 3166 country code).
    pub markets: BTreeMap<String, Currency>,
    /// A digest of the file's text, frozen with every accepted quote.
    pub version: String,
}

/// An offer as in Partner Center, and how it looks to a buyer.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The offer id of Partner Center (without a `-preview` suffix).
    pub id: String,
    /// The name that buyers read.
    pub name: String,
    /// Who sells it.
    pub publisher: String,
    /// Where help is found.
    pub support_url: String,
    /// Where help is asked for.
    pub support_email: String,
    /// `#rrggbb`, the one accent colour of the pages.
    pub accent_color: String,
    /// A path or address of the logo, where there is one.
    pub logo: Option<String>,
    /// Offers of one group share the first-time trial; default: the offer's own id.
    pub trial_group: String,
    /// The plans, in the order of the file.
    pub plans: Vec<Arc<Plan>>,
}

/// A plan as in Partner Center.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The plan id of Partner Center.
    pub id: Arc<str>,
    /// The name that buyers read.
    pub name: String,
    /// The length of a term, in Microsoft's words.
    pub term_unit: TermUnit,
    /// How it is priced.
    pub model: Model,
    /// Days of the default trial; 0 = none.
    pub trial_days: u32,
    /// How long charges of a direct purchase are held.
    pub grace_period: Duration,
    /// How long charges of a reseller deal are held.
    pub reseller_grace_period: Duration,
    /// What the first key is good for.
    pub first_key: FirstKey,
    /// Devices or terminal sessions of one user.
    pub devices_per_user: u32,
    /// Whether other people of the buyer's tenant may buy.
    pub tenant_members_may_buy: bool,
    /// The plan that this one replaces.
    pub successor_of: Option<String>,
    /// The fewest users of a plan whose seats Microsoft bills; segments have their own.
    pub minimum_users: Option<u32>,
    /// One-time purchases offered at enrolment.
    pub extras: Vec<Extra>,
    /// List prices per currency.
    pub prices: Vec<PriceList>,
    /// How finely parts of quantities are reckoned: a setting of the installation, not of the catalog's file.
    pub quantity_decimals: QuantityDecimals,
}

/// How a plan is priced (`product.md` §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Model {
    /// User segments, metered by us.
    Segments(Vec<Arc<Segment>>),
    /// Microsoft bills seats.
    PerUser,
    /// Microsoft bills a flat fee.
    Flat,
}

/// A user segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// The name on the price table, `KONNEKT 250`.
    pub name: Arc<str>,
    /// Users in the base fee.
    pub included: u32,
    /// The most users in total; `None` = unlimited.
    pub maximum: Option<u32>,
    /// What the base fee is reported in.
    pub base_dimension: Arc<str>,
    /// What additional users are reported in.
    pub user_dimension: Arc<str>,
}

impl Segment {
    /// Whether that many users may be in this segment.
    #[must_use]
    pub fn admits(&self, users: u32) -> bool {
        self.maximum.is_none_or(|maximum| users <= maximum)
    }
}

/// A one-time purchase chosen at enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// A short id within the plan.
    pub id: String,
    /// The name that buyers read.
    pub name: String,
    /// What it is reported in.
    pub dimension: Arc<str>,
}

/// What the first license key is good for (`product.md` §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstKey {
    /// It ends with the hold plus a leeway.
    Provisional,
    /// It is good for the full term from the start.
    Full,
}

/// Prices of dimensions in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceList {
    /// The currency of every price.
    pub currency: Currency,
    /// Price of one unit, by dimension.
    pub prices: BTreeMap<String, UnitPrice>,
}

impl PriceList {
    /// The price of one unit of a dimension.
    #[must_use]
    pub fn price(&self, dimension: &str) -> Option<UnitPrice> {
        self.prices.get(dimension).copied()
    }
}

impl Plan {
    /// The segments, cheapest range first; empty where Microsoft bills.
    #[must_use]
    pub fn segments(&self) -> &[Arc<Segment>] {
        match &self.model {
            Model::Segments(segments) => segments,
            Model::PerUser | Model::Flat => &[],
        }
    }

    /// Whether fees are metered by us.
    #[must_use]
    pub fn is_metered(&self) -> bool {
        matches!(self.model, Model::Segments(_))
    }

    /// The list prices in a currency.
    #[must_use]
    pub fn list_prices(&self, currency: Currency) -> Option<&PriceList> {
        self.prices.iter().find(|list| list.currency == currency)
    }

    /// Every dimension that the plan reports in.
    pub fn dimensions(&self) -> impl Iterator<Item = &Arc<str>> {
        let of_segments = self.segments().iter().flat_map(|segment| [&segment.base_dimension, &segment.user_dimension]);
        of_segments.chain(self.extras.iter().map(|extra| &extra.dimension))
    }

    /// How long charges are held after the start.
    #[must_use]
    pub fn grace(&self, reseller_deal: bool) -> Duration {
        if reseller_deal { self.reseller_grace_period } else { self.grace_period }
    }
}

impl Catalog {
    /// Reads and checks a catalog. `file` is only its name, for the messages. The findings that come with a good catalog
    /// are warnings.
    ///
    /// # Errors
    /// Every finding, in the order of the lines, when one of them is an error.
    pub fn from_toml(file: &str, text: &str) -> Result<(Self, Vec<Finding>), Vec<Finding>> {
        let raw = read::parse(file, text).map_err(|finding| vec![*finding])?;
        check::check(file, text, raw)
    }

    /// The same with parts of quantities that are cut to so many decimals, in every plan.
    #[must_use]
    pub fn cut_to(mut self, decimals: QuantityDecimals) -> Self {
        for offer in &mut self.offers {
            for plan in &mut Arc::make_mut(offer).plans {
                Arc::make_mut(plan).quantity_decimals = decimals;
            }
        }
        self
    }

    /// An offer by Microsoft's id; preview purchases carry a suffix.
    #[must_use]
    pub fn find_offer(&self, offer_id: &str) -> Option<&Arc<Offer>> {
        let id = offer_id.strip_suffix("-preview").unwrap_or(offer_id);
        self.offers.iter().find(|offer| offer.id == id)
    }

    /// A plan by Microsoft's ids.
    #[must_use]
    pub fn find_plan(&self, offer_id: &str, plan_id: &str) -> Option<(&Arc<Offer>, &Arc<Plan>)> {
        let offer = self.find_offer(offer_id)?;
        offer.plans.iter().find(|plan| &*plan.id == plan_id).map(|plan| (offer, plan))
    }

    /// Every plan of that id, whatever the offer.
    pub fn plans_named<'a>(&'a self, plan_id: &'a str) -> impl Iterator<Item = (&'a Arc<Offer>, &'a Arc<Plan>)> {
        self.offers
            .iter()
            .flat_map(|offer| offer.plans.iter().map(move |plan| (offer, plan)))
            .filter(move |(_, plan)| &*plan.id == plan_id)
    }
}

#[cfg(test)]
mod tests;
