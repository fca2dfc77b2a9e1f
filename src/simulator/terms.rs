//! Dates as Microsoft writes them, and the term of a subscription.

use time::{Date, Duration, Month, OffsetDateTime, format_description::well_known::Rfc3339};

/// The months of a term unit such as `P1M`, `P18M` or `P3Y`; everything else (`PAY` for example) counts as one month.
pub(super) fn months(term_unit: &str) -> u32 {
    let number = |unit: char| term_unit.strip_prefix('P')?.strip_suffix(unit)?.parse::<u32>().ok();
    let months = number('M').or_else(|| number('Y').and_then(|years| years.checked_mul(12)));
    months.filter(|count| (1..=1200).contains(count)).unwrap_or(1)
}

/// The same day so many months later, or the last day of a shorter month.
pub(super) fn add_months(date: Date, count: u32) -> Date {
    let months = i64::from(date.year()) * 12 + i64::from(u8::from(date.month())) - 1 + i64::from(count);
    let year = i32::try_from(months.div_euclid(12)).unwrap_or(9999).min(9999);
    let month = u8::try_from(months.rem_euclid(12) + 1).ok().and_then(|number| Month::try_from(number).ok());
    let month = month.unwrap_or(Month::December);
    Date::from_calendar_date(year, month, date.day().min(month.length(year))).unwrap_or(Date::MAX)
}

/// One term; both days belong to it. Renewals count from the first day of all, so that 31 January renews on
/// 28 February and again on 31 March.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Term {
    anchor: Date,
    number: u32,
    pub(super) start: Date,
    pub(super) end: Date,
}

impl Term {
    pub(super) fn first(day: Date, term_unit: &str) -> Self {
        Self::numbered(day, 0, term_unit)
    }

    pub(super) fn next(self, term_unit: &str) -> Self {
        Self::numbered(self.anchor, self.number.saturating_add(1), term_unit)
    }

    fn numbered(anchor: Date, number: u32, term_unit: &str) -> Self {
        let length = months(term_unit);
        let start = add_months(anchor, length.saturating_mul(number));
        let renewal = add_months(anchor, length.saturating_mul(number.saturating_add(1)));
        Self { anchor, number, start, end: renewal.previous_day().unwrap_or(start) }
    }

    /// The instant at which the next term begins.
    pub(super) fn renews_at(self) -> OffsetDateTime {
        self.end.midnight().assume_utc() + Duration::DAY
    }
}

/// `2026-01-15T00:00:00Z`, the form of term dates.
pub(super) fn day(date: Date) -> String {
    format!("{:04}-{:02}-{:02}T00:00:00Z", date.year(), u8::from(date.month()), date.day())
}

/// `2026-01-15T10:00:00.0000000Z`, the form of `created` and `timeStamp` (seven digits, as .NET prints them).
pub(super) fn instant(at: OffsetDateTime) -> String {
    let (hour, minute, second) = at.to_hms();
    let date = day(at.date());
    let date = date.trim_end_matches("T00:00:00Z");
    format!("{date}T{hour:02}:{minute:02}:{second:02}.{:07}Z", at.nanosecond() / 100)
}

/// `2026-01-15T10:00:00.002737Z`, the form of `messageTime`: no more digits than it needs.
pub(super) fn shortest(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

/// Writes an instant with seven digits in JSON.
pub(super) fn write<S: serde::Serializer>(at: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&instant(*at))
}

/// `2026-01-15 10:00:00Z`, the form inside Entra's error descriptions and on the simulator's own pages.
pub(super) fn readable(at: OffsetDateTime) -> String {
    let (hour, minute, second) = at.to_hms();
    format!("{} {hour:02}:{minute:02}:{second:02}Z", at.date())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn terms_end_the_day_before_they_renew_and_clamp_at_month_ends() {
        let year = Term::first(date!(2026 - 01 - 15), "P1Y");
        assert_eq!((year.start, year.end), (date!(2026 - 01 - 15), date!(2027 - 01 - 14)));
        let month = Term::first(date!(2026 - 01 - 31), "P1M");
        assert_eq!(month.end, date!(2026 - 02 - 27));
        assert_eq!(month.next("P1M").start, date!(2026 - 02 - 28));
        assert_eq!(month.next("P1M").next("P1M").start, date!(2026 - 03 - 31));
    }

    #[test]
    fn odd_units_are_read_or_count_as_a_month() {
        assert_eq!(["P18M", "P3Y", "PAY", "", "P0M", "é"].map(months), [18, 36, 1, 1, 1, 1]);
    }

    #[test]
    fn instants_have_seven_digits() {
        assert_eq!(instant(datetime!(2026-01-15 10:02:03.000_045 UTC)), "2026-01-15T10:02:03.0000450Z");
    }
}
