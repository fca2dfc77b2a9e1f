//! Exact money: unit prices, quantities in millionths, amounts in minor units. No binary floats.

use std::{fmt, str::FromStr};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An ISO 4217 currency with its number of decimals (EUR 2, JPY 0, KWD 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Euro, the currency of quotes that name neither market nor currency.
    pub const EUR: Self = Self(iso_currency::Currency::EUR);

    /// The three letters.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Decimals of an amount.
    #[must_use]
    pub fn decimals(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or(0))
    }
}

/// A code that ISO 4217 does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown currency \"{0}\"; use an ISO 4217 code such as EUR")]
pub struct UnknownCurrency(String);

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(code: &str) -> Result<Self, UnknownCurrency> {
        iso_currency::Currency::from_code(code).map(Self).ok_or_else(|| UnknownCurrency(code.to_owned()))
    }
}

impl TryFrom<String> for Currency {
    type Error = UnknownCurrency;

    fn try_from(code: String) -> Result<Self, UnknownCurrency> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The numbers are too large for any real price list (over nine quadrillion minor units).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the amount is too large to be computed; check the prices and the number of users")]
pub struct TooLarge;

/// A power of ten. Decimals have 28 digits, quantities 6 decimals: the exponent stays below 38.
fn power(exponent: u32) -> i128 {
    10_i128.saturating_pow(exponent)
}

/// The price of one unit of a dimension: never negative, exactly as written by whoever set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnitPrice(Decimal);

impl UnitPrice {
    /// The most decimals that a price may have; Microsoft's converted prices have four or fewer in practice.
    pub const MAX_DECIMALS: u32 = 10;
    /// The highest price. What [`MAX_USERS`](super::pricing::MAX_USERS) would pay at it is refused, not wrong.
    pub const MAX: i64 = 1_000_000_000_000;

    /// The price as a decimal.
    #[must_use]
    pub fn value(self) -> Decimal {
        self.0
    }

    /// Whether it is nothing at all.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Digits behind the point that say something.
    #[must_use]
    pub fn decimals(self) -> u32 {
        self.0.normalize().scale()
    }
}

/// A price text that is not a plain, non-negative decimal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a price; write a plain decimal such as \"12.50\"")]
pub struct NotAPrice(String);

impl FromStr for UnitPrice {
    type Err = NotAPrice;

    /// Reads the decimal text of a price list, or the text of a JSON number (which may have an exponent).
    fn from_str(text: &str) -> Result<Self, NotAPrice> {
        let refused = || NotAPrice(text.to_owned());
        let value = if text.contains(['e', 'E']) { Decimal::from_scientific(text) } else { text.parse::<Decimal>() };
        // Zeros at the end would take digits away from what it is multiplied with.
        let value = value.map_err(|_| refused())?.normalize();
        let in_range = !value.is_sign_negative() && value <= Decimal::from(Self::MAX);
        let sane = in_range && value.scale() <= Self::MAX_DECIMALS;
        if sane { Ok(Self(value)) } else { Err(refused()) }
    }
}

impl fmt::Display for UnitPrice {
    /// At least four decimals (`product.md` §3).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = self.decimals().max(4);
        write!(f, "{:.*}", decimals as usize, self.0)
    }
}

/// Decimals that the quantity of a part of a term is cut to: 2 to 6 (`product.md` §4, *Reporting*). They are cut where the
/// quantity comes to be, so that what is shown is what is reported; whole quantities are not touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QuantityDecimals(u32);

impl QuantityDecimals {
    /// So many decimals; `None` unless they are 2 to 6.
    #[must_use]
    pub fn new(decimals: u32) -> Option<Self> {
        (2..=6).contains(&decimals).then_some(Self(decimals))
    }
}

impl Default for QuantityDecimals {
    /// All that a quantity has.
    fn default() -> Self {
        Self(6)
    }
}

/// How much of a dimension: whole millionths, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(i64);

impl Quantity {
    /// Nothing. It is recorded, never sent.
    pub const ZERO: Self = Self(0);
    /// One whole unit.
    pub const ONE: Self = Self(1_000_000);

    /// Whole units.
    #[must_use]
    pub fn whole(units: u32) -> Self {
        Self(i64::from(units) * 1_000_000)
    }

    /// A stored number of millionths; `None` when negative.
    #[must_use]
    pub fn from_millionths(millionths: i64) -> Option<Self> {
        (millionths >= 0).then_some(Self(millionths))
    }

    /// A fraction of one unit, rounded toward zero to so many decimals; what is negative becomes nothing. In whole numbers: a
    /// decimal's quotient has 28 digits, and the last one is rounded.
    ///
    /// # Errors
    /// [`TooLarge`] beyond nine trillion units, and for a denominator of nothing.
    pub fn of_fraction(numerator: Decimal, denominator: Decimal, decimals: QuantityDecimals) -> Result<Self, TooLarge> {
        let scale = numerator.scale().max(denominator.scale());
        let units = |value: Decimal, more: u32| value.mantissa().checked_mul(power(scale - value.scale() + more));
        let quotient = units(numerator, decimals.0).zip(units(denominator, 0)).and_then(|(n, d)| n.checked_div(d));
        let millionths = quotient.and_then(|cut| cut.max(0).checked_mul(power(6 - decimals.0)));
        millionths.and_then(|whole| i64::try_from(whole).ok()).map(Self).ok_or(TooLarge)
    }

    /// The quantity that a decimal says; `None` when it is negative, too large, or no whole number of millionths.
    #[must_use]
    pub fn exactly(value: Decimal) -> Option<Self> {
        let millionths = value.checked_mul(Decimal::from(1_000_000)).filter(Decimal::is_integer)?;
        Self::from_millionths(millionths.try_into().ok()?)
    }

    /// Millionths of a unit, as stored.
    #[must_use]
    pub fn millionths(self) -> i64 {
        self.0
    }

    /// The decimal, with no more digits than needed.
    #[must_use]
    pub fn value(self) -> Decimal {
        Decimal::new(self.0, 6).normalize()
    }

    /// Whether there is nothing to report.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value())
    }
}

/// An amount of money in the currency's minor unit (cents of EUR, whole JPY).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Minor units.
    pub minor: i64,
    /// Whose minor units.
    pub currency: Currency,
}

impl Amount {
    /// Nothing.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// The amount of a line: quantity × unit price, rounded half away from zero to the minor unit (`product.md` §3).
    ///
    /// # Errors
    /// [`TooLarge`] when it does not fit.
    pub fn of_line(quantity: Quantity, price: UnitPrice, currency: Currency) -> Result<Self, TooLarge> {
        let exact = i128::from(quantity.0).checked_mul(price.0.mantissa()).ok_or(TooLarge)?;
        let (scale, decimals) = (6 + price.0.scale(), currency.decimals());
        // Ten or more, so that it has a half. Neither factor is negative.
        let minor_unit = power(scale - decimals);
        let minor = exact.checked_add(minor_unit / 2).ok_or(TooLarge)? / minor_unit;
        Ok(Self { minor: i64::try_from(minor).map_err(|_| TooLarge)?, currency })
    }

    /// The amount that a decimal says; `None` when it is negative, too large, or has more decimals than the currency.
    #[must_use]
    pub fn exactly(value: Decimal, currency: Currency) -> Option<Self> {
        let decimals = currency.decimals();
        let written = value.scale() <= decimals && !value.is_sign_negative();
        let minor = value.mantissa().checked_mul(power(decimals.saturating_sub(value.scale()))).filter(|_| written)?;
        Some(Self { minor: i64::try_from(minor).ok()?, currency })
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    /// [`TooLarge`] when it does not fit.
    pub fn plus(self, other: Self) -> Result<Self, TooLarge> {
        debug_assert_eq!(self.currency, other.currency, "amounts of two currencies are never added up");
        let minor = self.minor.checked_add(other.minor).ok_or(TooLarge)?;
        Ok(Self { minor, currency: self.currency })
    }

    /// The amount as a decimal with the currency's own number of decimals.
    #[must_use]
    pub fn value(self) -> Decimal {
        Decimal::new(self.minor, self.currency.decimals())
    }
}

impl fmt::Display for Amount {
    /// The plain figure with the currency's decimals: `3660.00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value())
    }
}

/// Thousands separated by commas, as on the pages and in the mails: `3660.00` becomes `3,660.00`.
#[must_use]
pub fn grouped(plain: &str) -> String {
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain), |rest| ("−", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut text = String::with_capacity(plain.len() + whole.len() / 3 + sign.len());
    text.push_str(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(quantity: i64, price: &str, currency: &str) -> String {
        let quantity = Quantity::from_millionths(quantity).unwrap();
        Amount::of_line(quantity, price.parse().unwrap(), currency.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn lines_round_half_away_from_zero_to_the_minor_unit() {
        let table = [
            (1_000_000, "0.005", "EUR", "0.01"),
            (1_000_000, "0.004999", "EUR", "0.00"),
            (1_500_000, "1", "JPY", "2"),
            (1_000_000, "0.0005", "KWD", "0.001"),
            (917_808, "600.0000", "EUR", "550.68"),
            (114_726_027, "12.0000", "EUR", "1376.71"),
        ];
        for (quantity, price, currency, expected) in table {
            assert_eq!(amount(quantity, price, currency), expected, "{quantity} millionths × {price} {currency}");
        }
    }

    #[test]
    fn prices_are_plain_decimals() {
        assert_eq!("12".parse::<UnitPrice>().unwrap().to_string(), "12.0000");
        assert_eq!("0.00001".parse::<UnitPrice>().unwrap().to_string(), "0.00001");
        assert_eq!("1e-2".parse::<UnitPrice>().unwrap().to_string(), "0.0100");
        for refused in ["", "-1", "1,50", "abc", "NaN", "1e99", "0.00000000001"] {
            assert!(refused.parse::<UnitPrice>().is_err(), "{refused} was taken for a price");
        }
    }

    #[test]
    fn figures_are_grouped_by_thousands() {
        let table = [
            ("0", "0"),
            ("999.00", "999.00"),
            ("1000", "1,000"),
            ("1234567.8900", "1,234,567.8900"),
            ("-1500.5", "−1,500.5"),
        ];
        for (plain, expected) in table {
            assert_eq!(grouped(plain), expected);
        }
    }

    #[test]
    fn a_fraction_is_cut_and_never_lifted_by_its_last_digit() {
        let of = |numerator: i128, denominator: i128, decimals| {
            let [numerator, denominator] =
                [numerator, denominator].map(|units| Decimal::from_i128_with_scale(units, 0));
            Quantity::of_fraction(numerator, denominator, QuantityDecimals(decimals)).map(Quantity::millionths)
        };
        let table = [(2, 3, 6, 666_666), (2, 3, 2, 660_000), (199, 100, 2, 1_990_000), (-2, 3, 6, 0), (0, 3, 6, 0)];
        for (numerator, denominator, decimals, expected) in table {
            assert_eq!(of(numerator, denominator, decimals), Ok(expected), "{numerator}/{denominator}");
        }
        // Below 1 by less than the last of 28 digits.
        let most = 79_228_162_514_264_337_593_543_950_335;
        assert_eq!(of(most - 1, most, 6), Ok(999_999));
        assert_eq!(of(most, 1, 6), Err(TooLarge));
        assert_eq!(of(1, 0, 6), Err(TooLarge));
    }

    #[test]
    fn overflow_is_an_error_not_a_wrong_amount() {
        let huge = Quantity::from_millionths(i64::MAX).unwrap();
        let price: UnitPrice = "1000000000000".parse().unwrap();
        assert_eq!(Amount::of_line(huge, price, Currency::EUR), Err(TooLarge));
    }
}
