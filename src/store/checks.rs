//! What the last check-up of the running service found: a row for each check that is not well.

use std::collections::BTreeMap;

use sea_orm::{ActiveValue::Set, EntityTrait, QueryOrder};
use time::OffsetDateTime;

use super::{Reader, Result, Store, Tx};
use crate::clock::{from_micros, to_micros};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "failed_check")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub is_wrong: bool,
        pub saw: String,
        pub whose: String,
        pub mend: String,
        pub since: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A check that is not well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedCheck {
    /// The check, `marketplace.prices`.
    pub id: String,
    /// Whether something does not work; otherwise somebody should look.
    pub is_wrong: bool,
    /// What was seen.
    pub saw: String,
    /// Whose it is.
    pub whose: String,
    /// The sentence that mends it.
    pub mend: String,
    /// Since when it is so.
    pub since: OffsetDateTime,
}

impl Store {
    /// What the last check-up found, by the names of the checks.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_failed_checks(&self) -> Result<Vec<FailedCheck>> {
        list(self).await
    }
}

impl Tx {
    /// Writes what a check-up has found in the place of what the one before found. What was so before is so since then.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn replace_failed_checks(&self, found: &[FailedCheck]) -> Result<()> {
        let before: BTreeMap<String, OffsetDateTime> =
            list(self).await?.into_iter().map(|failed| (failed.id, failed.since)).collect();
        entity::Entity::delete_many().exec(self.connection()).await?;
        for failed in found {
            let since = before.get(&failed.id).copied().unwrap_or(failed.since);
            let row = entity::ActiveModel {
                id: Set(failed.id.clone()),
                is_wrong: Set(failed.is_wrong),
                saw: Set(failed.saw.clone()),
                whose: Set(failed.whose.clone()),
                mend: Set(failed.mend.clone()),
                since: Set(to_micros(since)),
            };
            entity::Entity::insert(row).exec_without_returning(self.connection()).await?;
        }
        Ok(())
    }
}

async fn list(reader: &impl Reader) -> Result<Vec<FailedCheck>> {
    let rows = entity::Entity::find().order_by_asc(entity::Column::Id).all(reader.connection()).await?;
    let failed = rows.into_iter().map(|row| FailedCheck {
        id: row.id,
        is_wrong: row.is_wrong,
        saw: row.saw,
        whose: row.whose,
        mend: row.mend,
        since: from_micros(row.since),
    });
    Ok(failed.collect())
}
