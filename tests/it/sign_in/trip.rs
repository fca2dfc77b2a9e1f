//! The trip to the simulated Entra and back, as the client sees it.

use std::sync::Arc;

use seatkey::{
    clock::{AdvanceableClock as _, SteppedClock},
    identity::{Departure, Proof, SignInClient, SignInError},
    simulator::{App, Fault, FaultAction, Simulator, SimulatorOptions},
};
use time::Duration;
use url::Url;

use super::fake_entra::{CLIENT, NOW, PERSONAL};
use crate::{
    marketplace_client::desk::nobody,
    support::people::{ALEX, JO},
};

const CALLBACK: &str = "http://127.0.0.1:1/sign-in/callback";
/// Of Contoso, without an e-mail address.
const ROBIN: &str = "a1e4b2c3-7d60-4f51-8a92-3b1c5d7e9f03";
/// A personal Microsoft account.
const PAT: &str = "00000000-0000-0000-8f2a-1b3c5d7e9f01";

fn sign_in_at(authority: &Url, secret: &str, clock: &Arc<SteppedClock>) -> SignInClient {
    let (http, clock) = (seatkey::http::client().unwrap(), Arc::clone(clock) as _);
    let redirect = CALLBACK.parse().unwrap();
    let proof = Proof::Secret(secret.to_owned().into());
    SignInClient::new((authority, None), CLIENT.to_owned(), proof, redirect, http, clock)
}

struct Trip {
    simulator: Simulator,
    /// Ours; Entra has its own.
    clock: Arc<SteppedClock>,
    sign_in: SignInClient,
}

impl Trip {
    async fn prepare(secret: &str) -> Self {
        let simulator = Simulator::start(SimulatorOptions::new(SteppedClock::at(NOW))).await.unwrap();
        simulator.world().register_publisher("http://127.0.0.1:1/landing", "http://127.0.0.1:1/webhook", [CALLBACK]);
        let clock = SteppedClock::at(NOW);
        let sign_in = sign_in_at(simulator.base_url(), secret, &clock);
        Self { simulator, clock, sign_in }
    }

    /// The person picks the account; the code that comes back.
    async fn code(&self, departure: &Departure, person: &str) -> String {
        let mut url = departure.url.clone();
        url.query_pairs_mut().append_pair("sim_user", person);
        let answer = seatkey::http::client().unwrap().get(url).send().await.unwrap();
        let back: Url = answer.headers()["location"].to_str().unwrap().parse().unwrap();
        let query: std::collections::BTreeMap<String, String> = back.query_pairs().into_owned().collect();
        assert_eq!(query["state"], departure.state);
        query["code"].clone()
    }
}

fn untrusted<T>(result: Result<T, SignInError>) -> String {
    match result {
        Err(SignInError::Untrusted(text)) => text,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was accepted"),
    }
}

#[tokio::test]
async fn each_departure_is_its_own_and_keeps_its_secrets() {
    let trip = Trip::prepare("sign-in-secret").await;
    let (first, second) = (trip.sign_in.depart(false).await.unwrap(), trip.sign_in.depart(true).await.unwrap());
    assert!(first.state != second.state && first.nonce != second.nonce && first.pkce_verifier != second.pkce_verifier);
    let query: std::collections::BTreeMap<_, _> = second.url.query_pairs().into_owned().collect();
    assert_eq!((query["prompt"].as_str(), query["code_challenge_method"].as_str()), ("select_account", "S256"));
    assert!(!first.url.query().unwrap().contains("prompt="));
    assert!(!second.url.as_str().contains(&second.pkce_verifier), "the verifier stays here");
    let printed = format!("{second:?}");
    assert!(![&second.state, &second.nonce, &second.pkce_verifier].iter().any(|secret| printed.contains(*secret)));
    let fetches = trip.simulator.world().requests().iter().filter(|request| request.path.ends_with("/keys")).count();
    assert_eq!(fetches, 1);
}

#[tokio::test]
async fn people_of_companies_and_personal_accounts_come_back() {
    let trip = Trip::prepare("sign-in-secret").await;
    for (person, name, email) in [
        (ALEX, "Alex Weber", "alex.weber@contoso.example"),
        (ROBIN, "Robin Ohne", ""),
        (PAT, "Pat Personal", "pat.personal@outlook.example"),
    ] {
        let departure = trip.sign_in.depart(false).await.unwrap();
        let code = trip.code(&departure, person).await;
        let arrived = trip.sign_in.arrive(code, &departure.nonce, departure.pkce_verifier).await.unwrap();
        assert_eq!(arrived.identity.object_id.to_string(), person);
        assert_eq!(arrived.identity.tenant_id.to_string() == PERSONAL, person == PAT);
        assert_eq!((arrived.name.as_str(), arrived.email.as_str()), (name, email));
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_for_its_own_sign_in() {
    let trip = Trip::prepare("sign-in-secret").await;
    let (mine, other) = (trip.sign_in.depart(false).await.unwrap(), trip.sign_in.depart(false).await.unwrap());
    let code = trip.code(&mine, ALEX).await;
    trip.sign_in.arrive(code.clone(), &mine.nonce, mine.pkce_verifier.clone()).await.unwrap();
    let again = trip.sign_in.arrive(code, &mine.nonce, mine.pkce_verifier.clone()).await;
    assert!(untrusted(again).contains("AADSTS54005"), "used twice");

    let code = trip.code(&mine, ALEX).await;
    let wrong = trip.sign_in.arrive(code, &mine.nonce, other.pkce_verifier).await;
    assert!(untrusted(wrong).contains("AADSTS501481"), "another verifier");

    let code = trip.code(&mine, JO).await;
    let wrong = trip.sign_in.arrive(code, &other.nonce, mine.pkce_verifier.clone()).await;
    assert!(untrusted(wrong).contains("nonce"), "another nonce");

    let made_up = trip.sign_in.arrive("made up".to_owned(), &mine.nonce, mine.pkce_verifier).await;
    assert!(untrusted(made_up).contains("AADSTS"));
}

#[tokio::test]
async fn an_id_token_that_is_over_by_our_clock_is_refused() {
    let trip = Trip::prepare("sign-in-secret").await;
    let departure = trip.sign_in.depart(false).await.unwrap();
    trip.clock.advance(Duration::hours(1)).unwrap();
    let code = trip.code(&departure, ALEX).await;
    let late = trip.sign_in.arrive(code, &departure.nonce, departure.pkce_verifier).await;
    assert!(untrusted(late).to_lowercase().contains("expired"));
}

#[tokio::test]
async fn our_own_registration_is_told_apart() {
    let wrong = Trip::prepare("not-the-secret").await;
    let departure = wrong.sign_in.depart(false).await.unwrap();
    let code = wrong.code(&departure, ALEX).await;
    let error = wrong.sign_in.arrive(code, &departure.nonce, departure.pkce_verifier).await.unwrap_err();
    assert!(matches!(&error, SignInError::Registration(text) if text.contains("AADSTS7000215")), "{error:?}");

    let trip = Trip::prepare("sign-in-secret").await;
    trip.simulator.world().expire_secret(App::SignIn);
    let departure = trip.sign_in.depart(false).await.unwrap();
    let code = trip.code(&departure, ALEX).await;
    let error = trip.sign_in.arrive(code, &departure.nonce, departure.pkce_verifier).await.unwrap_err();
    assert!(matches!(&error, SignInError::Registration(text) if text.contains("AADSTS7000222")), "{error:?}");
}

#[tokio::test]
async fn an_entra_that_is_not_there_is_unreachable() {
    let (_socket, authority) = nobody();
    let lost = sign_in_at(&authority, "sign-in-secret", &SteppedClock::at(NOW));
    let error = lost.depart(false).await.unwrap_err();
    assert!(matches!(error, SignInError::Unreachable(_)), "{error:?}");

    let trip = Trip::prepare("sign-in-secret").await;
    let departure = trip.sign_in.depart(false).await.unwrap();
    let code = trip.code(&departure, ALEX).await;
    let cut = FaultAction { cut: true, ..FaultAction::default() };
    trip.simulator.world().add_fault(Fault::next("/common/oauth2/v2.0/token", cut));
    let error = trip.sign_in.arrive(code, &departure.nonce, departure.pkce_verifier).await.unwrap_err();
    assert!(matches!(error, SignInError::Unreachable(_)), "{error:?}");
}
