//! The roll-up behind the console's pictures.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, string},
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
        manager.create_table(rolled_up()).await
    }
}

/// One figure of a picture: what it counts (topic and item), when, of which offer, in which currency, and whether it is of
/// resellers or of tests. Amounts only where they may be shown; currencies are never added up.
fn rolled_up() -> TableCreateStatement {
    let mut table = table("rolled_up");
    let key = ["topic", "period", "offer_id", "item", "mark", "currency"];
    let mut primary = Index::create();
    for column in key {
        table.col(string(column));
        primary.col(column);
    }
    table
        .col(big_integer("count"))
        .col(big_integer("users"))
        .col(big_integer_null("amount_minor"))
        .col(big_integer("at"))
        .primary_key(&mut primary)
        .take()
}
