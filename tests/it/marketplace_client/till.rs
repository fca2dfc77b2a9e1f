//! A scripted end for the metering operations: it answers what it is told to, and keeps the very bytes that came.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use seatkey::{clock::SteppedClock, http, marketplace::Client};
use time::macros::datetime;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use url::Url;

use super::desk::FixedToken;

/// What to do with a request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// A status with a body.
    Say(u16, String),
    /// A status with a header, without a body.
    SayWith(u16, &'static str, &'static str),
    /// The request is read, and the connection ends without an answer.
    Cut,
    /// An answer that ends in the middle.
    Break,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    /// Method, path and query.
    pub(crate) line: String,
    /// The lines of the head, in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

#[derive(Debug, Default)]
struct Script {
    left: VecDeque<Act>,
    came: Vec<Came>,
}

pub(crate) struct Till {
    pub(crate) client: Client,
    base: Url,
    script: Arc<Mutex<Script>>,
    server: JoinHandle<()>,
}

impl Drop for Till {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Till {
    /// A client in front of it, at the present of the tests.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base: Url = format!("http://{}/api", listener.local_addr().unwrap()).parse().unwrap();
        let script = Arc::<Mutex<Script>>::default();
        let server = tokio::spawn(serve(listener, Arc::clone(&script)));
        let clock = SteppedClock::at(datetime!(2026-01-18 12:00 UTC));
        let client = Client::new(base.clone(), http::client().unwrap(), Arc::new(FixedToken), clock);
        Self { client, base, script, server }
    }

    pub(crate) fn base(&self) -> Url {
        self.base.clone()
    }

    /// The next answers; what was not used is forgotten.
    pub(crate) fn will(&self, acts: &[Act]) {
        self.script.lock().unwrap().left = acts.iter().cloned().collect();
    }

    /// The next answer is a 200 with this body.
    pub(crate) fn will_say(&self, body: &str) {
        self.will(&[Act::Say(200, body.to_owned())]);
    }

    /// What came since the last time that somebody asked.
    pub(crate) fn came(&self) -> Vec<Came> {
        std::mem::take(&mut self.script.lock().unwrap().came)
    }
}

async fn serve(listener: TcpListener, script: Arc<Mutex<Script>>) {
    while let Ok((mut connection, _)) = listener.accept().await {
        let Some(came) = receive(&mut connection).await else { continue };
        let act = {
            let mut script = script.lock().unwrap();
            script.came.push(came);
            script.left.pop_front().unwrap_or(Act::Say(500, "nothing was expected".to_owned()))
        };
        let (status, header, body, cut) = match act {
            Act::Say(status, body) => (status, String::new(), body, 0),
            Act::SayWith(status, name, value) => (status, format!("{name}: {value}\r\n"), String::new(), 0),
            Act::Break => (200, String::new(), "{\"result\":[".to_owned(), 100),
            Act::Cut => continue,
        };
        let length = body.len() + cut;
        let answer =
            format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{header}content-length: {length}\r\n\r\n{body}");
        // Whoever asked may have gone.
        drop(connection.write_all(answer.as_bytes()).await);
    }
}

async fn receive(connection: &mut TcpStream) -> Option<Came> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let line = head.lines().next()?.trim_end_matches(" HTTP/1.1").to_owned();
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(Came { line, head, body: body.to_owned() });
            }
        }
        if connection.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
