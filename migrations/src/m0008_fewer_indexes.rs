//! Fewer indexes of the ledger, because reporting writes to each of them at every step of a charge: that of reason and
//! currency serves the lists by reason and by currency, too. And the staff actions of a subscription, or of the house, in the
//! order of the list and with what its filters ask for, so that rows that are not shown are not read.

use sea_orm_migration::prelude::*;

use crate::m0007_console_indexes::ACTOR_CLASS;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A trail in the order of its instants is short enough to be sorted.
        for (name, table) in
            [("charge_by_reason", "charge"), ("charge_by_currency", "charge"), ("audit_of_subscription", "audit")]
        {
            manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
        }
        let statement =
            format!("CREATE INDEX audit_by_subscription ON audit (subscription_id, id, action, {ACTOR_CLASS})");
        manager.get_connection().execute_unprepared(&statement).await?;
        Ok(())
    }
}
