//! Sending: the HTTP call, and the task that sends by itself what is due.

use std::{collections::HashSet, time::Duration};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use tokio::task::{JoinHandle, JoinSet};
use url::{Host, Url};
use uuid::Uuid;

use super::{super::world::World, WebhookAnswer, WebhookRequest};

/// Longer than the ten seconds of an answer makes no sense.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How many subscriptions are told something at the same time.
const LANES: usize = 32;
/// The clock can run by itself, and nobody says when something becomes due.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The client that calls the publisher: no redirects, no proxies.
#[expect(clippy::disallowed_methods, reason = "the simulator imports the clock alone, and has to call the webhook")]
pub(in super::super) fn client() -> reqwest::Result<reqwest::Client> {
    // The error says that a provider is installed already, which is what we want.
    drop(rustls::crypto::ring::default_provider().install_default());
    let none = reqwest::redirect::Policy::none();
    reqwest::Client::builder().timeout(TIMEOUT).redirect(none).no_proxy().build()
}

/// One call. Only this machine is called: the simulator has no business elsewhere.
pub(super) async fn post(http: &reqwest::Client, url: &str, request: WebhookRequest) -> WebhookAnswer {
    if !is_loopback(url) {
        return WebhookAnswer::NoAnswer(format!("“{url}” is not an address of this machine"));
    }
    let call = http.post(url).header(AUTHORIZATION, request.authorization);
    let call = call.header(CONTENT_TYPE, "application/json; charset=utf-8").body(request.body);
    match call.send().await {
        Ok(answer) => WebhookAnswer::Status(answer.status().as_u16()),
        Err(error) if error.is_timeout() => WebhookAnswer::NoAnswer("no answer within ten seconds".to_owned()),
        Err(error) if error.is_connect() => WebhookAnswer::NoAnswer("no connection".to_owned()),
        Err(error) => WebhookAnswer::NoAnswer(error.to_string()),
    }
}

fn is_loopback(url: &str) -> bool {
    match Url::parse(url).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Sends what is due until the task is aborted. The webhooks of one subscription follow each other; different
/// subscriptions do not wait for each other.
pub(in super::super) fn run(world: World) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut lanes: JoinSet<Uuid> = JoinSet::new();
        let mut busy: HashSet<Uuid> = HashSet::new();
        loop {
            for (subscription, webhooks) in world.due_lanes() {
                if busy.len() < LANES && busy.insert(subscription) {
                    lanes.spawn(lane(world.clone(), subscription, webhooks));
                }
            }
            let mut ended = tokio::select! {
                Some(ended) = lanes.join_next() => Some(ended),
                () = world.0.wake.notified() => None,
                () = tokio::time::sleep(LOOK_EVERY) => None,
            };
            // Many end together; they are counted before everything is looked at again.
            while let Some(lane) = ended {
                match lane {
                    Ok(subscription) => drop(busy.remove(&subscription)),
                    Err(error) => tracing::error!(%error, "a lane of webhooks broke off"),
                }
                ended = lanes.try_join_next();
            }
        }
    })
}

async fn lane(world: World, subscription: Uuid, webhooks: Vec<u64>) -> Uuid {
    for webhook in webhooks {
        if let Err(error) = world.deliver_if_due(webhook).await {
            tracing::warn!(%error, webhook, "a webhook could not be sent");
        }
    }
    subscription
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_this_machine_is_called() {
        let good = ["http://127.0.0.1:1/webhook", "https://localhost/x", "http://[::1]:8080/"];
        assert!(good.into_iter().all(super::is_loopback));
        let bad = ["", "nonsense", "http://10.0.0.1/", "https://seatkey.example/webhook", "http://localhost.example/"];
        assert!(!bad.into_iter().any(super::is_loopback));
    }
}
