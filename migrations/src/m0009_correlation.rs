//! What one request, webhook or job has led to: the steps of a trace, and the trace that a job belongs to.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, string, text_null, uuid, uuid_null},
};

use crate::m0001_purchase::{index, key, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = Table::alter().table("job").add_column(uuid_null("trace_id")).to_owned();
        manager.alter_table(column).await?;
        manager.create_table(trace_step()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

/// A step: kept for a while, then deleted. It has no names and no texts of people.
fn trace_step() -> TableCreateStatement {
    let mut table = table("trace_step");
    table
        .col(key("id"))
        .col(uuid("trace_id"))
        .col(big_integer("at"))
        .col(string("kind"))
        .col(string("name"))
        .col(uuid_null("subject"))
        .col(text_null("reference"))
        .col(text_null("other_reference"))
        .col(text_null("outcome"))
        .take()
}

fn indexes() -> Vec<IndexCreateStatement> {
    let given = |mut index: IndexCreateStatement, column: &'static str| {
        index.and_where(Expr::col(column).is_not_null());
        index
    };
    // What is done has left its own step.
    let mut left = index("job_left_of_trace", "job", &["trace_id"]);
    left.and_where(Expr::cust("trace_id IS NOT NULL AND state <> 'done'"));
    vec![
        index("trace_step_of_trace", "trace_step", &["trace_id", "id"]),
        given(index("trace_step_by_reference", "trace_step", &["reference"]), "reference"),
        given(index("trace_step_by_other_reference", "trace_step", &["other_reference"]), "other_reference"),
        left,
    ]
}
