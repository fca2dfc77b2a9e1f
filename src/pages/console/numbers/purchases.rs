//! From purchase to key: how many stop at which step.

use super::{
    Picture, Sketch,
    chart::{Bar, Bars, Fill, Series},
    ground::Ground,
};
use crate::{
    domain::{
        money::grouped,
        numbers::{Step, Topic},
    },
    pages::console::table::{Cell, Column},
};

const COLUMNS: [Column; 3] =
    [Column::text("Step"), Column::number("Came this far"), Column::number("Stopped before it")];
/// Purchases of so many months, the present one among them: old ones have come as far as they will.
const MONTHS: usize = 3;

fn name(step: Step) -> &'static str {
    match step {
        Step::Bought => "Bought",
        Step::Quoted => "Reviewed a quote",
        Step::Ordered => "Submitted",
        Step::Subscribed => "Subscribed at Microsoft",
        Step::Signed => "Key signed",
        Step::Mailed => "Key mailed",
    }
}

/// The picture.
pub(super) fn picture(ground: &Ground<'_>) -> Picture {
    let months = ground.months();
    let shown = months.get(months.len().saturating_sub(MONTHS)..).unwrap_or_default();
    let is_shown = |period: &str| shown.iter().any(|month| month.key == period);
    let came = |step: Step| ground.sum(Topic::Purchase, |of| is_shown(&of.period) && of.item == step.as_str()).count;
    let mut before = came(Step::Bought);
    let steps: Vec<(Step, i64, i64)> = Step::ALL
        .into_iter()
        .map(|step| {
            let (count, stopped) = (came(step), (before - came(step)).max(0));
            before = count;
            (step, count, stopped)
        })
        .collect();
    let (bought, mailed) = (came(Step::Bought), came(Step::Mailed));
    let rows = steps.iter().map(|(step, count, stopped)| {
        let number = grouped(&count.to_string());
        let note = if *stopped > 0 { format!("{number}; {stopped} stopped before") } else { number };
        let parts = vec![(Fill::FIRST, *count), (Fill::THIRD.hatched(), *stopped)];
        (name(*step).to_owned(), vec![Bar { parts, note }])
    });
    let title = format!("From purchase to key: {bought} bought, {mailed} got a key by mail");
    let bars = Bars { id: "purchases", title, heads: &[], rows: rows.collect(), names: 170 };
    let since = shown.first().map(|month| month.name.as_str()).unwrap_or_default();
    Picture::new(Sketch {
        id: "purchases",
        short: "Purchase to key",
        title: "From purchase to key",
        unit: format!("purchases since {since}"),
        series: vec![
            Series { name: "came this far".to_owned(), fill: Fill::FIRST },
            Series { name: "stopped before it".to_owned(), fill: Fill::THIRD.hatched() },
        ],
        drawings: vec![(String::new(), bars.draw())],
        caption: caption(bought, mailed),
        columns: &COLUMNS,
        rows: steps
            .iter()
            .map(|(step, count, stopped)| [name(*step).to_owned(), count.to_string(), stopped.to_string()])
            .map(|cells| cells.map(Cell::text).to_vec())
            .collect(),
    })
}

fn caption(bought: i64, mailed: i64) -> String {
    let share = mailed.saturating_mul(100).checked_div(bought);
    let share = share.map(|share| format!(" ({share} %)")).unwrap_or_default();
    format!(
        "{mailed} of {bought} got a key by mail{share}. A purchase is counted from when it is known: its buyer came, or the \
         comparison with Microsoft found it. Those that nobody configures stand under Today."
    )
}
