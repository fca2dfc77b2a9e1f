//! Charges on their way to Microsoft: slots, the reporter's state, and the hash chain of ledger and audit log.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, boolean, integer, string, string_null, text, text_null, uuid, uuid_null},
};

use crate::m0001_purchase::{index, key, owned_by_subscription, table, unique};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in columns() {
            // SQLite adds one column at a time.
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        for table in [usage_event(), adopted_usage(), reporter()] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn columns() -> Vec<(&'static str, ColumnDef)> {
    let number = |name: &'static str| {
        let mut column = big_integer(name);
        column.default(0);
        column
    };
    let mut head = string("chain_hash");
    head.default("");
    vec![
        // The head of the chain: how many entries there are, and the hash of the last one.
        ("subscription", number("chain_count")),
        ("subscription", head),
        // The plan that a charge is reported under; older rows go by their subscription's.
        ("charge", string_null("plan_id")),
        // Looking at it earlier is of no use.
        ("charge", number("try_at")),
        // Since when it is in its state; 0 = since it was written.
        ("charge", number("state_at")),
        ("charge_history", uuid_null("subscription_id")),
        ("charge_history", uuid_null("usage_event_id")),
        ("charge_history", big_integer_null("position")),
        ("charge_history", string_null("hash")),
        ("audit", big_integer_null("position")),
        ("audit", string_null("hash")),
        // The actor enters the chain as a salted digest, so that it can be erased.
        ("audit", string_null("actor_salt")),
        ("audit", string_null("actor_digest")),
    ]
}

/// A charge in its slot: (resource, dimension, UTC hour). Slot, quantity and bytes are committed before the first byte is
/// sent, and never change.
fn usage_event() -> TableCreateStatement {
    let mut table = table("usage_event");
    table
        .col(key("id"))
        .col(uuid("charge_id"))
        .col(uuid("subscription_id"))
        .col(string("dimension"))
        .col(big_integer("hour"))
        .col(big_integer("effective_start"))
        .col(big_integer("quantity_millionths"))
        .col(text("body"))
        .col(big_integer("created_at"))
        .col(string("state"))
        // Who is sending it now. A sender that never came back leaves its name, and the event in doubt.
        .col(uuid_null("owner"))
        .col(boolean("in_doubt"))
        .col(integer("attempts"))
        .col(big_integer("next_attempt_at"))
        .col(big_integer_null("answered_at"))
        .col(text_null("last_answer"))
        .foreign_key(&mut owned_by_subscription())
        .foreign_key(&mut ForeignKey::create().from_col("charge_id").to("charge", "id").take())
        .take()
}

/// What Microsoft has in a daily sum and no event of the ledger stands for: adopted after a restore, or acknowledged by a
/// person. Quantities are decimal text: somebody else's may have more decimals than ours.
fn adopted_usage() -> TableCreateStatement {
    let mut table = table("adopted_usage");
    table
        .col(key("id"))
        .col(uuid("subscription_id"))
        .col(string("dimension"))
        .col(string("plan_id"))
        .col(string("day"))
        .col(string("quantity"))
        .col(string("cause"))
        .col(text("reason"))
        .col(big_integer("created_at"))
        .foreign_key(&mut owned_by_subscription())
        .take()
}

/// What the reporter knows about itself; one row.
fn reporter() -> TableCreateStatement {
    let mut table = table("reporter");
    let mut chain_sealed = boolean("chain_sealed");
    chain_sealed.default(false);
    table
        .col(integer("id").primary_key())
        .col(big_integer_null("locked_at"))
        .col(text_null("lock_reason"))
        .col(string_null("confirmed_day"))
        .col(big_integer_null("checked_at"))
        .col(big_integer_null("reconciled_at"))
        .col(big_integer_null("last_success_at"))
        .col(big_integer_null("digested_at"))
        // Rows from before there was a chain have their place in it; from then on a row without one is an error.
        .col(chain_sealed)
        // When a restored database was last taken into use: keys that were signed before leave a gap to the next one.
        .col(big_integer_null("restored_at"))
        .take()
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("usage_event_once", "usage_event", &["subscription_id", "dimension", "hour"]),
        index("usage_event_of_charge", "usage_event", &["charge_id"]),
        index("usage_event_open", "usage_event", &["state", "next_attempt_at", "effective_start"]),
        // With the id, so that the first hundred of a million that became due at once are found without sorting them.
        index("charge_by_state", "charge", &["state", "reportable_from", "id"]),
        unique("adopted_usage_once", "adopted_usage", &["subscription_id", "dimension", "plan_id", "day", "cause"]),
        unique("charge_history_chain", "charge_history", &["subscription_id", "position"]),
        unique("audit_chain", "audit", &["subscription_id", "position"]),
        // What the metrics ask at every scrape.
        index("subscription_ended", "subscription", &["ended_at"]),
        index("finding_open", "finding", &["resolved_at", "kind"]),
    ]
}
