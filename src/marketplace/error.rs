//! What Microsoft's answers mean for us: whose fault it is, and whether trying again can help.

use std::time::Duration;

use super::CredentialError;

pub(super) type Result<T> = std::result::Result<T, MarketplaceError>;

/// Who has to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The buyer: an old link, a wrong account.
    Buyer,
    /// We: configuration, a secret that has expired.
    Publisher,
    /// Microsoft, or the network between.
    Microsoft,
}

/// Why a call gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum MarketplaceError {
    /// `resolve` did not take the purchase token: expired, or not one.
    #[error("Microsoft does not accept this purchase token ({0})")]
    BadPurchaseToken(String),
    /// Our own credential is wrong, expired, or of an application that the offer does not name.
    #[error("Microsoft does not accept our credential: {0}")]
    Credential(String),
    /// Microsoft does not know the subscription or operation.
    #[error("Microsoft does not know it: {0}")]
    NotFound(String),
    /// Another operation is pending, or a newer one is done.
    #[error("Microsoft is busy with another change: {0}")]
    Conflict(String),
    /// Microsoft will not do it, now or later.
    #[error("Microsoft refuses with {status}: {message}")]
    Refused {
        /// The status code.
        status: u16,
        /// Its words.
        message: String,
    },
    /// Microsoft is not well, or asks to be asked later.
    #[error("Microsoft answers {status}")]
    Unavailable {
        /// The status code.
        status: u16,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The request never left: the connection was never made, or there was no token for it.
    #[error("Microsoft cannot be reached: {0}")]
    Unreached(String),
    /// There was no answer: the call may have had its effect, or not.
    #[error("there was no answer from Microsoft: {0}")]
    NoAnswer(String),
    /// An answer that cannot be read.
    #[error("Microsoft's answer cannot be read: {0}")]
    Unreadable(String),
}

impl MarketplaceError {
    /// Whether the same call can succeed later without anybody changing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::Unreached(_) | Self::NoAnswer(_) | Self::Conflict(_) => true,
            // A person repairs the credential, and then the same call succeeds.
            Self::Credential(_) => true,
            Self::BadPurchaseToken(_) | Self::NotFound(_) | Self::Refused { .. } | Self::Unreadable(_) => false,
        }
    }

    /// Who has to do something.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::BadPurchaseToken(_) => Fault::Buyer,
            Self::Credential(_) | Self::NotFound(_) | Self::Refused { .. } => Fault::Publisher,
            Self::Conflict(_)
            | Self::Unavailable { .. }
            | Self::Unreached(_)
            | Self::NoAnswer(_)
            | Self::Unreadable(_) => Fault::Microsoft,
        }
    }

    /// Whether Microsoft has certainly done nothing of what was asked: the request never left, or was turned away. Where
    /// this is false it may have been done.
    #[must_use]
    pub fn is_certainly_unprocessed(&self) -> bool {
        match self {
            Self::Unreached(_) | Self::Credential(_) | Self::BadPurchaseToken(_) | Self::NotFound(_) => true,
            Self::Refused { status, .. } => matches!(status, 400..=499),
            // 408 is said by whoever stands between, too, and who cannot know.
            Self::Unavailable { status, .. } => *status == 429,
            // A conflict is with something that was done: it may be this very request, sent before.
            Self::Conflict(_) | Self::NoAnswer(_) | Self::Unreadable(_) => false,
        }
    }

    /// When Microsoft wants to be asked again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl From<CredentialError> for MarketplaceError {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Refused(text) => Self::Credential(text),
            CredentialError::Unreachable(text) => Self::Unreached(text),
        }
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
