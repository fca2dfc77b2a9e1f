//! Our tenant's keys and issuers, from Entra's OpenID configurations of both versions.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

use super::{TokenVersion, jose::Token};

/// Entra's key documents have about twenty kilobytes.
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;
/// Two documents after each other stay below the ten seconds that Microsoft gives a webhook.
const TIMEOUT: Duration = Duration::from_secs(4);
/// Shorter moduli are no signatures any more (RFC 7518, section 3.3); nobody publishes longer ones.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// Where the keys come from.
#[derive(Debug)]
pub(super) struct KeySource {
    authority: Url,
    tenant_id: Uuid,
    http: reqwest::Client,
}

/// What Entra published at one time. The keys are decoded and checked once.
#[derive(Debug)]
pub(super) struct KeySet {
    pub(super) fetched_at: OffsetDateTime,
    keys: BTreeMap<String, Key>,
    version_1: String,
    version_2: String,
}

#[derive(Debug, PartialEq, Eq)]
struct Key {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    jwks_uri: Url,
}

#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kid: String,
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    n: String,
    e: String,
    /// The issuer for which this key may sign, where Entra names one.
    issuer: Option<String>,
}

impl KeySource {
    pub(super) fn new(authority: Url, tenant_id: Uuid, http: reqwest::Client) -> Self {
        Self { authority, tenant_id, http }
    }

    /// Fetches both versions; half an answer is none. The error says what was wrong, for our own log.
    pub(super) async fn fetch(&self, now: OffsetDateTime) -> Result<KeySet, String> {
        let tenant = self.tenant_id;
        let (first, second) = tokio::try_join!(
            self.version(format!("/{tenant}/.well-known/openid-configuration"), format!("/{tenant}/")),
            self.version(format!("/{tenant}/v2.0/.well-known/openid-configuration"), format!("/{tenant}/v2.0")),
        )?;
        let (version_1, version_2) = (first.0, second.0);
        let issuers = [version_1.as_str(), version_2.as_str()];
        let usable = first.1.into_iter().chain(second.1).filter_map(|entry| self.usable(entry, &issuers));
        let keys = unambiguous(usable);
        if keys.is_empty() {
            return Err("there is no usable key".to_owned());
        }
        Ok(KeySet { fetched_at: now, keys, version_1, version_2 })
    }

    /// One version's issuer and what its key document lists.
    async fn version(&self, path: String, issuer_end: String) -> Result<(String, Vec<Value>), String> {
        let mut url = self.authority.clone();
        url.set_path(&path);
        let configuration: Configuration = self.get(url).await?;
        // A template, or another tenant's: then the address is not that of our tenant.
        if !configuration.issuer.ends_with(&issuer_end) {
            return Err("the issuer is not our tenant's".to_owned());
        }
        if configuration.jwks_uri.origin() != self.authority.origin() {
            return Err("the keys are said to be at another host".to_owned());
        }
        let published: Published = self.get(configuration.jwks_uri).await?;
        Ok((configuration.issuer, published.keys))
    }

    async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T, String> {
        let words = |error: reqwest::Error| error.without_url().to_string();
        let response = self.http.get(url).timeout(TIMEOUT).send().await.map_err(words)?;
        if !response.status().is_success() {
            return Err(format!("Entra answers {}", response.status().as_u16()));
        }
        let text = crate::http::bounded_text(response, MAX_DOCUMENT_BYTES).await.map_err(words)?;
        let text = text.ok_or_else(|| "Entra's document is too long".to_owned())?;
        serde_json::from_str(&text).map_err(|error| format!("Entra's document cannot be read: {error}"))
    }

    /// A key that may sign tokens of our tenant; everything else in the list is left out.
    fn usable(&self, entry: Value, issuers: &[&str]) -> Option<(String, Key)> {
        let jwk: Jwk = serde_json::from_value(entry).ok()?;
        let signs = jwk.kty == "RSA"
            && jwk.purpose.is_none_or(|purpose| purpose == "sig")
            && jwk.alg.is_none_or(|algorithm| algorithm == "RS256");
        let issuer = jwk.issuer.map(|issuer| issuer.replace("{tenantid}", &self.tenant_id.to_string()));
        let ours = issuer.is_none_or(|issuer| issuers.contains(&issuer.as_str()));
        if !signs || !ours || jwk.kid.is_empty() {
            return None;
        }
        Some((jwk.kid, Key::read(&jwk.n, &jwk.e)?))
    }
}

impl Key {
    fn read(modulus: &str, exponent: &str) -> Option<Self> {
        let number = |text: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect::<Vec<_>>())
        };
        let (modulus, exponent) = (number(modulus)?, number(exponent)?);
        let bits = modulus.len() * 8 - usize::try_from(modulus.first()?.leading_zeros()).ok()?;
        let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
        // With the exponent 1 every text would be its own signature.
        if !MODULUS_BITS.contains(&bits) || !is_odd(&modulus) || !is_odd(&exponent) || exponent == [1] {
            return None;
        }
        Some(Self { modulus, exponent })
    }
}

/// The keys by their id. Both versions list the same ones; an id with two different keys is nobody's.
fn unambiguous(usable: impl Iterator<Item = (String, Key)>) -> BTreeMap<String, Key> {
    let mut found: BTreeMap<String, Option<Key>> = BTreeMap::new();
    for (kid, key) in usable {
        let held = found.remove(&kid);
        let only = match held {
            None => Some(key),
            Some(held) => held.filter(|held| *held == key),
        };
        found.insert(kid, only);
    }
    found.into_iter().filter_map(|(kid, key)| Some((kid, key?))).collect()
}

impl KeySet {
    pub(super) fn knows(&self, kid: &str) -> bool {
        self.keys.contains_key(kid)
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The issuer of our tenant's tokens of this version.
    pub(super) fn issuer(&self, version: TokenVersion) -> &str {
        match version {
            TokenVersion::V1 => &self.version_1,
            TokenVersion::V2 => &self.version_2,
        }
    }

    /// Whether the key that the token names has signed it.
    pub(super) fn has_signed(&self, token: &Token<'_>) -> bool {
        self.keys.get(&token.kid).is_some_and(|key| {
            let Ok(signature) = URL_SAFE_NO_PAD.decode(token.signature) else { return false };
            let components = RsaPublicKeyComponents { n: &key.modulus, e: &key.exponent };
            components.verify(&RSA_PKCS1_2048_8192_SHA256, token.message.as_bytes(), &signature).is_ok()
        })
    }
}
