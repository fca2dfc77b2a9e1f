//! The rules of prices, terms and parts, reckoned once more in whole numbers: no decimals, nothing of the program under test.
//!
//! Prices are `units / 10^scale`, quantities millionths, amounts minor units, days are counted from 1 January 1970.

use std::cmp::Reverse;

/// More than this is refused as a mistake.
pub(super) const MOST_USERS: i128 = 10_000_000;
const MILLION: i128 = 1_000_000;

pub(super) fn power(exponent: u32) -> i128 {
    10_i128.pow(exponent)
}

/// A price as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Price {
    pub(super) units: i128,
    pub(super) scale: u32,
}

impl Price {
    pub(super) fn text(self) -> String {
        let (whole, part) = (self.units / power(self.scale), self.units % power(self.scale));
        if self.scale == 0 { whole.to_string() } else { format!("{whole}.{part:0width$}", width = self.scale as usize) }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) included: i128,
    pub(super) maximum: Option<i128>,
    pub(super) base: Price,
    pub(super) user: Price,
}

/// Dimension, millionths, minor units.
pub(super) type Line = (String, i128, i128);

pub(super) fn base_dimension(segment: &Segment) -> String {
    format!("base-{}", segment.included)
}

pub(super) fn user_dimension(segment: &Segment) -> String {
    format!("user-{}", segment.included)
}

/// Prices of one day, with the two settings that figures depend on.
#[derive(Debug, Clone)]
pub(super) struct Reckoning {
    pub(super) segments: Vec<Segment>,
    /// Decimals of an amount.
    pub(super) minor: u32,
    /// Decimals of a part of a quantity.
    pub(super) decimals: u32,
}

impl Reckoning {
    /// Quantity × price, the half away from zero.
    pub(super) fn amount(&self, millionths: i128, price: Price) -> i128 {
        let (numerator, denominator) = (millionths * price.units * power(self.minor), MILLION * power(price.scale));
        (numerator + denominator / 2) / denominator
    }

    /// The lines of a full term in a segment.
    pub(super) fn lines_in(&self, segment: &Segment, users: i128) -> Vec<Line> {
        let more = (users - segment.included).max(0) * MILLION;
        let base = (base_dimension(segment), MILLION, self.amount(MILLION, segment.base));
        let additional = (user_dimension(segment), more, self.amount(more, segment.user));
        [base, additional].into_iter().filter(|(_, quantity, _)| *quantity > 0).collect()
    }

    pub(super) fn fee_in(&self, segment: &Segment, users: i128) -> i128 {
        self.lines_in(segment, users).iter().map(|line| line.2).sum()
    }

    /// The cheapest segment that admits so many, by what is displayed; on a tie the one with more included users.
    pub(super) fn cheapest(&self, users: i128) -> Option<&Segment> {
        let least = self.segments.iter().map(|segment| segment.included).min()?;
        let admitting = self.segments.iter().filter(|segment| segment.maximum.is_none_or(|most| users <= most));
        admitting
            .filter(|_| (least..=MOST_USERS).contains(&users))
            .min_by_key(|segment| (self.fee_in(segment, users), Reverse(segment.included)))
    }

    /// How many segments give the lowest fee.
    pub(super) fn ties(&self, users: i128) -> usize {
        let admitting = self.segments.iter().filter(|segment| segment.maximum.is_none_or(|most| users <= most));
        let fees: Vec<i128> = admitting.map(|segment| self.fee_in(segment, users)).collect();
        fees.iter().filter(|fee| Some(*fee) == fees.iter().min()).count()
    }

    /// A fraction of units in millionths, cut to the decimals; never below nothing.
    pub(super) fn cut(&self, numerator: i128, denominator: i128) -> i128 {
        numerator.max(0) * power(self.decimals) / denominator * power(6 - self.decimals)
    }

    /// The part of a line that is charged.
    pub(super) fn part(&self, line: &Line, price: Price, days: i128, of_days: i128) -> Line {
        let quantity = if days == of_days { line.1 } else { self.cut(line.1 * days, MILLION * of_days) };
        (line.0.clone(), quantity, self.amount(quantity, price))
    }

    pub(super) fn price(&self, dimension: &str) -> Option<Price> {
        self.segments.iter().find_map(|segment| {
            let base = (base_dimension(segment) == dimension).then_some(segment.base);
            base.or_else(|| (user_dimension(segment) == dimension).then_some(segment.user))
        })
    }

    /// The parts of a full term of so many users.
    pub(super) fn parts(&self, segment: &Segment, users: i128, days: i128, of_days: i128) -> Vec<Line> {
        let lines = self.lines_in(segment, users);
        lines.iter().map(|line| self.part(line, self.price(&line.0).unwrap(), days, of_days)).collect()
    }

    /// The line of an upgrade for `days` of `of_days`: the difference of the two fees, in additional users of the new segment.
    pub(super) fn upgrade(&self, difference: i128, to: &Segment, days: i128, of_days: i128) -> Line {
        let numerator = difference * days * power(to.user.scale);
        let quantity = self.cut(numerator, to.user.units * of_days * power(self.minor));
        (user_dimension(to), quantity, self.amount(quantity, to.user))
    }
}

/// First and last day, both counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) start: i128,
    pub(super) end: i128,
}

impl Term {
    pub(super) fn days(self) -> i128 {
        self.end - self.start + 1
    }

    /// Days from `day` on, `day` included.
    pub(super) fn from(self, day: i128) -> i128 {
        (self.end - day.max(self.start) + 1).max(0)
    }

    /// So many months from a day on; a day that the last month lacks becomes its last one.
    pub(super) fn of_months(start: i128, months: i128) -> Self {
        let (year, month, day) = date(start);
        let (year, month) = (year + (month - 1 + months) / 12, (month - 1 + months) % 12 + 1);
        Self { start, end: day_number(year, month, day.min(days_of_month(year, month))) - 1 }
    }
}

fn days_of_year(year: i128) -> i128 {
    if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) { 366 } else { 365 }
}

fn days_of_month(year: i128, month: i128) -> i128 {
    match month {
        2 => days_of_year(year) - 337,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Year, month and day, counted off one by one.
pub(super) fn date(mut days: i128) -> (i128, i128, i128) {
    let (mut year, mut month) = (1970, 1);
    while days >= days_of_year(year) {
        days -= days_of_year(year);
        year += 1;
    }
    while days >= days_of_month(year, month) {
        days -= days_of_month(year, month);
        month += 1;
    }
    (year, month, days + 1)
}

pub(super) fn day_number(year: i128, month: i128, day: i128) -> i128 {
    (1970..year).map(days_of_year).sum::<i128>()
        + (1..month).map(|month| days_of_month(year, month)).sum::<i128>()
        + day
        - 1
}
