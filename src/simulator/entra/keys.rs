//! Entra's signing keys. They are fixed files, because generating RSA keys is slow in debug builds.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    digest::{SHA1_FOR_LEGACY_USE_ONLY, digest},
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair},
};

/// One key.
pub(in super::super) struct Key {
    /// Entra's key ids are certificate thumbprints; this is the public key's.
    pub(super) kid: String,
    pair: RsaKeyPair,
}

impl Key {
    fn from_pem(pem: &str) -> std::io::Result<Self> {
        let body = pem.lines().skip_while(|line| !line.starts_with("-----BEGIN")).skip(1);
        let text: String = body.take_while(|line| !line.starts_with("-----END")).collect();
        let der = STANDARD.decode(text).map_err(std::io::Error::other)?;
        let pair = RsaKeyPair::from_pkcs8(&der).map_err(std::io::Error::other)?;
        let kid = URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, pair.public().as_ref()));
        Ok(Self { kid, pair })
    }

    /// The signature over `message` (RS256); nothing when the system has no randomness.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).ok()?;
        Some(signature)
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.components().verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
    }

    fn components(&self) -> PublicKeyComponents<Vec<u8>> {
        self.pair.public().into()
    }

    /// The public key as PEM text (PKCS #1), as careless programs keep it.
    pub(super) fn public_pem(&self) -> String {
        let text = STANDARD.encode(self.pair.public().as_ref());
        format!("-----BEGIN RSA PUBLIC KEY-----\n{text}\n-----END RSA PUBLIC KEY-----\n")
    }

    /// Modulus and exponent, as a JWK wants them.
    pub(super) fn public_parts(&self) -> (String, String) {
        let parts = self.components();
        (URL_SAFE_NO_PAD.encode(parts.n), URL_SAFE_NO_PAD.encode(parts.e))
    }
}

/// Three keys, two of which are published: the one that signs and the one before it.
pub(in super::super) struct KeyRing([Key; 3]);

impl KeyRing {
    /// Reads the built-in keys.
    pub(in super::super) fn load() -> std::io::Result<Self> {
        Ok(Self([
            Key::from_pem(include_str!("../keys/signing-1.pem"))?,
            Key::from_pem(include_str!("../keys/signing-2.pem"))?,
            Key::from_pem(include_str!("../keys/signing-3.pem"))?,
        ]))
    }

    /// The signing key first, then the one before it. The next key is not announced: after a rotation, whoever keeps
    /// the old list has to fetch it again.
    pub(super) fn published(&self, rotations: usize) -> [&Key; 2] {
        let [first, second, third] = &self.0;
        match rotations % 3 {
            0 => [first, third],
            1 => [second, first],
            _ => [third, second],
        }
    }

    /// The key that nobody has been told of.
    pub(super) fn unpublished(&self, rotations: usize) -> &Key {
        let [first, second, third] = &self.0;
        match rotations % 3 {
            0 => second,
            1 => third,
            _ => first,
        }
    }
}
