//! The database with what opens it. Tokens of Entra become its passwords here: adapters do not know each other.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::watch;

use super::{StartError, own_identity, tokens};
use crate::{
    app::SharedApp,
    config::{Config, ConfigError, PasswordFrom},
    entra::{CredentialError, TokenSource as _, Tokens},
    http,
    store::{Access, NoPassword, Passwords, Store},
};

/// Azure's databases as a resource of Entra.
const DATABASE_SCOPE: &str = "https://ossrdbms-aad.database.windows.net/.default";
/// A token lives for about an hour, and the library has a new one five minutes before its end.
const PASSWORD_IS_ASKED_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct EntraTokens(Tokens);

#[async_trait]
impl Passwords for EntraTokens {
    async fn current(&self) -> Result<SecretString, NoPassword> {
        self.0.token().await.map_err(no_password)
    }

    async fn renewed(&self) -> Result<SecretString, NoPassword> {
        self.0.renewed_token().await.map_err(no_password)
    }
}

fn no_password(error: CredentialError) -> NoPassword {
    match error {
        CredentialError::Refused(reason) => NoPassword::Refused(reason),
        CredentialError::Unreachable(reason) => NoPassword::Unreachable(reason),
    }
}

/// Where the database of a configuration is, and what opens it. Nothing is asked for yet.
///
/// # Errors
/// [`StartError`] names the key.
pub fn database_access(config: &Config) -> Result<Access, StartError> {
    let address = config.database.address()?;
    match config.database.password_from {
        PasswordFrom::Url => Ok(address.into()),
        PasswordFrom::Entra => {
            let tokens = tokens(config, own_identity(config)?, http::client()?)?.with_scope(DATABASE_SCOPE);
            let access = Access::with_passwords(address, Arc::new(EntraTokens(tokens)));
            Ok(access.map_err(|problem| ConfigError::Rule { key: "database.url", problem })?)
        }
    }
}

/// The database, as it is: nothing is migrated.
///
/// # Errors
/// [`StartError`] where it is not opened.
pub async fn connect(config: &Config) -> Result<Store, StartError> {
    Ok(Store::connect(database_access(config)?).await?)
}

/// New connections are made with a token that is good.
pub(super) async fn follow_password(app: SharedApp, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        tokio::select! {
            () = tokio::time::sleep(PASSWORD_IS_ASKED_EVERY) => {}
            _ = stop.changed() => continue,
        }
        if let Err(error) = app.store.refresh_password().await {
            tracing::warn!(%error, "new connections to the database are made with the token from before");
        }
    }
}
