//! Indexes that a charge leaves when it is on its usual way, because each change of its state writes a new version of its row
//! into every index that has a place for it: none of those for lists of the ledger while it is under way, and none of those for
//! work when it is accepted. What holds for charges holds for the events that carry them.

use sea_orm_migration::{prelude::*, sea_orm::DatabaseBackend};

use crate::m0001_purchase::index;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let wide = [
            ("charge_by_state", "charge"),
            ("charge_by_reason_and_currency", "charge"),
            // The one by state and reason serves its lists, too.
            ("charge_resting", "charge"),
            ("usage_event_open", "usage_event"),
        ];
        for (name, table) in wide {
            manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        leave_room_for_changes(manager).await
    }
}

/// Each step of a charge changes the head of the chain in the subscription's row. PostgreSQL writes the new version of a row
/// into no index when there is room for it on the same page, and a batch changes all rows of a page at once.
async fn leave_room_for_changes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    if manager.get_database_backend() == DatabaseBackend::Postgres {
        let statement = "ALTER TABLE subscription SET (fillfactor = 50)";
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}

/// The store asks with the same conditions, in the same words.
fn indexes() -> Vec<IndexCreateStatement> {
    let only = |mut index: IndexCreateStatement, condition: &'static str| {
        index.and_where(Expr::cust(condition));
        index
    };
    vec![
        only(index("charge_not_accepted", "charge", &["state", "reportable_from", "id"]), "state <> 'accepted'"),
        only(index("charge_not_under_way", "charge", &["reason", "currency", "id"]), "state NOT IN ('due', 'sending')"),
        only(index("usage_event_is_open", "usage_event", &["next_attempt_at", "effective_start"]), "state = 'open'"),
    ]
}
