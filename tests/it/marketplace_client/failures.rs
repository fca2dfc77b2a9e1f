//! Slow, refused, cut and lost answers: what is repeated, how often, and what never is.

use std::{sync::Arc, time::Duration};

use seatkey::{
    clock::Stopwatch,
    domain::subscription::MicrosoftStatus,
    marketplace::{Answer, Client, Fault, MarketplaceError},
    simulator::FaultAction,
};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use uuid::Uuid;

use super::desk::{Desk, FixedToken, nobody, status, status_with};

/// Every change of the client, by name.
async fn change(desk: &Desk, name: &str, id: Uuid) -> Result<(), MarketplaceError> {
    fn done<T>(_: Answer<T>) {}
    let client = &desk.client;
    match name {
        "activate" => client.activate(id, "team", Some(10)).await.map(done),
        "change_plan" => client.change_plan(id, "business").await.map(done),
        "change_quantity" => client.change_quantity(id, 20).await.map(done),
        "cancel" => client.cancel(id).await.map(done),
        "update_operation" => client.update_operation(id, &Uuid::nil().to_string(), true).await.map(done),
        other => panic!("there is no {other}"),
    }
}

/// Every read of the client, by name.
async fn read(desk: &Desk, name: &str, id: Uuid) -> Result<(), MarketplaceError> {
    fn done<T>(_: Answer<T>) {}
    let client = &desk.client;
    match name {
        "resolve" => client.resolve(&"token".to_owned().into()).await.map(done),
        "get_subscription" => client.get_subscription(id).await.map(done),
        "list_subscriptions" => client.list_subscriptions(None).await.map(done),
        "list_available_plans" => client.list_available_plans(id, None).await.map(done),
        "list_operations" => client.list_operations(id).await.map(done),
        "get_operation" => client.get_operation(id, &Uuid::nil().to_string()).await.map(done),
        other => panic!("there is no {other}"),
    }
}

const CHANGES: [&str; 5] = ["activate", "change_plan", "change_quantity", "cancel", "update_operation"];
const READS: [&str; 6] =
    ["resolve", "get_subscription", "list_subscriptions", "list_available_plans", "list_operations", "get_operation"];

fn cut() -> FaultAction {
    FaultAction { cut: true, ..FaultAction::default() }
}

fn lost() -> FaultAction {
    FaultAction { lose_answer: true, ..FaultAction::default() }
}

/// Not to be waited for, so that the tests are not slow.
fn unwell(code: u16) -> FaultAction {
    status_with(code, "Retry-After", "0")
}

#[tokio::test]
async fn a_change_is_sent_once_whatever_happens_to_it() {
    let desk = Desk::open().await;
    let codes = [("408", unwell(408)), ("429", unwell(429)), ("500", unwell(500)), ("503", unwell(503))];
    let faults: Vec<_> = [("cut", cut()), ("lost", lost())].into_iter().chain(codes).collect();
    for name in CHANGES {
        for (fault, action) in &faults {
            let id = desk.buy_seats();
            let before = desk.calls().len();
            desk.fail(1, action.clone());
            let error = change(&desk, name, id).await.unwrap_err();
            let expected = matches!(
                (*fault, &error),
                ("cut" | "lost", MarketplaceError::NoAnswer(_)) | (_, MarketplaceError::Unavailable { .. })
            );
            assert!(expected, "{name}, {fault}: {error:?}");
            assert_eq!((error.is_retryable(), error.fault()), (true, Fault::Microsoft), "{name}, {fault}");
            let calls = &desk.calls()[before..];
            assert_eq!(calls.len(), 1, "{name}, {fault}");
            assert_eq!(calls[0].acted, *fault == "lost", "{name}, {fault}");
        }
    }
}

#[tokio::test]
async fn a_lost_answer_may_have_had_its_effect() {
    let desk = Desk::open().await;
    let id = desk.buy();
    desk.fail(1, lost());
    let error = desk.client.activate(id, "konnekt-yearly", None).await.unwrap_err();
    assert!(matches!(error, MarketplaceError::NoAnswer(_)), "{error:?}");
    assert_eq!(desk.client.get_subscription(id).await.unwrap().value.status, MicrosoftStatus::Subscribed);
}

#[tokio::test]
async fn reads_are_tried_three_times() {
    let desk = Desk::open().await;
    for name in READS {
        for (code, action) in
            [(0, cut()), (408, unwell(408)), (429, unwell(429)), (500, unwell(500)), (503, unwell(503))]
        {
            let before = desk.calls().len();
            desk.fail(9, action);
            let error = read(&desk, name, Uuid::nil()).await.unwrap_err();
            let expected = match &error {
                MarketplaceError::NoAnswer(_) => code == 0,
                MarketplaceError::Unavailable { status, .. } => *status == code,
                _ => false,
            };
            assert!(expected, "{name}, {code}: {error:?}");
            assert_eq!(desk.calls().len() - before, 3, "{name}, {code}");
        }
    }
}

#[tokio::test]
async fn the_third_try_of_a_read_counts() {
    let desk = Desk::open().await;
    let id = desk.buy();
    desk.fail(2, unwell(503));
    assert_eq!(desk.client.get_subscription(id).await.unwrap().value.id, id);
    assert_eq!(desk.calls().len(), 3);
}

#[tokio::test]
async fn what_is_refused_is_not_tried_again() {
    let desk = Desk::open().await;
    for (code, action) in [
        (302, status_with(302, "location", "http://localhost:1/")),
        (400, status(400)),
        (404, status(404)),
        (409, status(409)),
        (418, status(418)),
    ] {
        let before = desk.calls().len();
        desk.fail(9, action);
        assert!(desk.client.list_subscriptions(None).await.is_err(), "{code}");
        assert_eq!(desk.calls().len() - before, 1, "{code}");
    }
}

#[tokio::test]
async fn microsofts_pause_is_kept_by_reads_up_to_the_limit() {
    let desk = Desk::open().await;
    desk.fail(1, status_with(503, "Retry-After", "1"));
    let watch = Stopwatch::start();
    desk.client.list_subscriptions(None).await.unwrap();
    assert!(watch.elapsed() >= Duration::from_secs(1), "it came back too early: {:?}", watch.elapsed());

    for (pause, seconds) in [("3", 3), ("120", 120), ("Thu, 15 Jan 2026 10:01:00 GMT", 60)] {
        let before = desk.calls().len();
        desk.fail(9, status_with(429, "Retry-After", pause));
        let error = desk.client.list_subscriptions(None).await.unwrap_err();
        let told = Some(Duration::from_secs(seconds));
        assert!(matches!(error, MarketplaceError::Unavailable { status: 429, retry_after } if retry_after == told));
        assert_eq!(desk.calls().len() - before, 1, "nobody waits for {pause}; whoever called is told");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let desk = Desk::open().await;
    let body = |bytes: usize| FaultAction { body: Some(format!("{{}}{}", " ".repeat(bytes - 2))), ..status(200) };
    const LIMIT: usize = 8 * 1024 * 1024;
    desk.fail(1, body(LIMIT));
    desk.client.list_subscriptions(None).await.unwrap();
    desk.fail(9, body(LIMIT + 1));
    let before = desk.calls().len();
    let error = desk.client.list_subscriptions(None).await.unwrap_err();
    assert!(matches!(&error, MarketplaceError::Unreadable(text) if text.contains("too long")), "{error:?}");
    assert_eq!((error.fault(), error.is_retryable()), (Fault::Microsoft, false));
    assert_eq!(desk.calls().len() - before, 1);
}

#[tokio::test]
async fn an_answer_that_is_no_json_cannot_be_read() {
    let desk = Desk::open().await;
    for text in ["<html>", "{\"subscriptions\":3}", "[1]"] {
        desk.fail(1, FaultAction { body: Some(text.to_owned()), ..status(200) });
        let error = desk.client.list_subscriptions(None).await.unwrap_err();
        assert!(matches!(error, MarketplaceError::Unreadable(_)), "{text}: {error:?}");
    }
}

#[expect(clippy::disallowed_methods, reason = "a client with less patience than the real one")]
fn impatient_client() -> reqwest::Client {
    seatkey::http::install_crypto_provider();
    reqwest::Client::builder().timeout(Duration::from_millis(1_500)).no_proxy().build().unwrap()
}

#[tokio::test]
async fn a_silent_microsoft_is_no_answer() {
    let desk = Desk::open_with(impatient_client(), "marketplace-secret").await;
    let id = desk.buy();
    desk.client.get_subscription(id).await.unwrap();
    desk.fail(9, FaultAction { delay_ms: Some(60_000), ..FaultAction::default() });
    let error = desk.client.activate(id, "konnekt-yearly", None).await.unwrap_err();
    assert!(matches!(&error, MarketplaceError::NoAnswer(text) if text == "timed out"), "{error:?}");
}

#[tokio::test]
async fn what_never_left_is_told_from_what_was_not_answered() {
    let desk = Desk::open().await;
    let (_socket, address) = nobody();
    let base = address.join("api").unwrap();
    let secret = seatkey::marketplace::Credential::ClientSecret("marketplace-secret".to_owned().into());
    let client = desk.client_of(Some(base), secret);
    let error = client.cancel(Uuid::nil()).await.unwrap_err();
    assert!(matches!(&error, MarketplaceError::Unreached(text) if text == "no connection"), "{error:?}");
    assert!(error.is_certainly_unprocessed() && error.is_retryable());
    assert_eq!(error.fault(), Fault::Microsoft);
    desk.fail(1, cut());
    let error = desk.client.cancel(Uuid::nil()).await.unwrap_err();
    assert!(matches!(error, MarketplaceError::NoAnswer(_)) && !error.is_certainly_unprocessed(), "{error:?}");
}

/// Both a time-out and a connection that was not made: what counts is that nothing was sent. The listener takes nobody in
/// and its queue is full, so that the kernel leaves every further connection unanswered.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a client with little patience for connections")]
async fn a_connection_that_takes_too_long_was_never_made() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let patience = Duration::from_millis(50);
    let mut queue = Vec::new();
    while let Ok(connection) = timeout(patience, TcpStream::connect(address)).await {
        queue.push(connection.unwrap());
    }

    let desk = Desk::open().await;
    let http = reqwest::Client::builder().connect_timeout(patience).no_proxy().build().unwrap();
    let base = format!("http://{address}/api").parse().unwrap();
    let client = Client::new(base, http, Arc::new(FixedToken), Arc::clone(&desk.clock) as _);
    let error = client.cancel(Uuid::nil()).await.unwrap_err();
    assert!(matches!(error, MarketplaceError::Unreached(_)), "{error:?}");
}
