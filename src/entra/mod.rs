//! Bearer tokens from Entra, by Microsoft's own identity library: for the marketplace, Azure's key vaults and databases; and
//! what proves our app registrations without a secret.
//!
//! Owns: how this installation proves who it is. Does not own: where a token is sent; that is for whoever asked for it.
//!
//! Traps that this file answers: the library's cache runs on real time, so a refused token is renewed by a fresh
//! credential; without a cloud of its own it asks the public one, whatever authority is configured.

mod assertion;
mod transport;

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use azure_core::{
    cloud::CustomConfiguration,
    credentials::{Secret, TokenCredential},
    http::{ClientMethodOptions, ClientOptions, RetryOptions, Transport},
};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ClientAssertion, ClientAssertionCredential,
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::RwLock;
use url::Url;

pub use assertion::Assertions;
use transport::{EntraTransport, explain};

/// The marketplace API as a resource of Entra.
const MARKETPLACE_SCOPE: &str = "20e940b3-4c77-4b0b-9a53-9e16a1b010a7/.default";
/// What a managed identity asks for to be accepted as the app registration.
const TOKEN_EXCHANGE_SCOPE: &str = "api://AzureADTokenExchange/.default";

/// How this installation proves to Microsoft who it is: the registered application, or an identity of its own.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A client secret of the app registration.
    ClientSecret(SecretString),
    /// A federated token that the platform (Kubernetes) keeps in a file.
    WorkloadIdentity {
        /// The file; none = the one that the platform names in `AZURE_FEDERATED_TOKEN_FILE`.
        token_file: Option<PathBuf>,
    },
    /// A managed identity that the app registration trusts as a federated credential.
    FederatedManagedIdentity {
        /// The client id of a user-assigned identity; none = the system-assigned one.
        identity_client_id: Option<String>,
    },
    /// A managed identity as itself: for Azure's own services. The marketplace does not take it.
    ManagedIdentity {
        /// The client id of a user-assigned identity; none = the system-assigned one.
        identity_client_id: Option<String>,
    },
    /// Whoever is signed in at the Azure command line; for development.
    AzureCli,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// Entra says no; the text carries its AADSTS code.
    #[error("{0}")]
    Refused(String),
    /// Entra did not answer.
    #[error("{0}")]
    Unreachable(String),
}

/// Whoever hands out bearer tokens.
#[async_trait]
pub trait TokenSource: Send + Sync + std::fmt::Debug {
    /// A token that should be valid.
    async fn token(&self) -> Result<SecretString, CredentialError>;
    /// A new one, because the last was refused.
    async fn renewed_token(&self) -> Result<SecretString, CredentialError>;
}

/// Tokens from Entra.
pub struct Tokens {
    settings: Settings,
    current: RwLock<Arc<dyn TokenCredential>>,
}

struct Settings {
    authority: Url,
    tenant_id: String,
    application_id: String,
    credential: Credential,
    scope: String,
    http: reqwest::Client,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("authority", &self.settings.authority.as_str()).finish_non_exhaustive()
    }
}

impl Tokens {
    /// Prepares a credential for the marketplace; nothing is asked for yet.
    ///
    /// # Errors
    /// [`CredentialError::Refused`] when the settings cannot work at all.
    pub fn new(
        authority: Url,
        tenant_id: String,
        application_id: String,
        credential: Credential,
        http: reqwest::Client,
    ) -> Result<Self, CredentialError> {
        let scope = MARKETPLACE_SCOPE.to_owned();
        let settings = Settings { authority, tenant_id, application_id, credential, scope, http };
        let current = RwLock::new(settings.build()?);
        Ok(Self { settings, current })
    }

    /// The same for another resource, such as `https://vault.azure.net/.default`.
    #[must_use]
    pub fn with_scope(mut self, scope: &str) -> Self {
        scope.clone_into(&mut self.settings.scope);
        self
    }
}

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self) -> Result<SecretString, CredentialError> {
        let credential = Arc::clone(&*self.current.read().await);
        let token =
            credential.get_token(&[self.settings.scope.as_str()], None).await.map_err(|error| explain(&error))?;
        Ok(SecretString::from(token.token.secret().to_owned()))
    }

    async fn renewed_token(&self) -> Result<SecretString, CredentialError> {
        *self.current.write().await = self.settings.build()?;
        self.token().await
    }
}

impl Settings {
    fn build(&self) -> Result<Arc<dyn TokenCredential>, CredentialError> {
        let (tenant, application) = (self.tenant_id.clone(), self.application_id.clone());
        let built: azure_core::Result<Arc<dyn TokenCredential>> = match &self.credential {
            Credential::ClientSecret(secret) => {
                let options = ClientSecretCredentialOptions { client_options: self.client_options() };
                let secret = Secret::new(secret.expose_secret().to_owned());
                ClientSecretCredential::new(&tenant, application, secret, Some(options)).map(|c| c as _)
            }
            Credential::WorkloadIdentity { token_file } => {
                let options = WorkloadIdentityCredentialOptions {
                    client_id: Some(application),
                    tenant_id: Some(tenant),
                    token_file_path: token_file.clone(),
                    credential_options: ClientAssertionCredentialOptions { client_options: self.client_options() },
                };
                WorkloadIdentityCredential::new(Some(options)).map(|c| c as _)
            }
            Credential::ManagedIdentity { identity_client_id } => {
                self.managed_identity(identity_client_id.clone()).map(|identity| identity.0 as _)
            }
            Credential::FederatedManagedIdentity { identity_client_id } => {
                let identity = self.managed_identity(identity_client_id.clone()).map_err(|error| explain(&error))?;
                let options = ClientAssertionCredentialOptions { client_options: self.client_options() };
                ClientAssertionCredential::new(tenant, application, identity, Some(options)).map(|c| c as _)
            }
            Credential::AzureCli => {
                let options = AzureCliCredentialOptions { tenant_id: Some(tenant), ..Default::default() };
                AzureCliCredential::new(Some(options)).map(|c| c as _)
            }
        };
        built.map_err(|error| explain(&error))
    }

    fn managed_identity(&self, client_id: Option<String>) -> azure_core::Result<FederatedIdentity> {
        let options = ManagedIdentityCredentialOptions {
            user_assigned_id: client_id.map(UserAssignedId::ClientId),
            client_options: self.client_options(),
        };
        ManagedIdentityCredential::new(Some(options)).map(FederatedIdentity)
    }

    fn client_options(&self) -> ClientOptions {
        let mut cloud = CustomConfiguration::default();
        // Https always: the library refuses anything else, and for an authority on loopback the transport changes it back.
        cloud.authority_host = format!("https://{}/", self.authority.authority());
        ClientOptions {
            transport: Some(Transport::new(Arc::new(EntraTransport::new(&self.authority, self.http.clone())))),
            // Retries are ours: a buyer is waiting, and jobs come back by themselves.
            retry: RetryOptions::none(),
            cloud: Some(Arc::new(cloud.into())),
            ..Default::default()
        }
    }
}

/// A managed identity whose token proves the app registration.
#[derive(Debug)]
struct FederatedIdentity(Arc<ManagedIdentityCredential>);

#[async_trait]
impl ClientAssertion for FederatedIdentity {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let token = self.0.get_token(&[TOKEN_EXCHANGE_SCOPE], None).await?;
        Ok(token.token.secret().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use azure_core::cloud::CloudConfiguration;

    use super::*;

    /// Without this the library would send our secret to the public cloud, whatever is configured.
    #[test]
    fn tokens_are_asked_for_at_the_configured_authority() {
        for (authority, host) in [
            ("https://login.microsoftonline.us/", "https://login.microsoftonline.us/"),
            ("http://127.0.0.1:4000/", "https://127.0.0.1:4000/"),
        ] {
            let settings = Settings {
                authority: authority.parse().unwrap(),
                tenant_id: String::new(),
                application_id: String::new(),
                credential: Credential::AzureCli,
                scope: String::new(),
                http: crate::http::client().unwrap(),
            };
            let cloud = settings.client_options().cloud.unwrap();
            let CloudConfiguration::Custom(cloud) = cloud.as_ref() else { panic!("{cloud:?}") };
            assert_eq!(cloud.authority_host, host);
        }
    }
}
