//! The chain of what belongs to no subscription: sign-ins of staff, grants for a tenant, API keys. Its entries stand in the
//! audit log under the id [`HOUSE`]; its head is the one row of `house_chain`.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{ExprTrait, LockType},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Flaw, Reader, Result, Store, StoreError, Tx, audit, chain};
use crate::clock::to_micros;

/// Stands in an audit entry where the subscription would.
pub const HOUSE: Uuid = Uuid::nil();
const ONLY_ROW: i32 = 1;
const TABLE: &str = "audit";
/// So many entries are verified at once.
const PAGE: u64 = 1_000;

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "house_chain")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        pub chain_count: i64,
        pub chain_hash: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

fn missing() -> StoreError {
    StoreError::NotFound { table: "house_chain", id: ONLY_ROW.to_string() }
}

/// The head, locked.
pub(super) async fn lock_head(tx: &Tx) -> Result<(i64, String)> {
    let row = entity::Entity::find_by_id(ONLY_ROW).lock(LockType::NoKeyUpdate).one(tx.connection()).await?;
    row.map(|row| (row.chain_count, row.chain_hash)).ok_or_else(missing)
}

pub(super) async fn write_head(tx: &Tx, (count, hash): (i64, String)) -> Result<()> {
    let row = entity::ActiveModel { chain_count: Set(count), chain_hash: Set(hash), ..Default::default() };
    entity::Entity::update_many().set(row).exec(tx.connection()).await?;
    Ok(())
}

/// The last entry that is not later than `until`: its position and its hash.
pub(super) async fn find_head_at(store: &Store, until: OffsetDateTime) -> Result<Option<(i64, String)>> {
    use audit::entity::{Column, Entity};
    let found: Option<(Option<i64>, Option<String>)> = Entity::find()
        .select_only()
        .columns([Column::Position, Column::Hash])
        .filter(Column::SubscriptionId.eq(HOUSE).and(Column::At.lte(to_micros(until))))
        .order_by_desc(Column::Position)
        .into_tuple()
        .one(store.connection())
        .await?;
    Ok(found.map(|(position, hash)| (position.unwrap_or_default(), hash.unwrap_or_default())))
}

impl Store {
    /// Verifies the chain of the house, as it stands in one moment; gives the number of its entries and what is wrong.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn verify_house(&self) -> Result<(u64, Vec<Flaw>)> {
        self.begin_reading().await?.verify_house().await
    }
}

impl Tx {
    /// The same, as this transaction sees it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn verify_house(&self) -> Result<(u64, Vec<Flaw>)> {
        let head = entity::Entity::find_by_id(ONLY_ROW).one(self.connection()).await?.ok_or_else(missing)?;
        let (mut entries, mut flaws) = (0, Vec::new());
        let (mut last, mut previous) = (0, String::new());
        loop {
            let rows = list_entries(self, last).await?;
            for row in &rows {
                entries += 1;
                if let Some(what) = flaw_of(row, (last, &previous)) {
                    flaws.push(Flaw { table: TABLE, row: row.id, subscription_id: None, what });
                }
                (last, previous) = (row.position.unwrap_or(last), row.hash.clone().unwrap_or_default());
            }
            if (rows.len() as u64) < PAGE {
                break;
            }
        }
        if (head.chain_count, &head.chain_hash) != (last, &previous) {
            let what = format!("had {} entries, but its last one is number {last}, or another one", head.chain_count);
            flaws.push(Flaw { table: "house_chain", row: HOUSE, subscription_id: None, what });
        }
        for row in list_unplaced(self).await? {
            let what = "has no place in the chain: it was not written by Seatkey".to_owned();
            flaws.push(Flaw { table: TABLE, row, subscription_id: None, what });
        }
        Ok((entries, flaws))
    }
}

async fn list_entries(tx: &Tx, after: i64) -> Result<Vec<audit::entity::Model>> {
    use audit::entity::{Column, Entity};
    let these = Column::SubscriptionId.eq(HOUSE).and(Column::Position.gt(after));
    let rows = Entity::find().filter(these).order_by_asc(Column::Position).limit(PAGE).all(tx.connection());
    Ok(rows.await?)
}

/// Entries that were put in without a place, or before the first one.
async fn list_unplaced(tx: &Tx) -> Result<Vec<Uuid>> {
    use audit::entity::{Column, Entity};
    let without = Column::Position.is_null().or(Column::Position.lte(0));
    let these = Column::SubscriptionId.eq(HOUSE).and(without);
    let ids = Entity::find().select_only().column(Column::Id).filter(these).limit(PAGE).into_tuple();
    Ok(ids.all(tx.connection()).await?)
}

/// What is wrong with an entry behind (position, hash).
fn flaw_of(row: &audit::entity::Model, (last, previous): (i64, &str)) -> Option<String> {
    let position = row.position.unwrap_or_default();
    if position != last + 1 {
        return Some(format!("stands at position {position}, but nothing stands at position {}", last + 1));
    }
    let expected = chain::link(previous, position, chain::AUDIT, &audit::content(row));
    if row.hash.as_deref() != Some(expected.as_str()) {
        return Some(format!("is not what was written at position {position}"));
    }
    let digest = row.actor_salt.as_ref().map(|salt| audit::actor_digest(salt, &row.actor));
    (digest.is_none() || digest != row.actor_digest).then(|| "names another actor than the one who did it".to_owned())
}
