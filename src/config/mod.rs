//! Configuration: one small struct per concern; each field names its key. TOML, overlaid by the environment
//! (`SEATKEY__SECTION__KEY`), unknown keys refused by name.

mod load;

use std::{net::SocketAddr, path::PathBuf};

use secrecy::SecretString;
use serde::Deserialize;
use time::Date;
use url::Url;
use uuid::Uuid;

use load::number;
pub use load::{ConfigError, from_toml, load};
pub(crate) use load::{is_loopback, secret};

time::serde::format_description!(iso_day, Date, "[year]-[month]-[day]");

/// The whole configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[database]`
    pub database: Database,
    /// `[catalog]`
    pub catalog: CatalogFile,
    /// `[marketplace]`
    pub marketplace: Marketplace,
    /// `[entra]`
    pub entra: Entra,
    /// `[sign_in]`
    pub sign_in: SignIn,
    /// `[staff]`; without it there is no console.
    #[serde(default)]
    pub staff: Option<Staff>,
    /// `[mail]`
    pub mail: Mail,
    /// `[templates]`
    #[serde(default)]
    pub templates: Templates,
    /// `[signing]`
    pub signing: Signing,
    /// `[webhook]`
    #[serde(default)]
    pub webhook: Webhook,
    /// `[retention]`
    #[serde(default)]
    pub retention: Retention,
    /// `[billing]`
    #[serde(default)]
    pub billing: Billing,
    /// `[audit]`
    #[serde(default)]
    pub audit: Audit,
}

/// Where the service listens and is reached.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// `server.bind`, default `127.0.0.1:8080`: the buyers' address.
    #[serde(default = "default_bind")]
    pub bind: SocketAddr,
    /// `server.public_url`: how buyers reach it; its scheme decides over cookies.
    pub public_url: Url,
    /// `server.management_bind`, default `127.0.0.1:8081`: health and metrics for machines.
    #[serde(default = "default_management_bind")]
    pub management_bind: SocketAddr,
    /// `server.drain_seconds`, default 5, at most 255: so long after `SIGTERM` requests are still answered, while `readyz`
    /// says no already. Longer than a balancer takes to notice; 0 where there is no other replica that it could turn to.
    #[serde(default = "default_drain_seconds", deserialize_with = "number")]
    pub drain_seconds: u8,
}

fn default_bind() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}

fn default_management_bind() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8081))
}

fn default_drain_seconds() -> u8 {
    5
}

/// The database.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `database.url`: `sqlite://path` or `postgres://…`; may hold a password.
    #[serde(default)]
    pub url: Option<SecretString>,
    /// `database.url_file`: the same from a file.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    /// `database.password_from`, default `url`.
    #[serde(default)]
    pub password_from: PasswordFrom,
}

/// Where the password of the database comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordFrom {
    /// It stands in the address, or none is needed.
    #[default]
    Url,
    /// It is an access token of `[entra.credential]`, for a PostgreSQL that takes those of Entra. A managed identity signs in as
    /// itself, everything else as the application.
    Entra,
}

impl Database {
    /// The address, wherever it stands.
    ///
    /// # Errors
    /// [`ConfigError`] names the key.
    pub fn address(&self) -> Result<SecretString, ConfigError> {
        secret("database.url", self.url.as_ref(), self.url_file.as_deref())
    }
}

/// The catalog.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogFile {
    /// `catalog.path`: the TOML file of offers and plans.
    pub path: PathBuf,
}

/// Microsoft's marketplace.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marketplace {
    /// `marketplace.base_url`, default `https://marketplaceapi.microsoft.com/api`.
    #[serde(default = "default_marketplace")]
    pub base_url: Url,
    /// `marketplace.metering_base_url`, default: the same.
    #[serde(default)]
    pub metering_base_url: Option<Url>,
    /// `marketplace.application_id`: the application of Partner Center's technical configuration.
    pub application_id: Uuid,
    /// `marketplace.tenant_id`: its tenant.
    pub tenant_id: Uuid,
}

#[expect(clippy::unwrap_used, reason = "a literal that the tests parse")]
fn default_marketplace() -> Url {
    "https://marketplaceapi.microsoft.com/api".parse().unwrap()
}

/// Entra.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entra {
    /// `entra.authority`, default `https://login.microsoftonline.com`; plain http is taken for loopback only.
    #[serde(default = "default_authority")]
    pub authority: Url,
    /// `[entra.credential]`
    pub credential: Credential,
}

#[expect(clippy::unwrap_used, reason = "a literal that the tests parse")]
fn default_authority() -> Url {
    "https://login.microsoftonline.com".parse().unwrap()
}

/// How the service proves that it is the application of Partner Center.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// `entra.credential.kind`
    pub kind: CredentialKind,
    /// `entra.credential.client_secret`, for that kind.
    #[serde(default)]
    pub client_secret: Option<SecretString>,
    /// `entra.credential.client_secret_file`: the same from a file.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// `entra.credential.client_secret_expires`: the day on which Entra takes the secret no more, as its portal says it
    /// (`"2027-06-30"`). The console's first page warns a month before.
    #[serde(default, with = "iso_day::option")]
    pub client_secret_expires: Option<Date>,
    /// `entra.credential.token_file`, for workload identity; default: what `AZURE_FEDERATED_TOKEN_FILE` names.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// `entra.credential.identity_client_id`: a user-assigned managed identity; default: the system-assigned one.
    #[serde(default)]
    pub identity_client_id: Option<String>,
}

/// The kinds of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// A client secret.
    ClientSecret,
    /// A federated token of the platform.
    WorkloadIdentity,
    /// A managed identity that the app registration trusts.
    FederatedManagedIdentity,
    /// The Azure command line, for development.
    AzureCli,
}

/// The buyers' sign-in: a multi-tenant app registration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// `sign_in.client_id`
    pub client_id: Uuid,
    /// `sign_in.client_secret`; without it the registration has to trust the workload of `[entra.credential]`.
    #[serde(default)]
    pub client_secret: Option<SecretString>,
    /// `sign_in.client_secret_file`: the same from a file.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// `sign_in.client_secret_expires`: the day on which Entra takes the secret no more, as its portal says it
    /// (`"2027-06-30"`). The console's first page warns a month before.
    #[serde(default, with = "iso_day::option")]
    pub client_secret_expires: Option<Date>,
}

impl SignIn {
    /// Whether it has a secret at all.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        self.client_secret.is_some() || self.client_secret_file.is_some()
    }
}

/// The publisher's people: an app registration of its own, in the publisher's own tenant, with app roles.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Staff {
    /// `staff.tenant_id`: the publisher's tenant; nobody else's people are taken.
    pub tenant_id: Uuid,
    /// `staff.client_id`
    pub client_id: Uuid,
    /// `staff.client_secret`; without it as in `[sign_in]`.
    #[serde(default)]
    pub client_secret: Option<SecretString>,
    /// `staff.client_secret_file`: the same from a file.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// `staff.client_secret_expires`: the day on which Entra takes the secret no more, as its portal says it
    /// (`"2027-06-30"`). The console's first page warns a month before.
    #[serde(default, with = "iso_day::option")]
    pub client_secret_expires: Option<Date>,
}

impl Staff {
    /// Whether it has a secret at all.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        self.client_secret.is_some() || self.client_secret_file.is_some()
    }
}

/// Outgoing mail.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// `mail.url`: `smtp://` (STARTTLS required unless loopback) or `smtps://`; may hold user and password.
    #[serde(default)]
    pub url: Option<SecretString>,
    /// `mail.url_file`: the same from a file.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    /// `mail.from`: the sender's mailbox.
    pub from: String,
    /// `mail.ca_file`: a CA of your own, in PEM.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

impl Mail {
    /// The server's address, wherever it stands.
    ///
    /// # Errors
    /// [`ConfigError`] names the key.
    pub fn address(&self) -> Result<SecretString, ConfigError> {
        secret("mail.url", self.url.as_ref(), self.url_file.as_deref())
    }
}

/// Texts and pages of your own.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Templates {
    /// `templates.path`: a directory whose files replace built-in templates of the same name.
    #[serde(default)]
    pub path: Option<PathBuf>,
}

/// Microsoft's webhook.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// `webhook.token_authority`, default `entra.authority`: who signs the tokens that come with webhooks.
    #[serde(default)]
    pub token_authority: Option<Url>,
}

/// What proves that ledger and audit log are as they were written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// `audit.digest_file`: the daily digest of all hash chains is appended here, too; it always goes to the log.
    #[serde(default)]
    pub digest_file: Option<PathBuf>,
}

/// How long records are kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// `retention.days`, default 90, at least 7: when personal data is erased after the end of a subscription.
    #[serde(default = "default_retention_days", deserialize_with = "number")]
    pub days: u16,
}

impl Default for Retention {
    fn default() -> Self {
        Self { days: default_retention_days() }
    }
}

fn default_retention_days() -> u16 {
    90
}

/// How fees are reckoned.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Billing {
    /// `billing.quantity_decimals`, 2 to 6, default 6: decimals of the quantity that is charged for a part of a term.
    #[serde(default = "default_quantity_decimals", deserialize_with = "number")]
    pub quantity_decimals: u32,
}

impl Default for Billing {
    fn default() -> Self {
        Self { quantity_decimals: default_quantity_decimals() }
    }
}

fn default_quantity_decimals() -> u32 {
    6
}

/// License signing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    /// `signing.keys`: the first one signs, all are published. Each is a key file, or the address of a key or of a secret in
    /// Azure Key Vault: `https://VAULT.vault.azure.net/keys/NAME` or `…/secrets/NAME`, perhaps with `/VERSION`.
    pub keys: Vec<SigningKey>,
}

/// Where a signing key is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum SigningKey {
    /// A file.
    File(PathBuf),
    /// A key or a secret in a vault; plain http is taken for loopback only.
    Vault(Url),
}

impl From<String> for SigningKey {
    fn from(text: String) -> Self {
        let url = text.parse::<Url>().ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        url.map_or_else(|| Self::File(PathBuf::from(text)), Self::Vault)
    }
}
