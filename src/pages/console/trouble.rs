//! Dead ends of the console: what happened, and what to do.

use serde::Serialize;

use super::{frame::ConsoleFrame, samples};
use crate::pages::{Page, words::sentence};

/// What stands in the way of one of the staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// There is no such page, or nothing with that id.
    NotFound,
    /// The page, or what it does, belongs to other roles.
    NotYourRole {
        /// Theirs, `Finance or Support`.
        roles: String,
    },
    /// Somebody of the publisher's tenant without a role.
    WithoutRole {
        /// Their name.
        name: String,
    },
    /// The sign-in did not succeed.
    SignInFailed {
        /// A sentence.
        reason: String,
    },
    /// The person has signed out.
    SignedOut,
    /// The form was too old.
    FormExpired,
    /// The request was too large, or cannot be read.
    Unreadable,
    /// Too many visits that nobody had signed in for.
    TooMany {
        /// When the next one is let in.
        retry_after_seconds: i64,
    },
    /// It cannot be done now, and why.
    NotNow {
        /// A sentence.
        reason: String,
    },
    /// Somebody else is to blame and it passes: Microsoft, Entra, a busy database.
    Later {
        /// A sentence.
        reason: String,
    },
    /// Our own fault.
    Internal {
        /// What the log has it under.
        reference: String,
    },
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct ConsoleTrouble {
    frame: ConsoleFrame,
    title: &'static str,
    explanation: String,
    status: u16,
    label: &'static str,
    href: &'static str,
}

const TODAY: (&str, &str) = ("Go to Today", "/console");
const SIGN_IN: (&str, &str) = ("Sign in", "/console/sign-in");
const OTHER_ACCOUNT: (&str, &str) = ("Sign in with another account", "/console/sign-in?prompt=select_account");

impl ConsoleTrouble {
    /// The page for a dead end.
    #[must_use]
    pub fn new(frame: ConsoleFrame, stopped: &Stopped) -> Self {
        let (status, title, explanation, (label, href)) = stopped.told();
        Self { frame, title, explanation, status, label, href }
    }

    /// The status code of the answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }
}

impl Stopped {
    fn told(&self) -> (u16, &'static str, String, (&'static str, &'static str)) {
        match self {
            Self::NotFound => (
                404,
                "There is nothing here",
                "Either the address is wrong, or what it names was never here. The search finds subscriptions by organisation, \
                 tenant, e-mail and the beginning of any id."
                    .to_owned(),
                TODAY,
            ),
            Self::NotYourRole { roles } => (
                403,
                "This belongs to another role",
                format!("It takes the role {roles}. An administrator assigns roles in Entra; they count from your next sign-in."),
                TODAY,
            ),
            Self::WithoutRole { name } => (
                403,
                "You have no role here yet",
                format!(
                    "{name}, you belong to the publisher, but nobody has assigned you a role of this application. Ask an \
                     administrator for Sales, Finance, Support or Admin in Entra, then sign in again."
                ),
                OTHER_ACCOUNT,
            ),
            Self::SignInFailed { reason } => (403, "You are not signed in", sentence(reason), OTHER_ACCOUNT),
            Self::SignedOut => (200, "You are signed out", "You may still be signed in with Microsoft.".to_owned(), SIGN_IN),
            Self::FormExpired => (
                403,
                "This form is too old",
                "You were away for a while, or signed in anew. Nothing was changed; open the page again and repeat it.".to_owned(),
                TODAY,
            ),
            other => other.told_of_outages(),
        }
    }

    fn told_of_outages(&self) -> (u16, &'static str, String, (&'static str, &'static str)) {
        match self {
            Self::TooMany { retry_after_seconds } => {
                let text = format!("It goes on in {retry_after_seconds} seconds.");
                (429, "Too many visits at once", text, SIGN_IN)
            }
            Self::NotNow { reason } => {
                (409, "This is not possible now", format!("{} Nothing was changed.", sentence(reason)), TODAY)
            }
            Self::Later { reason } => {
                (503, "This does not work at the moment", format!("{} Try again in a minute.", sentence(reason)), TODAY)
            }
            Self::Unreadable => {
                let text = "It is too long, or has a character in it that nobody can type. Nothing was changed.";
                (400, "This cannot be read", text.to_owned(), TODAY)
            }
            Self::Internal { reference } => {
                let text = format!(
                    "The log has it under {reference}. Nothing is half done: what is written is written at once."
                );
                (500, "Something went wrong on our side", text, TODAY)
            }
            _ => (404, "There is nothing here", String::new(), TODAY),
        }
    }
}

impl Page for ConsoleTrouble {
    const TEMPLATE: &'static str = "console/trouble.html";

    fn samples() -> Vec<Self> {
        let hostile = || samples::HOSTILE.to_owned();
        let all = [
            Stopped::NotFound,
            Stopped::NotYourRole { roles: "Finance".to_owned() },
            Stopped::WithoutRole { name: hostile() },
            Stopped::SignInFailed { reason: hostile() },
            Stopped::SignedOut,
            Stopped::FormExpired,
            Stopped::Unreadable,
            Stopped::TooMany { retry_after_seconds: 40 },
            Stopped::NotNow { reason: hostile() },
            Stopped::Later { reason: hostile() },
            Stopped::Internal { reference: "01K2Z7".to_owned() },
        ];
        all.iter().map(|stopped| Self::new(samples::frame(), stopped)).collect()
    }
}
