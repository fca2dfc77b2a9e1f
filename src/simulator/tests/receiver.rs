//! A publisher's webhook that answers as it is told and remembers what came.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::StatusCode, web};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

/// One call.
pub(super) struct Call {
    pub(super) bearer: String,
    pub(super) body: Value,
}

pub(super) struct Receiver {
    pub(super) url: String,
    answers: Arc<Mutex<VecDeque<u16>>>,
    holds: Holds,
    calls: mpsc::UnboundedReceiver<Call>,
    server: actix_web::dev::ServerHandle,
}

type Holds = Arc<Mutex<VecDeque<oneshot::Receiver<()>>>>;

#[derive(Clone)]
struct Door {
    answers: Arc<Mutex<VecDeque<u16>>>,
    holds: Holds,
    calls: mpsc::UnboundedSender<Call>,
}

impl Receiver {
    pub(super) fn open() -> Self {
        let (answers, holds) = (Arc::default(), Holds::default());
        let (sender, calls) = mpsc::unbounded_channel();
        let door = web::Data::new(Door { answers: Arc::clone(&answers), holds: Arc::clone(&holds), calls: sender });
        let app = move || App::new().app_data(door.clone()).default_service(web::to(take));
        let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/webhook", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, answers, holds, calls, server: handle }
    }

    /// The next calls get these statuses, those after them 200.
    pub(super) fn answer(&self, statuses: impl IntoIterator<Item = u16>) {
        self.answers.lock().unwrap().extend(statuses);
    }

    /// One of the next calls is not answered before this is used or dropped.
    pub(super) fn hold(&self) -> oneshot::Sender<()> {
        let (release, hold) = oneshot::channel();
        self.holds.lock().unwrap().push_back(hold);
        release
    }

    /// The next call.
    pub(super) async fn next(&mut self) -> Call {
        self.calls.recv().await.unwrap()
    }

    /// The calls so far.
    pub(super) fn taken(&mut self) -> Vec<Call> {
        std::iter::from_fn(|| self.calls.try_recv().ok()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

async fn take(door: web::Data<Door>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).unwrap().to_str().unwrap();
    assert_eq!(header("content-type"), "application/json; charset=utf-8");
    let bearer = header("authorization").strip_prefix("Bearer ").unwrap();
    let call = Call { bearer: bearer.to_owned(), body: serde_json::from_slice(&body).unwrap() };
    drop(door.calls.send(call));
    let hold = door.holds.lock().unwrap().pop_front();
    if let Some(hold) = hold {
        drop(hold.await);
    }
    let status = door.answers.lock().unwrap().pop_front().unwrap_or(200);
    HttpResponse::new(StatusCode::from_u16(status).unwrap())
}
