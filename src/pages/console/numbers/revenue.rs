//! Recurring revenue by month and offer, in the main currency and in the others.

use super::{
    Picture, Sketch,
    chart::{Column, Columns, Fill, HALF, Series, WIDTH},
    ground::{COLOURS, Ground, minor, plain},
};
use crate::{
    domain::{
        money::Currency,
        numbers::{Mark, Of, Topic, month_of},
    },
    pages::{
        console::table::{Cell, Column as Head, Row},
        words,
    },
};

/// So many other currencies are drawn; the table has all.
const OTHERS: usize = 4;

const COLUMNS: [Head; 4] = [Head::text("Month"), Head::text("Offer"), Head::number("A month"), Head::text("Currency")];

/// The pictures: one of the main currency, one of the others where there are any.
pub(super) fn pictures(ground: &Ground<'_>) -> Vec<Picture> {
    let currencies = ground.currencies(Topic::Revenue);
    let Some((main, others)) = currencies.split_first() else { return vec![main_currency(ground, Currency::EUR)] };
    let mut pictures = vec![main_currency(ground, *main)];
    if !others.is_empty() {
        pictures.push(other_currencies(ground, others));
    }
    pictures
}

fn main_currency(ground: &Ground<'_>, currency: Currency) -> Picture {
    let mut offers = ground.offers(Topic::Revenue);
    offers.retain(|offer| {
        ground.of(Topic::Revenue).any(|(of, _)| of.offer_id == *offer && of.currency == currency.code())
    });
    let series: Vec<Series> =
        COLOURS.iter().zip(&offers).map(|(fill, id)| Series { name: ground.offer_name(id), fill: *fill }).collect();
    let rest = offers.len().saturating_sub(series.len());
    let more =
        (rest > 0).then(|| Series { name: words::counted(count(rest), "other offer"), fill: Fill::THIRD.hatched() });
    let level = |month: &str, is_meant: &dyn Fn(&str) -> bool| {
        let meant = |of: &Of| of.period == month && of.currency == currency.code() && is_meant(&of.offer_id);
        minor(ground.sum(Topic::Revenue, meant))
    };
    let columns = ground.months().into_iter().map(|month| {
        let of_offers =
            offers.iter().zip(&series).map(|(id, series)| (series.fill, level(&month.key, &|offer| offer == id)));
        let of_rest = level(&month.key, &|offer| offers.iter().skip(series.len()).any(|one| one == offer));
        let parts = of_offers.chain((rest > 0).then_some((Fill::THIRD.hatched(), of_rest))).collect();
        Column { label: month.label, parts }
    });
    let columns: Vec<Column> = columns.collect();
    let today = level(&month_of(ground.today), &|_| true);
    let title =
        format!("Recurring revenue in {currency} by month, stacked by offer: {} a month now", plain(today, currency));
    let chart = Columns {
        id: "revenue",
        title,
        unit: currency.code(),
        columns,
        decimals: currency.decimals(),
        width: WIDTH,
        height: 240,
        ends_now: true,
    };
    Picture::new(Sketch {
        id: "revenue",
        short: "Revenue",
        title: "Recurring revenue by month and offer",
        unit: format!("{currency} a month, without VAT"),
        series: series.into_iter().chain(more).collect(),
        drawings: vec![(String::new(), chart.draw())],
        caption: caption(ground, currency, today),
        columns: &COLUMNS,
        rows: rows(ground, |of| of.currency == currency.code()),
    })
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn caption(ground: &Ground<'_>, currency: Currency, today: i64) -> String {
    let present = month_of(ground.today);
    let direct = ground.sum(Topic::Revenue, |of| of.period == present && of.currency == currency.code()).count;
    let resold = ground.sum(Topic::Segment, |of| of.period == present && of.mark == Mark::Reseller).count;
    let tests = ground.tallies.iter().filter(|(of, _)| of.topic == Topic::Segment && of.period == present);
    let tests: i64 = tests.filter(|(of, _)| of.mark == Mark::Test).map(|(_, tally)| tally.count).sum();
    format!(
        "{} {currency} a month now, from {}. A yearly fee counts a twelfth each month, a fee for a part of a term as that of \
         the whole one; trials count when they are over. {currency} only; reseller deals ({resold}) have no amounts, tests \
         ({tests}) are not counted.",
        plain(today, currency),
        words::counted(u32::try_from(direct).unwrap_or_default(), "subscription"),
    )
}

fn other_currencies(ground: &Ground<'_>, currencies: &[Currency]) -> Picture {
    let present = month_of(ground.today);
    let sum = |month: &str, currency: Currency| {
        minor(ground.sum(Topic::Revenue, |of| of.period == month && of.currency == currency.code()))
    };
    let drawings = currencies.iter().take(OTHERS).map(|currency| {
        let column = |label: String, key: &str| Column { label, parts: vec![(Fill::FIRST, sum(key, *currency))] };
        let months = ground.months().into_iter().map(|month| column(month.label.chars().take(1).collect(), &month.key));
        let (id, title) = (format!("revenue-{}", currency.code()), format!("Recurring revenue in {currency} by month"));
        let chart = Columns {
            id: &id,
            title,
            unit: currency.code(),
            columns: months.collect(),
            decimals: currency.decimals(),
            width: HALF,
            height: 170,
            ends_now: true,
        };
        (format!("{currency} a month"), chart.draw())
    });
    let told = currencies.iter().map(|currency| format!("{} {currency}", plain(sum(&present, *currency), *currency)));
    Picture::new(Sketch {
        id: "others",
        short: "Other currencies",
        title: "Recurring revenue in other currencies",
        unit: "each in its own, never added up".to_owned(),
        series: Vec::new(),
        drawings: drawings.collect(),
        caption: format!("{} a month now. The scales differ.", words::listed(&told.collect::<Vec<_>>())),
        columns: &COLUMNS,
        rows: rows(ground, |of| currencies.iter().any(|currency| currency.code() == of.currency)),
    })
}

fn rows(ground: &Ground<'_>, is_meant: impl Fn(&Of) -> bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for month in ground.months() {
        for (of, tally) in ground.of(Topic::Revenue).filter(|(of, _)| of.period == month.key && is_meant(of)) {
            let Ok(currency) = of.currency.parse::<Currency>() else { continue };
            let amount = plain(minor(tally), currency);
            rows.push(vec![
                Cell::text(&month.name),
                Cell::text(ground.offer_name(&of.offer_id)),
                Cell::text(amount),
                Cell::text(currency.code()),
            ]);
        }
    }
    rows
}
