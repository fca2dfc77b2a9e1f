//! What is in force.

use std::rc::Rc;

use super::{
    list::{Filters, Found, Rows},
    visit::{Answer, StaffVisit, ok},
};
use crate::{
    app::{App, AppError},
    pages::console::{
        catalog::{COLUMNS, CatalogPage, rows},
        frame::Room,
        list::Filter,
        table::Column,
    },
};

/// `GET /console/catalog`
pub(super) async fn show(visit: Rc<StaffVisit>) -> Answer {
    let frame = visit.frame(Room::Catalog).await?;
    ok(&visit, &CatalogPage::new(frame, &visit.app.catalog, &visit.app.catalog_warnings))
}

/// Every price, as a file.
pub(super) struct Prices;

impl Rows for Prices {
    const ROOM: Room = Room::Catalog;
    const TITLE: &'static str = "Catalog";
    const PATH: &'static str = "/console/catalog";
    const COLUMNS: &'static [Column] = COLUMNS;
    const FILTERS: &'static [Filter] = &[];
    const EMPTY: &'static str = "The catalog has no price.";

    async fn find(app: &App, _: &Filters, _: Option<&str>, _: u64) -> Result<Found, AppError> {
        Ok(Found { rows: app.catalog.offers.iter().flat_map(|offer| rows(offer)).collect(), next: None })
    }
}
