//! Access tokens of Entra as passwords of PostgreSQL: they open it, they are followed, and a refusal is told to the publisher.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use seatkey::{
    app::checkup::Verdict,
    cli::browser::Browser,
    clock::AdvanceableClock as _,
    store::{Access, NoPassword, Passwords, Store, StoreError},
};
use secrecy::SecretString;
use serde_json::Value;
use time::Duration;

use crate::support::{Database, Stage, people::ALEX, postgres::Own, told::doctor_says};

/// The token that the service's identity gets at this moment: asked for once more, it is the same.
async fn token(stage: &Stage) -> String {
    let mut url = stage.simulator.base_url().join("metadata/identity/oauth2/token").unwrap();
    url.query_pairs_mut().append_pair("resource", "https://ossrdbms-aad.database.windows.net");
    let answer = seatkey::http::client().unwrap().get(url).header("metadata", "true").send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

/// A service whose database takes the tokens of its identity.
async fn set() -> (Own, Stage) {
    let server = Own::start();
    let mut stage = Stage::set(Database::Sqlite).await;
    let url = server.new_database_by_password(&token(&stage).await).await;
    let old = std::fs::read_to_string(stage.write_configuration()).unwrap();
    let line = old.lines().find(|line| line.starts_with("url = \"sqlite:")).unwrap();
    stage.change_configuration(line, &format!("url = \"{url}\"\npassword_from = \"entra\""));
    stage.change_configuration("kind = \"client_secret\"", "kind = \"federated_managed_identity\"");
    stage.change_configuration("client_secret = \"marketplace-secret\"\n", "");
    stage.restart().await;
    (server, stage)
}

/// The first answer that is not "try again in a minute": connections that were cut are noticed one by one.
async fn open_patiently(stage: &Stage, alex: &mut Browser, path: &str) -> u16 {
    let mut status = 503;
    for _ in 0..20 {
        status = alex.open(stage.url(path)).await.unwrap().status;
        if status != 503 {
            break;
        }
    }
    status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purchase_on_a_database_that_takes_tokens() {
    let (server, mut stage) = set().await;
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    stage.settle().await;
    // The commands go the same way, each with a token of its own; time has gone on since the service got the last one.
    server.set_password(&token(&stage).await).await;
    assert_eq!(stage.run(&["migrate"]).trim(), "The schema is up to date.");
    assert!(stage.run(&["audit", "verify"]).contains("0 flaws found"));
    assert!(stage.run(&["webhook", "list", &id.to_string()]).is_empty());
    assert!(stage.ask(&["trace", "no-such-id"]).2.contains("nothing is known of no-such-id"));
    assert!(stage.ask(&["backup", "--to", "/nowhere"]).2.contains("PostgreSQL"));

    // An hour later the token is another one, and nobody who had a connection has it still.
    stage.clock.advance(Duration::hours(1)).unwrap();
    server.change_password(&token(&stage).await).await;
    assert_eq!(open_patiently(&stage, &mut alex, "readyz").await, 200);
    assert_eq!(open_patiently(&stage, &mut alex, &format!("subscriptions/{id}")).await, 200);
    stage.restart().await;
    stage.settle().await;
    assert!(stage.app.store.find_newest_key(id).await.unwrap().is_some());
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_token_is_told_to_the_publisher() {
    let (server, stage) = set().await;
    server.change_password("of somebody else").await;
    let mut anybody = Browser::of(ALEX).unwrap();
    let words = "the database refuses our credential: password authentication failed for user \"by_password\"";
    let mut refused = String::new();
    for _ in 0..20 {
        if let Err(error @ StoreError::Refused(_)) = stage.app.store.begin().await {
            refused = error.to_string();
            break;
        }
    }
    assert_eq!(refused, words);
    assert_eq!(anybody.open(stage.url("readyz")).await.unwrap().status, 503);
    assert_eq!(stage.app.health.troubles(), [format!("[database] is refused: {}", words.split_once(": ").unwrap().1)]);
    assert_eq!(anybody.open(stage.url("subscriptions")).await.unwrap().status, 503, "try again in a minute");
    let (code, _, complaint) = stage.ask(&["migrate"]);
    assert_eq!((code, complaint.trim()), (Some(1), format!("seatkey: {words}").as_str()));
    let (does, saw) = diagnosis(&stage).await;
    assert!(does.starts_with("Let the user of [database] url sign in") && saw == words, "{saw}: {does}");

    // It gets its right back, and the service goes on by itself.
    server.change_password(&token(&stage).await).await;
    assert_eq!(anybody.open(stage.url("readyz")).await.unwrap().status, 200);
    assert_eq!(stage.app.health.troubles(), [""; 0]);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_identity_that_gets_no_token_is_told_apart() {
    let (_server, mut stage) = set().await;
    let identity = "kind = \"federated_managed_identity\"";
    let nobody = format!("{identity}\nidentity_client_id = \"{}\"", uuid::Uuid::nil());
    stage.change_configuration(identity, &nobody);
    let (code, _, complaint) = stage.ask(&["migrate"]);
    let words = "the database refuses our credential: there is no token for it: ";
    assert!(code == Some(1) && complaint.contains(words) && complaint.contains("has not been assigned"), "{complaint}");
    let (does, saw) = diagnosis(&stage).await;
    assert!(does.starts_with("Let the user of [database] url sign in") && saw.starts_with(words), "{saw}: {does}");
    stage.change_configuration("?host=", "?sslmode=require&hostaddr=192.0.2.1&was=");
    let (code, _, complaint) = stage.ask(&["migrate"]);
    assert!(code == Some(2) && complaint.contains("database.url needs sslmode=verify-full"), "{complaint}");
    stage.strike().await;
}

/// What the doctor says about opening the database: what mends it, and what was seen.
async fn diagnosis(stage: &Stage) -> (&'static str, String) {
    let verdict = doctor_says(stage, "database.reachable").await;
    assert!(matches!(verdict, Verdict::Wrong(..)), "{verdict:?}");
    (verdict.mend().unwrap().does, verdict.saw().to_owned())
}

/// Passwords as a test wants them.
#[derive(Debug, Default)]
struct Told {
    now: Mutex<String>,
    renewed: AtomicU32,
}

#[async_trait]
impl Passwords for Told {
    async fn current(&self) -> Result<SecretString, NoPassword> {
        Ok(SecretString::from(self.now.lock().unwrap().clone()))
    }

    async fn renewed(&self) -> Result<SecretString, NoPassword> {
        self.renewed.fetch_add(1, Ordering::SeqCst);
        self.current().await
    }
}

/// A token that is followed in time is never refused: old connections live on, new ones are made with the new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_is_refreshed_in_time_is_never_refused() {
    let server = Own::start();
    let url = server.new_database_by_password("first").await;
    let told = Arc::new(Told::default());
    *told.now.lock().unwrap() = "first".to_owned();
    let access = Access::with_passwords(url.as_str().into(), Arc::clone(&told) as _).unwrap();
    let store = Store::connect(access).await.unwrap();
    store.migrate().await.unwrap();
    let before = store.begin().await.unwrap();
    *told.now.lock().unwrap() = "second".to_owned();
    server.set_password("second").await;
    store.refresh_password().await.unwrap();
    // So many at once that most of them are new.
    let held = futures::future::join_all((0..6).map(|_| store.begin())).await;
    assert_eq!(held.iter().filter(|tx| tx.is_ok()).count(), 6);
    before.commit().await.unwrap();
    drop(held);
    assert_eq!(told.renewed.load(Ordering::SeqCst), 0);
    store.close().await;
}
