//! The whole ledger as a list. Ids are made from the time: the newest first is the order of the primary key, backwards.

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, SimpleExpr},
};
use uuid::Uuid;

use super::{
    Reader, Result, Store,
    charges::{
        self, NOT_ACCEPTED,
        entity::{Column, Entity},
    },
    credits,
    ranges::{Sorted, newest},
};
use crate::domain::{
    charge::{Charge, Reason, State},
    credit::{self, Credit},
};

/// The states of a charge that is being reported. Each change is written to every index that has a place for the charge,
/// which is why those of the lists have none for it meanwhile.
const UNDER_WAY: [&str; 2] = [State::Due.as_str(), State::Sending.as_str()];
/// What indexes hold alone; a query goes by one when it says so in the same words.
const NOT_UNDER_WAY: &str = "state NOT IN ('due', 'sending')";
/// Lines that are not on their usual way; credits rest, too.
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
        let sorted = [Sorted::id(Expr::col(Column::Id), after)];
        let mut rows = Vec::new();
        for Range { first, these } in self.list_ranges(filter).await? {
            let first: Vec<_> = first.iter().map(|(column, word)| (Expr::col(*column), word.as_str())).collect();
            let query = newest(Entity::find().filter(these), &first, &sorted).limit(limit);
            rows.extend(query.all(self.connection()).await?);
        }
        // Several ranges are one list: no row is in two of them.
        rows.sort_by_key(|row| std::cmp::Reverse(row.id));
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let line = |row: charges::entity::Model| match row.credit_of {
            Some(_) => credits::from_row(row).map(LedgerLine::Credit),
            None => charges::from_row(row).map(LedgerLine::Charge),
        };
        rows.into_iter().map(|row| Ok((row.subscription_id, line(row)?))).collect()
    }
}

/// What an index is entered with, and what is looked at in the rows.
struct Range {
    first: Vec<(Column, String)>,
    these: Condition,
}

impl Range {
    fn of(first: &[(Column, &str)], others: &[(Column, Option<&str>)]) -> Self {
        let given = others.iter().filter_map(|(column, word)| Some((*column, (*word)?)));
        let these = given.fold(Condition::all(), |these, (column, word)| these.add(column.eq(word)));
        Self { first: first.iter().map(|(column, word)| (*column, (*word).to_owned())).collect(), these }
    }

    fn and(self, more: SimpleExpr) -> Self {
        Self { these: self.these.add(more), ..self }
    }
}

impl Store {
    /// The ranges of the indexes that hold what is looked for.
    async fn list_ranges(&self, filter: ChargeFilter<'_>) -> Result<Vec<Range>> {
        let ChargeFilter { state, reason, currency, subscription_id } = filter;
        let of_state = (Column::State, state);
        let (of_reason, of_currency) = ((Column::Reason, reason), (Column::Currency, currency));
        if let Some(id) = subscription_id {
            return Ok(vec![Range::of(&[], &[of_state, of_reason, of_currency]).and(Column::SubscriptionId.eq(id))]);
        }
        // There are few of these.
        let under_way =
            |word| Range::of(&[], &[(Column::State, Some(word)), of_reason, of_currency]).and(Expr::cust(NOT_ACCEPTED));
        let reasons: Vec<&str> = reason.map_or_else(|| reasons().collect(), |reason| vec![reason]);
        match state {
            Some(word) if UNDER_WAY.contains(&word) => return Ok(vec![under_way(word)]),
            Some(word) if word != State::Accepted.as_str() => {
                let of = |reason| Range::of(&[(Column::State, word), (Column::Reason, reason)], &[of_currency]);
                return Ok(reasons.into_iter().map(|reason| of(reason).and(Expr::cust(RESTING))).collect());
            }
            _ if reason.is_none() && currency.is_none() => return Ok(vec![Range::of(&[], &[of_state])]),
            _ => {}
        }
        let mut ranges = Vec::new();
        for reason in reasons {
            let currencies = match currency {
                Some(currency) => vec![currency.to_owned()],
                None => self.list_currencies(reason).await?,
            };
            let of =
                |currency: &String| Range::of(&[(Column::Reason, reason), (Column::Currency, currency)], &[of_state]);
            ranges.extend(currencies.iter().map(|currency| of(currency).and(Expr::cust(NOT_UNDER_WAY))));
        }
        if state.is_none() {
            ranges.extend(UNDER_WAY.map(under_way));
        }
        Ok(ranges)
    }

    /// The currencies of the lines with this reason that are not under way, one look into the index for each.
    async fn list_currencies(&self, reason: &str) -> Result<Vec<String>> {
        let mut currencies = Vec::<String>::new();
        loop {
            let behind = currencies.last().map(|last| Column::Currency.gt(last.as_str()));
            let next = Entity::find().select_only().column(Column::Currency).filter(Column::Reason.eq(reason));
            let next = next
                .filter(Expr::cust(NOT_UNDER_WAY))
                .filter(Condition::all().add_option(behind))
                .order_by_asc(Column::Currency);
            let Some(next) = next.into_tuple().one(self.connection()).await? else { return Ok(currencies) };
            currencies.push(next);
        }
    }
}

fn reasons() -> impl Iterator<Item = &'static str> {
    Reason::ALL.into_iter().map(Reason::as_str).chain([credit::REASON])
}
