//! Why a key cannot be used for signing: whose it is, and what to do.

use std::path::PathBuf;

/// Why a signing key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the signing key {path} cannot be used: {source}")]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("the signing key {0} can be read by others; run: chmod 600 {0}")]
    Permissions(PathBuf),
    /// Not an Ed25519 key in PKCS#8 PEM.
    #[error("the signing key {0} is not an Ed25519 key in PKCS#8 PEM; make one with: seatkey license keygen")]
    Format(String),
    /// No key at all.
    #[error("there is no signing key; make one with `seatkey license keygen` and name it in [signing] keys")]
    None,
    /// Not the address of a key or secret in a vault.
    #[error(
        "[signing] keys: {0} is no address of a key vault; write https://VAULT.vault.azure.net/keys/NAME or .../secrets/NAME, \
         with /VERSION behind it for one version"
    )]
    Address(String),
    /// A key vault.
    #[error("the signing key {key}: {trouble}")]
    Vault {
        /// Its address.
        key: String,
        /// What is wrong.
        trouble: VaultTrouble,
    },
    /// The claims cannot be written as JSON.
    #[error("the license key cannot be written: {0}")]
    Claims(#[from] serde_json::Error),
}

/// What is wrong with a key vault, or with what we have in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultTrouble {
    /// Microsoft's, or the network's: no answer, or one that asks for patience.
    #[error(
        "the key vault does not answer ({0}); try again in a minute, then look at its name, its firewall and the network"
    )]
    Unreachable(String),
    /// Entra gives no token.
    #[error("Entra gives no token for the key vault: {0}; look at [entra.credential]")]
    NoToken(String),
    /// Entra does not answer.
    #[error("Entra does not answer, so there is no token for the key vault ({0}); try again in a minute")]
    EntraUnreachable(String),
    /// The token is not taken.
    #[error("the key vault does not take the token of [entra.credential]; it trusts the tenant of {0}")]
    Unauthorized(String),
    /// The identity may not do this.
    #[error(
        "the key vault refuses it ({0}); give the identity of [entra.credential] the role \"Key Vault Crypto User\" for keys, \
         \"Key Vault Secrets User\" for secrets, and see that its firewall lets us in"
    )]
    Forbidden(String),
    /// It is not there.
    #[error(
        "the key vault does not have it; look at [signing] keys, or make it: az keyvault key create --kty EC --curve P-256"
    )]
    Missing,
    /// There are versions, and all of them are switched off.
    #[error("all of its versions are disabled in the key vault; enable one, or make a new one")]
    Disabled,
    /// A key of another kind.
    #[error(
        "it is a key of kind {0}; license keys are signed with a key on P-256: az keyvault key create --kty EC --curve P-256"
    )]
    OtherKind(String),
    /// Not what a vault answers.
    #[error("what answers is no key vault, or one of another kind ({0}); look at [signing] keys")]
    Strange(String),
}

impl KeyError {
    /// Whether it may be over by itself: a vault that does not answer.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Vault { trouble, .. } if trouble.is_passing())
    }
}

impl VaultTrouble {
    /// Whether it may be over by itself.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::EntraUnreachable(_))
    }
}
