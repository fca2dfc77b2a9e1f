//! How many trials were granted, and what became of them, by month and offer.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::ExprTrait};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{Reader as _, Result, Store, charges, subscriptions, trial_grants::entity};
use crate::{
    clock::{from_micros, to_micros},
    domain::{charge, time::utc_day, trial_grant::State},
};

/// The trials of a month and an offer. Tests count in no figure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrialFigures {
    /// The first day of the month in which they were granted.
    pub month: Date,
    /// The offer.
    pub offer_id: String,
    /// All of them.
    pub granted: u64,
    /// Those that wait for a second person.
    pub proposed: u64,
    /// Those that can be used.
    pub open: u64,
    /// Those that an order used up, and the extensions.
    pub used: u64,
    /// Those that nobody used in time.
    pub expired: u64,
    /// Those that were taken back.
    pub revoked: u64,
    /// Those of the used ones whose subscription has paid fees by now.
    pub converted: u64,
}

/// Subscriptions that are asked about at once.
const AT_ONCE: usize = 1_000;

type Row = (String, String, i64, i64, Option<Uuid>);

impl Store {
    /// The figures at `now`, oldest month first.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_trial_figures(&self, now: OffsetDateTime) -> Result<Vec<TrialFigures>> {
        use entity::Column;
        let columns = [Column::OfferId, Column::State, Column::GrantedAt, Column::ExpiresAt, Column::SubscriptionId];
        let rows: Vec<Row> =
            entity::Entity::find().select_only().columns(columns).into_tuple().all(self.connection()).await?;
        let with_trial: BTreeSet<Uuid> = rows.iter().filter_map(|(.., subscription_id)| *subscription_id).collect();
        let with_trial: Vec<Uuid> = with_trial.into_iter().collect();
        let (mut paid, mut tests) = (BTreeSet::new(), BTreeSet::new());
        // By their ids, some at a time: in one go, the database would read the whole ledger for a few thousand of them.
        for ids in with_trial.chunks(AT_ONCE) {
            paid.extend(self.list_paid(ids).await?);
            tests.extend(self.list_tests(ids).await?);
        }
        let mut figures = BTreeMap::<(Date, String), TrialFigures>::new();
        for (offer_id, state, granted_at, expires_at, subscription_id) in rows {
            if subscription_id.is_some_and(|id| tests.contains(&id)) {
                continue;
            }
            let day = utc_day(from_micros(granted_at));
            let month = day.replace_day(1).unwrap_or(day);
            let of_month =
                figures.entry((month, offer_id.clone())).or_insert_with(|| TrialFigures::none(month, offer_id));
            let is_over = expires_at <= to_micros(now);
            of_month.count(&state, is_over, subscription_id.is_some_and(|id| paid.contains(&id)));
        }
        Ok(figures.into_values().collect())
    }

    /// Those of which Microsoft has accepted a charge.
    async fn list_paid(&self, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        use charges::entity::{Column, Entity};
        let accepted = Column::State.eq(charge::State::Accepted.as_str());
        let query = Entity::find().select_only().column(Column::SubscriptionId).distinct();
        let these = accepted.and(Column::SubscriptionId.is_in(ids.iter().copied()));
        Ok(query.filter(these).into_tuple().all(self.connection()).await?)
    }

    async fn list_tests(&self, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        use subscriptions::entity::{Column, Entity};
        let tests = Column::IsTest.eq(true).and(Column::Id.is_in(ids.iter().copied()));
        Ok(Entity::find().select_only().column(Column::Id).filter(tests).into_tuple().all(self.connection()).await?)
    }
}

impl TrialFigures {
    fn none(month: Date, offer_id: String) -> Self {
        Self { month, offer_id, granted: 0, proposed: 0, open: 0, used: 0, expired: 0, revoked: 0, converted: 0 }
    }

    fn count(&mut self, state: &str, is_over: bool, is_paid: bool) {
        self.granted += 1;
        match State::from_word(state) {
            Some(State::Revoked) => self.revoked += 1,
            Some(State::Used) => {
                self.used += 1;
                self.converted += u64::from(is_paid);
            }
            Some(State::Proposed | State::Open) if is_over => self.expired += 1,
            Some(State::Proposed) => self.proposed += 1,
            Some(State::Open) => self.open += 1,
            None => {}
        }
    }
}
