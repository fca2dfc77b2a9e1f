//! Seven events in the life of a subscription, and their webhooks in every order: each arrives as soon as its turn comes and
//! its event has happened. Wherever they meet, the subscription is where Microsoft is, and everything was done once.

#![expect(clippy::print_stdout, reason = "a long run says how far it is")]

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;
use time::Duration;
use uuid::Uuid;

use crate::support::{
    chance::how_many,
    lab::{Lab, mails_by_subscription},
};

const EVENTS: [&str; 7] =
    ["Subscribe", "ChangeQuantity", "ChangePlan", "Suspend", "Reinstate", "Renew", "Unsubscribe"];
const ORDERS: usize = 5_040;
/// Subscriptions in one world: their mails stay in memory.
const AT_ONCE: usize = 504;

/// One subscription and the order in which its webhooks arrive.
struct Life {
    id: Uuid,
    order: Vec<usize>,
    waiting: VecDeque<usize>,
    /// What Microsoft said when it was asked last.
    seen: Value,
    expected: BTreeMap<&'static str, usize>,
    plan_changed: bool,
}

/// The N-th order of the seven, N in the factorial number system.
fn order(number: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..EVENTS.len()).collect();
    let mut rest = number;
    (1..=EVENTS.len()).rev().map(|choices| {
        let position = rest % choices;
        rest /= choices;
        left.remove(position)
    })
    .collect()
}

#[test]
fn every_order_is_another_one() {
    let all: std::collections::BTreeSet<Vec<usize>> = (0..ORDERS).map(order).collect();
    assert_eq!(all.len(), ORDERS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_orders_of_seven_webhooks_end_where_microsoft_is() {
    let numbers: Vec<usize> = (0..how_many("SEATKEY_ORDERS", ORDERS)).collect();
    for part in numbers.chunks(AT_ONCE) {
        live(part).await;
        println!("orders up to {}", part[part.len() - 1]);
    }
}

async fn live(numbers: &[usize]) {
    let lab = Lab::open().await;
    let world = lab.world();
    // Microsoft believes that it sent them, and accepts what nobody answers; here they arrive when their turn comes.
    world.switch(|switches| switches.lose = true);
    let ids: Vec<Uuid> = numbers.iter().map(|_| lab.buy_seats(10)).collect();
    lab.enrol(&ids, 10).await;
    let mut lives: Vec<Life> = numbers.iter().zip(&ids).map(|(number, id)| Life::begin(&lab, *id, order(*number))).collect();
    for event in 0..EVENTS.len() {
        happen(&lab, event, &ids);
        deliver(&lab, event, &mut lives).await;
        // What nobody has answered by then is accepted.
        lab.advance(Duration::seconds(11));
    }
    assert!(lives.iter().all(|life| life.waiting.is_empty()));
    lab.sweep().await;
    lab.run_due().await;
    check(&lab, &lives).await;
    lab.stage.finish().await;
}

/// The event happens to all of them, at Microsoft.
fn happen(lab: &Lab, event: usize, ids: &[Uuid]) {
    let world = lab.world();
    if EVENTS[event] == "Renew" {
        world.advance_past_term(ids[0]).unwrap();
        return;
    }
    for id in ids {
        match EVENTS[event] {
            "ChangeQuantity" => drop(world.customer_change(*id, None, Some(20)).unwrap()),
            "ChangePlan" => drop(world.customer_change(*id, Some("business"), None).unwrap()),
            "Suspend" => assert!(world.suspend(*id)),
            "Reinstate" => assert!(world.reinstate(*id)),
            "Unsubscribe" => assert!(world.cancel(*id)),
            _ => {}
        }
    }
}

/// Whatever may arrive now does, one webhook of each subscription at a time.
async fn deliver(lab: &Lab, event: usize, lives: &mut [Life]) {
    let bodies = bodies(lab);
    loop {
        let mut delivered = Vec::new();
        for (position, life) in lives.iter_mut().enumerate() {
            if let Some(next) = life.waiting.pop_front_if(|next| *next <= event) {
                lab.post(&bodies[&(life.id, EVENTS[next])]).await;
                delivered.push((position, next));
            }
        }
        if delivered.is_empty() {
            return;
        }
        lab.run_due().await;
        for (position, next) in delivered {
            lives[position].look(lab, next, event);
        }
        lab.advance(Duration::MILLISECOND);
    }
}

fn bodies(lab: &Lab) -> BTreeMap<(Uuid, &'static str), String> {
    let world = lab.world();
    let all = world.webhooks().into_iter();
    all.map(|webhook| ((webhook.subscription_id, webhook.action), world.webhook_request(webhook.id).unwrap().body)).collect()
}

impl Life {
    fn begin(lab: &Lab, id: Uuid, order: Vec<usize>) -> Self {
        let seen = lab.world().subscription(id);
        let expected = BTreeMap::from([("welcome", 1)]);
        Self { id, waiting: order.iter().copied().collect(), order, seen, expected, plan_changed: false }
    }

    /// A webhook was acted upon: what Microsoft shows now is known, and what is different now was told.
    fn look(&mut self, lab: &Lab, delivered: usize, happened: usize) {
        let now = lab.world().subscription(self.id);
        let different = |pointer: &str| now.pointer(pointer) != self.seen.pointer(pointer);
        let status = |seen: &Value| seen["saasSubscriptionStatus"].as_str().unwrap().to_owned();
        let mut told = Vec::new();
        if different("/quantity") {
            told.push("seats_changed");
        }
        match (status(&self.seen).as_str(), status(&now).as_str()) {
            ("Subscribed", "Suspended") => told.push("suspended"),
            ("Suspended", "Subscribed") => told.push("reinstated"),
            (before, "Unsubscribed") if before != "Unsubscribed" => told.push("cancelled"),
            _ => {}
        }
        if different("/term/startDate") && status(&now) != "Unsubscribed" {
            told.push("renewed");
        }
        // Nobody may change to that plan: who is asked in time refuses it.
        if EVENTS[delivered] == "ChangePlan" && delivered == happened {
            told.push("change_refused");
        }
        self.plan_changed |= different("/planId");
        for event in told {
            *self.expected.entry(event).or_default() += 1;
        }
        self.seen = now;
    }

    fn story(&self) -> String {
        self.order.iter().map(|event| EVENTS[*event]).collect::<Vec<_>>().join(", ")
    }
}

async fn check(lab: &Lab, lives: &[Life]) {
    let mails = mails_by_subscription(lab.world());
    for life in lives {
        let story = life.story();
        assert_eq!(lab.differences(life.id).await, Vec::<String>::new(), "{story}");
        let mut mailed = BTreeMap::<&str, usize>::new();
        for mail in &mails[&life.id] {
            *mailed.entry(mail.split('.').next().unwrap()).or_default() += 1;
        }
        assert_eq!(mailed, life.expected, "{story}: {:?}", mails[&life.id]);
        let findings = lab.stage.app.store.list_findings(life.id).await.unwrap();
        let kinds: Vec<&str> = findings.iter().map(|finding| finding.kind.as_str()).collect();
        let expected: &[&str] = if life.plan_changed { &["plan_changed"] } else { &[] };
        assert_eq!(kinds, expected, "{story}");
    }
}
