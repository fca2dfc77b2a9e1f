//! What stands in front of several replicas: it takes connections at the public address and passes each to one of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use url::Url;

/// How often its own list is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Stops when it is dropped; the connections that it has made go on.
pub(crate) struct Balancer {
    tasks: JoinSet<()>,
    behind: Arc<[Behind]>,
}

struct Behind {
    url: Url,
    is_ready: AtomicBool,
}

impl Balancer {
    /// Takes the replicas in turns; where one is dead the next one.
    pub(crate) async fn start(public_url: &Url, replicas: &[Url]) -> Self {
        let behind = replicas.iter().map(|url| Behind { url: url.clone(), is_ready: AtomicBool::new(true) });
        let behind: Arc<[Behind]> = behind.collect();
        let mut tasks = JoinSet::new();
        let listener = TcpListener::bind(("127.0.0.1", public_url.port().unwrap())).await.unwrap();
        tasks.spawn(listen(listener, Arc::clone(&behind)));
        Self { tasks, behind }
    }

    /// From now on it asks each of them again and again, and new connections go to those that are ready.
    pub(crate) fn ask(&mut self, every: Duration) {
        for number in 0..self.behind.len() {
            self.tasks.spawn(ask(Arc::clone(&self.behind), number, every));
        }
    }

    /// Until it has found all of them ready.
    pub(crate) async fn until_all_are_ready(&self) {
        let mut pace = tokio::time::interval(LOOK);
        while !self.behind.iter().all(|one| one.is_ready.load(Ordering::SeqCst)) {
            pace.tick().await;
        }
    }

    /// The address is free again.
    pub(crate) async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn listen(listener: TcpListener, behind: Arc<[Behind]>) {
    let mut number = 0;
    while let Ok((client, _)) = listener.accept().await {
        number += 1;
        let from_here = behind.iter().cycle().skip(number % behind.len()).take(behind.len());
        let ready = from_here.filter(|one| one.is_ready.load(Ordering::SeqCst));
        let ports: Vec<u16> = ready.map(|one| one.url.port().unwrap()).collect();
        tokio::spawn(pass(client, ports));
    }
}

async fn ask(behind: Arc<[Behind]>, number: usize, every: Duration) {
    let http = seatkey::http::client().unwrap();
    let one = &behind[number];
    let mut pace = tokio::time::interval(every);
    loop {
        pace.tick().await;
        let answer = http.get(one.url.join("readyz").unwrap()).send().await;
        one.is_ready.store(answer.is_ok_and(|answer| answer.status() == 200), Ordering::SeqCst);
    }
}

async fn pass(mut client: TcpStream, ports: Vec<u16>) {
    for port in ports {
        if let Ok(mut replica) = TcpStream::connect(("127.0.0.1", port)).await {
            // Small answers leave at once. Whoever is killed resets it.
            drop((client.set_nodelay(true), replica.set_nodelay(true)));
            drop(tokio::io::copy_bidirectional(&mut client, &mut replica).await);
            return;
        }
    }
}
