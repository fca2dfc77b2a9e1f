//! The numbers of the business, as pictures with a table below each: drawn from the roll-up that a job keeps
//! (`app/roll_up.rs`).
//!
//! Invariants: currencies are never added up; no amount of a reseller deal is in any figure; tests are not counted.

mod charges;
mod chart;
mod ground;
mod purchases;
mod renewals;
mod revenue;
mod segments;
mod trials;

use serde::Serialize;
use time::OffsetDateTime;

use self::{
    chart::{Drawing, Legend, Series},
    ground::Ground,
};
use super::{
    frame::ConsoleFrame,
    list::Filter,
    samples,
    table::{Cell, Column, Row, Table},
};
use crate::{
    domain::{
        catalog::Catalog,
        money::Currency,
        numbers::{Mark, Of, Tallies, Tally, Topic},
        time::utc_day,
    },
    pages::Page,
};

/// The filters of the file: a picture, as the links below them name it, and an offer.
pub const FILTERS: &[Filter] = &[
    Filter {
        name: "picture",
        label: "Picture",
        choices: &["revenue", "others", "segments", "purchases", "trials", "renewals", "charges"],
    },
    Filter { name: "offer", label: "Offer", choices: &[] },
];

/// The columns of the file: the roll-up as it is. Figures are plain, so that a spreadsheet reads them.
pub const COLUMNS: &[Column] = &[
    Column::text("Topic"),
    Column::text("Period"),
    Column::text("Offer"),
    Column::text("Item"),
    Column::text("Mark"),
    Column::number("Count"),
    Column::number("Users"),
    Column::number("Amount"),
    Column::text("Currency"),
];

/// What the pictures are drawn from, all together.
pub const DRAWN: [Topic; 10] = [
    Topic::Revenue,
    Topic::Segment,
    Topic::Purchase,
    Topic::Trial,
    Topic::Renewal,
    Topic::Downgrade,
    Topic::Reported,
    Topic::Held,
    Topic::Due,
    Topic::Stuck,
];

/// What a picture is drawn from; `None` = there is no such picture.
#[must_use]
pub fn topics_of(picture: &str) -> Option<&'static [Topic]> {
    Some(match picture {
        "revenue" | "others" => &[Topic::Revenue],
        "segments" => &[Topic::Segment],
        "purchases" => &[Topic::Purchase],
        "trials" => &[Topic::Trial],
        "renewals" => &[Topic::Renewal, Topic::Downgrade],
        "charges" => &[Topic::Reported, Topic::Held, Topic::Due, Topic::Stuck],
        _ => return None,
    })
}

/// A figure as a line of the file.
#[must_use]
pub fn row(of: &Of, tally: Tally) -> Row {
    let amount = of.currency.parse::<Currency>().ok().and_then(|currency| tally.amount(currency));
    let counted = tally.count.to_string();
    vec![
        Cell::text(of.topic.as_str()),
        Cell::text(&of.period),
        Cell::text(&of.offer_id),
        Cell::text(&of.item),
        Cell::text(of.mark.as_str()),
        Cell::text(counted),
        Cell::text(tally.users.to_string()),
        Cell::text(amount.map(|amount| amount.to_string()).unwrap_or_default()),
        Cell::text(&of.currency),
    ]
}

/// What the page is made of.
#[derive(Debug, Clone, Copy)]
pub struct NumbersFacts<'a> {
    /// The figures, of the chosen offer alone where one is chosen.
    pub tallies: &'a Tallies,
    /// When they were made; `None` = there are none yet.
    pub at: Option<OffsetDateTime>,
    /// Offers, their names and segments.
    pub catalog: &'a Catalog,
    /// The offers that there are figures of.
    pub offers: &'a [String],
    /// The offer that is chosen.
    pub chosen: Option<&'a str>,
    /// Now.
    pub now: OffsetDateTime,
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct Numbers {
    frame: ConsoleFrame,
    title: &'static str,
    at: Option<Cell>,
    offers: Vec<OfferView>,
    chosen: String,
    csv: String,
    pictures: Vec<Picture>,
}

#[derive(Debug, Clone, Serialize)]
struct OfferView {
    id: String,
    name: String,
}

/// What a picture is made of.
struct Sketch {
    id: &'static str,
    /// For the way to it.
    short: &'static str,
    title: &'static str,
    unit: String,
    series: Vec<Series>,
    /// Each with its heading, where it has one.
    drawings: Vec<(String, Drawing)>,
    caption: String,
    columns: &'static [Column],
    rows: Vec<Row>,
}

/// A picture, with its figures as a table below.
#[derive(Debug, Clone, Serialize)]
struct Picture {
    id: &'static str,
    short: &'static str,
    title: &'static str,
    unit: String,
    legend: Vec<Legend>,
    drawings: Vec<DrawingView>,
    caption: String,
    table: Table,
    csv: String,
}

#[derive(Debug, Clone, Serialize)]
struct DrawingView {
    heading: String,
    svg: Drawing,
}

impl Picture {
    fn new(sketch: Sketch) -> Self {
        let Sketch { id, short, title, unit, series, drawings, caption, columns, rows } = sketch;
        let table =
            Table { caption: title.to_owned(), columns: columns.to_vec(), rows, empty: "Nothing to count yet." };
        Self {
            id,
            short,
            title,
            unit,
            legend: series.iter().map(Legend::from).collect(),
            drawings: drawings.into_iter().map(|(heading, svg)| DrawingView { heading, svg }).collect(),
            caption,
            table,
            csv: String::new(),
        }
    }
}

impl Numbers {
    /// The page.
    #[must_use]
    pub fn new(frame: ConsoleFrame, facts: NumbersFacts<'_>) -> Self {
        let NumbersFacts { tallies, at, catalog, offers, chosen, now } = facts;
        let ground = Ground { tallies, catalog, today: utc_day(at.unwrap_or(now)) };
        let file = |picture: Option<&str>| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(picture.map(|picture| ("picture", picture)));
            query.extend_pairs(chosen.map(|offer| ("offer", offer)));
            format!("/console/numbers.csv?{}", query.finish()).trim_end_matches('?').to_owned()
        };
        let mut pictures = revenue::pictures(&ground);
        pictures.push(segments::picture(&ground));
        pictures.push(purchases::picture(&ground));
        pictures.push(trials::picture(&ground));
        pictures.push(renewals::picture(&ground));
        pictures.push(charges::picture(&ground));
        for picture in &mut pictures {
            picture.csv = file(Some(picture.id));
        }
        let view = |id: &String| OfferView { id: id.clone(), name: ground.offer_name(id) };
        Self {
            frame,
            title: "Numbers",
            at: at.map(Cell::at),
            offers: offers.iter().map(view).collect(),
            chosen: chosen.unwrap_or_default().to_owned(),
            csv: file(None),
            pictures: if at.is_some() { pictures } else { Vec::new() },
        }
    }
}

impl Page for Numbers {
    const TEMPLATE: &'static str = "console/numbers.html";

    fn samples() -> Vec<Self> {
        let Some(catalog) = crate::pages::samples::catalog() else { return Vec::new() };
        let tallies = sample_tallies();
        let offers = ["konnekt".to_owned(), samples::HOSTILE.to_owned()];
        let facts = NumbersFacts {
            tallies: &tallies,
            at: Some(samples::NOW),
            catalog: &catalog,
            offers: &offers,
            chosen: Some(samples::HOSTILE),
            now: samples::NOW,
        };
        vec![
            Self::new(samples::frame(), facts),
            Self::new(samples::frame(), NumbersFacts { at: None, chosen: None, tallies: &Tallies::new(), ..facts }),
        ]
    }
}

/// Of each topic something, in two currencies, with a reseller and a test.
fn sample_tallies() -> Tallies {
    let month = crate::domain::numbers::month_of(utc_day(samples::NOW));
    let week = crate::domain::numbers::week_of(utc_day(samples::NOW));
    let mut tallies = Tallies::new();
    for topic in Topic::ALL {
        let is_weekly = topic_is_weekly(topic);
        for (offer, currency, mark) in [
            ("konnekt", "EUR", Mark::Direct),
            (samples::HOSTILE, "EUR", Mark::Direct),
            ("konnekt", "JPY", Mark::Direct),
            ("konnekt", "", Mark::Reseller),
            ("konnekt", "", Mark::Test),
        ] {
            let of = Of {
                topic,
                period: if is_weekly { week.clone() } else { month.clone() },
                offer_id: offer.to_owned(),
                item: match topic {
                    Topic::Segment => samples::HOSTILE.to_owned(),
                    Topic::Purchase => "bought".to_owned(),
                    Topic::Trial => "converted".to_owned(),
                    _ => String::new(),
                },
                currency: currency.to_owned(),
                mark,
            };
            let amount_minor = (!currency.is_empty()).then_some(123_456);
            tallies.insert(of, Tally { count: 3, users: 450, amount_minor });
        }
    }
    tallies
}

fn topic_is_weekly(topic: Topic) -> bool {
    matches!(topic, Topic::Reported | Topic::Held | Topic::Due | Topic::Stuck)
}
