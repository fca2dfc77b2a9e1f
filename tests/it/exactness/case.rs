//! One random life: prices, a first term with a trial, an upgrade at once and in two steps, a lowering, a renewal.

use super::reckoning::{MOST_USERS, Price, Reckoning, Segment, Term, date, day_number, power};
use crate::support::chance::Chance;

/// Everything that a case depends on. Its text is what a failing case prints.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) currency: &'static str,
    /// Prices at the enrolment.
    pub(super) then: Reckoning,
    /// Prices afterwards.
    pub(super) now: Reckoning,
    /// The price of an extra, which is never prorated.
    pub(super) extra: Price,
    /// Users at the enrolment, by way of which number, and in the end.
    pub(super) users: [i128; 3],
    /// Fewer users, while the first charges are held.
    pub(super) fewer: i128,
    pub(super) trial_days: i128,
    pub(super) grace_hours: i128,
    /// The day of the review, and the term that it estimates.
    pub(super) reviewed_on: i128,
    pub(super) months: i128,
    /// What Microsoft gives in the end, and the day of the activation.
    pub(super) term: Term,
    pub(super) activated_on: i128,
    pub(super) upgraded_on: i128,
    pub(super) next_term: Term,
    /// Seconds of the day at which things happen.
    pub(super) second: i128,
}

pub(super) fn between(chance: &mut Chance, low: i128, high: i128) -> i128 {
    low + i128::try_from(chance.below(usize::try_from(high - low + 1).unwrap())).unwrap()
}

/// No price is higher.
pub(super) const DEAREST: i128 = 1_000_000_000_000;

/// Currencies with 0, 2 and 3 decimals.
pub(super) const CURRENCIES: [(&str, u32); 6] =
    [("JPY", 0), ("KRW", 0), ("EUR", 2), ("USD", 2), ("KWD", 3), ("TND", 3)];

impl Case {
    pub(super) fn of(chance: &mut Chance) -> Self {
        let (currency, minor) = *chance.pick(&CURRENCIES);
        let decimals = if chance.one_in(2) { 6 } else { u32::try_from(between(chance, 2, 6)).unwrap() };
        let then = Reckoning { segments: segments(chance), minor, decimals };
        let now = if chance.one_in(2) { then.clone() } else { Reckoning { segments: repriced(chance, &then), ..then } };
        let users = users(chance, &now.segments);
        let fewer = between(chance, now.segments[0].included, users[0]);
        let reviewed_on = day(chance);
        let months = *chance.pick(&[1, 12, 18, 18, 24, 36]);
        let estimate = Term::of_months(reviewed_on, months);
        let term = match chance.below(3) {
            0 => estimate,
            1 => shifted(estimate, between(chance, -3, 3)),
            _ => term_from(chance, reviewed_on),
        };
        let activated_on = if chance.one_in(4) { between(chance, term.start, term.end) } else { term.start };
        Self {
            currency,
            then,
            now,
            extra: price(chance),
            users,
            fewer,
            trial_days: *chance.pick(&[0, 0, 14, 30, 30, 90, 400, 1_200]),
            grace_hours: *chance.pick(&[1, 24, 72, 168]),
            reviewed_on,
            months,
            term,
            activated_on,
            upgraded_on: between(chance, activated_on, term.end),
            next_term: term_from(chance, term.end + 1),
            second: between(chance, 0, 86_399),
        }
    }
}

/// Any day until 2099; month ends and leap days come up often.
fn day(chance: &mut Chance) -> i128 {
    let any = between(chance, day_number(2024, 1, 1), day_number(2099, 12, 31));
    let (year, month, _) = date(any);
    match chance.below(4) {
        0 => day_number(year - year % 4, 2, if year - year % 4 == 2100 { 28 } else { 29 }),
        1 => Term::of_months(day_number(year, month, 1), 1).end,
        _ => any,
    }
}

fn shifted(term: Term, days: i128) -> Term {
    Term { start: term.start + days, end: term.end + days }
}

fn term_from(chance: &mut Chance, start: i128) -> Term {
    let days =
        if chance.one_in(2) { *chance.pick(&[28, 29, 30, 31, 365, 366, 1_100]) } else { between(chance, 28, 1_100) };
    Term { start, end: start + days - 1 }
}

/// From a ten-thousandth to some hundred thousands, with 0 to 10 decimals, most often with 2 or 4.
fn price(chance: &mut Chance) -> Price {
    let scale =
        if chance.one_in(4) { u32::try_from(between(chance, 0, 10)).unwrap() } else { *chance.pick(&[0, 2, 2, 4]) };
    let digits = u32::try_from(between(chance, 1, 5)).unwrap() + scale;
    Price { units: between(chance, 1, power(digits)), scale }
}

/// One to five segments. Half of the plans are price lists with sense in them: each base fee lies near the fee at which the
/// segment before would be left, so that crossings, ties and dominated segments come up.
fn segments(chance: &mut Chance) -> Vec<Segment> {
    let sensible = chance.one_in(2);
    let mut found: Vec<Segment> = Vec::new();
    let mut included = between(chance, 1, 500);
    for index in 0..=chance.below(5) {
        let mut segment = Segment { included, maximum: None, base: price(chance), user: price(chance) };
        if let Some(before) = found.last().filter(|_| sensible) {
            let scale = before.base.scale.max(before.user.scale);
            let fee = before.base.units * power(scale - before.base.scale)
                + (included - before.included) * before.user.units * power(scale - before.user.scale);
            let base = (fee + fee * between(chance, -2, 1) / 10).min(DEAREST * power(scale));
            segment.base = Price { units: base, scale };
            // Parallel fees are compared number by number until their rounding repeats itself: only where that is soon.
            let tenths = between(chance, 5, if before.user.scale > 4 { 9 } else { 10 });
            segment.user = Price { units: (before.user.units * tenths / 10).max(1), ..before.user };
        }
        if chance.one_in(2) && index < 4 {
            segment.maximum = Some(included + between(chance, 0, 5_000));
        }
        found.push(segment);
        let step = *chance.pick(&[10, 1_000, 100_000]);
        included += between(chance, 1, step);
    }
    found
}

/// The same segments at other prices; some stay as they are.
fn repriced(chance: &mut Chance, then: &Reckoning) -> Vec<Segment> {
    let other = |chance: &mut Chance, price: Price| match chance.below(3) {
        0 => price,
        _ => {
            let units = price.units * between(chance, 80, 130) / 100;
            Price { units: units.clamp(1, DEAREST * power(price.scale)), ..price }
        }
    };
    let mut segments = then.segments.clone();
    for segment in &mut segments {
        segment.base = other(chance, segment.base);
        segment.user = other(chance, segment.user);
    }
    segments
}

/// Three growing numbers, near each other or far apart, near an edge of a segment or anywhere.
fn users(chance: &mut Chance, segments: &[Segment]) -> [i128; 3] {
    let mut users = [0; 3];
    for number in &mut users {
        let (segment, most) = (chance.pick(segments), *chance.pick(&[1_000, 200_000, MOST_USERS]));
        *number = match chance.below(4) {
            0 => segment.included + between(chance, -2, 2),
            1 => segment.maximum.unwrap_or(segment.included) + between(chance, -1, 1),
            2 => segment.included + between(chance, 0, 1_000),
            _ => between(chance, segments[0].included, most + segment.included),
        };
        *number = (*number).max(segments[0].included);
    }
    users.sort_unstable();
    [users[0], users[1].max(users[0] + 1), users[2].max(users[1] + 1).max(users[0] + 2)]
}
