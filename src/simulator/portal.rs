//! The simulated Azure portal: choosing a person, buying, configuring.

use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    exchange::{Reply, Request},
    manage, metering,
    purchase::Purchase,
    seed::{Offer, Seed},
    world::World,
};

/// Answers a request below `/portal`.
pub(super) fn answer(world: &World, request: &Request, segments: &[&str]) -> Reply {
    let id = |text: &str| Uuid::parse_str(text).unwrap_or_default();
    match (request.method.as_str(), segments) {
        ("GET", []) => {
            let tenants = json!(world.state().seed.tenants);
            world.page(200, "people.html", json!({"title": "Who are you?", "tenants": tenants}))
        }
        ("GET", ["users", user]) => offers(world, id(user)),
        ("POST", ["users", user, "subscribe"]) => subscribe(world, id(user), request),
        ("GET", ["subscriptions", subscription]) => manage::show(world, id(subscription)),
        ("GET", ["subscriptions", subscription, "invoice"]) => metering::invoice::show(world, id(subscription)),
        ("GET", ["subscriptions", subscription, "configure"]) => configure(world, id(subscription)),
        ("POST", ["subscriptions", subscription, verb]) => manage::act(world, id(subscription), verb, request),
        _ => world.problem(404, "There is no such page."),
    }
}

#[derive(Serialize)]
struct Row {
    id: Uuid,
    name: String,
    plan: String,
    status: &'static str,
}

#[derive(Serialize)]
struct Customer {
    oid: Uuid,
    company: String,
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfferCard<'a> {
    id: &'a str,
    name: &'a str,
    per_seat: bool,
    plans: Vec<PlanChoice<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlanChoice<'a> {
    id: &'a str,
    name: &'a str,
    term_unit: &'a str,
}

fn offer_card(offer: &Offer) -> OfferCard<'_> {
    let sold = offer.plans.iter().filter(|plan| !plan.is_stop_sell);
    OfferCard {
        id: &offer.id,
        name: &offer.name,
        per_seat: offer.plans.iter().any(|plan| plan.per_seat),
        plans: sold.map(|plan| PlanChoice { id: &plan.id, name: &plan.name, term_unit: &plan.term_unit }).collect(),
    }
}

fn customers(seed: &Seed) -> Vec<Customer> {
    let companies = seed.tenants.iter().filter(|tenant| !tenant.reseller && !tenant.personal);
    companies
        .flat_map(|tenant| tenant.users.iter().map(move |user| (tenant, user)))
        .map(|(tenant, user)| Customer { oid: user.oid, company: tenant.name.clone(), name: user.name.clone() })
        .collect()
}

fn offers(world: &World, oid: Uuid) -> Reply {
    let details = {
        let state = world.all_settled();
        let Some((tenant, user)) = state.seed.user(oid) else {
            drop(state);
            return world.problem(404, "Nobody has this object id.");
        };
        let own = state.subscriptions.iter().rev().filter(|found| found.beneficiary == oid || found.purchaser == oid);
        let subscriptions: Vec<Row> = own
            .take(200)
            .map(|found| Row {
                id: found.id,
                name: found.name.clone(),
                plan: found.plan_id.clone(),
                status: found.status.name(),
            })
            .collect();
        let offers: Vec<OfferCard<'_>> = state.seed.offers.iter().map(offer_card).collect();
        json!({
            "title": "Software as a Service", "user": user, "tenant": tenant, "subscriptions": subscriptions,
            "offers": offers, "customers": customers(&state.seed),
        })
    };
    world.page(200, "offers.html", details)
}

fn subscribe(world: &World, oid: Uuid, request: &Request) -> Reply {
    let form = request.form();
    let ticked = |name: &str| form.get(name).is_some();
    let beneficiary = Uuid::parse_str(form.text("beneficiary")).unwrap_or(oid);
    let preview = if ticked("preview") { "-preview" } else { "" };
    let purchase = Purchase {
        offer_id: format!("{}{preview}", form.text("offer")),
        plan_id: form.text("plan").to_owned(),
        name: form.text("name").to_owned(),
        beneficiary,
        purchaser: Some(oid),
        quantity: form.text("quantity").parse().ok(),
        auto_activate: ticked("auto"),
        sandbox_type: ticked("sandbox").then(|| "Csp".to_owned()),
        session_mode: ticked("dry").then(|| "DryRun".to_owned()),
        ..Purchase::default()
    };
    match world.try_purchase(&purchase) {
        Ok(id) => Reply::see_other(&format!("/portal/subscriptions/{id}")),
        Err(error) => world.problem(400, &error.to_string()),
    }
}

/// *Configure account now* and *Manage account* are the same link: a new token each time.
fn configure(world: &World, id: Uuid) -> Reply {
    match world.landing_address(id) {
        Ok((_, address)) if address.is_empty() => {
            world.problem(409, "The publisher has not said where its landing page is (POST /control/publisher).")
        }
        Ok((_, address)) => Reply::see_other(&address),
        Err(error) => world.problem(404, &error.to_string()),
    }
}
