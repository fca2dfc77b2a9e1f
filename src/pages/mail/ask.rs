//! The mail to a reseller whose customer asks for something that only the purchaser may do (`product.md` §3).

use serde::Serialize;

use super::{Mail, letter::Letter, values::in_one_line};
use crate::pages::{purchase::Purchase, samples};

/// The context of `mail/<language>/ask/`.
#[derive(Debug, Clone, Serialize)]
pub struct Ask {
    #[serde(flatten)]
    letter: Letter,
    person: String,
    email: String,
    users: Option<u32>,
    enrolled: bool,
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
            letter: Letter::new(purchase, page_url),
            person: in_one_line(wish.person),
            email: in_one_line(wish.email),
            users: wish.users,
            enrolled: wish.enrolled,
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
