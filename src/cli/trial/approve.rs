//! `seatkey trial approve`

use clap::builder::NonEmptyStringValueParser;
use uuid::Uuid;

use super::{
    super::{Failure, print_line, serve::ConfigArgs},
    operator, told, with_app,
};
use crate::app::approve_trial;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ApproveArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The trial's id
    id: Uuid,
    /// Who approves: somebody else than who granted
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    by: String,
}

pub(super) fn run(args: &ApproveArgs) -> Result<(), Failure> {
    let ApproveArgs { config, id, by } = args;
    let grant = with_app(config, async |app| approve_trial(&app, &operator(by), *id).await)?;
    print_line(&told(&grant));
    Ok(())
}
