//! One digest over the heads of all chains at an instant. Written where the database cannot change it, it tells whether
//! somebody has rewritten a whole chain, or taken one away.

use std::collections::BTreeMap;

use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait, QueryFilter as _, QueryOrder, QuerySelect, Statement,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, chain::head, house};
use crate::{clock::to_micros, hash::Digest};

/// So many subscriptions are read at once.
const PAGE: u64 = 1_000;
/// The tables that a chain stands in.
const TABLES: [&str; 2] = ["charge_history", "audit"];

/// The heads of all chains, at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerDigest {
    /// The instant: later entries do not count.
    pub until: OffsetDateTime,
    /// Subscriptions with an entry by then.
    pub subscriptions: u64,
    /// SHA-256 in hexadecimal over a line `subscription position hash` for each of them, in order of their ids; then one
    /// for the chain of what belongs to none.
    pub digest: String,
}

impl Store {
    /// Digests the last entry of each subscription that is not later than `until`.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn digest_ledger(&self, until: OffsetDateTime) -> Result<LedgerDigest> {
        let mut after = Uuid::nil();
        let mut subscriptions = 0;
        let mut digest = Digest::default();
        loop {
            let ids: Vec<Uuid> = head::Entity::find()
                .select_only()
                .column(head::Column::Id)
                .filter(head::Column::Id.gt(after))
                .order_by_asc(head::Column::Id)
                .limit(PAGE)
                .into_tuple()
                .all(self.connection())
                .await?;
            let Some(last) = ids.last().copied() else { break };
            for (id, (position, hash)) in self.list_heads_at(until, (after, last)).await? {
                subscriptions += 1;
                digest.update(format!("{id} {position} {hash}\n").as_bytes());
            }
            after = last;
        }
        if let Some((position, hash)) = house::find_head_at(self, until).await? {
            digest.update(format!("{} {position} {hash}\n", house::HOUSE).as_bytes());
        }
        Ok(LedgerDigest { until, subscriptions, digest: digest.finish() })
    }

    /// The last entries until then of the subscriptions behind the first id and up to the second.
    async fn list_heads_at(
        &self,
        until: OffsetDateTime,
        (after, last): (Uuid, Uuid),
    ) -> Result<BTreeMap<Uuid, (i64, String)>> {
        let backend = self.connection().get_database_backend();
        let mut heads = BTreeMap::<Uuid, (i64, String)>::new();
        for table in TABLES {
            // A cross join keeps SQLite from beginning with the entries, of which there are many for each subscription.
            let sql = format!(
                "SELECT s.id AS id, e.position AS position, e.hash AS hash FROM subscription AS s CROSS JOIN {table} AS e \
                 WHERE s.id > $1 AND s.id <= $2 AND e.subscription_id = s.id AND e.position = \
                 (SELECT MAX(f.position) FROM {table} AS f WHERE f.subscription_id = s.id AND f.at <= $3)"
            );
            let values = [after.into(), last.into(), to_micros(until).into()];
            let statement = Statement::from_sql_and_values(backend, sql, values);
            for row in self.connection().query_all_raw(statement).await? {
                let (id, position): (Uuid, i64) = (row.try_get("", "id")?, row.try_get("", "position")?);
                let hash: Option<String> = row.try_get("", "hash")?;
                let head = (position, hash.unwrap_or_default());
                let known = heads.entry(id).or_default();
                *known = std::mem::take(known).max(head);
            }
        }
        Ok(heads)
    }
}
