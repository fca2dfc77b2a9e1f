//! Credits that were given in Partner Center: lines of the ledger that name the charge which they take back, and the case.

use sea_orm_migration::{
    prelude::*,
    schema::{string_null, uuid_null},
};

use crate::m0001_purchase::unique;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        for column in [uuid_null("credit_of"), string_null("case_number")] {
            manager.alter_table(Table::alter().table("charge").add_column(column).take()).await?;
        }
        // A case is entered once for a charge. Nearly all lines are no credits, and stand in no such index.
        let mut once = unique("credit_once_a_case", "charge", &["credit_of", "case_number"]);
        once.and_where(Expr::col("credit_of").is_not_null());
        manager.create_index(once).await
    }
}
