//! Signing keys in Azure Key Vault: a key that signs there (ES256) and never leaves, or the text of a key file as a secret.
//!
//! Which version signs: of those that are enabled, the newest one that has been published for a day, so that whoever verifies
//! has had the time to fetch it. An activation date (`nbf`) takes the place of the day. All enabled versions are published.

mod address;
mod client;
mod key;

use std::sync::Arc;

use secrecy::ExposeSecret as _;
use serde::Deserialize;
use time::OffsetDateTime;
use url::Url;

use super::{Jwk, KeyError, VaultAccess, VaultTrouble, key_file, signer::Signer};
use address::{Address, Kind};
use client::Client;
use key::VaultKey;

/// A new version is published for so many seconds before it signs.
const PUBLISHED_BEFORE: i64 = 24 * 60 * 60;
/// Older versions than so many are not published any more.
const MOST_VERSIONS: usize = 50;
/// No list of versions has more pages.
const MOST_PAGES: usize = 40;

/// A key or a secret, with all of its versions or one.
pub(super) struct Source {
    address: Address,
    client: Arc<Client>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    value: Vec<Version>,
    #[serde(default)]
    next_link: Option<String>,
}

/// A version of a list. Keys are named by `kid`, secrets by `id`.
#[derive(Deserialize)]
struct Version {
    #[serde(alias = "kid")]
    id: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct Attributes {
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    created: i64,
    /// Not before.
    #[serde(default)]
    nbf: Option<i64>,
    /// Not from here on.
    #[serde(default)]
    exp: Option<i64>,
}

impl Attributes {
    fn signs_from(self) -> i64 {
        self.nbf.unwrap_or(self.created.saturating_add(PUBLISHED_BEFORE))
    }

    fn has_expired(self, now: i64) -> bool {
        self.exp.is_some_and(|end| end <= now)
    }
}

#[derive(Deserialize)]
struct Secret {
    value: secrecy::SecretString,
}

impl Source {
    pub(super) fn new(url: &Url, access: &VaultAccess<'_>) -> Result<Self, KeyError> {
        let address = Address::parse(url)?;
        let tokens = (access.tokens_for)(&address.scope()).map_err(|error| KeyError::Vault {
            key: address.text(),
            trouble: VaultTrouble::NoToken(error.to_string()),
        })?;
        let client = Client { vault: address.vault.clone(), http: access.http.clone(), tokens };
        Ok(Self { address, client: Arc::new(client) })
    }

    /// The key that signs, and all public keys, the newest first.
    pub(super) async fn load(&self, now: OffsetDateTime) -> Result<(Arc<dyn Signer>, Vec<Jwk>), KeyError> {
        let versions = match &self.address.version {
            Some(version) => vec![(version.clone(), Attributes::default())],
            None => self.list_versions().await.map_err(|trouble| self.wrong(trouble))?,
        };
        let mut keys: Vec<Arc<dyn Signer>> = Vec::with_capacity(versions.len());
        for (version, _) in &versions {
            keys.push(self.fetch(version).await?);
        }
        let attributes: Vec<Attributes> = versions.iter().map(|(_, attributes)| *attributes).collect();
        let signing = choose(&attributes, now.unix_timestamp()).and_then(|place| keys.get(place)).cloned();
        let published = keys.iter().map(|key| key.public().clone()).collect();
        Ok((signing.ok_or_else(|| self.wrong(VaultTrouble::Disabled))?, published))
    }

    /// The enabled versions, the newest first.
    async fn list_versions(&self) -> Result<Vec<(String, Attributes)>, VaultTrouble> {
        let mut found: Vec<(String, Attributes)> = Vec::new();
        let mut skip: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let query: Vec<(&str, &str)> = skip.iter().map(|skip| ("$skiptoken", skip.as_str())).collect();
            let page: Listed = self.client.get(&self.address.path("versions"), &query).await?;
            found.extend(page.value.iter().filter_map(|version| {
                let name = version.id.rsplit('/').next()?.to_owned();
                Some((name, version.attributes))
            }));
            // Only the token of the next address is taken: ours goes to no other host.
            skip = page.next_link.filter(|link| !link.is_empty()).and_then(|link| skip_token(&link));
            if skip.is_none() {
                break;
            }
        }
        if found.is_empty() {
            return Err(VaultTrouble::Missing);
        }
        found.retain(|(_, attributes)| attributes.enabled);
        found.sort_by_key(|(_, attributes)| std::cmp::Reverse(attributes.created));
        found.truncate(MOST_VERSIONS);
        if found.is_empty() { Err(VaultTrouble::Disabled) } else { Ok(found) }
    }

    async fn fetch(&self, version: &str) -> Result<Arc<dyn Signer>, KeyError> {
        let path = self.address.path(version);
        match self.address.kind {
            Kind::Keys => {
                let key = VaultKey::fetch(&self.client, path).await.map_err(|trouble| self.wrong(trouble))?;
                Ok(Arc::new(key))
            }
            Kind::Secrets => {
                let secret: Secret = self.client.get(&path, &[]).await.map_err(|trouble| self.wrong(trouble))?;
                let key = key_file::from_pem(secret.value.expose_secret());
                Ok(Arc::new(key.ok_or_else(|| KeyError::Format(self.address.text()))?))
            }
        }
    }

    fn wrong(&self, trouble: VaultTrouble) -> KeyError {
        KeyError::Vault { key: self.address.text(), trouble }
    }
}

fn skip_token(link: &str) -> Option<String> {
    let link = Url::parse(link).ok()?;
    link.query_pairs().find(|(name, _)| name == "$skiptoken").map(|(_, value)| value.into_owned())
}

/// The place of the version that signs, among enabled ones, the newest first: the newest whose time has come; where there is
/// none, the oldest.
fn choose(versions: &[Attributes], now: i64) -> Option<usize> {
    let usable = |place: &usize| versions.get(*place).is_some_and(|version| !version.has_expired(now));
    let may_sign = |place: &usize| versions.get(*place).is_some_and(|version| version.signs_from() <= now);
    let places = || (0..versions.len()).filter(usable);
    places().find(may_sign).or_else(|| places().next_back())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(created: i64, nbf: Option<i64>, exp: Option<i64>) -> Attributes {
        Attributes { enabled: true, created, nbf, exp }
    }

    #[test]
    fn a_version_is_published_before_it_signs() {
        const DAY: i64 = PUBLISHED_BEFORE;
        let now = 10 * DAY;
        let table: [(&[Attributes], Option<usize>); 8] = [
            (&[], None),
            (&[version(now, None, None)], Some(0)),
            (&[version(now - 1, None, None), version(0, None, None)], Some(1)),
            (&[version(now - DAY, None, None), version(0, None, None)], Some(0)),
            // An activation date takes the place of the day.
            (&[version(now - 1, Some(now), None), version(0, None, None)], Some(0)),
            (&[version(now - 5 * DAY, Some(now + 1), None), version(0, None, None)], Some(1)),
            // What the vault refuses to sign with does not.
            (&[version(now - 1, None, None), version(0, None, Some(now))], Some(0)),
            (&[version(now - 2, None, None), version(now - 3, None, None)], Some(1)),
        ];
        for (versions, expected) in table {
            assert_eq!(choose(versions, now), expected, "{versions:?}");
        }
    }

    #[test]
    fn of_a_next_page_only_the_token_is_taken() {
        let link = "https://elsewhere.example/keys/a/versions?api-version=7.4&$skiptoken=eyJ%2B&maxresults=25";
        assert_eq!(skip_token(link).as_deref(), Some("eyJ+"));
        assert_eq!(skip_token("https://elsewhere.example/keys"), None);
    }
}
