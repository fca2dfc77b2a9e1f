//! A credit that was given in Partner Center (`product.md` §4.10): usage cannot be taken back through the API, so a person
//! gives the money back there and enters it here, with the case number; a second one approves it.
//!
//! A credit is a line of the ledger and no charge: it is never reported, and no decision about charges sees it. Invariant:
//! the credits of a charge never come to more than the charge. In a reseller deal amounts are told to nobody
//! (`product.md` §3), so a credit there says how many units it takes back.

mod wish;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    charge::{Charge, State},
    money::{Amount, Currency, Quantity},
};

pub use wish::{CaseNumber, CreditWish, Credited};

/// The word of a credit where a charge has its reason.
pub const REASON: &str = "credit";
/// The word of a credit where a charge has its state.
pub const STATE: &str = "credited";
/// A credit in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// Its id.
    pub id: Uuid,
    /// The charge that it takes back, in part or as a whole.
    pub charge_id: Uuid,
    /// What the charge is for, in the words of the invoice.
    pub description: String,
    /// What the charge was reported in.
    pub dimension: String,
    /// How much.
    pub credited: Credited,
    /// The case.
    pub case: CaseNumber,
    /// When it was entered: the second person's approval.
    pub at: OffsetDateTime,
}

impl Credit {
    /// `Credit of 120.00 EUR given by Microsoft, case 2611150040001234`. An amount is left out where none is told.
    #[must_use]
    pub fn words(&self, shown: bool) -> String {
        let how_much = match self.credited {
            Credited::Amount(_) if !shown => String::new(),
            credited => format!(" of {}", credited.told()),
        };
        format!("Credit{how_much} given by Microsoft, case {}", self.case.as_str())
    }
}

/// Why a credit is not entered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreditRefused {
    /// Microsoft bills nothing of it.
    #[error("only what Microsoft has accepted can be credited; this charge is {0}")]
    NotAccepted(&'static str),
    /// Nobody pays for it.
    #[error("this is a test, which Microsoft bills to nobody: there is nothing to credit")]
    Test,
    /// No amount of this currency.
    #[error("write the amount in {0} as a plain number with at most {decimals} decimals", decimals = .0.decimals())]
    NoAmount(Currency),
    /// No number of units.
    #[error("write the units as a plain number, with at most 6 decimals: 12 or 0.5")]
    NoUnits,
    /// It is measured in the other way now.
    #[error(
        "amounts of a reseller deal are told to nobody: a credit there says how many units, and elsewhere how much money"
    )]
    OtherMeasure,
    /// Another currency than the charge's.
    #[error("the charge is in {0}, and so is its credit")]
    OtherCurrency(Currency),
    /// Zero.
    #[error("a credit of nothing is none: enter what Microsoft gives back")]
    Nothing,
    /// More than the charge has left.
    #[error("{left} of this charge can still be credited, and no more")]
    TooMuch {
        /// What is left, in words.
        left: String,
    },
    /// No number that Microsoft's support gives.
    #[error("the case number of Microsoft’s support has 6 to 40 letters, digits and hyphens: 2611150040001234")]
    NoCase,
    /// It is there already.
    #[error("a credit of the case {0} stands at this charge already")]
    CaseTwice(String),
}

/// What of a charge can still be credited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// In money.
    pub amount: Amount,
    /// In units.
    pub units: Quantity,
}

impl Left {
    /// In the measure of the deal.
    #[must_use]
    pub fn in_measure(self, is_resold: bool) -> Credited {
        if is_resold { Credited::Units(self.units) } else { Credited::Amount(self.amount) }
    }
}

/// What of a charge its credits have left. A deal may have become a reseller's since: what was credited in the other
/// measure counts by the charge's own figures, in favour of the limit.
#[must_use]
pub fn left_of(charge: &Charge, credits: &[Credit]) -> Left {
    let (whole_amount, whole_units) = (i128::from(charge.amount.minor), i128::from(charge.quantity.millionths()));
    let (mut amount, mut units) = (whole_amount, whole_units);
    for credit in credits.iter().filter(|credit| credit.charge_id == charge.id) {
        let (minor, millionths) = match credit.credited {
            Credited::Amount(credited) => {
                let minor = i128::from(credited.minor);
                (minor, share(minor, whole_amount, whole_units))
            }
            Credited::Units(quantity) => {
                let millionths = i128::from(quantity.millionths());
                (share(millionths, whole_units, whole_amount), millionths)
            }
        };
        (amount, units) = (amount.saturating_sub(minor), units.saturating_sub(millionths));
    }
    let left = |value: i128| i64::try_from(value.max(0)).unwrap_or_default();
    let units = Quantity::from_millionths(left(units)).unwrap_or(Quantity::ZERO);
    Left { amount: Amount { minor: left(amount), currency: charge.amount.currency }, units }
}

/// `part` of `whole` as the same share of `other`, rounded up. Of nothing, everything.
fn share(part: i128, whole: i128, other: i128) -> i128 {
    if whole <= 0 {
        return other;
    }
    part.saturating_mul(other).saturating_add(whole - 1) / whole
}

/// How a charge stands towards its credits.
#[derive(Debug, Clone, Copy)]
pub struct Creditable<'a> {
    /// The charge.
    pub charge: &'a Charge,
    /// The credits of its subscription.
    pub credits: &'a [Credit],
    /// Whether amounts are told to nobody.
    pub is_resold: bool,
    /// Whether it is a test.
    pub is_test: bool,
}

impl Creditable<'_> {
    /// What can be credited now, in the measure of the deal.
    ///
    /// # Errors
    /// [`CreditRefused`]: nothing can.
    pub fn left(self) -> Result<Credited, CreditRefused> {
        if self.is_test {
            return Err(CreditRefused::Test);
        }
        if self.charge.state != State::Accepted {
            return Err(CreditRefused::NotAccepted(self.charge.state.as_str()));
        }
        Ok(left_of(self.charge, self.credits).in_measure(self.is_resold))
    }

    /// Whether a credit can be entered.
    ///
    /// # Errors
    /// [`CreditRefused`], with what to do instead.
    pub fn check(self, wish: &CreditWish) -> Result<(), CreditRefused> {
        let left = self.left()?;
        if wish.credited.is_nothing() {
            return Err(CreditRefused::Nothing);
        }
        let is_enough = match (wish.credited, left) {
            (Credited::Amount(wished), Credited::Amount(left)) if wished.currency != left.currency => {
                return Err(CreditRefused::OtherCurrency(left.currency));
            }
            (Credited::Amount(wished), Credited::Amount(left)) => wished.minor <= left.minor,
            (Credited::Units(wished), Credited::Units(left)) => wished <= left,
            _ => return Err(CreditRefused::OtherMeasure),
        };
        if !is_enough {
            return Err(CreditRefused::TooMuch { left: left.told() });
        }
        let own = self.credits.iter().filter(|credit| credit.charge_id == self.charge.id);
        if own.into_iter().any(|credit| credit.case == wish.case) {
            return Err(CreditRefused::CaseTwice(wish.case.as_str().to_owned()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
