//! The small picture: the fee over the number of users, with the segments as steps and "you are here". Whole pixels.
//!
//! In a reseller deal the fee is not drawn, not even without figures (a ruler would find the prices): the segments stand
//! side by side instead.

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer};

use super::{purchase::Purchase, words};
use crate::{
    domain::{
        catalog::Segment,
        money::{Amount, grouped},
        pricing::{MAX_USERS, PricedPlan, Quote},
    },
    templates::escaped,
};

const LEFT: i64 = 56;
const RIGHT: i64 = 412;
const TOP: i64 = 14;
const BOTTOM: i64 = 108;
/// Where the bar stands that shows the segments without fees.
const BAR: i64 = 92;

/// The picture. Shown and serialized, it is its SVG.
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone)]
pub struct Gridline {
    /// Its height.
    pub y: i64,
    /// Its amount.
    pub label: String,
}

/// The users for which one segment is chosen.
#[derive(Debug, Clone)]
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
}

/// A number of users on the axis.
#[derive(Debug, Clone)]
pub struct Tick {
    /// Its place.
    pub x: i64,
    /// The number.
    pub label: String,
}

/// "You are here".
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone)]
struct Range {
    segment: Arc<Segment>,
    from: u32,
    to: u32,
    low: Amount,
    high: Amount,
}

impl Picture {
    /// Draws the segments around the quoted number; `None` where there is only one segment, which needs no picture.
    pub(crate) fn of(purchase: &Purchase<'_>, plan: &PricedPlan, quote: &Quote) -> Option<Self> {
        let ranges = ranges(plan, purchase.plan.segments().first()?.included, quote.users)?;
        let at = ranges.iter().position(|range| range.holds(quote.users))?;
        let first = at.saturating_sub(1);
        let shown: Vec<Range> = ranges.get(first..)?.iter().take(at - first + 2).cloned().collect();
        let shown = shortened(plan, shown, at - first)?;
        let fees = !purchase.is_reseller_deal();
        let top = nice_top(shown.iter().map(|range| range.high.minor.max(range.low.minor)).max()?);
        let height = |minor: i64| if fees { along(BOTTOM, TOP, minor, top) } else { BAR };
        let edges = Edges::new(shown.len(), at - first);
        let pieces = shown.iter().enumerate().map(|(index, range)| Piece {
            x1: edges.at(index),
            x2: edges.at(index + 1),
            y1: height(range.low.minor),
            y2: height(range.high.minor),
            chosen: index == at - first,
        });
        let ticks = shown.iter().enumerate();
        let ticks = ticks.map(|(index, range)| Tick { x: edges.at(index), label: words::count(range.from) });
        let grid = if fees { gridlines(top, quote.total) } else { Vec::new() };
        let here = here(shown.get(at - first)?, at - first, &edges, quote, height(quote.total.minor));
        Some(Self { title: title(purchase, quote), grid, pieces: pieces.collect(), ticks: ticks.collect(), here, fees })
    }
}

impl Serialize for Picture {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Picture {
    fn fmt(&self, svg: &mut fmt::Formatter<'_>) -> fmt::Result {
        let view_box = if self.fees { "0 0 420 136" } else { "0 64 420 72" };
        let title = escaped(&self.title);
        writeln!(svg, r#"<svg class="steps" viewBox="{view_box}" role="img" aria-label="{title}">"#)?;
        for Gridline { y, label } in &self.grid {
            write!(svg, r#"<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}"/>"#)?;
            writeln!(svg, r#"<text x="{}" y="{}" text-anchor="end">{label}</text>"#, LEFT - 8, y + 4)?;
        }
        for Piece { x1, x2, y1, y2, chosen } in &self.pieces {
            let (chosen, bar) = (if *chosen { " chosen" } else { "" }, if self.fees { "" } else { " bar" });
            writeln!(svg, r#"<line class="piece{chosen}{bar}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#)?;
        }
        for (index, Tick { x, label }) in self.ticks.iter().enumerate() {
            let anchor = if index == 0 { "start" } else { "middle" };
            let unit = if index + 1 == self.ticks.len() { " users" } else { "" };
            write!(svg, r#"<line class="tick" x1="{x}" x2="{x}" y1="{BOTTOM}" y2="{}"/>"#, BOTTOM + 5)?;
            writeln!(svg, r#"<text x="{x}" y="{}" text-anchor="{anchor}">{label}{unit}</text>"#, BOTTOM + 18)?;
        }
        let Here { x, y, label_y, label, anchor } = &self.here;
        let label_x = if *anchor == "end" { x - 8 } else { x + 8 };
        write!(svg, r#"<circle class="here" cx="{x}" cy="{y}" r="6"/>"#)?;
        writeln!(svg, r#"<text class="here" x="{label_x}" y="{label_y}" text-anchor="{anchor}">{label}</text>"#)?;
        svg.write_str("</svg>")
    }
}

/// The borders between pieces. In true proportion the smallest segment would be a dot, so each gets its share of the width;
/// the chosen one the largest.
struct Edges(Vec<i64>);

impl Edges {
    fn new(pieces: usize, chosen: usize) -> Self {
        let shares: Vec<i64> = (0..pieces).map(|index| if index == chosen { 5 } else { 3 }).collect();
        let whole = shares.iter().sum();
        let mut sum = 0;
        let rights = shares.iter().map(|share| {
            sum += share;
            along(LEFT, RIGHT, sum, whole)
        });
        Self([LEFT].into_iter().chain(rights).collect())
    }

    fn at(&self, index: usize) -> i64 {
        self.0.get(index).copied().unwrap_or(RIGHT)
    }
}

impl Range {
    fn holds(&self, users: u32) -> bool {
        (self.from..=self.to).contains(&users)
    }
}

/// Ends the piece behind the chosen one early: drawn to its end, it would press everything before it to the ground.
fn shortened(plan: &PricedPlan, mut shown: Vec<Range>, chosen: usize) -> Option<Vec<Range>> {
    let start = shown.get(chosen)?.from;
    if let Some(next) = shown.get_mut(chosen + 1) {
        next.to = next.to.min(next.from + (next.from - start) / 2);
        next.high = fee(plan, &next.segment, next.to)?;
    }
    Some(shown)
}

fn here(range: &Range, index: usize, edges: &Edges, quote: &Quote, y: i64) -> Here {
    let inside = i64::from(quote.users - range.from);
    let x = along(edges.at(index), edges.at(index + 1), inside, i64::from(range.to - range.from).max(1));
    let anchor = if x > i64::midpoint(LEFT, RIGHT) { "end" } else { "start" };
    // Below the rising line there is room to the right of the point, above it to the left; on the ground only above.
    let label_y = if anchor == "end" || y + 20 > BOTTOM - 4 { y - 12 } else { y + 20 };
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

/// From the smallest number up, each stretch in which one segment is chosen, until the one behind `users`; a stretch without
/// end ends a good way behind `users`.
fn ranges(plan: &PricedPlan, smallest: u32, users: u32) -> Option<Vec<Range>> {
    let mut ranges = Vec::new();
    let mut from = smallest;
    loop {
        let (segment, next) = plan.segment_for(from).ok()?;
        let end = segment.maximum.unwrap_or_else(|| from.max(users).saturating_mul(2)).min(MAX_USERS);
        let to = next.map_or(end, |next| next - 1);
        let (low, high) = (fee(plan, segment, from)?, fee(plan, segment, to)?);
        ranges.push(Range { segment: Arc::clone(segment), from, to, low, high });
        // Each break lies further on, so this ends.
        match next {
            Some(next) if from <= users => from = next,
            _ => break,
        }
    }
    (ranges.len() > 1).then_some(ranges)
}

fn fee(plan: &PricedPlan, segment: &Segment, users: u32) -> Option<Amount> {
    plan.fee_in(&segment.name, users).ok().flatten()
}

/// `from + (to − from) × part / whole`, rounded down.
fn along(from: i64, to: i64, part: i64, whole: i64) -> i64 {
    let offset = i128::from(to - from) * i128::from(part) / i128::from(whole.max(1));
    from + i64::try_from(offset).unwrap_or(0)
}

/// The smallest round figure (1.2, 3 or 50, but not 7) that is not below the amount.
fn nice_top(minor: i64) -> i64 {
    let mut tenth: i64 = 1;
    while tenth.saturating_mul(100) < minor {
        tenth = tenth.saturating_mul(10);
    }
    let nice = [10, 12, 16, 20, 24, 30, 40, 50, 60, 80].into_iter().map(|tenths| tenth.saturating_mul(tenths));
    nice.into_iter().find(|nice| *nice >= minor).unwrap_or_else(|| tenth.saturating_mul(100))
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
        for (minor, top) in
            [(9, 10), (366_000, 400_000), (1_050_000, 1_200_000), (2_789_200, 3_000_000), (61, 80), (81, 100)]
        {
            assert_eq!(nice_top(minor), top);
        }
    }
}
