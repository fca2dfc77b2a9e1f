//! Entra's keys roll over.

use seatkey::{
    clock::AdvanceableClock as _,
    identity::{SignInError, SignedIn},
};
use serde_json::json;
use time::Duration;

use super::fake_entra::{FakeEntra, Signature};

const ANY: Option<&str> = Some("{tenantid}");

/// Comes back with a token of this key, fresh by our clock.
async fn arrive(entra: &FakeEntra, kid: &str, index: usize) -> Result<SignedIn, SignInError> {
    let mut claims = entra.claims();
    claims["exp"] = json!(claims["exp"].as_i64().unwrap() + 2 * 86_400);
    entra.arrive(&json!({"alg": "RS256", "kid": kid}), &claims, &Signature::Rsa(index)).await
}

#[tokio::test]
async fn a_new_key_is_noticed_at_the_first_token() {
    let entra = FakeEntra::open();
    arrive(&entra, "first", 0).await.unwrap();
    arrive(&entra, "first", 0).await.unwrap();
    assert_eq!(entra.key_fetches(), 1, "known keys are kept");
    entra.clock.advance(Duration::hours(3)).unwrap();
    entra.publish(&[("second", 1, ANY), ("first", 0, ANY)]);
    arrive(&entra, "second", 1).await.unwrap();
    arrive(&entra, "second", 1).await.unwrap();
    arrive(&entra, "first", 0).await.unwrap();
    assert_eq!(entra.key_fetches(), 2);
}

#[tokio::test]
async fn unknown_keys_cause_one_fetch_in_five_minutes() {
    let entra = FakeEntra::open();
    arrive(&entra, "first", 0).await.unwrap();
    entra.clock.advance(Duration::minutes(4)).unwrap();
    entra.publish(&[("second", 1, ANY)]);
    for _ in 0..3 {
        assert!(arrive(&entra, "second", 1).await.is_err(), "fetched four minutes ago");
    }
    assert_eq!(entra.key_fetches(), 1);
    entra.clock.advance(Duration::minutes(1)).unwrap();
    arrive(&entra, "second", 1).await.unwrap();
    for attempt in 0..3 {
        assert!(arrive(&entra, &format!("made up {attempt}"), 1).await.is_err());
    }
    assert_eq!(entra.key_fetches(), 2);
}

#[tokio::test]
async fn a_withdrawn_key_is_not_trusted_after_a_day() {
    let entra = FakeEntra::open();
    arrive(&entra, "first", 0).await.unwrap();
    entra.publish(&[("second", 1, ANY)]);
    entra.clock.advance(Duration::hours(24)).unwrap();
    assert!(arrive(&entra, "first", 0).await.is_err());
    assert_eq!(entra.key_fetches(), 2);
}
