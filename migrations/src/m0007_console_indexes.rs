//! Indexes for filters of the console that find few among millions, and for words of a search that many names have.

use sea_orm_migration::prelude::*;

use crate::m0001_purchase::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What kind of actor an entry of the log names; the store asks for it in the same words.
pub(crate) const ACTOR_CLASS: &str = "(CASE WHEN actor LIKE 'staff:%' THEN 'staff' WHEN actor LIKE 'api:%' THEN 'api' \
                           WHEN actor LIKE 'operator:%' THEN 'operator' \
                           WHEN actor IN ('seatkey', 'microsoft') THEN actor ELSE 'buyer' END)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // What takes their place is below.
        for (name, table) in [("audit_of_people", "audit"), ("search_term_of_target", "search_term")] {
            manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        for (name, columns) in [("audit_by_class", "id"), ("audit_by_class_and_action", "action, id")] {
            let statement = format!("CREATE INDEX {name} ON audit ({ACTOR_CLASS}, {columns})");
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

fn indexes() -> Vec<IndexCreateStatement> {
    // A charge on its usual way is in none of these, so that reporting writes no more than before.
    let resting = |mut index: IndexCreateStatement| {
        index.and_where(Expr::cust("state NOT IN ('due', 'sending', 'accepted')"));
        index
    };
    vec![
        resting(index("charge_resting", "charge", &["state", "id"])),
        resting(index("charge_resting_by_reason", "charge", &["state", "reason", "id"])),
        // Where both are frequent and never meet, the ledger would be read to its end.
        index("charge_by_reason_and_currency", "charge", &["reason", "currency", "id"]),
        index("job_by_kind_and_state", "job", &["kind", "state", "id"]),
        index("subscription_by_offer", "subscription", &["offer_id", "created_at", "id"]),
        index("subscription_by_plan", "subscription", &["plan_id", "created_at", "id"]),
        // A plan that the offer does not have.
        index("subscription_by_offer_and_plan", "subscription", &["offer_id", "plan_id", "created_at", "id"]),
        // The list of the API goes by the id.
        index("subscription_by_status", "subscription", &["microsoft_status", "id"]),
        // With the term, so that the row itself is not read.
        index("search_term_of_target", "search_term", &["target", "term"]),
    ]
}
