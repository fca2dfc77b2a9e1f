//! A loopback server that answers with what was recorded, and notes wherein a request differs from the recorded one.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::StatusCode, web};
use seatkey::{clock::SteppedClock, http, marketplace::Client};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::collections::BTreeMap;
use time::macros::datetime;
use url::Url;

use super::desk::{FIXED_TOKEN, FixedToken};

/// One request and its answer, as the session records have them.
#[derive(Debug, Deserialize)]
pub(crate) struct Exchange {
    request: Request,
    response: Response,
}

#[derive(Debug, Deserialize)]
struct Request {
    method: String,
    uri: Url,
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Response {
    status: u16,
    headers: BTreeMap<String, String>,
    /// The very text: prices must not pass through a binary float here.
    body: Box<RawValue>,
}

#[derive(Default)]
struct Script {
    left: VecDeque<Exchange>,
    differences: Vec<String>,
}

/// The server, and a client in front of it.
pub(crate) struct Replay {
    pub(crate) client: Client,
    script: Arc<Mutex<Script>>,
    server: actix_web::dev::ServerHandle,
}

impl Replay {
    /// Plays a file of `tests/fixtures/recorded`.
    pub(crate) fn of(recording: &str) -> Self {
        Self::play(serde_json::from_str(recording).unwrap())
    }

    /// Answers one GET with a made-up body.
    pub(crate) fn of_answer(path: &str, body: &str) -> Self {
        let recording = format!(
            r#"[{{"request":{{"method":"GET","uri":"https://marketplaceapi.microsoft.com/api{path}","headers":{{}},"body":null}},
                "response":{{"status":200,"headers":{{"Content-Type":"application/json"}},"body":{body}}}}}]"#
        );
        Self::of(&recording)
    }

    fn play(exchanges: Vec<Exchange>) -> Self {
        let script = Arc::new(Mutex::new(Script { left: exchanges.into(), differences: Vec::new() }));
        let data = web::Data::new(Arc::clone(&script));
        let app = move || App::new().app_data(data.clone()).default_service(web::to(answer));
        let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/api", server.addrs()[0]).parse().unwrap();
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        let clock = SteppedClock::at(datetime!(2026-01-15 10:00 UTC));
        let client = Client::new(base, http::client().unwrap(), Arc::new(FixedToken), clock);
        Self { client, script, server: handle }
    }

    /// Every recorded request was made, as recorded.
    pub(crate) async fn finish(self) {
        self.server.stop(false).await;
        let script = self.script.lock().unwrap();
        assert_eq!(script.differences, Vec::<String>::new());
        assert!(script.left.is_empty(), "not asked for: {:?}", script.left);
    }
}

async fn answer(script: web::Data<Arc<Mutex<Script>>>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let mut script = script.lock().unwrap();
    let Some(exchange) = script.left.pop_front() else {
        script.differences.push(format!("one request too many: {} {}", request.method(), request.uri()));
        return HttpResponse::InternalServerError().finish();
    };
    let differences = exchange.request.differences(&request, &body);
    script.differences.extend(differences);
    let mut response = HttpResponse::build(StatusCode::from_u16(exchange.response.status).unwrap());
    for (name, value) in &exchange.response.headers {
        // The bodies were shortened; the server counts for itself.
        if !name.eq_ignore_ascii_case("content-length") {
            response.insert_header((name.as_str(), value.as_str()));
        }
    }
    match exchange.response.body.get() {
        "[]" | "null" => response.finish(),
        text => response.body(text.to_owned()),
    }
}

impl Request {
    fn differences(&self, request: &HttpRequest, body: &[u8]) -> Vec<String> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let query = |query: &str| {
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect::<BTreeMap<String, String>>()
        };
        let body: Option<Value> = (!body.is_empty()).then(|| serde_json::from_slice(body).unwrap());
        let bearer = format!("Bearer {FIXED_TOKEN}");
        let mut checks = vec![
            ("method", request.method().as_str() == self.method),
            ("path", request.path() == self.uri.path()),
            ("query", query(request.query_string()) == query(self.uri.query().unwrap_or_default())),
            ("body", body == self.body),
            ("authorization", header("authorization") == Some(bearer.as_str())),
        ];
        for (name, value) in &self.headers {
            checks.push((name, header(name) == Some(value.as_str())));
        }
        let wrong = checks.into_iter().filter(|(_, is_same)| !is_same);
        wrong.map(|(name, _)| format!("{name} of {} {} with {body:?}", request.method(), request.uri())).collect()
    }
}
