//! The charges of a subscription in the buyer's words: what for, how much, where each stands.

use serde::Serialize;
use time::{Date, OffsetDateTime};

use super::{
    purchase::Purchase,
    table,
    words::{self, Tone},
};
use crate::domain::{
    explanation::ExplainedCredit,
    money::Amount,
    pricing::{Item, Line},
};

/// A charge of the ledger, as it is told to the account page.
#[derive(Debug, Clone, Copy)]
pub struct ChargeFact<'a> {
    /// Quantity, price and amount.
    pub line: &'a Line,
    /// What it is for.
    pub reason: ChargeReason,
    /// The days that it is for: `from 1 July, 198 of 365 days`; empty where they are not known.
    pub days: &'a str,
    /// The first day of the month of its invoice, where it is on one.
    pub invoice: Option<Date>,
    /// Users in total at that time.
    pub users: u32,
    /// Where it stands.
    pub state: ChargeState,
    /// What Microsoft gave back of it.
    pub credits: &'a [ExplainedCredit],
    /// Whether the plan still has its dimension; otherwise the line's item is what it was called then.
    pub known: bool,
}

/// What a charge is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargeReason {
    /// The enrolment.
    FirstTerm,
    /// A later term, by its first day.
    Renewal(Date),
    /// More users within a term.
    Upgrade {
        /// Users before.
        from: u32,
    },
    /// Reported once more, because it certainly did not arrive.
    Correction,
}

/// Where a charge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargeState {
    /// Not reported before this instant; cancelling until then costs nothing.
    HeldUntil(OffsetDateTime),
    /// May be reported, but not before a suspension is over.
    Suspended,
    /// May be reported; not sent yet.
    Due,
    /// Sent; Microsoft has not answered clearly.
    Sent(OffsetDateTime),
    /// Accepted by Microsoft.
    Accepted(OffsetDateTime),
    /// Cancelled before it was reported.
    Dropped,
    /// Was not reported, and will not be.
    GivenUp,
    /// Nobody knows whether it arrived, or it was refused; a person looks at it.
    Waiting,
}

impl ChargeState {
    /// Whether a cancellation now would undo it.
    pub(crate) fn is_held(self) -> bool {
        matches!(self, Self::HeldUntil(_))
    }

    /// Whether it counts as paid or to be paid.
    pub(crate) fn counts(self) -> bool {
        matches!(self, Self::Due | Self::Suspended | Self::Sent(_) | Self::Accepted(_))
    }

    fn told(self, reseller: bool, invoice: Option<Date>) -> (String, Tone, String) {
        let told = |word: &str, tone, remark: &str| (word.to_owned(), tone, remark.to_owned());
        match self {
            Self::HeldUntil(at) => {
                let word = format!("Held until {}", words::until(at));
                (word, Tone::Calm, "Cancel until then, and it is never charged".to_owned())
            }
            Self::Suspended => told("Held while suspended", Tone::Warn, "Reported when the subscription is reinstated"),
            Self::Due => told("Is being reported", Tone::Calm, ""),
            Self::Sent(at) => {
                let remark = format!("Sent on {}; we keep asking, you need do nothing", words::instant(at));
                ("Reported, waiting for Microsoft’s answer".to_owned(), Tone::Warn, remark)
            }
            Self::Accepted(at) => {
                let bill = match invoice {
                    _ if reseller => "; billed to your reseller".to_owned(),
                    Some(month) => format!("; on the invoice of {}", words::month(month)),
                    None => String::new(),
                };
                ("Accepted by Microsoft".to_owned(), Tone::Good, format!("On {}{bill}", words::instant(at)))
            }
            Self::Dropped => told("Dropped", Tone::Calm, "Never reported, never charged"),
            Self::GivenUp => told("Not charged", Tone::Calm, "It was never reported to Microsoft, and will not be"),
            Self::Waiting => told(
                "Being looked at",
                Tone::Warn,
                "A person at the publisher decides; nothing more is charged meanwhile",
            ),
        }
    }
}

/// A row of the table. Figures are plain decimals.
#[derive(Debug, Clone, Serialize)]
pub struct ChargeRow {
    title: String,
    detail: String,
    state: String,
    tone: Tone,
    remark: String,
    credits: Vec<String>,
    quantity: String,
    unit_price: Option<String>,
    price: Option<String>,
    dropped: bool,
}

impl ChargeRow {
    pub(crate) fn of(purchase: &Purchase<'_>, charge: &ChargeFact<'_>) -> Self {
        let shown = !purchase.is_reseller_deal();
        let (state, tone, remark) = charge.state.told(!shown, charge.invoice);
        Self {
            title: title(charge),
            detail: detail(charge),
            state,
            tone,
            remark,
            credits: charge.credits.iter().map(credit_told).collect(),
            quantity: words::quantity(charge.line.quantity),
            unit_price: shown.then(|| charge.line.unit_price.to_string()),
            price: shown.then(|| charge.line.amount.to_string()),
            dropped: matches!(charge.state, ChargeState::Dropped | ChargeState::GivenUp),
        }
    }
}

/// `Credit of 120.00 EUR given by Microsoft, case 2611150040001234, entered 21 November 2026, 09:40 UTC`
pub(super) fn credit_told(credit: &ExplainedCredit) -> String {
    format!("{}, entered {}", credit.words, words::instant(credit.at))
}

fn title(charge: &ChargeFact<'_>) -> String {
    let what = match &charge.line.item {
        Item::Extra { name } => name.clone(),
        _ => table::part_detail(charge.line, charge.users).to_lowercase(),
    };
    match (charge.reason, &charge.line.item) {
        (_, Item::Extra { name }) if charge.known => format!("{name}, once"),
        (ChargeReason::FirstTerm, _) => format!("First term, {what}"),
        (ChargeReason::Renewal(day), _) => format!("Renewal of {}, {what}", words::day(day)),
        (ChargeReason::Correction, _) => format!("Reported again, {what}"),
        (ChargeReason::Upgrade { from }, _) => {
            format!("Upgrade from {} to {}", words::count(from), words::users(charge.users))
        }
    }
}

fn detail(charge: &ChargeFact<'_>) -> String {
    let name: &str = match &charge.line.item {
        Item::Extra { .. } if charge.known => return "Never in parts".to_owned(),
        Item::Extra { name } => name,
        Item::BaseFee(segment) | Item::AdditionalUsers(segment) => &segment.name,
    };
    if charge.days.is_empty() { name.to_owned() } else { format!("{name}, {}", charge.days) }
}

/// The sum of what was given back; `None` when nothing was, or no amount is told.
pub(crate) fn credited(charges: &[ChargeFact<'_>]) -> Option<Amount> {
    let mut amounts = charges.iter().flat_map(|charge| charge.credits).filter_map(|credit| credit.amount);
    let first = amounts.next()?;
    amounts.try_fold(first, Amount::plus).ok()
}

/// The sum of the charges that `count` admits; `None` when there are none.
pub(crate) fn sum(charges: &[ChargeFact<'_>], count: impl Fn(ChargeState) -> bool) -> Option<Amount> {
    let mut amounts = charges.iter().filter(|charge| count(charge.state)).map(|charge| charge.line.amount);
    let first = amounts.next()?;
    amounts.try_fold(first, Amount::plus).ok()
}
