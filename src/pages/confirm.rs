//! Steps that cannot be taken back: what happens is said before they are taken.

use serde::Serialize;

use super::{Page, frame::Frame, purchase::Purchase, samples, words};
use crate::domain::money::Amount;
use time::OffsetDateTime;

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct Confirm {
    frame: Frame,
    title: String,
    lead: &'static str,
    path: String,
    action: String,
    /// The number of the key that is replaced, which the form sends back; empty elsewhere.
    seq: String,
    points: Vec<String>,
    remark: String,
    button: &'static str,
}

impl Confirm {
    /// Withdrawing while everything is held (`product.md` §4.1).
    #[must_use]
    pub fn withdrawal(frame: Frame, purchase: &Purchase<'_>, held: Option<Amount>, until: OffsetDateTime) -> Self {
        let dropped = match held.and_then(|held| purchase.money(held)) {
            Some(held) => format!("The {held} that are held are dropped: they are never reported and never charged."),
            None => "The charges that are held are dropped: they are never reported.".to_owned(),
        };
        Self {
            frame,
            title: format!("Withdraw from {}", purchase.offer.name),
            lead: "You can still withdraw for nothing. It cannot be taken back.",
            path: purchase.path(),
            action: format!("{}/withdraw", purchase.path()),
            seq: String::new(),
            points: vec![
                dropped,
                "The license ends at once: the key is revoked, and installations that are online learn about it."
                    .to_owned(),
                format!("The subscription {} is deleted at Microsoft.", purchase.name),
                "To have it again you would buy it anew, without a free trial.".to_owned(),
            ],
            remark: format!(
                "Until {} you can also lower the number of users instead, and the first charges with it.",
                words::until(until)
            ),
            button: "Withdraw and delete the subscription",
        }
    }

    /// Replacing a key that fell into the wrong hands.
    #[must_use]
    pub fn key_replacement(frame: Frame, purchase: &Purchase<'_>, seq: u32) -> Self {
        let points = [
            "You get a new key at once, on the account page and by mail.",
            "The old key and every one before it are revoked: they fetch no newer keys, and every installation that goes online learns about it.",
            "Install the new key wherever the old one is in use.",
        ];
        Self {
            frame,
            title: "Replace the license key".to_owned(),
            lead: "For a key that fell into the wrong hands. It costs nothing, and it cannot be taken back.",
            path: purchase.path(),
            action: format!("{}/key/replace", purchase.path()),
            seq: seq.to_string(),
            points: points.map(str::to_owned).to_vec(),
            remark: "If you only lost the mail, the key can be sent again from the account page.".to_owned(),
            button: "Revoke the old key and get a new one",
        }
    }
}

impl Page for Confirm {
    const TEMPLATE: &'static str = "confirm.html";

    fn samples() -> Vec<Self> {
        let mut pages = Vec::new();
        samples::each_deal(|deal| {
            let held = Some(deal.priced.first_total);
            let until = deal.priced.first.reportable_from;
            pages.push(Self::withdrawal(deal.frame.clone(), &deal.purchase, held, until));
            pages.push(Self::key_replacement(deal.frame.clone(), &deal.purchase, 3));
        });
        pages
    }
}
