//! The ten seconds: 100 webhooks a second that wait for an answer, to a whole service with its jobs; how long it takes from
//! the webhook's departure to the PATCH that says yes.

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{
    App as Actix, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::Method,
    web::{self, Data},
};
use seatkey::{
    app::App,
    clock::Stopwatch,
    http,
    marketplace::Client,
    startup::{Jobs, Service},
    web::ServerOptions,
};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::webhooks::real_webhook;
use crate::support::{
    load::post_once,
    microsoft::{OneToken, subscription_json},
    stage::{Database, Stage},
    table::{Row, milliseconds},
};

/// 100 a second, for 20 seconds.
const PAUSE: Duration = Duration::from_millis(10);
const WEBHOOKS: u32 = 2_000;
const PATIENCE: Duration = Duration::from_secs(30);
const GOAL_MILLISECONDS: f64 = 3_000.0;

/// When each operation was answered, in milliseconds of the run.
#[derive(Clone)]
struct Answers {
    watch: Stopwatch,
    at: Arc<Mutex<HashMap<String, f64>>>,
}

impl Answers {
    fn milliseconds(&self) -> f64 {
        self.watch.elapsed().as_secs_f64() * 1_000.0
    }
}

pub(crate) fn measure(runtime: &Runtime, database: Database<'_>) -> Vec<Row> {
    let stage = runtime.block_on(Stage::set(database));
    let answers = Answers { watch: Stopwatch::start(), at: Arc::default() };
    let (microsoft, handle) = runtime.block_on(async { microsoft(&answers) });
    let app = runtime.block_on(async {
        let url = format!("http://{microsoft}/").parse().unwrap();
        let marketplace = Client::new(url, http::client().unwrap(), Arc::new(OneToken), stage.clock());
        App { marketplace, ..stage.app().await }
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let options = ServerOptions { management_bind: None, workers: 2 };
    let service = runtime.block_on(async { Service::start(app, Some((listener, options)), Jobs::Here).unwrap() });
    let (authorization, body) = real_webhook(&stage);
    let body = body.replace("\"Subscribe\"", "\"ChangeQuantity\"");
    let sent = runtime.block_on(send(&answers, address, &authorization, &body));
    runtime.block_on(wait_for_all(&answers, sent.len()));
    let at = answers.at.lock().unwrap();
    let mut times: Vec<f64> = sent.iter().map(|(operation, sent)| at[operation] - sent).collect();
    drop(at);
    times.sort_by(f64::total_cmp);
    runtime.block_on(async {
        service.stop().await;
        handle.stop(false).await;
        stage.strike().await;
    });
    let (median, slowest) = (times[times.len() / 2], times[times.len() * 999 / 1_000]);
    vec![Row {
        what: format!("from webhook to PATCH at 100 a second, p99.9 (limit: their median), {}", database.name()),
        ours: milliseconds(slowest),
        limit: milliseconds(median),
        ratio: format!("{:.1} ×", slowest / median),
        goal: "< 3 s",
        met: slowest < GOAL_MILLISECONDS,
    }]
}

/// Sends at a steady pace, each webhook when its time has come, whatever became of the ones before.
async fn send(answers: &Answers, address: SocketAddr, authorization: &str, body: &str) -> HashMap<String, f64> {
    let mut sent = HashMap::new();
    let mut tick = tokio::time::interval(PAUSE);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..WEBHOOKS {
        tick.tick().await;
        let operation = Uuid::new_v4().to_string();
        let subscription = Uuid::from_u128(u128::from(number) + 1).to_string();
        let body = body.replace("{id}", &operation).replace("{subscription}", &subscription);
        sent.insert(operation, answers.milliseconds());
        let authorization = authorization.to_owned();
        tasks.spawn(async move { post_once(address, "/webhook", &authorization, &body).await });
    }
    while tasks.join_next().await.is_some() {}
    sent
}

async fn wait_for_all(answers: &Answers, count: usize) {
    let watch = Stopwatch::start();
    while answers.at.lock().unwrap().len() < count {
        assert!(watch.elapsed() < PATIENCE, "only {} of {count} were answered", answers.at.lock().unwrap().len());
        tokio::time::sleep(PAUSE).await;
    }
}

/// A Microsoft that answers at once, and notes when it is answered.
fn microsoft(answers: &Answers) -> (SocketAddr, ServerHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answers = Data::new(answers.clone());
    let app = move || Actix::new().app_data(answers.clone()).default_service(web::to(answer));
    let server = HttpServer::new(app).workers(1).disable_signals().shutdown_timeout(1).listen(listener).unwrap().run();
    let handle = server.handle();
    tokio::spawn(server);
    (address, handle)
}

async fn answer(request: HttpRequest, answers: Data<Answers>) -> HttpResponse {
    let parts: Vec<&str> = request.path().trim_start_matches('/').split('/').collect();
    let json = |body: String| HttpResponse::Ok().content_type("application/json").body(body);
    match (request.method(), parts.as_slice()) {
        (&Method::PATCH, [.., "operations", operation]) => {
            let at = answers.milliseconds();
            answers.at.lock().unwrap().entry((*operation).to_owned()).or_insert(at);
            HttpResponse::Ok().finish()
        }
        (_, [.., subscription, "operations", operation]) => json(format!(
            r#"{{"id":"{operation}","subscriptionId":"{subscription}","offerId":"konnekt","planId":"konnekt-yearly","quantity":7,
"action":"ChangeQuantity","status":"InProgress","operationRequestSource":"Azure","timeStamp":"2026-01-15T10:12:00Z"}}"#
        )),
        (_, ["saas", "subscriptions", ""]) => json(r#"{"subscriptions":[]}"#.to_owned()),
        (_, ["saas", "subscriptions", id]) => json(subscription_json("Subscribed", id)),
        _ => HttpResponse::NotFound().finish(),
    }
}
