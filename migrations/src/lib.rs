//! The database schema, one file per step, append-only: a step that has landed is never edited.
//!
//! Portable types only (SQLite and PostgreSQL): instants are microseconds in `BIGINT`, dates ISO text, amounts minor units,
//! quantities millionths, unit prices and structured values text. No database clock, no `NUMERIC`.

mod m0001_purchase;
mod m0002_life;
mod m0003_reporting;
mod m0004_staff;
mod m0005_numbers;
mod m0006_credits;
mod m0007_console_indexes;
mod m0008_fewer_indexes;
mod m0009_correlation;
mod m0010_checks;
mod m0011_narrow_indexes;

use sea_orm_migration::prelude::*;

/// All steps, oldest first.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_purchase::Migration),
            Box::new(m0002_life::Migration),
            Box::new(m0003_reporting::Migration),
            Box::new(m0004_staff::Migration),
            Box::new(m0005_numbers::Migration),
            Box::new(m0006_credits::Migration),
            Box::new(m0007_console_indexes::Migration),
            Box::new(m0008_fewer_indexes::Migration),
            Box::new(m0009_correlation::Migration),
            Box::new(m0010_checks::Migration),
            Box::new(m0011_narrow_indexes::Migration),
        ]
    }
}
