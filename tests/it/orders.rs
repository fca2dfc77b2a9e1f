//! Seven events in the life of a subscription, and their webhooks in every order: each arrives as soon as its turn comes and
//! its event has happened. Wherever they meet, the subscription is where Microsoft is, and everything was done once.

#![expect(clippy::print_stdout, reason = "a long run says how far it is")]

use std::collections::{BTreeMap, VecDeque};

use futures::{StreamExt as _, stream};
use time::Duration;
use uuid::Uuid;

use crate::support::{
    chance::how_many,
    lab::{Lab, mails_by_subscription},
    oracle::Oracle,
};

const EVENTS: [&str; 7] = ["Subscribe", "ChangeQuantity", "ChangePlan", "Suspend", "Reinstate", "Renew", "Unsubscribe"];
const ORDERS: usize = 5_040;
/// Subscriptions in one world: their mails stay in memory.
const AT_ONCE: usize = 504;

/// One subscription and the order in which its webhooks arrive.
struct Life {
    order: Vec<usize>,
    waiting: VecDeque<usize>,
    oracle: Oracle,
}

/// The N-th order of the seven, N in the factorial number system.
fn order(number: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..EVENTS.len()).collect();
    let mut rest = number;
    (1..=EVENTS.len())
        .rev()
        .map(|choices| {
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
    let worlds = numbers.chunks(AT_ONCE).map(|part| tokio::spawn(live(part.to_vec())));
    let mut worlds = stream::iter(worlds).buffer_unordered(2);
    while let Some(last) = worlds.next().await {
        println!("orders up to {}", last.unwrap());
    }
}

/// The lives of one world; gives the number of the last one.
async fn live(numbers: Vec<usize>) -> usize {
    let lab = Lab::open().await;
    let world = lab.world();
    // Microsoft believes that it sent them, and accepts what nobody answers; here they arrive when their turn comes.
    world.switch(|switches| switches.lose = true);
    let ids: Vec<Uuid> = numbers.iter().map(|_| lab.buy_seats(10)).collect();
    lab.enrol(&ids, 10).await;
    let mut lives: Vec<Life> =
        numbers.iter().zip(&ids).map(|(number, id)| Life::begin(&lab, *id, order(*number))).collect();
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
    numbers[numbers.len() - 1]
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
                lab.post(&bodies[&(life.oracle.id, EVENTS[next])]).await;
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
    all.map(|webhook| ((webhook.subscription_id, webhook.action), world.webhook_body(webhook.id).unwrap())).collect()
}

impl Life {
    fn begin(lab: &Lab, id: Uuid, order: Vec<usize>) -> Self {
        Self { oracle: Oracle::of(&lab.stage, id), waiting: order.iter().copied().collect(), order }
    }

    /// A webhook was acted upon.
    fn look(&mut self, lab: &Lab, delivered: usize, happened: usize) {
        self.oracle.look(&lab.stage);
        // Nobody may change to that plan: who is asked in time refuses it.
        let in_time = EVENTS[delivered] == "ChangePlan" && delivered == happened;
        self.oracle.expect_refusals(usize::from(in_time));
    }

    fn story(&self) -> String {
        self.order.iter().map(|event| EVENTS[*event]).collect::<Vec<_>>().join(", ")
    }
}

async fn check(lab: &Lab, lives: &[Life]) {
    let mails = mails_by_subscription(lab.world());
    for life in lives {
        let (story, id) = (life.story(), life.oracle.id);
        let mut complaints = lab.differences(id).await;
        complaints.extend(life.oracle.complaints(&lab.stage, &mails[&id]).await);
        assert_eq!(complaints, Vec::<String>::new(), "{story}: {:?}", mails[&id]);
    }
}
