//! What the last check-up of the running service found.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, boolean, string, text},
};

use crate::m0001_purchase::table;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(failed_check()).await
    }
}

/// A row for each check that is not well: what was seen, whose it is, what mends it, and since when.
fn failed_check() -> TableCreateStatement {
    table("failed_check")
        .col(string("id").primary_key())
        .col(boolean("is_wrong"))
        .col(text("saw"))
        .col(text("whose"))
        .col(text("mend"))
        .col(big_integer("since"))
        .take()
}
