//! The whole ledger as a list. Ids are made from the time: the newest first is the order of the primary key, backwards.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use uuid::Uuid;

use super::{
    Reader, Result, Store,
    charges::{
        self,
        entity::{Column, Entity},
    },
    credits,
    ranges::{Sorted, newest},
};
use crate::domain::{
    charge::{Charge, State},
    credit::Credit,
};

/// Lines that are not on their usual way. Indexes hold them alone, and say so in the same words.
const RESTING: &str = "state NOT IN ('due', 'sending', 'accepted')";

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
        let mut these = Condition::all().add_option(filter.subscription_id.map(|id| Column::SubscriptionId.eq(id)));
        let (state, reason) = ((Column::State, filter.state), (Column::Reason, filter.reason));
        let currency = (Column::Currency, filter.currency);
        // What an index begins with, and what is looked at in the rows.
        let (first, others) = match filter {
            ChargeFilter { state: Some(state_word), .. } if is_resting(state_word) => {
                these = these.add(Expr::cust(RESTING));
                (vec![state, reason], vec![currency])
            }
            ChargeFilter { reason: Some(_), currency: Some(_), subscription_id: None, .. } => {
                (vec![reason, currency], vec![state])
            }
            _ => (Vec::new(), vec![state, reason, currency]),
        };
        for (column, word) in others.into_iter().filter_map(|(column, word)| Some((column, word?))) {
            these = these.add(column.eq(word));
        }
        let range: Vec<_> = first.into_iter().filter_map(|(column, word)| Some((Expr::col(column), word?))).collect();
        let sorted = [Sorted::id(Expr::col(Column::Id), after)];
        let rows = newest(Entity::find().filter(these), &range, &sorted).limit(limit).all(self.connection()).await?;
        let line = |row: charges::entity::Model| match row.credit_of {
            Some(_) => credits::from_row(row).map(LedgerLine::Credit),
            None => charges::from_row(row).map(LedgerLine::Charge),
        };
        rows.into_iter().map(|row| Ok((row.subscription_id, line(row)?))).collect()
    }
}

/// Credits rest, too.
fn is_resting(state: &str) -> bool {
    ![State::Due, State::Sending, State::Accepted].map(State::as_str).contains(&state)
}
