//! `seatkey license keygen | verify | inspect`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use url::Url;

use super::{Failure, output::print_json, print_line};
use crate::{
    clock::{Clock as _, SystemClock},
    http,
    signing::{self, Jwks, Keyring},
};

const MAX_JWKS_BYTES: usize = 256 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum LicenseCommand {
    /// Makes a signing key (a file that only you can read) and prints its public half
    Keygen {
        /// Where to write it; never overwritten
        #[arg(long, default_value = "signing-key.pem")]
        out: PathBuf,
    },
    /// Verifies a license key offline and prints its claims
    Verify {
        /// The key's text, or @FILE
        key: String,
        /// The published keys: a file or an address
        #[arg(long)]
        jwks: String,
        /// The instant to verify at (RFC 3339); default: now
        #[arg(long)]
        at: Option<String>,
    },
    /// Prints what a key says, without believing it
    Inspect {
        /// The key's text, or @FILE
        key: String,
    },
}

pub(super) fn run(command: &LicenseCommand) -> Result<(), Failure> {
    match command {
        LicenseCommand::Keygen { out } => keygen(out),
        LicenseCommand::Verify { key, jwks, at } => {
            let key = read_key(key)?;
            let jwks = super::block_on(read_jwks(jwks))?;
            let at = at.as_deref().map_or(Ok(SystemClock.now()), parse_instant)?;
            let claims = signing::verify(&key, &jwks, at).map_err(|error| Failure::No(error.to_string()))?;
            print_json(&claims)
        }
        LicenseCommand::Inspect { key } => {
            let claims = signing::inspect(&read_key(key)?).map_err(|error| Failure::No(error.to_string()))?;
            print_json(&claims)
        }
    }
}

fn keygen(out: &Path) -> Result<(), Failure> {
    let refused = |error: signing::KeyError| Failure::Usage(error.to_string());
    signing::generate(out).map_err(refused)?;
    let keyring = Keyring::from_files(&[out.to_path_buf()]).map_err(refused)?;
    print_json(&keyring.jwks())?;
    print_line(&format!(
        "The private key is in {}. Name it in [signing] keys, and keep a copy in a safe.",
        out.display()
    ));
    Ok(())
}

fn read_key(text: &str) -> Result<String, Failure> {
    match text.strip_prefix('@') {
        Some(path) => {
            std::fs::read_to_string(path).map_err(|error| Failure::Usage(format!("{path} cannot be read: {error}")))
        }
        None => Ok(text.to_owned()),
    }
}

async fn read_jwks(place: &str) -> Result<Jwks, Failure> {
    let unusable = |error: &dyn std::fmt::Display| {
        Failure::Usage(format!("the published keys at {place} cannot be used: {error}"))
    };
    let text = if let Ok(url) =
        place.parse::<Url>().and_then(|url| if url.has_host() { Ok(url) } else { Err(url::ParseError::EmptyHost) })
    {
        let client = http::client().map_err(|error| unusable(&error))?;
        let response = client.get(url).send().await.map_err(|error| unusable(&error))?;
        let text = http::bounded_text(response, MAX_JWKS_BYTES).await.map_err(|error| unusable(&error))?;
        text.ok_or_else(|| unusable(&"they are too long"))?
    } else {
        std::fs::read_to_string(place).map_err(|error| unusable(&error))?
    };
    serde_json::from_str(&text).map_err(|error| unusable(&error))
}

fn parse_instant(text: &str) -> Result<OffsetDateTime, Failure> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| Failure::Usage("write --at as an instant, such as 2026-02-01T00:00:00Z".to_owned()))
}
