//! What is told in a subscription's life.

use serde_json::json;
use time::Duration;

use super::{receiver::Receiver, *};

/// A world whose webhook is answered, and one of Alex's subscriptions in it.
pub(super) struct Life {
    pub(super) stage: Stage,
    pub(super) receiver: Receiver,
    pub(super) id: Uuid,
}

impl Life {
    /// Nine seats of a monthly plan, activated by Microsoft and told.
    pub(super) async fn begin() -> Self {
        let mut life = Self::unborn().await;
        let purchase =
            Purchase { quantity: Some(9), auto_activate: true, ..Purchase::of("sample-seats", "team", ALEX) };
        life.id = life.world().purchase(purchase);
        life.tell().await;
        life.receiver.taken();
        life
    }

    pub(super) async fn unborn() -> Self {
        let stage = Stage::set().await;
        let receiver = Receiver::open();
        stage.world().register_publisher("http://127.0.0.1:1/landing", &receiver.url, [CALLBACK]);
        Self { stage, receiver, id: Uuid::nil() }
    }

    pub(super) fn world(&self) -> &World {
        self.stage.world()
    }

    pub(super) async fn tell(&self) -> usize {
        self.world().deliver_due().await
    }

    pub(super) fn wait(&self, by: Duration) {
        self.world().advance(by).unwrap();
    }

    /// The bodies that arrived since the last time.
    pub(super) fn bodies(&mut self) -> Vec<Value> {
        self.receiver.taken().into_iter().map(|call| call.body).collect()
    }

    pub(super) fn field(&self, name: &str) -> Value {
        self.world().subscription(self.id)[name].clone()
    }

    /// The customer asks for seats; the webhook of it.
    pub(super) fn ask_for(&self, seats: u32) -> u64 {
        self.world().customer_change(self.id, None, Some(seats)).unwrap();
        self.world().webhooks().pop().unwrap().id
    }

    pub(super) fn webhook(&self, id: u64) -> Webhook {
        self.world().webhooks().into_iter().find(|webhook| webhook.id == id).unwrap()
    }

    /// Sends what is due, and gives the one thing that arrived.
    pub(super) async fn told(&mut self) -> Value {
        assert_eq!(self.tell().await, 1);
        let mut bodies = self.bodies();
        assert_eq!(bodies.len(), 1);
        bodies.remove(0)
    }

    pub(super) async fn operation(&self, id: &Value) -> (u16, Value) {
        let url = self.stage.api(&format!("/{}/operations/{}", self.id, id.as_str().unwrap()));
        self.stage.call(self.stage.http.get(url)).await
    }

    pub(super) async fn patch(&self, id: &Value, status: &str) -> u16 {
        let url = self.stage.api(&format!("/{}/operations/{}", self.id, id.as_str().unwrap()));
        self.stage.call(self.stage.http.patch(url).json(&json!({ "status": status }))).await.0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_change_has_the_documented_shape() {
    let mut life = Life::begin().await;
    let operation = life.world().customer_change(life.id, Some("business"), None).unwrap();
    let mut snapshot = life.world().subscription(life.id);
    snapshot["quantity"] = json!(9);
    // The documentation of 2023: outside what is asked for, inside what was.
    let expected = json!({
        "id": operation, "activityId": operation, "publisherId": "seatkeysoftware", "offerId": "sample-seats",
        "planId": "business", "quantity": 9, "subscriptionId": life.id, "timeStamp": "2026-01-15T10:00:00.0000000Z",
        "action": "ChangePlan", "status": "InProgress", "operationRequestSource": "Azure", "subscription": snapshot,
        "purchaseToken": null,
    });
    assert_eq!(expected["subscription"]["planId"], "team");
    let told = life.told().await;
    assert_eq!(told, expected);
    assert_eq!(life.operation(&told["id"]).await.1["status"], "InProgress");
    assert_eq!(life.patch(&told["id"], "Success").await, 200);
    assert_eq!(life.field("planId"), "business");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_of_a_life_is_told() {
    let mut life = Life::unborn().await;
    let purchase = Purchase { auto_activate: true, ..konnekt() };
    life.id = life.world().purchase(purchase);
    let subscribed = life.told().await;
    assert_eq!([&subscribed["action"], &subscribed["status"]], ["Subscribe", "Succeeded"]);
    assert_eq!(subscribed["quantity"], Value::Null);
    assert_eq!(subscribed["subscription"]["quantity"], Value::Null);
    assert_eq!(life.operation(&subscribed["id"]).await.0, 400, "notify-only");

    assert!(life.world().suspend(life.id));
    let suspended = life.told().await;
    assert_eq!([&suspended["action"], &suspended["subscription"]["saasSubscriptionStatus"]], ["Suspend", "Suspended"]);

    assert!(life.world().reinstate(life.id));
    assert!(!life.world().reinstate(life.id), "one at a time");
    assert_eq!(life.field("saasSubscriptionStatus"), "Suspended");
    assert!(!life.world().is_quiet());
    let reinstated = life.told().await;
    assert_eq!([&reinstated["action"], &reinstated["status"]], ["Reinstate", "InProgress"]);
    assert_eq!(life.field("saasSubscriptionStatus"), "Subscribed", "accepted by the 200");
    assert_eq!(life.operation(&reinstated["id"]).await.1["status"], "Succeeded");
    assert!(life.world().is_quiet());

    life.world().advance_past_term(life.id).unwrap();
    let renewed = life.told().await;
    assert_eq!([&renewed["action"], &renewed["timeStamp"]], ["Renew", "2027-01-15T00:00:00.0000000Z"]);
    assert_eq!(renewed["subscription"]["term"]["startDate"], "2027-01-15T00:00:00Z");

    assert!(life.world().cancel(life.id) && life.world().cancel(life.id));
    let ended = life.told().await;
    assert_eq!([&ended["action"], &ended["operationRequestSource"]], ["Unsubscribe", "Azure"]);
    assert_eq!(life.operation(&ended["id"]).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_renewal_of_a_long_step_is_told_apart() {
    let mut life = Life::begin().await;
    life.wait(Duration::days(80));
    assert_eq!(life.tell().await, 2);
    let bodies = life.bodies();
    let moments: Vec<&Value> = bodies.iter().map(|body| &body["timeStamp"]).collect();
    assert_eq!(moments, ["2026-02-15T00:00:00.0000000Z", "2026-03-15T00:00:00.0000000Z"]);
    assert_ne!(bodies[0]["id"], bodies[1]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_ends_are_told() {
    let mut life = Life::begin().await;
    assert!(life.world().set_auto_renew(life.id, false));
    life.wait(Duration::days(31));
    assert_eq!(life.told().await["timeStamp"], "2026-02-15T00:00:00.0000000Z", "the term was over");

    life.id = life.world().purchase(konnekt());
    life.wait(Duration::days(31));
    assert_eq!(life.told().await["action"], "Unsubscribe", "nobody activated it");

    life.id = life.world().purchase(konnekt());
    assert_eq!((life.stage.activate(life.id).await, life.tell().await), (200, 0));
    assert_eq!(life.field("saasSubscriptionStatus"), "Subscribed");
    assert!(life.world().suspend(life.id));
    life.told().await;
    life.wait(Duration::days(31));
    assert_eq!(life.told().await["action"], "Unsubscribe", "nobody paid");
    assert!(life.world().is_quiet());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_publishers_own_changes_are_told_when_they_are_done() {
    let mut life = Life::begin().await;
    let url = life.stage.api(&format!("/{}", life.id));
    let patch = life.stage.http.patch(&url).json(&json!({"quantity": 12}));
    assert_eq!(life.stage.call(patch).await.0, 202);
    assert_eq!(life.tell().await, 0);
    life.wait(Duration::seconds(10));
    let told = life.told().await;
    assert_eq!([&told["action"], &told["operationRequestSource"]], ["ChangeQuantity", "Partner"]);
    assert_eq!((&told["status"], &told["quantity"]), (&json!("Succeeded"), &json!(12)));
    assert_eq!(told["subscription"]["quantity"], 9);
    assert_eq!(life.patch(&told["id"], "Success").await, 500);
    assert_eq!(life.stage.call(life.stage.http.delete(&url)).await.0, 202);
    life.wait(Duration::seconds(10));
    let told = life.told().await;
    assert_eq!([&told["action"], &told["operationRequestSource"]], ["Unsubscribe", "Partner"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reinstatement_is_accepted_refused_or_ended() {
    let mut life = Life::begin().await;
    life.receiver.answer([200, 503, 503, 503]);
    assert!(life.world().suspend(life.id));
    life.told().await;
    assert!(life.world().reinstate(life.id));
    let first = life.told().await;
    assert_eq!(life.patch(&first["id"], "Failure").await, 200);
    assert_eq!(life.field("saasSubscriptionStatus"), "Suspended");
    assert!(life.world().reinstate(life.id));
    let second = life.world().webhooks().pop().unwrap().id;
    assert_eq!(life.world().deliver(second).await.unwrap().status(), Some(503));
    life.wait(Duration::seconds(10));
    assert_eq!(life.field("saasSubscriptionStatus"), "Subscribed", "nobody refused it");
    assert!(life.world().suspend(life.id) && life.world().reinstate(life.id));
    let url = life.stage.api(&format!("/{}", life.id));
    assert_eq!(life.stage.call(life.stage.http.delete(&url)).await.0, 202, "this is how it is refused");
    life.wait(Duration::seconds(10));
    assert_eq!(life.field("saasSubscriptionStatus"), "Unsubscribed");
    assert!(!life.world().webhooks().iter().any(|webhook| webhook.action == "Renew"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_webhook_nothing_is_told_and_changes_go_on_as_before() {
    let life = Life::begin().await;
    life.world().register_publisher("http://127.0.0.1:1/landing", "", [CALLBACK]);
    life.world().customer_change(life.id, None, Some(20)).unwrap();
    life.wait(Duration::seconds(9));
    assert_eq!(life.field("quantity"), 9);
    life.wait(Duration::seconds(1));
    assert_eq!(life.field("quantity"), 20);
    assert!(life.world().suspend(life.id) && life.world().reinstate(life.id));
    assert_eq!(life.field("saasSubscriptionStatus"), "Subscribed");
    assert_eq!(life.world().webhooks().len(), 1, "the Subscribe of before");
}
