//! What the reporter has to know of many subscriptions at once: a few of their columns.

use std::collections::BTreeMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType};
use uuid::Uuid;

use super::{
    Reader, Result, Tx,
    subscriptions::{StageColumns, entity},
};
use crate::{clock::from_micros, domain::subscription::Stage};

/// How a subscription stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its stage.
    pub stage: Stage,
    /// Its plan at Microsoft.
    pub plan_id: String,
}

impl Tx {
    /// How these subscriptions stand, locked as by [`Tx::lock_subscriptions`]; unknown ones are left out.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn lock_standings(&self, ids: impl IntoIterator<Item = Uuid>) -> Result<BTreeMap<Uuid, Standing>> {
        use entity::Column;
        type Instant = Option<i64>;
        let rows: Vec<(Uuid, String, String, Instant, Instant, Instant, Instant)> = entity::Entity::find()
            .select_only()
            .columns([Column::Id, Column::PlanId, Column::Stage])
            .columns([Column::EnrolledAt, Column::ActivatedAt, Column::SuspendedAt, Column::EndedAt])
            .filter(Column::Id.is_in(ids))
            .order_by_asc(Column::Id)
            .lock(LockType::NoKeyUpdate)
            .into_tuple()
            .all(self.connection())
            .await?;
        let standing =
            |(id, plan_id, word, enrolled_at, activated_at, suspended_at, ended_at): (_, _, String, _, _, _, _)| {
                let at = |at: Instant| at.map(from_micros);
                let columns = StageColumns {
                    word: &word,
                    enrolled_at: at(enrolled_at),
                    activated_at: at(activated_at),
                    suspended_at: at(suspended_at),
                    ended_at: at(ended_at),
                };
                Ok((id, Standing { stage: columns.stage(id)?, plan_id }))
            };
        rows.into_iter().map(standing).collect()
    }
}
