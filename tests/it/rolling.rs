//! Three replicas behind a balancer are restarted one after the other, under load: no request fails. The balancer asks `readyz`
//! every two seconds, and the replicas have the drain time that they have by themselves.
//!
//! `SEATKEY_ROLLING_RESTARTS=20 SEATKEY_RATE=100 cargo test --test it -- rolling --nocapture` is the long form;
//! `SEATKEY_SEED` repeats the order of things.

#![expect(clippy::print_stdout, reason = "seeds and figures are printed")]

use std::time::Duration;

use seatkey::cli::browser::Browser;
use tokio::task::{JoinHandle, JoinSet};
use url::Url;

use crate::{
    crashes,
    storms::{Storm, post},
    support::{
        Database,
        answers::Answers,
        balancer::Balancer,
        chance::{how_many, seeds},
        people::ALEX,
        process::{Installation, Replica},
    },
};

/// The balancer asks so often who is ready.
const ASKS: Duration = Duration::from_secs(2);
const RESTS: Duration = Duration::from_secs(2);
/// Requests a second in the short form: half of them webhooks, half pages.
const RATE: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_are_restarted_one_after_the_other() {
    let seed = seeds(1)[0];
    println!("SEATKEY_SEED={seed}");
    let mut storm = Storm::gather(Installation::set(Database::Postgres).await, seed).await;
    let id = crashes::buy(&storm.installation);
    crashes::live_through(&mut storm.installation, id).await;
    storm.installation.kill();
    storm.installation.configure("drain_seconds = 0\n", "");
    let mut replicas: Vec<Replica> = (0..3).map(|_| storm.installation.replica(&["serve"])).collect();
    for replica in &mut replicas {
        replica.start();
    }
    let urls: Vec<Url> = replicas.iter().map(|replica| replica.url.clone()).collect();
    let mut balancer = Balancer::start(&storm.installation.public_url, &urls).await;
    balancer.ask(ASKS);
    let restarts = how_many("SEATKEY_ROLLING_RESTARTS", 3);
    let restarting = tokio::spawn(async move {
        let starts = restart_in_turn(&mut replicas, &balancer, restarts).await;
        (replicas, balancer, starts)
    });
    let answers = Answers::default();
    let page = storm.installation.public_url.join(&format!("subscriptions/{id}")).unwrap();
    let sent = send(&mut storm, &answers, page, &restarting).await;
    let (replicas, balancer, mut starts) = restarting.await.unwrap();
    drop(replicas);
    starts.sort();
    println!("{restarts} restarts, {sent} requests; {}", answers.told());
    println!("from start to ready: {:?} to {:?}, median {:?}", starts[0], starts[restarts - 1], starts[restarts / 2]);
    balancer.stop().await;
    storm.installation.start();
    let mut complaints = storm.calm().await;
    complaints.extend(answers.wrong());
    assert!(complaints.is_empty(), "SEATKEY_SEED={seed}\n{}", complaints.join("\n"));
    storm.installation.finish().await;
}

/// Seatkey closes a connection that has rested for five seconds. A balancer keeps it for less, so that it never sends anything
/// while that happens.
#[expect(clippy::disallowed_methods, reason = "it stands for what is in front of Seatkey, and not for what leaves it")]
fn client() -> reqwest::Client {
    seatkey::http::install_crypto_provider();
    let client = reqwest::Client::builder().pool_idle_timeout(RESTS).redirect(reqwest::redirect::Policy::none());
    client.build().unwrap()
}

/// Each is told to stop, ends in order, is started again, and is seen by the balancer before it is the next one's turn. Gives
/// how long each start took until it was ready.
async fn restart_in_turn(replicas: &mut [Replica], balancer: &Balancer, restarts: usize) -> Vec<Duration> {
    let mut starts = Vec::new();
    for number in 0..restarts {
        let replica = &mut replicas[number % 3];
        assert_eq!(tokio::task::block_in_place(|| replica.stop()), Some(0), "an orderly end");
        starts.push(tokio::task::block_in_place(|| replica.start()));
        balancer.until_all_are_ready().await;
    }
    starts
}

/// Requests at their pace, as long as there are restarts; gives how many.
async fn send<T>(storm: &mut Storm, answers: &Answers, page: Url, restarting: &JoinHandle<T>) -> usize {
    let rate = how_many("SEATKEY_RATE", RATE);
    let mut pace = tokio::time::interval(Duration::from_secs(2) / u32::try_from(rate).unwrap());
    let http = client();
    let mut alex = Browser::of(ALEX).unwrap().through(http.clone());
    alex.open(page.clone()).await.unwrap();
    let (mut webhooks, mut pages) = (JoinSet::new(), JoinSet::new());
    while !restarting.is_finished() {
        pace.tick().await;
        let webhook = storm.something_happens();
        let sent = storm.installation.world().webhook_request(webhook.id).unwrap();
        let (http, url, judge) = (http.clone(), storm.installation.public_url.clone(), answers.clone());
        webhooks.spawn(async move {
            let status = post(&http, &url, &sent).await;
            judge.judge("webhook", status, &[200, 400]);
            (status, webhook)
        });
        let (mut alex, page, judge) = (alex.clone(), page.clone(), answers.clone());
        pages.spawn(async move {
            let shown = alex.open(page.clone()).await;
            judge.judge("page", shown.ok().filter(|shown| shown.url == page).map(|shown| shown.status), &[200]);
        });
        storm.sent += 1;
        while let Some(one) = webhooks.try_join_next() {
            storm.note(one.unwrap());
        }
        while pages.try_join_next().is_some() {}
    }
    for one in webhooks.join_all().await {
        storm.note(one);
    }
    pages.join_all().await;
    storm.sent * 2
}
