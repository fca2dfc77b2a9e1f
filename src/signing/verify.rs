//! Verification of a license key, offline, as a licensed product does it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use time::OffsetDateTime;

use super::{Jwks, LICENSE_TYPE};
use crate::domain::license::Claims;

/// A license key is about 900 bytes; nothing near this is one.
const MAX_KEY_BYTES: usize = 16 * 1024;

/// Why a license key does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Not three parts, not base64url, not JSON, too long.
    #[error("this is not a license key; copy all of it, from eyJ to the last character")]
    Malformed,
    /// Signed with something else, or meant for something else.
    #[error("this is not a license key: alg is \"{alg}\" and typ is \"{typ}\"")]
    OtherKind {
        /// Its `alg`.
        alg: String,
        /// Its `typ`.
        typ: String,
    },
    /// No published key has this id.
    #[error("the signing key \"{0}\" is not among the published keys")]
    UnknownSigner(String),
    /// The signature does not fit.
    #[error("the signature is wrong: the key was changed or is not genuine")]
    BadSignature,
    /// Not valid yet.
    #[error("the key is valid from {0} on")]
    NotYet(OffsetDateTime),
    /// No longer valid.
    #[error("the key ended on {0}")]
    Ended(OffsetDateTime),
}

#[derive(Debug, Deserialize)]
struct Header {
    #[serde(default)]
    alg: String,
    #[serde(default)]
    typ: String,
    #[serde(default)]
    kid: String,
}

/// What a key says, without believing it.
///
/// # Errors
/// [`VerifyError::Malformed`].
pub fn inspect(compact: &str) -> Result<Claims, VerifyError> {
    parts(compact).map(|(_, claims, _, _)| claims)
}

/// The claims of a genuine key that is valid at `at`.
///
/// # Errors
/// [`VerifyError`] with the reason.
pub fn verify(compact: &str, jwks: &Jwks, at: OffsetDateTime) -> Result<Claims, VerifyError> {
    let claims = verify_signature(compact, jwks)?;
    let instant = |seconds| OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| VerifyError::Malformed);
    match (instant(claims.nbf)?, instant(claims.exp)?) {
        (from, _) if at < from => Err(VerifyError::NotYet(from)),
        (_, end) if at >= end => Err(VerifyError::Ended(end)),
        _ => Ok(claims),
    }
}

/// The claims of a genuine key, whatever its dates: an older key stays genuine for what it says.
///
/// # Errors
/// [`VerifyError`] with the reason.
pub fn verify_signature(compact: &str, jwks: &Jwks) -> Result<Claims, VerifyError> {
    let (header, claims, signed, signature) = parts(compact)?;
    let other_kind = || VerifyError::OtherKind { alg: header.alg.clone(), typ: header.typ.clone() };
    if !matches!(header.alg.as_str(), "EdDSA" | "ES256") || header.typ != LICENSE_TYPE {
        return Err(other_kind());
    }
    let named = jwks.keys.iter().find_map(|key| key.algorithm().filter(|_| key.kid == header.kid).zip(Some(key)));
    let (algorithm, key) = named.ok_or_else(|| VerifyError::UnknownSigner(header.kid.clone()))?;
    // The published key says how it verifies; what the license key says of itself only has to agree.
    if algorithm.as_str() != header.alg {
        return Err(other_kind());
    }
    if key.verifies(signed.as_bytes(), &signature) { Ok(claims) } else { Err(VerifyError::BadSignature) }
}

fn parts(compact: &str) -> Result<(Header, Claims, &str, Vec<u8>), VerifyError> {
    let compact = compact.trim();
    if compact.len() > MAX_KEY_BYTES {
        return Err(VerifyError::Malformed);
    }
    let (signed, signature) = compact.rsplit_once('.').ok_or(VerifyError::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(VerifyError::Malformed)?;
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| VerifyError::Malformed);
    let header = serde_json::from_slice(&bytes(header)?).map_err(|_| VerifyError::Malformed)?;
    let claims = serde_json::from_slice(&bytes(claims)?).map_err(|_| VerifyError::Malformed)?;
    Ok((header, claims, signed, bytes(signature)?))
}
