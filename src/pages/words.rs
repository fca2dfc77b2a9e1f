//! How the pages say numbers, amounts and dates.

use serde::Serialize;
use time::{Date, Duration, OffsetDateTime};

use crate::domain::time::utc_day;
pub(crate) use crate::domain::words::{
    clock, count, counted, day, day_near, instant, invoice_month, money, month, quantity, until, users,
};

/// `18 January, 10:12 UTC`, with the year where it is not the one of `near`.
pub(crate) fn instant_near(at: OffsetDateTime, near: Date) -> String {
    format!("{}, {}", day_near(utc_day(at), near), clock(at))
}

/// `72 hours`, `7 days`: up to four days in hours, as the terms of the marketplace have it.
pub(crate) fn span(duration: Duration) -> String {
    let hours = duration.whole_hours();
    let (number, noun) = if hours > 96 && hours % 24 == 0 { (hours / 24, "day") } else { (hours, "hour") };
    counted(u32::try_from(number).unwrap_or(0), noun)
}

/// `2026-01-15`, for machines.
pub(crate) fn iso(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

/// `a, b and c`
pub(crate) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A reason as a sentence: with a capital letter and a full stop.
#[must_use]
pub fn sentence(text: &str) -> String {
    let mut letters = text.trim().chars();
    let begun: String = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    if begun.is_empty() || begun.ends_with(['.', '!', '?']) { begun } else { begun + "." }
}

/// What Microsoft says, without the code that it puts before: `BadRequest: The quantity is outside …`.
pub(crate) fn without_code(text: &str) -> &str {
    let code = |word: &str| !word.is_empty() && word.chars().all(char::is_alphanumeric);
    text.split_once(": ").filter(|(word, _)| code(word)).map_or(text, |(_, rest)| rest)
}

/// A sentence or two, some of it strong. Written with `**` around the strong part, which the templates' filter `prose` turns
/// into markup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Prose(String);

impl Prose {
    /// Takes the text with its marks.
    pub fn new(marked: impl Into<String>) -> Self {
        Self(marked.into())
    }
}

/// How a thing stands; the pages add a mark and a colour to the word, never a colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Done, in order.
    Good,
    /// Waiting, worth a look.
    Warn,
    /// Failed, needs somebody.
    Bad,
    /// Nothing to say about it.
    Calm,
}

/// A row of facts.
#[derive(Debug, Clone, Serialize)]
pub struct Fact {
    /// What it is.
    pub name: &'static str,
    /// The fact.
    pub value: String,
    /// A remark beside it, or nothing.
    pub more: String,
}

impl Fact {
    pub(crate) fn new(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, value: value.into(), more: String::new() }
    }

    pub(crate) fn with(name: &'static str, value: impl Into<String>, more: impl Into<String>) -> Self {
        Self { name, value: value.into(), more: more.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn dates_and_spans_read_like_a_letter() {
        let today = date!(2026 - 01 - 15);
        assert_eq!(day_near(date!(2026 - 02 - 13), today), "13 February");
        assert_eq!(day_near(date!(2027 - 01 - 15), today), "15 January 2027");
        assert_eq!(invoice_month(date!(2026 - 12 - 31)), "January 2027");
        assert_eq!(instant(datetime!(2026-01-18 12:12 +02:00)), "18 January 2026, 10:12 UTC");
        assert_eq!(span(Duration::hours(72)), "72 hours");
        assert_eq!(span(Duration::days(7)), "7 days");
        assert_eq!(users(1), "1 user");
        assert_eq!(
            sentence(without_code("BadRequest: the quantity is outside the limits")),
            "The quantity is outside the limits."
        );
        assert_eq!(without_code("Must be at least 5."), "Must be at least 5.");
        assert_eq!(without_code("In short: no."), "In short: no.");
    }
}
