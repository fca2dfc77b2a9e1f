//! License keys as compact JWS (RFC 7515), signed with Ed25519 (RFC 8037): keys on file, key ids, rotation, JWKS.
//!
//! Owns: private keys (files with mode 0600, never the database or a log), signing, verification. Does not own: what a key
//! says and for how long (`domain::license`).

mod key_file;
mod verify;

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};

use crate::domain::license::Claims;

pub use key_file::generate;
pub use verify::{VerifyError, inspect, verify, verify_signature};

/// The `typ` of a license key; other JWS of the same signing key are not one.
pub const LICENSE_TYPE: &str = "license+jwt";
/// The `typ` of the list of revoked licenses.
pub const REVOCATIONS_TYPE: &str = "license-revocations+jwt";

/// Why a signing key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the signing key {path} cannot be used: {source}")]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("the signing key {0} can be read by others; run: chmod 600 {0}")]
    Permissions(PathBuf),
    /// Not an Ed25519 key in PKCS#8 PEM.
    #[error("the signing key {0} is not an Ed25519 key in PKCS#8 PEM; make one with: seatkey license keygen")]
    Format(PathBuf),
    /// No key at all.
    #[error("there is no signing key; make one with `seatkey license keygen` and name it in [signing] keys")]
    None,
    /// The claims cannot be written as JSON.
    #[error("the license key cannot be written: {0}")]
    Claims(#[from] serde_json::Error),
}

/// The keys of an installation: the first signs, all are published.
pub struct Keyring {
    keys: Vec<SigningKey>,
}

struct SigningKey {
    id: String,
    pair: Ed25519KeyPair,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.id)).finish()
    }
}

/// A set of public keys (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    #[serde(default)]
    pub crv: String,
    /// The key's bytes.
    #[serde(default)]
    pub x: String,
    /// The key's id: its thumbprint (RFC 7638).
    #[serde(default)]
    pub kid: String,
    /// `EdDSA`.
    #[serde(default)]
    pub alg: String,
    /// `sig`.
    #[serde(default, rename = "use")]
    pub usage: String,
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
    /// Reads key files; the first one signs.
    ///
    /// # Errors
    /// [`KeyError`] names the file and what to do.
    pub fn from_files(paths: &[PathBuf]) -> Result<Self, KeyError> {
        let keys = paths.iter().map(|path| key_file::read(path)).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(KeyError::None) } else { Ok(Self { keys }) }
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

    /// Signs a license key. Ed25519 is deterministic: the same claims give the same text.
    ///
    /// # Errors
    /// [`KeyError::None`] without a key.
    pub fn sign(&self, claims: &Claims) -> Result<SignedKey, KeyError> {
        self.sign_as(LICENSE_TYPE, claims)
    }

    /// Signs the list of revoked licenses; its `typ` tells it from a key.
    ///
    /// # Errors
    /// [`KeyError::None`] without a key.
    pub fn sign_revocations(&self, list: &impl Serialize) -> Result<SignedKey, KeyError> {
        self.sign_as(REVOCATIONS_TYPE, list)
    }

    fn sign_as(&self, kind: &str, claims: &impl Serialize) -> Result<SignedKey, KeyError> {
        let key = self.keys.first().ok_or(KeyError::None)?;
        let header = Header { alg: "EdDSA", kid: &key.id, typ: kind };
        let mut compact = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header)?);
        compact.push('.');
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims)?, &mut compact);
        let signature = key.pair.sign(compact.as_bytes());
        compact.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut compact);
        Ok(SignedKey { compact, key_id: key.id.clone() })
    }

    /// The public keys, for everybody who verifies.
    #[must_use]
    pub fn jwks(&self) -> Jwks {
        Jwks { keys: self.keys.iter().map(SigningKey::public).collect() }
    }
}

impl SigningKey {
    fn new(pair: Ed25519KeyPair) -> Self {
        let x = URL_SAFE_NO_PAD.encode(pair.public_key());
        // RFC 7638: the required members in alphabetical order, without blanks.
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        let thumbprint = ring::digest::digest(&ring::digest::SHA256, canonical.as_bytes());
        Self { id: URL_SAFE_NO_PAD.encode(thumbprint), pair }
    }

    fn public(&self) -> Jwk {
        Jwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x: URL_SAFE_NO_PAD.encode(self.pair.public_key()),
            kid: self.id.clone(),
            alg: "EdDSA".to_owned(),
            usage: "sig".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
