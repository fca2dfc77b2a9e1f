//! What lies in the vault.

use std::collections::BTreeMap;

use p256::ecdsa::{Signature, SigningKey, signature::hazmat::PrehashSigner as _};
use ring::digest::{SHA256, digest};
use time::OffsetDateTime;

use super::{VaultChange, WorldError};

const LIMIT: usize = 1_000;

/// A key or a secret.
pub(super) enum Content {
    Key(Box<SigningKey>),
    Secret(String),
}

/// One version.
pub(super) struct Version {
    pub(super) id: String,
    pub(super) content: Content,
    pub(super) enabled: bool,
    pub(super) created: OffsetDateTime,
    pub(super) not_before: Option<OffsetDateTime>,
    pub(super) expires: Option<OffsetDateTime>,
}

/// Versions by kind (`keys`, `secrets`) and name, the oldest first.
#[derive(Default)]
pub(in super::super) struct Shelf(BTreeMap<(String, String), Vec<Version>>);

impl Shelf {
    pub(super) fn versions(&self, kind: &str, name: &str) -> &[Version] {
        self.0.get(&(kind.to_owned(), name.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// The same names give the same keys: nothing here is a secret.
    pub(super) fn add_key(&mut self, name: &str, now: OffsetDateTime) -> Result<String, WorldError> {
        let number = self.versions("keys", name).len();
        let scalar = digest(&SHA256, format!("the simulator's key {name} {number}").as_bytes());
        let key = SigningKey::from_slice(scalar.as_ref()).map_err(|error| WorldError(error.to_string()))?;
        self.add("keys", name, Content::Key(Box::new(key)), now)
    }

    pub(super) fn add_secret(&mut self, name: &str, value: &str, now: OffsetDateTime) -> Result<String, WorldError> {
        self.add("secrets", name, Content::Secret(value.to_owned()), now)
    }

    fn add(&mut self, kind: &str, name: &str, content: Content, now: OffsetDateTime) -> Result<String, WorldError> {
        let versions = self.0.entry((kind.to_owned(), name.to_owned())).or_default();
        if versions.len() >= LIMIT {
            return Err(WorldError("too many versions".to_owned()));
        }
        let id = uuid::Uuid::new_v4().simple().to_string();
        let version = Version { id: id.clone(), content, enabled: true, created: now, not_before: None, expires: None };
        versions.push(version);
        Ok(id)
    }

    pub(super) fn change(&mut self, kind: &str, name: &str, id: &str, change: &VaultChange) -> bool {
        let versions = self.0.get_mut(&(kind.to_owned(), name.to_owned()));
        let found = versions.and_then(|versions| versions.iter_mut().find(|version| version.id == id));
        let Some(version) = found else { return false };
        version.enabled = change.enabled.unwrap_or(version.enabled);
        version.not_before = change.not_before.or(version.not_before);
        version.expires = change.expires.or(version.expires);
        true
    }
}

/// Both coordinates of the public key.
pub(super) fn coordinates(key: &SigningKey) -> (Vec<u8>, Vec<u8>) {
    let point = key.verifying_key().to_encoded_point(false);
    let bytes = |part: Option<&[u8]>| part.map(<[u8]>::to_vec).unwrap_or_default();
    (bytes(point.x().map(AsRef::as_ref)), bytes(point.y().map(AsRef::as_ref)))
}

/// The signature over a digest, r and s one behind the other.
pub(super) fn sign(key: &SigningKey, digest: &[u8]) -> Option<Vec<u8>> {
    let signature: Signature = key.sign_prehash(digest).ok()?;
    Some(signature.to_bytes().to_vec())
}
