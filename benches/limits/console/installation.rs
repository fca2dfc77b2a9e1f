//! The installation: loaded by SQL, somebody signed in, and the servers.

use std::net::{SocketAddr, TcpListener};

use actix_web::{
    App as Actix, HttpResponse, HttpServer,
    dev::ServerHandle,
    web::{self, Data},
};
use sea_orm::sqlx::{AssertSqlSafe, PgPool, Row as _, postgres::PgPoolOptions, query_scalar, raw_sql};
use seatkey::{
    app::{App, SharedApp, token_digest},
    clock::{Stopwatch, to_micros},
    domain::{policy::Identity, staff::Roles},
    store::StaffSession,
    web::{Server, ServerOptions},
};
use time::Duration;
use uuid::Uuid;

use super::asked::Case;
use crate::support::{
    bare::{Bare, Statement},
    stage::NOW,
};

/// What the browser of whoever is signed in sends.
pub(super) const COOKIE: &str = "a-cookie-of-the-benchmark";
const LOAD: &str = include_str!("load.sql");
/// Indexes come back by their own words, once all rows are there.
const INDEXES: &str = "SELECT indexdef FROM kept_index ORDER BY indexname";
const WORKERS: usize = 2;

/// The loaded database.
pub(super) struct Installation {
    /// One connection, for whoever looks into it.
    pub(super) pool: PgPool,
    /// How many subscriptions.
    pub(super) subscriptions: u64,
}

impl Installation {
    /// Fills a migrated database.
    pub(super) async fn load(url: &str) -> Self {
        let subscriptions = std::env::var("SEATKEY_SUBSCRIPTIONS").map_or(1_000_000, |text| text.parse().unwrap());
        // One connection: what is set for the load holds for all of it, and ends with it.
        let loader = PgPoolOptions::new().max_connections(1).connect(url).await.unwrap();
        let watch = Stopwatch::start();
        // A load of gigabytes would otherwise stop for a checkpoint again and again.
        raw_sql("ALTER SYSTEM SET max_wal_size = '4GB'").execute(&loader).await.unwrap();
        raw_sql("SELECT pg_reload_conf()").execute(&loader).await.unwrap();
        let script = LOAD.replace("{n}", &subscriptions.to_string()).replace("{now}", &to_micros(NOW).to_string());
        for step in script.split("\n----\n") {
            raw_sql(AssertSqlSafe(step.to_owned())).execute(&loader).await.unwrap();
        }
        let loaded = watch.elapsed();
        let key = "ALTER TABLE search_term ADD PRIMARY KEY (term, target, kind)".to_owned();
        let indexes: Vec<String> = query_scalar(INDEXES).fetch_all(&loader).await.unwrap();
        for statement in [key].into_iter().chain(indexes).chain(["VACUUM ANALYZE".to_owned(), "CHECKPOINT".to_owned()])
        {
            raw_sql(AssertSqlSafe(statement)).execute(&loader).await.unwrap();
        }
        loader.close().await;
        let pool = PgPoolOptions::new().max_connections(1).connect(url).await.unwrap();
        let installation = Self { pool, subscriptions };
        let size = installation.texts("SELECT pg_size_pretty(pg_database_size(current_database()))".to_owned()).await;
        let rows = installation.texts(ROWS.to_owned()).await;
        eprintln!("  {} with {}", size.join(""), rows.join(", "));
        eprintln!("  rows after {:.0} s, indexes after {:.0} s", loaded.as_secs_f64(), watch.elapsed().as_secs_f64());
        installation
    }

    /// The first column of what a query finds, texts.
    pub(super) async fn texts(&self, sql: String) -> Vec<String> {
        query_scalar(AssertSqlSafe(sql)).fetch_all(&self.pool).await.unwrap()
    }

    /// How PostgreSQL answers a query.
    pub(super) async fn explain(&self, (sql, binds): &Statement) -> Vec<String> {
        let statement = (&*format!("EXPLAIN (ANALYZE, BUFFERS, SUMMARY) {sql}").leak(), binds.clone());
        let rows = Bare::Postgres(self.pool.clone()).rows(&statement).await;
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// An admin, who may see every page.
    pub(super) async fn sign_in(&self, app: &App) {
        let who = Identity { tenant_id: Uuid::from_u128(1), object_id: Uuid::from_u128(2) };
        let tx = app.store.begin().await.unwrap();
        let roles = Roles::from_words(["Admin"]);
        let member = tx.record_staff_member(who, ("Ada", "ada@konnekt.example"), &roles, NOW).await.unwrap();
        let session = StaffSession {
            id: token_digest(COOKIE),
            member,
            csrf: "fLJbQxZ3mQ0Vn6c2kq8yq0p1nU7o9wS5dR4tE3aW2xY".to_owned(),
            created_at: NOW,
            last_seen_at: NOW,
            expires_at: NOW + Duration::hours(8),
        };
        tx.insert_staff_session(&session).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub(super) async fn close(self) {
        self.pool.close().await;
    }
}

/// How many rows each table has, by the statistics.
const ROWS: &str = "SELECT reltuples::bigint || ' ' || relname FROM pg_class WHERE relkind = 'r' AND reltuples > 1000 \
                    AND relnamespace = 'public'::regnamespace ORDER BY reltuples DESC";

/// The empty handler with the main queries.
pub(super) struct Limit {
    pub(super) address: SocketAddr,
    pub(super) handle: ServerHandle,
}

/// The real routes, and the limit with as many threads.
pub(super) fn serve(app: &SharedApp, bare: &Bare, cases: &[Case]) -> (Server, Limit) {
    let options = ServerOptions { management_bind: None, workers: WORKERS };
    let real = Server::start(app, TcpListener::bind("127.0.0.1:0").unwrap(), options).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let statements: Vec<Vec<Statement>> =
        cases.iter().map(|case| case.asked.iter().map(|one| one.limit.clone()).collect()).collect();
    let (bare, statements) = (Data::new(bare.clone()), Data::new(statements));
    let service = move || {
        Actix::new().app_data(bare.clone()).app_data(statements.clone()).route("/{case}/{way}", web::get().to(answer))
    };
    let server = HttpServer::new(service).workers(WORKERS).disable_signals().listen(listener).unwrap().run();
    let handle = server.handle();
    tokio::spawn(server);
    (real, Limit { address, handle })
}

async fn answer(
    bare: Data<Bare>,
    statements: Data<Vec<Vec<Statement>>>,
    path: web::Path<(usize, usize)>,
) -> HttpResponse {
    let (case, way) = path.into_inner();
    HttpResponse::Ok().body(bare.rows(&statements[case][way]).await.len().to_string())
}
