//! The table at the end: what was measured, its limit in the same run, the goal.

/// One line of it.
pub(crate) struct Row {
    /// What was measured.
    pub(crate) what: String,
    /// The figure.
    pub(crate) ours: String,
    /// The limit's figure in the same run.
    pub(crate) limit: String,
    /// How the two stand to each other.
    pub(crate) ratio: String,
    /// What was hoped for; empty = only told.
    pub(crate) goal: &'static str,
    /// Whether it was reached.
    pub(crate) met: bool,
}

impl Row {
    /// A rate beside the highest rate that could be; the goal is a share of it.
    pub(crate) fn rate(what: impl Into<String>, [ours, limit]: [f64; 2], share: f64, goal: Option<Share>) -> Self {
        Self {
            what: what.into(),
            ours: per_second(ours),
            limit: per_second(limit),
            ratio: format!("{:.0} %", share * 100.0),
            goal: goal.as_ref().map_or("", |goal| goal.text),
            met: goal.is_none_or(|goal| share >= goal.share),
        }
    }
}

/// A goal: at least this share of the limit.
pub(crate) struct Share {
    share: f64,
    text: &'static str,
}

/// At least 40 % of the limit.
pub(crate) const TWO_FIFTHS: Share = Share { share: 0.4, text: "≥ 40 %" };
/// At least 60 % of the limit.
pub(crate) const THREE_FIFTHS: Share = Share { share: 0.6, text: "≥ 60 %" };

/// At least 80 % of the limit.
pub(crate) const FOUR_FIFTHS: Share = Share { share: 0.8, text: "≥ 80 %" };

/// At least 70 % of the limit.
pub(crate) const SEVEN_TENTHS: Share = Share { share: 0.7, text: "≥ 70 %" };

/// `17.3 ms`
pub(crate) fn milliseconds(value: f64) -> String {
    time(value / 1e3)
}

/// `12,300 /s`, to three digits.
pub(crate) fn per_second(rate: f64) -> String {
    let magnitude = 10_f64.powf((rate.log10().floor() - 2.0).max(0.0));
    format!("{} /s", seatkey::domain::money::grouped(&format!("{:.0}", (rate / magnitude).round() * magnitude)))
}

/// `640 ns`, `17.3 µs`, `42.0 ms`.
pub(crate) fn time(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s < 1e-6 => (s * 1e9, "ns"),
        s if s < 1e-3 => (s * 1e6, "µs"),
        s => (s * 1e3, "ms"),
    };
    let digits = usize::from(value < 100.0) + usize::from(value < 10.0);
    format!("{value:.digits$} {unit}")
}

/// The table as Markdown.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut text = String::from("| What | Seatkey | Limit | Ratio | Goal | |\n|---|---:|---:|---:|---|---|\n");
    for row in rows {
        let verdict = match (row.goal.is_empty(), row.met) {
            (true, _) => "",
            (false, true) => "met",
            (false, false) => "**missed**",
        };
        let Row { what, ours, limit, ratio, goal, .. } = row;
        text.push_str(&format!("| {what} | {ours} | {limit} | {ratio} | {goal} | {verdict} |\n"));
    }
    text
}
