//! The whole enrolment page: session, database reads, Microsoft's prices, rendering, over HTTP; beside the same reads bare.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use actix_web::{
    App as Actix, HttpResponse, HttpServer,
    dev::ServerHandle,
    web::{self, Data},
};
use seatkey::{
    app::{SharedApp, token_digest},
    clock::Stopwatch,
    domain::{
        policy::{Identity, trial_customer},
        subscription::{Snapshot, Subscription},
    },
    simulator::Purchase,
    store::Session,
    web::{Server, ServerOptions},
};
use time::Duration;
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::page::{Fixed, html};
use crate::support::{
    bare::{Bare, Statement, id, text},
    load::{CONNECTIONS, LASTS, Target},
    microsoft::PLAN,
    stage::{Database, NOW, Stage},
    table::{Row, THREE_FIFTHS},
    timing::interleave,
};

const ROUNDS: usize = 7;
const ALEX: &str = "a1e4b2c3-7d60-4f51-8a92-3b1c5d7e9f01";
/// The cookie of a session that is signed in.
pub(crate) const COOKIE: &str = "a-cookie-of-the-benchmark";
const WORKERS: usize = 2;
const TRIAL_GROUP: &str = "konnekt";

/// What runs during the measurement.
struct Servers {
    real: Server,
    own: ServerHandle,
    targets: [Target; 3],
}

pub(crate) fn measure(runtime: &Runtime, database: Database<'_>) -> Vec<Row> {
    let stage = runtime.block_on(Stage::set(database));
    let bare = runtime.block_on(async { Bare::connect(&migrated(&stage).await).await });
    let app = Arc::new(runtime.block_on(stage.app()));
    let snapshot = runtime.block_on(sign_in_and_buy(&stage, &app));
    let servers = runtime.block_on(async { serve(&app, &bare, &snapshot) });
    let reads = reads(&snapshot);
    let [real, composed, reads_over_http] = &servers.targets;
    for target in [real, composed] {
        assert!(target.body().contains("2,100.00"), "{} shows no quote", target.path);
    }
    let samples = interleave(
        ROUNDS,
        [
            &mut || real.requests_per_second(),
            &mut || composed.requests_per_second(),
            &mut || reads_over_http.requests_per_second(),
            &mut || runtime.block_on(reads_per_second(&bare, &reads)),
        ],
    );
    let row = |what: &str, index, limit, goal| {
        let pair = [samples.median(index), samples.median(limit)];
        Row::rate(format!("{what}, {}", database.name()), pair, samples.quotient(index, limit), goal)
    };
    let rows = vec![
        row("enrolment page, prices at most a minute old", 0, 3, Some(THREE_FIFTHS)),
        row("the same (limit: the reads behind an empty handler)", 0, 2, None),
        row("the page and its reads without sessions and routes", 1, 3, None),
    ];
    runtime.block_on(async {
        servers.stop().await;
        bare.close().await;
        drop(app);
        stage.strike().await;
    });
    rows
}

/// Brings the schema up, so that the bare connections find it.
async fn migrated(stage: &Stage) -> String {
    let store = seatkey::store::Store::connect(&stage.database_url).await.unwrap();
    store.migrate().await.unwrap();
    store.close().await;
    stage.database_url.clone()
}

/// Alex, signed in, with a subscription that waits for its enrolment.
pub(crate) async fn sign_in_and_buy(stage: &Stage, app: &SharedApp) -> Snapshot {
    let bought = stage.simulator.world().purchase(Purchase::of("konnekt", PLAN, ALEX.parse().unwrap()));
    let snapshot = app.marketplace.get_subscription(bought).await.unwrap().value;
    let party = &snapshot.beneficiary;
    let identity = Identity { tenant_id: party.tenant_id.unwrap(), object_id: party.object_id.unwrap() };
    let session = Session {
        id: token_digest(COOKIE),
        identity,
        name: "Alex Weber".to_owned(),
        email: "alex.weber@contoso.example".to_owned(),
        csrf: "fLJbQxZ3mQ0Vn6c2kq8yq0p1nU7o9wS5dR4tE3aW2xY".to_owned(),
        last_seen_at: NOW,
        expires_at: NOW + Duration::days(1),
    };
    let microsoft = snapshot.clone();
    let subscription = Subscription::new(microsoft, NOW);
    let tx = app.store.begin().await.unwrap();
    tx.insert_session(&session, NOW).await.unwrap();
    tx.insert_subscription(&subscription, NOW).await.unwrap();
    tx.commit().await.unwrap();
    snapshot
}

fn serve(app: &SharedApp, bare: &Bare, snapshot: &Snapshot) -> Servers {
    let options = ServerOptions { management_bind: None, workers: WORKERS };
    let real = Server::start(app, TcpListener::bind("127.0.0.1:0").unwrap(), options).unwrap();
    let (own, address) = serve_own(Arc::clone(app), bare.clone(), snapshot);
    let page = Target {
        address: real.address(),
        path: format!("/subscriptions/{}/enrol?users={{users}}", snapshot.id),
        cookie: format!("seatkey-buyer-session={COOKIE}"),
    };
    let plain = |path: &str| Target { address, path: path.to_owned(), cookie: String::new() };
    Servers { real, own, targets: [page, plain("/enrolment/{users}"), plain("/reads")] }
}

/// The page composed by hand, without the call to Microsoft; and the reads alone.
fn serve_own(app: SharedApp, bare: Bare, snapshot: &Snapshot) -> (ServerHandle, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (fixed, app, bare) = (Data::new(Fixed::new()), Data::from(app), Data::new(bare));
    let (reads, id) = (Data::new(reads(snapshot)), Data::new(snapshot.id));
    let service = move || {
        Actix::new()
            .app_data(fixed.clone())
            .app_data(app.clone())
            .app_data(bare.clone())
            .app_data(reads.clone())
            .app_data(id.clone())
            .route("/enrolment/{users}", web::get().to(enrolment))
            .route(
                "/reads",
                web::get().to(|bare: Data<Bare>, reads: Data<[Statement; 3]>| async move {
                    read(&bare, &reads).await;
                    HttpResponse::Ok().finish()
                }),
            )
    };
    let server = HttpServer::new(service).workers(WORKERS).disable_signals().shutdown_timeout(1);
    let server = server.listen(listener).unwrap().run();
    let handle = server.handle();
    tokio::spawn(server);
    (handle, address)
}

async fn enrolment(
    app: Data<seatkey::app::App>,
    fixed: Data<Fixed>,
    id: Data<Uuid>,
    users: web::Path<u32>,
) -> HttpResponse {
    let session = app.store.find_session(&token_digest(COOKIE), NOW).await.unwrap();
    let subscription = app.store.find_subscription(**id).await.unwrap().unwrap();
    assert!(session.is_some());
    let customer = trial_customer(&subscription.microsoft.beneficiary).unwrap();
    let used = app.store.is_trial_used(TRIAL_GROUP, &customer).await.unwrap();
    html(fixed.enrolment(&subscription, if used { 0 } else { 30 }, *users))
}

/// The reads of the page: who it is, what was bought, whether the trial is used up.
fn reads(snapshot: &Snapshot) -> [Statement; 3] {
    let customer = trial_customer(&snapshot.beneficiary).unwrap();
    [
        ("SELECT * FROM session WHERE id = $1", vec![text(token_digest(COOKIE))]),
        ("SELECT * FROM subscription WHERE id = $1", vec![id(snapshot.id)]),
        ("SELECT * FROM trial_use WHERE trial_group = $1 AND customer = $2", vec![text(TRIAL_GROUP), text(customer)]),
    ]
}

async fn read(bare: &Bare, reads: &[Statement; 3]) {
    let mut found = [false; 3];
    for (statement, found) in reads.iter().zip(&mut found) {
        *found = bare.find(statement).await;
    }
    assert_eq!(found, [true, true, false], "signed in, bought, trial not used");
}

/// As many tasks as the load has connections, each asking one after the other.
async fn reads_per_second(bare: &Bare, reads: &[Statement; 3]) -> f64 {
    let watch = Stopwatch::start();
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (bare, reads) = (bare.clone(), reads.clone());
            tokio::spawn(async move {
                let mut done = 0_u32;
                while watch.elapsed() < LASTS {
                    read(&bare, &reads).await;
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await.unwrap();
    }
    f64::from(done) / watch.elapsed().as_secs_f64()
}

impl Servers {
    async fn stop(self) {
        self.real.stop().await;
        self.own.stop(false).await;
    }
}
