//! Signing keys on file: PKCS#8 in PEM, readable by their owner alone.

use std::{io::Write as _, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{rand::SystemRandom, signature::Ed25519KeyPair};

use super::{KeyError, signer::LocalKey};

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// Makes a new key file; never overwrites one.
///
/// # Errors
/// [`KeyError::File`] when it exists already or cannot be written.
pub fn generate(path: &Path) -> Result<(), KeyError> {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyError::File {
        path: path.to_path_buf(),
        source: std::io::Error::other("the system gives no random numbers"),
    })?;
    let pem = format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(document.as_ref()));
    write_private(path, pem.as_bytes()).map_err(|source| KeyError::File { path: path.to_path_buf(), source })
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Reads a key file.
pub(super) fn read(path: &Path) -> Result<LocalKey, KeyError> {
    let file_error = |source| KeyError::File { path: path.to_path_buf(), source };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path).map_err(file_error)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(KeyError::Permissions(path.to_path_buf()));
        }
    }
    let pem = std::fs::read_to_string(path).map_err(file_error)?;
    from_pem(&pem).ok_or_else(|| KeyError::Format(path.display().to_string()))
}

/// The key of a text; none when it is not an Ed25519 key in PKCS#8 PEM.
pub(super) fn from_pem(pem: &str) -> Option<LocalKey> {
    let body = pem.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).map(|(body, _)| body)?;
    let base64: String = body.split_whitespace().collect();
    let der = STANDARD.decode(base64).ok()?;
    // Keys made by OpenSSL carry no public half; ring then computes it.
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).ok().map(LocalKey::new)
}
