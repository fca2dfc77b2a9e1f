//! Signing keys in a key vault: purchases, rotation, outages, and what is said at the start. The vault is the simulator's.

mod crashes;
mod outages;
mod rotation;
mod start;

use std::sync::Arc;

use seatkey::{
    cli::browser::{Browser, Page},
    jobs::Runner,
    signing,
    simulator::{Fault, FaultAction},
    store::LicenseKey,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    jose, on_both_databases,
    support::{
        Stage,
        people::ALEX,
        told::{mails, stands_in},
    },
};

on_both_databases! {
    a_purchase_is_signed_in_the_vault;
    a_secret_of_the_vault_signs_here;
}

const NAME: &str = "license-signing";

/// The vault has a key, and the service is started with it.
async fn set(stage: &mut Stage) {
    stage.world().create_vault_key(NAME).unwrap();
    let key = address(stage, "keys");
    use_keys(stage, &[key]).await;
}

fn address(stage: &Stage, kind: &str) -> String {
    format!("{}{kind}/{NAME}", stage.simulator.base_url())
}

fn file(stage: &Stage) -> String {
    stage.file("key.pem").display().to_string()
}

/// The service is started with these keys.
async fn use_keys(stage: &mut Stage, keys: &[String]) {
    name_keys(stage, keys);
    stage.restart().await;
}

/// The next start is with these keys.
fn name_keys(stage: &mut Stage, keys: &[String]) {
    let before = stage.write_configuration();
    let text = std::fs::read_to_string(before).unwrap();
    let line = text.lines().find(|line| line.starts_with("keys = ")).unwrap();
    stage.change_configuration(line, &format!("keys = {}", json!(keys)));
}

async fn run(stage: &Stage) {
    Runner::new(Arc::clone(&stage.app)).run_due().await.unwrap();
}

async fn enrolled(stage: &Stage) -> (Browser, Uuid) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    stage.settle().await;
    (alex, id)
}

async fn newest(stage: &Stage, id: Uuid) -> Option<LicenseKey> {
    stage.app.store.find_newest_key(id).await.unwrap()
}

async fn open(stage: &Stage, alex: &mut Browser, id: Uuid, page: &str) -> Page {
    alex.open(stage.url(&format!("subscriptions/{id}{page}"))).await.unwrap()
}

/// What the vault is told to do wrong, for so many requests; it asks nobody to wait.
fn fail(stage: &Stage, path: &str, status: u16, count: u32, body: &str) {
    let headers = [("retry-after".to_owned(), "0".to_owned())].into();
    let action = FaultAction { status: Some(status), body: Some(body.to_owned()), headers, ..FaultAction::default() };
    assert!(stage.world().add_fault(Fault { path: path.to_owned(), method: None, nth: 1, count, action }));
}

/// How often the vault has signed. A token that has run out is a request of its own.
fn signatures(stage: &Stage) -> usize {
    let requests = stage.world().requests();
    requests.iter().filter(|request| request.path.ends_with("/sign") && request.status == Some(200)).count()
}

fn algorithm(key: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let header = URL_SAFE_NO_PAD.decode(key.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["alg"].as_str().unwrap().to_owned()
}

async fn a_purchase_is_signed_in_the_vault(mut stage: Stage) {
    set(&mut stage).await;
    let (mut alex, id) = enrolled(&stage).await;
    let key = newest(&stage, id).await.unwrap();
    assert_eq!((algorithm(&key.compact).as_str(), key.seq, signatures(&stage)), ("ES256", 1, 1));
    let claims = signing::verify(&key.compact, &stage.app.keyring.jwks(), stage.world().now()).unwrap();
    assert_eq!((claims.users, claims.provisional), (Some(150), true));
    // One welcome mail, with the key, and nothing beside it.
    assert_eq!(mails(&stage, id).await, ["welcome"]);
    let mail = &stage.world().mails()[0];
    assert!(mail.text.as_deref().unwrap().contains(&key.compact) && mail.attachments.len() == 1);
    assert!(open(&stage, &mut alex, id, "").await.text.contains(&key.compact));
    let progress: Value = serde_json::from_str(&open(&stage, &mut alex, id, "/progress.json").await.text).unwrap();
    assert!(progress["next"].is_string(), "{progress}");
    // A library that shares nothing with ours.
    let jwks = alex.open(stage.url(".well-known/jwks.json")).await.unwrap();
    let jwks: Value = serde_json::from_str(&jwks.text).unwrap();
    assert_eq!((&jwks["keys"][0]["kty"], &jwks["keys"][0]["alg"]), (&json!("EC"), &json!("ES256")));
    let verdict = jose::verify(&key.compact, &jwks).expect("jwcrypto refuses the key");
    assert_eq!(verdict["claims"]["users"], 150);
    let changed = key.compact.replacen(".eyJ", ".eyK", 1);
    assert_eq!(jose::verify(&changed, &jwks), None);
    // And our own, as a licensed product would run it.
    std::fs::write(stage.file("jwks.json"), jwks.to_string()).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_seatkey"))
        .args(["license", "verify", &key.compact, "--at", "2026-02-01T00:00:00Z", "--jwks"])
        .arg(stage.file("jwks.json"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The private key stays where it is: nothing but public parts and digests was on the wire.
    let requests = stage.world().requests();
    let asked = requests.iter().filter(|request| request.path.starts_with("/keys/"));
    for request in asked {
        let body = &request.body;
        assert!(request.path.ends_with("/sign") == body.contains("\"ES256\"") && !stands_in(body, "eyJ"), "{body}");
    }
    stage.finish().await;
}

async fn a_secret_of_the_vault_signs_here(mut stage: Stage) {
    let pem = std::fs::read_to_string(stage.file("key.pem")).unwrap();
    stage.world().set_vault_secret(NAME, &pem).unwrap();
    let of_the_file = stage.app.keyring.jwks();
    let secret = address(&stage, "secrets");
    use_keys(&mut stage, &[secret]).await;
    assert_eq!(stage.app.keyring.jwks(), of_the_file, "the same key, whatever it came by");
    let (_, id) = enrolled(&stage).await;
    assert_eq!(algorithm(&newest(&stage, id).await.unwrap().compact), "EdDSA");
    assert_eq!(signatures(&stage), 0);
    stage.finish().await;
}
