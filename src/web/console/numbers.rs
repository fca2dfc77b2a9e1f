//! The numbers of the business.

use std::rc::Rc;

use super::{
    list::{Filters, Found, Rows},
    visit::{Answer, StaffVisit, ok},
};
use crate::{
    app::{App, AppError},
    pages::console::{
        frame::Room,
        list::Filter,
        numbers::{COLUMNS, DRAWN, FILTERS, Numbers, NumbersFacts, row, topics_of},
        table::Column,
    },
};

/// `GET /console/numbers[?offer=…]`
pub(super) async fn show(visit: Rc<StaffVisit>) -> Answer {
    let offers = visit.app.store.list_rolled_up_offers().await?;
    // What is no offer is not chosen.
    let chosen = visit.query("offer").filter(|offer| offers.iter().any(|one| one == offer));
    let rolled_up = visit.app.store.read_rolled_up(Some(&DRAWN), chosen).await?;
    let facts = NumbersFacts {
        tallies: &rolled_up.tallies,
        at: rolled_up.at,
        catalog: &visit.app.catalog,
        offers: &offers,
        chosen,
        now: visit.now(),
    };
    ok(&visit, &Numbers::new(visit.frame(Room::Numbers).await?, facts))
}

/// The roll-up, as a file.
pub(super) struct Figures;

impl Rows for Figures {
    const ROOM: Room = Room::Numbers;
    const TITLE: &'static str = "Numbers";
    const PATH: &'static str = "/console/numbers";
    const COLUMNS: &'static [Column] = COLUMNS;
    const FILTERS: &'static [Filter] = FILTERS;
    const EMPTY: &'static str = "Nothing is counted.";

    async fn find(app: &App, filters: &Filters, _: Option<&str>, _: u64) -> Result<Found, AppError> {
        let topics = match filters.get("picture") {
            None => None,
            Some(picture) => match topics_of(picture) {
                None => return Ok(Found::default()),
                topics => topics,
            },
        };
        let rolled_up = app.store.read_rolled_up(topics, filters.get("offer")).await?;
        Ok(Found { rows: rolled_up.tallies.iter().map(|(of, tally)| row(of, *tally)).collect(), next: None })
    }
}
