//! `seatkey trial revoke`

use clap::builder::NonEmptyStringValueParser;
use uuid::Uuid;

use super::{
    super::{Failure, print_line, serve::ConfigArgs},
    operator, with_app,
};
use crate::app::revoke_trial;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RevokeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The trial's id
    id: Uuid,
    /// Why; at least 10 characters
    #[arg(long)]
    reason: String,
    /// Who revokes
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    by: String,
}

pub(super) fn run(args: &RevokeArgs) -> Result<(), Failure> {
    let RevokeArgs { config, id, reason, by } = args;
    let grant = with_app(config, async |app| revoke_trial(&app, &operator(by), *id, reason).await)?;
    let key = if grant.license.is_some() { " Its key is on the list of revoked licenses." } else { "" };
    print_line(&format!("Trial {id} is revoked.{key}"));
    Ok(())
}
