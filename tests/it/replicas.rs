//! Three replicas that serve and three that work on one PostgreSQL, under load, while one after the other is killed: no webhook
//! is lost, no charge is reported twice, and no request fails that was not a clean 503.
//!
//! A request that is cut when its replica dies has no answer. Whoever has sent it sends it again, as Microsoft does with a
//! webhook and a person with a page: it is counted as cut, and has failed when it is cut four times in a row.
//!
//! `SEATKEY_REPLICA_KILLS=300 cargo test --test it -- replicas --nocapture` is the long form, ten minutes of it;
//! `SEATKEY_SEED` repeats the order of things, though not the moment of each kill.

#![expect(clippy::print_stdout, reason = "seeds and figures are printed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration as StdDuration,
};

use seatkey::{cli::browser::Browser, domain::charge::State, simulator::World, store::Store};
use time::Duration;
use tokio::task::{JoinHandle, JoinSet};
use url::Url;
use uuid::Uuid;

use crate::{
    crashes,
    storms::{Storm, post, settle, until},
    support::{
        Database,
        answers::Answers,
        balancer::Balancer,
        chance::{Chance, how_many, seeds},
        people::ALEX,
        process::{Installation, Replica},
    },
};

/// From one kill to the next.
const CALM: StdDuration = StdDuration::from_secs(2);
/// 25 webhooks a second, and 10 pages.
const WEBHOOKS: StdDuration = StdDuration::from_millis(40);
const PAGES: StdDuration = StdDuration::from_millis(100);
/// A connection that broke is made anew; more often than this it cannot be the fault of one that was killed.
const TRIES: usize = 4;
/// Subscriptions that buy more users again and again.
const BUYERS: u32 = 3;
/// One look of so many buys: about once an hour, because a dimension has one slot in each.
const LOOKS: usize = 20;
/// So many hours are waited for the slots of what was bought at once.
const HOURS: usize = 48;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_that_serve_and_three_that_work_are_killed_in_turn() {
    let seed = seeds(1)[0];
    println!("SEATKEY_SEED={seed}");
    let mut storm = Storm::gather(Installation::set(Database::Postgres).await, seed).await;
    let buying = paying(&mut storm.installation).await;
    storm.installation.kill();
    let (replicas, balancer) = stand_up(&storm.installation).await;
    let (answers, over) = (Answers::default(), Arc::new(AtomicBool::new(false)));
    let people: JoinSet<usize> = buying
        .iter()
        .map(|id| buy_more(answers.clone(), storm.installation.public_url.clone(), *id, Arc::clone(&over)))
        .collect();
    let kills = how_many("SEATKEY_REPLICA_KILLS", 30);
    let world = storm.installation.world().clone();
    let killer = tokio::spawn(kill_in_turn(replicas, world, Chance::of(seed), kills));
    blow(&mut storm, &answers, &killer).await;
    let replicas = killer.await.unwrap();
    over.store(true, Ordering::SeqCst);
    let upgrades: usize = people.join_all().await.into_iter().sum();
    let store = storm.installation.store().await;
    until_all_have_their_slots(&storm.installation, &store, &buying).await;
    drop(replicas);
    balancer.stop().await;
    storm.installation.start();
    let mut complaints = storm.calm().await;
    let reported = usage(storm.installation.world(), &store, &buying, &mut complaints).await;
    store.close().await;
    complaints.extend(answers.wrong());
    println!(
        "{kills} kills, {} webhooks sent, {} answered, {upgrades} upgrades, {reported} charges reported; {}",
        storm.sent,
        storm.answers,
        answers.told()
    );
    assert!(complaints.is_empty(), "SEATKEY_SEED={seed}\n{}", complaints.join("\n"));
    assert!(upgrades > 0 && reported > upgrades, "there were no charges to report");
    storm.installation.finish().await;
}

/// Subscriptions whose first charges Microsoft has accepted.
async fn paying(installation: &mut Installation) -> Vec<Uuid> {
    let mut ids = Vec::new();
    for _ in 0..BUYERS {
        let id = crashes::buy(installation);
        crashes::live_through(installation, id).await;
        ids.push(id);
    }
    let store = installation.store().await;
    installation.world().advance(Duration::days(40)).unwrap();
    settle(installation, &store).await;
    store.close().await;
    ids
}

async fn stand_up(installation: &Installation) -> (Vec<Replica>, Balancer) {
    let mut replicas = Vec::new();
    for command in [["serve", "--no-workers"].as_slice(), ["work"].as_slice()] {
        for _ in 0..3 {
            let mut replica = installation.replica(command);
            replica.start();
            replicas.push(replica);
        }
    }
    let serving = replicas.iter().filter(|replica| replica.command[0] == "serve");
    let urls: Vec<Url> = serving.map(|replica| replica.url.clone()).collect();
    let balancer = Balancer::start(&installation.public_url, &urls).await;
    (replicas, balancer)
}

/// One of them dies every two seconds, in the midst of what it does, and is started again.
async fn kill_in_turn(mut replicas: Vec<Replica>, world: World, mut chance: Chance, kills: usize) -> Vec<Replica> {
    let mut pace = tokio::time::interval(CALM);
    pace.tick().await;
    for kill in 1..=kills {
        pace.tick().await;
        let number = chance.below(replicas.len());
        let replica = &mut replicas[number];
        replica.kill();
        // The leases of the dead end, and the next hour brings new slots.
        world.advance(Duration::minutes(20)).unwrap();
        tokio::task::block_in_place(|| replica.start());
        if kill % 50 == 0 {
            println!("{kill} kills");
        }
    }
    replicas
}

/// Webhooks at their pace, as long as there is killing.
async fn blow(storm: &mut Storm, answers: &Answers, killer: &JoinHandle<Vec<Replica>>) {
    let mut pace = tokio::time::interval(WEBHOOKS);
    let mut under_way = JoinSet::new();
    while !killer.is_finished() {
        pace.tick().await;
        let webhook = storm.something_happens();
        let sent = storm.installation.world().webhook_request(webhook.id).unwrap();
        let (http, url, answers) = (storm.http.clone(), storm.installation.public_url.clone(), answers.clone());
        under_way.spawn(async move {
            let mut status = None;
            for _ in 0..TRIES {
                status = post(&http, &url, &sent).await;
                if status.is_some() {
                    break;
                }
                answers.cut("webhook");
            }
            answers.judge("webhook", status, &[200, 400, 503]);
            (status, webhook)
        });
        storm.sent += 1;
        while let Some(one) = under_way.try_join_next() {
            storm.note(one.unwrap());
        }
    }
    while let Some(one) = under_way.join_next().await {
        storm.note(one.unwrap());
    }
}

/// Somebody who looks at the account page and buys one more user, again and again; gives how many upgrades it were.
async fn buy_more(answers: Answers, address: Url, id: Uuid, over: Arc<AtomicBool>) -> usize {
    let mut alex = Browser::of(ALEX).unwrap();
    let mut pace = tokio::time::interval(PAGES * BUYERS);
    let (mut pages, mut upgrades, mut users) = (0, 0, 151);
    let mut failed = 0;
    while !over.load(Ordering::SeqCst) {
        pace.tick().await;
        pages += 1;
        let wanted = (pages % LOOKS == 0).then_some(users);
        match one_more(&mut alex, &address, id, wanted).await {
            Ok((status, accepted)) => {
                failed = 0;
                // 422: the order was taken before, and whoever took it was killed before the answer.
                answers.judge("page", Some(status), &[200, 422, 503]);
                upgrades += usize::from(accepted);
                users += u32::from(accepted || status == 422);
            }
            Err(error) => {
                failed += 1;
                answers.cut("page");
                if failed == TRIES {
                    answers.judge(&format!("page, and then: {error}"), None, &[]);
                }
            }
        }
    }
    upgrades
}

/// Looks at the account page, and orders so many users. Gives the status, and whether the order was taken.
async fn one_more(
    alex: &mut Browser,
    address: &Url,
    id: Uuid,
    wanted: Option<u32>,
) -> Result<(u16, bool), seatkey::cli::browser::BrowseError> {
    let url = |path: &str| address.join(&format!("subscriptions/{id}{path}")).unwrap();
    let page = alex.open(url("")).await?;
    let (Some(users), Ok(csrf)) = (wanted, page.field("csrf")) else { return Ok((page.status, false)) };
    let review = alex.post_form(url("/users"), &[("csrf", csrf), ("users", users.to_string())]).await?;
    let (Ok(csrf), Ok(change)) = (review.field("csrf"), review.field("change")) else {
        return Ok((review.status, false));
    };
    let done = alex.post_form(url("/users/submit"), &[("csrf", csrf), ("change", change)]).await?;
    Ok((done.status, done.status == 200))
}

/// Two charges that want one slot take two hours: hours pass until none is left. The reporter's own look is an appointment
/// that nobody else waits for.
async fn until_all_have_their_slots(installation: &Installation, store: &Store, ids: &[Uuid]) {
    for _ in 0..HOURS {
        settle(installation, store).await;
        until(installation, async || {
            let jobs = store.list_newest_jobs((Some("ready"), Some("report_usage")), None, 1).await.unwrap();
            jobs.iter().all(|job| job.run_at > installation.world().now())
        })
        .await;
        let mut left = BTreeSet::new();
        for id in ids {
            let charges = store.list_charges(*id).await.unwrap();
            left.extend(charges.iter().filter(|charge| is_under_way(charge.state)).map(|charge| charge.id));
        }
        if left.is_empty() {
            return;
        }
        installation.world().advance(Duration::hours(1)).unwrap();
    }
}

fn is_under_way(state: State) -> bool {
    matches!(state, State::Due | State::Sending)
}

/// What Microsoft was told of them, against the ledger; gives the number of charges that it has.
async fn usage(world: &World, store: &Store, ids: &[Uuid], complaints: &mut Vec<String>) -> usize {
    let mut reported = 0;
    for id in ids {
        let mut slots = BTreeMap::<(String, i64), usize>::new();
        for one in world.usage_of(*id).into_iter().filter(|one| one.usage_event_id.is_some()) {
            let hour = one.effective_start.unwrap().unix_timestamp().div_euclid(3_600);
            *slots.entry((one.dimension, hour)).or_default() += 1;
        }
        let charges = store.list_charges(*id).await.unwrap();
        let count = |is_one: &dyn Fn(State) -> bool| charges.iter().filter(|charge| is_one(charge.state)).count();
        let (accepted, unknown) = (count(&|state| state == State::Accepted), count(&|state| state == State::Unknown));
        let twice = slots.iter().filter(|(_, count)| **count > 1);
        complaints.extend(twice.map(|(slot, count)| format!("{id}: {slot:?} was accepted {count} times")));
        if !(accepted..=accepted + unknown).contains(&slots.len()) {
            complaints.push(format!("{id}: {} at Microsoft, {accepted} in the ledger, {unknown} unknown", slots.len()));
        }
        let left = count(&is_under_way);
        complaints.extend((left > 0).then(|| format!("{id}: {left} are still on their way")));
        reported += accepted;
    }
    reported
}
