//! Dead ends, explained: what happened, whose fault it is, what to do next.

use serde::Serialize;
use time::OffsetDateTime;

use super::{Page, frame::Frame, samples, trouble_words::Action, trouble_words::Fault, words};

/// What stands in the way.
#[derive(Debug, Clone)]
pub enum Dead {
    /// The purchase token was refused, or belongs to somebody else: a stranger learns nothing of the difference.
    LinkExpired,
    /// Our own credential is wrong; the publisher has been told.
    PublisherTold,
    /// Microsoft does not answer.
    MicrosoftSilent,
    /// Our database does not answer, or has too much to do.
    DatabaseSilent,
    /// There is no such page, or not for this person.
    NotFound,
    /// The sign-in did not succeed, for a reason that may be shown.
    SignInFailed {
        /// A sentence.
        reason: String,
    },
    /// The form was too old, or had been changed on its way.
    FormExpired,
    /// The request was larger than any form of ours.
    TooLarge,
    /// Too many visits from one address in a minute.
    TooMany {
        /// When the next one is let in.
        retry_after_seconds: i64,
    },
    /// The request has a character that no address and no text of people has.
    Unreadable,
    /// Our own fault.
    Internal {
        /// What support can find it by.
        reference: String,
    },
    /// There is no price for this plan in the buyer's market.
    NoPrice,
    /// The person has signed out.
    SignedOut,
    /// The plan is not in the catalog.
    NotOffered,
    /// The subscription does not admit it now.
    NotNow {
        /// A sentence.
        reason: String,
    },
}

impl Dead {
    /// When it is worth trying again, where that is known.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<i64> {
        match self {
            Self::TooMany { retry_after_seconds } => Some(*retry_after_seconds),
            Self::DatabaseSilent => Some(60),
            _ => None,
        }
    }
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct Trouble {
    frame: Frame,
    title: &'static str,
    status: u16,
    explanation: String,
    steps: Vec<&'static str>,
    fault: Fault,
    action: Option<Action>,
    reference: String,
    when: String,
}

impl Trouble {
    /// The page for a dead end at this moment.
    #[must_use]
    pub fn new(frame: Frame, dead: &Dead, now: OffsetDateTime) -> Self {
        let words = dead.words();
        let reference = if let Dead::Internal { reference } = dead { reference.clone() } else { String::new() };
        Self {
            frame,
            title: words.title,
            status: words.status,
            explanation: words.explanation,
            steps: words.steps.to_vec(),
            fault: words.fault,
            action: words.action,
            reference,
            when: words::instant(now),
        }
    }

    /// The status code of the answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }
}

impl Page for Trouble {
    const TEMPLATE: &'static str = "trouble.html";

    fn samples() -> Vec<Self> {
        let dead = [
            Dead::LinkExpired,
            Dead::PublisherTold,
            Dead::MicrosoftSilent,
            Dead::DatabaseSilent,
            Dead::NotFound,
            Dead::SignInFailed { reason: format!("Microsoft says that {} denied it.", samples::HOSTILE) },
            Dead::FormExpired,
            Dead::TooLarge,
            Dead::TooMany { retry_after_seconds: 40 },
            Dead::Unreadable,
            Dead::Internal { reference: "01K2Z7".to_owned() },
            Dead::NoPrice,
            Dead::SignedOut,
            Dead::NotOffered,
            Dead::NotNow { reason: "This subscription is being withdrawn.".to_owned() },
        ];
        let signed_in = || samples::frame(super::frame::OfferFace::neutral(None), samples::HOSTILE);
        let pages = dead.iter().map(|dead| Self::new(samples::neutral_frame(), dead, samples::NOW));
        pages.chain([Self::new(signed_in(), &Dead::NotFound, samples::NOW)]).collect()
    }
}
