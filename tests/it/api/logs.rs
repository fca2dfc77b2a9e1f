//! No API key in the logs, whatever becomes of it; in a process of its own, as `marketplace_client::logs`.

use std::process::Command;

use seatkey::domain::staff::Scope;
use serde_json::json;
use time::Duration;

use super::client::{Program, anna, make_key};
use crate::{
    marketplace_client::logs::{Log, leaks},
    support::{Database, Stage},
};

#[test]
fn no_api_key_is_logged() {
    let own = std::env::current_exe().unwrap();
    let story = "api::logs::keys_with_everything_logged";
    let run = Command::new(own).args(["--exact", story, "--ignored", "--nocapture"]).output().unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && told.contains("1 passed"), "{told}\n{}", String::from_utf8_lossy(&run.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by no_api_key_is_logged, in a process of its own"]
async fn keys_with_everything_logged() {
    let log = Log::install();
    let stage = Stage::set(Database::Sqlite).await;
    let (_, good) = make_key(&stage, &[Scope::QuotesRead], 30).await;
    let (_, expired) = make_key(&stage, &[Scope::QuotesRead], 1).await;
    let (id, revoked) = make_key(&stage, &[Scope::QuotesRead], 30).await;
    seatkey::app::revoke_api_key(&stage.app, &anna(), id).await.unwrap();
    stage.advance(Duration::DAY);
    let unknown = format!("sk_{}", "b".repeat(43));
    for key in [&good, &expired, &revoked, &unknown] {
        let program = Program::sending(&stage, Some(format!("Bearer {key}")));
        program.get("api/v1/subscriptions").await;
        program.post("api/v1/quotes", &json!({ "planId": "konnekt-yearly", "users": 150 })).await;
        // Where it does not belong.
        program.get(&format!("api/v1/subscriptions?offerId={key}")).await;
        program.post("api/v1/quotes", &json!({ "planId": key, "users": key })).await;
        Program::sending(&stage, Some(key.clone())).get("api/v1/subscriptions").await;
    }
    stage.finish().await;
    let text = log.text();
    assert!(text.contains("an API request was refused") && text.contains("/api/v1/quotes"), "nothing was captured");
    let digests = [&good, &expired, &revoked].map(|key| ("digest", seatkey::app::token_digest(key)));
    let keys = [good.clone(), expired.clone(), revoked.clone(), unknown].map(|key| ("API key", key));
    let secrets: Vec<_> = digests.into_iter().chain(keys).collect();
    let found: Vec<_> = leaks(&text, &secrets).collect();
    assert!(found.is_empty(), "{found:#?}");
}
