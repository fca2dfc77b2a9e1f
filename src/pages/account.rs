//! The account page: how the subscription stands, the key, the charges and where each stands, what a cancellation costs.

use serde::Serialize;
use time::OffsetDateTime;

use super::{
    account_actions::Actions,
    account_words::{cancelling, facts, lead, moments, renewal_sentence},
    charges::{self, ChargeFact, ChargeRow, ChargeState},
    frame::Frame,
    invoices::Invoices,
    purchase::Purchase,
    subscriptions::Standing,
    timeline::Moment,
    words::{self, Fact, Prose, Tone},
};
use crate::domain::{
    catalog::Segment,
    explanation::Explanation,
    pricing::Quote,
    proration::FirstTerm,
    time::{Term, utc_day},
};

/// What the person may see (`product.md` §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer {
    /// The beneficiary or the purchaser.
    Party,
    /// Somebody else of the same organisation: neither key nor charges.
    Looker,
}

/// The newest license key.
#[derive(Debug, Clone, Copy)]
pub struct KeyFacts<'a> {
    /// The signed text.
    pub text: &'a str,
    /// When it ends.
    pub expires: OffsetDateTime,
    /// Whether the key of the full term follows by itself.
    pub provisional: bool,
    /// Whether it is for a test.
    pub test: bool,
}

/// Somebody who gets the mails.
#[derive(Debug, Clone, Serialize)]
pub struct Contact {
    /// `Buyer`, `Technical`.
    pub role: &'static str,
    /// Their name, or nothing.
    pub name: String,
    /// Their address.
    pub email: String,
}

/// Everything that the page is told.
#[derive(Debug, Clone, Copy)]
pub struct AccountFacts<'a> {
    /// The subscription.
    pub purchase: &'a Purchase<'a>,
    /// How it stands.
    pub standing: Standing,
    /// Users in total.
    pub users: Option<u32>,
    /// Users from the next renewal on, where fewer are planned.
    pub planned: Option<u32>,
    /// The segment that the users are in; `None` where Microsoft bills.
    pub segment: Option<&'a Segment>,
    /// The next renewal at today's prices, the planned downgrade applied; `None` where Microsoft bills or a price is missing.
    pub quote: Option<&'a Quote>,
    /// The current term.
    pub term: Option<Term>,
    /// The dates of the first term, while it is the current one.
    pub first: Option<&'a FirstTerm>,
    /// The newest key; `None` when there is none yet, or it has ended.
    pub key: Option<KeyFacts<'a>>,
    /// The ledger, oldest first.
    pub charges: &'a [ChargeFact<'a>],
    /// The same by invoice, the dates, and what a cancellation now would do.
    pub explanation: &'a Explanation,
    /// Who gets the mails.
    pub contacts: &'a [Contact],
    /// Whose eyes these are.
    pub viewer: Viewer,
    /// Whether the mail with the key could not be delivered.
    pub mail_stuck: bool,
    /// Whether this person may ask the reseller for what only the purchaser may do.
    pub may_ask: bool,
}

#[derive(Debug, Clone, Serialize)]
struct KeyView {
    text: String,
    valid: Prose,
}

#[derive(Debug, Clone, Serialize)]
struct ChargesView {
    rows: Vec<ChargeRow>,
    currency: Option<&'static str>,
    total: Option<String>,
    credited: Option<String>,
    next: String,
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct Account {
    frame: Frame,
    title: String,
    path: String,
    name: String,
    product: String,
    state: &'static str,
    tone: Tone,
    lead: Prose,
    standing: &'static str,
    facts: Vec<Fact>,
    key: Option<KeyView>,
    charges: Option<ChargesView>,
    timeline: Vec<Moment>,
    contacts: Vec<Contact>,
    cancelling: Vec<Fact>,
    invoices: Option<Invoices>,
    metered: bool,
    reseller: bool,
    looker: bool,
    mail_stuck: bool,
    may_ask: bool,
    set_up: bool,
    actions: Actions,
}

impl Account {
    /// The page at this moment.
    #[must_use]
    pub fn new(frame: Frame, told: &AccountFacts<'_>, now: OffsetDateTime) -> Self {
        let purchase = told.purchase;
        let party = told.viewer == Viewer::Party;
        let (state, tone) = told.standing.told();
        let alive = matches!(told.standing, Standing::Subscribed | Standing::Suspended);
        Self {
            frame,
            title: format!("{} for {}", purchase.offer.name, purchase.organisation),
            path: purchase.path(),
            name: purchase.name.to_owned(),
            product: purchase.plan.name.clone(),
            state,
            tone,
            lead: lead(told, now),
            standing: match told.standing {
                Standing::Suspended => "suspended",
                Standing::Unsubscribed => "unsubscribed",
                Standing::Withdrawing => "withdrawing",
                _ => "subscribed",
            },
            facts: facts(told, party, utc_day(now)),
            key: told.key.filter(|_| party).map(|key| key_view(told, &key)),
            charges: party.then(|| charges_view(told)).filter(|view| !view.rows.is_empty()),
            timeline: if party && alive { moments(told, now) } else { Vec::new() },
            contacts: if party { told.contacts.to_vec() } else { Vec::new() },
            cancelling: if party && alive { cancelling(told) } else { Vec::new() },
            invoices: Invoices::of(told.explanation).filter(|_| party && purchase.plan.is_metered()),
            metered: purchase.plan.is_metered(),
            reseller: purchase.is_reseller_deal(),
            looker: !party,
            mail_stuck: told.mail_stuck && party,
            may_ask: told.may_ask,
            set_up: told.standing != Standing::ToSetUp,
            actions: Actions::default(),
        }
    }

    /// The same with what this person may do, and what they have to know first.
    #[must_use]
    pub fn with_actions(self, actions: Actions) -> Self {
        Self { actions, ..self }
    }

    /// Whether there is a form for another number of users.
    #[must_use]
    pub fn may_change(&self) -> bool {
        self.actions.may_change()
    }

    /// Changes whenever the page follows something that has come to its end.
    #[must_use]
    pub fn standing(&self) -> &'static str {
        self.standing
    }
}

fn key_view(told: &AccountFacts<'_>, key: &KeyFacts<'_>) -> KeyView {
    let purchase = told.purchase;
    let users = told.users.map(|users| format!("For {} of ", words::users(users))).unwrap_or_else(|| "For ".to_owned());
    let devices = words::counted(purchase.plan.devices_per_user, "device");
    let until = words::until(key.expires);
    let next =
        if key.provisional { " The key of the full term follows by mail when the fees are accepted." } else { "" };
    let test = if key.test { " **This is a test key.**" } else { "" };
    let text = format!("{users}{}, up to {devices} each. Valid until **{until}**.{next}{test}", purchase.organisation);
    KeyView { text: key.text.to_owned(), valid: Prose::new(text) }
}

fn charges_view(told: &AccountFacts<'_>) -> ChargesView {
    let shown = !told.purchase.is_reseller_deal();
    let shown_lines = told.charges.iter().filter(|charge| !charge.line.quantity.is_zero());
    let rows: Vec<ChargeRow> = shown_lines.map(|charge| ChargeRow::of(told.purchase, charge)).collect();
    let currency = told.charges.first().filter(|_| shown).map(|charge| charge.line.amount.currency.code());
    let total = charges::sum(told.charges, ChargeState::counts).filter(|_| shown).map(|total| total.to_string());
    let credited = charges::credited(told.charges).map(|sum| format!("-{sum}"));
    ChargesView { rows, currency, total, credited, next: renewal_sentence(told) }
}
