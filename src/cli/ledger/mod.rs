//! `seatkey ledger`: the charges of a subscription.

mod explain;

use super::Failure;

#[derive(Debug, clap::Subcommand)]
pub(super) enum LedgerCommand {
    /// Why each charge, where it stands, and on which invoice it is
    Explain(explain::ExplainArgs),
}

pub(super) fn run(command: &LedgerCommand) -> Result<(), Failure> {
    match command {
        LedgerCommand::Explain(args) => explain::run(args),
    }
}
