//! The libraries that the application uses take the simulator for Entra.

use std::sync::Arc;

use azure_core::{
    credentials::{Secret, TokenCredential},
    http::{AsyncRawResponse, ClientOptions, HttpClient, Request, Transport},
};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use openidconnect::{
    ClientId, Nonce,
    core::{CoreClient, CoreIdToken, CoreJsonWebKeySet, CoreProviderMetadata},
};

use super::*;
use crate::clock::OffsetClock;

/// Both libraries read the machine's time.
async fn present() -> Stage {
    Stage::with(|options| options.clock = OffsetClock::new(None)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn openidconnect_reads_the_metadata_and_verifies_a_sign_in() {
    let stage = present().await;
    let read = async |url: String| stage.http.get(url).send().await.unwrap().bytes().await.unwrap();
    let document = read(stage.url("/common/v2.0/.well-known/openid-configuration")).await;
    let metadata: CoreProviderMetadata = serde_json::from_slice(&document).unwrap();
    assert!(metadata.issuer().as_str().ends_with("/{tenantid}/v2.0"));
    let keys: CoreJsonWebKeySet = serde_json::from_slice(&read(metadata.jwks_uri().to_string()).await).unwrap();
    let token: CoreIdToken = entra::id_token(&stage).await.parse().unwrap();
    let id = ClientId::new(entra::SIGN_IN.to_owned());
    let client = CoreClient::from_provider_metadata(metadata.set_jwks(keys), id, None);
    let verifier = client.id_token_verifier().require_issuer_match(false);
    let claims = token.claims(&verifier, &Nonce::new("the-nonce".to_owned())).unwrap();
    assert_eq!(claims.preferred_username().unwrap().as_str(), "alex.weber@contoso.example");
    assert!(token.claims(&verifier, &Nonce::new("another".to_owned())).is_err());
}

/// Sends everything to the simulator: the library refuses authorities on plain HTTP.
#[derive(Debug)]
struct Redirect(reqwest::Client, Url);

#[async_trait::async_trait]
impl HttpClient for Redirect {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut request = request.clone();
        let url = request.url_mut();
        url.set_scheme("http").unwrap();
        url.set_host(self.1.host_str()).unwrap();
        url.set_port(self.1.port()).unwrap();
        self.0.execute_request(&request).await
    }
}

fn credential(stage: &Stage, secret: &str) -> Arc<ClientSecretCredential> {
    let redirect = Redirect(client(), stage.simulator.base_url().clone());
    let client_options = ClientOptions { transport: Some(Transport::new(Arc::new(redirect))), ..Default::default() };
    let options = ClientSecretCredentialOptions { client_options };
    let application = "7c1f8b7a-3a55-4f0e-8d0b-5a0e5c1d2b33".to_owned();
    ClientSecretCredential::new(PUBLISHER, application, Secret::new(secret.to_owned()), Some(options)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn azure_identity_gets_a_token_that_the_marketplace_takes() {
    let stage = present().await;
    let scope = format!("{RESOURCE}/.default");
    let token = credential(&stage, "marketplace-secret").get_token(&[&scope], None).await.unwrap();
    let listed = stage.http.get(stage.api("")).bearer_auth(token.token.secret()).send().await.unwrap();
    assert_eq!(listed.status(), 200);
    let refused = credential(&stage, "wrong").get_token(&[&scope], None).await.unwrap_err();
    assert!(format!("{refused:?}").contains("AADSTS7000215"), "{refused:?}");
}
