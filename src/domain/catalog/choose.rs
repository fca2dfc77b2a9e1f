//! Which plan and which price list a quote from the catalog is made of: the same for the command line and the API.

use super::{Catalog, Plan, PriceList};
use crate::domain::money::Currency;

/// Why the catalog does not say what to quote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotInCatalog {
    /// No plan of that id, in that offer.
    #[error("The catalog has no plan \"{0}\".")]
    NoPlan(String),
    /// The id alone does not say which plan.
    #[error("Several offers have a plan \"{0}\"; name the offer, too.")]
    SeveralPlans(String),
    /// Nothing is sold there.
    #[error("The catalog has no market \"{0}\".")]
    NoMarket(String),
    /// The plan is not sold in that currency.
    #[error("The plan \"{plan_id}\" has no {currency} prices.")]
    NoPrices {
        /// The plan.
        plan_id: String,
        /// The currency.
        currency: Currency,
    },
}

impl Catalog {
    /// A plan by its id; `offer_id` where plan ids repeat.
    ///
    /// # Errors
    /// [`NotInCatalog::NoPlan`], [`NotInCatalog::SeveralPlans`].
    pub fn choose_plan<'a>(&'a self, plan_id: &'a str, offer_id: Option<&str>) -> Result<&'a Plan, NotInCatalog> {
        let wanted = |id: &str| offer_id.is_none_or(|wanted| wanted == id);
        let mut found = self.plans_named(plan_id).filter(|(offer, _)| wanted(&offer.id));
        match (found.next(), found.next()) {
            (Some((_, plan)), None) => Ok(plan),
            (Some(_), Some(_)) => Err(NotInCatalog::SeveralPlans(plan_id.to_owned())),
            (None, _) => Err(NotInCatalog::NoPlan(plan_id.to_owned())),
        }
    }

    /// The list prices of a plan for a market; without one in the only currency that the plan has, else in EUR.
    ///
    /// # Errors
    /// [`NotInCatalog::NoMarket`], [`NotInCatalog::NoPrices`].
    pub fn choose_prices<'a>(&self, plan: &'a Plan, market: Option<&str>) -> Result<&'a PriceList, NotInCatalog> {
        let currency = match (market, plan.prices.as_slice()) {
            (Some(market), _) => *self.markets.get(market).ok_or_else(|| NotInCatalog::NoMarket(market.to_owned()))?,
            (None, [only]) => only.currency,
            (None, _) => Currency::EUR,
        };
        plan.prices_in(currency)
    }
}

impl Plan {
    /// The list prices in a currency, or the sentence that says that there are none.
    ///
    /// # Errors
    /// [`NotInCatalog::NoPrices`].
    pub fn prices_in(&self, currency: Currency) -> Result<&PriceList, NotInCatalog> {
        let missing = || NotInCatalog::NoPrices { plan_id: self.id.to_string(), currency };
        self.list_prices(currency).ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_and_its_prices_are_chosen_by_name() {
        let text = include_str!("../../../deploy/catalog.example.toml");
        let (catalog, _) = Catalog::from_toml("catalog.toml", text).unwrap();
        let plan = catalog.choose_plan("konnekt-yearly", None).unwrap();
        let chosen = |catalog: &Catalog, id: &str, offer| catalog.choose_plan(id, offer).map(|plan| plan.name.clone());
        assert_eq!(chosen(&catalog, "konnekt-yearly", Some("konnekt")), Ok(plan.name.clone()));
        for (plan_id, offer) in [("konnekt-yearly", Some("scepman")), ("konnekt-weekly", None)] {
            assert_eq!(chosen(&catalog, plan_id, offer), Err(NotInCatalog::NoPlan(plan_id.to_owned())));
        }
        assert_eq!(catalog.choose_prices(plan, None).map(|list| list.currency), Ok(Currency::EUR));
        assert_eq!(catalog.choose_prices(plan, Some("DE")).map(|list| list.currency), Ok(Currency::EUR));
        assert_eq!(catalog.choose_prices(plan, Some("XX")), Err(NotInCatalog::NoMarket("XX".to_owned())));
        let mut twice = catalog.clone();
        let copy = std::sync::Arc::clone(&twice.offers[0]);
        twice.offers.push(copy);
        let several = NotInCatalog::SeveralPlans("konnekt-yearly".to_owned());
        assert_eq!(chosen(&twice, "konnekt-yearly", None), Err(several));
    }
}
