//! When keys are fetched: rotations, floods, outages.

use futures::future::join_all;
use seatkey::marketplace::{
    TokenRefused::{self, Audience, KeyUnknown, KeysUnreachable},
    TokenVersion::{V1, V2},
    VerifiedCaller,
};
use serde_json::json;
use time::Duration;

use super::{
    entra::{Entra, jwk, tokens},
    forge::Forge,
};
use crate::marketplace_client::desk::nobody;

type Verdict = Result<VerifiedCaller, TokenRefused>;

/// A token of this key, fresh by our clock.
async fn call(entra: &Entra, kid: &str, index: usize) -> Verdict {
    entra.verify(&Forge::new(&entra.base, V2).at(entra.now()).by(kid, index)).await
}

fn is_unavailable(verdict: &Verdict) -> bool {
    verdict.as_ref().is_err_and(TokenRefused::is_unavailable)
}

fn is_unreachable(verdict: &Verdict) -> bool {
    matches!(verdict, Err(KeysUnreachable(_))) && is_unavailable(verdict)
}

#[tokio::test]
async fn a_rotation_is_noticed_at_the_first_token() {
    for version in [V1, V2] {
        let entra = Entra::open();
        call(&entra, "first", 0).await.unwrap();
        call(&entra, "second", 1).await.unwrap();
        assert_eq!(entra.fetches(), 1, "known keys are kept");
        entra.pass(Duration::hours(3));
        entra.publish(&json!([jwk("third", 2), jwk("second", 1)]));
        let token = Forge::new(&entra.base, version).at(entra.now()).by("third", 2);
        assert_eq!(entra.verify(&token).await.unwrap().version, version);
        call(&entra, "second", 1).await.unwrap();
        assert_eq!(call(&entra, "first", 0).await, Err(KeyUnknown), "withdrawn");
        assert_eq!(entra.fetches(), 2);
    }
}

#[tokio::test]
async fn a_flood_of_unknown_keys_causes_one_fetch_in_five_minutes() {
    let entra = Entra::open();
    call(&entra, "first", 0).await.unwrap();
    entra.pass(Duration::minutes(5));
    for attempt in 0..1_000 {
        let verdict = call(&entra, &format!("made up {attempt}"), 2).await;
        assert_eq!(verdict, Err(KeyUnknown));
        assert!(is_unavailable(&verdict));
        // The last one comes 299.7 seconds after the first.
        entra.pass(Duration::milliseconds(300));
    }
    call(&entra, "first", 0).await.unwrap();
    assert_eq!(entra.fetches(), 2, "the first, and one for all of these");
}

/// The bound: five minutes after the fetch before, whatever comes in between.
#[tokio::test]
async fn a_flood_does_not_hide_a_rotation_for_longer_than_five_minutes() {
    let entra = Entra::open();
    call(&entra, "first", 0).await.unwrap();
    entra.pass(Duration::minutes(5));
    assert_eq!(call(&entra, "made up", 2).await, Err(KeyUnknown));
    entra.publish(&json!([jwk("third", 2), jwk("first", 0)]));
    for second in 0..300 {
        assert!(is_unavailable(&call(&entra, &format!("made up {second}"), 2).await));
        if second % 60 == 0 {
            assert_eq!(call(&entra, "third", 2).await, Err(KeyUnknown), "and Microsoft calls again");
            call(&entra, "first", 0).await.unwrap();
        }
        entra.pass(Duration::SECOND);
    }
    assert_eq!(call(&entra, "made up again", 2).await, Err(KeyUnknown));
    call(&entra, "third", 2).await.unwrap();
    assert_eq!(entra.fetches(), 3);
}

#[tokio::test]
async fn whoever_does_not_know_our_application_causes_no_fetch() {
    let entra = Entra::open();
    for version in [V1, V2] {
        let mut token = Forge::new(&entra.base, version).by("made up", 2);
        token.claims.set("aud", "9e4d2c1b-6f7a-4b8c-9d0e-1a2b3c4d5e66");
        assert_eq!(entra.verify(&token).await, Err(Audience));
    }
    assert_eq!(entra.attempts(), 0);
}

#[tokio::test]
async fn concurrent_first_calls_fetch_once() {
    let entra = Entra::open();
    let verdicts = join_all((0..50).map(|_| call(&entra, "first", 0))).await;
    assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
    assert_eq!(entra.fetches(), 1);
    entra.pass(Duration::minutes(5));
    entra.publish(&json!([jwk("third", 2), jwk("first", 0)]));
    let made_up: Vec<_> = (0..25).map(|attempt| format!("made up {attempt}")).collect();
    let forged = join_all(made_up.iter().map(|kid| call(&entra, kid, 2)));
    let (forged, genuine) = tokio::join!(forged, join_all((0..25).map(|_| call(&entra, "third", 2))));
    assert!(forged.iter().all(is_unavailable), "{forged:?}");
    assert!(genuine.iter().all(Result::is_ok), "they wait for the fetch of the forged ones: {genuine:?}");
    assert_eq!(entra.fetches(), 2);
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_end_the_fetch() {
    let entra = Entra::open();
    {
        let mut call = Box::pin(call(&entra, "first", 0));
        // Until Entra has been asked, and before it can have answered all four questions.
        while entra.attempts() == 0 {
            assert!(futures::poll!(call.as_mut()).is_pending());
            tokio::task::yield_now().await;
        }
    }
    call(&entra, "first", 0).await.unwrap();
    assert_eq!((entra.attempts(), entra.fetches()), (1, 1));
}

#[tokio::test]
async fn without_keys_it_is_unavailable_until_entra_is_back() {
    let entra = Entra::open();
    entra.set_well(false);
    for _ in 0..20 {
        assert!(is_unreachable(&call(&entra, "first", 0).await));
        entra.pass(Duration::SECOND);
    }
    assert_eq!(entra.attempts(), 1, "not every call waits for an Entra that is not well");
    entra.pass(Duration::seconds(10));
    assert!(is_unreachable(&call(&entra, "first", 0).await));
    assert_eq!(entra.attempts(), 2);
    entra.set_well(true);
    assert!(is_unreachable(&call(&entra, "first", 0).await));
    entra.pass(Duration::seconds(30));
    call(&entra, "first", 0).await.unwrap();
    assert_eq!(entra.fetches(), 1);
}

#[tokio::test]
async fn nobody_at_the_address_is_unavailable() {
    let entra = Entra::open();
    let (_socket, address) = nobody();
    let token = Forge::new(&address, V2).header_value();
    let verdict = tokens(&address, &entra.clock).verify(token.as_deref()).await;
    assert!(is_unreachable(&verdict), "{verdict:?}");
    let told = verdict.unwrap_err().to_string();
    assert!(!told.contains(address.as_str()), "{told}");
}

#[tokio::test]
async fn old_keys_do_in_an_outage_for_three_days() {
    let entra = Entra::open();
    call(&entra, "first", 0).await.unwrap();
    entra.set_well(false);
    entra.pass(Duration::hours(24) - Duration::SECOND);
    call(&entra, "first", 0).await.unwrap();
    assert_eq!(entra.attempts(), 1, "not a day old");
    entra.pass(Duration::SECOND);
    for _ in 0..3 {
        call(&entra, "first", 0).await.unwrap();
    }
    assert_eq!(entra.attempts(), 2, "tried once");
    assert!(is_unreachable(&call(&entra, "third", 2).await), "a key that may be new");
    entra.pass(Duration::hours(48) - Duration::SECOND);
    call(&entra, "first", 0).await.unwrap();
    entra.pass(Duration::SECOND);
    assert!(is_unreachable(&call(&entra, "first", 0).await), "too old");
    entra.set_well(true);
    entra.pass(Duration::seconds(30));
    call(&entra, "first", 0).await.unwrap();
}

#[tokio::test]
async fn a_failed_refetch_leaves_the_known_keys() {
    let entra = Entra::open();
    call(&entra, "first", 0).await.unwrap();
    entra.pass(Duration::minutes(5));
    entra.publish(&json!([jwk("third", 2), jwk("first", 0)]));
    entra.set_well(false);
    assert!(is_unreachable(&call(&entra, "third", 2).await));
    call(&entra, "first", 0).await.unwrap();
    entra.set_well(true);
    entra.pass(Duration::seconds(30));
    call(&entra, "third", 2).await.unwrap();
}

#[tokio::test]
async fn a_withdrawn_key_is_not_trusted_after_a_day() {
    let entra = Entra::open();
    call(&entra, "first", 0).await.unwrap();
    entra.publish(&json!([jwk("second", 1)]));
    entra.pass(Duration::hours(24));
    assert_eq!(call(&entra, "first", 0).await, Err(KeyUnknown));
    assert_eq!(entra.fetches(), 2);
}

/// Otherwise keys that were fetched on a wrong clock would never be fetched again.
#[tokio::test]
async fn a_clock_that_was_set_back_does_not_stop_the_fetching() {
    let entra = Entra::open();
    entra.pass(Duration::days(1_000));
    call(&entra, "first", 0).await.unwrap();
    entra.pass(Duration::days(-1_000));
    entra.set_well(false);
    call(&entra, "first", 0).await.unwrap();
    entra.set_well(true);
    entra.publish(&json!([jwk("third", 2), jwk("first", 0)]));
    entra.pass(Duration::seconds(30));
    call(&entra, "third", 2).await.unwrap();
}
