//! A simulator and the real client in front of it.

use std::sync::Arc;

use async_trait::async_trait;
use seatkey::{
    clock::{SharedClock, SteppedClock},
    http,
    marketplace::{Client, Credential, CredentialError, TokenSource, Tokens},
    simulator::{Fault, FaultAction, Purchase, RecordedRequest, Simulator, SimulatorOptions, World},
};
use secrecy::SecretString;
use time::macros::datetime;
use url::Url;
use uuid::Uuid;

use crate::support::people::ALEX;

pub(crate) const PUBLISHER: &str = "5d9f1c3e-8a64-4c0b-9a1e-2f6d7b1c0a11";
pub(crate) const APPLICATION: &str = "7c1f8b7a-3a55-4f0e-8d0b-5a0e5c1d2b33";

pub(crate) struct Desk {
    pub(crate) simulator: Simulator,
    pub(crate) clock: Arc<SteppedClock>,
    pub(crate) http: reqwest::Client,
    pub(crate) client: Client,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::open_with(http::client().unwrap(), "marketplace-secret").await
    }

    pub(crate) async fn open_with(http: reqwest::Client, secret: &str) -> Self {
        let clock = SteppedClock::at(datetime!(2026-01-15 10:00 UTC));
        let simulator = Simulator::start(SimulatorOptions::new(Arc::clone(&clock) as _)).await.unwrap();
        let base = simulator.base_url().join("api").unwrap();
        let tokens = tokens(&simulator, &http, Credential::ClientSecret(secret.to_owned().into())).unwrap();
        let client = Client::new(base, http.clone(), Arc::new(tokens), Arc::clone(&clock) as _);
        Self { simulator, clock, http, client }
    }

    /// A client with another credential, or at another address.
    pub(crate) fn client_of(&self, base: Option<Url>, credential: Credential) -> Client {
        let base = base.unwrap_or_else(|| self.simulator.base_url().join("api").unwrap());
        let tokens = tokens(&self.simulator, &self.http, credential).unwrap();
        let clock: SharedClock = Arc::clone(&self.clock) as _;
        Client::new(base, self.http.clone(), Arc::new(tokens), clock)
    }

    pub(crate) fn world(&self) -> &World {
        self.simulator.world()
    }

    /// KONNEKT for Alex, not activated.
    pub(crate) fn buy(&self) -> Uuid {
        self.world().purchase(Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap()))
    }

    /// Ten seats for Alex, activated.
    pub(crate) fn buy_seats(&self) -> Uuid {
        let seats = Purchase::of("sample-seats", "team", ALEX.parse().unwrap());
        self.world().purchase(Purchase { quantity: Some(10), auto_activate: true, ..seats })
    }

    pub(crate) fn token_of(&self, id: Uuid) -> SecretString {
        self.world().purchase_token(id).into()
    }

    /// The calls of the fulfillment API so far.
    pub(crate) fn calls(&self) -> Vec<RecordedRequest> {
        self.world().requests().into_iter().filter(|request| request.path.starts_with("/api/")).collect()
    }

    /// How often a token was asked for.
    pub(crate) fn token_requests(&self) -> usize {
        self.world().requests().iter().filter(|request| request.path.ends_with("/token")).count()
    }

    /// Makes the next `count` calls below `/api` go wrong.
    pub(crate) fn fail(&self, count: u32, action: FaultAction) {
        self.world().clear_faults();
        assert!(self.world().add_fault(Fault { count, ..Fault::next("/api/**", action) }));
    }
}

pub(crate) fn tokens(
    simulator: &Simulator,
    http: &reqwest::Client,
    credential: Credential,
) -> Result<Tokens, CredentialError> {
    let authority = simulator.base_url().clone();
    Tokens::new(authority, PUBLISHER.to_owned(), APPLICATION.to_owned(), credential, http.clone())
}

/// An address where nobody answers, for as long as the socket is held: bound, so that no other test gets it, and not
/// listening.
pub(crate) fn nobody() -> (tokio::net::TcpSocket, Url) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/", socket.local_addr().unwrap()).parse().unwrap();
    (socket, url)
}

/// A status without more.
pub(crate) fn status(status: u16) -> FaultAction {
    FaultAction { status: Some(status), ..FaultAction::default() }
}

/// A status with a header.
pub(crate) fn status_with(code: u16, name: &str, value: &str) -> FaultAction {
    FaultAction { headers: [(name.to_owned(), value.to_owned())].into(), ..status(code) }
}

/// Always the same token.
#[derive(Debug)]
pub(crate) struct FixedToken;

pub(crate) const FIXED_TOKEN: &str = "the-bearer-token";

#[async_trait]
impl TokenSource for FixedToken {
    async fn token(&self) -> Result<SecretString, CredentialError> {
        Ok(FIXED_TOKEN.to_owned().into())
    }

    async fn renewed_token(&self) -> Result<SecretString, CredentialError> {
        self.token().await
    }
}
