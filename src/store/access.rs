//! What opens a database: its address, and a password that changes where the server takes one.
//!
//! A pool makes connections by itself, whenever it needs one, with the password that it was told last; old connections live on.
//! So whoever has the passwords tells the pool each new one in good time ([`Store::refresh_password`]), and where the server
//! refuses one all the same, a new one is asked for and the work that needed it is tried once more.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, DatabaseBackend, DbErr,
    sqlx::postgres::{PgConnectOptions, PgSslMode},
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use url::{Host, Url};

use super::{Result, Store, StoreError};
use crate::clock::Stopwatch;

/// A password that was refused is not asked for anew more often: whoever is refused for another reason should not be a burden
/// to those who give the passwords.
const RENEWED_EVERY: Duration = Duration::from_secs(10);

/// Whoever has passwords that change, such as access tokens.
#[async_trait]
pub trait Passwords: Send + Sync + std::fmt::Debug {
    /// One that should be taken.
    async fn current(&self) -> std::result::Result<SecretString, NoPassword>;
    /// A new one, because the server has refused the last.
    async fn renewed(&self) -> std::result::Result<SecretString, NoPassword>;
}

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub enum NoPassword {
    /// Those who give it say no.
    #[error("{0}")]
    Refused(String),
    /// They do not answer.
    #[error("{0}")]
    Unreachable(String),
}

impl From<NoPassword> for StoreError {
    fn from(error: NoPassword) -> Self {
        match error {
            NoPassword::Refused(reason) => Self::Refused(format!("there is no token for it: {reason}")),
            NoPassword::Unreachable(reason) => Self::Unreachable(format!("there is no token for it: {reason}")),
        }
    }
}

/// Where a database is, and what opens it.
#[derive(Debug, Clone)]
pub struct Access {
    pub(super) url: SecretString,
    pub(super) passwords: Option<Arc<dyn Passwords>>,
}

impl From<SecretString> for Access {
    fn from(url: SecretString) -> Self {
        Self { url, passwords: None }
    }
}

impl From<&str> for Access {
    fn from(url: &str) -> Self {
        SecretString::from(url).into()
    }
}

impl From<&String> for Access {
    fn from(url: &String) -> Self {
        url.as_str().into()
    }
}

impl Access {
    /// An address without a password, and whoever has the passwords for it.
    ///
    /// # Errors
    /// What is wrong with the address: who gets a token can do what its owner can, so that only the right server may.
    pub fn with_passwords(url: SecretString, passwords: Arc<dyn Passwords>) -> std::result::Result<Self, &'static str> {
        let read: Url = url.expose_secret().parse().map_err(|_| "is not an address")?;
        let options: PgConnectOptions = match read.scheme() {
            "postgres" | "postgresql" => url.expose_secret().parse().map_err(|_| "is not an address of PostgreSQL")?,
            _ => return Err("is not PostgreSQL, and nothing else takes a token"),
        };
        if read.password().is_some() || read.query_pairs().any(|(key, _)| key == "password") {
            return Err("holds a password, where the password is to be a token");
        }
        let stays_here = options.get_socket().is_some() || is_loopback(options.get_host());
        if !stays_here && !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) {
            return Err("needs sslmode=verify-full: the token is for that server alone");
        }
        Ok(Self { url, passwords: Some(passwords) })
    }

    /// The options of a pool, at an address that may differ a little from ours, with a password of this moment.
    pub(super) async fn options(&self, url: String) -> Result<ConnectOptions> {
        let mut options = ConnectOptions::new(url);
        options.sqlx_logging(false);
        if let Some(passwords) = &self.passwords {
            let password = passwords.current().await?;
            options.map_sqlx_postgres_opts(move |postgres| postgres.password(password.expose_secret()));
        }
        Ok(options)
    }

    pub(super) fn renewal(self) -> Option<Arc<Renewal>> {
        self.passwords.map(|passwords| Arc::new(Renewal { passwords, asked: Mutex::default() }))
    }
}

fn is_loopback(host: &str) -> bool {
    match Host::parse(host) {
        Ok(Host::Domain(name)) => name == "localhost",
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address.is_loopback(),
        Err(_) => false,
    }
}

/// How a store gets its next password.
#[derive(Debug)]
pub(super) struct Renewal {
    passwords: Arc<dyn Passwords>,
    /// Since the last one that was asked for because of a refusal.
    asked: Mutex<Option<Stopwatch>>,
}

impl Store {
    /// Whether the password of new connections has to be refreshed while the store is open.
    #[must_use]
    pub fn has_changing_password(&self) -> bool {
        self.renewal.is_some()
    }

    /// Lets new connections be made with the password of this moment.
    ///
    /// # Errors
    /// [`StoreError::Refused`] or [`StoreError::Unreachable`], of those who give it; the last one stays in use.
    pub async fn refresh_password(&self) -> Result<()> {
        if let Some(renewal) = &self.renewal {
            self.use_password(&renewal.passwords.current().await?);
        }
        Ok(())
    }

    /// Does something; after a refused password once more, with a new one.
    pub(super) async fn admitted<T, F>(&self, work: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<T, DbErr>>,
    {
        match work().await.map_err(StoreError::from) {
            Err(StoreError::Refused(reason)) => {
                self.renew_password(reason).await?;
                Ok(work().await?)
            }
            done => done,
        }
    }

    /// The refusal stays what it is where there is no other password.
    async fn renew_password(&self, refusal: String) -> Result<()> {
        let Some(renewal) = &self.renewal else { return Err(StoreError::Refused(refusal)) };
        let mut asked = renewal.asked.lock().await;
        if asked.as_ref().is_none_or(|since| since.elapsed() >= RENEWED_EVERY) {
            *asked = Some(Stopwatch::start());
            self.use_password(&renewal.passwords.renewed().await?);
            tracing::warn!(refusal, "the database refused our token; a new one was asked for");
        }
        Ok(())
    }

    fn use_password(&self, password: &SecretString) {
        if self.db.get_database_backend() == DatabaseBackend::Postgres {
            let pool = self.db.inner().get_postgres_connection_pool();
            pool.set_connect_options(pool.connect_options().as_ref().clone().password(password.expose_secret()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Nobody;

    #[async_trait]
    impl Passwords for Nobody {
        async fn current(&self) -> std::result::Result<SecretString, NoPassword> {
            Err(NoPassword::Refused("AADSTS7000222".to_owned()))
        }

        async fn renewed(&self) -> std::result::Result<SecretString, NoPassword> {
            self.current().await
        }
    }

    #[test]
    fn a_token_goes_to_a_server_that_proves_itself() {
        let table = [
            ("postgres://seatkey@db.example/seatkey?sslmode=verify-full", ""),
            ("postgresql://seatkey@db.example:5432/seatkey?sslmode=verify-full", ""),
            ("postgres://seatkey@localhost/seatkey", ""),
            ("postgres://seatkey@127.0.0.1:5433/seatkey", ""),
            ("postgres://seatkey@localhost/seatkey?host=/run/postgresql", ""),
            ("postgres://seatkey@localhost/seatkey?host=db.example", "sslmode=verify-full"),
            ("postgres://seatkey@db.example/seatkey", "sslmode=verify-full"),
            ("postgres://seatkey@db.example/seatkey?sslmode=require", "sslmode=verify-full"),
            ("postgres://seatkey@db.example/seatkey?sslmode=verify-ca", "sslmode=verify-full"),
            ("postgres://seatkey:x@localhost/seatkey", "holds a password"),
            ("postgres://seatkey@localhost/seatkey?password=x", "holds a password"),
            ("sqlite://seatkey.db", "is not PostgreSQL"),
            ("seatkey.db", "is not an address"),
        ];
        for (url, expected) in table {
            let told = Access::with_passwords(url.into(), Arc::new(Nobody)).err().unwrap_or_default();
            assert!(told.contains(expected) && told.is_empty() == expected.is_empty(), "{url}: {told}");
        }
    }

    #[tokio::test]
    async fn without_a_token_there_is_no_connection() {
        let access = Access::with_passwords("postgres://seatkey@localhost/seatkey".into(), Arc::new(Nobody)).unwrap();
        let refused = Store::connect(access).await.unwrap_err();
        assert_eq!(refused.to_string(), "the database refuses our credential: there is no token for it: AADSTS7000222");
    }
}
