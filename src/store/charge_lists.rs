//! The whole ledger as a list. Ids are made from the time: the newest first is the order of the primary key, backwards.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{
    Reader, Result, Store,
    charges::{
        self,
        entity::{Column, Entity},
    },
    credits,
};
use crate::domain::{charge::Charge, credit::Credit};

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerLine {
    /// A charge.
    Charge(Charge),
    /// What Microsoft gave back of one.
    Credit(Credit),
}

impl LedgerLine {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        match self {
            Self::Charge(charge) => charge.id,
            Self::Credit(credit) => credit.id,
        }
    }
}

/// What is looked for; nothing = all of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChargeFilter<'a> {
    /// The word of a state.
    pub state: Option<&'a str>,
    /// The word of a reason.
    pub reason: Option<&'a str>,
    /// The three letters.
    pub currency: Option<&'a str>,
    /// The subscription.
    pub subscription_id: Option<Uuid>,
}

impl Store {
    /// The newest lines behind one of them, each behind its subscription.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_newest_lines(
        &self,
        filter: ChargeFilter<'_>,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<(Uuid, LedgerLine)>> {
        let words =
            [(Column::State, filter.state), (Column::Reason, filter.reason), (Column::Currency, filter.currency)];
        let these = words
            .into_iter()
            .fold(Condition::all(), |these, (column, value)| these.add_option(value.map(|value| column.eq(value))));
        let these = these.add_option(filter.subscription_id.map(|id| Column::SubscriptionId.eq(id)));
        let these = these.add_option(after.map(|id| Column::Id.lt(id)));
        let rows = Entity::find().filter(these).order_by_desc(Column::Id).limit(limit).all(self.connection()).await?;
        let line = |row: charges::entity::Model| match row.credit_of {
            Some(_) => credits::from_row(row).map(LedgerLine::Credit),
            None => charges::from_row(row).map(LedgerLine::Charge),
        };
        rows.into_iter().map(|row| Ok((row.subscription_id, line(row)?))).collect()
    }
}
