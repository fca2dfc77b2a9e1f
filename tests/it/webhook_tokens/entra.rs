//! An Entra that publishes whatever documents a test wants, and the check in front of it.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex},
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::StatusCode, web};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{rsa::PublicKeyComponents, signature::RsaKeyPair};
use seatkey::{
    clock::{AdvanceableClock as _, Clock as _, SteppedClock},
    marketplace::{TokenRefused, VerifiedCaller, WebhookTokens},
};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, macros::datetime};
use url::Url;

use super::forge::Forge;

pub(super) const NOW: OffsetDateTime = datetime!(2026-01-15 10:00 UTC);
pub(super) const TENANT: &str = "5d9f1c3e-8a64-4c0b-9a1e-2f6d7b1c0a11";
pub(super) const APPLICATION: &str = "7c1f8b7a-3a55-4f0e-8d0b-5a0e5c1d2b33";
pub(super) const MARKETPLACE: &str = "20e940b3-4c77-4b0b-9a53-9e16a1b010a7";
/// Our tenant's issuer of version 1, where Entra has it: on another host than all the rest.
pub(super) const STS: &str = "https://sts.windows.net/5d9f1c3e-8a64-4c0b-9a1e-2f6d7b1c0a11/";

/// Three RSA keys, fixed because making them is slow. The third is never published.
static PAIRS: LazyLock<[RsaKeyPair; 3]> = LazyLock::new(|| {
    [
        include_str!("../../../src/simulator/keys/signing-1.pem"),
        include_str!("../../../src/simulator/keys/signing-2.pem"),
        include_str!("../../../src/simulator/keys/signing-3.pem"),
    ]
    .map(|pem| {
        let body = pem.lines().skip_while(|line| !line.starts_with("-----BEGIN")).skip(1);
        let body: String = body.take_while(|line| !line.starts_with("-----END")).collect();
        RsaKeyPair::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap()
    })
});

pub(super) fn pair(index: usize) -> &'static RsaKeyPair {
    &PAIRS[index]
}

/// A key as Entra publishes it.
pub(super) fn jwk(kid: &str, index: usize) -> Value {
    let parts = PublicKeyComponents::<Vec<u8>>::from(pair(index).public());
    let (n, e) = (URL_SAFE_NO_PAD.encode(parts.n), URL_SAFE_NO_PAD.encode(parts.e));
    json!({"kty": "RSA", "use": "sig", "kid": kid, "x5t": kid, "n": n, "e": e, "x5c": ["MIIC"]})
}

#[derive(Default)]
struct State {
    /// Status and body by path.
    answers: BTreeMap<String, (u16, String)>,
    asked: Vec<String>,
}

pub(super) struct Entra {
    pub(super) base: Url,
    pub(super) clock: Arc<SteppedClock>,
    pub(super) tokens: Arc<WebhookTokens>,
    state: Arc<Mutex<State>>,
}

impl Entra {
    /// Two published keys, `first` and `second`.
    pub(super) fn open() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let data = web::Data::new(Arc::clone(&state));
        let app = move || App::new().app_data(data.clone()).default_service(web::to(answer));
        let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let base: Url = format!("http://{}/", server.addrs()[0]).parse().unwrap();
        tokio::spawn(server.run());
        let clock = SteppedClock::at(NOW);
        let entra = Self { tokens: Arc::new(tokens(&base, &clock)), base, clock, state };
        entra.configure("", STS);
        entra.configure("v2.0/", &format!("{}{TENANT}/v2.0", entra.base));
        entra.publish(&json!([jwk("first", 0), jwk("second", 1)]));
        entra
    }

    /// The configuration of one version (`""` or `"v2.0/"`) with this issuer.
    pub(super) fn configure(&self, version: &str, issuer: &str) {
        let keys = format!("{}{TENANT}/discovery/{version}keys", self.base);
        let path = format!("/{TENANT}/{version}.well-known/openid-configuration");
        self.set(&path, 200, &json!({"issuer": issuer, "jwks_uri": keys}).to_string());
    }

    /// Both versions publish these keys.
    pub(super) fn publish(&self, keys: &Value) {
        for version in ["", "v2.0/"] {
            self.publish_in(version, keys);
        }
    }

    pub(super) fn publish_in(&self, version: &str, keys: &Value) {
        self.set(&format!("/{TENANT}/discovery/{version}keys"), 200, &json!({"keys": keys}).to_string());
    }

    pub(super) fn set(&self, path: &str, status: u16, body: &str) {
        self.state.lock().unwrap().answers.insert(path.to_owned(), (status, body.to_owned()));
    }

    /// Everything answers 503, or as before.
    pub(super) fn set_well(&self, well: bool) {
        for answer in self.state.lock().unwrap().answers.values_mut() {
            answer.0 = if well { 200 } else { 503 };
        }
    }

    /// How often the keys were asked for; each time, all four documents were.
    pub(super) fn fetches(&self) -> usize {
        let asked = self.state.lock().unwrap().asked.clone();
        let times = |path: String| asked.iter().filter(|asked| **asked == path).count();
        let fetches = ["", "v2.0/"].map(|version| times(format!("/{TENANT}/discovery/{version}keys")));
        assert_eq!(fetches[0], fetches[1], "both versions are read");
        fetches[0]
    }

    /// How often a fetch was begun.
    pub(super) fn attempts(&self) -> usize {
        let begin = format!("/{TENANT}/.well-known/openid-configuration");
        self.state.lock().unwrap().asked.iter().filter(|path| **path == begin).count()
    }

    pub(super) fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    pub(super) fn pass(&self, time: Duration) {
        self.clock.advance(time).unwrap();
    }

    pub(super) async fn verify(&self, token: &Forge) -> Result<VerifiedCaller, TokenRefused> {
        self.tokens.verify(token.header_value().as_deref()).await
    }
}

pub(super) fn tokens(authority: &Url, clock: &Arc<SteppedClock>) -> WebhookTokens {
    let (tenant, application) = (TENANT.parse().unwrap(), APPLICATION.parse().unwrap());
    let http = seatkey::http::client().unwrap();
    WebhookTokens::new(authority.clone(), tenant, application, http, Arc::clone(clock) as _)
}

async fn answer(request: HttpRequest, state: web::Data<Arc<Mutex<State>>>) -> HttpResponse {
    let mut state = state.lock().unwrap();
    state.asked.push(request.path().to_owned());
    let (status, body) = state.answers.get(request.path()).cloned().unwrap_or((404, String::new()));
    HttpResponse::build(StatusCode::from_u16(status).unwrap()).content_type("application/json").body(body)
}
