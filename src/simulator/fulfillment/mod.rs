//! The SaaS fulfillment API, version 2, under `/api/saas/subscriptions`.

mod changes;
mod operations;
mod plans;
pub(super) mod wire;

use uuid::Uuid;

use super::{
    exchange::{Reply, Request, encode},
    gate::{self, API_VERSION, error},
    subscription::Status,
    world::World,
};

/// `@nextLink` and `Operation-Location` name this host instead of the public one (recorded traffic).
const INTERNAL_HOST: &str = "https://main.prod.marketplaceapi.azure.com";

/// Answers a request below `/api/saas/subscriptions`; `segments` are the path's parts after that.
pub(super) fn answer(world: &World, request: &Request, segments: &[&str]) -> Reply {
    gate::pass(world, request, || route(world, request, segments))
}

fn route(world: &World, request: &Request, segments: &[&str]) -> Reply {
    let method = request.method.as_str();
    match (method, segments) {
        ("POST", ["resolve"]) => return resolve(world, request),
        ("GET", []) => return list(world, request),
        _ => {}
    }
    let Some((&first, rest)) = segments.split_first() else { return Reply::empty(405) };
    let Ok(id) = Uuid::parse_str(first) else {
        return error(400, "BadRequest", "The subscription id is not a GUID.", "subscriptionId");
    };
    match (method, rest) {
        ("GET", []) => get(world, id),
        ("POST", ["activate"]) => activate(world, id),
        ("GET", ["listAvailablePlans"]) => plans::list(world, id, request.query().get("planId")),
        ("PATCH", []) => changes::patch(world, id, request),
        ("DELETE", []) => changes::delete(world, id),
        ("GET", ["operations"]) => operations::list(world, id),
        ("GET", ["operations", operation]) => operations::get(world, id, operation),
        ("PATCH", ["operations", operation]) => operations::patch(world, id, operation, request),
        _ => Reply::empty(404),
    }
}

fn no_subscription(status: u16) -> Reply {
    let code = if status == 404 { "NotFound" } else { "BadRequest" };
    error(status, code, "The subscription was not found.", "subscriptionId")
}

fn resolve(world: &World, request: &Request) -> Reply {
    const HEADER: &str = "x-ms-marketplace-token";
    let Some(text) = request.header(HEADER).filter(|text| !text.is_empty()) else {
        return error(400, "HeaderNotPresent", "The required header 'x-ms-marketplace-token' is missing.", HEADER);
    };
    let now = world.now();
    let token = {
        let state = world.state();
        state.tokens.iter().find(|token| token.text == text).map(|token| (token.subscription, token.is_good_at(now)))
    };
    let Some((id, is_good)) = token else {
        // Nearly always a token that was decoded twice or not at all; the text is the real one.
        let message = "Failed to decrypt token with either primary or secondary secret";
        return error(400, "InvalidValue", message, HEADER);
    };
    if !is_good {
        return error(400, "InvalidValue", "The marketplace purchase token has expired.", HEADER);
    }
    let state = world.settled(id);
    match state.find(id) {
        Some(subscription) => Reply::json(200, &wire::ResolvedBody::of(&state.seed, subscription)),
        None => no_subscription(404),
    }
}

fn get(world: &World, id: Uuid) -> Reply {
    let mut state = world.settled(id);
    if let Some(subscription) = state.find_mut(id) {
        subscription.mark_seen();
    }
    match state.find(id) {
        Some(subscription) => Reply::json(200, &wire::SubscriptionBody::of(&state.seed, subscription)),
        // The documentation says 404; the real service says 400 (authors of Microsoft's emulator).
        None => no_subscription(400),
    }
}

fn activate(world: &World, id: Uuid) -> Reply {
    let now = world.now();
    let mut state = world.settled(id);
    let refuse_second = state.switches.refuse_second_activation;
    let Some(subscription) = state.find_mut(id) else { return no_subscription(404) };
    match subscription.status {
        Status::Pending => {
            subscription.activating_since.get_or_insert(now);
            Reply::empty(200)
        }
        Status::Subscribed if !refuse_second => Reply::empty(200),
        Status::Subscribed | Status::Suspended => {
            let message = format!("The subscription is in state {}.", subscription.status.name());
            error(400, "BadRequest", &message, "subscriptionId")
        }
        Status::Unsubscribed => no_subscription(404),
    }
}

/// Pages are ranges of Microsoft's partitions: uneven, some of them empty (recorded: 66, 70, 87, 68, 89 of 380).
const PAGE_SIZES: [usize; 10] = [3, 0, 2, 66, 0, 70, 87, 1, 68, 89];

fn list(world: &World, request: &Request) -> Reply {
    let query = request.query();
    let Some((page, from)) = continuation(query.text("continuationToken")) else {
        return error(400, "BadRequest", "The continuation token is invalid.", "continuationToken");
    };
    let state = world.all_settled();
    if state.subscriptions.is_empty() {
        return Reply::empty(200);
    }
    let size = PAGE_SIZES.get(page % PAGE_SIZES.len()).copied().unwrap_or(1);
    let shown = state.subscriptions.iter().skip(from).take(size);
    let rows = shown.map(|subscription| wire::SubscriptionBody::of(&state.seed, subscription)).collect();
    let next = from.saturating_add(size);
    let next_link = (next < state.subscriptions.len()).then(|| next_link(page.saturating_add(1), next));
    Reply::json(200, &wire::ListBody { subscriptions: rows, next_link })
}

fn next_link(page: usize, from: usize) -> String {
    let token = format!(r#"[{{"token":null,"range":{{"min":"{page:06X}{from:08X}","max":"FF"}}}}]"#);
    format!(
        "{INTERNAL_HOST}/api/saas/subscriptions/?continuationToken={}&api-version={API_VERSION}",
        encode(&token).to_lowercase().replace("ff%22", "FF%22")
    )
}

/// The number of the page and the rows before it; nothing when the token is not one of ours.
fn continuation(token: &str) -> Option<(usize, usize)> {
    if token.is_empty() {
        return Some((0, 0));
    }
    let parsed: serde_json::Value = serde_json::from_str(token).ok()?;
    let min = parsed.pointer("/0/range/min")?.as_str()?;
    let number = |range| usize::from_str_radix(min.get(range)?, 16).ok();
    Some((number(0..6)?, number(6..14)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_link_leads_to_its_page() {
        let link = next_link(12, 3_456);
        let query = url::Url::parse(&link).unwrap();
        let token = query.query_pairs().find(|(name, _)| name == "continuationToken").unwrap().1.into_owned();
        assert_eq!(continuation(&token), Some((12, 3_456)));
        assert_eq!(continuation("nonsense"), None);
        assert!(link.starts_with(
            "https://main.prod.marketplaceapi.azure.com/api/saas/subscriptions/?continuationToken=%5b%7b"
        ));
    }
}
