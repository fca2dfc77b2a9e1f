//! Reading, overlaying and checking a configuration.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error as _};
use toml::{Table, Value};
use url::{Host, Url};

use super::{Config, SigningKey};

const PREFIX: &str = "SEATKEY__";
const MAX_SECRET_BYTES: u64 = 64 * 1024;
const MISSING: &str = "is missing; give it here or as a file (the same key with _file)";
const TWICE: &str = "stands both inline and as a file; keep one";

/// Why a configuration cannot be used; each names its key or file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}")]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, a value of the wrong kind.
    #[error("the configuration cannot be used: {0}")]
    Invalid(String),
    /// A rule that spans keys.
    #[error("the configuration cannot be used: {key} {problem}")]
    Rule {
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Reads `path` (when there is one) and lays the environment over it.
///
/// # Errors
/// [`ConfigError`].
pub fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
    let text = match path {
        Some(path) => read(path)?,
        None => String::new(),
    };
    from_toml(&text, std::env::vars())
}

/// A configuration from a text and an environment.
///
/// # Errors
/// [`ConfigError`].
pub fn from_toml(text: &str, environment: impl Iterator<Item = (String, String)>) -> Result<Config, ConfigError> {
    let invalid = |error: toml::de::Error| ConfigError::Invalid(error.to_string().trim_end().to_owned());
    let mut table: Table = toml::from_str(text).map_err(invalid)?;
    for (name, value) in environment {
        if let Some(path) = name.strip_prefix(PREFIX) {
            let keys: Vec<String> = path.split("__").map(str::to_lowercase).collect();
            overlay(&mut table, &keys, value);
        }
    }
    let config: Config = table.try_into().map_err(invalid)?;
    check(&config)?;
    Ok(config)
}

/// Sets one key; a list of files is written with commas.
fn overlay(table: &mut Table, keys: &[String], value: String) {
    match keys {
        [] => {}
        [last] if last == "keys" => {
            let list = value.split(',').map(|part| Value::String(part.trim().to_owned())).collect();
            table.insert(last.clone(), Value::Array(list));
        }
        [last] => {
            table.insert(last.clone(), Value::String(value));
        }
        [section, rest @ ..] => {
            let inner = table.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                overlay(inner, rest, value);
            }
        }
    }
}

fn check(config: &Config) -> Result<(), ConfigError> {
    let addresses = [
        ("server.public_url", &config.server.public_url),
        ("marketplace.base_url", &config.marketplace.base_url),
        ("entra.authority", &config.entra.authority),
    ];
    let webhook = config.webhook.token_authority.as_ref().map(|url| ("webhook.token_authority", url));
    let metering = config.marketplace.metering_base_url.as_ref().map(|url| ("marketplace.metering_base_url", url));
    let vaults = config.signing.keys.iter().filter_map(|key| match key {
        SigningKey::Vault(url) => Some(("signing.keys", url)),
        SigningKey::File(_) => None,
    });
    for (key, url) in addresses.into_iter().chain(webhook).chain(metering).chain(vaults) {
        if url.scheme() != "https" && !is_loopback(url) {
            return Err(ConfigError::Rule { key, problem: "must be https; plain http is for loopback only" });
        }
    }
    one_of("database.url", config.database.url.is_some(), config.database.url_file.is_some())?;
    one_of("mail.url", config.mail.url.is_some(), config.mail.url_file.is_some())?;
    // Microsoft asks publishers to keep what a recovery needs for a week.
    if config.retention.days < 7 {
        return Err(ConfigError::Rule { key: "retention.days", problem: "must be at least 7" });
    }
    Ok(())
}

/// Exactly one of a key and the same with `_file`; the file itself is read by whoever needs what is in it.
fn one_of(key: &'static str, inline: bool, file: bool) -> Result<(), ConfigError> {
    match (inline, file) {
        (false, false) => Err(ConfigError::Rule { key, problem: MISSING }),
        (true, true) => Err(ConfigError::Rule { key, problem: TWICE }),
        _ => Ok(()),
    }
}

/// A number: as such in the file, as a text in the environment.
pub(super) fn number<'de, D, N>(deserializer: D) -> Result<N, D::Error>
where
    D: Deserializer<'de>,
    N: Deserialize<'de> + FromStr,
{
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "not a number, or too large a one")]
    enum Written<N> {
        Number(N),
        Text(String),
    }
    match Written::deserialize(deserializer)? {
        Written::Number(number) => Ok(number),
        Written::Text(text) => {
            text.trim().parse().map_err(|_| D::Error::custom(format!("\"{text}\" is not a number, or too large a one")))
        }
    }
}

/// Whether an address never leaves this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.to_path_buf(), source })
}

/// A secret that stands inline or in a file, exactly one of them.
pub(crate) fn secret(
    key: &'static str,
    inline: Option<&SecretString>,
    file: Option<&Path>,
) -> Result<SecretString, ConfigError> {
    match (inline, file) {
        (Some(secret), None) => Ok(secret.clone()),
        (None, Some(path)) => {
            let too_long = std::fs::metadata(path).is_ok_and(|meta| meta.len() > MAX_SECRET_BYTES);
            if too_long {
                return Err(ConfigError::Rule { key, problem: "names a file that is too long for a secret" });
            }
            Ok(SecretString::from(read(path)?.trim().to_owned()))
        }
        (None, None) => Err(ConfigError::Rule { key, problem: MISSING }),
        (Some(_), Some(_)) => Err(ConfigError::Rule { key, problem: TWICE }),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    const GOOD: &str = r#"
[server]
public_url = "https://licenses.example"
[database]
url = "sqlite://seatkey.db"
[catalog]
path = "catalog.toml"
[marketplace]
application_id = "7c1f8b7a-3a55-4f0e-8d0b-5a0e5c1d2b33"
tenant_id = "5d9f1c3e-8a64-4c0b-9a1e-2f6d7b1c0a11"
[entra.credential]
kind = "client_secret"
client_secret = "s"
[sign_in]
client_id = "2b6a3f7e-91c4-4a5e-b0c3-6d1f0e9a8c44"
client_secret = "s"
[mail]
url = "smtps://mail.example"
from = "noreply@licenses.example"
[signing]
keys = ["k.pem"]
"#;

    fn with(environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let owned = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        from_toml(GOOD, owned)
    }

    #[test]
    fn the_environment_lies_over_the_file() {
        let config =
            with(&[("SEATKEY__SERVER__BIND", "127.0.0.1:9"), ("SEATKEY__SIGNING__KEYS", "a.pem, b.pem")]).unwrap();
        assert_eq!(config.server.bind.port(), 9);
        assert_eq!(config.signing.keys, ["a.pem", "b.pem"].map(|file| SigningKey::File(file.into())));
        assert_eq!(config.marketplace.base_url.as_str(), "https://marketplaceapi.microsoft.com/api");
        assert_eq!(config.entra.authority.as_str(), "https://login.microsoftonline.com/");
    }

    #[test]
    fn numbers_come_from_the_environment_too() {
        let config = with(&[("SEATKEY__RETENTION__DAYS", "30"), ("SEATKEY__BILLING__QUANTITY_DECIMALS", "2")]).unwrap();
        assert_eq!((config.retention.days, config.billing.quantity_decimals), (30, 2));
        assert_eq!(with(&[]).unwrap().billing.quantity_decimals, 6);
        for wrong in ["two", "-1", "70000", ""] {
            let error = with(&[("SEATKEY__RETENTION__DAYS", wrong)]).unwrap_err().to_string();
            assert!(error.contains("not a number") && error.contains("retention.days"), "{wrong}: {error}");
        }
        let file = format!("{GOOD}\n[retention]\ndays = 30\n");
        assert_eq!(from_toml(&file, std::iter::empty()).unwrap().retention.days, 30);
    }

    #[test]
    fn unknown_keys_and_plain_http_are_refused_by_name() {
        let table = [
            ("SEATKEY__SERVER__COLOUR", "red", "colour"),
            ("SEATKEY__SERVER__PUBLIC_URL", "http://licenses.example", "server.public_url"),
            ("SEATKEY__ENTRA__AUTHORITY", "http://login.example", "entra.authority"),
            ("SEATKEY__MARKETPLACE__METERING_BASE_URL", "http://api.example/api", "marketplace.metering_base_url"),
            ("SEATKEY__ENTRA__CREDENTIAL__KIND", "password", "password"),
            ("SEATKEY__SIGNING__KEYS", "k.pem,http://contoso.vault.azure.net/keys/k", "signing.keys"),
        ];
        for (name, value, expected) in table {
            let error = with(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(expected), "{name}={value}: {error}");
        }
    }

    #[test]
    fn addresses_with_passwords_come_inline_or_from_a_file() {
        let file = std::env::temp_dir().join(format!("seatkey-url-{}", uuid::Uuid::new_v4()));
        std::fs::write(&file, "postgres://u:hunter2@db/seatkey\n").unwrap();
        let path = file.display().to_string();
        for (section, key) in [("database", "SEATKEY__DATABASE__URL_FILE"), ("mail", "SEATKEY__MAIL__URL_FILE")] {
            let error = with(&[(key, &path)]).unwrap_err().to_string();
            assert!(error.contains(&format!("{section}.url stands both")), "{error}");
            let (before, rest) = GOOD.split_once(&format!("[{section}]\nurl = ")).unwrap();
            let (_, after) = rest.split_once('\n').unwrap();
            let bare = format!("{before}[{section}]\n{after}");
            let error = from_toml(&bare, std::iter::empty()).unwrap_err().to_string();
            assert!(error.contains(&format!("{section}.url is missing")), "{error}");
            let config = from_toml(&bare, std::iter::once((key.to_owned(), path.clone()))).unwrap();
            let address = if section == "mail" { config.mail.address() } else { config.database.address() };
            assert_eq!(address.unwrap().expose_secret(), "postgres://u:hunter2@db/seatkey", "without its line feed");
            let config = from_toml(&bare, std::iter::once((key.to_owned(), "/nowhere/url".to_owned()))).unwrap();
            let address = if section == "mail" { config.mail.address() } else { config.database.address() };
            assert!(address.unwrap_err().to_string().starts_with("/nowhere/url cannot be read"));
        }
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn secrets_are_never_printed() {
        assert!(
            !format!("{:?}", with(&[("SEATKEY__DATABASE__URL", "postgres://u:hunter2@db")]).unwrap())
                .contains("hunter2")
        );
    }
}
