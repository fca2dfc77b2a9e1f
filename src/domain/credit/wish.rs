//! What somebody types: how much, and the case. And the text of a proposal, which people read, too.

use std::{fmt, str::FromStr};

use rust_decimal::Decimal;

use super::CreditRefused;
use crate::domain::{
    money::{Amount, Currency, Quantity, grouped},
    words,
};

/// Before the words of a wish.
const A_CREDIT_OF: &str = "a credit of ";
/// Between what is credited and the case.
const CASE: &str = ", case ";
/// Characters of a case number.
const CASE_CHARS: std::ops::RangeInclusive<usize> = 6..=40;

/// The number under which Microsoft's support knows the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseNumber(String);

impl CaseNumber {
    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CaseNumber {
    type Err = CreditRefused;

    /// Reads what somebody typed, or copied from one of Microsoft's mails: `TrackingID#2611150040001234`.
    fn from_str(text: &str) -> Result<Self, CreditRefused> {
        let text = text.trim();
        let number = text.rsplit_once('#').map_or(text, |(_, number)| number);
        let is_plain = number.chars().all(|one| one.is_ascii_alphanumeric() || one == '-');
        let is_number = is_plain && number.contains(|one: char| one.is_ascii_digit());
        if is_number && CASE_CHARS.contains(&number.len()) {
            Ok(Self(number.to_owned()))
        } else {
            Err(CreditRefused::NoCase)
        }
    }
}

/// How much is credited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credited {
    /// Money.
    Amount(Amount),
    /// Units of the charge's dimension, where amounts are told to nobody.
    Units(Quantity),
}

impl Credited {
    /// Reads what somebody typed: an amount in this currency, or in a reseller deal a number of units.
    ///
    /// # Errors
    /// [`CreditRefused::NoAmount`], [`CreditRefused::NoUnits`].
    pub fn read(text: &str, currency: Currency, is_resold: bool) -> Result<Self, CreditRefused> {
        let text = text.trim();
        // A decimal reads more than what people mean by one.
        let is_plain = !text.is_empty() && text.chars().all(|one| one.is_ascii_digit() || one == '.');
        let value = Some(text).filter(|_| is_plain).and_then(|text| text.parse::<Decimal>().ok());
        if is_resold {
            value.and_then(Quantity::exactly).map(Self::Units).ok_or(CreditRefused::NoUnits)
        } else {
            let amount = value.and_then(|value| Amount::exactly(value, currency));
            amount.map(Self::Amount).ok_or(CreditRefused::NoAmount(currency))
        }
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        match self {
            Self::Amount(amount) => amount.minor <= 0,
            Self::Units(quantity) => quantity.is_zero(),
        }
    }

    /// `120.00 EUR`, `0.50 units`
    #[must_use]
    pub fn told(self) -> String {
        match self {
            Self::Amount(amount) => words::money(amount),
            Self::Units(quantity) => format!("{} units", grouped(&quantity.to_string())),
        }
    }
}

/// What somebody proposes to enter. Its text is what stands in the proposal, for people and for the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditWish {
    /// How much.
    pub credited: Credited,
    /// The case.
    pub case: CaseNumber,
}

impl fmt::Display for CreditWish {
    /// `a credit of 1200.00 EUR, case 2611150040001234`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let case = self.case.as_str();
        match self.credited {
            Credited::Amount(amount) => write!(f, "{A_CREDIT_OF}{amount} {}{CASE}{case}", amount.currency),
            Credited::Units(quantity) => write!(f, "{A_CREDIT_OF}{quantity} units{CASE}{case}"),
        }
    }
}

impl CreditWish {
    /// Reads the text of a proposal.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (credited, case) = text.strip_prefix(A_CREDIT_OF)?.split_once(CASE)?;
        let credited = match credited.split_once(' ')? {
            (units, "units") => Credited::read(units, Currency::EUR, true),
            (amount, currency) => Credited::read(amount, currency.parse().ok()?, false),
        };
        Some(Self { credited: credited.ok()?, case: case.parse().ok()? })
    }
}
