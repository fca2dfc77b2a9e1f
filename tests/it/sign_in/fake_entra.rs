//! An Entra that hands out whatever ID token a test wants, signed with keys of its own.

use std::sync::{Arc, Mutex};

use actix_web::{App, HttpResponse, HttpServer, web};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    hmac,
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use seatkey::{
    clock::SteppedClock,
    identity::{Proof, SignInClient, SignInError, SignedIn},
};
use serde_json::{Value, json};
use time::{OffsetDateTime, macros::datetime};
use url::Url;

pub(super) const NOW: OffsetDateTime = datetime!(2026-01-15 10:00 UTC);
pub(super) const CLIENT: &str = "2b6a3f7e-91c4-4a5e-b0c3-6d1f0e9a8c44";
pub(super) const SECRET: &str = "a-secret-of-ours";
pub(super) const NONCE: &str = "the-nonce";
pub(super) const CONTOSO: &str = "3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44";
pub(super) const FABRIKAM: &str = "8e2a7c56-1b3d-4f8e-a0c9-5d6e7f8091a2";
pub(super) const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
pub(super) const ALEX: &str = "a1e4b2c3-7d60-4f51-8a92-3b1c5d7e9f01";

/// Two RSA keys, fixed because making them is slow.
const PEMS: [&str; 2] = [
    include_str!("../../../src/simulator/keys/signing-1.pem"),
    include_str!("../../../src/simulator/keys/signing-2.pem"),
];

fn pair(index: usize) -> RsaKeyPair {
    let body = PEMS[index].lines().skip_while(|line| !line.starts_with("-----BEGIN")).skip(1);
    let body: String = body.take_while(|line| !line.starts_with("-----END")).collect();
    RsaKeyPair::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap()
}

pub(super) fn public_modulus(index: usize) -> Vec<u8> {
    PublicKeyComponents::<Vec<u8>>::from(pair(index).public()).n
}

/// How a token is signed.
#[derive(Debug, Clone)]
pub(super) enum Signature {
    Rsa(usize),
    Hmac(Vec<u8>),
    None,
}

#[derive(Default)]
struct State {
    keys: Vec<Value>,
    key_fetches: usize,
    token_answer: (u16, String),
}

/// The fake, and a sign-in in front of it.
pub(super) struct FakeEntra {
    pub(super) base: Url,
    pub(super) clock: Arc<SteppedClock>,
    pub(super) sign_in: SignInClient,
    state: Arc<Mutex<State>>,
}

impl FakeEntra {
    /// One published key, `first`, good for every tenant.
    pub(super) fn open() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let data = web::Data::new(Arc::clone(&state));
        let app = move || App::new().app_data(data.clone()).configure(routes);
        let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let base: Url = format!("http://{}/", server.addrs()[0]).parse().unwrap();
        tokio::spawn(server.run());
        let clock = SteppedClock::at(NOW);
        let redirect = "http://127.0.0.1:1/sign-in/callback".parse().unwrap();
        let http = seatkey::http::client().unwrap();
        let shared = Arc::clone(&clock) as _;
        let sign_in = SignInClient::new(
            (&base, None),
            CLIENT.to_owned(),
            Proof::Secret(SECRET.to_owned().into()),
            redirect,
            http,
            shared,
        );
        let fake = Self { base, clock, sign_in, state };
        fake.publish(&[("first", 0, Some("{tenantid}"))]);
        fake
    }

    /// Publishes keys: id, which, and the tenant of the issuer that they name.
    pub(super) fn publish(&self, keys: &[(&str, usize, Option<&str>)]) {
        let jwk = |(kid, index, tenant): &(&str, usize, Option<&str>)| {
            let parts = PublicKeyComponents::<Vec<u8>>::from(pair(*index).public());
            let (n, e) = (URL_SAFE_NO_PAD.encode(parts.n), URL_SAFE_NO_PAD.encode(parts.e));
            let mut key = json!({"kty": "RSA", "use": "sig", "kid": kid, "n": n, "e": e});
            if let Some(tenant) = tenant {
                key["issuer"] = json!(self.issuer(tenant));
            }
            key
        };
        self.state.lock().unwrap().keys = keys.iter().map(jwk).collect();
    }

    pub(super) fn key_fetches(&self) -> usize {
        self.state.lock().unwrap().key_fetches
    }

    pub(super) fn issuer(&self, tenant: &str) -> String {
        format!("{}{tenant}/v2.0", self.base)
    }

    /// Claims that are accepted.
    pub(super) fn claims(&self) -> Value {
        let now = NOW.unix_timestamp();
        json!({
            "aud": CLIENT, "iss": self.issuer(CONTOSO), "iat": now, "nbf": now, "exp": now + 3_600, "sub": "subject",
            "nonce": NONCE, "tid": CONTOSO, "oid": ALEX, "name": "Alex Weber", "email": "alex@contoso.example", "ver": "2.0",
        })
    }

    /// Comes back from Entra with such a token.
    pub(super) async fn arrive(&self, header: &Value, claims: &Value, by: &Signature) -> Result<SignedIn, SignInError> {
        self.answer(
            200,
            &json!({"token_type": "Bearer", "access_token": "x", "id_token": token(header, claims, by)}).to_string(),
        );
        self.redeem().await
    }

    /// As [`Self::arrive`], with the first key.
    pub(super) async fn arrive_with(&self, claims: &Value) -> Result<SignedIn, SignInError> {
        self.arrive(&json!({"alg": "RS256", "kid": "first"}), claims, &Signature::Rsa(0)).await
    }

    /// What the token endpoint says from now on.
    pub(super) fn answer(&self, status: u16, body: &str) {
        self.state.lock().unwrap().token_answer = (status, body.to_owned());
    }

    pub(super) async fn redeem(&self) -> Result<SignedIn, SignInError> {
        self.sign_in.arrive("code".to_owned(), NONCE, "a-verifier".to_owned()).await
    }
}

fn token(header: &Value, claims: &Value, by: &Signature) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = match by {
        Signature::Rsa(index) => {
            let pair = pair(*index);
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
            signature
        }
        Signature::Hmac(key) => {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes()).as_ref().to_vec()
        }
        Signature::None => Vec::new(),
    };
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

type Shared = web::Data<Arc<Mutex<State>>>;

fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/common/v2.0/.well-known/openid-configuration", web::get().to(discovery))
        .route("/common/discovery/v2.0/keys", web::get().to(keys))
        .route("/common/oauth2/v2.0/token", web::post().to(redeem));
}

async fn discovery(request: actix_web::HttpRequest) -> HttpResponse {
    let base = format!("http://{}", request.connection_info().host());
    HttpResponse::Ok().json(json!({
        "issuer": format!("{base}/{{tenantid}}/v2.0"),
        "authorization_endpoint": format!("{base}/common/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/common/oauth2/v2.0/token"),
        "jwks_uri": format!("{base}/common/discovery/v2.0/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

async fn keys(state: Shared) -> HttpResponse {
    let mut state = state.lock().unwrap();
    state.key_fetches += 1;
    HttpResponse::Ok().json(json!({"keys": state.keys}))
}

async fn redeem(state: Shared) -> HttpResponse {
    let (status, body) = state.lock().unwrap().token_answer.clone();
    let status = actix_web::http::StatusCode::from_u16(status).unwrap();
    HttpResponse::build(status).content_type("application/json").body(body)
}
