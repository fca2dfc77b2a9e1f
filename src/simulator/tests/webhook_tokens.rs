//! The tokens of the webhooks, good and bad.

use std::collections::{BTreeSet, HashSet};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{life::Life, *};

fn part(token: &str, number: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(number).unwrap()).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_minted_for_each_try_in_both_versions() {
    let life = Life::begin().await;
    let mut seen = HashSet::new();
    for (version, caller, issuer) in [
        (TokenVersion::V2, "azp", life.stage.url(&format!("/{PUBLISHER}/v2.0"))),
        (TokenVersion::V1, "appid", life.stage.url(&format!("/{PUBLISHER}/"))),
    ] {
        life.world().switch(|switches| switches.token_version = version);
        let request = life.world().webhook_request(1).unwrap();
        let claims = part(request.authorization.strip_prefix("Bearer ").unwrap(), 1);
        let now = life.world().now().unix_timestamp();
        for (name, value) in [
            ("aud", json!("7c1f8b7a-3a55-4f0e-8d0b-5a0e5c1d2b33")),
            ("tid", json!(PUBLISHER)),
            (caller, json!(RESOURCE)),
            ("iss", json!(issuer)),
            ("nbf", json!(now)),
            ("exp", json!(now + 3_600)),
            ("ver", json!(if version == TokenVersion::V1 { "1.0" } else { "2.0" })),
        ] {
            assert_eq!(claims[name], value, "{name}");
        }
        assert!(seen.insert(claims["uti"].clone()));
        let body: Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(body["action"], "Subscribe");
    }
    assert!(life.world().webhook_request(99).is_err());
}

/// The names whose values differ between two tokens, apart from those that are never the same.
fn differing(good: &str, bad: &str, number: usize) -> Vec<String> {
    let (good, bad) = (part(good, number), part(bad, number));
    let names: BTreeSet<&String> = [&good, &bad].iter().flat_map(|part| part.as_object().unwrap().keys()).collect();
    let fixed = names.into_iter().filter(|name| !["aio", "uti"].contains(&name.as_str()));
    fixed.filter(|name| good[*name] != bad[*name]).cloned().collect()
}

/// What is wrong in the header and in the claims; a wrong signature is in neither.
fn wrong_in(kind: HostileToken) -> (&'static [&'static str], &'static [&'static str]) {
    match kind {
        HostileToken::None | HostileToken::Hs256WithPublicKey => (&["alg"], &[]),
        HostileToken::WrongKey | HostileToken::Truncated => (&[], &[]),
        HostileToken::Expired => (&[], &["exp", "iat", "nbf"]),
        HostileToken::NotYet => (&[], &["exp", "nbf"]),
        HostileToken::WrongAudience => (&[], &["aud"]),
        HostileToken::WrongTenant => (&[], &["tid"]),
        HostileToken::WrongIssuer => (&[], &["iss"]),
        HostileToken::WrongCaller => (&[], &["azp"]),
        HostileToken::UnknownKid => (&["kid", "x5t"], &[]),
        HostileToken::IdToken => (&[], &["azp", "azpacr", "name", "nonce", "preferred_username"]),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_tokens_differ_in_one_thing_and_count_for_nothing() {
    let mut life = Life::begin().await;
    life.world().deliver(1).await.unwrap();
    let good = life.receiver.next().await.bearer;
    let tries = life.webhook(1).tries;
    for kind in HostileToken::ALL {
        life.receiver.answer([401]);
        life.world().switch(|switches| switches.hostile_token = Some(kind));
        assert_eq!(life.world().deliver(1).await.unwrap().status(), Some(401));
        assert_eq!(life.world().switches().hostile_token, None, "once");
        let bad = life.receiver.next().await.bearer;
        let (header, claims) = wrong_in(kind);
        assert_eq!(differing(&good, &bad, 0), header, "{kind:?}");
        assert_eq!(differing(&good, &bad, 1), claims, "{kind:?}");
        let genuine = crate::simulator::entra::jwt::verified_claims(life.world(), &bad).is_some();
        assert_eq!(genuine, !claims.is_empty(), "{kind:?}");
    }
    assert_eq!(life.webhook(1).tries, tries);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_body_goes_under_a_valid_token() {
    let mut life = Life::begin().await;
    let answer = life.world().deliver_as(1, |body| body["planId"] = json!("gold")).await;
    assert_eq!(answer, Ok(WebhookAnswer::Status(200)));
    let call = life.receiver.next().await;
    assert_eq!(call.body["planId"], "gold");
    assert!(crate::simulator::entra::jwt::verified_claims(life.world(), &call.bearer).is_some());
    assert_eq!(life.webhook(1).tries, 1);
    assert!(life.world().deliver_as(99, |_| {}).await.is_err());
    life.world().register_publisher("", "https://seatkey.example/webhook", [CALLBACK]);
    let elsewhere = life.world().deliver(1).await.unwrap();
    assert!(matches!(&elsewhere, WebhookAnswer::NoAnswer(why) if why.contains("this machine")), "{elsewhere:?}");
}
