//! Why a token is not accepted.

/// Why a webhook's token is not accepted. No variant carries anything of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// There is no `Authorization` header.
    #[error("there is no Authorization header")]
    Missing,
    /// The header is longer than any token of Entra's.
    #[error("the Authorization header is too long")]
    TooLong,
    /// The header is not `Bearer` and one token.
    #[error("the Authorization header is not a bearer token")]
    NotBearer,
    /// Not three parts in base64url.
    #[error("the token is not a signed token in compact form")]
    Malformed,
    /// The header is not a JSON object, or has a name twice.
    #[error("the token's header cannot be read")]
    Header,
    /// Signed with anything but RS256.
    #[error("the token's algorithm is not RS256")]
    Algorithm,
    /// The token brings a key, or asks for processing that we do not do.
    #[error("the token's header carries a key or an extension")]
    Extension,
    /// The type is not that of an access token.
    #[error("the token's type is not that of an access token")]
    Type,
    /// No key id, or an empty one.
    #[error("the token names no key")]
    KeyId,
    /// The claims are not a JSON object, or have a name twice.
    #[error("the token's claims cannot be read")]
    Claims,
    /// The version is neither 1.0 nor 2.0.
    #[error("the token's version is neither 1.0 nor 2.0")]
    Version,
    /// A token that tells a person's application who has signed in.
    #[error("the token is an ID token")]
    IdToken,
    /// A token with which an application acts for a person.
    #[error("the token is a person's, not an application's")]
    UserToken,
    /// Not for our application alone.
    #[error("the token is not for our application")]
    Audience,
    /// Not of our tenant.
    #[error("the token is not of our tenant")]
    Tenant,
    /// Not the marketplace's, or not in the claim that belongs to the version.
    #[error("the token's caller is not the marketplace")]
    Caller,
    /// A time is missing, not a whole number, or the times contradict each other.
    #[error("the token's times make no sense")]
    Times,
    /// It has ended.
    #[error("the token has expired")]
    Expired,
    /// It begins later.
    #[error("the token is not valid yet")]
    NotYet,
    /// Not the issuer of our tenant for this version.
    #[error("the token's issuer is not our tenant's")]
    Issuer,
    /// The key that the token names did not sign it.
    #[error("the token's signature is wrong")]
    Signature,
    /// Entra's documents do not have the key, as of the last time that we may look.
    #[error("the token's key is not among Entra's keys")]
    KeyUnknown,
    /// Entra's documents cannot be fetched or used.
    #[error("Entra's keys cannot be fetched: {0}")]
    KeysUnreachable(String),
}

impl TokenRefused {
    /// Whether a genuine token may get this: the same call can succeed later, so the answer is 503 and Microsoft comes
    /// again. Everything else is for good (401).
    ///
    /// An unknown key is always among them, also right after a fetch: Entra's copies may differ for a while, and a 4xx
    /// answer would reject what a customer has ordered.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::KeyUnknown | Self::KeysUnreachable(_))
    }
}
