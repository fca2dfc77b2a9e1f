//! `seatkey ledger …`: what a person asks and decides about charges.

mod resolve;

use clap::Subcommand;

use super::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Decides about a charge that waits for a person
    Resolve(resolve::ResolveArgs),
}

pub(super) fn run(command: &LedgerCommand) -> Result<(), Failure> {
    match command {
        LedgerCommand::Resolve(args) => resolve::run(args),
    }
}
