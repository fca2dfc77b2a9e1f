//! Recurring revenue: what the fees of all terms are worth in a month, by the ledger alone. A fee for a part of a term (a
//! trial, an upgrade; `product.md` §4) counts as the fee of the whole term that it stands for, a yearly fee as twelve monthly
//! ones. It counts on the days that it pays for.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};
use time::{Date, Duration};

use super::{
    money::{Amount, Currency, Quantity, TooLarge, UnitPrice},
    numbers::month_of,
    proration::Part,
    time::plus_days,
};

/// Fees of one price for the same part of the same term, their quantities added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecurringFees {
    /// The quantities together.
    pub quantity: Quantity,
    /// The price of one.
    pub unit_price: UnitPrice,
    /// The first day of the term.
    pub term_start: Date,
    /// The last days of the term that are charged; not none of them.
    pub part: Part,
    /// The day on which the subscriptions ended, where they have.
    pub ended_on: Option<Date>,
}

impl RecurringFees {
    /// The first day that is paid for.
    #[must_use]
    pub fn first_day(&self) -> Date {
        plus_days(self.term_start, self.part.of_days.saturating_sub(self.part.days))
    }

    /// The last day of the term.
    #[must_use]
    pub fn last_day(&self) -> Date {
        plus_days(self.term_start, self.part.of_days.saturating_sub(1))
    }

    /// Whether they recur on that day.
    #[must_use]
    pub fn count_on(&self, day: Date) -> bool {
        (self.first_day()..=self.last_day()).contains(&day) && self.ended_on.is_none_or(|end| day < end)
    }

    /// What a whole term costs.
    ///
    /// # Errors
    /// [`TooLarge`] when it does not fit.
    pub fn of_term(&self) -> Result<Decimal, TooLarge> {
        let charged = self.quantity.value().checked_mul(self.unit_price.value()).ok_or(TooLarge)?;
        let whole = charged.checked_mul(self.part.of_days.into()).ok_or(TooLarge)?;
        whole.checked_div(self.part.days.into()).ok_or(TooLarge)
    }

    /// What a month of it costs.
    ///
    /// # Errors
    /// [`TooLarge`] when it does not fit.
    pub fn of_month(&self) -> Result<Decimal, TooLarge> {
        self.of_term()?.checked_div(months_in(self.part.of_days).into()).ok_or(TooLarge)
    }
}

/// How many months a term of so many days has. Microsoft's terms are whole months: the nearest number of them.
#[must_use]
pub fn months_in(days: u32) -> u32 {
    (days.saturating_mul(12).saturating_add(182) / 365).max(1)
}

/// What all of them are worth a month at the end of each month. Months without any are left out.
pub type MonthlyLevels = BTreeMap<String, Decimal>;

/// Adds fees to the levels, `today` being the end of the current month.
///
/// # Errors
/// [`TooLarge`] when a sum does not fit.
pub fn add_to_levels(levels: &mut MonthlyLevels, fees: &RecurringFees, today: Date) -> Result<(), TooLarge> {
    let of_month = fees.of_month()?;
    let last = fees.last_day().min(today);
    let mut day = end_of_month(fees.first_day());
    // The month in which the last day lies has its end behind it.
    while day <= end_of_month(last) {
        let counted = day.min(today);
        if fees.count_on(counted) {
            let level = levels.entry(month_of(counted)).or_default();
            *level = level.checked_add(of_month).ok_or(TooLarge)?;
        }
        day = end_of_month(day.saturating_add(Duration::DAY));
    }
    Ok(())
}

fn end_of_month(day: Date) -> Date {
    day.replace_day(day.month().length(day.year())).unwrap_or(day)
}

/// A sum in the currency's minor units, rounded half away from zero.
///
/// # Errors
/// [`TooLarge`] when it does not fit.
pub fn rounded(value: Decimal, currency: Currency) -> Result<Amount, TooLarge> {
    let mut minor = value.round_dp_with_strategy(currency.decimals(), RoundingStrategy::MidpointAwayFromZero);
    minor.rescale(currency.decimals());
    let minor = i64::try_from(minor.mantissa()).map_err(|_| TooLarge)?;
    Ok(Amount { minor, currency })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;
    use crate::domain::money::QuantityDecimals;

    fn levels(fees: &[RecurringFees], today: Date) -> MonthlyLevels {
        let mut levels = MonthlyLevels::new();
        fees.iter().for_each(|fees| add_to_levels(&mut levels, fees, today).unwrap());
        levels
    }

    fn fees(quantity: i64, price: &str, start: Date, (days, of_days): (u32, u32)) -> RecurringFees {
        RecurringFees {
            quantity: Quantity::from_millionths(quantity).unwrap(),
            unit_price: price.parse().unwrap(),
            term_start: start,
            part: Part { days, of_days },
            ended_on: None,
        }
    }

    #[test]
    fn terms_have_whole_months() {
        let table = [(28, 1), (29, 1), (31, 1), (59, 2), (90, 3), (92, 3), (181, 6), (365, 12), (366, 12), (546, 18)];
        for (days, months) in table {
            assert_eq!(months_in(days), months, "{days} days");
        }
        assert_eq!((months_in(1), months_in(1_096), months_in(1_827)), (1, 36, 60));
    }

    /// The example of `product.md` §4.4: 150 users of KONNEKT cost 2,100.00 EUR a year, 175.00 a month.
    #[test]
    fn a_trial_and_an_upgrade_count_as_the_fee_of_the_whole_term() {
        let start = date!(2026 - 01 - 15);
        let first = [fees(917_808, "600", start, (335, 365)), fees(114_726_027, "12", start, (335, 365))];
        // To 300 users on the 1st of July: 1,560.00 EUR more a year.
        let upgraded = [first.as_slice(), &[fees(117_534_246, "7.2", start, (198, 365))]].concat();
        let told: Vec<(String, i64)> = levels(&upgraded, date!(2026 - 08 - 03))
            .iter()
            .map(|(month, level)| (month.clone(), rounded(*level, Currency::EUR).unwrap().minor))
            .collect();
        let expected = [
            // The trial ends on the 13th of February.
            ("2026-02", 17_500),
            ("2026-03", 17_500),
            ("2026-04", 17_500),
            ("2026-05", 17_500),
            ("2026-06", 17_500),
            ("2026-07", 30_500),
            ("2026-08", 30_500),
        ];
        assert_eq!(told, expected.map(|(month, minor)| (month.to_owned(), minor)));
    }

    #[test]
    fn an_end_takes_it_away_and_a_term_that_is_over_too() {
        let start = date!(2026 - 01 - 15);
        let yearly = fees(1_000_000, "1200", start, (365, 365));
        let months = |fees: RecurringFees, today| levels(&[fees], today).len();
        assert_eq!(months(yearly, date!(2030 - 01 - 01)), 12);
        assert_eq!(months(RecurringFees { ended_on: Some(date!(2026 - 03 - 31)), ..yearly }, date!(2026 - 06 - 01)), 2);
        assert_eq!(months(RecurringFees { ended_on: Some(date!(2026 - 04 - 01)), ..yearly }, date!(2026 - 06 - 01)), 3);
        assert_eq!(months(yearly, date!(2026 - 01 - 14)), 0);
        assert_eq!(months(yearly, date!(2026 - 01 - 15)), 1);
        // A term within one month has no end of a month; today alone counts.
        let short = fees(1_000_000, "10", date!(2026 - 02 - 02), (20, 20));
        assert_eq!(months(short, date!(2026 - 02 - 10)), 1);
        assert_eq!(months(short, date!(2026 - 03 - 10)), 0);
    }

    proptest! {
        /// Whatever part of a term is charged, the whole fee is found again to the minor unit.
        #[test]
        fn the_fee_of_the_whole_term_is_found_again(
            users in 1_u32..20_000, cents in 1_i64..2_000, of_days in 28_u32..=1_100, days in 1_u32..=1_100,
        ) {
            let days = days.min(of_days);
            let part = Part { days, of_days };
            let quantity = part.of(Quantity::whole(users), QuantityDecimals::default()).unwrap();
            let price = Decimal::new(cents, 2).to_string();
            let one = RecurringFees {
                quantity, unit_price: price.parse().unwrap(), term_start: date!(2026 - 01 - 01), part, ended_on: None,
            };
            let whole = rounded(one.of_term().unwrap(), Currency::EUR).unwrap();
            // The quantity was cut to millionths: at most a millionth of the price for each charged day of the term.
            let lost = Decimal::new(cents, 8) * Decimal::from(of_days) / Decimal::from(days) * Decimal::from(100);
            let missing = Decimal::from(i64::from(users) * cents - whole.minor);
            prop_assert!(missing >= Decimal::ZERO && missing <= lost + Decimal::ONE, "{missing} of at most {lost}");
        }
    }
}
