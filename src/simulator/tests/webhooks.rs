//! How webhooks are sent, and what the answers mean.

use std::collections::HashSet;

use serde_json::json;
use time::Duration;

use super::{life::Life, receiver::Receiver, *};

#[tokio::test(flavor = "multi_thread")]
async fn the_ten_seconds_begin_when_the_webhook_leaves() {
    let life = Life::begin().await;
    let id = life.ask_for(20);
    life.wait(Duration::hours(1));
    assert_eq!(life.field("quantity"), 9, "nobody was asked yet");
    assert_eq!(life.world().deliver(id).await, Ok(WebhookAnswer::Status(200)));
    assert_eq!(life.webhook(id).state, WebhookState::Received);
    life.wait(Duration::seconds(9));
    assert_eq!((life.field("quantity"), life.world().is_quiet()), (json!(9), false));
    life.wait(Duration::seconds(1));
    assert_eq!((life.field("quantity"), life.world().is_quiet()), (json!(20), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_4xx_rejects_a_customers_change_and_nothing_else() {
    let life = Life::begin().await;
    life.receiver.answer([404, 400, 400]);
    let id = life.ask_for(20);
    assert_eq!(life.world().deliver(id).await.unwrap().status(), Some(404));
    let webhook = life.webhook(id);
    assert_eq!((webhook.state, webhook.tries), (WebhookState::Rejected, 1));
    assert_eq!(life.operation(&json!(webhook.operation_id)).await.1["status"], "Failed");
    assert_eq!(life.patch(&json!(webhook.operation_id), "Success").await, 409);
    life.wait(Duration::minutes(10));
    assert_eq!(life.field("quantity"), 9);
    life.world().suspend(life.id);
    life.tell().await;
    let patch = life.stage.http.patch(life.stage.api(&format!("/{}", life.id))).json(&json!({"quantity": 12}));
    assert_eq!(life.stage.call(patch).await.0, 400, "suspended");
    let waiting = life.world().webhooks().pop().unwrap();
    assert_eq!((waiting.action, waiting.state, waiting.tries), ("Suspend", WebhookState::Waiting, 1));
    assert_eq!(waiting.due_at, life.world().now() + Duration::milliseconds(57_600));
    assert_eq!(life.tell().await, 0, "not due yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_received_is_tried_five_hundred_times() {
    let mut life = Life::begin().await;
    life.receiver.answer(std::iter::repeat_n(500, 500));
    assert!(life.world().suspend(life.id));
    let start = life.world().now();
    let mut tries = 0;
    while life.world().webhooks()[1].state == WebhookState::Waiting {
        assert_eq!(life.tell().await, 1);
        tries += 1;
        life.wait(Duration::milliseconds(57_600));
    }
    assert_eq!((tries, life.world().now() - start), (500, Duration::hours(8)));
    let webhook = life.webhook(2);
    assert_eq!((webhook.state, webhook.tries, webhook.answers.len()), (WebhookState::GivenUp, 500, 20));
    assert_eq!((life.tell().await, life.bodies().len()), (0, 500));
    assert!(life.world().is_quiet());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_eight_hours_it_is_given_up_and_a_hanging_change_fails() {
    let life = Life::begin().await;
    life.world().register_publisher("", "http://127.0.0.1:1/webhook", [CALLBACK]);
    life.world().switch(|switches| switches.never_auto_accept = true);
    let id = life.ask_for(20);
    assert!(matches!(life.world().deliver(id).await, Ok(WebhookAnswer::NoAnswer(_))));
    life.wait(Duration::hours(7));
    assert_eq!(life.tell().await, 1);
    assert_eq!((life.webhook(id).state, life.world().is_quiet()), (WebhookState::Waiting, false));
    life.wait(Duration::hours(1));
    assert_eq!(life.tell().await, 1);
    assert_eq!((life.webhook(id).state, life.field("quantity")), (WebhookState::GivenUp, json!(9)));
    assert!(life.world().is_quiet());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unanswered_change_is_accepted_although_nobody_heard_of_it() {
    let life = Life::begin().await;
    life.receiver.answer([503]);
    let id = life.ask_for(20);
    assert_eq!(life.world().deliver(id).await.unwrap().status(), Some(503));
    life.wait(Duration::seconds(10));
    assert_eq!((life.field("quantity"), life.webhook(id).state), (json!(20), WebhookState::Waiting));
    life.wait(Duration::minutes(1));
    assert_eq!((life.tell().await, life.webhook(id).state), (1, WebhookState::Received));
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_are_alike_and_can_be_made_at_any_time() {
    let mut life = Life::begin().await;
    life.world().switch(|switches| switches.duplicates = 2);
    assert!(life.world().suspend(life.id));
    assert_eq!(life.tell().await, 3);
    assert_eq!(life.world().deliver(2).await, Ok(WebhookAnswer::Status(200)));
    assert_eq!((life.webhook(2).tries, life.webhook(2).state), (2, WebhookState::Received));
    life.receiver.answer([500]);
    life.world().deliver(2).await.unwrap();
    assert_eq!(life.webhook(2).state, WebhookState::Received, "it was received before");
    let bodies = life.bodies();
    assert_eq!(bodies.len(), 5);
    assert!(bodies.iter().all(|body| *body == bodies[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_delayed_lost_held_and_shuffled() {
    let mut life = Life::begin().await;
    life.world().switch(|switches| switches.delay_seconds = 60);
    life.world().suspend(life.id);
    assert_eq!(life.tell().await, 0);
    life.wait(Duration::minutes(1));
    assert_eq!(life.told().await["timeStamp"], "2026-01-15T10:00:00.0000000Z");
    life.world().switch(|switches| (switches.delay_seconds, switches.lose) = (0, true));
    life.world().reinstate(life.id);
    assert_eq!((life.tell().await, life.webhook(3).state), (0, WebhookState::Lost));
    life.wait(Duration::seconds(10));
    assert_eq!(life.field("saasSubscriptionStatus"), "Subscribed", "Microsoft believes that it was told");
    life.world().switch(|switches| (switches.lose, switches.hold) = (false, true));
    life.wait(Duration::days(240));
    assert_eq!((life.tell().await, life.world().is_quiet()), (0, true));
    assert!(life.webhook(4).held);
    assert_eq!(life.world().release_webhooks(Some(7)), 7);
    assert_eq!(life.tell().await, 7);
    let order: Vec<String> = life.bodies().iter().map(|body| body["timeStamp"].as_str().unwrap()[..7].into()).collect();
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_ne!(order, sorted);
    assert_eq!(sorted, ["2026-02", "2026-03", "2026-04", "2026-05", "2026-06", "2026-07", "2026-08"]);
    life.world().cancel(life.id);
    let last = life.world().webhooks().pop().unwrap().id;
    assert!(life.world().lose_webhook(last) && !life.world().lose_webhook(last));
    assert_eq!(life.world().release_webhooks(None), 1);
    assert_eq!(life.tell().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_minimal_or_stale_on_request() {
    let mut life = Life::begin().await;
    life.world().switch(|switches| switches.stale_snapshots = true);
    life.world().suspend(life.id);
    assert_eq!(life.told().await["subscription"]["saasSubscriptionStatus"], "Subscribed");
    life.world().switch(|switches| switches.minimal_bodies = true);
    life.world().cancel(life.id);
    let told = life.told().await;
    let names: HashSet<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
    let six = ["id", "activityId", "operationRequestSource", "subscriptionId", "timeStamp", "action"];
    assert_eq!(names, HashSet::from(six));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_ignored_on_request() {
    let life = Life::begin().await;
    for (ignore, seats) in [(false, 9), (true, 20)] {
        life.world().switch(|switches| switches.ignore_failure = ignore);
        let id = life.ask_for(20);
        life.world().deliver(id).await.unwrap();
        assert_eq!(life.patch(&json!(life.webhook(id).operation_id), "Failure").await, 200);
        assert_eq!(life.field("quantity"), seats);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_simulator_sends_by_itself() {
    let stage = Stage::with(|options| options.deliver_webhooks = true).await;
    let mut receiver = Receiver::open();
    stage.world().register_publisher("", &receiver.url, [CALLBACK]);
    receiver.answer([503]);
    let id = stage.world().purchase(Purchase { auto_activate: true, ..konnekt() });
    assert_eq!(stage.world().subscription(id)["saasSubscriptionStatus"], "Subscribed");
    assert_eq!(receiver.next().await.body["action"], "Subscribe");
    assert!(stage.world().suspend(id));
    assert_eq!(receiver.next().await.body["action"], "Suspend", "its own order is not kept by retries");
    stage.world().advance(Duration::minutes(1)).unwrap();
    assert_eq!(receiver.next().await.body["action"], "Subscribe");
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_do_not_wait_for_each_other() {
    let stage = Stage::with(|options| options.deliver_webhooks = true).await;
    let mut receiver = Receiver::open();
    stage.world().register_publisher("", &receiver.url, [CALLBACK]);
    let holds = [receiver.hold(), receiver.hold()];
    let bought = [(); 2].map(|()| stage.world().purchase(Purchase { auto_activate: true, ..konnekt() }));
    let called = [receiver.next().await.body, receiver.next().await.body];
    assert!(bought.iter().all(|id| called.iter().any(|body| body["subscriptionId"] == json!(id))));
    drop(holds);
    while stage.world().webhooks().iter().any(|webhook| webhook.tries == 0) {
        tokio::task::yield_now().await;
    }
    assert!(stage.world().webhooks().iter().all(|webhook| webhook.state == WebhookState::Received));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deliveries_of_one_webhook_never_overlap() {
    let mut life = Life::begin().await;
    life.world().suspend(life.id);
    let hold = life.receiver.hold();
    let world = life.world().clone();
    let deliver = || {
        let world = world.clone();
        tokio::spawn(async move { world.deliver(1).await })
    };
    let first = deliver();
    assert_eq!(life.receiver.next().await.body["action"], "Subscribe");
    let second = deliver();
    for _ in 0..5 {
        life.world().deliver(2).await.unwrap();
        assert_eq!(life.receiver.next().await.body["action"], "Suspend");
    }
    assert!(!first.is_finished() && !second.is_finished());
    hold.send(()).unwrap();
    assert_eq!(
        (first.await.unwrap(), second.await.unwrap()),
        (Ok(WebhookAnswer::Status(200)), Ok(WebhookAnswer::Status(200)))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_do_the_same_over_http() {
    let mut life = Life::begin().await;
    let switches = life.stage.control("switches", json!({"hold": true, "tokenVersion": 1})).await;
    assert_eq!(
        (&switches["hold"], &switches["tokenVersion"], &switches["lose"]),
        (&json!(true), &json!(1), &json!(false))
    );
    for wrong in [json!({"tokenVersion": 3}), json!({"hostileToken": "x"}), json!({"other": true})] {
        assert!(life.stage.control("switches", wrong).await["error"].is_string());
    }
    let id = life.id;
    life.stage.control(&format!("subscriptions/{id}/suspend"), json!({})).await;
    assert_eq!(life.stage.control("webhooks/deliver-due", json!({})).await, json!({"tried": 0}));
    assert_eq!(life.stage.control("webhooks/release", json!({"seed": 3})).await, json!({"released": 1}));
    assert_eq!(life.stage.control("webhooks/deliver-due", json!({})).await, json!({"tried": 1}));
    assert_eq!(life.stage.control("webhooks/2/deliver", json!({})).await, json!({"status": 200}));
    assert_eq!(life.stage.control("webhooks/2/deliver-as", json!({"planId": "gold"})).await, json!({"status": 200}));
    assert_eq!(life.bodies()[2]["planId"], "gold");
    assert!(life.stage.control("webhooks/2/lose", json!({})).await["error"].is_string());
    assert!(life.stage.control("webhooks/9/deliver", json!({})).await["error"].is_string());
    let read = async |path: &str| -> Value {
        life.stage.http.get(life.stage.url(&format!("/control/{path}"))).send().await.unwrap().json().await.unwrap()
    };
    let listed = read(&format!("webhooks?subscription={id}")).await;
    assert_eq!((&listed[1]["state"], &listed[1]["tries"]), (&json!("received"), &json!(2)));
    assert_eq!(listed[1]["answers"][0], json!({"at": "2026-01-15T10:00:00.0000000Z", "status": 200}));
    assert!(read("webhooks/2").await["authorization"].as_str().unwrap().starts_with("Bearer ey"));
    assert_eq!(read("quiet").await, json!({"quiet": true}));
    assert_eq!(read("switches").await["tokenVersion"], 1);
    life.stage.control("switches", json!({"hold": false})).await;
    life.stage.control(&format!("subscriptions/{id}/reinstate"), json!({})).await;
    life.tell().await;
    let passed = life.stage.control(&format!("subscriptions/{id}/pass-term"), json!({})).await;
    assert_eq!(passed, json!({"now": "2026-02-15T00:00:00.0000000Z"}));
}
