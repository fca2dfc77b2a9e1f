//! The list of a person's subscriptions.

use serde::Serialize;
use uuid::Uuid;

use super::{
    Page,
    frame::Frame,
    samples,
    words::{self, Tone},
};

/// How a subscription stands, in the buyer's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Bought, not set up yet (also when Microsoft has activated it already).
    ToSetUp,
    /// Submitted, not confirmed by Microsoft yet.
    Activating,
    /// In order.
    Subscribed,
    /// Microsoft could not collect a payment.
    Suspended,
    /// Being withdrawn: Microsoft has not said yet that it is over.
    Withdrawing,
    /// Over.
    Unsubscribed,
}

impl Standing {
    /// The state word and its colour.
    pub(crate) fn told(self) -> (&'static str, Tone) {
        match self {
            Self::ToSetUp => ("Waiting to be set up", Tone::Warn),
            Self::Activating => ("Being activated", Tone::Calm),
            Self::Subscribed => ("Subscribed", Tone::Good),
            Self::Suspended => ("Suspended", Tone::Bad),
            Self::Withdrawing => ("Being withdrawn", Tone::Warn),
            Self::Unsubscribed => ("Cancelled", Tone::Calm),
        }
    }
}

/// A subscription of the list, as it is told to [`Subscriptions::new`].
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Microsoft's id.
    pub id: Uuid,
    /// Its name in the portal.
    pub name: &'a str,
    /// Whose it is.
    pub organisation: &'a str,
    /// The plan's name.
    pub product: &'a str,
    /// How it stands.
    pub standing: Standing,
    /// Users in total, once they are known.
    pub users: Option<u32>,
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct Subscriptions {
    frame: Frame,
    title: &'static str,
    entries: Vec<EntryView>,
}

#[derive(Debug, Clone, Serialize)]
struct EntryView {
    path: String,
    name: String,
    organisation: String,
    product: String,
    state: &'static str,
    tone: Tone,
    users: String,
    action: &'static str,
}

impl Subscriptions {
    /// The page, in the given order.
    #[must_use]
    pub fn new(frame: Frame, entries: &[Entry<'_>]) -> Self {
        Self { frame, title: "Your subscriptions", entries: entries.iter().map(EntryView::of).collect() }
    }
}

impl EntryView {
    fn of(entry: &Entry<'_>) -> Self {
        let (state, tone) = entry.standing.told();
        Self {
            path: format!("/subscriptions/{}", entry.id),
            name: entry.name.to_owned(),
            organisation: entry.organisation.to_owned(),
            product: entry.product.to_owned(),
            state,
            tone,
            users: entry.users.map(words::users).unwrap_or_default(),
            action: if entry.standing == Standing::ToSetUp { "Set it up" } else { "Open" },
        }
    }
}

impl Page for Subscriptions {
    const TEMPLATE: &'static str = "subscriptions.html";

    fn samples() -> Vec<Self> {
        use Standing::{Activating, Subscribed, Suspended, ToSetUp, Unsubscribed, Withdrawing};
        let entries = [Subscribed, ToSetUp, Activating, Suspended, Withdrawing, Unsubscribed].map(|standing| Entry {
            id: samples::ID,
            name: "konnekt-prod",
            organisation: samples::HOSTILE,
            product: "KONNEKT, yearly",
            standing,
            users: (standing != ToSetUp).then_some(1_300),
        });
        let frame = || samples::frame(super::frame::OfferFace::neutral(None), "Contoso GmbH");
        vec![Self::new(frame(), &entries), Self::new(frame(), &[])]
    }
}
