//! `seatkey ledger …`: what a person asks and decides about charges.

mod acknowledge;
mod explain;
mod resolve;

use clap::Subcommand;

use super::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Why each charge, where it stands, and on which invoice it is
    Explain(explain::ExplainArgs),
    /// Decides about a charge that waits for a person
    Resolve(resolve::ResolveArgs),
    /// Closes a finding that nothing else ends
    Acknowledge(acknowledge::AcknowledgeArgs),
}

pub(super) fn run(command: &LedgerCommand) -> Result<(), Failure> {
    match command {
        LedgerCommand::Explain(args) => explain::run(args),
        LedgerCommand::Resolve(args) => resolve::run(args),
        LedgerCommand::Acknowledge(args) => acknowledge::run(args),
    }
}
