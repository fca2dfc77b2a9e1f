//! A key that signs in its vault.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::json;

use super::client::Client;
use crate::{
    crash::crash_point,
    signing::{Jwk, KeyError, VaultTrouble, signer::Signer},
};

/// One version of a key.
pub(super) struct VaultKey {
    public: Jwk,
    /// `keys/NAME/VERSION`.
    path: String,
    client: Arc<Client>,
}

#[derive(Deserialize)]
struct Bundle {
    key: Described,
}

#[derive(Deserialize)]
struct Described {
    kty: String,
    #[serde(default)]
    crv: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
}

#[derive(Deserialize)]
struct Signed {
    value: String,
}

impl VaultKey {
    /// Reads its public half.
    pub(super) async fn fetch(client: &Arc<Client>, path: String) -> Result<Self, VaultTrouble> {
        let Bundle { key } = client.get(&path, &[]).await?;
        let kind = format!("{} {}", key.kty, key.crv).trim_end().to_owned();
        // Those that are kept in hardware say so in their kind.
        let fits = matches!(key.kty.as_str(), "EC" | "EC-HSM") && key.crv == "P-256";
        let public = Jwk::p256(&key.x, &key.y).filter(|_| fits).ok_or(VaultTrouble::OtherKind(kind))?;
        Ok(Self { public, path, client: Arc::clone(client) })
    }

    async fn ask(&self, message: &[u8]) -> Result<Vec<u8>, VaultTrouble> {
        let digest = ring::digest::digest(&ring::digest::SHA256, message);
        let body = json!({ "alg": "ES256", "value": URL_SAFE_NO_PAD.encode(digest) });
        crash_point("before a signature of the vault");
        let Signed { value } = self.client.post(&format!("{}/sign", self.path), &body).await?;
        crash_point("after a signature of the vault");
        let signature = URL_SAFE_NO_PAD.decode(value.trim_end_matches('='));
        // Nobody gets a key that does not verify.
        let genuine = signature.ok().filter(|signature| self.public.verifies(message, signature));
        genuine.ok_or_else(|| VaultTrouble::Strange("its signature does not fit its own key".to_owned()))
    }
}

#[async_trait]
impl Signer for VaultKey {
    fn public(&self) -> &Jwk {
        &self.public
    }

    fn sign_here(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let wrong = |trouble| KeyError::Vault { key: format!("{}{}", self.client.vault, self.path), trouble };
        self.ask(message).await.map_err(wrong)
    }
}
