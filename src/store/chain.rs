//! The hash chain: one for each subscription, over every step of every charge and every entry of the audit log. Each entry
//! carries its position and a hash of its content and of the entry before it; the head (count, hash) stands on the
//! subscription's row. Whatever is edited, deleted, inserted or moved afterwards no longer fits.
//!
//! Entries are gathered while a transaction runs and written at its commit, under a lock on the subscriptions' rows, so
//! that two transactions never continue the same chain from the same place.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{IntoValueTuple as _, LockType},
};
use uuid::Uuid;

use super::{Reader, Result, StoreError, Tx, audit, given, history, house};

/// The head of a chain: columns of the subscription's row that nobody else writes.
pub(super) mod head {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "subscription")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub chain_count: i64,
        pub chain_hash: String,
        pub erased_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An entry that waits for the commit.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) subscription_id: Uuid,
    /// What is hashed: the row as JSON text, without its place in the chain.
    pub(super) content: String,
    pub(super) row: Row,
}

/// Where an entry stands.
#[derive(Debug)]
pub(super) enum Row {
    Charge(history::ActiveModel),
    Audit(audit::entity::ActiveModel),
}

impl Row {
    fn kind(&self) -> &'static str {
        match self {
            Self::Charge(_) => CHARGE,
            Self::Audit(_) => AUDIT,
        }
    }
}

pub(super) const CHARGE: &str = "charge";
pub(super) const AUDIT: &str = "audit";

/// The hash of an entry, in hexadecimal.
pub(super) fn link(previous: &str, position: i64, kind: &str, content: &str) -> String {
    // A line break cannot stand in the first three, so that no two entries have the same text.
    crate::hash::sha256_hex(format!("{previous}\n{position}\n{kind}\n{content}").as_bytes())
}

/// Writes what a transaction has gathered, each entry behind the last one of its subscription.
pub(super) async fn seal(tx: &Tx, pending: Vec<Pending>) -> Result<()> {
    if pending.is_empty() {
        return Ok(());
    }
    let ids: BTreeSet<Uuid> = pending.iter().map(|entry| entry.subscription_id).collect();
    let mut heads = lock_heads(tx, &ids).await?;
    if ids.contains(&house::HOUSE) {
        heads.insert(house::HOUSE, house::lock_head(tx).await?);
    }
    let (mut charges, mut audits) = (Vec::new(), Vec::new());
    for entry in pending {
        let (count, hash) = heads
            .get_mut(&entry.subscription_id)
            .ok_or(StoreError::NotFound { table: "subscription", id: entry.subscription_id.to_string() })?;
        *count += 1;
        *hash = link(hash, *count, entry.row.kind(), &entry.content);
        let (position, hash) = (Set(Some(*count)), Set(Some(hash.clone())));
        match entry.row {
            Row::Charge(row) => charges.push(history::ActiveModel { position, hash, ..row }),
            Row::Audit(row) => audits.push(audit::entity::ActiveModel { position, hash, ..row }),
        }
    }
    if !charges.is_empty() {
        history::Entity::insert_many(charges).exec_without_returning(tx.connection()).await?;
    }
    if !audits.is_empty() {
        audit::entity::Entity::insert_many(audits).exec_without_returning(tx.connection()).await?;
    }
    if let Some(head) = heads.remove(&house::HOUSE) {
        house::write_head(tx, head).await?;
    }
    if heads.is_empty() { Ok(()) } else { write_heads(tx, &heads).await }
}

/// The heads, with their rows locked in one order, so that two transactions never wait for each other; in the mode that
/// admits new rows of other tables that point at them. SQLite has no such
/// lock and needs none: its writers come one after the other.
async fn lock_heads(tx: &Tx, ids: &BTreeSet<Uuid>) -> Result<BTreeMap<Uuid, (i64, String)>> {
    let rows = head::Entity::find()
        .filter(head::Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(head::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(tx.connection())
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, (row.chain_count, row.chain_hash))).collect())
}

pub(super) async fn write_heads(tx: &Tx, heads: &BTreeMap<Uuid, (i64, String)>) -> Result<()> {
    let rows = heads.iter().map(|(id, (count, hash))| (*id, *count, hash.as_str()).into_value_tuple());
    let update = head::Entity::update_many()
        .col_expr(head::Column::ChainCount, given::second())
        .col_expr(head::Column::ChainHash, given::third());
    given::update_given(update, head::Column::Id, rows).exec(tx.connection()).await?;
    Ok(())
}
