//! Whoever holds a private key: this process, or a vault that never gives it away.

use async_trait::async_trait;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::{Jwk, KeyError};

/// A private key.
#[async_trait]
pub(super) trait Signer: Send + Sync {
    /// Its public half.
    fn public(&self) -> &Jwk;

    /// The signature, where it takes no network; `None` where the key is in a vault.
    fn sign_here(&self, message: &[u8]) -> Option<Vec<u8>>;

    /// The signature, wherever the key is. Never within a transaction.
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError>;
}

/// An Ed25519 key in the memory of this process.
pub(super) struct LocalKey {
    public: Jwk,
    pair: Ed25519KeyPair,
}

impl LocalKey {
    pub(super) fn new(pair: Ed25519KeyPair) -> Self {
        Self { public: Jwk::ed25519(pair.public_key().as_ref()), pair }
    }
}

#[async_trait]
impl Signer for LocalKey {
    fn public(&self) -> &Jwk {
        &self.public
    }

    fn sign_here(&self, message: &[u8]) -> Option<Vec<u8>> {
        Some(self.pair.sign(message).as_ref().to_vec())
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        Ok(self.pair.sign(message).as_ref().to_vec())
    }
}
