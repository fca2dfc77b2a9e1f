//! The present term as a line: what has been, what is to come, and today. Drawn on the server; the title says it in words.

use std::fmt;

use serde::{Serialize, Serializer};
use time::OffsetDateTime;

use crate::{
    domain::{explanation::PointKind, time::utc_day},
    pages::words,
};

const LEFT: i64 = 20;
const RIGHT: i64 = 980;
const AXIS: i64 = 76;
/// Where the two lines of a label begin, from the axis outwards; above and below take turns.
const LANES: [(i64, i64); 4] = [(44, 58), (104, 118), (12, 26), (136, 150)];
/// A letter is about this wide.
const LETTER: i64 = 7;

/// A date on the line.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) at: OffsetDateTime,
    pub(super) text: &'static str,
    /// Of the stylesheet; the words say the same.
    pub(super) colour: &'static str,
}

/// The line.
#[derive(Debug, Clone)]
pub(super) struct TermLine {
    title: String,
    today: i64,
    held_until: i64,
    marks: Vec<Drawn>,
}

#[derive(Debug, Clone)]
struct Drawn {
    x: i64,
    day: String,
    text: &'static str,
    colour: &'static str,
    lane: Option<(i64, i64)>,
    anchor: &'static str,
    is_over: bool,
}

/// What a date of the explanation is called on the line.
pub(super) fn word(kind: PointKind) -> (&'static str, &'static str) {
    match kind {
        PointKind::SetUp => ("in use", "var(--accent-ink)"),
        PointKind::TrialEnds => ("trial ends", "var(--accent-ink)"),
        PointKind::GraceEnds => ("grace ends", "var(--soft)"),
        PointKind::FirstReport => ("first report", "var(--accent-ink)"),
        PointKind::Renewal => ("renewal", "var(--accent-ink)"),
        PointKind::TermEnds => ("term ends", "var(--warn)"),
        PointKind::Ended => ("ended", "var(--bad)"),
    }
}

impl TermLine {
    /// The line from `from` to `to`; marks outside of it are left out. `None` when there is no time in between.
    pub(super) fn new(
        (from, to): (OffsetDateTime, OffsetDateTime),
        mut marks: Vec<Mark>,
        held_until: Option<OffsetDateTime>,
        now: OffsetDateTime,
    ) -> Option<Self> {
        let whole = Some((to - from).whole_minutes()).filter(|whole| *whole > 0)?;
        let along = |at: OffsetDateTime| LEFT + (RIGHT - LEFT) * (at - from).whole_minutes().clamp(0, whole) / whole;
        marks.retain(|mark| from <= mark.at && mark.at <= to);
        marks.sort_by_key(|mark| mark.at);
        let today = utc_day(now);
        let told: Vec<String> =
            marks.iter().map(|mark| format!("{} {}", mark.text, words::day_near(utc_day(mark.at), today))).collect();
        let title = format!(
            "Term from {} to {}, today {}: {}",
            words::day(utc_day(from)),
            words::day(utc_day(to)),
            words::day(today),
            words::listed(&told)
        );
        let mut ends = [i64::MIN; LANES.len()];
        let drawn = marks.iter().map(|mark| {
            let (x, day) = (along(mark.at), words::day_near(utc_day(mark.at), today));
            place(x, day, mark, now, &mut ends)
        });
        Some(Self {
            title,
            marks: drawn.collect(),
            today: if (from..=to).contains(&now) { along(now) } else { 0 },
            held_until: held_until.map_or(LEFT, along),
        })
    }
}

/// Finds a lane with room for the label; without one the mark stands alone, and the title tells it.
fn place(x: i64, day: String, mark: &Mark, now: OffsetDateTime, ends: &mut [i64; LANES.len()]) -> Drawn {
    let letters = i64::try_from(day.chars().count().max(mark.text.chars().count())).unwrap_or(0);
    let width = letters * LETTER;
    let (anchor, begin) = match x {
        x if x - width / 2 < LEFT => ("start", x),
        x if x + width / 2 > RIGHT => ("end", x - width),
        x => ("middle", x - width / 2),
    };
    let free = ends.iter().position(|end| *end < begin);
    if let Some(end) = free.and_then(|lane| ends.get_mut(lane)) {
        *end = begin + width + LETTER;
    }
    let lane = free.and_then(|lane| LANES.get(lane).copied());
    Drawn { x, day, text: mark.text, colour: mark.colour, lane, anchor, is_over: mark.at <= now }
}

impl Serialize for TermLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for TermLine {
    /// Every text on it is a date or a word of ours.
    fn fmt(&self, svg: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            svg,
            r#"<svg viewBox="0 0 1000 158" role="img" aria-labelledby="term-title"><title id="term-title">{}</title>"#,
            self.title
        )?;
        let bar = |svg: &mut fmt::Formatter<'_>, from: i64, to: i64, colour: &str| {
            let (y, width) = (AXIS - 4, (to - from).max(0));
            writeln!(svg, r#"<rect x="{from}" y="{y}" width="{width}" height="8" fill="{colour}"/>"#)
        };
        bar(svg, LEFT, RIGHT, "var(--line)")?;
        bar(svg, LEFT, if self.today > 0 { self.today } else { LEFT }, "var(--c1)")?;
        bar(svg, LEFT, self.held_until.min(RIGHT), "var(--c3)")?;
        for Drawn { x, day, text, colour, lane, anchor, is_over } in &self.marks {
            let fill = if *is_over { colour } else { "var(--sheet)" };
            if let Some((first, second)) = lane {
                let (from, to) = if *first < AXIS { (second + 4, AXIS) } else { (AXIS, first - 12) };
                writeln!(svg, r#"<path d="M{x} {from}V{to}" stroke="{colour}"/>"#)?;
                writeln!(svg, r#"<text class="b" x="{x}" y="{first}" text-anchor="{anchor}">{day}</text>"#)?;
                writeln!(svg, r#"<text x="{x}" y="{second}" text-anchor="{anchor}">{text}</text>"#)?;
            }
            writeln!(svg, r#"<circle cx="{x}" cy="{AXIS}" r="5" fill="{fill}" stroke="{colour}" stroke-width="2"/>"#)?;
        }
        if self.today > 0 {
            let x = self.today;
            writeln!(svg, r#"<path d="M{x} {}V{}" stroke="var(--ink)" stroke-width="2"/>"#, AXIS - 10, AXIS + 10)?;
        }
        svg.write_str("</svg>")
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn labels_never_lie_on_each_other_and_the_title_tells_everything() {
        let (from, to) = (datetime!(2026-01-15 0:00 UTC), datetime!(2027-01-15 0:00 UTC));
        let mark = |at, text| Mark { at, text, colour: "var(--soft)" };
        let marks: Vec<Mark> = (0..7).map(|day| mark(from + time::Duration::days(day), "grace ends")).collect();
        let line = TermLine::new((from, to), marks, None, datetime!(2026-03-12 9:40 UTC)).unwrap();
        let lanes: Vec<_> = line.marks.iter().filter_map(|drawn| drawn.lane).collect();
        assert_eq!(lanes.len(), LANES.len(), "as many labels as there are lanes");
        assert!(line.title.contains("grace ends 15 January") && line.title.contains("grace ends 21 January"));
        assert!(TermLine::new((to, from), Vec::new(), None, from).is_none());
    }
}
