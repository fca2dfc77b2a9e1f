//! Subscriptions and users by segment.

use std::collections::BTreeSet;

use super::{
    Picture, Sketch,
    chart::{Bar, Bars, Fill, Series},
    ground::{COLOURS, Ground},
};
use crate::{
    domain::{
        money::grouped,
        numbers::{Mark, Tally, Topic, month_of},
    },
    pages::{
        console::table::{Cell, Column, Row},
        words,
    },
};

const COLUMNS: [Column; 6] = [
    Column::text("Offer"),
    Column::text("Segment"),
    Column::number("Subscriptions"),
    Column::number("Users"),
    Column::number("Of resellers"),
    Column::number("Their users"),
];

/// A segment: what is direct, and what is resold.
struct Found {
    offer_id: String,
    segment: String,
    fill: Fill,
    direct: Tally,
    resold: Tally,
}

impl Found {
    fn together(&self) -> Tally {
        self.direct.plus(self.resold)
    }
}

/// The picture.
pub(super) fn picture(ground: &Ground<'_>) -> Picture {
    let found = segments(ground);
    let all = found.iter().fold(Tally::default(), |sum, one| sum.plus(one.together()));
    let bar = |one: &Found, figure: fn(&Tally) -> i64| Bar {
        parts: vec![(one.fill, figure(&one.direct)), (one.fill.hatched(), figure(&one.resold))],
        note: grouped(&figure(&one.together()).to_string()),
    };
    let rows = found
        .iter()
        .map(|one| (one.segment.clone(), vec![bar(one, |tally| tally.count), bar(one, |tally| tally.users)]));
    let told = format!("{} with {}", words::counted(count(all.count), "subscription"), words::users(count(all.users)));
    let title = format!("Subscriptions and users by segment: {told}");
    let bars = Bars { id: "segments", title, heads: &["Subscriptions", "Users"], rows: rows.collect(), names: 170 };
    let mut series: Vec<Series> = Vec::new();
    for one in &found {
        if !series.iter().any(|series| series.fill == one.fill) {
            series.push(Series { name: ground.offer_name(&one.offer_id), fill: one.fill });
        }
    }
    series.extend(
        found
            .iter()
            .any(|one| one.resold.count > 0)
            .then(|| Series { name: "of resellers".to_owned(), fill: Fill::THIRD.hatched() }),
    );
    Picture::new(Sketch {
        id: "segments",
        short: "Segments",
        title: "Subscriptions and users by segment",
        unit: "number, in use now".to_owned(),
        series,
        drawings: vec![(String::new(), bars.draw())],
        caption: format!(
            "{told}, of all currencies, resellers included. The segment is the one that was chosen as the cheapest, not the \
             one whose range the users fall in."
        ),
        columns: &COLUMNS,
        rows: found.iter().map(|one| row(ground, one)).collect(),
    })
}

fn count(number: i64) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// The segments of the catalog, those without anybody too; behind them what the catalog does not have any more.
fn segments(ground: &Ground<'_>) -> Vec<Found> {
    let present = month_of(ground.today);
    let mut found = Vec::new();
    for (index, offer_id) in ground.offers(Topic::Segment).into_iter().enumerate() {
        let fill = COLOURS.get(index).or(COLOURS.last()).copied().unwrap_or(Fill::THIRD);
        let offer = ground.catalog.offers.iter().find(|offer| *offer.id == *offer_id);
        let of_catalog = offer.into_iter().flat_map(|offer| &offer.plans).flat_map(|plan| plan.segments());
        let mut names: Vec<String> = of_catalog.map(|segment| segment.name.to_string()).collect();
        names
            .extend(ground.of(Topic::Segment).filter(|(of, _)| of.offer_id == offer_id).map(|(of, _)| of.item.clone()));
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        for segment in names {
            let sum = |mark: Mark| {
                ground.sum(Topic::Segment, |of| {
                    of.period == present && of.offer_id == offer_id && of.item == segment && of.mark == mark
                })
            };
            let (direct, resold) = (sum(Mark::Direct), sum(Mark::Reseller));
            found.push(Found { offer_id: offer_id.clone(), segment, fill, direct, resold });
        }
    }
    found
}

fn row(ground: &Ground<'_>, one: &Found) -> Row {
    let number = |value: i64| Cell::text(grouped(&value.to_string()));
    vec![
        Cell::text(ground.offer_name(&one.offer_id)),
        Cell::text(&one.segment),
        number(one.together().count),
        number(one.together().users),
        number(one.resold.count),
        number(one.resold.users),
    ]
}
