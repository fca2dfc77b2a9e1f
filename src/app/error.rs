//! Why a use case did not come to its end: a public face (the page that is chosen by the variant) and a private one (the
//! text, for the log).

use super::DeskRefused;
use crate::{
    domain::{
        api_key::ApiKeyRefused,
        approval::ApprovalRefused,
        change::{ChangeRefused, SeatsRefused},
        credit::CreditRefused,
        decision::DecisionRefused,
        enrolment::OrderRefused,
        money::TooLarge,
        subscription::{NotEnrollable, Refused},
        trial_grant::TrialRefused,
    },
    identity::SignInError,
    mail::SendError,
    marketplace::MarketplaceError,
    signing::KeyError,
    store::StoreError,
    templates::TemplateError,
};

/// An error of the application.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Microsoft's marketplace.
    #[error(transparent)]
    Marketplace(#[from] MarketplaceError),
    /// The sign-in.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The order cannot be priced as it is.
    #[error(transparent)]
    Order(#[from] OrderRefused),
    /// The number of users cannot be changed so.
    #[error(transparent)]
    Change(#[from] ChangeRefused),
    /// Microsoft's seats cannot be changed so.
    #[error(transparent)]
    Seats(#[from] SeatsRefused),
    /// A person's decision about a charge that is not taken.
    #[error(transparent)]
    Decision(#[from] DecisionRefused),
    /// What one of the staff asks for that cannot be done so.
    #[error(transparent)]
    Desk(#[from] DeskRefused),
    /// An API key that is not made, or not revoked.
    #[error(transparent)]
    ApiKey(#[from] ApiKeyRefused),
    /// An idempotency key that stands for another request.
    #[error("this idempotency key stands for another request")]
    AnotherRequest,
    /// A custom trial that is not granted, or not changed.
    #[error(transparent)]
    Trial(#[from] TrialRefused),
    /// A credit of Partner Center's that is not entered.
    #[error(transparent)]
    Credit(#[from] CreditRefused),
    /// A proposal that is not approved.
    #[error(transparent)]
    Approval(#[from] ApprovalRefused),
    /// A mail that cannot be shown, and why.
    #[error("{0}")]
    NoPreview(String),
    /// A field that has to hold a mailbox does not.
    #[error("{0} is not the address of a mailbox")]
    NoMailbox(&'static str),
    /// The subscription cannot be enrolled now.
    #[error(transparent)]
    NotEnrollable(#[from] NotEnrollable),
    /// The catalog does not have what was bought.
    #[error("the catalog has no plan \"{plan_id}\" of offer \"{offer_id}\"; add it, or check Partner Center")]
    NotOffered {
        /// The offer's id.
        offer_id: String,
        /// The plan's id.
        plan_id: String,
    },
    /// Microsoft sells the plan with another term than the catalog prices it for: held for a person (`product.md` §4).
    #[error("subscription {subscription} has the term \"{found}\", its plan \"{plan_id}\" the term \"{expected}\"")]
    TermDiffers {
        /// The subscription.
        subscription: uuid::Uuid,
        /// The plan's id.
        plan_id: String,
        /// The catalog's term unit.
        expected: String,
        /// Microsoft's.
        found: String,
    },
    /// There is no price for every dimension, from Microsoft or the catalog.
    #[error("there is no price for plan \"{plan_id}\": {reason}")]
    NoPrice {
        /// The plan's id.
        plan_id: String,
        /// What is missing.
        reason: String,
    },
    /// The person may not do this, or may not know that it exists.
    #[error("not allowed")]
    Forbidden,
    /// The mail server.
    #[error(transparent)]
    Mail(#[from] SendError),
    /// A page or mail could not be rendered.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A license key could not be signed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Figures that do not fit.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// A broken promise of our own code or machine.
    #[error("{0}")]
    Internal(String),
}

impl AppError {
    /// Whether a job should try again by itself.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Marketplace(error) => error.is_retryable(),
            Self::Store(error) => error.is_retryable(),
            Self::Mail(error) => !matches!(error, SendError::Unaddressable(_)),
            // A person repairs configuration, catalog, key or template, and then the same step succeeds.
            Self::NotOffered { .. }
            | Self::NoPrice { .. }
            | Self::TermDiffers { .. }
            | Self::Template(_)
            | Self::Key(_)
            | Self::SignIn(_) => true,
            Self::Order(_)
            | Self::Change(_)
            | Self::Seats(_)
            | Self::Decision(_)
            | Self::Desk(_)
            | Self::ApiKey(_)
            | Self::AnotherRequest
            | Self::Trial(_)
            | Self::Credit(_)
            | Self::Approval(_)
            | Self::NoMailbox(_)
            | Self::NoPreview(_)
            | Self::NotEnrollable(_)
            | Self::Forbidden
            | Self::TooLarge(_)
            | Self::Internal(_) => false,
        }
    }
}

impl From<Refused> for AppError {
    fn from(refused: Refused) -> Self {
        Self::Change(refused.into())
    }
}
