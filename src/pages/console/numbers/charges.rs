//! Charges held, due and reported, by week.

use super::{
    Picture, Sketch,
    chart::{Column, Columns, Fill, Series, WIDTH},
    ground::{Ground, Period, minor, plain},
};
use crate::{
    domain::{
        money::Currency,
        numbers::{Mark, Topic, week_of},
    },
    pages::console::table::{Cell, Column as Head, Row},
};

const COLUMNS: [Head; 6] = [
    Head::text("Week"),
    Head::number("Reported"),
    Head::number("Held"),
    Head::number("Due"),
    Head::number("Waiting for a person"),
    Head::text("Currency"),
];
const OPEN: [(Topic, &str, Fill); 3] = [
    (Topic::Held, "held", Fill::THIRD),
    (Topic::Due, "due", Fill::FIRST),
    (Topic::Stuck, "waiting for a person", Fill::THIRD),
];

/// What is held is normal, and hatched.
fn fill(topic: Topic, fill: Fill) -> Fill {
    if topic == Topic::Held { fill.hatched() } else { fill }
}

/// The picture.
pub(super) fn picture(ground: &Ground<'_>) -> Picture {
    let mut currencies = ground.currencies(Topic::Reported);
    let of_held =
        ground.currencies(Topic::Held).into_iter().filter(|one| !currencies.contains(one)).collect::<Vec<_>>();
    currencies.extend(of_held);
    let currency = currencies.first().copied().unwrap_or(Currency::EUR);
    let amount = |topic: Topic, week: &str, currency: Currency| {
        minor(ground.sum(topic, |of| of.period == week && of.currency == currency.code()))
    };
    let weeks = ground.weeks();
    let column = |week: &Period, parts| Column { label: week.label.clone(), parts };
    let reported =
        weeks.iter().map(|week| column(week, vec![(Fill::SECOND, amount(Topic::Reported, &week.key, currency))]));
    let open = weeks.iter().map(|week| {
        column(week, OPEN.map(|(topic, _, one)| (fill(topic, one), amount(topic, &week.key, currency))).to_vec())
    });
    let chart = |id, title: &str, columns| {
        let chart = Columns {
            id,
            title: format!("{title}, in {currency}"),
            unit: currency.code(),
            columns,
            decimals: currency.decimals(),
            width: WIDTH,
            height: 150,
            ends_now: true,
        };
        (title.to_owned(), chart.draw())
    };
    let drawings = vec![
        chart("reported", "Reported in the week", reported.collect()),
        chart("open", "Held, due and waiting for a person at its end", open.collect()),
    ];
    let now = week_of(ground.today);
    let resold = [Topic::Held, Topic::Due, Topic::Stuck]
        .map(|topic| ground.sum(topic, |of| of.period == now && of.mark == Mark::Reseller).count);
    let resold = match resold.iter().sum::<i64>() {
        0 => String::new(),
        count => format!("{count} charges of reseller deals are open, without amounts. "),
    };
    let rows = weeks.iter().flat_map(|week| currencies.iter().map(|currency| row(week, *currency, &amount)));
    let series = |(topic, name, one): (Topic, &str, Fill)| Series { name: name.to_owned(), fill: fill(topic, one) };
    Picture::new(Sketch {
        id: "charges",
        short: "Charges",
        title: "Charges held, due and reported",
        unit: format!("{currency}, by ISO week, last 12 weeks"),
        series: [Series { name: "reported".to_owned(), fill: Fill::SECOND }]
            .into_iter()
            .chain(OPEN.map(series))
            .collect(),
        drawings,
        caption: format!(
            "Now {} {currency} are held, {} due, {} wait for a person. Held is normal: trials, grace periods, suspensions. \
             {resold}What was held at the end of a week is kept from then on; it \
             is not reckoned again.",
            plain(amount(Topic::Held, &now, currency), currency),
            plain(amount(Topic::Due, &now, currency), currency),
            plain(amount(Topic::Stuck, &now, currency), currency),
        ),
        columns: &COLUMNS,
        rows: rows.collect(),
    })
}

fn row(week: &Period, currency: Currency, amount: &dyn Fn(Topic, &str, Currency) -> i64) -> Row {
    let topics = [Topic::Reported, Topic::Held, Topic::Due, Topic::Stuck];
    let amounts = topics.map(|topic| plain(amount(topic, &week.key, currency), currency));
    let cells = [week.name.clone()].into_iter().chain(amounts).chain([currency.code().to_owned()]);
    cells.map(Cell::text).collect()
}
