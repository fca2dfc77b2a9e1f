//! Terms and days. Dates are Microsoft's; they are never computed from a term unit, except as an estimate that says so.

use serde::{Deserialize, Serialize};
use time::{Date, Duration, Month, OffsetDateTime, Time};

/// How long a term is, in Microsoft's own words (`P1M`, `P1Y`, `P18M`, `PAY`, …). Open-ended: unknown texts are kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TermUnit(String);

impl TermUnit {
    /// Keeps the text as it is, without surrounding blanks.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// Microsoft's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whole months, where the text is `P<n>M` or `P<n>Y`.
    #[must_use]
    pub fn months(&self) -> Option<u32> {
        let rest = self.0.strip_prefix('P')?;
        let (number, factor) =
            rest.strip_suffix('M').map(|n| (n, 1)).or_else(|| rest.strip_suffix('Y').map(|n| (n, 12)))?;
        let number: u32 = number.parse().ok()?;
        number.checked_mul(factor).filter(|months| (1..=1_200).contains(months))
    }

    /// The word for one term in a sentence: "a full year", "a full month".
    #[must_use]
    pub fn noun(&self) -> &'static str {
        match self.months() {
            Some(1) => "month",
            Some(12) => "year",
            _ => "term",
        }
    }

    /// How often the fees come: "yearly", "monthly", "per term".
    #[must_use]
    pub fn adverb(&self) -> &'static str {
        match self.months() {
            Some(1) => "monthly",
            Some(12) => "yearly",
            _ => "per term",
        }
    }
}

/// The current interval of a subscription, both days inclusive, as Microsoft gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// First day.
    pub start: Date,
    /// Last valid day; a renewal is the next day.
    pub end: Date,
}

impl Term {
    /// A term, unless it ends before it starts.
    #[must_use]
    pub fn new(start: Date, end: Date) -> Option<Self> {
        (end >= start).then_some(Self { start, end })
    }

    /// What the term would be if the subscription were activated on `day`: an estimate, until Microsoft has spoken.
    #[must_use]
    pub fn estimate(day: Date, unit: &TermUnit) -> Option<Self> {
        Self::new(day, add_months(day, unit.months()?)?.previous_day()?)
    }

    /// Days of the term.
    #[must_use]
    pub fn days(&self) -> u32 {
        days_between(self.start, self.end) + 1
    }

    /// Days that are left, `today` included; none after the end, all before the start.
    #[must_use]
    pub fn remaining(&self, today: Date) -> u32 {
        if today > self.end { 0 } else { days_between(today.max(self.start), self.end) + 1 }
    }

    /// The day on which the next term would start.
    #[must_use]
    pub fn renewal(&self) -> Option<Date> {
        self.end.next_day()
    }
}

/// The UTC day of an instant.
#[must_use]
pub fn utc_day(now: OffsetDateTime) -> Date {
    now.to_offset(time::UtcOffset::UTC).date()
}

/// The instant at which a UTC day is over.
#[must_use]
pub fn end_of_day(day: Date) -> OffsetDateTime {
    OffsetDateTime::new_utc(day, Time::MIDNIGHT).saturating_add(Duration::DAY)
}

/// Days later, clamped to the calendar's end.
#[must_use]
pub fn plus_days(day: Date, days: u32) -> Date {
    day.saturating_add(Duration::days(i64::from(days)))
}

fn days_between(first: Date, last: Date) -> u32 {
    u32::try_from((last - first).whole_days()).unwrap_or(0)
}

/// Months later; a day that the month does not have becomes its last one (31 January + 1 month is 28 February).
fn add_months(day: Date, months: u32) -> Option<Date> {
    let index = u32::from(u8::from(day.month())) - 1 + months;
    let year = day.year() + i32::try_from(index / 12).ok()?;
    let month = Month::try_from(u8::try_from(index % 12 + 1).ok()?).ok()?;
    Date::from_calendar_date(year, month, day.day().min(month.length(year))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn days_count_both_ends() {
        let term = Term::new(date!(2026 - 01 - 15), date!(2027 - 01 - 14)).unwrap();
        assert_eq!(term.days(), 365);
        let table = [
            (date!(2025 - 12 - 31), 365),
            (date!(2026 - 01 - 15), 365),
            (date!(2026 - 07 - 01), 198),
            (date!(2027 - 01 - 14), 1),
            (date!(2027 - 01 - 15), 0),
        ];
        for (today, expected) in table {
            assert_eq!(term.remaining(today), expected, "on {today}");
        }
        assert_eq!(Term::new(date!(2026 - 01 - 15), date!(2026 - 01 - 14)), None);
    }

    #[test]
    fn estimates_clamp_at_month_ends() {
        let table = [
            (date!(2026 - 01 - 15), "P1Y", Some(date!(2027 - 01 - 14))),
            (date!(2026 - 01 - 31), "P1M", Some(date!(2026 - 02 - 27))),
            (date!(2028 - 02 - 29), "P1Y", Some(date!(2029 - 02 - 27))),
            (date!(2026 - 08 - 31), "P18M", Some(date!(2028 - 02 - 28))),
            (date!(2026 - 01 - 15), "PAY", None),
            (date!(2026 - 01 - 15), "P0M", None),
        ];
        for (day, unit, end) in table {
            assert_eq!(Term::estimate(day, &TermUnit::new(unit)).map(|term| term.end), end, "{day} + {unit}");
        }
    }

    #[test]
    fn a_day_is_over_at_the_next_utc_midnight() {
        assert_eq!(end_of_day(date!(2026 - 02 - 13)), datetime!(2026-02-14 00:00 UTC));
        assert_eq!(utc_day(datetime!(2026-02-14 01:30 +02:00)), date!(2026 - 02 - 13));
    }
}
