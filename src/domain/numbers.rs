//! What the pictures of the console count: one tally for each topic, period, offer and item. Currencies are never added up,
//! tests count in no figure, and no amount of a reseller deal is tallied (`product.md` §3, §4).

use std::collections::BTreeMap;

use time::Date;

use super::money::{Amount, Currency};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// What all fees that recur are worth in a month, at its end.
    Revenue,
    /// Subscriptions in use and their users, by segment, at the month's end.
    Segment,
    /// How far the purchases of a month have come; the item is a [`Step`].
    Purchase,
    /// First terms with a trial that began in a month; the item is an [`Outcome`].
    Trial,
    /// Custom trials that were granted in a month; the item is what became of them
    /// ([`TrialFigures`](super::trial_grant::TrialFigures)).
    Grant,
    /// Renewals of terms longer than a month, in the month in which they are expected.
    Renewal,
    /// Those of them with a planned downgrade: the users and the amount that it takes away.
    Downgrade,
    /// Charges that Microsoft accepted in a week.
    Reported,
    /// Charges that were held at the week's end.
    Held,
    /// Charges that were due at the week's end, or on their way.
    Due,
    /// Charges that waited for a person at the week's end.
    Stuck,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Revenue,
        Self::Segment,
        Self::Purchase,
        Self::Trial,
        Self::Grant,
        Self::Renewal,
        Self::Downgrade,
        Self::Reported,
        Self::Held,
        Self::Due,
        Self::Stuck,
    ];

    /// The word in the roll-up.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Revenue => "revenue",
            Self::Segment => "segment",
            Self::Purchase => "purchase",
            Self::Trial => "trial",
            Self::Grant => "grant",
            Self::Renewal => "renewal",
            Self::Downgrade => "downgrade",
            Self::Reported => "reported",
            Self::Held => "held",
            Self::Due => "due",
            Self::Stuck => "stuck",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == word)
    }

    /// Whether it is how things stand: what it was in a period that is over cannot be reckoned again, and stays.
    #[must_use]
    pub fn is_a_state(self) -> bool {
        matches!(self, Self::Segment | Self::Held | Self::Due | Self::Stuck)
    }
}

/// How far a purchase has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// It is known: somebody has bought it.
    Bought,
    /// Somebody has reviewed a quote.
    Quoted,
    /// The order is submitted.
    Ordered,
    /// Microsoft says that it is subscribed.
    Subscribed,
    /// A license key is signed.
    Signed,
    /// A mail has left after that.
    Mailed,
}

impl Step {
    /// All of them, in their order.
    pub const ALL: [Self; 6] =
        [Self::Bought, Self::Quoted, Self::Ordered, Self::Subscribed, Self::Signed, Self::Mailed];

    /// The word in the roll-up.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bought => "bought",
            Self::Quoted => "quoted",
            Self::Ordered => "ordered",
            Self::Subscribed => "subscribed",
            Self::Signed => "signed",
            Self::Mailed => "mailed",
        }
    }
}

/// What became of a trial with a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Microsoft has accepted a fee.
    Converted,
    /// Nothing is reported, nothing is over.
    Running,
    /// It ended without a fee.
    Lost,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Converted, Self::Running, Self::Lost];

    /// The word in the roll-up.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Converted => "converted",
            Self::Running => "running",
            Self::Lost => "lost",
        }
    }
}

/// Whose figures they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Customers who buy themselves.
    Direct,
    /// Reseller deals: no amounts.
    Reseller,
    /// Tests: counted to say how many there are, and in no figure.
    Test,
}

impl Mark {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Direct, Self::Reseller, Self::Test];

    /// The word in the roll-up.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "",
            Self::Reseller => "reseller",
            Self::Test => "test",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.as_str() == word)
    }
}

/// What a tally is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Of {
    /// What is counted.
    pub topic: Topic,
    /// When: `2026-03`, or `2026-W11`.
    pub period: String,
    /// The offer.
    pub offer_id: String,
    /// A segment, a step, an outcome; empty = the topic has none.
    pub item: String,
    /// Whose.
    pub mark: Mark,
    /// The three letters; empty = nothing with a currency is counted.
    pub currency: String,
}

/// A figure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Subscriptions, or charges where they are counted.
    pub count: i64,
    /// Users.
    pub users: i64,
    /// Minor units; `None` = nothing with an amount is counted, or it is shown to nobody.
    pub amount_minor: Option<i64>,
}

impl Tally {
    /// With another one of the same.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let amount_minor = match (self.amount_minor, other.amount_minor) {
            (Some(one), Some(more)) => Some(one.saturating_add(more)),
            (one, more) => one.or(more),
        };
        Self { count: self.count + other.count, users: self.users + other.users, amount_minor }
    }

    /// The amount in its currency.
    #[must_use]
    pub fn amount(self, currency: Currency) -> Option<Amount> {
        self.amount_minor.map(|minor| Amount { minor, currency })
    }
}

/// Tallies, each once.
pub type Tallies = BTreeMap<Of, Tally>;

/// Adds to a tally.
pub fn tally(tallies: &mut Tallies, of: Of, more: Tally) {
    let sum = tallies.entry(of).or_default();
    *sum = sum.plus(more);
}

/// `2026-03`
#[must_use]
pub fn month_of(day: Date) -> String {
    format!("{:04}-{:02}", day.year(), u8::from(day.month()))
}

/// `2026-W11`, the week by ISO 8601.
#[must_use]
pub fn week_of(day: Date) -> String {
    let (year, week, _) = day.to_iso_week_date();
    format!("{year:04}-W{week:02}")
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_week_belongs_to_the_year_of_its_thursday() {
        let table = [
            (date!(2024 - 12 - 30), "2025-W01"),
            (date!(2026 - 12 - 31), "2026-W53"),
            (date!(2027 - 01 - 03), "2026-W53"),
            (date!(2027 - 01 - 04), "2027-W01"),
        ];
        for (day, week) in table {
            assert_eq!(week_of(day), week, "{day}");
        }
        assert_eq!(month_of(date!(2026 - 03 - 31)), "2026-03");
    }

    #[test]
    fn what_has_no_amount_adds_none() {
        let (none, one) = (Tally { count: 1, ..Tally::default() }, Tally { amount_minor: Some(5), ..Tally::default() });
        assert_eq!(none.plus(none).amount_minor, None);
        assert_eq!(none.plus(one).plus(one).amount_minor, Some(10));
    }
}
