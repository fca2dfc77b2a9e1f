//! License keys are standard: a JOSE library that shares nothing with ours verifies them with the published keys.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use seatkey::cli::browser::Browser;
use serde_json::{Value, json};

use crate::support::{Database, Stage, people::ALEX};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/jose/verify.py");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_library_verifies_a_key_and_refuses_a_changed_one() {
    let stage = Stage::set(Database::Sqlite).await;
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    stage.settle().await;
    let key = alex.open(stage.url(&format!("subscriptions/{id}/license.lic"))).await.unwrap().text.trim().to_owned();
    let jwks: Value = serde_json::from_str(&alex.open(stage.url(".well-known/jwks.json")).await.unwrap().text).unwrap();
    let verdict = verify(&key, &jwks).expect("the key is refused");
    assert_eq!(verdict.pointer("/header/alg"), Some(&json!("EdDSA")));
    assert_eq!(verdict.pointer("/header/typ"), Some(&json!("license+jwt")));
    assert_eq!(verdict.pointer("/claims/users"), Some(&json!(150)));
    // One character in each part. The last of the signature carries unused bits, so it is one before it.
    let parts: Vec<usize> = key.match_indices('.').map(|(at, _)| at).collect();
    for at in [parts[0] - 5, parts[0] + 20, parts[1] + 20, key.len() - 2] {
        let changed = with_another_character(&key, at);
        assert_eq!(verify(&changed, &jwks), None, "the key with another character at {at} is accepted");
    }
    stage.finish().await;
}

fn with_another_character(key: &str, at: usize) -> String {
    let other = if &key[at..=at] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &key[..at], &key[at + 1..])
}

/// The header and the claims of a genuine key.
pub(crate) fn verify(key: &str, jwks: &Value) -> Option<Value> {
    let mut child = Command::new(python())
        .arg(SCRIPT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    write!(child.stdin.take().unwrap(), "{}", json!({"key": key, "jwks": jwks})).unwrap();
    let output = child.wait_with_output().unwrap();
    match output.status.code() {
        Some(0) => Some(serde_json::from_slice(&output.stdout).unwrap()),
        Some(1) => None,
        _ => panic!("the script failed: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// The Python that has jwcrypto: Debian's own, or the first in the `PATH`.
fn python() -> &'static str {
    let has_it = |python: &&str| {
        Command::new(python).args(["-c", "import jwcrypto"]).output().is_ok_and(|it| it.status.success())
    };
    ["/usr/bin/python3", "python3"]
        .into_iter()
        .find(has_it)
        .expect("jwcrypto is not installed; ./tests/run installs it")
}
