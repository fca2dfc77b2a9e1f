//! The whole program on one screen: from a configuration to a running service, and to its orderly end.

mod database;

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::Duration,
};

pub use database::{connect, database_access};
use secrecy::{ExposeSecret as _, SecretString};
use time::{Date, OffsetDateTime};
use tokio::{sync::watch, task::JoinHandle};
use url::Url;

use crate::{
    app::{App, HasChecked, Health, KnownPrices, KnownRevocations, Logo, Pace, SharedApp, Trouble},
    clock::SharedClock,
    config::{Billing, Config, ConfigError, Credential, CredentialKind, SigningKey, Staff, secret},
    domain::{
        catalog::{Catalog, Severity},
        money::QuantityDecimals,
    },
    entra::{self, Assertions, CredentialError, TokenSource, Tokens},
    http,
    identity::{Proof, SignInClient},
    jobs,
    mail::{MailSetupError, Mailer},
    marketplace::{Client, WebhookTokens},
    meters::Meters,
    pages,
    signing::{KeyError, KeyPlace, Keyring, VaultAccess},
    store::StoreError,
    templates::{TemplateError, Templates},
    web::{Server, ServerOptions},
};

/// Running jobs get so long after the order to stop; together with the servers' time it stays below 20 seconds.
const JOBS_MAY_TAKE: Duration = Duration::from_secs(8);
/// A new version of a key is published for a day before it signs; so often it is looked for.
const VAULTS_ARE_ASKED_EVERY: Duration = Duration::from_secs(600);
const MAX_LOGO_BYTES: usize = 256 * 1024;

/// Why the service does not start; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The catalog.
    #[error("the catalog cannot be used:\n{0}")]
    Catalog(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Templates, built-in or of your own.
    #[error(transparent)]
    Templates(#[from] TemplateError),
    /// Signing keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Mail.
    #[error(transparent)]
    Mail(#[from] MailSetupError),
    /// The credential for Microsoft.
    #[error("[entra.credential] cannot be used: {0}")]
    Credential(#[from] CredentialError),
    /// The HTTP client.
    #[error("no HTTP client can be made: {0}")]
    Http(#[from] reqwest::Error),
    /// An address.
    #[error("the address cannot be listened on: {0}")]
    Listen(#[from] std::io::Error),
}

/// Builds the application: every part is checked before the first request.
///
/// # Errors
/// [`StartError`] names the part and what to do.
pub async fn build(config: &Config, clock: SharedClock) -> Result<App, StartError> {
    let templates = Templates::load(config.templates.path.as_deref())?;
    pages::check(&templates)?;
    build_with(config, clock, templates).await
}

/// The same with templates that have been checked.
///
/// # Errors
/// [`StartError`], in words for whoever starts it.
pub async fn build_with(config: &Config, clock: SharedClock, templates: Templates) -> Result<App, StartError> {
    let (catalog, catalog_warnings) = read_catalog(&config.catalog.path)?;
    let mut catalog = catalog.cut_to(quantity_decimals(&config.billing)?);
    let logos = read_logos(&mut catalog, &config.catalog.path)?;
    let http = http::client()?;
    let keyring = keyring(config, &http, clock.now()).await?;
    let (meters, started_at) = (Meters::default(), clock.now());
    let store = connect(config).await?;
    store.migrate().await?;
    Ok(App {
        store,
        catalog,
        catalog_warnings,
        marketplace: marketplace_client(config, http.clone(), &clock)?.counting(meters.clone()),
        webhook_tokens: webhook_tokens(config, http.clone(), &clock),
        sign_in: sign_in(config, http.clone(), &clock)?,
        staff_sign_in: config.staff.as_ref().map(|staff| staff_sign_in(config, staff, http, &clock)).transpose()?,
        mailer: mailer(config)?,
        keyring,
        templates,
        clock,
        public_url: config.server.public_url.clone(),
        revocations: KnownRevocations::default(),
        health: Health::default(),
        secrets_expire: secrets_expire(config),
        prices: KnownPrices::default(),
        logos,
        retention: time::Duration::days(config.retention.days.into()),
        meters,
        started_at,
        pace: Pace::default(),
        digest_file: config.audit.digest_file.clone(),
        has_checked: HasChecked::default(),
        wake: tokio::sync::Notify::new(),
    })
}

fn tokens(config: &Config, credential: entra::Credential, http: reqwest::Client) -> Result<Tokens, CredentialError> {
    let (tenant_id, application_id) = (config.marketplace.tenant_id, config.marketplace.application_id);
    Tokens::new(config.entra.authority.clone(), tenant_id.to_string(), application_id.to_string(), credential, http)
}

/// The signing keys: files are read, vaults are asked.
pub(crate) async fn keyring(
    config: &Config,
    http: &reqwest::Client,
    now: OffsetDateTime,
) -> Result<Keyring, StartError> {
    let keys = &config.signing.keys;
    let file = |key: &SigningKey| match key {
        SigningKey::File(path) => Some(path.clone()),
        SigningKey::Vault(_) => None,
    };
    // Files need no credential, and a look at them should not depend on one.
    if let Some(paths) = keys.iter().map(file).collect::<Option<Vec<_>>>() {
        return Ok(Keyring::from_files(&paths)?);
    }
    let place = |key: &SigningKey| match key {
        SigningKey::File(path) => KeyPlace::File(path.clone()),
        SigningKey::Vault(url) => KeyPlace::Vault(url.clone()),
    };
    let places: Vec<KeyPlace> = keys.iter().map(place).collect();
    let credential = own_identity(config)?;
    let tokens_for = |scope: &str| {
        let tokens = tokens(config, credential.clone(), http.clone())?;
        Ok(Arc::new(tokens.with_scope(scope)) as Arc<dyn TokenSource>)
    };
    Ok(Keyring::open(&places, VaultAccess { http, tokens_for: &tokens_for }, now).await?)
}

/// As whom Azure's own services know us. They take a managed identity itself: its rights are given to the identity, and not to
/// the registration that trusts it.
fn own_identity(config: &Config) -> Result<entra::Credential, ConfigError> {
    Ok(match credential(&config.entra.credential)? {
        entra::Credential::FederatedManagedIdentity { identity_client_id } => {
            entra::Credential::ManagedIdentity { identity_client_id }
        }
        other => other,
    })
}

/// The client of the marketplace, with our credential.
pub(crate) fn marketplace_client(
    config: &Config,
    http: reqwest::Client,
    clock: &SharedClock,
) -> Result<Client, StartError> {
    let tokens = tokens(config, credential(&config.entra.credential)?, http.clone())?;
    let base_url = config.marketplace.base_url.clone();
    let metering_base_url = config.marketplace.metering_base_url.clone().unwrap_or_else(|| base_url.clone());
    let client = Client::new(base_url, http, Arc::new(tokens), Arc::clone(clock));
    Ok(client.with_metering_base(metering_base_url))
}

/// The check of the tokens that come with webhooks.
pub(crate) fn webhook_tokens(config: &Config, http: reqwest::Client, clock: &SharedClock) -> WebhookTokens {
    let authority = config.webhook.token_authority.clone().unwrap_or_else(|| config.entra.authority.clone());
    let (tenant_id, application_id) = (config.marketplace.tenant_id, config.marketplace.application_id);
    WebhookTokens::new(authority, tenant_id, application_id, http, Arc::clone(clock))
}

/// The catalog, and the warnings that come with it.
pub(crate) fn read_catalog(path: &Path) -> Result<(Catalog, Vec<String>), StartError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.to_path_buf(), source })?;
    let (catalog, warnings) = Catalog::from_toml(&path.display().to_string(), &text).map_err(|findings| {
        StartError::Catalog(findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })?;
    let warnings = warnings.iter().filter(|finding| finding.severity == Severity::Warning);
    let warnings: Vec<String> = warnings.map(ToString::to_string).collect();
    for warning in &warnings {
        tracing::warn!(%warning, "catalog");
    }
    Ok((catalog, warnings))
}

pub(crate) fn quantity_decimals(settings: &Billing) -> Result<QuantityDecimals, ConfigError> {
    let wrong = ConfigError::Rule { key: "billing.quantity_decimals", problem: "must be 2 to 6" };
    QuantityDecimals::new(settings.quantity_decimals).ok_or(wrong)
}

/// Logos that are files beside the catalog are read once and served by us; addresses stay as they are.
pub(crate) fn read_logos(catalog: &mut Catalog, catalog_path: &Path) -> Result<BTreeMap<String, Logo>, StartError> {
    let mut logos = BTreeMap::new();
    for offer in &mut catalog.offers {
        let Some(name) = offer.logo.clone().filter(|name| !name.starts_with("https://")) else { continue };
        let path = catalog_path.parent().unwrap_or(Path::new(".")).join(&name);
        let wrong =
            |what: &str| StartError::Catalog(format!("the logo {} of offer \"{}\" {what}", path.display(), offer.id));
        let kind = match path.extension().and_then(|extension| extension.to_str()) {
            Some("svg") => "image/svg+xml",
            Some("png") => "image/png",
            _ => return Err(wrong("must be an .svg or .png file, or an https address")),
        };
        let bytes = std::fs::read(&path).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        if bytes.len() > MAX_LOGO_BYTES {
            return Err(wrong("is larger than 256 kB"));
        }
        let id = offer.id.clone();
        Arc::make_mut(offer).logo = Some(format!("/assets/logo/{id}"));
        logos.insert(id, Logo { kind, bytes });
    }
    Ok(logos)
}

fn credential(settings: &Credential) -> Result<entra::Credential, ConfigError> {
    Ok(match settings.kind {
        CredentialKind::ClientSecret => entra::Credential::ClientSecret(secret(
            "entra.credential.client_secret",
            settings.client_secret.as_ref(),
            settings.client_secret_file.as_deref(),
        )?),
        CredentialKind::WorkloadIdentity => {
            entra::Credential::WorkloadIdentity { token_file: settings.token_file.clone() }
        }
        CredentialKind::FederatedManagedIdentity => {
            entra::Credential::FederatedManagedIdentity { identity_client_id: settings.identity_client_id.clone() }
        }
        CredentialKind::AzureCli => entra::Credential::AzureCli,
    })
}

/// The days on which the secrets of the configuration expire, as far as it says them. A secret that is not used has none.
fn secrets_expire(config: &Config) -> BTreeMap<Trouble, Date> {
    let (credential, sign_in) = (&config.entra.credential, &config.sign_in);
    let staff = config.staff.as_ref().filter(|staff| staff.has_secret());
    let days = [
        (Trouble::MarketplaceCredential, credential.client_secret_expires),
        (Trouble::SignInCredential, sign_in.client_secret_expires.filter(|_| sign_in.has_secret())),
        (Trouble::StaffCredential, staff.and_then(|staff| staff.client_secret_expires)),
    ];
    days.into_iter().filter_map(|(which, day)| Some((which, day?))).collect()
}

/// How a registration of ours proves itself: by its secret; without one, by the workload that it trusts.
fn proof(
    config: &Config,
    key: &'static str,
    inline: Option<&SecretString>,
    file: Option<&Path>,
    http: &reqwest::Client,
) -> Result<Proof, StartError> {
    if inline.is_some() || file.is_some() {
        return Ok(Proof::Secret(secret(key, inline, file)?));
    }
    let credential = credential(&config.entra.credential)?;
    let assertions = Assertions::of(&credential, config.entra.authority.clone(), http.clone())?;
    let problem = "is missing; give it here or as a file, or let the registration trust this workload: without a secret \
                   [entra.credential] has to be of the kind workload_identity or federated_managed_identity";
    let assertions = assertions.ok_or(ConfigError::Rule { key, problem })?;
    Ok(Proof::Assertion(Arc::new(assertions)))
}

pub(crate) fn sign_in(config: &Config, http: reqwest::Client, clock: &SharedClock) -> Result<SignInClient, StartError> {
    let settings = &config.sign_in;
    let inline = settings.client_secret.as_ref();
    let proof = proof(config, "sign_in.client_secret", inline, settings.client_secret_file.as_deref(), &http)?;
    let mut redirect = config.server.public_url.clone();
    redirect.set_path("/sign-in/callback");
    let client_id = settings.client_id.to_string();
    let authority = (&config.entra.authority, None);
    Ok(SignInClient::new(authority, client_id, proof, redirect, http, Arc::clone(clock)))
}

pub(crate) fn staff_sign_in(
    config: &Config,
    settings: &Staff,
    http: reqwest::Client,
    clock: &SharedClock,
) -> Result<SignInClient, StartError> {
    let inline = settings.client_secret.as_ref();
    let proof = proof(config, "staff.client_secret", inline, settings.client_secret_file.as_deref(), &http)?;
    let mut redirect = config.server.public_url.clone();
    redirect.set_path("/console/sign-in/callback");
    let client_id = settings.client_id.to_string();
    let authority = (&config.entra.authority, Some(settings.tenant_id));
    Ok(SignInClient::new(authority, client_id, proof, redirect, http, Arc::clone(clock)))
}

pub(crate) fn mailer(config: &Config) -> Result<Mailer, StartError> {
    let url: Url = config.mail.address()?.expose_secret().parse().map_err(|_| MailSetupError::Url)?;
    let ca = config
        .mail
        .ca_file
        .as_ref()
        .map(|path| std::fs::read(path).map_err(|source| ConfigError::File { path: path.clone(), source }));
    Ok(Mailer::new(&url, &config.mail.from, ca.transpose()?.as_deref())?)
}

/// Who runs the jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jobs {
    /// This process.
    Here,
    /// Another one (`seatkey work`).
    Elsewhere,
}

/// The running service.
#[derive(Debug)]
pub struct Service {
    /// The application, shared with pages and jobs.
    pub app: SharedApp,
    server: Option<Server>,
    stop: watch::Sender<bool>,
    workers: Vec<JoinHandle<()>>,
}

impl Service {
    /// Starts pages, jobs or both on the running tokio runtime.
    ///
    /// # Errors
    /// [`StartError::Listen`].
    pub fn start(app: App, pages: Option<(TcpListener, ServerOptions)>, jobs: Jobs) -> Result<Self, StartError> {
        let app = Arc::new(app);
        let (stop, stopped) = watch::channel(false);
        let server = pages.map(|(listener, options)| Server::start(&app, listener, options)).transpose()?;
        let mut workers = match jobs {
            Jobs::Here => jobs::spawn(&app, &stopped),
            Jobs::Elsewhere => Vec::new(),
        };
        if app.keyring.may_change() {
            workers.push(tokio::spawn(follow_vaults(Arc::clone(&app), stopped.clone())));
        }
        if app.store.has_changing_password() {
            workers.push(tokio::spawn(database::follow_password(Arc::clone(&app), stopped)));
        }
        Ok(Self { app, server, stop, workers })
    }

    /// The same with health and metrics at the management address. Where it is taken (pages and workers on one machine),
    /// the work is done all the same, and nobody can look at it.
    #[must_use]
    pub fn managed_at(mut self, bind: SocketAddr) -> Self {
        match Server::start_management(&self.app, bind) {
            Ok(server) => self.server = Some(server),
            Err(error) => {
                tracing::warn!(%bind, %error, "health and metrics of these workers cannot be asked for; set server.management_bind");
            }
        }
        self
    }

    /// From now on `readyz` says no; everything else goes on.
    pub fn say_not_ready(&self) {
        if let Some(server) = &self.server {
            server.readiness().stop();
        }
    }

    /// Ends in order: not ready at once, no more connections, running jobs finished or left to their lease.
    pub async fn stop(self) {
        self.say_not_ready();
        // Nobody listens when every worker has ended by itself.
        let _ = self.stop.send(true);
        self.app.wake.notify_waiters();
        let workers = futures_end(self.workers);
        let pages = async {
            if let Some(server) = self.server {
                server.stop().await;
            }
        };
        let ((), ended) = tokio::join!(pages, tokio::time::timeout(JOBS_MAY_TAKE, workers));
        if ended.is_err() {
            tracing::warn!("a job was still running; its lease ends by itself");
        }
    }
}

/// New versions of keys are found without a restart, by pages and workers alike.
async fn follow_vaults(app: SharedApp, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        tokio::select! {
            () = tokio::time::sleep(VAULTS_ARE_ASKED_EVERY) => {}
            _ = stop.changed() => continue,
        }
        if let Err(error) = app.keyring.refresh(app.clock.now()).await {
            tracing::warn!(%error, "the signing keys stay what they were");
        }
    }
}

async fn futures_end(workers: Vec<JoinHandle<()>>) {
    for worker in workers {
        if let Err(error) = worker.await {
            tracing::error!(%error, "a worker ended badly");
        }
    }
}
