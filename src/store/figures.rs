//! What a person who keeps the service running wants to be woken by.

use sea_orm::{
    ColumnTrait, ConnectionTrait as _, EntityTrait, QueryFilter, QuerySelect, Statement,
    sea_query::{Expr, ExprTrait},
};
use time::{Duration, OffsetDateTime};

use super::{Reader, Reporter, Result, Store, StoreError, charges, findings, usage_events};
use crate::{
    clock::{from_micros, to_micros},
    domain::{charge::State, usage::WINDOW},
};

/// Deadlines that have passed are still told for so long.
const PASSED: Duration = Duration::DAY;

/// How things stand now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Charges by state, of the states that were asked for.
    pub charges: Vec<(State, i64)>,
    /// Since when the oldest charge that is due, or on its way, could have been reported.
    pub oldest_due: Option<OffsetDateTime>,
    /// When Microsoft stops taking something that is in its slot, or that is due of a subscription that has ended.
    pub nearest_deadline: Option<OffsetDateTime>,
    /// Findings that wait for a person, by kind.
    pub findings: Vec<(String, i64)>,
    /// Jobs that wait for a person.
    pub dead_jobs: i64,
    /// Since when the oldest job that is due waits to be taken.
    pub oldest_ready_job: Option<OffsetDateTime>,
    /// When the oldest webhook came that nobody has acted upon.
    pub oldest_unhandled_webhook: Option<OffsetDateTime>,
    /// Mails that have not left.
    pub queued_mails: i64,
    /// The reporter.
    pub reporter: Reporter,
}

impl Store {
    /// Reads them all, with the charges in these states. Those that are accepted are not counted: there are millions of them,
    /// and in none of the indexes that are read here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read_figures(&self, states: &[State], now: OffsetDateTime) -> Result<Figures> {
        let open = self.find_first_open_event().await?.map(|start| start + WINDOW);
        let ended = self.find_first_end_with_due_charges(now).await?.map(|end| end + WINDOW);
        Ok(Figures {
            charges: self.count_charges(states).await?,
            oldest_due: self.find_oldest_due().await?,
            nearest_deadline: open.into_iter().chain(ended).min(),
            findings: self.count_open_findings().await?,
            dead_jobs: self.count_dead_jobs().await?,
            oldest_ready_job: self.find_oldest_ready_job(now).await?,
            oldest_unhandled_webhook: self.find_oldest_unhandled_webhook().await?,
            queued_mails: self.count_queued_mails().await?,
            reporter: self.get_reporter().await?,
        })
    }

    async fn count_charges(&self, states: &[State]) -> Result<Vec<(State, i64)>> {
        use charges::entity::{Column, Entity};
        let counted: Vec<(String, i64)> = Entity::find()
            .select_only()
            .column(Column::State)
            // Of the column that the index has: the rows themselves are not read.
            .column_as(Expr::col(Column::State).count(), "count")
            .filter(Column::State.is_in(states.iter().map(|state| state.as_str())))
            .filter(Expr::cust(charges::NOT_ACCEPTED))
            .group_by(Column::State)
            .into_tuple()
            .all(self.connection())
            .await?;
        let count =
            |state: State| counted.iter().find(|(word, _)| word == state.as_str()).map_or(0, |(_, count)| *count);
        Ok(states.iter().map(|state| (*state, count(*state))).collect())
    }

    async fn find_oldest_due(&self) -> Result<Option<OffsetDateTime>> {
        use charges::entity::{Column, Entity};
        let mut oldest: Option<i64> = None;
        // One state at a time: then the index gives the first one at once.
        for state in [State::Due, State::Sending] {
            let found: Option<Option<i64>> = Entity::find()
                .select_only()
                .column_as(Expr::col(Column::ReportableFrom).min(), "oldest")
                .filter(Column::State.eq(state.as_str()).and(Expr::cust(charges::NOT_ACCEPTED)))
                .into_tuple()
                .one(self.connection())
                .await?;
            oldest = oldest.into_iter().chain(found.flatten()).min();
        }
        Ok(oldest.map(from_micros))
    }

    async fn find_first_open_event(&self) -> Result<Option<OffsetDateTime>> {
        use usage_events::{
            entity::{Column, Entity},
            is_open,
        };
        let found: Option<Option<i64>> = Entity::find()
            .select_only()
            .column_as(Expr::col(Column::EffectiveStart).min(), "oldest")
            .filter(is_open())
            .into_tuple()
            .one(self.connection())
            .await?;
        Ok(found.flatten().map(from_micros))
    }

    /// Microsoft takes nothing that lies behind the end of a subscription.
    async fn find_first_end_with_due_charges(&self, now: OffsetDateTime) -> Result<Option<OffsetDateTime>> {
        let sql = "SELECT MIN(s.ended_at) AS oldest FROM subscription AS s WHERE s.ended_at > $1 \
                   AND EXISTS (SELECT 1 FROM charge AS c WHERE c.subscription_id = s.id AND c.state = $2)";
        let values = [to_micros(now - WINDOW - PASSED).into(), State::Due.as_str().into()];
        let statement = Statement::from_sql_and_values(self.connection().get_database_backend(), sql, values);
        let row = self.connection().query_one_raw(statement).await?;
        let oldest: Option<i64> =
            row.map(|row| row.try_get("", "oldest")).transpose().map_err(StoreError::from)?.flatten();
        Ok(oldest.map(from_micros))
    }

    async fn count_open_findings(&self) -> Result<Vec<(String, i64)>> {
        use findings::entity::{Column, Entity};
        let counted = Entity::find()
            .select_only()
            .column(Column::Kind)
            .column_as(Expr::col(Column::Kind).count(), "count")
            .filter(Column::ResolvedAt.is_null())
            .group_by(Column::Kind)
            .into_tuple()
            .all(self.connection())
            .await?;
        Ok(counted)
    }
}
