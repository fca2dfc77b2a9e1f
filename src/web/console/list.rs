//! Rooms with rows: one page at a time, filters in the address, and the same rows as a file that is made while it is sent.

use std::{collections::VecDeque, rc::Rc};

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_DISPOSITION},
    web::Bytes,
};
use futures::stream;
use uuid::Uuid;

use super::visit::{Answer, StaffVisit, ok};
use crate::{
    app::{App, AppError},
    pages::console::{
        frame::Room,
        list::{Chosen, Filter, List, ListFacts},
        table::{Column, Row, Table, to_csv},
    },
};

/// Rows of a page, and of a piece of a file.
const PAGE: u64 = 50;
const PIECE: u64 = 1_000;
/// No filter that makes sense is longer.
const MAX_FILTER_CHARS: usize = 200;

/// Rows, and where the next ones begin; `None` = there are no more.
#[derive(Default)]
pub(super) struct Found {
    pub(super) rows: Vec<Row>,
    pub(super) next: Option<String>,
}

impl Found {
    /// A page that is full goes on behind its last row.
    pub(super) fn page(rows: Vec<Row>, last: Option<impl ToString>, limit: u64) -> Self {
        let is_full = rows.len() as u64 == limit;
        Self { rows, next: last.filter(|_| is_full).map(|last| last.to_string()) }
    }
}

/// The row behind which a list goes on, where rows are in the order of their ids; `None`: nobody can have meant that.
pub(super) fn place(after: Option<&str>) -> Option<Option<Uuid>> {
    after.map_or(Some(None), |after| Uuid::parse_str(after).ok().map(Some))
}

/// A room with rows.
pub(super) trait Rows: 'static {
    const ROOM: Room;
    const TITLE: &'static str;
    /// The address; with `.csv` behind it that of the file.
    const PATH: &'static str;
    const COLUMNS: &'static [Column];
    const FILTERS: &'static [Filter];
    /// What can be added here, by a form at the address with `/new` behind it.
    const ADDITION: Option<&'static str> = None;
    /// Another view of the same things: its address, and its name.
    const BESIDE: Option<(&'static str, &'static str)> = None;
    /// What must be known about the rows.
    const NOTE: Option<&'static str> = None;
    /// What is said where there is nothing.
    const EMPTY: &'static str;

    /// At most `limit` rows behind `after`. A filter or a place that nobody can have meant finds nothing.
    async fn find(app: &App, filters: &Filters, after: Option<&str>, limit: u64) -> Result<Found, AppError>;
}

/// The filters of an address.
#[derive(Debug, Clone)]
pub(super) struct Filters(Vec<Chosen>);

impl Filters {
    fn read(visit: &StaffVisit, known: &'static [Filter]) -> Self {
        let chosen = known.iter().filter_map(|filter| {
            let value = visit.query(filter.name)?.trim();
            let is_possible = !value.is_empty() && value.chars().count() <= MAX_FILTER_CHARS;
            is_possible.then(|| Chosen { name: filter.name, value: value.to_owned() })
        });
        Self(chosen.collect())
    }

    /// What is filtered by.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|one| one.name == name).map(|one| one.value.as_str())
    }

    /// The same, an id; what is none is one that nothing has.
    pub(super) fn id(&self, name: &str) -> Option<Uuid> {
        self.get(name).map(|text| Uuid::parse_str(text).unwrap_or(Uuid::max()))
    }
}

/// `GET /console/…[?filters][&after=…]`
pub(super) async fn rows<R: Rows>(visit: Rc<StaffVisit>) -> Answer {
    let filters = Filters::read(&visit, R::FILTERS);
    let after = visit.query("after");
    let found = R::find(&visit.app, &filters, after, PAGE).await?;
    let table = Table { caption: R::TITLE.to_owned(), columns: R::COLUMNS.to_vec(), rows: found.rows, empty: R::EMPTY };
    let facts = ListFacts {
        title: R::TITLE,
        path: R::PATH,
        filters: R::FILTERS,
        chosen: filters.0,
        table,
        next: found.next,
        is_later: after.is_some(),
        has_file: visit.may_get(&format!("{}.csv", R::PATH)),
        beside: R::BESIDE.filter(|(path, _)| visit.may_get(path)),
        note: R::NOTE,
        addition: R::ADDITION.filter(|_| visit.may_get(&format!("{}/new", R::PATH))),
    };
    ok(&visit, &List::new(visit.frame(R::ROOM).await?, facts))
}

/// `GET /console/….csv[?filters]`: all rows, read piece by piece as the other side takes them.
pub(super) async fn csv<R: Rows>(visit: Rc<StaffVisit>) -> Answer {
    let filters = Filters::read(&visit, R::FILTERS);
    let name = R::PATH.rsplit('/').next().unwrap_or("rows");
    let file = format!("attachment; filename=\"seatkey-{name}.csv\"");
    // The first piece is read before anything is sent: what fails then is still told by a page.
    let first = R::find(&visit.app, &filters, None, PIECE).await?;
    let head = to_csv(Some(R::COLUMNS), &first.rows).map_err(|error| AppError::Internal(error.to_string()))?;
    let begun = (visit, filters, VecDeque::from([Bytes::from(head)]), first.next);
    let pieces = stream::try_unfold(begun, |(visit, filters, mut ready, next)| async move {
        if let Some(piece) = ready.pop_front() {
            return Ok::<_, actix_web::Error>(Some((piece, (visit, filters, ready, next))));
        }
        let Some(after) = next else { return Ok(None) };
        let failed = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "a download broke off");
            actix_web::error::ErrorInternalServerError("the download broke off")
        };
        let found = R::find(&visit.app, &filters, Some(&after), PIECE).await.map_err(|error| failed(&error))?;
        let piece = Bytes::from(to_csv(None, &found.rows).map_err(|error| failed(&error))?);
        Ok(Some((piece, (visit, filters, ready, found.next))))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, file))
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(pieces))
}
