//! From the `Authorization` header to the parts of a signed token (RFC 6750, RFC 7515).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{TokenRefused, json};

/// Entra's application tokens have one to two kilobytes.
const MAX_BYTES: usize = 16 * 1024;
/// Entra sends none of these. Those that bring or name a key are refused rather than ignored: only a forger has a use for
/// them, and no later change can come to believe them. The others ask for processing that we do not do.
const REFUSED_HEADERS: [&str; 8] = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc"];

/// A token, taken apart. Nothing of it is proved yet.
pub(super) struct Token<'t> {
    /// The key that the token says it is signed with.
    pub(super) kid: String,
    pub(super) claims: Map<String, Value>,
    /// What is signed: header and claims, as they came.
    pub(super) message: &'t str,
    /// The signature, still in base64url.
    pub(super) signature: &'t str,
}

/// Takes the header apart and checks everything that the token's own header says.
pub(super) fn read(authorization: Option<&str>) -> Result<Token<'_>, TokenRefused> {
    let authorization = authorization.ok_or(TokenRefused::Missing)?;
    if authorization.len() > MAX_BYTES {
        return Err(TokenRefused::TooLong);
    }
    let compact = match authorization.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token,
        _ => return Err(TokenRefused::NotBearer),
    };
    let (message, signature) = compact.rsplit_once('.').ok_or(TokenRefused::Malformed)?;
    let (header, payload) = message.split_once('.').ok_or(TokenRefused::Malformed)?;
    // A further dot, a blank or padding is not in the alphabet.
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenRefused::Malformed);
    let header = json::object(&decode(header)?).ok_or(TokenRefused::Header)?;
    let kid = check_header(&header)?;
    let claims = json::object(&decode(payload)?).ok_or(TokenRefused::Claims)?;
    Ok(Token { kid, claims, message, signature })
}

/// The key id, when the header is one that Entra could have written.
fn check_header(header: &Map<String, Value>) -> Result<String, TokenRefused> {
    if header.get("alg").and_then(Value::as_str) != Some("RS256") {
        return Err(TokenRefused::Algorithm);
    }
    if REFUSED_HEADERS.iter().any(|name| header.contains_key(*name)) {
        return Err(TokenRefused::Extension);
    }
    // Media types do not depend on case (RFC 7515, section 4.1.9).
    let is_access_token = |kind: &str| kind.eq_ignore_ascii_case("JWT") || kind.eq_ignore_ascii_case("at+jwt");
    if header.get("typ").is_some_and(|kind| !kind.as_str().is_some_and(is_access_token)) {
        return Err(TokenRefused::Type);
    }
    let kid = header.get("kid").and_then(Value::as_str).filter(|kid| !kid.is_empty());
    kid.map(str::to_owned).ok_or(TokenRefused::KeyId)
}
