//! Three replicas that serve and three that work on one PostgreSQL, under load, while one after the other is killed: no webhook
//! is lost, no charge is reported twice, and no request fails that was not a clean 503.
//!
//! `SEATKEY_REPLICA_KILLS=300 cargo test --test it -- replicas --nocapture` is the long form, ten minutes of it;
//! `SEATKEY_SEED` repeats the order of things, though not the moment of each kill.

#![expect(clippy::print_stdout, reason = "seeds and figures are printed")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration as StdDuration,
};

use seatkey::{cli::browser::Browser, domain::charge::State, simulator::World, store::Store};
use time::Duration;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use url::Url;
use uuid::Uuid;

use crate::{
    crashes,
    storms::{Storm, post, settle},
    support::{
        Database,
        chance::{how_many, seeds},
        people::ALEX,
        process::Installation,
    },
};

/// Between two kills.
const CALM: StdDuration = StdDuration::from_secs(2);
/// 50 webhooks a second, and 20 pages.
const WEBHOOKS: StdDuration = StdDuration::from_millis(20);
const PAGES: StdDuration = StdDuration::from_millis(50);
/// A connection that broke is made anew; more often than this it cannot be the fault of one that was killed.
const TRIES: usize = 4;
/// Subscriptions that buy more users again and again.
const BUYERS: usize = 3;
/// One look of so many buys: about once an hour, because a dimension has one slot in each.
const LOOKS: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_that_serve_and_three_that_work_are_killed_in_turn() {
    let seed = seeds(1)[0];
    println!("SEATKEY_SEED={seed}");
    let mut storm = Storm::gather(Installation::set(Database::Postgres).await, seed).await;
    let buying = paying(&mut storm.installation).await;
    storm.installation.kill();
    for command in [["serve", "--no-workers"].as_slice(), ["work"].as_slice()] {
        for _ in 0..3 {
            storm.installation.add(command);
        }
    }
    let balancer = Balancer::start(&storm.installation).await;
    let over = Arc::new(AtomicBool::new(false));
    let mut people = JoinSet::new();
    for id in &buying {
        people.spawn(buy_more(balancer.clone(), *id, Arc::clone(&over)));
    }
    let kills = how_many("SEATKEY_REPLICA_KILLS", 30);
    for kill in 1..=kills {
        blow(&mut storm, &balancer).await;
        let number = storm.chance.below(6);
        storm.installation.kill_other(number);
        // The leases of the dead end, and the next hour brings new slots.
        storm.installation.world().advance(Duration::minutes(20)).unwrap();
        storm.installation.start_other(number);
        if kill % 50 == 0 {
            println!("{kill} kills, {} webhooks answered", storm.answers);
        }
    }
    over.store(true, Ordering::SeqCst);
    let (mut pages, mut upgrades) = (0, 0);
    while let Some(done) = people.join_next().await {
        let (looked, bought) = done.unwrap();
        (pages, upgrades) = (pages + looked, upgrades + bought);
    }
    storm.installation.dismiss_others();
    balancer.stop().await;
    let mut complaints = storm.calm().await;
    let store = storm.installation.store().await;
    // Two that want one slot take two hours.
    for _ in 0..3 {
        storm.installation.world().advance(Duration::hours(1)).unwrap();
        settle(&storm.installation, &store).await;
    }
    let reported = usage(storm.installation.world(), &store, &buying, &mut complaints).await;
    store.close().await;
    complaints.append(&mut balancer.wrong.lock().unwrap());
    println!(
        "{kills} kills, {} webhooks sent, {} answered, {pages} pages, {upgrades} upgrades, {reported} charges reported",
        storm.sent, storm.answers
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

/// Listens at the public address and passes each connection to one of the replicas, or where that is dead to the next one.
/// Whose connection breaks in the midst of a request sends it again.
#[derive(Clone)]
struct Balancer {
    public_url: Url,
    wrong: Arc<Mutex<Vec<String>>>,
    listening: Arc<JoinHandle<()>>,
}

impl Balancer {
    async fn start(installation: &Installation) -> Self {
        let public_url = installation.public_url.clone();
        let listener = TcpListener::bind(("127.0.0.1", public_url.port().unwrap())).await.unwrap();
        let ports: Vec<u16> = installation.addresses().iter().map(|url| url.port().unwrap()).collect();
        let listening = tokio::spawn(async move {
            let mut number = 0;
            while let Ok((client, _)) = listener.accept().await {
                number += 1;
                let ports: Vec<u16> =
                    ports.iter().cycle().skip(number % ports.len()).take(ports.len()).copied().collect();
                tokio::spawn(pass(client, ports));
            }
        });
        Self { public_url, wrong: Arc::default(), listening: Arc::new(listening) }
    }

    /// Whoever has no answer, or one that nobody should get, complains.
    fn judge(&self, what: &str, status: Option<u16>, allowed: &[u16]) {
        if status.is_none_or(|status| status != 503 && !allowed.contains(&status)) {
            self.wrong.lock().unwrap().push(format!("{what}: {status:?}"));
        }
    }

    /// The address is free again.
    async fn stop(&self) {
        self.listening.abort();
        while !self.listening.is_finished() {
            tokio::task::yield_now().await;
        }
    }
}

async fn pass(mut client: TcpStream, ports: Vec<u16>) {
    for port in ports {
        if let Ok(mut replica) = TcpStream::connect(("127.0.0.1", port)).await {
            // Whoever is killed resets it.
            drop(tokio::io::copy_bidirectional(&mut client, &mut replica).await);
            return;
        }
    }
}

/// Two seconds of webhooks.
async fn blow(storm: &mut Storm, balancer: &Balancer) {
    let mut pace = tokio::time::interval(WEBHOOKS);
    let mut under_way = JoinSet::new();
    for _ in 0..CALM.as_millis() / WEBHOOKS.as_millis() {
        pace.tick().await;
        let webhook = storm.something_happens();
        let sent = storm.installation.world().webhook_request(webhook.id).unwrap();
        let (http, balancer) = (storm.http.clone(), balancer.clone());
        under_way.spawn(async move {
            let mut status = None;
            for _ in 0..TRIES {
                if status.is_none() {
                    status = post(&http, &balancer.public_url, &sent).await;
                }
            }
            balancer.judge("a webhook", status, &[200, 400]);
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

/// Somebody who looks at the account page and buys one more user, again and again; gives how many pages and upgrades it were.
async fn buy_more(balancer: Balancer, id: Uuid, over: Arc<AtomicBool>) -> (usize, usize) {
    let mut alex = Browser::of(ALEX).unwrap();
    let mut pace = tokio::time::interval(PAGES * u32::try_from(BUYERS).unwrap());
    let (mut pages, mut upgrades, mut users) = (0, 0, 151);
    let mut failed = 0;
    while !over.load(Ordering::SeqCst) {
        pace.tick().await;
        pages += 1;
        let wanted = (pages % LOOKS == 0).then_some(users);
        match one_more(&mut alex, &balancer.public_url, id, wanted).await {
            Ok((status, accepted)) => {
                failed = 0;
                // 422: the order was taken before, and whoever took it was killed before the answer.
                balancer.judge("a page", Some(status), &[200, 422]);
                upgrades += usize::from(accepted);
                users += u32::from(accepted || status == 422);
            }
            Err(error) => {
                failed += 1;
                if failed > TRIES {
                    balancer.judge(&format!("a page, and then: {error}"), None, &[]);
                }
            }
        }
    }
    (pages, upgrades)
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
        let states = |wanted: &[State]| charges.iter().filter(|charge| wanted.contains(&charge.state)).count();
        let (accepted, unknown) = (states(&[State::Accepted]), states(&[State::Unknown]));
        let twice = slots.iter().filter(|(_, count)| **count > 1);
        complaints.extend(twice.map(|(slot, count)| format!("{id}: {slot:?} was accepted {count} times")));
        if !(accepted..=accepted + unknown).contains(&slots.len()) {
            complaints.push(format!("{id}: {} at Microsoft, {accepted} in the ledger, {unknown} unknown", slots.len()));
        }
        let left = states(&[State::Due, State::Sending]);
        complaints.extend((left > 0).then(|| format!("{id}: {left} are still on their way")));
        reported += accepted;
    }
    reported
}
