//! A valid token over a false body: another subscription, plan, quantity or action. Whatever it says, what is kept follows
//! Microsoft, and Microsoft is told nothing that the real operation does not ask for.
//!
//! `SEATKEY_SEED` repeats one run of 1,000 cases.

#![expect(clippy::print_stdout, reason = "seeds are printed")]

use std::collections::{BTreeMap, BTreeSet};

use seatkey::simulator::Purchase;
use serde_json::{Value, json};
use time::Duration;
use uuid::Uuid;

use crate::support::{
    chance::{Chance, how_many, seeds},
    lab::{Lab, mails_by_subscription},
    people::ALEX,
};

const CASES: usize = 1_000;
const ACTIONS: [&str; 10] = [
    "Subscribe",
    "ChangePlan",
    "ChangeQuantity",
    "Suspend",
    "Reinstate",
    "Renew",
    "Unsubscribe",
    "Transfer",
    "unsubscribe",
    "DROP TABLE",
];
const PLANS: [&str; 5] = ["team", "business", "konnekt-yearly", "konnekt-yearly-2", "no-such-plan"];

/// Subscriptions that somebody enrolled in, and the last bodies that Microsoft really sent about them.
struct Stall {
    lab: Lab,
    chance: Chance,
    ids: Vec<Uuid>,
    /// What came already: a second copy has no effect.
    came: BTreeSet<[String; 3]>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_false_bodies_change_nothing_that_microsoft_does_not_say() {
    let seed = seeds(1)[0];
    println!("SEATKEY_SEED={seed}");
    let mut stall = Stall::open(seed).await;
    for case in 0..how_many("SEATKEY_CASES", CASES) {
        let (told, complaints) = stall.case().await;
        assert!(complaints.is_empty(), "SEATKEY_SEED={seed}, case {case}: {told}\n{}", complaints.join("\n"));
    }
    stall.lab.sweep().await;
    stall.lab.stage.settle().await;
    for id in &stall.ids {
        assert_eq!(stall.lab.differences(*id).await, Vec::<String>::new(), "SEATKEY_SEED={seed}");
    }
    stall.no_mail_without_an_event();
    stall.lab.stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_in_a_body_about_another_subscription_does_not_hide_the_true_one() {
    let lab = Lab::open().await;
    let ids = [lab.buy_seats(10), lab.buy_seats(10)];
    lab.enrol(&ids, 10).await;
    lab.world().customer_change(ids[0], None, Some(2)).unwrap();
    let webhook = lab.world().webhooks().into_iter().find(|webhook| webhook.action == "ChangeQuantity").unwrap();
    let truth = lab.world().webhook_body(webhook.id).unwrap();
    lab.post(&truth.replace(&ids[0].to_string(), &ids[1].to_string())).await;
    lab.run_due().await;
    lab.post(&truth).await;
    lab.run_due().await;
    lab.advance(Duration::seconds(11));
    assert_eq!(lab.world().subscription(ids[0])["quantity"], 10, "too few seats were refused at Microsoft in time");
    assert!(lab.mailed(ids[0]).iter().any(|mail| mail.starts_with("change_refused")), "{:?}", lab.mailed(ids[0]));
    assert!(lab.mailed(ids[1]).iter().all(|mail| mail == "welcome"), "{:?}", lab.mailed(ids[1]));
    lab.stage.finish().await;
}

impl Stall {
    async fn open(seed: u64) -> Self {
        let lab = Lab::open().await;
        let konnekt = || lab.stage.buy_as(Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap()));
        let mut ids: Vec<Uuid> = (0..6).map(|_| konnekt()).collect();
        ids.extend((0..6).map(|_| lab.buy_seats(10)));
        lab.enrol(&ids, 150).await;
        // What really happens is not told by itself: false bodies are all that comes.
        lab.world().switch(|switches| switches.hold = true);
        Self { lab, chance: Chance::of(seed), ids, came: BTreeSet::new() }
    }

    /// One false body; gives it, and what is wrong afterwards.
    async fn case(&mut self) -> (String, Vec<String>) {
        let really = self.something_happens();
        let body = self.body();
        let before = self.at_microsoft();
        let answer = self.lab.post(&body.to_string()).await;
        self.lab.run_due().await;
        let after = self.at_microsoft();
        let named = body["subscriptionId"].as_str().and_then(|id| id.parse().ok());
        let mut complaints = Vec::new();
        for id in &self.ids {
            // An operation that is really open may be answered, whoever reminds of it; nothing else may be touched.
            if before[id] != after[id] && named != Some(*id) {
                complaints.push(format!("{id} was changed at Microsoft: {} to {}", before[id], after[id]));
            }
        }
        // Whoever is named was looked at: everything about it is known from now on.
        let is_new = self.came.insert(["id", "action", "subscriptionId"].map(|name| body[name].to_string()));
        if let Some(id) = named.filter(|id| is_new && self.ids.contains(id)) {
            complaints.extend(self.lab.differences(id).await);
        }
        let dead = self.lab.stage.app.store.count_dead_jobs().await.unwrap();
        complaints.extend((dead > 0).then(|| "a job waits for a person".to_owned()));
        self.lab.advance(Duration::SECOND);
        (format!("{really}; {body} was answered with {answer:?}"), complaints)
    }

    fn at_microsoft(&self) -> BTreeMap<Uuid, Value> {
        self.ids.iter().map(|id| (*id, self.lab.world().subscription(*id))).collect()
    }

    /// Now and then something really happens.
    fn something_happens(&mut self) -> String {
        let id = *self.chance.pick(&self.ids);
        let world = self.lab.world();
        match self.chance.below(12) {
            0 | 1 => format!("{id} is suspended: {}", world.suspend(id)),
            2 | 3 => format!("{id} is reinstated: {}", world.reinstate(id)),
            4 | 5 => {
                let seats = u32::try_from(1 + self.chance.below(30)).unwrap();
                format!("{id} is to have {seats} seats: {:?}", world.customer_change(id, None, Some(seats)))
            }
            6 => format!(
                "{id} is to have the next plan: {:?}",
                world.customer_change(id, Some("konnekt-yearly-2"), None)
            ),
            7 if self.chance.one_in(20) => format!("{id} is cancelled: {}", world.cancel(id)),
            _ => "nothing happens".to_owned(),
        }
    }

    /// A body of Microsoft's about any subscription, or one from nowhere, with false parts.
    fn body(&mut self) -> Value {
        let sent = self.lab.world().webhooks();
        let mut body = if sent.is_empty() || self.chance.one_in(3) {
            json!({ "id": Uuid::new_v4(), "status": "Succeeded", "operationRequestSource": "Azure",
                    "subscriptionId": self.chance.pick(&self.ids), "action": self.chance.pick(&ACTIONS),
                    "planId": "team", "quantity": 10, "timeStamp": "2026-01-15T10:12:00.0000000Z" })
        } else {
            let webhook = self.chance.pick(&sent);
            serde_json::from_str(&self.lab.world().webhook_body(webhook.id).unwrap()).unwrap()
        };
        for _ in 0..1 + self.chance.below(3) {
            let (name, value) = self.lie();
            body[name] = value;
        }
        body
    }

    fn lie(&mut self) -> (&'static str, Value) {
        match self.chance.below(10) {
            0 | 1 if self.chance.one_in(8) => ("subscriptionId", json!(Uuid::new_v4())),
            0 | 1 => ("subscriptionId", json!(self.chance.pick(&self.ids))),
            2 => ("planId", json!(self.chance.pick(&PLANS))),
            3 => {
                ("quantity", self.chance.pick(&[json!(1), json!(999_999), json!("7"), json!(-3), json!(null)]).clone())
            }
            4 | 5 => ("action", json!(self.chance.pick(&ACTIONS))),
            6 => ("status", json!(self.chance.pick(&["InProgress", "Succeeded", "Failed", "Paid"]))),
            7 => ("operationRequestSource", json!(self.chance.pick(&["Azure", "Partner"]))),
            8 => ("timeStamp", json!(self.chance.pick(&["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "yesterday"]))),
            _ => {
                let status = *self.chance.pick(&["Unsubscribed", "Suspended", "PendingFulfillmentStart"]);
                (
                    "subscription",
                    json!({ "planId": self.chance.pick(&PLANS), "quantity": 1, "saasSubscriptionStatus": status }),
                )
            }
        }
    }

    /// No more mails of a kind than Microsoft has events of it.
    fn no_mail_without_an_event(&self) {
        let kinds = [
            ("suspended", "Suspend"),
            ("reinstated", "Reinstate"),
            ("cancelled", "Unsubscribe"),
            ("seats_changed", "ChangeQuantity"),
            ("renewed", "Renew"),
        ];
        let mails = mails_by_subscription(self.lab.world());
        for id in &self.ids {
            let events = self.lab.world().webhooks_of(*id);
            for (mail, action) in kinds {
                let sent = mails[id].iter().filter(|one| one.starts_with(mail)).count();
                let happened = events.iter().filter(|webhook| webhook.action == action).count();
                assert!(sent <= happened, "{id}: {sent} mails \"{mail}\" of {happened} events: {:?}", mails[id]);
            }
        }
    }
}
