//! Updates that take their rows, and values for each of them, from a list: one statement for all of them, alike on both
//! databases (`UPDATE … FROM (VALUES …)`).
//!
//! It also keeps SQLite's planner at the primary key. With `id IN (…) AND state = …` it prefers the state's index from some
//! twenty ids on, and then reads everything that is in this state: a million due charges for each hundred.

use sea_orm::{
    ConnectionTrait as _, DbErr, EntityTrait, QueryTrait as _, TryGetableMany, UpdateMany,
    sea_query::{Expr, ExprTrait as _, IntoIden as _, Query, TableRef, ValueTuple},
};

use super::{Reader as _, Result, Tx};

const GIVEN: &str = "given";

/// The second value of a given row; the first one is the id.
pub(super) fn second() -> Expr {
    Expr::col((GIVEN, "column2"))
}

/// The third one.
pub(super) fn third() -> Expr {
    Expr::col((GIVEN, "column3"))
}

/// The update, of the rows with these ids alone.
pub(super) fn update_given<E: EntityTrait>(
    mut update: UpdateMany<E>,
    id: E::Column,
    rows: impl IntoIterator<Item = ValueTuple>,
) -> UpdateMany<E> {
    let rows = TableRef::ValuesList(rows.into_iter().collect(), GIVEN.into_iden());
    let is_given = Expr::col((E::default(), id)).equals((GIVEN, "column1"));
    update.query().from(rows).and_where(is_given);
    update
}

/// Runs it, and gives columns of the rows that were changed, in their order.
pub(super) async fn exec_returning<E: EntityTrait, T: TryGetableMany + Ord>(
    tx: &Tx,
    update: UpdateMany<E>,
    columns: impl IntoIterator<Item = E::Column>,
) -> Result<Vec<T>> {
    let mut update = update.into_query();
    update.returning(Query::returning().columns(columns));
    let rows = tx.connection().query_all(&update).await?;
    let found = rows.iter().map(T::try_get_many_by_index).collect::<std::result::Result<Vec<T>, _>>();
    let mut found = found.map_err(DbErr::from)?;
    found.sort_unstable();
    Ok(found)
}
