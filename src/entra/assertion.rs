//! What an app registration takes in place of a client secret: a token of somebody whom it trusts (a federated credential;
//! RFC 7523). It cannot be stolen from a configuration, and nobody has to renew it.

use std::path::PathBuf;

use async_trait::async_trait;
use secrecy::SecretString;
use url::Url;

use super::{Credential, CredentialError, TOKEN_EXCHANGE_SCOPE, TokenSource, Tokens};

/// The platform names the file in it.
const FILE_VARIABLE: &str = "AZURE_FEDERATED_TOKEN_FILE";

/// Assertions of this workload, for every registration that trusts it.
#[derive(Debug)]
pub struct Assertions(Kind);

#[derive(Debug)]
enum Kind {
    /// The platform writes it anew before it ends.
    File(PathBuf),
    Identity(Box<Tokens>),
}

impl Assertions {
    /// Those of a credential; `None` where it is of a kind that no registration trusts.
    ///
    /// # Errors
    /// [`CredentialError::Refused`] when the settings cannot work at all.
    pub fn of(credential: &Credential, authority: Url, http: reqwest::Client) -> Result<Option<Self>, CredentialError> {
        Ok(match credential {
            Credential::WorkloadIdentity { token_file } => {
                let file = token_file.clone().or_else(|| std::env::var_os(FILE_VARIABLE).map(PathBuf::from));
                let missing =
                    || CredentialError::Refused(format!("there is no token file: {FILE_VARIABLE} is not set"));
                Some(Self(Kind::File(file.ok_or_else(missing)?)))
            }
            Credential::FederatedManagedIdentity { identity_client_id } => {
                let identity = Credential::ManagedIdentity { identity_client_id: identity_client_id.clone() };
                let tokens = Tokens::new(authority, String::new(), String::new(), identity, http)?;
                Some(Self(Kind::Identity(Box::new(tokens.with_scope(TOKEN_EXCHANGE_SCOPE)))))
            }
            Credential::ClientSecret(_) | Credential::ManagedIdentity { .. } | Credential::AzureCli => None,
        })
    }
}

#[async_trait]
impl TokenSource for Assertions {
    async fn token(&self) -> Result<SecretString, CredentialError> {
        match &self.0 {
            Kind::File(path) => match tokio::fs::read_to_string(path).await {
                Ok(text) => Ok(SecretString::from(text.trim().to_owned())),
                Err(error) => Err(CredentialError::Refused(format!("{} cannot be read: {error}", path.display()))),
            },
            Kind::Identity(tokens) => tokens.token().await,
        }
    }

    async fn renewed_token(&self) -> Result<SecretString, CredentialError> {
        match &self.0 {
            Kind::File(_) => self.token().await,
            Kind::Identity(tokens) => tokens.renewed_token().await,
        }
    }
}
