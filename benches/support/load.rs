//! A load generator: one thread of its own, HTTP/1.1 with keep-alive, as many connections as asked for.

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    time::Duration,
};

use seatkey::clock::Stopwatch;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::LocalSet,
};
use uuid::Uuid;

/// So many requests are under way at once.
pub(crate) const CONNECTIONS: usize = 16;
/// How long one measurement lasts.
pub(crate) const LASTS: Duration = Duration::from_millis(600);

/// A page to be asked for.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The server.
    pub(crate) address: SocketAddr,
    /// Path and query; `{users}` stands for a number that is another one in each request.
    pub(crate) path: String,
    /// The `Cookie` header; empty = none.
    pub(crate) cookie: String,
}

/// In every segment of KONNEKT, so that no two pages in a row are alike; the first one is looked at.
const USERS: [u32; 8] = [150, 27, 300, 998, 1_234, 5_000, 9_999, 12_345];

impl Target {
    fn requests(&self) -> Vec<Vec<u8>> {
        let cookie = if self.cookie.is_empty() { String::new() } else { format!("Cookie: {}\r\n", self.cookie) };
        let request = |users: u32| {
            let path = self.path.replace("{users}", &users.to_string());
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{cookie}\r\n", self.address).into_bytes()
        };
        USERS.into_iter().map(request).collect()
    }

    /// The body of one answer, to see that the right thing is measured.
    pub(crate) fn body(&self) -> String {
        let target = self.clone();
        on_a_thread(move || async move {
            let mut connection = Connection::open(target.address).await;
            let body = connection.exchange(&target.requests()[0]).await;
            String::from_utf8_lossy(&connection.buffer[connection.filled - body..connection.filled]).into_owned()
        })
    }

    /// Answers per second.
    pub(crate) fn requests_per_second(&self) -> f64 {
        let target = self.clone();
        on_a_thread(move || async move {
            let answered = Rc::new(Cell::new(0_u32));
            let watch = Stopwatch::start();
            let clients = (0..CONNECTIONS).map(|_| {
                let (target, answered) = (target.clone(), Rc::clone(&answered));
                tokio::task::spawn_local(async move {
                    let mut connection = Connection::open(target.address).await;
                    for request in target.requests().iter().cycle() {
                        if watch.elapsed() >= LASTS {
                            break;
                        }
                        connection.exchange(request).await;
                        answered.set(answered.get() + 1);
                    }
                })
            });
            for client in clients.collect::<Vec<_>>() {
                client.await.unwrap();
            }
            f64::from(answered.get()) / watch.elapsed().as_secs_f64()
        })
    }
}

/// What a load of posts came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Posted {
    /// Answers per second.
    pub(crate) per_second: f64,
    /// The time below which 99 of 100 answers came, in milliseconds.
    pub(crate) p99_milliseconds: f64,
}

/// Posts without end from so many senders at once; `{id}` in the body is another one in each request.
pub(crate) fn post(address: SocketAddr, path: &str, authorization: &str, body: &str, senders: usize) -> Posted {
    let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {authorization}\r\n");
    let body = body.to_owned();
    on_a_thread(move || async move {
        let times = Rc::new(RefCell::new(Vec::new()));
        let watch = Stopwatch::start();
        let clients = (0..senders).map(|_| {
            let (head, body, times) = (head.clone(), body.clone(), Rc::clone(&times));
            tokio::task::spawn_local(async move {
                let mut connection = Connection::open(address).await;
                while watch.elapsed() < LASTS {
                    let body = body.replace("{id}", &Uuid::new_v4().to_string());
                    let kind = "Content-Type: application/json";
                    let request = format!("{head}{kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                    let sent = Stopwatch::start();
                    connection.exchange(request.as_bytes()).await;
                    times.borrow_mut().push(sent.elapsed().as_secs_f64() * 1_000.0);
                }
            })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.unwrap();
        }
        let mut times = times.take();
        times.sort_by(f64::total_cmp);
        let count = u32::try_from(times.len()).unwrap();
        let p99_milliseconds = times[times.len() * 99 / 100];
        Posted { per_second: f64::from(count) / watch.elapsed().as_secs_f64(), p99_milliseconds }
    })
}

/// Posts once, on a connection of its own.
pub(crate) async fn post_once(address: SocketAddr, path: &str, authorization: &str, body: &str) {
    let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {authorization}\r\n");
    let kind = "Content-Type: application/json";
    let request = format!("{head}{kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    Connection::open(address).await.exchange(request.as_bytes()).await;
}

fn on_a_thread<T: Send + 'static, F: Future<Output = T>>(work: impl FnOnce() -> F + Send + 'static) -> T {
    let thread = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, work())
    });
    thread.join().unwrap()
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Connection {
    async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: vec![0; 256 * 1024], filled: 0 }
    }

    /// Sends a request, reads its whole answer into the buffer, and gives the length of the body. Anything but 200 ends
    /// the benchmark: it would measure something else.
    async fn exchange(&mut self, request: &[u8]) -> usize {
        self.stream.write_all(request).await.unwrap();
        self.filled = 0;
        let mut expected = None;
        loop {
            let count = self.stream.read(&mut self.buffer[self.filled..]).await.unwrap();
            assert!(count > 0, "the server closed the connection");
            self.filled += count;
            expected = expected.or_else(|| lengths(&self.buffer[..self.filled]));
            if let Some((head, body)) = expected.filter(|(head, body)| self.filled >= head + body) {
                assert_eq!(self.filled, head + body, "more than one answer");
                return body;
            }
        }
    }
}

/// The lengths of head and body, once the head is complete.
fn lengths(answer: &[u8]) -> Option<(usize, usize)> {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..head]).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}{}", String::from_utf8_lossy(&answer[head..]));
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    Some((head, length.expect("answers have a length").parse().unwrap()))
}
