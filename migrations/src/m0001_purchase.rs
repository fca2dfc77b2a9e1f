//! A purchase: subscription, quote, enrolment, charges, license, mail, and what carries them (jobs, sessions, audit).

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, boolean, integer, string, string_null, text, text_null, uuid, uuid_null},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// All or nothing, on SQLite too: a half-made schema could never be finished.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        subscription(),
        quote(),
        enrolment(),
        charge(),
        license_key(),
        mail(),
        trial_use(),
        audit(),
        job(),
        marketplace_call(),
        arrival(),
        sign_in(),
        session(),
    ]
}

pub(crate) fn table(name: &'static str) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    table
}

pub(crate) fn key(name: &'static str) -> ColumnDef {
    let mut column = uuid(name);
    column.primary_key();
    column
}

/// Microsoft's subscription and how far its enrolment is. `version` grows with every change.
fn subscription() -> TableCreateStatement {
    let mut table = table("subscription");
    table.col(key("id")).col(string("offer_id")).col(string("plan_id")).col(text("name"));
    for party in ["beneficiary", "purchaser"] {
        let column = |suffix: &str| format!("{party}_{suffix}");
        table.col(uuid_null(column("tenant_id"))).col(uuid_null(column("object_id"))).col(text(column("email")));
    }
    table
        .col(string("microsoft_status"))
        .col(string_null("term_unit"))
        .col(string_null("term_start"))
        .col(string_null("term_end"))
        .col(boolean("auto_renew"))
        .col(boolean("update_allowed"))
        .col(boolean("is_test"))
        .col(big_integer_null("quantity"))
        .col(string("stage"))
        .col(big_integer_null("enrolled_at"))
        .col(big_integer_null("activated_at"))
        .col(big_integer_null("users"))
        .col(string_null("segment"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .col(big_integer("version"))
        .take()
}

/// A quote that was shown for review, frozen with its inputs.
fn quote() -> TableCreateStatement {
    let mut table = table("quote");
    table
        .col(key("id"))
        .col(uuid("subscription_id"))
        .col(text("body"))
        .col(uuid("tenant_id"))
        .col(uuid("object_id"))
        .col(big_integer("created_at"))
        .col(big_integer("expires_at"))
        .foreign_key(&mut owned_by_subscription())
        .take()
}

/// The accepted order; one for each subscription.
fn enrolment() -> TableCreateStatement {
    let mut table = table("enrolment");
    table
        .col(key("subscription_id"))
        .col(uuid("quote_id"))
        .col(text("organisation"))
        .col(text("buyer_name"))
        .col(text("buyer_email"))
        .col(text("technical_contact"))
        .col(big_integer("submitted_at"))
        .foreign_key(&mut owned_by_subscription())
        .take()
}

/// One line of the ledger.
fn charge() -> TableCreateStatement {
    let mut table = table("charge");
    table
        .col(key("id"))
        .col(uuid("subscription_id"))
        .col(uuid("quote_id"))
        .col(string("reason"))
        .col(string("term_start"))
        .col(integer("position"))
        .col(text("description"))
        .col(string("dimension"))
        .col(big_integer("quantity_millionths"))
        .col(string("unit_price"))
        .col(big_integer("amount_minor"))
        .col(string("currency"))
        .col(big_integer("reportable_from"))
        .col(string("state"))
        .col(big_integer("created_at"))
        .foreign_key(&mut owned_by_subscription())
        .take()
}

/// Every license key that was signed.
fn license_key() -> TableCreateStatement {
    let mut table = table("license_key");
    table
        .col(key("id"))
        .col(uuid("subscription_id"))
        .col(string("license_id"))
        .col(integer("seq"))
        .col(string("signing_key_id"))
        .col(text("compact"))
        .col(big_integer("expires_at"))
        .col(big_integer("created_at"))
        .foreign_key(&mut owned_by_subscription())
        .take()
}

/// Mails, with the stable Message-ID of their cause.
fn mail() -> TableCreateStatement {
    let mut table = table("mail");
    table
        .col(key("id"))
        .col(uuid_null("subscription_id"))
        .col(string("message_id"))
        .col(text("recipients"))
        .col(text("subject"))
        .col(text("text_body"))
        .col(text("html_body"))
        .col(text("attachments"))
        .col(text("reply_to"))
        .col(string("state"))
        .col(text_null("last_error"))
        .col(big_integer("created_at"))
        .col(big_integer_null("sent_at"))
        .take()
}

/// First-time trials that were used up; remembered for ever.
fn trial_use() -> TableCreateStatement {
    let mut table = table("trial_use");
    table
        .col(key("id"))
        .col(string("trial_group"))
        .col(string("customer"))
        .col(uuid("subscription_id"))
        .col(integer("days"))
        .col(big_integer("used_at"))
        .take()
}

/// Who changed what, and why; append-only.
fn audit() -> TableCreateStatement {
    let mut table = table("audit");
    table
        .col(key("id"))
        .col(uuid_null("subscription_id"))
        .col(string("actor"))
        .col(string("action"))
        .col(text("detail"))
        .col(big_integer("at"))
        .take()
}

/// Work to be done, written in the transaction of its cause.
fn job() -> TableCreateStatement {
    let mut table = table("job");
    table
        .col(key("id"))
        .col(string("kind"))
        .col(uuid("subject"))
        .col(string("state"))
        .col(big_integer("run_at"))
        .col(integer("attempts"))
        .col(uuid_null("lease_owner"))
        .col(big_integer("lease_until"))
        .col(text_null("last_error"))
        .col(big_integer("created_at"))
        .take()
}

/// Calls that change something at Microsoft: the intent before, the answer after.
fn marketplace_call() -> TableCreateStatement {
    let mut table = table("marketplace_call");
    table
        .col(key("id"))
        .col(uuid("subscription_id"))
        .col(string("operation"))
        .col(big_integer("intended_at"))
        .col(big_integer_null("answered_at"))
        .col(text_null("outcome"))
        .col(string_null("request_id"))
        .col(string_null("correlation_id"))
        .take()
}

/// A browser that came with a purchase token, which stays here.
fn arrival() -> TableCreateStatement {
    let mut table = table("arrival");
    table.col(string("id").primary_key()).col(text("purchase_token")).col(big_integer("expires_at")).take()
}

/// A sign-in that has left for Microsoft and is not back yet.
fn sign_in() -> TableCreateStatement {
    let mut table = table("sign_in");
    table
        .col(string("state").primary_key())
        .col(string("browser"))
        .col(string("nonce"))
        .col(string("pkce_verifier"))
        .col(text("return_to"))
        .col(big_integer("expires_at"))
        .take()
}

/// A signed-in buyer.
fn session() -> TableCreateStatement {
    let mut table = table("session");
    table
        .col(string("id").primary_key())
        .col(uuid("tenant_id"))
        .col(uuid("object_id"))
        .col(text("name"))
        .col(text("email"))
        .col(string("csrf"))
        .col(big_integer("created_at"))
        .col(big_integer("last_seen_at"))
        .col(big_integer("expires_at"))
        .take()
}

pub(crate) fn owned_by_subscription() -> ForeignKeyCreateStatement {
    ForeignKey::create().from_col("subscription_id").to("subscription", "id").take()
}

/// Every write that a retry could repeat has a unique key.
fn indexes() -> Vec<IndexCreateStatement> {
    let mut due = index("job_due", "job", &["run_at", "id"]);
    due.and_where(Expr::col("state").eq("ready"));
    vec![
        unique("charge_once", "charge", &["subscription_id", "reason", "term_start", "dimension"]),
        unique("license_key_once", "license_key", &["subscription_id", "seq"]),
        unique("mail_once", "mail", &["message_id"]),
        unique("trial_use_once", "trial_use", &["trial_group", "customer"]),
        unique("job_once", "job", &["kind", "subject"]),
        due,
        index("call_of_subscription", "marketplace_call", &["subscription_id", "intended_at"]),
        index("quote_of_subscription", "quote", &["subscription_id"]),
        index("audit_of_subscription", "audit", &["subscription_id", "at"]),
        index("subscription_of_beneficiary", "subscription", &["beneficiary_tenant_id"]),
        index("subscription_of_purchaser", "subscription", &["purchaser_tenant_id"]),
    ]
}

pub(crate) fn unique(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = index(name, table, columns);
    index.unique();
    index
}

pub(crate) fn index(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}
