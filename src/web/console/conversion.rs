//! What became of the trials, by month and offer.

use super::list::{Filters, Found, Rows};
use crate::{
    app::{App, AppError},
    pages::console::{
        frame::Room,
        list::Filter,
        table::Column,
        trials::{REPORT_COLUMNS, ReportFacts, report_row},
    },
    store::TrialFigures,
};

pub(super) struct Conversion;

impl Rows for Conversion {
    const ROOM: Room = Room::Trials;
    const TITLE: &'static str = "Conversion of trials";
    const PATH: &'static str = "/console/trials/conversion";
    const COLUMNS: &'static [Column] = REPORT_COLUMNS;
    const FILTERS: &'static [Filter] = &[Filter { name: "offer", label: "Offer id", choices: &[] }];
    const EMPTY: &'static str = "No trial has been granted.";

    /// The newest month first. A place is month and offer of a row.
    async fn find(app: &App, filters: &Filters, after: Option<&str>, limit: u64) -> Result<Found, AppError> {
        let figures = app.store.list_trial_figures(app.clock.now()).await?;
        let offer = filters.get("offer");
        let chosen = figures.iter().rev().filter(|one| offer.is_none_or(|offer| one.offer_id == offer));
        let behind = chosen.skip_while(|one| after.is_some_and(|after| place(one) != after));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let shown: Vec<&TrialFigures> = behind.skip(usize::from(after.is_some())).take(limit).collect();
        let rows = shown.iter().map(|one| report_row(&told(one))).collect();
        Ok(Found::page(rows, shown.last().map(|one| place(one)), limit as u64))
    }
}

fn place(one: &TrialFigures) -> String {
    format!("{}/{}", one.month, one.offer_id)
}

fn told(one: &TrialFigures) -> ReportFacts<'_> {
    ReportFacts {
        month: one.month,
        offer_id: &one.offer_id,
        granted: one.granted,
        standing: [one.proposed, one.open, one.used, one.expired, one.revoked],
        converted: one.converted,
        used: one.used,
    }
}
