//! The simulator as a client on the network sees it.

mod entra;
mod faults;
mod fulfillment;
mod libraries;
mod life;
mod mail;
mod metering;
mod pages;
mod receiver;
mod vault;
mod webhook_tokens;
mod webhooks;

use serde_json::Value;
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::clock::SteppedClock;

/// Alex Weber of Contoso.
const ALEX: Uuid = Uuid::from_u128(0xa1e4_b2c3_7d60_4f51_8a92_3b1c_5d7e_9f01);
const PUBLISHER: &str = "5d9f1c3e-8a64-4c0b-9a1e-2f6d7b1c0a11";
const RESOURCE: &str = "20e940b3-4c77-4b0b-9a53-9e16a1b010a7";
const CALLBACK: &str = "http://127.0.0.1:1/sign-in/callback";

struct Stage {
    simulator: Simulator,
    http: reqwest::Client,
}

impl Stage {
    async fn set() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut SimulatorOptions)) -> Self {
        let mut options = SimulatorOptions::new(SteppedClock::at(datetime!(2026-01-15 10:00 UTC)));
        change(&mut options);
        let simulator = Simulator::start(options).await.unwrap();
        simulator.world().register_publisher("http://127.0.0.1:1/landing", "http://127.0.0.1:1/webhook", [CALLBACK]);
        Self { simulator, http: client() }
    }

    fn world(&self) -> &World {
        self.simulator.world()
    }

    fn url(&self, path: &str) -> String {
        self.simulator.base_url().join(path).unwrap().into()
    }

    fn api(&self, path: &str) -> String {
        self.url(&format!("/api/saas/subscriptions{path}?api-version=2018-08-31"))
    }

    fn buy(&self) -> Uuid {
        self.world().purchase(konnekt())
    }

    async fn bearer(&self) -> String {
        let scope = format!("{RESOURCE}/.default");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "7c1f8b7a-3a55-4f0e-8d0b-5a0e5c1d2b33"),
            ("client_secret", "marketplace-secret"),
            ("scope", &scope),
        ];
        let url = self.url(&format!("/{PUBLISHER}/oauth2/v2.0/token"));
        let answer: Value = self.http.post(url).form(&form).send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Sends with a good token; the status and the body.
    async fn call(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let answer = request.bearer_auth(self.bearer().await).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    async fn get(&self, id: Uuid) -> Value {
        self.call(self.http.get(self.api(&format!("/{id}")))).await.1
    }

    async fn activate(&self, id: Uuid) -> u16 {
        self.call(self.http.post(self.api(&format!("/{id}/activate")))).await.0
    }

    async fn control(&self, path: &str, body: Value) -> Value {
        let answer = self.http.post(self.url(&format!("/control/{path}"))).json(&body).send().await.unwrap();
        answer.json().await.unwrap()
    }
}

fn konnekt() -> Purchase {
    Purchase {
        offer_id: "konnekt".to_owned(),
        plan_id: "konnekt-yearly".to_owned(),
        name: "Our KONNEKT".to_owned(),
        beneficiary: ALEX,
        ..Purchase::default()
    }
}

#[expect(clippy::disallowed_methods, reason = "the simulator's tests cannot use the application's HTTP client")]
fn client() -> reqwest::Client {
    // A second installation fails, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn remote_addresses_are_refused_unless_asked_for() {
    let mut options = SimulatorOptions::new(SteppedClock::at(datetime!(2026-01-15 10:00 UTC)));
    options.bind = "0.0.0.0:0".parse().unwrap();
    assert_eq!(Simulator::start(options).await.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_simulator_does_not_answer() {
    let stage = Stage::set().await;
    let url = stage.url("/");
    assert!(stage.http.get(&url).send().await.is_ok());
    stage.simulator.stop().await;
    assert!(client().get(&url).send().await.is_err());
}
