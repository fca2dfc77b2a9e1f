//! `seatkey ledger resolve`: a person's decision about a charge, approved by another one.

use clap::builder::PossibleValuesParser;
use uuid::Uuid;

use super::super::{Failure, print_line, serve::ConfigArgs};
use crate::{
    app::{Resolution, resolve_charge},
    domain::decision::Decision,
    startup,
};

#[derive(Debug, clap::Args)]
pub(in super::super) struct ResolveArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The charge's id
    charge: Uuid,
    /// accepted: Microsoft has it. not-arrived: it never arrived, and is told again as a correction. report-again: Microsoft
    /// takes it now. write-off: it is given up. release: it may be told
    #[arg(value_parser = PossibleValuesParser::new(Decision::ALL.map(Decision::as_str)))]
    decision: String,
    /// Why, for whoever reads it in a year; at least 10 characters
    #[arg(long)]
    reason: String,
    /// Who decides
    #[arg(long)]
    by: String,
    /// Who approves: somebody else
    #[arg(long)]
    approved_by: String,
}

pub(super) fn run(args: &ResolveArgs) -> Result<(), Failure> {
    let (config, clock) = args.config.load_with_clock()?;
    let unknown = || Failure::Usage(format!("\"{}\" is no decision", args.decision));
    let decision = Decision::from_word(&args.decision).ok_or_else(unknown)?;
    super::super::block_on(async {
        let app = startup::build(&config, clock).await.map_err(|error| Failure::Usage(error.to_string()))?;
        let resolution = Resolution {
            charge_id: args.charge,
            decision,
            reason: &args.reason,
            by: &args.by,
            approved_by: &args.approved_by,
        };
        let state = resolve_charge(&app, resolution).await.map_err(|error| Failure::No(error.to_string()))?;
        print_line(&format!("Charge {} is {} now.", args.charge, state.as_str().replace('_', " ")));
        Ok(())
    })
}
