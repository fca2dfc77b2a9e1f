//! The mail to a reseller whose customer asks for something that only the purchaser may do (`product.md` §3).

use serde::Serialize;

use super::Mail;
use crate::pages::{colour::Accent, purchase::Purchase, samples};

/// The context of `mail/<language>/ask/`.
#[derive(Debug, Clone, Serialize)]
pub struct Ask {
    offer: String,
    product: String,
    accent: Accent,
    subscription: String,
    person: String,
    email: String,
    users: String,
    enrolled: bool,
    page_url: String,
    support_email: String,
}

/// Who asks for what.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The person's name.
    pub person: &'a str,
    /// Their address; may be empty.
    pub email: &'a str,
    /// Users in total, where they named a number.
    pub users: Option<u32>,
    /// Whether the subscription is set up already.
    pub enrolled: bool,
}

impl Ask {
    /// The mail; `page_url` is the subscription's page, complete with host.
    #[must_use]
    pub fn new(purchase: &Purchase<'_>, wish: &Wish<'_>, page_url: &str) -> Self {
        Self {
            offer: purchase.offer.name.clone(),
            product: purchase.plan.name.clone(),
            accent: Accent::of(&purchase.offer.accent_color),
            subscription: purchase.name.to_owned(),
            person: wish.person.to_owned(),
            email: wish.email.to_owned(),
            users: wish.users.map(|users| users.to_string()).unwrap_or_default(),
            enrolled: wish.enrolled,
            page_url: page_url.to_owned(),
            support_email: purchase.offer.support_email.clone(),
        }
    }
}

impl Mail for Ask {
    const NAME: &'static str = "ask";

    fn samples() -> Vec<Self> {
        let mut mails = Vec::new();
        samples::each_deal(|deal| {
            let wish =
                Wish { person: samples::HOSTILE, email: "alex@contoso.example", users: Some(150), enrolled: false };
            mails.push(Self::new(&deal.purchase, &wish, "https://licenses.example/subscriptions/1"));
            let wish = Wish { person: "Alex Weber", email: "", users: None, enrolled: true };
            mails.push(Self::new(&deal.purchase, &wish, "https://licenses.example/subscriptions/1"));
        });
        mails
    }
}
