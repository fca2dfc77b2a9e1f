//! The publisher's people: who they are, what they granted, proposed, approved and noted; API keys; what is searched for.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, boolean, integer, integer_null, string, string_null, text, text_null, uuid,
        uuid_null, var_binary,
    },
};

use crate::m0001_purchase::{index, key, owned_by_subscription, table, unique};

/// No term that is searched for is longer, in bytes.
const MAX_TERM_BYTES: u32 = 256;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [
            staff_member(),
            staff_session(),
            house_chain(),
            trial_grant(),
            approval(),
            note(),
            api_key(),
            api_answer(),
            search_term(),
        ];
        for table in tables {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        // The one row, with the head of an empty chain.
        let head = "INSERT INTO house_chain (id, chain_count, chain_hash) VALUES (1, 0, '')";
        manager.get_connection().execute_unprepared(head).await.map(|_| ())
    }
}

/// One of the publisher's people, with the roles of the last sign-in: a role that was taken away ends every session.
fn staff_member() -> TableCreateStatement {
    let mut table = table("staff_member");
    table
        .col(key("id"))
        .col(uuid("tenant_id"))
        .col(uuid("object_id"))
        .col(text("name"))
        .col(text("email"))
        .col(string("roles"))
        .col(big_integer("first_seen_at"))
        .col(big_integer("signed_in_at"))
        .take()
}

/// A signed-in person. The id is a digest of what the cookie holds.
fn staff_session() -> TableCreateStatement {
    let mut table = table("staff_session");
    table
        .col(string("id").primary_key())
        .col(uuid("member_id"))
        .col(string("csrf"))
        .col(big_integer("created_at"))
        .col(big_integer("last_seen_at"))
        .col(big_integer("expires_at"))
        .foreign_key(&mut ForeignKey::create().from_col("member_id").to("staff_member", "id").take())
        .take()
}

/// The head of the chain of what belongs to no subscription: sign-ins, grants for a tenant, API keys; one row.
fn house_chain() -> TableCreateStatement {
    let mut table = table("house_chain");
    table.col(integer("id").primary_key()).col(big_integer("chain_count")).col(string("chain_hash")).take()
}

/// The permission of sales-ops for a trial: ahead of a purchase, as an extension, or without any purchase.
fn trial_grant() -> TableCreateStatement {
    let mut table = table("trial_grant");
    table
        .col(key("id"))
        .col(string("kind"))
        .col(string("offer_id"))
        .col(string("plan_id"))
        .col(string("trial_group"))
        // Whose trial it is: the tenant alone counts. The domain is what it was resolved from.
        .col(uuid_null("tenant_id"))
        .col(string_null("domain"))
        .col(text("organisation"))
        .col(text("contact_name"))
        .col(text("contact_email"))
        .col(string("language"))
        // What is extended (`trial`, `grace`), or what used the grant up.
        .col(string_null("extends"))
        .col(uuid_null("subscription_id"))
        .col(integer("days"))
        .col(big_integer_null("users"))
        .col(text("reason"))
        .col(string("state"))
        .col(string("granted_by"))
        .col(text("granted_by_name"))
        .col(text("granted_by_email"))
        .col(big_integer("granted_at"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("opened_at"))
        .col(big_integer_null("used_at"))
        .col(big_integer_null("revoked_at"))
        .col(string_null("revoked_by"))
        .col(text_null("revoke_reason"))
        // The key of a trial without a purchase; a later purchase goes on with the same license.
        .col(string_null("license_id"))
        .col(integer_null("license_seq"))
        .col(text_null("license_key"))
        .col(big_integer_null("ends_at"))
        .col(big_integer("version"))
        .take()
}

/// What one person proposes and another one has to approve.
fn approval() -> TableCreateStatement {
    let mut table = table("approval");
    table
        .col(key("id"))
        .col(string("kind"))
        .col(uuid("subject"))
        .col(uuid_null("subscription_id"))
        .col(text("body"))
        // What the proposal was made from; where it is something else by now, the proposal is stale.
        .col(text("basis"))
        .col(text("reason"))
        .col(uuid("proposed_by"))
        .col(big_integer("proposed_at"))
        .col(big_integer("expires_at"))
        .col(string("state"))
        .col(uuid_null("decided_by"))
        .col(big_integer_null("decided_at"))
        .col(text_null("decision_reason"))
        .take()
}

/// What people tell each other about a subscription; append-only. The audit log has a digest of salt and text, so that the
/// text can be erased with the customer's data.
fn note() -> TableCreateStatement {
    let mut table = table("note");
    table
        .col(key("id"))
        .col(uuid("subscription_id"))
        .col(uuid("member_id"))
        .col(text("text"))
        .col(string_null("salt"))
        .col(big_integer("at"))
        .foreign_key(&mut owned_by_subscription())
        .take()
}

/// A key of the publisher's own systems; only its digest is kept.
fn api_key() -> TableCreateStatement {
    let mut table = table("api_key");
    table
        .col(key("id"))
        .col(text("name"))
        .col(string("digest"))
        .col(string("scopes"))
        .col(string("created_by"))
        .col(big_integer("created_at"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("revoked_at"))
        .col(string_null("revoked_by"))
        .col(big_integer_null("last_used_at"))
        .take()
}

/// What a request with an idempotency key was answered; the same request gets the same answer, another one is refused.
fn api_answer() -> TableCreateStatement {
    let mut table = table("api_answer");
    table
        .col(key("id"))
        .col(uuid("api_key_id"))
        .col(string("idempotency_key"))
        .col(string("fingerprint"))
        .col(integer("status"))
        .col(text("body"))
        .col(big_integer("created_at"))
        .take()
}

/// What somebody may type into the search field, in small letters. Bytes, so that both databases sort them alike and a
/// prefix is a range.
fn search_term() -> TableCreateStatement {
    let mut table = table("search_term");
    table
        .col(var_binary("term", MAX_TERM_BYTES))
        .col(uuid("target"))
        .col(string("kind"))
        // The target is a trial without a purchase, and no subscription.
        .col(boolean("is_trial"))
        .primary_key(Index::create().col("term").col("target").col("kind"))
        .take()
}

fn indexes() -> Vec<IndexCreateStatement> {
    let mut one_open = unique("approval_open_once", "approval", &["kind", "subject"]);
    one_open.and_where(Expr::col("state").eq("open"));
    let mut unhandled = index("webhook_unhandled", "webhook", &["id"]);
    unhandled.and_where(Expr::col("handled_at").is_null());
    let mut dead = index("job_dead", "job", &["id"]);
    dead.and_where(Expr::col("state").eq("dead"));
    // What Seatkey itself and buyers have done is most of the log.
    let mut people = index("audit_of_people", "audit", &["id"]);
    people.and_where(Expr::cust("actor LIKE 'staff:%' OR actor LIKE 'api:%' OR actor LIKE 'operator:%'"));
    vec![
        unique("staff_member_once", "staff_member", &["tenant_id", "object_id"]),
        unique("api_key_digest", "api_key", &["digest"]),
        unique("api_answer_once", "api_answer", &["api_key_id", "idempotency_key"]),
        one_open,
        index("approval_by_state", "approval", &["state", "proposed_at"]),
        index("approval_of_subscription", "approval", &["subscription_id", "proposed_at"]),
        index("note_of_subscription", "note", &["subscription_id", "at"]),
        index("trial_grant_of_tenant", "trial_grant", &["tenant_id", "trial_group", "state"]),
        index("trial_grant_by_state", "trial_grant", &["state", "expires_at"]),
        index("trial_grant_of_subscription", "trial_grant", &["subscription_id"]),
        unique("trial_grant_license", "trial_grant", &["license_id"]),
        // Lists of the console, newest first.
        index("subscription_by_time", "subscription", &["created_at", "id"]),
        index("subscription_by_stage", "subscription", &["stage", "created_at", "id"]),
        index("search_term_of_target", "search_term", &["target"]),
        // Ids are made from the time, so that lists go by the primary key; these are for filters that find few.
        index("charge_by_reason", "charge", &["reason", "id"]),
        index("charge_by_currency", "charge", &["currency", "id"]),
        index("webhook_by_action", "webhook", &["action", "id"]),
        unhandled,
        dead,
        index("mail_by_state", "mail", &["state", "id"]),
        index("audit_by_action", "audit", &["action", "id"]),
        people,
    ]
}
