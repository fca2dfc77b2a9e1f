//! The life of a subscription: webhooks, changes, renewals, suspension, the end, revocations.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, integer, integer_null, string, string_null, text, text_null, uuid, uuid_null,
    },
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
        // Two upgrades of one term may fall into the same dimension: the cause belongs to the key.
        manager.drop_index(Index::drop().name("charge_once").table("charge").to_owned()).await?;
        for table in [webhook(), change(), charge_history(), revocation(), finding(), sweep()] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        let active = "UPDATE subscription SET ledger_term_start = term_start, ledger_term_end = term_end \
                      WHERE stage = 'active'";
        manager.get_connection().execute_unprepared(active).await?;
        Ok(())
    }
}

fn columns() -> Vec<(&'static str, ColumnDef)> {
    let mut observed_at = big_integer("observed_at");
    observed_at.default(0);
    let mut language = string("language");
    language.default("en");
    vec![
        ("subscription", string_null("ledger_term_start")),
        ("subscription", string_null("ledger_term_end")),
        ("subscription", string_null("trial_end")),
        ("subscription", big_integer_null("grace_end")),
        ("subscription", big_integer_null("planned_users")),
        ("subscription", big_integer_null("planned_at")),
        ("subscription", big_integer_null("suspended_at")),
        ("subscription", big_integer_null("withdrawn_at")),
        ("subscription", big_integer_null("ended_at")),
        ("subscription", big_integer_null("erased_at")),
        ("subscription", observed_at),
        ("enrolment", language),
        ("charge", integer_null("users")),
        ("charge", integer_null("from_users")),
        ("charge", integer_null("part_days")),
        ("charge", integer_null("part_of_days")),
    ]
}

/// The inbox: every webhook as it came, with the verified claims of its token.
fn webhook() -> TableCreateStatement {
    let mut table = table("webhook");
    table
        .col(key("id"))
        .col(string("operation_id"))
        .col(string("action"))
        .col(uuid_null("subscription_id"))
        .col(text("body"))
        .col(text("claims"))
        .col(text_null("refusal"))
        .col(big_integer("received_at"))
        .col(big_integer_null("handled_at"))
        .col(text_null("outcome"))
        .take()
}

/// A priced change of a subscription, frozen with its inputs: shown, accepted, refused.
fn change() -> TableCreateStatement {
    let mut table = table("change");
    table
        .col(key("id"))
        .col(uuid("subscription_id"))
        .col(string("kind"))
        .col(string("cause"))
        .col(text("body"))
        .col(string("state"))
        .col(uuid_null("tenant_id"))
        .col(uuid_null("object_id"))
        .col(string_null("operation_id"))
        .col(text_null("reason"))
        .col(big_integer("created_at"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("decided_at"))
        .foreign_key(&mut owned_by_subscription())
        .take()
}

/// Every step of a charge; append-only.
fn charge_history() -> TableCreateStatement {
    let mut table = table("charge_history");
    table
        .col(key("id"))
        .col(uuid("charge_id"))
        .col(string("state"))
        .col(text("reason"))
        .col(big_integer("at"))
        .foreign_key(&mut ForeignKey::create().from_col("charge_id").to("charge", "id").take())
        .take()
}

/// License ids that no product may take any more.
fn revocation() -> TableCreateStatement {
    let mut table = table("revocation");
    table
        .col(string("license_id").primary_key())
        .col(uuid("subscription_id"))
        .col(string("reason"))
        .col(big_integer("revoked_at"))
        .col(big_integer("keys_end_at"))
        .foreign_key(&mut owned_by_subscription())
        .take()
}

/// What a person has to look at.
fn finding() -> TableCreateStatement {
    let mut table = table("finding");
    table
        .col(key("id"))
        .col(uuid("subscription_id"))
        .col(string("kind"))
        .col(string("cause"))
        .col(text("detail"))
        .col(big_integer("found_at"))
        .col(big_integer_null("resolved_at"))
        .foreign_key(&mut owned_by_subscription())
        .take()
}

/// How far the comparison of everything with Microsoft is; one row.
fn sweep() -> TableCreateStatement {
    let mut table = table("sweep");
    table
        .col(integer("id").primary_key())
        .col(text_null("continuation"))
        .col(big_integer_null("started_at"))
        .col(big_integer_null("finished_at"))
        .col(big_integer("seen"))
        .col(big_integer("changed"))
        .col(big_integer("failed"))
        .take()
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("charge_once_a_cause", "charge", &["subscription_id", "reason", "term_start", "dimension", "quote_id"]),
        unique("webhook_once", "webhook", &["operation_id", "action", "subscription_id"]),
        index("webhook_of_subscription", "webhook", &["subscription_id", "received_at"]),
        unique("change_once", "change", &["subscription_id", "cause"]),
        index("history_of_charge", "charge_history", &["charge_id", "at"]),
        index("license_key_of_license", "license_key", &["license_id"]),
        unique("finding_once", "finding", &["subscription_id", "kind", "cause"]),
        index("mail_of_subscription", "mail", &["subscription_id", "created_at"]),
    ]
}
