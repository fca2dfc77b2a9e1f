//! Trials with a purchase, and what became of them.

use super::{
    Picture, Sketch,
    chart::{Column, Columns, Fill, Series, WIDTH},
    ground::Ground,
};
use crate::{
    domain::numbers::{Outcome, Topic},
    pages::console::table::{Cell, Column as Head},
};

const COLUMNS: [Head; 5] = [
    Head::text("Month"),
    Head::text("Offer"),
    Head::number("Converted"),
    Head::number("Running"),
    Head::number("Ended without a fee"),
];
const SERIES: [(Outcome, &str, Fill); 3] = [
    (Outcome::Converted, "converted", Fill::SECOND),
    (Outcome::Running, "running", Fill::FIRST),
    (Outcome::Lost, "ended without a fee", Fill::THIRD),
];

/// The picture.
pub(super) fn picture(ground: &Ground<'_>) -> Picture {
    let count = |month: &str, offer: Option<&str>, outcome: Outcome| {
        let is_meant = |id: &str| offer.is_none_or(|offer| offer == id);
        let sum =
            ground.sum(Topic::Trial, |of| of.period == month && of.item == outcome.as_str() && is_meant(&of.offer_id));
        sum.count
    };
    // Running ones may convert yet: they are drawn hatched.
    let fill = |outcome: Outcome, fill: Fill| if outcome == Outcome::Running { fill.hatched() } else { fill };
    let months = ground.months();
    let columns = months.iter().map(|month| Column {
        label: month.label.clone(),
        parts: SERIES
            .iter()
            .map(|(outcome, _, one)| (fill(*outcome, *one), count(&month.key, None, *outcome)))
            .collect(),
    });
    let sum = |outcome: Outcome| months.iter().map(|month| count(&month.key, None, outcome)).sum::<i64>();
    let [converted, running, lost] = Outcome::ALL.map(sum);
    let title = format!(
        "Trials by the month in which they began: {converted} converted, {running} running, {lost} ended without a fee"
    );
    let chart = Columns {
        id: "trials",
        title,
        unit: "trials",
        columns: columns.collect(),
        decimals: 0,
        width: WIDTH,
        height: 240,
        ends_now: true,
    };
    let mut rows = Vec::new();
    for month in &months {
        for offer in ground.offers(Topic::Trial) {
            let counts = Outcome::ALL.map(|outcome| count(&month.key, Some(&offer), outcome));
            if counts.iter().any(|count| *count > 0) {
                let cells = [month.name.clone(), ground.offer_name(&offer)]
                    .into_iter()
                    .chain(counts.map(|count| count.to_string()));
                rows.push(cells.map(Cell::text).collect());
            }
        }
    }
    let decided = converted + lost;
    let share = (converted * 100).checked_div(decided).map(|share| format!(" ({share} %)")).unwrap_or_default();
    Picture::new(Sketch {
        id: "trials",
        short: "Trials",
        title: "Trials and their conversion",
        unit: "trials, by the month in which they began".to_owned(),
        series: SERIES.map(|(outcome, name, one)| Series { name: name.to_owned(), fill: fill(outcome, one) }).to_vec(),
        drawings: vec![(String::new(), chart.draw())],
        caption: format!(
            "{converted} of {decided} that are decided brought a fee{share}; {running} are running. Trials of a purchase, also \
             of resellers; what sales granted without one stands in the room Trials."
        ),
        columns: &COLUMNS,
        rows,
    })
}
