//! Webhooks accepted durably: token checked, body stored with its job, 200; beside an empty handler that writes the same two
//! rows by sqlx alone, under the same load.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use actix_web::{
    App as Actix, HttpResponse, HttpServer,
    dev::ServerHandle,
    web::{self, Bytes, Data},
};
use seatkey::{
    clock::{new_id, to_micros},
    simulator::Purchase,
    web::{Server, ServerOptions},
};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::support::{
    bare::{Bare, Bind, Statement, big, id, text},
    load::{Posted, post},
    microsoft::PLAN,
    stage::{Database, NOW, Stage},
    table::{Row, SEVEN_TENTHS, milliseconds},
    timing::interleave,
};

const ROUNDS: usize = 7;
const WORKERS: usize = 2;
const SENDERS: [usize; 2] = [8, 32];
const GOAL_MILLISECONDS: f64 = 50.0;
const ALEX: &str = "a1e4b2c3-7d60-4f51-8a92-3b1c5d7e9f01";

/// The two servers, and what is posted to them.
struct Servers {
    real: Server,
    bare: ServerHandle,
    bare_address: SocketAddr,
    authorization: String,
    body: String,
}

pub(crate) fn measure(runtime: &Runtime, database: Database<'_>) -> Vec<Row> {
    let stage = runtime.block_on(Stage::set(database));
    let app = Arc::new(runtime.block_on(stage.app()));
    let bare = runtime.block_on(Bare::connect(&stage.database_url));
    let servers = runtime.block_on(async { serve(&stage, &app, &bare) });
    let rows = SENDERS.into_iter().flat_map(|senders| compare(&servers, senders, database)).collect();
    runtime.block_on(async {
        servers.real.stop().await;
        servers.bare.stop(false).await;
        bare.close().await;
        drop(app);
        stage.strike().await;
    });
    rows
}

fn compare(servers: &Servers, senders: usize, database: Database<'_>) -> Vec<Row> {
    let mut slowest = Vec::new();
    let mut slowest_bare = Vec::new();
    let load = |address| post(address, "/webhook", &servers.authorization, &servers.body, senders);
    let keep = |posted: Posted, p99s: &mut Vec<f64>| {
        p99s.push(posted.p99_milliseconds);
        posted.per_second
    };
    let real = servers.real.address();
    let samples = interleave(
        ROUNDS,
        [&mut || keep(load(real), &mut slowest), &mut || keep(load(servers.bare_address), &mut slowest_bare)],
    );
    let middle = |mut p99s: Vec<f64>| {
        p99s.sort_by(f64::total_cmp);
        p99s[p99s.len() / 2]
    };
    let (ours, limit) = (middle(slowest), middle(slowest_bare));
    let what = format!("{senders} senders, {}", database.name());
    vec![
        Row::rate(
            format!("webhooks accepted durably, {what}"),
            [samples.median(0), samples.median(1)],
            samples.quotient(0, 1),
            Some(SEVEN_TENTHS),
        ),
        Row {
            what: format!("their slowest of a hundred (p99), {what}"),
            ours: milliseconds(ours),
            limit: milliseconds(limit),
            ratio: format!("{:.2} ×", ours / limit),
            goal: "< 50 ms",
            met: ours < GOAL_MILLISECONDS,
        },
    ]
}

/// The header and the body of a webhook as Microsoft sends it; `{id}` and `{subscription}` stand for what it names.
pub(crate) fn real_webhook(stage: &Stage) -> (String, String) {
    let world = stage.simulator.world();
    let bought =
        world.purchase(Purchase { auto_activate: true, ..Purchase::of("konnekt", PLAN, ALEX.parse().unwrap()) });
    let webhook = world.webhooks_of(bought).into_iter().next().unwrap();
    let request = world.webhook_request(webhook.id).unwrap();
    let body = request.body.replace(&webhook.operation_id.to_string(), "{id}");
    let body = body.replace(&bought.to_string(), "{subscription}");
    assert!(body.contains("{id}") && body.contains("{subscription}"), "the body names nothing: {body}");
    (request.authorization, body)
}

/// A real webhook with a real token; its operation is another one in each request.
fn serve(stage: &Stage, app: &seatkey::app::SharedApp, bare: &Bare) -> Servers {
    let (authorization, body) = real_webhook(stage);
    let body = body.replace("{subscription}", &Uuid::from_u128(1).to_string());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let real = Server::start(app, listener, ServerOptions { management_bind: None, workers: WORKERS }).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let bare_address = listener.local_addr().unwrap();
    let bare = empty_handler(listener, bare.clone());
    Servers { real, bare, bare_address, authorization, body }
}

fn empty_handler(listener: TcpListener, bare: Bare) -> ServerHandle {
    let bare = Data::new(bare);
    let app = move || {
        Actix::new().app_data(bare.clone()).route(
            "/webhook",
            web::post().to(|bare: Data<Bare>, body: Bytes| async move {
                bare.keep().await.transact(&rows(std::str::from_utf8(&body).unwrap())).await;
                HttpResponse::Ok().finish()
            }),
        )
    };
    let server = HttpServer::new(app).workers(WORKERS).disable_signals().shutdown_timeout(1);
    let server = server.listen(listener).unwrap().run();
    let handle = server.handle();
    tokio::spawn(server);
    handle
}

/// The webhook and its job, as the store writes them.
fn rows(body: &str) -> [Statement; 2] {
    let webhook_id = new_id(NOW);
    let webhook = (
        "INSERT INTO webhook (id, operation_id, action, subscription_id, body, claims, refusal, received_at, handled_at, \
         outcome) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (operation_id, action, subscription_id) DO NOTHING",
        vec![
            id(webhook_id),
            text(Uuid::new_v4().to_string()),
            text("Subscribe"),
            id(Uuid::from_u128(1)),
            text(body),
            text(CLAIMS),
            Bind::Text(None),
            big(to_micros(NOW)),
            Bind::Big(None),
            Bind::Text(None),
        ],
    );
    let job = (
        "INSERT INTO job (id, kind, subject, state, run_at, attempts, lease_until, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (kind, subject) DO NOTHING",
        vec![
            id(new_id(NOW)),
            text("handle_webhook"),
            id(webhook_id),
            text("ready"),
            big(to_micros(NOW)),
            Bind::Int(0),
            big(0),
            big(to_micros(NOW)),
        ],
    );
    [webhook, job]
}

/// Claims as long as real ones.
const CLAIMS: &str = r#"{"aud":"a5f6b7c8-2d31-4e57-8b9a-6c0d1e2f3a41","iss":"http://localhost:8081/5b8f2c1d-7e40-4a93-b6d5-9f3a1c7e2d05/v2.0","iat":1768471920,"nbf":1768471920,"exp":1768475520,"azp":"20e940b3-4c77-4b0b-9a53-9e16a1b010a7","azpacr":"2","oid":"0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9","sub":"0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9","tid":"5b8f2c1d-7e40-4a93-b6d5-9f3a1c7e2d05","ver":"2.0"}"#;
