//! The portal's page of one subscription: what it is, what is told about it, and everything that can happen to it.

use serde::Serialize;
use serde_json::json;
use time::Duration;
use uuid::Uuid;

use super::{
    exchange::{Reply, Request},
    seed::Seed,
    subscription::{Status, Subscription},
    terms,
    webhook::{Webhook, WebhookAnswer, WebhookState},
    world::{World, WorldError},
};

/// How many webhooks are shown.
const SHOWN: usize = 50;
/// The longest step of the clock on this page.
const LONGEST_STEP: i64 = 30 * 86_400;

#[derive(Serialize)]
struct PlanChoice {
    id: String,
    name: String,
}

#[derive(Serialize)]
struct Seats {
    now: u32,
    least: u32,
    most: u32,
}

#[derive(Serialize)]
struct Line {
    id: u64,
    action: &'static str,
    due: String,
    state: &'static str,
    tries: u32,
    answers: String,
}

pub(super) fn show(world: &World, id: Uuid) -> Reply {
    let details = world.subscription(id);
    let webhooks: Vec<Line> = world.webhooks_of(id).iter().rev().take(SHOWN).map(line).collect();
    let page = {
        let state = world.state();
        state.find(id).map(|found| {
            let person = |oid| {
                let person = state.seed.user(oid).map(|(tenant, user)| format!("{}, {}", user.name, tenant.name));
                person.unwrap_or_default()
            };
            json!({
                "title": found.name, "details": details, "beneficiary": person(found.beneficiary),
                "purchaser": person(found.purchaser), "webhooks": webhooks, "plans": other_plans(&state.seed, found),
                "seats": seats(&state.seed, found), "pending": found.pending_operation().map(|open| open.change.action()),
                "registered": !state.registration.webhook_url.is_empty(),
            })
        })
    };
    match page {
        Some(page) => world.page(200, "subscription.html", page),
        None => world.problem(404, "There is no such subscription."),
    }
}

/// The plans that it could change to.
fn other_plans(seed: &Seed, subscription: &Subscription) -> Vec<PlanChoice> {
    let plans = seed.offer(&subscription.offer_id).map(|offer| offer.plans.as_slice()).unwrap_or_default();
    let sold = plans.iter().filter(|plan| !plan.is_stop_sell && plan.markets.contains_key(&subscription.market));
    sold.filter(|plan| plan.id != subscription.plan_id)
        .map(|plan| PlanChoice { id: plan.id.clone(), name: plan.name.clone() })
        .collect()
}

fn seats(seed: &Seed, subscription: &Subscription) -> Option<Seats> {
    let plan = seed.plan(&subscription.offer_id, &subscription.plan_id)?;
    let (least, most) = super::purchase::limits(plan);
    subscription.quantity.map(|now| Seats { now, least, most })
}

fn line(webhook: &Webhook) -> Line {
    let state = match webhook.state {
        WebhookState::Waiting if webhook.held => "held",
        WebhookState::Waiting => "waiting",
        WebhookState::Received => "received",
        WebhookState::Rejected => "rejected",
        WebhookState::GivenUp => "given up",
        WebhookState::Lost => "lost",
    };
    let answers = webhook.answers.iter().rev().take(3).map(|tried| match &tried.answer {
        WebhookAnswer::Status(status) => status.to_string(),
        WebhookAnswer::NoAnswer(why) => why.clone(),
    });
    Line {
        id: webhook.id,
        action: webhook.action,
        due: terms::readable(webhook.due_at),
        state,
        tries: webhook.tries,
        answers: answers.collect::<Vec<_>>().join(", "),
    }
}

/// The buttons of the page.
pub(super) fn act(world: &World, id: Uuid, verb: &str, request: &Request) -> Reply {
    let form = request.form();
    let impossible = || WorldError(format!("Not possible in this state: {}.", state(world, id)));
    let possible = |done: bool| if done { Ok(()) } else { Err(impossible()) };
    let done = match verb {
        "change-plan" => world.customer_change(id, Some(form.text("plan")), None).map(drop),
        "change-seats" => match form.text("quantity").parse() {
            Ok(quantity) => world.customer_change(id, None, Some(quantity)).map(drop),
            Err(_) => Err(WorldError("The number of seats is missing.".to_owned())),
        },
        "recurring" => possible(world.set_auto_renew(id, form.text("on") == "yes")),
        "suspend" => possible(world.suspend(id)),
        "reinstate" => possible(world.reinstate(id)),
        "cancel" => possible(world.cancel(id)),
        "clock" => move_clock(world, id, form.text("by")),
        _ => return world.problem(404, "There is no such page."),
    };
    match done {
        Ok(()) => Reply::see_other(&format!("/portal/subscriptions/{id}")),
        Err(error) => world.problem(409, &error.to_string()),
    }
}

fn state(world: &World, id: Uuid) -> String {
    let status = world.settled(id).find(id).map(|found| found.status);
    status.map_or("there is no such subscription", Status::name).to_owned()
}

/// By so many seconds, or past the term.
fn move_clock(world: &World, id: Uuid, by: &str) -> Result<(), WorldError> {
    if by == "term" {
        return world.advance_past_term(id);
    }
    let seconds = by.parse().ok().filter(|seconds| (0..=LONGEST_STEP).contains(seconds));
    let seconds = seconds.ok_or_else(|| WorldError("The clock moves by at most 30 days.".to_owned()))?;
    world.advance(Duration::seconds(seconds)).map_err(|error| WorldError(error.to_string()))
}
