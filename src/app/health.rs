//! What is wrong with our own credentials: `readyz` says it, the log says it, and the buyer reads that the publisher knows.

use std::{collections::BTreeMap, sync::Mutex};

use crate::store::StoreError;

/// Which of our credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// `[entra.credential]`, for the marketplace.
    MarketplaceCredential,
    /// `[sign_in]`, for buyers.
    SignInCredential,
    /// `[staff]`, for the console.
    StaffCredential,
    /// `[database]`: its password, or the token that takes its place.
    DatabaseCredential,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::MarketplaceCredential, Self::SignInCredential, Self::StaffCredential, Self::DatabaseCredential];

    /// The configuration section to look at.
    #[must_use]
    pub fn section(self) -> &'static str {
        match self {
            Self::MarketplaceCredential => "entra.credential",
            Self::SignInCredential => "sign_in",
            Self::StaffCredential => "staff",
            Self::DatabaseCredential => "database",
        }
    }
}

/// The troubles that are known now.
#[derive(Debug, Default)]
pub struct Health(Mutex<BTreeMap<Trouble, String>>);

impl Health {
    /// Notes a trouble and logs it.
    pub fn report(&self, trouble: Trouble, reason: &str) {
        tracing::error!(section = trouble.section(), reason, "a credential of ours is refused; renew it");
        if let Ok(mut known) = self.0.lock() {
            known.insert(trouble, reason.to_owned());
        }
    }

    /// Notes that a credential works.
    pub fn clear(&self, trouble: Trouble) {
        if let Ok(mut known) = self.0.lock() {
            known.remove(&trouble);
        }
    }

    /// Notes how the database has answered: that it refuses our credential, or that it does not.
    pub fn note_database(&self, error: Option<&StoreError>) {
        match error {
            Some(StoreError::Refused(reason)) => self.report(Trouble::DatabaseCredential, reason),
            Some(StoreError::Unreachable(_) | StoreError::Busy(_)) => {}
            _ => self.clear(Trouble::DatabaseCredential),
        }
    }

    /// Whether a credential is refused now.
    #[must_use]
    pub fn is_known(&self, trouble: Trouble) -> bool {
        self.0.lock().is_ok_and(|known| known.contains_key(&trouble))
    }

    /// What is wrong, one line each.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        let known = self.0.lock().map(|known| known.clone()).unwrap_or_default();
        known.into_iter().map(|(trouble, reason)| format!("[{}] is refused: {reason}", trouble.section())).collect()
    }
}
