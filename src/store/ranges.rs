//! Lists by an index that PostgreSQL's planner cannot pass by.
//!
//! It takes the values of two columns for independent of each other. Where two that are frequent never meet, it goes by the
//! primary key through the whole table, expecting a full page soon. A range of (columns, place) that is sorted by all of them
//! has one index only: the one that begins with these columns.

use sea_orm::{
    EntityTrait, QueryFilter, QueryOrder, Select, Value,
    sea_query::{Expr, ExprTrait, SimpleExpr},
};
use uuid::Uuid;

/// A column that a list is sorted by: behind which value the page begins, and the least one that there can be.
pub(super) struct Sorted {
    column: SimpleExpr,
    behind: Value,
    least: Value,
}

impl Sorted {
    /// An id that is made from the time; `None` = from the beginning.
    pub(super) fn id(column: SimpleExpr, after: Option<Uuid>) -> Self {
        Self { column, behind: after.unwrap_or(Uuid::max()).into(), least: Uuid::nil().into() }
    }

    /// An id that all rows have.
    pub(super) fn same_id(column: SimpleExpr, id: Uuid) -> Self {
        Self { column, behind: id.into(), least: id.into() }
    }

    /// An instant in microseconds.
    pub(super) fn instant(column: SimpleExpr, after: Option<i64>) -> Self {
        Self { column, behind: after.unwrap_or(i64::MAX).into(), least: i64::MIN.into() }
    }
}

/// Rows that have these texts in these columns, the newest first.
pub(super) fn newest<E: EntityTrait>(query: Select<E>, texts: &[(SimpleExpr, &str)], sorted: &[Sorted]) -> Select<E> {
    let columns = || texts.iter().map(|(column, _)| column).chain(sorted.iter().map(|one| &one.column)).cloned();
    let place = |texts: &[(SimpleExpr, &str)], value: fn(&Sorted) -> &Value| {
        let texts = texts.iter().map(|(_, text)| Expr::val(*text));
        Expr::tuple(texts.chain(sorted.iter().map(|one| Expr::val(value(one).clone()))))
    };
    let query = match texts {
        // Of the lower bound PostgreSQL 15 looks at the first column only to know where the range ends, so that behind the last
        // row it would read on. Equal columns end it; the first of them is asked for twice, because the planner
        // leaves out of the order whatever has one value, and would be back at the primary key.
        [(first, text), others @ ..] if !others.is_empty() => {
            let query = query.filter(first.clone().is_in([*text, *text]));
            let query = others.iter().fold(query, |query, (column, text)| query.filter(column.clone().eq(*text)));
            let places = Expr::tuple(sorted.iter().map(|one| one.column.clone()));
            query.filter(places.lt(place(&[], |one| &one.behind)))
        }
        _ => {
            let query = query.filter(Expr::tuple(columns()).lt(place(texts, |one| &one.behind)));
            query.filter(Expr::tuple(columns()).gte(place(texts, |one| &one.least)))
        }
    };
    columns().fold(query, QueryOrder::order_by_desc)
}
