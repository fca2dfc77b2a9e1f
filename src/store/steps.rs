//! The steps of charges, read: for explanations.

use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, QueryTrait as _, sea_query::ExprTrait as _,
};
use uuid::Uuid;

use super::{Reader, Result, Store, StoreError, charges, history};
use crate::{
    clock::from_micros,
    domain::{charge::State, explanation::Step},
};

impl Store {
    /// Every step of every charge of a subscription, in the order of its chain. Steps that were written before there was a
    /// chain come first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_charge_steps(&self, subscription_id: Uuid) -> Result<Vec<Step>> {
        // Steps before the chain do not name their subscription.
        let of_subscription = charges::entity::Entity::find()
            .select_only()
            .column(charges::entity::Column::Id)
            .filter(charges::entity::Column::SubscriptionId.eq(subscription_id).and(charges::is_charge()))
            .into_query();
        let mut rows = history::Entity::find()
            .filter(history::Column::ChargeId.in_subquery(of_subscription))
            .all(self.connection())
            .await?;
        rows.sort_by_key(|row| (row.position.unwrap_or(0), row.at, row.id));
        rows.into_iter().map(from_row).collect()
    }
}

fn from_row(row: history::Model) -> Result<Step> {
    let state = State::from_word(&row.state);
    let state = state.ok_or_else(|| StoreError::inconsistent("charge_history", "state", row.id, &row.state))?;
    Ok(Step { charge_id: row.charge_id, at: from_micros(row.at), state, reason: row.reason })
}
