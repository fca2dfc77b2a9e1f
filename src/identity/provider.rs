//! Entra's configuration and keys, and the client type made of them.

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use openidconnect::{
    AsyncHttpClient, AuthType, Client, ClientId, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, IdTokenFields, RedirectUrl, RequestTokenError, StandardErrorResponse,
    StandardTokenResponse,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey, CoreJsonWebKeySet,
        CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use serde::Deserialize;
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

use super::{EntraClaims, Proof, SignInError};

const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;
/// With these words Entra says that it is not well, not that something is wrong with us.
const TRANSIENT: [&str; 2] = ["temporarily_unavailable", "server_error"];

pub(super) type IdToken =
    openidconnect::IdToken<EntraClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

type Fields = IdTokenFields<
    EntraClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

type EntraClient = Client<
    EntraClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) authority: Url,
    /// The one tenant whose people are signed in; `None` = everybody's.
    pub(super) tenant_id: Option<Uuid>,
    pub(super) client_id: String,
    pub(super) proof: Proof,
    pub(super) redirect: Url,
    pub(super) http: Http,
}

#[derive(Debug, Clone)]
pub(super) struct Provider {
    pub(super) client: EntraClient,
    pub(super) fetched_at: OffsetDateTime,
    issuer_template: String,
    /// The issuer for which each key may sign, where Entra names one.
    key_issuers: Arc<BTreeMap<String, Option<String>>>,
}

/// Our HTTP client in the shape that `openidconnect` asks for; its own would bring a second version of `reqwest`.
#[derive(Debug, Clone)]
pub(super) struct Http(pub(super) reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = openidconnect::HttpClientError<reqwest::Error>;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Self::Error>> + Send + Sync + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let request = reqwest::Request::try_from(request).map_err(Box::new)?;
            let response = self.0.execute(request).await.map_err(Box::new)?;
            let mut builder = http::Response::builder().status(response.status());
            for (name, value) in response.headers() {
                builder = builder.header(name, value);
            }
            let body = crate::http::bounded_text(response, MAX_DOCUMENT_BYTES).await.map_err(Box::new)?;
            let body = body.ok_or_else(|| Self::Error::Other("Entra's answer is too long".to_owned()))?;
            builder.body(body.into_bytes()).map_err(Self::Error::Http)
        })
    }
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    kid: Option<String>,
    issuer: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    kid: Option<String>,
}

impl Provider {
    pub(super) async fn fetch(settings: &Settings, now: OffsetDateTime) -> Result<Self, SignInError> {
        let unreadable = |error: &dyn std::fmt::Display| SignInError::Unreachable(error.to_string());
        let mut url = settings.authority.clone();
        let tenant = settings.tenant_id.map_or_else(|| "common".to_owned(), |tenant| tenant.to_string());
        url.set_path(&format!("/{tenant}/v2.0/.well-known/openid-configuration"));
        let document = get(&settings.http.0, url).await?;
        let metadata: CoreProviderMetadata = serde_json::from_str(&document).map_err(|error| unreadable(&error))?;
        let keys = get(&settings.http.0, metadata.jwks_uri().url().clone()).await?;
        let key_set: CoreJsonWebKeySet = serde_json::from_str(&keys).map_err(|error| unreadable(&error))?;
        let issuers: Keys = serde_json::from_str(&keys).map_err(|error| unreadable(&error))?;
        let issuer_template = metadata.issuer().as_str().to_owned();
        let client = Client::from_provider_metadata(
            metadata.set_jwks(key_set),
            ClientId::new(settings.client_id.clone()),
            // The library knows of secrets alone: what proves us is added to each request.
            None,
        )
        .set_auth_type(AuthType::RequestBody)
        .set_redirect_uri(RedirectUrl::from_url(settings.redirect.clone()));
        let key_issuers = issuers.keys.into_iter().filter_map(|key| Some((key.kid?, key.issuer))).collect();
        Ok(Self { client, fetched_at: now, issuer_template, key_issuers: Arc::new(key_issuers) })
    }

    /// The issuer of one tenant.
    pub(super) fn issuer_of(&self, tenant_id: Uuid) -> String {
        of_tenant(&self.issuer_template, tenant_id)
    }

    pub(super) fn knows_key_of(&self, token: &IdToken) -> bool {
        key_id(token).is_some_and(|kid| self.key_issuers.contains_key(&kid))
    }

    /// Entra's keys say for which issuer they sign: those of personal accounts must not sign for a company's tenant.
    /// A token that names no key of ours is nobody's.
    pub(super) fn key_may_sign_for(&self, token: &IdToken, tenant_id: Uuid) -> bool {
        let Some(named) = key_id(token).and_then(|kid| self.key_issuers.get(&kid)) else { return false };
        named.as_ref().is_none_or(|named| of_tenant(named, tenant_id) == self.issuer_of(tenant_id))
    }
}

/// Entra's issuers are templates where several tenants share a document.
fn of_tenant(issuer: &str, tenant_id: Uuid) -> String {
    issuer.replace("{tenantid}", &tenant_id.to_string())
}

fn key_id(token: &IdToken) -> Option<String> {
    let compact = token.to_string();
    let header = URL_SAFE_NO_PAD.decode(compact.split('.').next()?).ok()?;
    serde_json::from_slice::<Header>(&header).ok()?.kid
}

async fn get(http: &reqwest::Client, url: Url) -> Result<String, SignInError> {
    let unreachable = |error: reqwest::Error| SignInError::Unreachable(crate::http::innermost(&error.without_url()));
    let response = http.get(url).send().await.and_then(reqwest::Response::error_for_status).map_err(unreachable)?;
    let text = crate::http::bounded_text(response, MAX_DOCUMENT_BYTES).await.map_err(unreachable)?;
    text.ok_or_else(|| SignInError::Unreachable("Entra's document is too long".to_owned()))
}

type ExchangeError =
    RequestTokenError<openidconnect::HttpClientError<reqwest::Error>, StandardErrorResponse<CoreErrorResponseType>>;

/// Whose fault a failed exchange is: our secret, the code, or nobody's.
pub(super) fn explain(error: &ExchangeError) -> SignInError {
    match error {
        RequestTokenError::ServerResponse(response) => {
            let words = response.error_description().cloned().unwrap_or_default();
            let words = words.lines().next().unwrap_or_default().to_owned();
            match response.error() {
                CoreErrorResponseType::InvalidGrant => SignInError::Untrusted(words),
                CoreErrorResponseType::Extension(word) if TRANSIENT.contains(&word.as_str()) => {
                    SignInError::Unreachable(words)
                }
                _ => SignInError::Registration(words),
            }
        }
        RequestTokenError::Request(_) => SignInError::Unreachable("no connection".to_owned()),
        other => SignInError::Unreachable(other.to_string()),
    }
}
