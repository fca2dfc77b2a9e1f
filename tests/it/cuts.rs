//! PostgreSQL goes away under the load: its server is killed and comes back, and connections are cut in the midst of a COMMIT,
//! before it took effect or after. Whatever was answered is stored, what is stored has its effect once, and what fails is a
//! clean 503.
//!
//! `SEATKEY_RESTARTS=50 SEATKEY_CUTS=500 cargo test --test it -- cuts --nocapture` is the long form.

#![expect(clippy::print_stdout, reason = "seeds and figures are printed")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration as StdDuration,
};

use seatkey::clock::Stopwatch;
use time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UnixStream},
    task::JoinSet,
};

use crate::{
    storms::Storm,
    support::{
        Database,
        chance::{how_many, seeds},
        postgres::{Own, socket_of, url_through},
        process::Installation,
    },
};

/// 50 webhooks a second.
const PACE: StdDuration = StdDuration::from_millis(20);
/// Webhooks of a gust.
const GUST: usize = 25;
/// One COMMIT of so many is cut.
const EVERY: usize = 13;
/// More looks than it takes to be ready again.
const LOOKS: usize = 3_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_is_killed_and_comes_back() {
    let seed = seeds(1)[0];
    println!("SEATKEY_SEED={seed}");
    let cluster = Own::start();
    let url = cluster.new_database().await;
    let mut storm = Storm::gather(Installation::set_at((url.clone(), url)).await, seed).await;
    let (mut wrong, mut longest) = (Vec::new(), StdDuration::ZERO);
    let restarts = how_many("SEATKEY_RESTARTS", 5);
    for _ in 0..restarts {
        let (mut complaints, ()) = tokio::join!(gust(&mut storm), cluster.kill());
        wrong.append(&mut complaints);
        let watch = Stopwatch::start();
        until_ready(&storm).await;
        longest = longest.max(watch.elapsed());
        // What was taken from the jobs when the server went may be taken again.
        storm.installation.world().advance(Duration::seconds(61)).unwrap();
    }
    println!("{restarts} restarts; ready again after at most {longest:?} of the server's return");
    calm(storm, wrong, seed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_cut_during_commit() {
    let seed = seeds(1)[0];
    println!("SEATKEY_SEED={seed}");
    let direct = Database::Postgres.address(std::path::Path::new("/")).await;
    let cutter = Cutter::start(&direct).await;
    let mut storm = Storm::gather(Installation::set_at((cutter.url(&direct), direct)).await, seed).await;
    cutter.every.store(EVERY, Ordering::SeqCst);
    let mut wrong = Vec::new();
    let cuts = how_many("SEATKEY_CUTS", 40);
    while cutter.cuts.load(Ordering::SeqCst) < cuts {
        wrong.append(&mut gust(&mut storm).await);
        storm.installation.world().advance(Duration::seconds(61)).unwrap();
    }
    cutter.every.store(0, Ordering::SeqCst);
    println!("{} connections were cut during COMMIT", cutter.cuts.load(Ordering::SeqCst));
    calm(storm, wrong, seed).await;
}

/// Half a second of webhooks; gives the answers that nobody should get.
async fn gust(storm: &mut Storm) -> Vec<String> {
    let mut pace = tokio::time::interval(PACE);
    let mut under_way = JoinSet::new();
    for _ in 0..GUST {
        pace.tick().await;
        storm.send(&mut under_way);
    }
    let mut wrong = Vec::new();
    while let Some(one) = under_way.join_next().await {
        let (status, webhook) = one.unwrap();
        if !matches!(status, Some(200 | 400 | 503)) {
            wrong.push(format!("a webhook was answered with {status:?}"));
        }
        storm.note((status, webhook));
    }
    wrong
}

async fn until_ready(storm: &Storm) {
    let url = storm.installation.public_url.join("readyz").unwrap();
    let mut pace = tokio::time::interval(PACE);
    for _ in 0..LOOKS {
        pace.tick().await;
        if storm.http.get(url.clone()).send().await.is_ok_and(|answer| answer.status() == 200) {
            return;
        }
    }
    panic!("it is not ready again");
}

async fn calm(mut storm: Storm, mut wrong: Vec<String>, seed: u64) {
    wrong.append(&mut storm.calm().await);
    println!("{} webhooks sent, {} answered", storm.sent, storm.answers);
    assert!(wrong.is_empty(), "SEATKEY_SEED={seed}\n{}", wrong.join("\n"));
    assert!(storm.answers > 0);
    storm.installation.finish().await;
}

/// Stands between the service and PostgreSQL, and cuts a connection when it sees a COMMIT: in turns before the server has
/// seen it, and when the server has answered.
struct Cutter {
    port: u16,
    /// 0 = none is cut.
    every: Arc<AtomicUsize>,
    cuts: Arc<AtomicUsize>,
}

impl Cutter {
    /// In front of the server of a database on a Unix socket.
    async fn start(direct: &str) -> Self {
        let socket = socket_of(direct);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (every, cuts, seen) = (Arc::default(), Arc::default(), Arc::new(AtomicUsize::new(0)));
        let cutter = Self { port, every: Arc::clone(&every), cuts: Arc::clone(&cuts) };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&socket).await.unwrap();
                let (every, cuts, seen) = (Arc::clone(&every), Arc::clone(&cuts), Arc::clone(&seen));
                tokio::spawn(async move {
                    let decide = || {
                        let every = every.load(Ordering::SeqCst);
                        let number = seen.fetch_add(1, Ordering::SeqCst);
                        let is_cut = every > 0 && number.is_multiple_of(every);
                        is_cut.then(|| cuts.fetch_add(1, Ordering::SeqCst))
                    };
                    pass(client, server, decide).await;
                });
            }
        });
        cutter
    }

    /// The same database, through here.
    fn url(&self, direct: &str) -> String {
        url_through(self.port, direct)
    }
}

/// Passes bytes on both ways, until one side ends or the connection is cut. `decide` gives the number of the cut.
async fn pass(mut client: TcpStream, mut server: UnixStream, decide: impl Fn() -> Option<usize>) {
    // The simple query: its letter, its length, its text with a zero.
    const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                let is_commit = asked[..length].windows(COMMIT.len()).any(|part| part == COMMIT);
                let cut = if is_commit { decide() } else { None };
                if cut.is_some_and(|number| number.is_multiple_of(2)) {
                    return;
                }
                if server.write_all(&asked[..length]).await.is_err() {
                    return;
                }
                if cut.is_some() {
                    // It has taken effect, and nobody is told.
                    drop(server.read(&mut answered).await);
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
