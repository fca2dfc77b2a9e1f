//! Many webhooks at once, several processes, and processes that are killed: what was answered is stored, and what is stored
//! has its effect once.
//!
//! `SEATKEY_KILLS=1000 cargo test --test it -- storms --nocapture` is the long form; `SEATKEY_SEED` repeats the order of
//! things, though not the moment of each kill.

#![expect(clippy::print_stdout, reason = "seeds and figures are printed")]

use std::{collections::BTreeSet, time::Duration as StdDuration};

use futures::{StreamExt as _, stream};
use seatkey::{
    simulator::{Webhook, WebhookRequest, World},
    store::Store,
};
use time::Duration;
use tokio::task::JoinSet;
use url::Url;
use uuid::Uuid;

use crate::{
    crashes,
    support::{
        Database,
        chance::{Chance, how_many, seeds},
        lab::{differences, mails_by_subscription},
        people::ALEX,
        process::Installation,
    },
};

const AT_ONCE: usize = 200;
const DELIVERIES: usize = 500;
/// 50 webhooks a second.
const PACE: StdDuration = StdDuration::from_millis(20);
/// More looks than any storm takes to settle.
const LOOKS: usize = 3_000;

/// One try; the status, where there was an answer.
pub(crate) async fn post(http: &reqwest::Client, url: &Url, sent: &WebhookRequest) -> Option<u16> {
    let call = http.post(url.join("webhook").unwrap()).header("authorization", &sent.authorization);
    let answer = call.header("content-type", "application/json").body(sent.body.clone()).send().await;
    answer.ok().map(|answer| answer.status().as_u16())
}

fn newest(world: &World, id: Uuid) -> Webhook {
    world.webhooks_of(id).pop().unwrap()
}

/// Time passes until nothing is left to do.
pub(crate) async fn settle(installation: &Installation, store: &Store) {
    until(installation, async || store.find_next_job_time().await.unwrap().is_none()).await;
}

/// Time passes until it is so.
pub(crate) async fn until(installation: &Installation, is_so: impl AsyncFn() -> bool) {
    // The service needs the machine more than this test does.
    let mut pace = tokio::time::interval(PACE);
    for _ in 0..LOOKS {
        if is_so().await {
            return;
        }
        installation.world().advance(Duration::SECOND).unwrap();
        pace.tick().await;
    }
    panic!("it does not come to an end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_deliveries_to_three_processes_have_one_effect() {
    let mut installation = Installation::set(Database::Postgres).await;
    installation.start();
    let id = crashes::buy(&installation);
    crashes::live_through(&mut installation, id).await;
    let processes = [installation.public_url.clone(), installation.start_another(), installation.start_another()];
    let (world, store, http) = (installation.world(), installation.store().await, seatkey::http::client().unwrap());
    assert!(world.suspend(id));
    let suspension = world.webhook_request(newest(world, id).id).unwrap();
    assert_eq!(post(&http, &processes[0], &suspension).await, Some(200));
    settle(&installation, &store).await;
    assert!(world.reinstate(id));
    let operation = newest(world, id);
    let sent = world.webhook_request(operation.id).unwrap();
    let deliveries = stream::iter(0..DELIVERIES).map(|number| post(&http, &processes[number % 3], &sent));
    let answers: Vec<Option<u16>> = deliveries.buffer_unordered(AT_ONCE).collect().await;
    assert_eq!(answers, vec![Some(200); DELIVERIES]);
    settle(&installation, &store).await;
    let stored = store.list_webhooks(id, 1_000).await.unwrap();
    assert_eq!(stored.iter().filter(|webhook| webhook.action == "Reinstate").count(), 1, "in the inbox");
    let path = format!("/api/saas/subscriptions/{id}/operations/{}", operation.operation_id);
    let answered = world.requests().into_iter().filter(|one| one.method == "PATCH" && one.path == path).count();
    assert_eq!(answered, 1, "Microsoft is answered once");
    let mails = mails_by_subscription(world);
    let about = |event: &str| mails[&id].iter().filter(|mail| mail.starts_with(event)).count();
    assert_eq!((about("suspended"), about("reinstated")), (1, 1), "{:?}", mails[&id]);
    assert_eq!(differences(world, &store, id).await, Vec::<String>::new());
    store.close().await;
    installation.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_a_storm_on_sqlite() {
    Storm::rage(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_a_storm_on_postgres() {
    Storm::rage(Database::Postgres).await;
}

/// What became of a webhook that nobody has acted upon.
async fn fate(store: &Store, (operation_id, action, id): &(String, String, Uuid)) -> String {
    let webhooks = store.list_webhooks(*id, 100_000).await.unwrap();
    let this = webhooks.into_iter().find(|one| one.operation_id == *operation_id && one.action == *action);
    let Some(this) = this else { return "it is not in the inbox".to_owned() };
    let jobs = store.list_newest_jobs((None, Some("handle_webhook")), None, 1_000_000).await.unwrap();
    let job = jobs.into_iter().find(|job| job.subject == this.id);
    format!("received at {}, {job:?}", this.received_at)
}

/// Webhooks of events that really happen, while the process is killed again and again.
pub(crate) struct Storm {
    pub(crate) installation: Installation,
    pub(crate) chance: Chance,
    pub(crate) http: reqwest::Client,
    ids: Vec<Uuid>,
    pub(crate) sent: usize,
    pub(crate) answers: usize,
    /// Operation, action and subscription of what was answered.
    acknowledged: BTreeSet<(String, String, Uuid)>,
}

impl Storm {
    async fn rage(database: Database) {
        let seed = seeds(1)[0];
        println!("{database:?}: SEATKEY_SEED={seed}");
        let mut storm = Self::gather(Installation::set(database).await, seed).await;
        let kills = how_many("SEATKEY_KILLS", 20);
        for kill in 1..=kills {
            storm.blow().await;
            if kill % 50 == 0 {
                println!("{database:?}: {kill} kills, {} answers", storm.answers);
            }
        }
        let complaints = storm.calm().await;
        let Self { sent, answers, acknowledged, .. } = &storm;
        let operations = acknowledged.len();
        println!("{database:?}: {kills} kills, {sent} webhooks, {answers} answered, of {operations} operations");
        assert!(complaints.is_empty(), "SEATKEY_SEED={seed}\n{}", complaints.join("\n"));
        storm.installation.finish().await;
    }

    /// Two subscriptions that are in use, and forty that nobody has configured.
    pub(crate) async fn gather(mut installation: Installation, seed: u64) -> Self {
        installation.start();
        let mut ids = Vec::new();
        for _ in 0..2 {
            let id = crashes::buy(&installation);
            crashes::live_through(&mut installation, id).await;
            ids.push(id);
        }
        let auto = seatkey::simulator::Purchase {
            auto_activate: true,
            ..seatkey::simulator::Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap())
        };
        ids.extend((0..40).map(|_| installation.world().purchase(auto.clone())));
        // Microsoft accepts after ten seconds what nobody has answered.
        installation.world().switch(|switches| switches.lose = true);
        let http = seatkey::http::client().unwrap();
        Self { installation, chance: Chance::of(seed), http, ids, sent: 0, answers: 0, acknowledged: BTreeSet::new() }
    }

    /// Webhooks at their pace, until some were answered and the process is killed in the midst of them; then it is started
    /// again.
    async fn blow(&mut self) {
        let answers = 1 + self.chance.below(20);
        let mut pace = tokio::time::interval(PACE);
        let mut under_way = JoinSet::new();
        let mut answered = 0;
        while answered < answers {
            pace.tick().await;
            self.send(&mut under_way);
            while let Some(one) = under_way.try_join_next() {
                answered += usize::from(self.note(one.unwrap()));
            }
        }
        // Others wait for their answer, and the jobs are behind.
        self.installation.kill();
        while let Some(one) = under_way.join_next().await {
            self.note(one.unwrap());
        }
        self.installation.start();
        // The leases of the dead end.
        self.installation.world().advance(Duration::seconds(61)).unwrap();
    }

    /// Something happens at Microsoft, and its webhook leaves.
    pub(crate) fn send(&mut self, under_way: &mut JoinSet<(Option<u16>, Webhook)>) {
        let webhook = self.something_happens();
        let sent = self.installation.world().webhook_request(webhook.id).unwrap();
        let (http, url) = (self.http.clone(), self.installation.public_url.clone());
        under_way.spawn(async move { (post(&http, &url, &sent).await, webhook) });
        self.sent += 1;
    }

    /// Whether it was answered. A change that nobody may make is stored, too, and answered with 400.
    pub(crate) fn note(&mut self, (status, webhook): (Option<u16>, Webhook)) -> bool {
        let answered = matches!(status, Some(200 | 400));
        if answered {
            let of = (webhook.operation_id.to_string(), webhook.action.to_owned(), webhook.subscription_id);
            self.acknowledged.insert(of);
            self.answers += 1;
        }
        answered
    }

    /// An event at Microsoft, and its webhook; where nothing can happen now, the last one is sent again.
    pub(crate) fn something_happens(&mut self) -> Webhook {
        let id = *self.chance.pick(&self.ids);
        let world = self.installation.world();
        let asked = self.chance.one_in(3) && world.customer_change(id, Some("konnekt-yearly-2"), None).is_ok();
        if !asked && !world.suspend(id) {
            world.reinstate(id);
        }
        newest(world, id)
    }

    /// The storm is over; gives what is wrong.
    pub(crate) async fn calm(&mut self) -> Vec<String> {
        let store = self.installation.store().await;
        settle(&self.installation, &store).await;
        // A start compares everything, as the last webhooks may never have been answered; the first time it may go on with
        // what the dead had begun.
        for _ in 0..2 {
            self.installation.start();
            let started = self.installation.world().now();
            self.installation.world().advance(Duration::minutes(1)).unwrap();
            let is_compared = async || store.get_sweep().await.unwrap().finished_at.is_some_and(|at| at > started);
            until(&self.installation, is_compared).await;
        }
        let world = self.installation.world();
        settle(&self.installation, &store).await;
        let mut complaints = Vec::new();
        let mut handled = BTreeSet::new();
        for id in &self.ids {
            let known = store.list_webhooks(*id, 100_000).await.unwrap().into_iter();
            let acted_upon = known.filter(|webhook| webhook.outcome.is_some());
            handled.extend(acted_upon.map(|webhook| (webhook.operation_id, webhook.action, *id)));
            complaints.extend(differences(world, &store, *id).await.into_iter().map(|what| format!("{id}: {what}")));
        }
        for lost in self.acknowledged.iter().filter(|one| !handled.contains(*one)) {
            let fate = fate(&store, lost).await;
            complaints.push(format!("{lost:?} was answered, and not acted upon: {fate}"));
        }
        complaints.extend(self.unpaired_mails());
        let dead = store.list_dead_jobs(10).await.unwrap();
        complaints.extend(dead.into_iter().map(|job| format!("a job has given up: {job:?}")));
        store.close().await;
        complaints
    }

    /// Suspensions and reinstatements take turns, and each is told once.
    fn unpaired_mails(&self) -> Vec<String> {
        let world = self.installation.world();
        let mails = mails_by_subscription(world);
        let wrong = self.ids.iter().filter_map(|id| {
            let none = Vec::new();
            let mails = mails.get(id).unwrap_or(&none);
            let about = |event: &str| mails.iter().filter(|mail| mail.starts_with(event)).count();
            let is_suspended = world.subscription(*id)["saasSubscriptionStatus"] == "Suspended";
            let open = usize::from(is_suspended && about("welcome") == 1);
            (about("suspended") != about("reinstated") + open)
                .then(|| format!("{id} (suspended: {is_suspended}): {mails:?}"))
        });
        wrong.collect()
    }
}
