//! What became of the trials, by month and offer.

use super::list::{Filters, Found, Rows};
use crate::{
    app::{App, AppError},
    domain::{numbers::Topic, trial_grant::TrialFigures},
    pages::console::{
        frame::Room,
        list::Filter,
        table::Column,
        trials::{REPORT_COLUMNS, report_row},
    },
};

pub(super) struct Conversion;

impl Rows for Conversion {
    const ROOM: Room = Room::Trials;
    const TITLE: &'static str = "Conversion of trials";
    const PATH: &'static str = "/console/trials/conversion";
    const COLUMNS: &'static [Column] = REPORT_COLUMNS;
    const FILTERS: &'static [Filter] = &[Filter { name: "offer", label: "Offer id", choices: &[] }];
    const NOTE: Option<&'static str> = Some("counted every hour anew");
    const EMPTY: &'static str = "No trial had been granted.";

    /// The newest month first. A place is month and offer of a row.
    async fn find(app: &App, filters: &Filters, after: Option<&str>, limit: u64) -> Result<Found, AppError> {
        let rolled_up = app.store.read_rolled_up(Some(&[Topic::Grant]), filters.get("offer")).await?;
        let figures = TrialFigures::list(&rolled_up.tallies);
        let behind = figures.iter().rev().skip_while(|one| after.is_some_and(|after| place(one) != after));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let shown: Vec<&TrialFigures> = behind.skip(usize::from(after.is_some())).take(limit).collect();
        let rows = shown.iter().map(|one| report_row(one)).collect();
        Ok(Found::page(rows, shown.last().map(|one| place(one)), limit as u64))
    }
}

fn place(one: &TrialFigures) -> String {
    format!("{}/{}", one.month, one.offer_id)
}
