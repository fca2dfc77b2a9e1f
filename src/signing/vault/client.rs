//! Azure Key Vault over HTTP: its token, its patience, and what its answers mean.

use std::{sync::Arc, time::Duration};

use reqwest::{RequestBuilder, Response, StatusCode, header};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

use super::super::VaultTrouble;
use crate::{
    entra::{CredentialError, TokenSource},
    http,
};

const API_VERSION: &str = "7.4";
const MAX_ANSWER_BYTES: usize = 1 << 20;
/// Vaults throttle, and fail for moments; so often a call is repeated before somebody is told. Signing twice does no harm.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1_200)];
/// A vault answers within a fraction of a second.
const TIMEOUT: Duration = Duration::from_secs(8);
/// Nobody waits longer than this for a second try, whatever the vault asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// A vault.
pub(super) struct Client {
    pub(super) vault: Url,
    pub(super) http: reqwest::Client,
    pub(super) tokens: Arc<dyn TokenSource>,
}

/// An error as vaults write it.
#[derive(Deserialize, Default)]
struct Refusal {
    #[serde(default)]
    error: RefusalBody,
}

#[derive(Deserialize, Default)]
struct RefusalBody {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    innererror: Option<InnerError>,
}

#[derive(Deserialize)]
struct InnerError {
    #[serde(default)]
    code: String,
}

/// What becomes of a try.
enum Tried {
    Answered(String),
    /// Another token may help.
    Unauthorized(VaultTrouble),
    /// Another try may help, after so long.
    Later(VaultTrouble, Option<Duration>),
    Refused(VaultTrouble),
}

impl Client {
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, VaultTrouble> {
        let mut url = self.url(path)?;
        url.query_pairs_mut().extend_pairs(query);
        self.call(|| self.http.get(url.clone())).await
    }

    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, VaultTrouble> {
        let url = self.url(path)?;
        self.call(|| self.http.post(url.clone()).json(body)).await
    }

    fn url(&self, path: &str) -> Result<Url, VaultTrouble> {
        let mut url = self.vault.join(path).map_err(|error| VaultTrouble::Strange(error.to_string()))?;
        url.query_pairs_mut().append_pair("api-version", API_VERSION);
        Ok(url)
    }

    async fn call<T: DeserializeOwned>(&self, request: impl Fn() -> RequestBuilder) -> Result<T, VaultTrouble> {
        let mut pauses = PAUSES.into_iter();
        let mut is_renewed = false;
        loop {
            let token = if is_renewed { self.tokens.renewed_token().await } else { self.tokens.token().await };
            let token = token.map_err(no_token)?;
            match attempt(request().bearer_auth(token.expose_secret())).await {
                Tried::Answered(text) => {
                    return serde_json::from_str(&text).map_err(|error| VaultTrouble::Strange(error.to_string()));
                }
                Tried::Unauthorized(_) if !is_renewed => is_renewed = true,
                Tried::Later(trouble, wanted) => {
                    let Some(pause) = pauses.next() else { return Err(trouble) };
                    tokio::time::sleep(wanted.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                }
                Tried::Unauthorized(trouble) | Tried::Refused(trouble) => return Err(trouble),
            }
        }
    }
}

fn no_token(error: CredentialError) -> VaultTrouble {
    match error {
        CredentialError::Refused(text) => VaultTrouble::NoToken(text),
        CredentialError::Unreachable(text) => VaultTrouble::EntraUnreachable(text),
    }
}

async fn attempt(request: RequestBuilder) -> Tried {
    let response = match request.timeout(TIMEOUT).send().await {
        Ok(response) => response,
        // A buyer may be waiting: who was silent once is not asked again.
        Err(error) if error.is_timeout() => return Tried::Refused(VaultTrouble::Unreachable(without_url(error))),
        Err(error) => return Tried::Later(VaultTrouble::Unreachable(without_url(error)), None),
    };
    let status = response.status();
    let (challenge, retry_after) = (trusted_tenant(&response), retry_after(&response));
    let text = match http::bounded_text(response, MAX_ANSWER_BYTES).await {
        Ok(Some(text)) => text,
        Ok(None) => return Tried::Refused(VaultTrouble::Strange("its answer is too long".to_owned())),
        Err(error) => return Tried::Later(VaultTrouble::Unreachable(without_url(error)), None),
    };
    let said = || said(&text);
    match status {
        StatusCode::OK => Tried::Answered(text),
        StatusCode::UNAUTHORIZED => Tried::Unauthorized(VaultTrouble::Unauthorized(challenge)),
        StatusCode::FORBIDDEN => Tried::Refused(VaultTrouble::Forbidden(said())),
        StatusCode::NOT_FOUND => Tried::Refused(VaultTrouble::Missing),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Tried::Later(VaultTrouble::Unreachable(format!("it answers {status}")), retry_after)
        }
        status if status.is_server_error() => {
            Tried::Later(VaultTrouble::Unreachable(format!("it answers {status}")), retry_after)
        }
        status => Tried::Refused(VaultTrouble::Strange(format!("{status} {}", said()).trim_end().to_owned())),
    }
}

/// An address may be long, and the key's is named anyway.
fn without_url(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    text
}

/// Code and sentence of a refusal.
fn said(text: &str) -> String {
    let RefusalBody { code, message, innererror } = serde_json::from_str::<Refusal>(text).unwrap_or_default().error;
    let code = innererror.map_or(code, |inner| inner.code);
    let first = message.lines().next().unwrap_or_default();
    format!("{code}: {first}").trim_matches([':', ' ']).to_owned()
}

/// Whom a vault trusts: `Bearer authorization="https://login.microsoftonline.com/TENANT", resource="…"`.
fn trusted_tenant(response: &Response) -> String {
    let challenge = response.headers().get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    let authorization = challenge.and_then(|text| text.split_once("authorization=\"")).map(|(_, rest)| rest);
    authorization.and_then(|rest| rest.split('"').next()).unwrap_or("another directory").to_owned()
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
