//! Public keys as they are published (RFC 7517), and the algorithm that each of them is for, and no other.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, VerificationAlgorithm};
use serde::{Deserialize, Serialize};

/// A set of public keys (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// `OKP` or `EC`.
    pub kty: String,
    /// `Ed25519` or `P-256`.
    #[serde(default)]
    pub crv: String,
    /// The key's bytes; on P-256 the first coordinate.
    #[serde(default)]
    pub x: String,
    /// On P-256 the second coordinate.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub y: String,
    /// The key's id: its thumbprint (RFC 7638).
    #[serde(default)]
    pub kid: String,
    /// `EdDSA` or `ES256`.
    #[serde(default)]
    pub alg: String,
    /// `sig`.
    #[serde(default, rename = "use")]
    pub usage: String,
}

/// How license keys may be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// Ed25519 (RFC 8037).
    EdDsa,
    /// ECDSA on P-256 with SHA-256 (RFC 7518).
    Es256,
}

impl Algorithm {
    /// As `alg` says it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        }
    }

    pub(super) fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::EdDsa => &ED25519,
            Self::Es256 => &ECDSA_P256_SHA256_FIXED,
        }
    }
}

impl Jwk {
    /// An Ed25519 key.
    pub(super) fn ed25519(public: &[u8]) -> Self {
        let x = URL_SAFE_NO_PAD.encode(public);
        // RFC 7638: the required members in alphabetical order, without blanks.
        let kid = thumbprint(&format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
        Self::new("OKP", "Ed25519", (x, String::new()), kid, Algorithm::EdDsa)
    }

    /// A key on P-256 by its coordinates; none when they are not 32 bytes each.
    pub(super) fn p256(x: &str, y: &str) -> Option<Self> {
        let canonical = |text: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok().filter(|bytes| bytes.len() == 32)?;
            Some(URL_SAFE_NO_PAD.encode(bytes))
        };
        let (x, y) = (canonical(x)?, canonical(y)?);
        let kid = thumbprint(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#));
        Some(Self::new("EC", "P-256", (x, y), kid, Algorithm::Es256))
    }

    fn new(kty: &str, crv: &str, (x, y): (String, String), kid: String, algorithm: Algorithm) -> Self {
        let (alg, usage) = (algorithm.as_str().to_owned(), "sig".to_owned());
        Self { kty: kty.to_owned(), crv: crv.to_owned(), x, y, kid, alg, usage }
    }

    /// What this key verifies, whatever a signature says of itself; none for a key that is not for license keys.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        let algorithm = match (self.kty.as_str(), self.crv.as_str()) {
            ("OKP", "Ed25519") => Algorithm::EdDsa,
            ("EC", "P-256") => Algorithm::Es256,
            _ => return None,
        };
        let agrees = |said: &str, expected: &str| said.is_empty() || said == expected;
        (agrees(&self.alg, algorithm.as_str()) && agrees(&self.usage, "sig")).then_some(algorithm)
    }

    /// The key's bytes, as they are verified with.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        let part = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        match self.algorithm()? {
            Algorithm::EdDsa => part(&self.x),
            Algorithm::Es256 => {
                let (x, y) = (part(&self.x)?, part(&self.y)?);
                // An uncompressed point.
                Some([&[4][..], &x, &y].concat())
            }
        }
    }

    /// Whether this key made the signature.
    pub(super) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        let key = self.algorithm().zip(self.bytes());
        key.is_some_and(|(algorithm, bytes)| {
            ring::signature::UnparsedPublicKey::new(algorithm.verification(), bytes).verify(signed, signature).is_ok()
        })
    }
}

fn thumbprint(canonical: &str) -> String {
    URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, canonical.as_bytes()))
}
