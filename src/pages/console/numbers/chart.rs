//! Columns and bars as SVG, drawn on the server in whole pixels. A series is told apart by its place in the legend and by
//! hatching, never by a colour alone; the title says in words what is seen, and a table below has every figure.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{domain::money::grouped, templates::escaped};

const LEFT: i64 = 64;
/// The width of a picture on its own, and of one of two side by side.
pub(super) const WIDTH: i64 = 640;
pub(super) const HALF: i64 = 320;
const TOP: i64 = 22;
/// A column takes so much of its place, in hundredths.
const COLUMN: i64 = 68;
/// The height of a bar and of its row.
const BAR: i64 = 16;
const ROW: i64 = 25;

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fill {
    colour: &'static str,
    hatching: Option<char>,
}

impl Fill {
    pub(super) const FIRST: Self = Self { colour: "var(--c1)", hatching: None };
    pub(super) const SECOND: Self = Self { colour: "var(--c2)", hatching: None };
    pub(super) const THIRD: Self = Self { colour: "var(--c3)", hatching: None };

    /// Like it, and not quite it: resold, taken away, not there.
    pub(super) fn hatched(self) -> Self {
        let letter = match self {
            Self::FIRST => 'a',
            Self::SECOND => 'b',
            _ => 'c',
        };
        Self { hatching: Some(letter), ..self }
    }

    fn paint(self, id: &str) -> String {
        match self.hatching {
            Some(letter) => format!("fill=\"url(#{id}-{letter})\" stroke=\"{}\" stroke-width=\".75\"", self.colour),
            None => format!("fill=\"{}\"", self.colour),
        }
    }

    /// The pattern that a hatched series refers to.
    fn pattern(self, id: &str) -> String {
        let Some(letter) = self.hatching else { return String::new() };
        let colour = self.colour;
        format!(
            "<pattern id=\"{id}-{letter}\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"var(--sheet)\"/>\
             <rect width=\"2.5\" height=\"6\" fill=\"{colour}\"/></pattern>"
        )
    }
}

/// A series in the legend.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) fill: Fill,
}

/// The mark of a series, drawn.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Legend {
    name: String,
    colour: &'static str,
    is_hatched: bool,
}

impl From<&Series> for Legend {
    fn from(series: &Series) -> Self {
        Self { name: series.name.clone(), colour: series.fill.colour, is_hatched: series.fill.hatching.is_some() }
    }
}

/// A drawing, ready to be put into a page.
#[derive(Debug, Clone)]
pub(super) struct Drawing(String);

impl Serialize for Drawing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A column: what it is called, and its parts from the ground up.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) label: String,
    pub(super) parts: Vec<(Fill, i64)>,
}

impl Column {
    fn height(&self) -> i64 {
        self.parts.iter().map(|(_, value)| *value).sum()
    }
}

/// Columns side by side, their parts stacked.
#[derive(Debug, Clone)]
pub(super) struct Columns<'a> {
    /// Unique on the page.
    pub(super) id: &'a str,
    /// What is seen, in words.
    pub(super) title: String,
    /// What the axis counts.
    pub(super) unit: &'a str,
    /// The columns.
    pub(super) columns: Vec<Column>,
    /// Values are whole numbers of so many decimals.
    pub(super) decimals: u32,
    /// Pixels from edge to edge.
    pub(super) width: i64,
    /// Pixels from the top to the axis' labels.
    pub(super) height: i64,
    /// Whether the last column is the present, whose figure is written above it.
    pub(super) ends_now: bool,
}

/// The scale of an axis: values up to `top`, one line for each `step`.
#[derive(Debug, Clone, Copy)]
struct Scale {
    step: i64,
    top: i64,
    bottom: i64,
    decimals: u32,
}

impl Scale {
    fn y(self, value: i64) -> i64 {
        along(self.bottom, TOP, value, self.top)
    }
}

impl Columns<'_> {
    pub(super) fn draw(&self) -> Drawing {
        Drawing(self.to_string())
    }

    fn scale(&self) -> Scale {
        let tallest = self.columns.iter().map(Column::height).max().unwrap_or_default();
        let (step, steps) = axis(tallest, self.decimals);
        Scale { step, top: step * steps, bottom: self.height - 26, decimals: self.decimals }
    }

    fn write_axis(&self, svg: &mut fmt::Formatter<'_>, scale: Scale) -> fmt::Result {
        write!(svg, "<text x=\"{LEFT}\" y=\"12\">{}</text>", escaped(self.unit))?;
        for tick in 0..=scale.top / scale.step {
            let (class, value) = (if tick == 0 { "axis" } else { "grid" }, scale.step * tick);
            let (y, label) = (scale.y(value), figure(value, scale.decimals));
            write!(svg, "<path class=\"{class}\" d=\"M{LEFT} {y}H{}\"/>", self.width)?;
            write!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{label}</text>", LEFT - 6, y + 4)?;
        }
        Ok(())
    }

    fn write_column(
        &self,
        svg: &mut fmt::Formatter<'_>,
        column: &Column,
        (left, right): (i64, i64),
        scale: Scale,
    ) -> fmt::Result {
        let (width, middle) = ((right - left) * COLUMN / 100, i64::midpoint(left, right));
        let x = left + (right - left - width) / 2;
        let mut ground = 0;
        for (fill, value) in &column.parts {
            let (low, high) = (scale.y(ground), scale.y(ground + value));
            ground += value;
            if low > high {
                // A pixel is left free between two parts.
                let (height, paint) = ((low - high - 1).max(1), fill.paint(self.id));
                write!(svg, "<rect x=\"{x}\" y=\"{high}\" width=\"{width}\" height=\"{height}\" {paint}/>")?;
            }
        }
        let (y, label) = (scale.bottom + 16, escaped(&column.label));
        write!(svg, "<text x=\"{middle}\" y=\"{y}\" text-anchor=\"middle\">{label}</text>")?;
        if self.ends_now && right == self.width && ground > 0 {
            let (y, label) = (scale.y(ground) - 5, figure(ground, scale.decimals));
            write!(svg, "<text class=\"b\" x=\"{middle}\" y=\"{y}\" text-anchor=\"middle\">{label}</text>")?;
        }
        Ok(())
    }
}

impl fmt::Display for Columns<'_> {
    fn fmt(&self, svg: &mut fmt::Formatter<'_>) -> fmt::Result {
        open(
            svg,
            self.id,
            (self.width, self.height),
            &self.title,
            self.columns.iter().flat_map(|column| &column.parts),
        )?;
        let scale = self.scale();
        self.write_axis(svg, scale)?;
        let count = i64::try_from(self.columns.len()).unwrap_or(i64::MAX);
        let place = |index: i64| along(LEFT, self.width, index, count);
        for (index, column) in (0..).zip(&self.columns) {
            self.write_column(svg, column, (place(index), place(index + 1)), scale)?;
        }
        svg.write_str("</svg>")
    }
}

/// A bar: its parts from the left, and what is written behind it.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    pub(super) parts: Vec<(Fill, i64)>,
    pub(super) note: String,
}

/// Rows of bars: one bar or several side by side, each with a scale of its own.
#[derive(Debug, Clone)]
pub(super) struct Bars<'a> {
    /// Unique on the page.
    pub(super) id: &'a str,
    /// What is seen, in words.
    pub(super) title: String,
    /// What each bar of a row counts; one for each.
    pub(super) heads: &'a [&'static str],
    /// Name and bars; the sum of a bar's counted parts is written behind it.
    pub(super) rows: Vec<(String, Vec<Bar>)>,
    /// Pixels for the names.
    pub(super) names: i64,
}

impl Bars<'_> {
    pub(super) fn draw(&self) -> Drawing {
        Drawing(self.to_string())
    }

    fn top(&self) -> i64 {
        if self.heads.is_empty() { 4 } else { TOP }
    }

    /// Where the bars of a row begin, counted from above.
    fn y(&self, row: i64) -> i64 {
        self.top() + row * ROW + (ROW - BAR) / 2
    }

    fn bottom(&self) -> i64 {
        self.y(i64::try_from(self.rows.len()).unwrap_or_default())
    }

    /// The bars that stand below each other from `left` on, the longest of them `room` long.
    fn write_group(&self, svg: &mut fmt::Formatter<'_>, group: usize, (left, room): (i64, i64)) -> fmt::Result {
        if let Some(head) = self.heads.get(group) {
            write!(svg, "<text class=\"b\" x=\"{left}\" y=\"12\">{}</text>", escaped(head))?;
        }
        write!(svg, "<path class=\"axis\" d=\"M{left} {}V{}\"/>", self.top(), self.bottom())?;
        let bars: Vec<&Bar> = self.rows.iter().filter_map(|(_, bars)| bars.get(group)).collect();
        let length = |bar: &Bar| bar.parts.iter().map(|(_, value)| *value).sum::<i64>();
        let longest = bars.iter().map(|bar| length(bar)).max().unwrap_or_default();
        for (row, bar) in (0..).zip(bars) {
            let (y, mut from, mut done) = (self.y(row), left, 0);
            for (fill, value) in &bar.parts {
                done += value;
                let to = along(left, left + room, done, longest);
                if to > from {
                    let (width, paint) = (to - from, fill.paint(self.id));
                    write!(svg, "<rect x=\"{from}\" y=\"{y}\" width=\"{width}\" height=\"{BAR}\" {paint}/>")?;
                }
                from = to;
            }
            write!(svg, "<text x=\"{}\" y=\"{}\">{}</text>", from + 6, y + 12, escaped(&bar.note))?;
        }
        Ok(())
    }
}

impl fmt::Display for Bars<'_> {
    fn fmt(&self, svg: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.rows.iter().flat_map(|(_, bars)| bars).flat_map(|bar| &bar.parts);
        open(svg, self.id, (WIDTH, self.bottom() + 4), &self.title, parts)?;
        let groups = self.rows.iter().map(|(_, bars)| bars.len()).max().unwrap_or_default();
        let wide = i64::try_from(groups).unwrap_or(i64::MAX);
        for (group, index) in (0..groups).zip(0..) {
            let (left, next) = (along(self.names, WIDTH, index, wide), along(self.names, WIDTH, index + 1, wide));
            // The longest bar leaves room for what is written behind it.
            let written = if groups == 1 { 140 } else { 60 };
            self.write_group(svg, group, (left, next - left - written))?;
        }
        for (row, (name, _)) in (0..).zip(&self.rows) {
            let (x, y) = (self.names - 8, self.y(row) + 12);
            write!(svg, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\">{}</text>", escaped(name))?;
        }
        svg.write_str("</svg>")
    }
}

/// Begins a drawing, with its title and the hatchings that it uses.
fn open<'a>(
    svg: &mut fmt::Formatter<'_>,
    id: &str,
    (width, height): (i64, i64),
    title: &str,
    parts: impl Iterator<Item = &'a (Fill, i64)>,
) -> fmt::Result {
    write!(svg, "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-t\">")?;
    write!(svg, "<title id=\"{id}-t\">{}</title>", escaped(title))?;
    let mut fills: Vec<Fill> = parts.map(|(fill, _)| *fill).filter(|fill| fill.hatching.is_some()).collect();
    fills.sort_unstable();
    fills.dedup();
    if !fills.is_empty() {
        let patterns: String = fills.into_iter().map(|fill| fill.pattern(id)).collect();
        write!(svg, "<defs>{patterns}</defs>")?;
    }
    Ok(())
}

/// `from + (to − from) × part / whole`, rounded down.
fn along(from: i64, to: i64, part: i64, whole: i64) -> i64 {
    let offset = i128::from(to - from) * i128::from(part) / i128::from(whole.max(1));
    from + i64::try_from(offset).unwrap_or_default()
}

/// The step between two lines of the axis, and how many there are: round figures, three to six of them.
fn axis(tallest: i64, decimals: u32) -> (i64, i64) {
    let unit = 10_i64.saturating_pow(decimals);
    let mut power = unit;
    loop {
        for factor in [1, 2, 4, 5] {
            let step = power.saturating_mul(factor);
            let steps = (tallest.saturating_add(step - 1) / step).max(1);
            if steps <= 6 {
                return (step, steps);
            }
        }
        power = power.saturating_mul(10);
    }
}

/// A figure of a drawing: whole units, grouped.
fn figure(value: i64, decimals: u32) -> String {
    let unit = 10_i64.saturating_pow(decimals);
    grouped(&(value.saturating_add(unit / 2) / unit).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_few_round_lines() {
        for (tallest, decimals, told) in [
            (0, 0, (1, 1)),
            (1, 0, (1, 1)),
            (6, 0, (1, 6)),
            (7, 0, (2, 4)),
            (13, 0, (4, 4)),
            (1_721_460, 2, (400_000, 5)),
            (2_400_000, 2, (400_000, 6)),
            (9_999, 0, (2_000, 5)),
            (50, 2, (100, 1)),
            (678, 0, (200, 4)),
        ] {
            assert_eq!(axis(tallest, decimals), told, "{tallest}");
        }
    }

    #[test]
    fn what_customers_write_is_escaped_and_nothing_leaves_the_drawing() {
        let columns = Columns {
            id: "x",
            title: "<b>".to_owned(),
            unit: "<EUR>",
            columns: vec![Column {
                label: "<i>".to_owned(),
                parts: vec![(Fill::FIRST.hatched(), 7), (Fill::SECOND, 0)],
            }],
            decimals: 0,
            width: WIDTH,
            height: 200,
            ends_now: true,
        };
        let drawn = columns.draw().0;
        for tag in ["<b>", "<i>", "<EUR>"] {
            assert!(!drawn.contains(tag), "{drawn}");
        }
        assert!(drawn.contains("id=\"x-a\"") && drawn.contains("url(#x-a)"), "{drawn}");
        assert_eq!(drawn.matches("<rect x=").count(), 1, "a part of nothing is not drawn: {drawn}");
    }

    #[test]
    fn bars_of_a_row_have_their_own_scales() {
        let bar = |value: i64| Bar { parts: vec![(Fill::FIRST, value)], note: value.to_string() };
        let rows = vec![("a".to_owned(), vec![bar(1), bar(1_000)]), ("b".to_owned(), vec![bar(0), bar(0)])];
        let drawn = Bars { id: "x", title: String::new(), heads: &["One", "Two"], rows, names: 100 }.draw().0;
        assert_eq!(drawn.matches("width=\"210\"").count(), 2, "{drawn}");
    }
}
