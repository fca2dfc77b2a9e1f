//! A collector on loopback that keeps what it gets.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, web};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
};
use prost::Message as _;
use uuid::Uuid;

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
