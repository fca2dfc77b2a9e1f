//! The control interface: what scripts and tests do to the simulated world. JSON in, JSON out.

use serde::Deserialize;
use serde_json::{Value, json};
use time::Duration;
use uuid::Uuid;

use super::{
    entra::federated,
    exchange::{Reply, Request},
    faults::Fault,
    metering,
    purchase::Purchase,
    terms, vault,
    verbs::App,
    world::{Registration, World},
};

/// One step of the clock is at most ten years.
const LONGEST_STEP: i64 = 10 * 366 * 86_400;

/// Answers a request below `/control`.
pub(super) fn answer(world: &World, request: &Request, segments: &[&str]) -> Reply {
    let method = request.method.as_str();
    match (method, segments) {
        ("GET", [] | ["help"]) => Reply::text(200, include_str!("control.txt")),
        ("GET", ["clock"]) => clock(world),
        ("POST", ["clock"]) => with(request, |body| advance(world, &body)),
        ("POST", ["publisher"]) => with(request, |registration: Registration| {
            world.register(registration);
            done()
        }),
        ("GET", ["publisher"]) => Reply::json(200, &world.state().registration),
        ("POST", ["purchase"]) => with(request, |purchase| buy(world, &purchase)),
        ("GET", ["subscriptions"]) => {
            let all: Vec<Value> = world.subscription_ids().into_iter().map(|id| world.subscription(id)).collect();
            Reply::json(200, &all)
        }
        (_, ["subscriptions", id, rest @ ..]) => match Uuid::parse_str(id) {
            Ok(id) => subscription(world, request, id, rest),
            Err(_) => problem(400, "the subscription id is not a GUID"),
        },
        ("GET", ["requests"]) => requests(world, request),
        ("GET", ["mails"]) => mails(world, request),
        ("DELETE", ["mails"]) => {
            world.clear_mails();
            done()
        }
        ("GET", ["mails", id]) => match world.state().mails.find(id) {
            Some(mail) => Reply::json(200, &mail.to_json(true)),
            None => problem(404, "there is no such mail"),
        },
        ("GET", ["faults"]) => Reply::json(200, &world.state().faults.all().collect::<Vec<_>>()),
        ("POST", ["faults"]) => {
            with(request, |fault: Fault| if world.add_fault(fault) { done() } else { problem(409, "too many faults") })
        }
        ("DELETE", ["faults"]) => {
            world.clear_faults();
            done()
        }
        ("GET", ["seed"]) => Reply::json(200, &world.state().seed),
        _ => settings(world, request, segments),
    }
}

/// What Microsoft's side is set to.
fn settings(world: &World, request: &Request, segments: &[&str]) -> Reply {
    match (request.method.as_str(), segments) {
        ("POST", ["prices"]) => with(request, |price| set_price(world, &price)),
        ("POST", ["keys", "rotate"]) => {
            world.rotate_keys();
            done()
        }
        ("POST", ["secrets", verb @ ("expire" | "restore")]) => with(request, |body| secret(world, verb, &body)),
        ("GET", ["switches"]) => Reply::json(200, &world.switches()),
        ("POST", ["switches"]) => with(request, |body: Value| match world.switch_named(&body) {
            Ok(switches) => Reply::json(200, &switches),
            Err(error) => problem(400, &error.to_string()),
        }),
        (_, ["vault", rest @ ..]) => vault::control(world, request, rest),
        (_, ["usage", rest @ ..]) => metering::control::answer(world, request, rest),
        ("GET", ["service-account-token"]) => federated::show_service_account_token(world, request),
        ("GET", ["quiet"]) => Reply::json(200, &json!({"quiet": world.is_quiet()})),
        _ => problem(404, "unknown; GET /control/help lists what there is"),
    }
}

/// Reads the body and acts on it.
pub(super) fn with<T: serde::de::DeserializeOwned>(request: &Request, act: impl FnOnce(T) -> Reply) -> Reply {
    match request.json() {
        Ok(body) => act(body),
        Err(error) => problem(400, &error),
    }
}

pub(super) fn problem(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "error": message }))
}

pub(super) fn done() -> Reply {
    Reply::json(200, &json!({"done": true}))
}

fn clock(world: &World) -> Reply {
    Reply::json(200, &json!({"now": terms::instant(world.now())}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    advance_seconds: i64,
}

fn advance(world: &World, body: &Advance) -> Reply {
    if !(0..=LONGEST_STEP).contains(&body.advance_seconds) {
        return problem(400, "advanceSeconds is between 0 and ten years");
    }
    match world.advance(Duration::seconds(body.advance_seconds)) {
        Ok(()) => clock(world),
        Err(error) => problem(500, &error.to_string()),
    }
}

/// The buttons of the start page.
pub(super) fn advance_by_form(world: &World, request: &Request) -> Reply {
    let seconds = request.form().text("advance").parse().unwrap_or(0);
    let reply = advance(world, &Advance { advance_seconds: seconds });
    if reply.status == 200 { Reply::see_other("/") } else { reply }
}

fn buy(world: &World, purchase: &Purchase) -> Reply {
    match world.try_purchase(purchase) {
        Ok(id) => Reply::json(200, &json!({ "subscriptionId": id })),
        Err(error) => problem(400, &error.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CustomerChange {
    #[serde(default)]
    plan_id: Option<String>,
    #[serde(default)]
    quantity: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Renewal {
    auto_renew: bool,
}

fn subscription(world: &World, request: &Request, id: Uuid, verb: &[&str]) -> Reply {
    let shown = world.subscription(id);
    if shown.is_null() {
        return problem(404, "there is no such subscription");
    }
    let changed = |possible: bool| {
        if possible { Reply::json(200, &world.subscription(id)) } else { problem(409, "not possible in this state") }
    };
    match (request.method.as_str(), verb) {
        ("GET", []) => {
            let mut shown = shown;
            if let Some(fields) = shown.as_object_mut() {
                fields.insert("activations".to_owned(), json!(world.activations(id)));
            }
            Reply::json(200, &shown)
        }
        ("POST", ["token"]) => match world.landing_address(id) {
            Ok((token, address)) => Reply::json(200, &json!({"token": token, "landingUrl": address})),
            Err(error) => problem(404, &error.to_string()),
        },
        ("POST", ["suspend"]) => changed(world.suspend(id)),
        ("POST", ["reinstate"]) => changed(world.reinstate(id)),
        ("POST", ["cancel"]) => changed(world.cancel(id)),
        ("POST", ["pass-term"]) => match world.advance_past_term(id) {
            Ok(()) => clock(world),
            Err(error) => problem(409, &error.to_string()),
        },
        ("POST", ["auto-renew"]) => with(request, |body: Renewal| changed(world.set_auto_renew(id, body.auto_renew))),
        ("POST", ["operations"]) => with(request, |body: CustomerChange| {
            match world.customer_change(id, body.plan_id.as_deref(), body.quantity) {
                Ok(operation) => Reply::json(200, &json!({ "operationId": operation })),
                Err(error) => problem(409, &error.to_string()),
            }
        }),
        _ => problem(404, "unknown; GET /control/help lists what there is"),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Price {
    offer_id: String,
    plan_id: String,
    market: String,
    dimension: String,
    price: String,
}

fn set_price(world: &World, body: &Price) -> Reply {
    match world.set_price(&body.offer_id, &body.plan_id, &body.market, &body.dimension, &body.price) {
        Ok(()) => done(),
        Err(error) => problem(400, &error.to_string()),
    }
}

fn requests(world: &World, request: &Request) -> Reply {
    let query = request.query();
    let state = world.state();
    let wanted = state.journal.iter().filter(|recorded| recorded.path.starts_with(query.text("path")));
    Reply::json(200, &wanted.collect::<Vec<_>>())
}

fn mails(world: &World, request: &Request) -> Reply {
    let query = request.query();
    let to = query.text("to");
    let state = world.state();
    let wanted = state.mails.iter().filter(|mail| to.is_empty() || mail.recipients.iter().any(|found| found == to));
    Reply::json(200, &wanted.map(|mail| mail.to_json(false)).collect::<Vec<_>>())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Secret {
    app: App,
}

fn secret(world: &World, verb: &str, body: &Secret) -> Reply {
    if verb == "expire" {
        world.expire_secret(body.app);
    } else {
        world.restore_secret(body.app);
    }
    done()
}
