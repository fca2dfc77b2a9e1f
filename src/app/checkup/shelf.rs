//! What Microsoft sells beside what the catalog says. Microsoft tells of a plan only to whoever has bought it, so that each plan
//! is asked for through one of its subscriptions; a plan that nobody has bought is not looked at.

use std::{collections::BTreeSet, sync::Arc};

use super::{Check, Mend, Round, Verdict, Whose};
use crate::{
    domain::{
        catalog::{Catalog, Model, Offer, Plan},
        subscription::{MicrosoftStatus, Snapshot},
        time::TermUnit,
    },
    marketplace::{Client, wire::AvailablePlan},
};

/// Everything that is bought is in the catalog.
pub static OFFERS: Check = Check {
    id: "marketplace.offers",
    is_well_when: "every offer and plan that somebody has bought is in the catalog",
    needs: &["marketplace.fulfillment", "catalog.file"],
    mends: &[&ADD],
};

/// Every plan of the catalog is sold.
pub static PLANS: Check = Check {
    id: "marketplace.plans",
    is_well_when: "Microsoft lists the catalog's plans, and sells them",
    needs: &["marketplace.fulfillment", "catalog.file"],
    mends: &[&SELL],
};

/// What we report in exists.
pub static DIMENSIONS: Check = Check {
    id: "marketplace.dimensions",
    is_well_when: "every dimension of the catalog is a custom meter of its plan at Microsoft",
    needs: &["marketplace.plans"],
    mends: &[&ADD_METER],
};

/// The terms are the same.
pub static TERMS: Check = Check {
    id: "marketplace.terms",
    is_well_when: "Microsoft sells each plan for the term that the catalog says, and bills seats where the catalog says so",
    needs: &["marketplace.plans"],
    mends: &[&CORRECT_TERM, &CORRECT_MODEL],
};

/// The prices are the same.
pub static PRICES: Check = Check {
    id: "marketplace.prices",
    is_well_when: "the catalog's list prices are those of Microsoft's price list",
    needs: &["marketplace.plans", "marketplace.dimensions"],
    mends: &[&CORRECT_PRICES],
};

static ADD: Mend = Mend {
    whose: Whose::Catalog,
    does: "Add the offer or plan to the catalog under Partner Center's id: until then nobody can configure these purchases.",
};
static SELL: Mend = Mend {
    whose: Whose::PartnerCenter,
    does: "Publish the plan for this market again in Partner Center, or leave it: renewals then use the catalog's list prices.",
};
static ADD_METER: Mend = Mend {
    whose: Whose::PartnerCenter,
    does: "Add the custom meter to the plan in Partner Center and publish it, or correct its id in the catalog: ids never change \
           there.",
};
static CORRECT_TERM: Mend = Mend {
    whose: Whose::Catalog,
    does: "Correct term_unit in the catalog: a subscription whose term is another one waits for a person.",
};
static CORRECT_MODEL: Mend = Mend {
    whose: Whose::Catalog,
    does: "Correct model in the catalog: per_user where Microsoft bills seats, else segments or flat.",
};
static CORRECT_PRICES: Mend = Mend {
    whose: Whose::Catalog,
    does: "Correct the price lists in the catalog: buyers pay Microsoft's prices, quotes without a purchase show the catalog's.",
};

/// More names than this are not listed.
const NAMED: usize = 5;

/// A plan of the catalog, and what Microsoft says of it to one of its buyers.
#[derive(Debug)]
struct Sold<'a> {
    offer: &'a Arc<Offer>,
    plan: &'a Arc<Plan>,
    /// None = it is missing from the list.
    at_microsoft: Option<AvailablePlan>,
}

impl Sold<'_> {
    fn name(&self) -> String {
        format!("{}/{}", self.offer.id, self.plan.id)
    }
}

/// Makes these checks.
pub async fn look(round: &mut Round<'_>, client: &Client, catalog: &Catalog, subscriptions: &[Snapshot]) {
    let live: Vec<&Snapshot> = subscriptions.iter().filter(|one| one.status != MicrosoftStatus::Unsubscribed).collect();
    round.look(&OFFERS, async { offers(catalog, &live) }).await;
    let mut sold = Vec::new();
    let plans = async {
        match ask(client, catalog, &live).await {
            Ok(answers) if answers.is_empty() => Verdict::NotChecked(
                "Microsoft tells of a plan through a purchase alone, and nobody has bought one of the catalog's"
                    .to_owned(),
            ),
            Ok(answers) => {
                sold = answers;
                plans(&sold)
            }
            Err(reason) => Verdict::NotChecked(reason),
        }
    };
    round.look(&PLANS, plans).await;
    round.look(&DIMENSIONS, async { dimensions(&sold) }).await;
    round.look(&TERMS, async { terms(&sold) }).await;
    round.look(&PRICES, async { prices(&sold) }).await;
}

/// Asks for each plan of the catalog through one subscription, of a direct purchase where there is one: what a reseller's
/// customer is told has margins in it.
async fn ask<'a>(client: &Client, catalog: &'a Catalog, live: &[&Snapshot]) -> Result<Vec<Sold<'a>>, String> {
    let mut sold = Vec::new();
    for offer in &catalog.offers {
        for plan in &offer.plans {
            let of_plan = |one: &&&Snapshot| offer_of(&one.offer_id) == offer.id && one.plan_id == *plan.id;
            let direct = live.iter().find(|one| of_plan(one) && one.update_allowed && one.beneficiary == one.purchaser);
            let Some(buyer) = direct else { continue };
            let plans = client.list_available_plans(buyer.id, None).await.map_err(|error| error.to_string())?.value;
            let at_microsoft = plans.into_iter().find(|one| one.plan_id == *plan.id);
            sold.push(Sold { offer, plan, at_microsoft });
        }
    }
    Ok(sold)
}

fn offer_of(id: &str) -> &str {
    id.strip_suffix("-preview").unwrap_or(id)
}

fn offers(catalog: &Catalog, live: &[&Snapshot]) -> Verdict {
    let missing: BTreeSet<String> = live
        .iter()
        .filter(|one| catalog.find_plan(&one.offer_id, &one.plan_id).is_none())
        .map(|one| format!("{}/{}", one.offer_id, one.plan_id))
        .collect();
    told(missing, &ADD, "are bought and not in the catalog", "everything that is bought is in the catalog")
}

fn plans(sold: &[Sold<'_>]) -> Verdict {
    let unsold =
        sold.iter().filter(|one| one.at_microsoft.as_ref().is_none_or(|plan| plan.is_stop_sell)).map(Sold::name);
    let unsold: Vec<String> = unsold.collect();
    match unsold.is_empty() {
        true => Verdict::Well(format!(
            "those that somebody has bought are sold: {}",
            some_of(sold.iter().map(Sold::name).collect())
        )),
        false => Verdict::Warning(&SELL, format!("{} are not sold any more", some_of(unsold))),
    }
}

fn dimensions(sold: &[Sold<'_>]) -> Verdict {
    let mut missing = Vec::new();
    for (one, plan) in listed(sold) {
        let prices = plan.prices.as_ref();
        let unknown = one.plan.dimensions().filter(|id| prices.is_none_or(|list| list.price(id).is_none()));
        missing.extend(unknown.map(|id| format!("{} of {}", id, one.name())));
    }
    told(missing, &ADD_METER, "are no custom meters at Microsoft", "every dimension is a custom meter")
}

fn terms(sold: &[Sold<'_>]) -> Verdict {
    let mut other_terms = Vec::new();
    for (one, plan) in listed(sold) {
        let is_seats = matches!(one.plan.model, Model::PerUser);
        if plan.is_per_seat.is_some_and(|at_microsoft| at_microsoft != is_seats) {
            let word = if is_seats { "no seats" } else { "seats" };
            return Verdict::Wrong(&CORRECT_MODEL, format!("Microsoft bills {word} of {}", one.name()));
        }
        if !plan.term_units.is_empty() && !plan.term_units.contains(&one.plan.term_unit) {
            let units: Vec<&str> = plan.term_units.iter().map(TermUnit::as_str).collect();
            other_terms.push(format!(
                "{} ({} here, {} there)",
                one.name(),
                one.plan.term_unit.as_str(),
                units.join(", ")
            ));
        }
    }
    told(other_terms, &CORRECT_TERM, "have another term at Microsoft", "the terms are the same")
}

fn prices(sold: &[Sold<'_>]) -> Verdict {
    let mut differ = Vec::new();
    for (one, plan) in listed(sold) {
        let Some(theirs) = plan.prices.as_ref().filter(|_| !plan.is_private_deal) else { continue };
        let Some(ours) = one.plan.list_prices(theirs.currency) else { continue };
        for (dimension, price) in &ours.prices {
            if let Some(there) = theirs.price(dimension).filter(|there| there != price) {
                let currency = theirs.currency.code();
                differ.push(format!("{dimension} of {} ({price} {currency} here, {there} there)", one.name()));
            }
        }
    }
    match differ.is_empty() {
        true => Verdict::well("the prices are the same, where Microsoft tells them"),
        false => Verdict::Warning(&CORRECT_PRICES, format!("{} have another price at Microsoft", some_of(differ))),
    }
}

fn listed<'a, 'b>(sold: &'a [Sold<'b>]) -> impl Iterator<Item = (&'a Sold<'b>, &'a AvailablePlan)> {
    sold.iter().filter_map(|one| Some((one, one.at_microsoft.as_ref()?)))
}

fn told(wrong: impl IntoIterator<Item = String>, mend: &'static Mend, what: &str, well: &str) -> Verdict {
    let wrong: Vec<String> = wrong.into_iter().collect();
    if wrong.is_empty() { Verdict::well(well) } else { Verdict::Wrong(mend, format!("{} {what}", some_of(wrong))) }
}

fn some_of(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let all = names.join(", ");
    if more == 0 { all } else { format!("{all} and {more} more") }
}
