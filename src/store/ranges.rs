//! Lists by an index that PostgreSQL's planner cannot pass by.
//!
//! It takes the values of two columns for independent of each other. Where two that are frequent never meet, it goes by the
//! primary key through the whole table, expecting a full page soon. A range of (columns, id) that is sorted by all of them has
//! one index only: the one that begins with these columns.

use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Select,
    sea_query::{Expr, ExprTrait, SimpleExpr},
};
use uuid::Uuid;

/// Rows that have these texts in these columns, the newest first, behind one of them. Ids are made from the time.
pub(super) fn newest<E: EntityTrait>(
    query: Select<E>,
    texts: &[(SimpleExpr, &str)],
    id: impl ColumnTrait,
    after: Option<Uuid>,
) -> Select<E> {
    let columns = || texts.iter().map(|(column, _)| column.clone()).chain([id.into_expr().into()]);
    let place = |id: Uuid| Expr::tuple(texts.iter().map(|(_, text)| Expr::val(*text)).chain([Expr::val(id)]));
    let (first, last) = (place(after.unwrap_or(Uuid::max())), place(Uuid::nil()));
    let query = query.filter(Expr::tuple(columns()).lt(first)).filter(Expr::tuple(columns()).gte(last));
    columns().fold(query, |query, column| query.order_by_desc(column))
}
