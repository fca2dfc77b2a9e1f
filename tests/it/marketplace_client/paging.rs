//! The listing: uneven pages, empty pages, no pages, and no step off the configured host.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use seatkey::marketplace::MarketplaceError;
use uuid::Uuid;

use super::{
    desk::{Desk, status},
    replay::Replay,
};

/// Knows loopback alone, and remembers every name that it was asked for.
#[derive(Debug, Default, Clone)]
struct Names(Arc<Mutex<Vec<String>>>);

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        self.0.lock().unwrap().push(name.as_str().to_owned());
        let addresses: Addrs = Box::new(std::iter::once(SocketAddr::from(([127, 0, 0, 1], 0))));
        Box::pin(async move { Ok(addresses) })
    }
}

#[expect(clippy::disallowed_methods, reason = "a client that tells which names it looks up")]
fn watched_client(names: &Names) -> reqwest::Client {
    seatkey::http::install_crypto_provider();
    let client = reqwest::Client::builder().dns_resolver(Arc::new(names.clone())).no_proxy();
    client.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

async fn all_pages(desk: &Desk) -> Vec<Vec<Uuid>> {
    let mut pages = Vec::new();
    let mut continuation = None;
    loop {
        let page = desk.client.list_subscriptions(continuation.as_deref()).await.unwrap().value;
        pages.push(page.subscriptions.iter().map(|row| row.id).collect());
        let Some(next) = page.continuation else { return pages };
        continuation = Some(next);
    }
}

#[tokio::test]
async fn all_rows_come_through_uneven_and_empty_pages_from_the_configured_host_alone() {
    let names = Names::default();
    let desk = Desk::open_with(watched_client(&names), "marketplace-secret").await;
    let bought: Vec<Uuid> = (0..150).map(|_| desk.buy()).collect();
    let pages = all_pages(&desk).await;
    let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, 0, 2, 66, 0, 70, 9]);
    assert_eq!(pages.concat(), bought);
    let asked = names.0.lock().unwrap().clone();
    assert!(!asked.is_empty() && asked.iter().all(|name| name == "localhost"), "left loopback for {asked:?}");
    let calls = desk.calls();
    assert_eq!(calls.len(), 7, "each page was asked for here, once");
    assert!(calls.iter().all(|call| call.status == Some(200) && call.path == "/api/saas/subscriptions/"));
    assert!(calls.iter().skip(1).all(|call| call.query.matches("api-version").count() == 1), "and asked for as ours");
}

#[tokio::test]
async fn no_subscriptions_at_all_are_zero_bytes() {
    let desk = Desk::open().await;
    assert_eq!(all_pages(&desk).await, [Vec::<Uuid>::new()]);
    desk.buy();
    for nothing in ["", "{}", "[]", "null", " "] {
        desk.fail(1, seatkey::simulator::FaultAction { body: Some(nothing.to_owned()), ..status(200) });
        assert_eq!(all_pages(&desk).await, [Vec::<Uuid>::new()], "{nothing:?}");
    }
}

#[tokio::test]
async fn a_listing_that_cannot_go_on_does_not_look_complete() {
    let link = r#"{"subscriptions":[],"@nextLink":"https://marketplaceapi.microsoft.com/api/saas/subscriptions"}"#;
    let replay = Replay::of_answer("/saas/subscriptions/?api-version=2018-08-31", link);
    let error = replay.client.list_subscriptions(None).await.unwrap_err();
    assert!(matches!(error, MarketplaceError::Unreadable(_)), "a link without a token: {error:?}");
    replay.finish().await;

    let circle = r#"{"subscriptions":[],"@nextLink":"https://x.example/?continuationToken=again"}"#;
    let replay = Replay::of_answer("/saas/subscriptions/?api-version=2018-08-31&continuationToken=again", circle);
    let error = replay.client.list_subscriptions(Some("again")).await.unwrap_err();
    assert!(matches!(error, MarketplaceError::Unreadable(_)), "the same page again: {error:?}");
    replay.finish().await;
}

#[tokio::test]
async fn a_token_that_is_none_is_refused() {
    let desk = Desk::open().await;
    desk.buy();
    let error = desk.client.list_subscriptions(Some("made up")).await.unwrap_err();
    assert!(matches!(error, MarketplaceError::Refused { status: 400, .. }), "{error:?}");
}
