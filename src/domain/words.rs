//! How numbers, amounts and dates are said in English, alike on the pages and on the command line.

use time::{Date, OffsetDateTime, UtcOffset};

use super::money::{Amount, Quantity, grouped};

/// `3,660.00 EUR`
#[must_use]
pub fn money(amount: Amount) -> String {
    format!("{} {}", grouped(&amount.to_string()), amount.currency)
}

/// `1,000`
#[must_use]
pub fn count(number: u32) -> String {
    grouped(&number.to_string())
}

/// `1 user`, `300 users`
#[must_use]
pub fn users(number: u32) -> String {
    counted(number, "user")
}

/// `1 day`, `30 days`
#[must_use]
pub fn counted(number: u32, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `50`, `45.890410` or, where no part has more decimals, `45.89`: always six or two of them, so that they stand in line.
#[must_use]
pub fn quantity(quantity: Quantity) -> String {
    let value = quantity.value();
    match value.scale() {
        0 => value.to_string(),
        1 | 2 => format!("{value:.2}"),
        _ => format!("{value:.6}"),
    }
}

/// `15 January 2026`
#[must_use]
pub fn day(date: Date) -> String {
    format!("{} {} {}", date.day(), date.month(), date.year())
}

/// `15 January`, with the year where it is not the one of `near`.
#[must_use]
pub fn day_near(date: Date, near: Date) -> String {
    if date.year() == near.year() { format!("{} {}", date.day(), date.month()) } else { day(date) }
}

/// `February 2026`
#[must_use]
pub fn month(date: Date) -> String {
    format!("{} {}", date.month(), date.year())
}

/// `March 2026`, the month after the one of `date`: Microsoft bills a month's usage in the next one.
#[must_use]
pub fn invoice_month(date: Date) -> String {
    let year = if date.month() == time::Month::December { date.year() + 1 } else { date.year() };
    format!("{} {year}", date.month().next())
}

/// `10:42 UTC`
#[must_use]
pub fn clock(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{:02}:{:02} UTC", at.hour(), at.minute())
}

/// `18 January 2026, 10:12 UTC`
#[must_use]
pub fn instant(at: OffsetDateTime) -> String {
    format!("{}, {}", day(at.to_offset(UtcOffset::UTC).date()), clock(at))
}

/// The instant, or the whole day before it when it is midnight: `13 February 2026`.
#[must_use]
pub fn until(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    let before = at.date().previous_day().filter(|_| at.time() == time::Time::MIDNIGHT);
    before.map_or_else(|| instant(at), day)
}
