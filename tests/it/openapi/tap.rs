//! Stands between client and simulator and writes down what goes through.

use std::sync::{Arc, Mutex};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::StatusCode, web};
use serde_json::Value;
use url::Url;

use super::document::Exchange;

pub(super) struct Tap {
    base: Url,
    written: Arc<Mutex<Vec<Exchange>>>,
    server: actix_web::dev::ServerHandle,
}

struct Wire {
    to: Url,
    http: reqwest::Client,
    written: Arc<Mutex<Vec<Exchange>>>,
}

impl Tap {
    pub(super) fn open(to: &Url) -> Self {
        let written = Arc::new(Mutex::new(Vec::new()));
        let http = seatkey::http::client().unwrap();
        let wire = web::Data::new(Wire { to: to.clone(), http, written: Arc::clone(&written) });
        let app = move || App::new().app_data(wire.clone()).default_service(web::to(pass));
        let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/api", server.addrs()[0]).parse().unwrap();
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { base, written, server: handle }
    }

    pub(super) fn base(&self) -> Url {
        self.base.clone()
    }

    pub(super) async fn close(self) -> Vec<Exchange> {
        self.server.stop(false).await;
        std::mem::take(&mut *self.written.lock().unwrap())
    }
}

async fn pass(wire: web::Data<Wire>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let mut url = wire.to.join(request.path()).unwrap();
    url.set_query(Some(request.query_string()));
    let method = reqwest::Method::from_bytes(request.method().as_str().as_bytes()).unwrap();
    let mut outgoing = wire.http.request(method, url).body(body.to_vec());
    let mut request_headers = Vec::new();
    for (name, value) in request.headers() {
        let (name, value) = (name.as_str().to_owned(), value.to_str().unwrap().to_owned());
        if !["host", "content-length"].contains(&name.as_str()) {
            outgoing = outgoing.header(&name, &value);
        }
        request_headers.push((name, value));
    }
    let answer = outgoing.send().await.unwrap();
    let status = answer.status().as_u16();
    let headers = answer.headers().iter();
    let response_headers: Vec<(String, String)> =
        headers.map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned())).collect();
    let text = answer.text().await.unwrap();
    wire.written.lock().unwrap().push(Exchange {
        method: request.method().as_str().to_owned(),
        path: request.path().to_owned(),
        query: url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect(),
        request_headers,
        request_body: (!body.is_empty()).then(|| serde_json::from_slice(&body).unwrap()),
        status,
        response_headers: response_headers.clone(),
        response_body: (!text.is_empty()).then(|| serde_json::from_str::<Value>(&text).unwrap()),
    });
    let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap());
    for (name, value) in
        response_headers.iter().filter(|(name, _)| !["content-length", "date"].contains(&name.as_str()))
    {
        response.insert_header((name.as_str(), value.as_str()));
    }
    response.body(text)
}
