//! What the simulated Microsoft knows at the start: the publisher, the customers, the offers and their prices.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The tenant that all personal Microsoft accounts share.
pub(super) const PERSONAL_TENANT: Uuid = Uuid::from_u128(0x9188_040d_6c67_4c5b_b112_36a3_04b6_6dad);

/// The world at the start. JSON in camelCase; the built-in one is `src/simulator/seed.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seed {
    /// Whose offers these are.
    pub publisher: Publisher,
    /// The customers, the resellers, the personal accounts and the publisher's own people.
    pub tenants: Vec<Tenant>,
    /// What is for sale.
    pub offers: Vec<Offer>,
}

impl Default for Seed {
    fn default() -> Self {
        // The unit test below proves that the built-in text can be read.
        serde_json::from_str(include_str!("seed.json")).unwrap_or_else(|_| Self::nothing())
    }
}

/// The publisher and its app registrations.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Publisher {
    /// The id in Partner Center.
    pub publisher_id: String,
    /// For people.
    pub name: String,
    /// The publisher's Entra tenant.
    pub tenant_id: Uuid,
    /// The app registrations.
    pub applications: Applications,
    /// What the metadata address of a virtual machine answers for.
    pub managed_identity: ManagedIdentity,
}

/// The publisher's three app registrations.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Applications {
    /// Named in Partner Center; calls the marketplace.
    pub marketplace: Application,
    /// Signs buyers in.
    pub sign_in: Application,
    /// Signs staff in.
    pub staff: Application,
}

/// One app registration.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Application {
    /// The application (client) id.
    pub client_id: Uuid,
    /// The service principal's object id.
    pub object_id: Uuid,
    /// The client secret.
    pub secret: String,
    /// Whether other tenants may sign in.
    #[serde(default)]
    pub multi_tenant: bool,
    /// Whether its tokens carry the user's roles.
    #[serde(default)]
    pub app_roles: bool,
}

/// A managed identity of the publisher.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagedIdentity {
    /// Its client id: never the marketplace application's, so the marketplace refuses its tokens.
    pub client_id: Uuid,
    /// Its object id.
    pub object_id: Uuid,
}

/// A directory, or the one of all personal accounts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tenant {
    /// The tenant id.
    pub id: Uuid,
    /// For people.
    pub name: String,
    /// Two letters; decides the market of a purchase.
    pub country: String,
    /// The domains that its people sign in with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// Whether it may buy on behalf of others.
    #[serde(default)]
    pub reseller: bool,
    /// Whether it stands for the personal accounts.
    #[serde(default)]
    pub personal: bool,
    /// Its people.
    pub users: Vec<User>,
}

/// A person who can sign in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    /// The object id.
    pub oid: Uuid,
    /// The id that the commerce systems use.
    pub puid: String,
    /// The display name.
    pub name: String,
    /// The sign-in name.
    pub upn: String,
    /// The `email` claim; absent for somebody without a mailbox. Anybody may have anybody's here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// App roles in the publisher's staff application.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// An offer with its plans.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Offer {
    /// The offer id.
    pub id: String,
    /// For people.
    pub name: String,
    /// Its plans.
    pub plans: Vec<Plan>,
}

/// A plan with its dimensions and its prices per market.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// The plan id.
    pub id: String,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// `P1M`, `P1Y` and so on.
    pub term_unit: String,
    /// Whether Microsoft bills seats; else the price is flat.
    #[serde(default)]
    pub per_seat: bool,
    /// The fewest seats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_quantity: Option<u32>,
    /// The most seats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_quantity: Option<u32>,
    /// Whether only invited tenants see it.
    #[serde(default)]
    pub is_private: bool,
    /// Whether it is no longer sold.
    #[serde(default)]
    pub is_stop_sell: bool,
    /// The custom meters, in the order in which Microsoft lists them (none in particular).
    pub dimensions: Vec<Dimension>,
    /// Prices by market (two letters).
    pub markets: BTreeMap<String, MarketPrices>,
}

/// A custom meter.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dimension {
    /// The dimension id.
    pub id: String,
    /// For people.
    pub display_name: String,
    /// For people.
    pub unit_of_measure: String,
}

/// Prices of one market, as decimal text.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MarketPrices {
    /// ISO 4217.
    pub currency: String,
    /// The flat price of a term, or that of a seat.
    pub price: String,
    /// By dimension.
    pub dimensions: BTreeMap<String, String>,
}

impl Seed {
    fn nothing() -> Self {
        Self { publisher: Publisher::default(), tenants: Vec::new(), offers: Vec::new() }
    }

    /// The user with this object id, and the tenant.
    pub(super) fn user(&self, oid: Uuid) -> Option<(&Tenant, &User)> {
        self.tenants.iter().find_map(|tenant| Some((tenant, tenant.users.iter().find(|user| user.oid == oid)?)))
    }

    /// The tenant that has this domain.
    pub(super) fn tenant_of_domain(&self, domain: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.domains.iter().any(|own| own.eq_ignore_ascii_case(domain)))
    }

    /// The offer; the preview of an offer (`-preview`) sells the same plans.
    pub(super) fn offer(&self, id: &str) -> Option<&Offer> {
        let id = id.strip_suffix("-preview").unwrap_or(id);
        self.offers.iter().find(|offer| offer.id == id)
    }

    pub(super) fn plan(&self, offer: &str, plan: &str) -> Option<&Plan> {
        self.offer(offer)?.plans.iter().find(|candidate| candidate.id == plan)
    }

    pub(super) fn plan_mut(&mut self, offer: &str, plan: &str) -> Option<&mut Plan> {
        let offer = offer.strip_suffix("-preview").unwrap_or(offer);
        let offer = self.offers.iter_mut().find(|candidate| candidate.id == offer)?;
        offer.plans.iter_mut().find(|candidate| candidate.id == plan)
    }

    /// The app registration with this client id.
    pub(super) fn application(&self, client_id: &str) -> Option<&Application> {
        let id = Uuid::parse_str(client_id).ok()?;
        let apps = &self.publisher.applications;
        [&apps.marketplace, &apps.sign_in, &apps.staff].into_iter().find(|app| app.client_id == id)
    }

    /// The first price that is not a JSON number, if any.
    pub(super) fn bad_price(&self) -> Option<&str> {
        let markets = self.offers.iter().flat_map(|offer| &offer.plans).flat_map(|plan| plan.markets.values());
        markets
            .flat_map(|market| market.dimensions.values().chain([&market.price]))
            .find(|text| !is_price(text))
            .map(String::as_str)
    }
}

/// Whether the text is a price that can stand in JSON as it is: digits, at most one point, no sign, no exponent.
pub(super) fn is_price(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0')) && text.len() <= 30
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_built_in_seed_is_complete() {
        let seed: Seed = serde_json::from_str(include_str!("seed.json")).unwrap();
        assert_eq!(seed.bad_price(), None);
        for offer in &seed.offers {
            for plan in &offer.plans {
                for (market, prices) in &plan.markets {
                    assert_eq!(prices.dimensions.len(), plan.dimensions.len(), "{market}");
                }
            }
        }
        let (first, second) = (seed.plan("konnekt", "konnekt-yearly"), seed.plan("konnekt", "konnekt-yearly-2"));
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(json!([first.term_unit, first.dimensions, first.markets]), {
            json!([second.term_unit, second.dimensions, second.markets])
        });
        let konnekt = seed.plan("konnekt-preview", "konnekt-yearly").unwrap();
        assert_eq!(konnekt.markets["DE"].dimensions["konnekt-250-user"], "7.20");
        assert_eq!(konnekt.markets["US"].dimensions["konnekt-25-base"], "652.1739");
    }

    #[test]
    fn prices_are_json_numbers() {
        assert!(["0", "0.0", "600.00", "13.0435"].into_iter().all(is_price));
        assert!(!["", ".5", "5.", "-1", "1e3", "007", "1,5"].into_iter().any(is_price));
    }
}
