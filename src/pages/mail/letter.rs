//! What every mail tells: which offer, which subscription, the key, the figures, and who gets it.

use serde::Serialize;
use time::OffsetDateTime;

use super::values::{Figures, When, in_one_line, last_day};
use crate::pages::{colour::Accent, purchase::Purchase};

/// The common part of every mail's context.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Letter {
    offer: String,
    product: String,
    accent: Accent,
    organisation: String,
    subscription: String,
    /// `year`, `month` or `term`.
    unit: &'static str,
    /// Whether a renewal is announced, 30 and 7 days before: not where there is one every month.
    announced: bool,
    metered: bool,
    reseller: bool,
    key: Option<Key>,
    figures: Figures,
    page_url: String,
    help_url: String,
    support_email: String,
    /// Empty where the mail does not say who gets it.
    buyer_email: String,
    /// Empty when it is the buyer's.
    technical_contact: String,
}

/// A license key that can be copied.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Key {
    compact: String,
    ends: When,
    provisional: bool,
}

impl Key {
    pub(super) fn new(compact: &str, expires: OffsetDateTime, provisional: bool) -> Self {
        Self { compact: compact.to_owned(), ends: When::on(last_day(expires)), provisional }
    }
}

impl Letter {
    /// Without key, figures and readers; `page_url` is complete with host.
    pub(super) fn new(purchase: &Purchase<'_>, page_url: &str) -> Self {
        Self {
            offer: in_one_line(&purchase.offer.name),
            product: in_one_line(&purchase.plan.name),
            accent: Accent::of(&purchase.offer.accent_color),
            organisation: in_one_line(purchase.organisation),
            subscription: in_one_line(purchase.name),
            unit: purchase.noun(),
            announced: purchase.plan.term_unit.months().is_some_and(|months| months >= 3),
            metered: purchase.plan.is_metered(),
            reseller: purchase.is_reseller_deal(),
            key: None,
            figures: Figures::default(),
            page_url: page_url.to_owned(),
            help_url: purchase.offer.support_url.clone(),
            support_email: purchase.offer.support_email.clone(),
            buyer_email: String::new(),
            technical_contact: String::new(),
        }
    }

    /// The same, to the buyer and the technical contact. The same address is told once.
    pub(super) fn to(mut self, buyer_email: &str, technical_contact: &str) -> Self {
        self.buyer_email = in_one_line(buyer_email);
        self.technical_contact =
            if technical_contact == buyer_email { String::new() } else { in_one_line(technical_contact) };
        self
    }

    pub(super) fn with(mut self, key: Option<Key>, figures: Figures) -> Self {
        (self.key, self.figures) = (key, figures);
        self
    }
}
