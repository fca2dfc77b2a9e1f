//! Sign-in of people with OpenID Connect at Entra: authorization code with PKCE. Buyers come from any tenant, with personal
//! accounts too; staff from the publisher's own tenant alone.
//!
//! Owns: the trip to Entra and back, and that the ID token is what it says. Does not own: sessions (`store`) and rights
//! (`domain::policy`).
//! Traps that this file answers: the issuer of the `common` authority is a template, so the library's discovery refuses
//! it; each token is checked against its own tenant's issuer here; keys roll over; times are checked by our clock.

mod probe;
mod proof;
mod provider;
mod tenants;

use chrono::DateTime;
use openidconnect::{
    AuthorizationCode, CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier, Scope, TokenResponse as _,
    core::CoreAuthPrompt, core::CoreAuthenticationFlow,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::Url;
use uuid::Uuid;

use crate::{clock::SharedClock, domain::policy::Identity};
use provider::{Http, IdToken, Provider};

pub use probe::RedirectAnswer;
pub use proof::Proof;
pub use tenants::domain_name;

/// Keys are fetched anew at most this often, whatever tokens arrive.
const KEY_REFRESH_PAUSE: time::Duration = time::Duration::minutes(5);
/// And at least this often: a key that Entra has withdrawn must not be trusted for ever.
const KEY_LIFETIME: time::Duration = time::Duration::hours(24);

/// Claims of Entra that the standard does not know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EntraClaims {
    tid: Option<String>,
    oid: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
}

impl openidconnect::AdditionalClaims for EntraClaims {}

/// Where to send a browser, and what to remember until it is back.
pub struct Departure {
    /// Entra's page.
    pub url: Url,
    /// `state`.
    pub state: String,
    /// `nonce`.
    pub nonce: String,
    /// The PKCE verifier.
    pub pkce_verifier: String,
}

impl std::fmt::Debug for Departure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Departure").field("to", &self.url.path()).finish_non_exhaustive()
    }
}

/// Who came back.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The pair that identifies.
    pub identity: Identity,
    /// A name to greet with.
    pub name: String,
    /// An address to suggest; it grants nothing and may be empty.
    pub email: String,
    /// The app roles that the registration's own tenant has given them.
    pub roles: Vec<String>,
}

/// Why somebody could not be signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Our registration at Entra is wrong or its secret has expired.
    #[error("Entra does not accept our sign-in registration: {0}")]
    Registration(String),
    /// Entra did not answer.
    #[error("Entra does not answer: {0}")]
    Unreachable(String),
    /// The answer is not genuine, not for us, or not of this sign-in.
    #[error("the sign-in cannot be accepted: {0}")]
    Untrusted(String),
}

/// The sign-in of one app registration.
#[derive(Debug)]
pub struct SignInClient {
    settings: provider::Settings,
    clock: SharedClock,
    provider: Mutex<Option<Provider>>,
}

impl SignInClient {
    /// Prepares; nothing is fetched yet. `redirect` is our callback; with a tenant, nobody else's people are taken.
    #[must_use]
    pub fn new(
        (authority, tenant_id): (&Url, Option<Uuid>),
        client_id: String,
        proof: Proof,
        redirect: Url,
        http: reqwest::Client,
        clock: SharedClock,
    ) -> Self {
        let authority = authority.clone();
        let settings = provider::Settings { authority, tenant_id, client_id, proof, redirect, http: Http(http) };
        Self { settings, clock, provider: Mutex::new(None) }
    }

    /// Scheme and host of Entra: the one place to which a form of ours may lead (by redirect).
    #[must_use]
    pub fn authority_origin(&self) -> String {
        self.settings.authority.origin().ascii_serialization()
    }

    /// Starts a sign-in. `choose_account` lets the person pick another account.
    ///
    /// # Errors
    /// [`SignInError::Unreachable`] when Entra's configuration cannot be fetched.
    pub async fn depart(&self, choose_account: bool) -> Result<Departure, SignInError> {
        let provider = self.provider(false).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = provider
            .client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .add_scope(Scope::new("profile".to_owned()))
            .add_scope(Scope::new("email".to_owned()))
            .set_pkce_challenge(challenge);
        if choose_account {
            request = request.add_prompt(CoreAuthPrompt::SelectAccount);
        }
        let (url, state, nonce) = request.url();
        Ok(Departure {
            url,
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            pkce_verifier: verifier.into_secret(),
        })
    }

    /// Ends a sign-in: redeems the code and checks the ID token.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn arrive(&self, code: String, nonce: &str, pkce_verifier: String) -> Result<SignedIn, SignInError> {
        let provider = self.provider(false).await?;
        let token = match self.redeem(&provider, &code, &pkce_verifier, false).await {
            // What proves us is kept for a while, and Entra may know better how long it is good. It looks at the code only after it.
            Err(SignInError::Registration(_)) if self.settings.proof.changes() => {
                self.redeem(&provider, &code, &pkce_verifier, true).await?
            }
            redeemed => redeemed?,
        };
        let provider = if provider.knows_key_of(&token) { provider } else { self.provider(true).await? };
        self.check(&provider, &token, &Nonce::new(nonce.to_owned()))
    }

    /// Gives the code, and gets the ID token for it. `again` = our proof was refused, and a new one is to be used.
    async fn redeem(
        &self,
        provider: &Provider,
        code: &str,
        pkce_verifier: &str,
        again: bool,
    ) -> Result<IdToken, SignInError> {
        let request = provider.client.exchange_code(AuthorizationCode::new(code.to_owned()));
        let request = request.map_err(|error| SignInError::Registration(error.to_string()))?;
        let mut request = request.set_pkce_verifier(PkceCodeVerifier::new(pkce_verifier.to_owned()));
        for (name, value) in self.settings.proof.fields(again).await? {
            request = request.add_extra_param(name, value);
        }
        let answer = request.request_async(&self.settings.http).await.map_err(|error| provider::explain(&error))?;
        answer.id_token().cloned().ok_or_else(|| SignInError::Untrusted("there is no ID token".to_owned()))
    }

    /// Everything that makes an ID token one of ours: signature, audience, nonce, times, and the tenant's own issuer.
    fn check(&self, provider: &Provider, token: &IdToken, nonce: &Nonce) -> Result<SignedIn, SignInError> {
        let now = self.clock.now().unix_timestamp();
        let verifier = provider
            .client
            .id_token_verifier()
            .require_issuer_match(false)
            .set_time_fn(move || DateTime::from_timestamp(now, 0).unwrap_or_default());
        let untrusted = |text: &str| SignInError::Untrusted(text.to_owned());
        let claims = token.claims(&verifier, nonce).map_err(|error| SignInError::Untrusted(error.to_string()))?;
        let id = |text: &Option<String>| text.as_deref().and_then(|text| Uuid::parse_str(text).ok());
        let tenant_id = id(&claims.additional_claims().tid).ok_or_else(|| untrusted("the token names no tenant"))?;
        let object_id = id(&claims.additional_claims().oid).ok_or_else(|| untrusted("the token names no person"))?;
        if self.settings.tenant_id.is_some_and(|only| only != tenant_id) {
            return Err(untrusted("the account is of another tenant"));
        }
        if claims.issuer().as_str() != provider.issuer_of(tenant_id) {
            return Err(untrusted("the issuer is not that of the token's tenant"));
        }
        if !provider.key_may_sign_for(token, tenant_id) {
            return Err(untrusted("the signing key belongs to another issuer"));
        }
        let name = claims.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned());
        let user_name = claims.preferred_username().map(|name| name.as_str().to_owned());
        let email = claims.email().map(|email| email.as_str().to_owned());
        Ok(SignedIn {
            identity: Identity { tenant_id, object_id },
            name: name.or_else(|| user_name.clone()).unwrap_or_default(),
            email: email.unwrap_or_default(),
            roles: claims.additional_claims().roles.clone(),
        })
    }

    /// Entra's configuration and keys: fetched at first use, once a day, and when a key is not known, at most every five
    /// minutes.
    async fn provider(&self, key_unknown: bool) -> Result<Provider, SignInError> {
        let now = self.clock.now();
        let mut held = self.provider.lock().await;
        let fresh_for = if key_unknown { KEY_REFRESH_PAUSE } else { KEY_LIFETIME };
        let usable = held.as_ref().filter(|provider| now - provider.fetched_at < fresh_for);
        if let Some(provider) = usable {
            return Ok(provider.clone());
        }
        let fetched = Provider::fetch(&self.settings, now).await?;
        *held = Some(fetched.clone());
        Ok(fetched)
    }
}
