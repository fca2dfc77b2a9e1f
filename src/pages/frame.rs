//! What every page has: the offer's face, the person who is signed in, the tokens of the request.

use serde::Serialize;

use super::colour::Accent;
use super::words::Tone;
use crate::domain::catalog::Offer;

const NEUTRAL_ACCENT: &str = "#24588f";

/// The offer as it looks to a buyer: one installation serves many, each with its own.
#[derive(Debug, Clone, Serialize)]
pub struct OfferFace {
    /// The name at the top.
    pub name: String,
    /// The letter of its mark, where there is no logo.
    pub initial: String,
    /// Who sells it; empty on the neutral face.
    pub publisher: String,
    /// Its colour, readable in both schemes.
    pub accent: Accent,
    /// Path or address of a picture.
    pub logo: Option<String>,
    /// Where help is asked for.
    pub support_email: Option<String>,
    /// Where help is found.
    pub support_url: Option<String>,
}

impl OfferFace {
    /// The face of an offer of the catalog.
    #[must_use]
    pub fn of(offer: &Offer) -> Self {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self {
            name: offer.name.clone(),
            initial: initial(&offer.name),
            publisher: offer.publisher.clone(),
            accent: Accent::of(&offer.accent_color),
            logo: offer.logo.clone(),
            support_email: text(&offer.support_email),
            support_url: text(&offer.support_url),
        }
    }

    /// The face of pages that belong to no offer. `support_email` is the publisher's general address, where one is known.
    #[must_use]
    pub fn neutral(support_email: Option<&str>) -> Self {
        Self {
            name: "Seatkey".to_owned(),
            initial: initial("Seatkey"),
            publisher: String::new(),
            accent: Accent::of(NEUTRAL_ACCENT),
            logo: None,
            support_email: support_email.map(str::to_owned),
            support_url: None,
        }
    }
}

fn initial(name: &str) -> String {
    name.chars().next().map(|first| first.to_uppercase().collect()).unwrap_or_default()
}

/// Who is signed in.
#[derive(Debug, Clone, Serialize)]
pub struct Person {
    /// Their name, or their sign-in name.
    pub name: String,
    /// Their organisation, where it is known.
    pub organisation: Option<String>,
}

/// A word about what was just done; shown once, at the top.
#[derive(Debug, Clone, Serialize)]
pub struct Flash {
    /// How it went.
    pub tone: Tone,
    /// In words.
    pub text: String,
}

/// What stands around the content of a page.
#[derive(Debug, Clone, Serialize)]
pub struct Frame {
    /// Whose page it is.
    pub face: OfferFace,
    /// Who looks at it.
    pub person: Option<Person>,
    /// The nonce of the content security policy, new for each answer.
    pub nonce: String,
    /// The token that every form sends back; empty when nobody is signed in.
    pub csrf: String,
    /// What was just done.
    pub flash: Option<Flash>,
}

impl Frame {
    /// A frame without a flash.
    #[must_use]
    pub fn new(face: OfferFace, person: Option<Person>, nonce: &str, csrf: &str) -> Self {
        Self { face, person, nonce: nonce.to_owned(), csrf: csrf.to_owned(), flash: None }
    }

    /// The same with a flash.
    #[must_use]
    pub fn with_flash(self, tone: Tone, text: &str) -> Self {
        Self { flash: Some(Flash { tone, text: text.to_owned() }), ..self }
    }
}
