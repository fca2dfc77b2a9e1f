//! Whose a row is: the subscriptions of a page by their ids, read once for all of them.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{
    app::{App, AppError},
    domain::subscription::Subscription,
};

/// Subscriptions by their ids.
pub(super) struct Names(BTreeMap<Uuid, Subscription>);

impl Names {
    pub(super) async fn read(app: &App, ids: impl Iterator<Item = Uuid>) -> Result<Self, AppError> {
        let mut ids: Vec<Uuid> = ids.collect();
        ids.sort_unstable();
        ids.dedup();
        let found = app.store.list_subscriptions_by_id(ids).await?;
        Ok(Self(found.into_iter().map(|one| (one.microsoft.id, one)).collect()))
    }

    pub(super) fn get(&self, id: Uuid) -> Option<&Subscription> {
        self.0.get(&id)
    }

    /// The name; empty where it is not known.
    pub(super) fn name(&self, id: Uuid) -> &str {
        self.get(id).map_or("", |one| one.microsoft.name.as_str())
    }

    /// The id with its name, where there is one.
    pub(super) fn with_id(&self, id: Option<Uuid>) -> Option<(Uuid, &str)> {
        id.map(|id| (id, self.name(id)))
    }
}
