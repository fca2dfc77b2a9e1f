//! How an app registration proves that it is the one: by a secret, or by somebody whom it trusts.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use super::SignInError;
use crate::entra::{CredentialError, TokenSource};

/// RFC 7523, 2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What is sent to Entra's token endpoint.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A client secret.
    Secret(SecretString),
    /// A fresh token of whom the registration trusts (a federated credential).
    Assertion(Arc<dyn TokenSource>),
}

impl Proof {
    /// The fields of the request. `again` = the last ones were refused.
    pub(super) async fn fields(&self, again: bool) -> Result<Vec<(&'static str, String)>, SignInError> {
        let assertion = match self {
            Self::Secret(secret) => return Ok(vec![("client_secret", secret.expose_secret().to_owned())]),
            Self::Assertion(source) if again => source.renewed_token().await,
            Self::Assertion(source) => source.token().await,
        };
        let assertion = assertion.map_err(|error| match error {
            CredentialError::Refused(reason) => SignInError::Registration(reason),
            CredentialError::Unreachable(reason) => SignInError::Unreachable(reason),
        })?;
        let assertion = assertion.expose_secret().to_owned();
        Ok(vec![("client_assertion_type", JWT_BEARER.to_owned()), ("client_assertion", assertion)])
    }

    /// Whether another try with a new one may succeed where the last was refused.
    pub(super) fn changes(&self) -> bool {
        matches!(self, Self::Assertion(_))
    }
}
