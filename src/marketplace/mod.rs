//! Microsoft's commercial marketplace, over HTTP: the one real client, its wire shapes; and the check of
//! the token that comes with its webhook.
//!
//! Owns: paths, api-version, headers, lenient reading, error kinds, the bearer token. Does not own: what to do about an
//! answer (`app`), and when to call (`jobs`).
//! Invariants: the token goes to the configured hosts only; addresses that Microsoft returns are reduced to their token or
//! id; nothing here is repeated unless repeating is safe.

mod answer;
mod call;
mod client;
mod error;
mod metering;
mod probe;
mod usage_days;
mod usage_wire;
mod webhook_body;
mod webhook_token;
pub mod wire;

pub use answer::Answer;
pub use client::{Client, Page, PendingOperation};
pub use error::{Fault, MarketplaceError};
pub use metering::{MAX_BATCH, UsageItem};
pub use usage_days::{ReconStatus, UsageDay};
pub use usage_wire::UsageOutcome;
pub use webhook_body::WebhookBody;
pub use webhook_token::{TokenRefused, TokenVersion, VerifiedCaller, WebhookTokens};

/// What the client is made with.
pub use crate::entra::{Credential, CredentialError, TokenSource, Tokens};
