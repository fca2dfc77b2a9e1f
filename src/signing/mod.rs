//! License keys as compact JWS (RFC 7515), signed with Ed25519 (RFC 8037) or, in a key vault, with ECDSA on P-256 (ES256):
//! key ids, rotation, JWKS.
//!
//! Owns: private keys (files with mode 0600, secrets of a vault, or a vault that keeps them; never the database or a log),
//! signing, verification. Does not own: what a key says and for how long (`domain::license`).
//! Invariants: [`Keyring::sign`] may be a network call and never runs within a transaction; [`Keyring::sign_here`] never is one.

mod error;
mod jwk;
mod key_file;
mod signer;
mod vault;
mod verify;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use time::OffsetDateTime;
use url::Url;

use crate::{
    domain::license::Claims,
    entra::{CredentialError, TokenSource},
};

pub use error::{KeyError, VaultTrouble};
pub use jwk::{Jwk, Jwks};
pub use key_file::generate;
use signer::Signer;
pub use verify::{VerifyError, inspect, verify, verify_signature};

/// The `typ` of a license key; other JWS of the same signing key are not one.
pub const LICENSE_TYPE: &str = "license+jwt";
/// The `typ` of the list of revoked licenses.
pub const REVOCATIONS_TYPE: &str = "license-revocations+jwt";

/// Where a signing key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// A file.
    File(PathBuf),
    /// A key or a secret of a key vault: `https://VAULT.vault.azure.net/keys|secrets/NAME[/VERSION]`.
    Vault(Url),
}

/// Makes a source of tokens for a scope such as `https://vault.azure.net/.default`.
pub type TokensFor<'a> = dyn Fn(&str) -> Result<Arc<dyn TokenSource>, CredentialError> + Sync + 'a;

/// What it takes to ask a vault.
pub struct VaultAccess<'a> {
    /// The HTTP client.
    pub http: &'a reqwest::Client,
    /// Its tokens.
    pub tokens_for: &'a TokensFor<'a>,
}

/// The keys of an installation: the first signs, all are published.
pub struct Keyring {
    sources: Vec<Source>,
    keys: RwLock<Arc<Keys>>,
}

enum Source {
    /// Read once.
    Loaded(Arc<dyn Signer>),
    /// Asked for again from time to time.
    Vault(vault::Source),
}

struct Keys {
    signing: Arc<dyn Signer>,
    published: Vec<Jwk>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.jwks().keys.iter().map(|key| &key.kid)).finish()
    }
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    kid: &'a str,
    typ: &'a str,
}

/// A license key as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedKey {
    /// Its text: header, claims and signature.
    pub compact: String,
    /// Which key signed it.
    pub key_id: String,
}

impl Keyring {
    /// Reads files and asks vaults; the first one signs. `now` decides which version of a vault's key does.
    ///
    /// # Errors
    /// [`KeyError`] names the key, and what to do.
    pub async fn open(places: &[KeyPlace], access: VaultAccess<'_>, now: OffsetDateTime) -> Result<Self, KeyError> {
        let mut sources = Vec::with_capacity(places.len());
        for place in places {
            sources.push(match place {
                KeyPlace::File(path) => Source::Loaded(Arc::new(key_file::read(path)?)),
                KeyPlace::Vault(url) => Source::Vault(vault::Source::new(url, &access)?),
            });
        }
        let keys = load(&sources, now).await?;
        Ok(Self { sources, keys: RwLock::new(Arc::new(keys)) })
    }

    /// Reads key files; the first one signs.
    ///
    /// # Errors
    /// [`KeyError`] names the file and what to do.
    pub fn from_files(paths: &[PathBuf]) -> Result<Self, KeyError> {
        let read = |path: &PathBuf| key_file::read(path).map(|key| Arc::new(key) as Arc<dyn Signer>);
        let signers = paths.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let published = signers.iter().map(|key| key.public().clone()).collect();
        let keys = Keys { signing: Arc::clone(signers.first().ok_or(KeyError::None)?), published };
        let sources = signers.into_iter().map(Source::Loaded).collect();
        Ok(Self { sources, keys: RwLock::new(Arc::new(keys)) })
    }

    /// Reads a key file, or makes it when it is missing; for the demo.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_file_or_new(path: &Path) -> Result<Self, KeyError> {
        if !path.exists() {
            key_file::generate(path)?;
        }
        Self::from_files(&[path.to_path_buf()])
    }

    /// Whether any key comes from a vault, and may have new versions there.
    #[must_use]
    pub fn may_change(&self) -> bool {
        self.sources.iter().any(|source| matches!(source, Source::Vault(_)))
    }

    /// Asks the vaults again: new versions are published, and sign when their time has come.
    ///
    /// # Errors
    /// [`KeyError`]; the keys stay what they were.
    pub async fn refresh(&self, now: OffsetDateTime) -> Result<(), KeyError> {
        let fresh = load(&self.sources, now).await?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(())
    }

    /// Whether signing takes no network.
    #[must_use]
    pub fn signs_here(&self) -> bool {
        self.keys().signing.sign_here(&[]).is_some()
    }

    /// Signs a license key without a network; `None` when the key that signs is in a vault. Ed25519 is deterministic: the same
    /// claims give the same text.
    ///
    /// # Errors
    /// [`KeyError::Claims`].
    pub fn sign_here(&self, claims: &Claims) -> Result<Option<SignedKey>, KeyError> {
        let keys = self.keys();
        let message = message(&keys, LICENSE_TYPE, claims)?;
        Ok(keys.signing.sign_here(message.as_bytes()).map(|signature| signed(&keys, message, &signature)))
    }

    /// Signs a license key, wherever the key is. Never within a transaction.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn sign(&self, claims: &Claims) -> Result<SignedKey, KeyError> {
        self.sign_as(LICENSE_TYPE, claims).await
    }

    /// Signs the list of revoked licenses; its `typ` tells it from a key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn sign_revocations(&self, list: &(impl Serialize + Sync)) -> Result<SignedKey, KeyError> {
        self.sign_as(REVOCATIONS_TYPE, list).await
    }

    async fn sign_as(&self, kind: &str, claims: &(impl Serialize + Sync)) -> Result<SignedKey, KeyError> {
        let keys = self.keys();
        let message = message(&keys, kind, claims)?;
        let signature = keys.signing.sign(message.as_bytes()).await?;
        Ok(signed(&keys, message, &signature))
    }

    /// The public keys, for everybody who verifies.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        Jwks { keys: self.keys().published.clone() }
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn load(sources: &[Source], now: OffsetDateTime) -> Result<Keys, KeyError> {
    let mut signing = None;
    let mut published: Vec<Jwk> = Vec::new();
    for source in sources {
        let (first, all) = match source {
            Source::Loaded(key) => (Arc::clone(key), vec![key.public().clone()]),
            Source::Vault(source) => source.load(now).await?,
        };
        signing.get_or_insert(first);
        let is_new = |key: &Jwk| !published.iter().any(|known| known.kid == key.kid);
        let new: Vec<Jwk> = all.into_iter().filter(is_new).collect();
        published.extend(new);
    }
    Ok(Keys { signing: signing.ok_or(KeyError::None)?, published })
}

/// Header and claims, as they are signed.
fn message(keys: &Keys, kind: &str, claims: &impl Serialize) -> Result<String, KeyError> {
    let public = keys.signing.public();
    let header = Header { alg: &public.alg, kid: &public.kid, typ: kind };
    let mut message = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header)?);
    message.push('.');
    URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims)?, &mut message);
    Ok(message)
}

fn signed(keys: &Keys, mut compact: String, signature: &[u8]) -> SignedKey {
    compact.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut compact);
    SignedKey { compact, key_id: keys.signing.public().kid.clone() }
}

#[cfg(test)]
mod tests;
