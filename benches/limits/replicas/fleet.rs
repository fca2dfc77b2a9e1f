//! The processes, what they are asked, and what they are told of Microsoft.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use seatkey::{
    clock::{Clock as _, Stopwatch, SystemClock, to_micros},
    domain::subscription::Snapshot,
};
use tokio::{runtime::Runtime, task::JoinSet};
use uuid::Uuid;

use crate::{
    enrolment_page::{COOKIE, sign_in_and_buy},
    ground::{Ground, prepare},
    process::Running,
    reporting::fill,
    support::{
        load::{post, post_once},
        microsoft::Microsoft,
        stage::{Database, NOW, Stage},
    },
    webhooks::real_webhook,
};

/// Pages and jobs.
pub(super) const SINGLE: &[&str] = &["serve"];
/// Pages alone.
pub(super) const SERVE: &[&str] = &["serve", "--no-workers"];
/// Jobs alone.
pub(super) const WORK: &[&str] = &["work"];

const ROUNDS: usize = 5;
/// Webhooks are under way at once, to all that serve together.
const SENDERS: usize = 24;
const EVENTS: u128 = 10_000;
const IDLE: Duration = Duration::from_secs(3);
/// Half a second's requests of a replica are webhooks, half pages: 100 a second, for ten seconds.
const PAIR: Duration = Duration::from_millis(20);
const PAIRS: usize = 500;
const LOOK: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(120);

/// Processes on one database, with a Microsoft that answers at once.
pub(super) struct Fleet {
    stage: Stage,
    ground: Ground,
    microsoft: Microsoft,
    bought: Snapshot,
    authorization: String,
    body: String,
    running: Vec<Running>,
    /// Of those that serve; the same processes as the last ones that run.
    addresses: Vec<SocketAddr>,
}

impl Fleet {
    /// A database with its schema; nobody runs yet. All processes follow the clock of the benchmark, which goes from now on.
    pub(super) async fn gather(database: Database<'_>) -> Self {
        let stage = Stage::set(database).await;
        let (ground, microsoft) = prepare(&stage).await;
        let bought = sign_in_and_buy(&stage, &Arc::new(stage.app().await)).await;
        let (authorization, body) = real_webhook(&stage);
        let body = body.replace("{subscription}", &Uuid::from_u128(1).to_string());
        let offset = to_micros(NOW) - to_micros(SystemClock.now());
        std::fs::write(stage.directory.join("clock"), offset.to_string()).unwrap();
        let (running, addresses) = (Vec::new(), Vec::new());
        Self { stage, ground, microsoft, bought, authorization, body, running, addresses }
    }

    /// Starts one process for each command, and waits until each is ready.
    pub(super) fn start(&mut self, commands: &[&'static [&'static str]]) {
        for command in commands {
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let clock = self.stage.directory.join("clock");
            let configuration = self.configure(address);
            self.running.push(Running::start(command, &configuration, &[("SEATKEY_CLOCK_FILE", &clock)]));
            if command[0] == "serve" {
                self.addresses.push(address);
            }
        }
    }

    /// The configuration of a process at this address.
    fn configure(&self, address: SocketAddr) -> PathBuf {
        let line = |line: &str| match line.split_once(" = ") {
            Some(("bind", _)) => format!("bind = \"{address}\"\n"),
            Some(("base_url", _)) => format!("base_url = \"{}\"\n", self.microsoft.unlisted_url()),
            _ => format!("{line}\n"),
        };
        let text: String = self.stage.configuration.lines().map(line).collect();
        let path = self.stage.directory.join(format!("seatkey-{}.toml", address.port()));
        std::fs::write(&path, text).unwrap();
        path
    }

    /// All processes end at once.
    pub(super) fn stop(&mut self) {
        self.running.clear();
        self.addresses.clear();
    }

    /// Leaves nothing behind.
    pub(super) async fn disband(mut self) {
        self.stop();
        self.microsoft.stop().await;
        drop(self.ground);
        self.stage.strike().await;
    }

    /// Of the largest one, when they have had nothing to do for a while.
    pub(super) fn idle_mebibytes(&self) -> f64 {
        std::thread::sleep(IDLE);
        self.running.iter().map(|one| one.mebibytes("VmRSS")).fold(0.0, f64::max)
    }

    /// Accepted while they are sent without end; and acted upon, from the first one until nothing is left. Medians.
    pub(super) fn webhooks_per_second(&self, runtime: &Runtime) -> (f64, f64) {
        runtime.block_on(self.until_idle());
        let (mut accepted, mut handled) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let watch = Stopwatch::start();
            let rate = self.post();
            let sent = rate * watch.elapsed().as_secs_f64();
            runtime.block_on(self.until_idle());
            accepted.push(rate);
            handled.push(sent / watch.elapsed().as_secs_f64());
        }
        (median(accepted), median(handled))
    }

    /// Each that serves has its share of the senders.
    fn post(&self) -> f64 {
        let senders = SENDERS / self.addresses.len();
        std::thread::scope(|scope| {
            let (authorization, body) = (&self.authorization, &self.body);
            let load = |address| move || post(address, "/webhook", authorization, body, senders).per_second;
            let loads: Vec<_> = self.addresses.iter().map(|address| scope.spawn(load(*address))).collect();
            loads.into_iter().map(|load| load.join().unwrap()).sum()
        })
    }

    async fn until_idle(&self) {
        self.until(async || self.ground.subscribed.store.find_next_job_time().await.unwrap().is_none()).await;
    }

    async fn until(&self, is_so: impl AsyncFn() -> bool) {
        let watch = Stopwatch::start();
        while !is_so().await {
            assert!(watch.elapsed() < PATIENCE, "it takes too long");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The most that one of them took so far, at the end of ten seconds with 100 requests a second for each that serves.
    pub(super) async fn busy_mebibytes(&self) -> f64 {
        let http = seatkey::http::client().unwrap();
        let mut pace = tokio::time::interval(PAIR);
        let mut under_way = JoinSet::new();
        for _ in 0..PAIRS {
            pace.tick().await;
            for address in &self.addresses {
                let body = self.body.replace("{id}", &Uuid::new_v4().to_string());
                let (address, authorization) = (*address, self.authorization.clone());
                under_way.spawn(async move { post_once(address, "/webhook", &authorization, &body).await });
                let page = http.get(format!("http://{address}/subscriptions/{}/enrol?users=150", self.bought.id));
                let page = page.header("cookie", format!("seatkey-buyer-session={COOKIE}"));
                under_way.spawn(async move {
                    let answer = page.send().await.unwrap();
                    assert_eq!(answer.status(), 200);
                    drop(answer.text().await.unwrap());
                });
            }
            while let Some(one) = under_way.try_join_next() {
                one.unwrap();
            }
        }
        under_way.join_all().await;
        self.running.iter().map(|one| one.mebibytes("VmHWM")).fold(0.0, f64::max)
    }

    /// Due charges that wait when the first one starts, until all of them are reported. The others start meanwhile.
    pub(super) fn events_per_second(&mut self, runtime: &Runtime, commands: &[&'static [&'static str]]) -> f64 {
        runtime.block_on(fill(&self.ground, 0, EVENTS));
        let (first, others) = commands.split_first().unwrap();
        self.start(&[first]);
        let watch = Stopwatch::start();
        self.start(others);
        runtime.block_on(self.until(async || {
            let store = &self.ground.subscribed.store;
            let none_is_due = store.list_due_charges(1, NOW).await.unwrap().is_empty();
            none_is_due && store.find_next_attempt().await.unwrap().is_none()
        }));
        #[expect(clippy::cast_precision_loss, reason = "ten thousand fits")]
        let rate = EVENTS as f64 / watch.elapsed().as_secs_f64();
        rate
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
