//! What the stories are told with.

pub(crate) mod answers;
pub(crate) mod balancer;
pub(crate) mod chance;
pub(crate) mod history;
pub(crate) mod lab;
mod mischief;
pub(crate) mod mortal;
pub(crate) mod oracle;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod staff;
pub(crate) mod stage;
pub(crate) mod told;
pub(crate) mod years;

pub(crate) use stage::{Database, Stage, enrolment_fields, people};

/// Tells one story on SQLite and on PostgreSQL: two tests.
#[macro_export]
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* $story:ident;)+) => {
        mod sqlite { $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] $(#[$meta])* async fn $story() {
            super::$story($crate::support::Stage::set($crate::support::Database::Sqlite).await).await;
        })+ }
        mod postgres { $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] $(#[$meta])* async fn $story() {
            super::$story($crate::support::Stage::set($crate::support::Database::Postgres).await).await;
        })+ }
    };
}
