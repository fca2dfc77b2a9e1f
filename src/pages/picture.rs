//! The small picture: the fee over the number of users, with the segments as steps and "you are here". Whole pixels.
//!
//! In a reseller deal the fee is not drawn, not even without figures (a ruler would find the prices): the segments stand
//! side by side instead.

use serde::Serialize;

use super::{purchase::Purchase, words};
use crate::domain::{
    money::{Amount, grouped},
    pricing::{MAX_USERS, PricedPlan, Quote},
};

const LEFT: i64 = 56;
const RIGHT: i64 = 412;
const TOP: i64 = 14;
const BOTTOM: i64 = 108;
/// As many segments are drawn as can be told apart on a telephone.
const MOST_PIECES: usize = 3;

/// The picture, ready to be placed.
#[derive(Debug, Clone, Serialize)]
pub struct Picture {
    /// What it shows, in words.
    pub title: String,
    /// Horizontal lines with their figure; none where amounts are hidden.
    pub grid: Vec<Gridline>,
    /// One piece per segment.
    pub pieces: Vec<Piece>,
    /// Where the pieces begin.
    pub ticks: Vec<Tick>,
    /// The number asked for.
    pub here: Here,
    /// Whether the pieces are fees (lines) or only ranges (bars).
    pub fees: bool,
}

/// A horizontal line.
#[derive(Debug, Clone, Serialize)]
pub struct Gridline {
    /// Its height.
    pub y: i64,
    /// Its amount.
    pub label: String,
}

/// The users for which one segment is chosen.
#[derive(Debug, Clone, Serialize)]
pub struct Piece {
    /// Left end.
    pub x1: i64,
    /// Right end.
    pub x2: i64,
    /// Height of the left end.
    pub y1: i64,
    /// Height of the right end.
    pub y2: i64,
    /// Whether it is the chosen one.
    pub chosen: bool,
    /// The segment.
    pub name: String,
}

/// A number of users on the axis.
#[derive(Debug, Clone, Serialize)]
pub struct Tick {
    /// Its place.
    pub x: i64,
    /// The number.
    pub label: String,
}

/// "You are here".
#[derive(Debug, Clone, Serialize)]
pub struct Here {
    /// Place.
    pub x: i64,
    /// Height.
    pub y: i64,
    /// Where its label stands.
    pub label_y: i64,
    /// The number of users.
    pub label: String,
    /// On which side of the point the label has room: `start` or `end`.
    pub anchor: &'static str,
}

/// The users from one break to the next, all in one segment.
#[derive(Debug)]
struct Range {
    name: String,
    from: u32,
    to: u32,
    low: Amount,
    high: Amount,
}

impl Picture {
    /// Draws the segments around the quoted number; `None` where there is only one segment, which needs no picture.
    pub(crate) fn of(purchase: &Purchase<'_>, plan: &PricedPlan, quote: &Quote) -> Option<Self> {
        let ranges = ranges(plan, purchase.plan.segments().first()?.included, quote.users)?;
        let at = ranges.iter().position(|range| (range.from..=range.to).contains(&quote.users))?;
        let first = at.saturating_sub(1).min(ranges.len().saturating_sub(MOST_PIECES));
        let shown: Vec<&Range> = ranges.iter().skip(first).take(MOST_PIECES).collect();
        let fees = !purchase.is_reseller_deal();
        let top = nice_top(shown.iter().map(|range| range.high.minor.max(range.low.minor)).max()?);
        let height = |minor: i64| if fees { along(BOTTOM, TOP, minor, top) } else { i64::midpoint(TOP, BOTTOM) };
        let edges = Edges(i64::try_from(shown.len()).ok()?);
        let pieces = (0..).zip(&shown).map(|(index, range)| Piece {
            x1: edges.at(index),
            x2: edges.at(index + 1),
            y1: height(range.low.minor),
            y2: height(range.high.minor),
            chosen: (range.from..=range.to).contains(&quote.users),
            name: range.name.clone(),
        });
        let ticks =
            (0..).zip(&shown).map(|(index, range)| Tick { x: edges.at(index), label: words::count(range.from) });
        let grid = if fees { gridlines(top, quote.total) } else { Vec::new() };
        let here = here(ranges.get(at)?, i64::try_from(at - first).ok()?, &edges, quote, height(quote.total.minor));
        Some(Self { title: title(purchase, quote), grid, pieces: pieces.collect(), ticks: ticks.collect(), here, fees })
    }
}

/// The borders between pieces of equal width: in true proportion the smallest segment would be a dot.
struct Edges(i64);

impl Edges {
    fn at(&self, index: i64) -> i64 {
        along(LEFT, RIGHT, index, self.0)
    }
}

fn here(range: &Range, index: i64, edges: &Edges, quote: &Quote, y: i64) -> Here {
    let inside = i64::from(quote.users - range.from);
    let x = along(edges.at(index), edges.at(index + 1), inside, i64::from(range.to - range.from).max(1));
    let anchor = if x > i64::midpoint(LEFT, RIGHT) { "end" } else { "start" };
    // Below the rising line there is room to the right of the point, above it to the left.
    let label_y = if anchor == "end" { y - 10 } else { (y + 20).min(BOTTOM - 4) };
    Here { x, y, label_y, label: words::users(quote.users), anchor }
}

fn title(purchase: &Purchase<'_>, quote: &Quote) -> String {
    let users = words::users(quote.users);
    let adverb = purchase.plan.term_unit.adverb();
    match purchase.money(quote.total) {
        Some(total) => format!("Fee {adverb} by number of users: {total} for {users} in {}", quote.segment.name),
        None => format!("Segments by number of users: {users} are in {}", quote.segment.name),
    }
}

/// From the smallest number up, each stretch in which one segment is chosen; the last one ends a good way behind `users`.
fn ranges(plan: &PricedPlan, smallest: u32, users: u32) -> Option<Vec<Range>> {
    let mut ranges = Vec::new();
    let mut from = smallest;
    loop {
        let low = plan.quote(from).ok()?;
        let end = low.segment.maximum.unwrap_or_else(|| from.max(users).saturating_mul(2)).min(MAX_USERS);
        let to = low.next_break.as_ref().map_or(end, |next| next.users - 1);
        let high = plan.quote(to).ok()?.total;
        ranges.push(Range { name: low.segment.name.to_string(), from, to, low: low.total, high });
        // Each break lies further on, so this ends; a plan has few segments.
        let Some(next) = low.next_break else { break };
        from = next.users;
    }
    (ranges.len() > 1).then_some(ranges)
}

/// `from + (to − from) × part / whole`, rounded down.
fn along(from: i64, to: i64, part: i64, whole: i64) -> i64 {
    let offset = i128::from(to - from) * i128::from(part) / i128::from(whole.max(1));
    from + i64::try_from(offset).unwrap_or(0)
}

/// The smallest of 1, 2, 4, 5, 6, 8 or 10 times a power of ten that is not below the amount.
fn nice_top(minor: i64) -> i64 {
    let mut power: i64 = 1;
    while power.saturating_mul(10) < minor {
        power = power.saturating_mul(10);
    }
    [1, 2, 4, 5, 6, 8]
        .into_iter()
        .map(|digit| power.saturating_mul(digit))
        .find(|nice| *nice >= minor)
        .unwrap_or(power.saturating_mul(10))
}

fn gridlines(top: i64, like: Amount) -> Vec<Gridline> {
    let line = |minor: i64| {
        let text = Amount { minor, currency: like.currency }.value().normalize().to_string();
        Gridline { y: along(BOTTOM, TOP, minor, top), label: grouped(&text) }
    };
    vec![line(top), line(top / 2), line(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_figures() {
        for (minor, top) in [(1, 1), (366_000, 400_000), (870_000, 1_000_000), (2_789_200, 4_000_000), (60, 60)] {
            assert_eq!(nice_top(minor), top);
        }
    }
}
