//! Renewals and planned downgrades ahead.

use super::{
    Picture, Sketch,
    chart::{Column, Columns, Fill, Series, WIDTH},
    ground::{Ground, Period, minor, plain},
};
use crate::{
    domain::{
        money::{Currency, grouped},
        numbers::{Mark, Of, Tally, Topic},
    },
    pages::{
        console::table::{Cell, Column as Head, Row},
        words,
    },
};

const COLUMNS: [Head; 8] = [
    Head::text("Month"),
    Head::text("Offer"),
    Head::text("Whose"),
    Head::number("Renewals"),
    Head::number("Users"),
    Head::number("Downgrades"),
    Head::number("Users fewer"),
    Head::number("Fees, less downgrades"),
];

/// The picture.
pub(super) fn picture(ground: &Ground<'_>) -> Picture {
    let currency = ground.currencies(Topic::Renewal).first().copied().unwrap_or(Currency::EUR);
    let fees =
        |topic: Topic, month: &str| minor(ground.sum(topic, |of| of.period == month && of.currency == currency.code()));
    let months = ground.months_ahead();
    let columns = months.iter().map(|month| {
        let (all, taken) = (fees(Topic::Renewal, &month.key), fees(Topic::Downgrade, &month.key));
        Column { label: month.label.clone(), parts: vec![(Fill::FIRST, all - taken), (Fill::FIRST.hatched(), taken)] }
    });
    let sum = |topic: Topic| months.iter().map(|month| fees(topic, &month.key)).sum::<i64>();
    let (all, taken) = (plain(sum(Topic::Renewal), currency), plain(sum(Topic::Downgrade), currency));
    let title = format!("Renewal fees in {currency} by month: {all}, of which planned downgrades take away {taken}");
    let chart = Columns {
        id: "renewals",
        title,
        unit: currency.code(),
        columns: columns.collect(),
        decimals: currency.decimals(),
        width: WIDTH,
        height: 240,
        ends_now: false,
    };
    let is_ahead = |of: &Of| months.iter().any(|month| month.key == of.period);
    let renewing = ground.sum(Topic::Renewal, is_ahead).count;
    let fewer = ground.sum(Topic::Downgrade, is_ahead).count;
    Picture::new(Sketch {
        id: "renewals",
        short: "Renewals ahead",
        title: "Renewals ahead",
        unit: format!("{currency}, fees of the new term"),
        series: vec![
            Series { name: "to expect".to_owned(), fill: Fill::FIRST },
            Series { name: "taken away by planned downgrades".to_owned(), fill: Fill::FIRST.hatched() },
        ],
        drawings: vec![(String::new(), chart.draw())],
        caption: format!(
            "{} in the next twelve months, of all currencies and resellers. {} take {taken} {currency} of {all} {currency}, at \
             the prices of the present terms. Monthly plans renew every month and are left out, and so is what will not renew \
             by itself.",
            words::sentence(&words::counted(u32::try_from(renewing).unwrap_or_default(), "renewal"))
                .trim_end_matches('.'),
            words::counted(u32::try_from(fewer).unwrap_or_default(), "planned downgrade"),
        ),
        columns: &COLUMNS,
        rows: months.iter().flat_map(|month| rows(ground, month)).collect(),
    })
}

fn rows(ground: &Ground<'_>, month: &Period) -> Vec<Row> {
    let mut rows = Vec::new();
    for offer in ground.offers(Topic::Renewal) {
        for mark in [Mark::Direct, Mark::Reseller] {
            let meant = |of: &Of| of.period == month.key && of.offer_id == offer && of.mark == mark;
            let counted = |topic| ground.sum(topic, |of| meant(of) && of.currency.is_empty());
            let (all, fewer): (Tally, Tally) = (counted(Topic::Renewal), counted(Topic::Downgrade));
            if all.count == 0 {
                continue;
            }
            let number = |value: i64| Cell::text(grouped(&value.to_string()));
            let fees: Vec<String> = ground
                .currencies(Topic::Renewal)
                .into_iter()
                .filter_map(|currency| {
                    let of = |topic| minor(ground.sum(topic, |of| meant(of) && of.currency == currency.code()));
                    let (all, taken) = (of(Topic::Renewal), of(Topic::Downgrade));
                    let less = if taken > 0 { format!(" − {}", plain(taken, currency)) } else { String::new() };
                    (all > 0).then(|| format!("{}{less} {currency}", plain(all, currency)))
                })
                .collect();
            rows.push(vec![
                Cell::text(&month.name),
                Cell::text(ground.offer_name(&offer)),
                Cell::text(if mark == Mark::Direct { "direct" } else { "reseller" }),
                number(all.count),
                number(all.users),
                number(fewer.count),
                number(fewer.users),
                Cell::text(fees.join(", ")),
            ]);
        }
    }
    rows
}
