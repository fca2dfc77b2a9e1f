//! The command line: one file per command. Exit code 0 = done, 1 = the answer is no, 2 = wrong usage or configuration.
//! Errors go to standard error as one sentence that says what to do.

mod api_key;
mod audit;
mod backup;
pub mod browser;
mod catalog;
pub mod demo;
mod doctor;
mod health;
pub mod history;
mod ledger;
mod license;
mod mail;
mod output;
mod quote;
mod reconcile;
mod restore;
mod scene;
mod script;
mod serve;
mod simulate;
pub mod simulated;
mod trace;
mod trial;
mod webhook;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::telemetry;
use output::{print_error, print_line};

/// Seatkey connects software publishers to Microsoft's commercial marketplace.
#[derive(Debug, Parser)]
#[command(name = "seatkey", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Simulator and service together, with no configuration
    Demo(demo::DemoArgs),
    /// The web service and its workers
    Serve(serve::ServeArgs),
    /// The workers alone, beside `serve --no-workers`
    Work(serve::ConfigArgs),
    /// Only Microsoft's end, for anybody who develops against the marketplace
    Simulate(simulate::SimulateArgs),
    /// Brings the database schema up to date
    Migrate(serve::ConfigArgs),
    /// Looks at everything that a configuration depends on; says what mends what is wrong
    Doctor(doctor::DoctorArgs),
    /// Asks the process that runs with this configuration here whether it can take requests
    Health(health::HealthArgs),
    /// Compares everything with Microsoft and converges
    Reconcile(reconcile::ReconcileArgs),
    /// What one request, webhook or job has led to, down to Microsoft's ids
    Trace(trace::TraceArgs),
    /// Ledger and audit log
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Copies a SQLite database while the service writes, and verifies the copy
    Backup(backup::BackupArgs),
    /// The lock around a restored backup
    #[command(subcommand)]
    Restore(restore::RestoreCommand),
    /// The inbox of Microsoft's webhooks
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
    /// Mails with real data
    #[command(subcommand)]
    Mail(mail::MailCommand),
    /// Custom trials
    #[command(subcommand)]
    Trial(trial::TrialCommand),
    /// Charges: why they are there, and what a person decides about them
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Keys of the publisher's own systems, for the API
    #[command(subcommand)]
    ApiKey(api_key::ApiKeyCommand),
    /// Signing keys and license keys
    #[command(subcommand)]
    License(license::LicenseCommand),
    /// A quote from the catalog's list prices
    Quote(quote::QuoteArgs),
    /// Validates a catalog; names file, line and field
    #[command(subcommand)]
    Catalog(catalog::CatalogCommand),
}

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The answer is no: exit code 1.
    #[error("{0}")]
    No(String),
    /// Wrong usage or configuration: exit code 2.
    #[error("{0}")]
    Usage(String),
}

impl From<browser::BrowseError> for Failure {
    fn from(error: browser::BrowseError) -> Self {
        scene::failed(&error.to_string())
    }
}

/// Runs one command to its end.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let result = match cli.command {
        Command::Demo(args) => demo::run(&args),
        Command::Serve(args) => serve::serve(&args),
        Command::Work(args) => serve::work(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Migrate(args) => serve::migrate(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Health(args) => health::run(&args),
        Command::Reconcile(args) => reconcile::run(&args),
        Command::Trace(args) => trace::run(&args),
        Command::Audit(command) => audit::run(&command),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(command) => restore::run(&command),
        Command::Webhook(command) => webhook::run(&command),
        Command::Mail(command) => mail::run(&command),
        Command::Trial(command) => trial::run(&command),
        Command::Ledger(command) => ledger::run(&command),
        Command::ApiKey(command) => api_key::run(&command),
        Command::License(command) => license::run(&command),
        Command::Quote(args) => quote::run(&args),
        Command::Catalog(command) => catalog::run(&command),
    };
    telemetry::finish();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            print_error(&failure.to_string());
            ExitCode::from(if matches!(failure, Failure::No(_)) { 1 } else { 2 })
        }
    }
}

/// Runs the asynchronous part of a command.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::No(format!("no threads can be started: {error}")))?.block_on(work)
}
