//! A collector on loopback that keeps what it gets, and a service that sends it spans.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, web};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
};
use prost::Message as _;
use seatkey::clock::Stopwatch;
use uuid::Uuid;

use crate::support::process::Installation;

/// So often a start is tried again: somebody else may have been given the port for a moment.
const PORT_TAKEN: usize = 5;

/// A span as it arrived.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) service: String,
    pub(super) trace: Uuid,
    pub(super) id: Vec<u8>,
    pub(super) parent: Vec<u8>,
    pub(super) name: String,
    pub(super) failed: bool,
    pub(super) attributes: BTreeMap<String, String>,
}

type Bodies = Arc<Mutex<Vec<Vec<u8>>>>;

pub(super) struct Collector {
    pub(super) url: String,
    bodies: Bodies,
    server: ServerHandle,
}

impl Collector {
    pub(super) fn start() -> Self {
        let bodies = Bodies::default();
        let data = web::Data::new(Arc::clone(&bodies));
        let app = move || App::new().app_data(data.clone()).route("/v1/traces", web::post().to(take));
        let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, bodies, server: handle }
    }

    /// All bytes, with what is no text left out.
    pub(super) fn text(&self) -> String {
        let bodies = self.bodies.lock().unwrap();
        bodies.iter().map(|body| String::from_utf8_lossy(body).into_owned()).collect::<Vec<_>>().join("\n")
    }

    pub(super) fn spans(&self) -> Vec<Arrived> {
        let bodies = self.bodies.lock().unwrap();
        bodies.iter().flat_map(|body| read(&ExportTraceServiceRequest::decode(&body[..]).unwrap())).collect()
    }

    pub(super) async fn stop(self) {
        self.server.stop(false).await;
    }
}

async fn take(request: HttpRequest, body: web::Bytes, bodies: web::Data<Bodies>) -> HttpResponse {
    assert_eq!(request.headers().get("content-type").unwrap(), "application/x-protobuf");
    bodies.lock().unwrap().push(body.to_vec());
    HttpResponse::Ok().content_type("application/x-protobuf").body("")
}

fn read(request: &ExportTraceServiceRequest) -> Vec<Arrived> {
    let mut found = Vec::new();
    for group in &request.resource_spans {
        let resource = facts(&group.resource.as_ref().unwrap().attributes);
        for span in group.scope_spans.iter().flat_map(|scope| &scope.spans) {
            assert!(span.events.is_empty() && span.links.is_empty() && span.trace_state.is_empty(), "{span:?}");
            assert!(span.status.as_ref().is_none_or(|status| status.message.is_empty()), "{span:?}");
            found.push(Arrived {
                service: resource["service.name"].clone(),
                trace: Uuid::from_slice(&span.trace_id).unwrap(),
                id: span.span_id.clone(),
                parent: span.parent_span_id.clone(),
                name: span.name.clone(),
                failed: span.status.as_ref().is_some_and(|status| status.code == 2),
                attributes: facts(&span.attributes),
            });
        }
    }
    found
}

fn facts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let word = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    };
    let value = |one: &KeyValue| word(one.value.as_ref().unwrap().value.as_ref().unwrap());
    attributes.iter().map(|one| (one.key.clone(), value(one))).collect()
}

/// A process of the service whose log is kept. It does not outlive its test.
pub(super) struct Traced {
    child: Child,
    log: Arc<Mutex<String>>,
    ended: mpsc::Receiver<()>,
}

impl Traced {
    /// Starts it and waits until it is ready.
    pub(super) fn start(installation: &Installation, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        for _ in 0..PORT_TAKEN {
            let mut command = installation.command(arguments);
            command.envs(environment.iter().copied());
            if let Some(traced) = Self::spawn(&mut command) {
                return traced;
            }
        }
        panic!("{arguments:?} does not start");
    }

    fn spawn(command: &mut Command) -> Option<Self> {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let (ready, is_ready) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap().push_str(&format!("{line}\n"));
                if line.contains("\"message\":\"ready\"") {
                    // Nobody listens any more where it was said before.
                    let _ = ready.send(());
                }
            }
            drop(ready);
            drop(end);
        });
        let traced = Self { child, log, ended };
        is_ready.recv().is_ok().then_some(traced)
    }

    /// `SIGTERM`; gives how long the orderly end took, and the whole log.
    pub(super) fn stop(mut self) -> (Duration, String) {
        let watch = Stopwatch::start();
        let told = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status().unwrap();
        assert!(told.success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "an orderly end");
        let took = watch.elapsed();
        assert!(self.ended.recv().is_err(), "the log is read to its end");
        let log = self.log.lock().unwrap().clone();
        (took, log)
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        // One that has ended already need not be killed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
