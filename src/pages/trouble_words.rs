//! The words of every dead end.

use serde::Serialize;

use super::{trouble::Dead, words};

/// Whose fault it is.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fault {
    Nobody,
    Publisher,
    Microsoft,
    You,
}

/// The way on.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Action {
    label: &'static str,
    /// Where to; empty = this page again.
    href: &'static str,
}

/// The words of a dead end.
pub(super) struct Words {
    pub(super) status: u16,
    pub(super) title: &'static str,
    pub(super) explanation: String,
    pub(super) steps: &'static [&'static str],
    pub(super) fault: Fault,
    pub(super) action: Option<Action>,
}

const OTHER_ACCOUNT: Action = Action { label: "Sign in with another account", href: "/sign-in?prompt=select_account" };
const SIGN_IN: Action = Action { label: "Sign in", href: "/sign-in" };
const AGAIN: Action = Action { label: "Try again", href: "" };
const LIST: Action = Action { label: "See your subscriptions", href: "/subscriptions" };
const REOPEN: &[&str] = &[
    "Open the Azure portal and search for SaaS.",
    "Choose your subscription.",
    "Click “Configure account now”, and sign in here with the account that bought it.",
];

fn told(
    status: u16,
    title: &'static str,
    explanation: &str,
    steps: &'static [&'static str],
    fault: Fault,
    action: Option<Action>,
) -> Words {
    Words { status, title, explanation: explanation.to_owned(), steps, fault, action }
}

impl Dead {
    /// The words for it.
    pub(super) fn words(&self) -> Words {
        match self {
            Self::LinkExpired => told(
                404,
                "This link does not lead to your purchase",
                "A link from the Azure portal works for a limited time, and only for the account that bought or uses the subscription. Your purchase is safe, and nothing was charged by opening this page.",
                REOPEN,
                Fault::Nobody,
                Some(OTHER_ACCOUNT),
            ),
            Self::NotFound => told(
                404,
                "There is nothing here for you",
                "Either this page does not exist, or the account that you are signed in with has no part in this subscription.",
                &["Check the address.", "Sign in with the account that bought or uses the subscription."],
                Fault::Nobody,
                Some(OTHER_ACCOUNT),
            ),
            Self::SignInFailed { reason } => told(
                403,
                "You are not signed in",
                reason,
                &[
                    "Sign in again; another account of yours may be the right one.",
                    "If your organisation has to allow this application first, ask an administrator.",
                ],
                Fault::Nobody,
                Some(OTHER_ACCOUNT),
            ),
            Self::SignedOut => told(
                200,
                "You are signed out here",
                "You may still be signed in with Microsoft. On a shared computer, sign out there as well or close the browser.",
                &[],
                Fault::Nobody,
                Some(SIGN_IN),
            ),
            _ => self.words_of_outages(),
        }
    }

    /// What others have to put right.
    fn words_of_outages(&self) -> Words {
        match self {
            Self::PublisherTold => told(
                503,
                "We cannot look up your purchase right now",
                "Our own access to Microsoft’s marketplace does not work at the moment. It is not your fault and not your link’s: the publisher has been told and has to repair it.",
                &[
                    "Leave the purchase as it is; it is safe, and nothing is charged.",
                    "Open it again from the Azure portal in an hour or so.",
                ],
                Fault::Publisher,
                Some(AGAIN),
            ),
            Self::MicrosoftSilent => told(
                503,
                "Microsoft does not answer at the moment",
                "We asked Microsoft’s marketplace about your purchase and got no answer. This passes, usually within minutes. Your purchase is safe.",
                &["Wait a minute.", "Try again; you can also come back later through the Azure portal."],
                Fault::Microsoft,
                Some(AGAIN),
            ),
            Self::DatabaseSilent => told(
                503,
                "Please try again in a minute",
                "Our own records cannot be reached at the moment. This passes, usually within a minute. What you saw as done is done; what you sent just now may not have arrived. Sending it again does nothing twice.",
                &["Wait a minute.", "Try again."],
                Fault::Publisher,
                Some(AGAIN),
            ),
            Self::NoPrice => told(
                503,
                "There is no price for your country yet",
                "For this plan a price is missing in the currency of your market, so nothing can be ordered. The publisher has been told. Your purchase stays as it is, and nothing is charged.",
                &[
                    "Write to support if it is urgent; they can say when the price will be there.",
                    "Open your purchase again from the Azure portal later.",
                ],
                Fault::Publisher,
                None,
            ),
            Self::NotOffered => told(
                503,
                "This plan cannot be set up here yet",
                "Microsoft knows the plan that you bought, but it has not been set up on our side. The publisher has been told. Your purchase is safe, and nothing is charged.",
                &["Open your purchase again from the Azure portal later.", "Write to support if it is urgent."],
                Fault::Publisher,
                None,
            ),
            _ => self.words_of_forms(),
        }
    }

    /// What went wrong with the request itself.
    fn words_of_forms(&self) -> Words {
        match self {
            Self::NotNow { reason } => told(
                409,
                "This is not possible now",
                &format!("{reason} Nothing was changed."),
                &["Open your subscription again to see how it stands and what you can do."],
                Fault::Nobody,
                Some(LIST),
            ),
            Self::FormExpired => told(
                403,
                "This form is too old",
                "You were away for a while, or signed in anew in another window. Nothing was ordered and nothing was changed.",
                &["Open your subscription again and repeat what you did."],
                Fault::Nobody,
                Some(LIST),
            ),
            Self::TooLarge => told(
                413,
                "That was too much at once",
                "The text that you sent is longer than any answer that this form takes. Nothing was changed.",
                &["Go back, shorten it and send it again."],
                Fault::You,
                None,
            ),
            Self::TooMany { retry_after_seconds } => told(
                429,
                "Too many visits at once",
                &format!(
                    "From your network there were more visits in this minute than people make. It goes on in {}. Nothing was changed.",
                    words::counted(u32::try_from(*retry_after_seconds).unwrap_or(60), "second")
                ),
                &["Wait a moment, then try again."],
                Fault::Nobody,
                Some(AGAIN),
            ),
            Self::Unreadable => told(
                400,
                "This cannot be read",
                "The address or the text that you sent has a character in it that nobody can see or type. Nothing was changed.",
                &["Check the address.", "If you pasted a text, type it instead."],
                Fault::You,
                None,
            ),
            _ => told(
                500,
                "Something went wrong on our side",
                "This should not have happened, and it was not your doing. It has been recorded. What you ordered before is not affected.",
                &["Try again.", "If it happens again, write to support and name the reference below."],
                Fault::Publisher,
                Some(AGAIN),
            ),
        }
    }
}
