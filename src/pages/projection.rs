//! The Cost Projection: the price table, why this segment, the picture, every other segment's answer.

use serde::Serialize;

use super::{
    Page,
    picture::Picture,
    purchase::{Priced, Purchase},
    samples,
    table::{self, Table},
    words::{self, Prose},
};
use crate::domain::{pricing::Considered, time::TermUnit};

/// The answer beside the form; also on its own, when the script asks for it again.
#[derive(Debug, Clone, Serialize)]
pub struct Projection {
    /// What it costs; `None` = no valid number of users yet.
    pub cost: Option<Cost>,
    /// What is wrong with the number of users; empty when nothing is.
    pub users_error: String,
}

/// What a number of users costs.
#[derive(Debug, Clone, Serialize)]
pub struct Cost {
    /// A full term.
    pub table: Table,
    /// Why, in sentences.
    pub why: Vec<Prose>,
    /// Fee over users.
    pub picture: Option<Picture>,
    /// Every segment's answer.
    pub segments: Vec<SegmentRow>,
    /// One sentence for those who hear the page, when it changes.
    pub spoken: String,
    /// Whether a reseller sets the prices.
    pub reseller: bool,
}

/// What a segment would cost.
#[derive(Debug, Clone, Serialize)]
pub struct SegmentRow {
    /// The segment.
    pub name: String,
    /// For how many users it is made.
    pub range: String,
    /// Its total, or why it has none; empty in a reseller deal.
    pub answer: String,
    /// Whether it won.
    pub chosen: bool,
}

impl Projection {
    /// The projection of a quote.
    #[must_use]
    pub fn of(purchase: &Purchase<'_>, priced: &Priced<'_>) -> Self {
        Self { cost: Some(Cost::of(purchase, priced)), users_error: String::new() }
    }

    /// No projection, because the number of users is refused (in the words of
    /// [`QuoteRefused`](crate::domain::pricing::QuoteRefused)) or was not a number.
    #[must_use]
    pub fn refused(message: &str) -> Self {
        Self { cost: None, users_error: message.to_owned() }
    }

    /// No projection, because nobody has said a number yet.
    #[must_use]
    pub fn empty() -> Self {
        Self { cost: None, users_error: String::new() }
    }
}

impl Page for Projection {
    const TEMPLATE: &'static str = "enrolment_projection.html";

    fn samples() -> Vec<Self> {
        let mut samples = vec![Self::empty(), Self::refused("Must be at least 25.")];
        samples::each_deal(|deal| samples.push(Self::of(&deal.purchase, &deal.priced)));
        samples
    }
}

impl Cost {
    pub(crate) fn of(purchase: &Purchase<'_>, priced: &Priced<'_>) -> Self {
        let quote = priced.quote;
        let noun = purchase.noun();
        let table = Table::of(purchase, &quote.lines, table::full_detail);
        let users = words::users(quote.users);
        let spoken = match purchase.money(quote.total) {
            Some(total) => format!("{users}: {total} for a full {noun}, without VAT, in {}.", quote.segment.name),
            None => format!("{users}: {}.", quote.segment.name),
        };
        Self {
            table: table.with_total(&format!("A full {noun}"), quote.total),
            why: why(purchase, priced),
            picture: Picture::of(purchase, priced.plan, quote),
            segments: quote.considered.iter().map(|considered| segment_row(purchase, considered)).collect(),
            spoken,
            reseller: purchase.is_reseller_deal(),
        }
    }
}

fn segment_row(purchase: &Purchase<'_>, considered: &Considered) -> SegmentRow {
    let segment = &considered.segment;
    let included = words::count(segment.included);
    let range = match segment.maximum {
        Some(maximum) => format!("{included} included, at most {}", words::count(maximum)),
        None => format!("{included} included, no maximum"),
    };
    let answer = match considered.total {
        Some(total) => purchase.money(total).unwrap_or_default(),
        None => "too small".to_owned(),
    };
    SegmentRow { name: segment.name.to_string(), range, answer, chosen: considered.chosen }
}

fn why(purchase: &Purchase<'_>, priced: &Priced<'_>) -> Vec<Prose> {
    let mut told = vec![why_this_segment(purchase, priced)];
    let unused = priced.quote.unused_included_users;
    if unused > 0 {
        let included = words::users(priced.quote.segment.included);
        told.push(Prose::new(format!(
            "**{} more cost nothing:** the base fee includes {included}.",
            words::users(unused)
        )));
    }
    if priced.extras.is_empty() {
        told.extend(first_term(purchase, priced, ""));
    } else {
        let names = words::listed(&priced.extra_names());
        let price = purchase.money(priced.extras_total).map(|total| format!(" for **{total}**")).unwrap_or_default();
        told.push(Prose::new(format!("{names}{price}, once, with the first fees.")));
        told.extend(first_term(purchase, priced, &format!(", with {names}")));
    }
    told
}

/// "KONNEKT 250 is the cheapest for 300 users", and where the next one takes over.
pub(crate) fn why_this_segment(purchase: &Purchase<'_>, priced: &Priced<'_>) -> Prose {
    let quote = priced.quote;
    let (name, users) = (&quote.segment.name, words::users(quote.users));
    let next = quote.next_break.as_ref();
    if purchase.is_reseller_deal() {
        let next = next.map(|next| format!(" From {} on it is {}.", words::users(next.users), next.segment.name));
        return Prose::new(format!("**{users} are in {name}.**{}", next.unwrap_or_default()));
    }
    let from = |next: u32| words::users(next);
    let rest = match (next, quote.segment.maximum) {
        (Some(next), _) => {
            let other = quote.considered.iter().find(|considered| considered.segment == next.segment);
            match other.and_then(|other| other.total).and_then(|total| purchase.money(total)) {
                Some(total) => format!("{} would be {total}; it pays from {} on.", next.segment.name, from(next.users)),
                None => format!("{} pays from {} on.", next.segment.name, from(next.users)),
            }
        }
        (None, Some(maximum)) => format!("This plan is for at most {}.", words::users(maximum)),
        (None, None) => "It stays so, however many users you add.".to_owned(),
    };
    let verb = if quote.considered.len() > 1 {
        format!("is the cheapest for {users}")
    } else {
        "is the one segment of this plan".to_owned()
    };
    Prose::new(format!("**{name} {verb}.** {rest}"))
}

/// What the first term costs, where that differs from a full one.
fn first_term(purchase: &Purchase<'_>, priced: &Priced<'_>, extras: &str) -> Option<Prose> {
    let part = priced.first.part;
    let noun = purchase.noun();
    if part.is_whole() && extras.is_empty() {
        return None;
    }
    if part.days == 0 {
        let text = format!("Your trial covers the rest of this {noun}: its fees are not charged.");
        return Some(Prose::new(text));
    }
    let days = format!("{} of {} days", part.days, part.of_days);
    let why = match (part.is_whole(), purchase.activated, priced.first.trial_days) {
        (true, ..) => String::new(),
        (false, None, 1..) => ", less the trial".to_owned(),
        (false, _, 1..) => format!(", for the {days} that are left after the trial"),
        (false, ..) => format!(", for the {days} that are left"),
    };
    let first = capital(&first_noun(&purchase.plan.term_unit));
    let about = if priced.estimated { "about " } else { "" };
    Some(Prose::new(match purchase.money(priced.first_total) {
        Some(total) => format!("{first}{why}{extras}: {about}**{total}**."),
        None => format!("{first}: {days} are counted."),
    }))
}

/// `first year`
pub(crate) fn first_noun(unit: &TermUnit) -> String {
    format!("first {}", unit.noun())
}

/// The same with a capital letter.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
