//! `seatkey ledger acknowledge`: a person has looked at a finding that nothing else ends.

use clap::builder::NonEmptyStringValueParser;
use uuid::Uuid;

use super::super::{Failure, print_line, serve::ConfigArgs};
use crate::{
    app::{Acknowledged, acknowledge_finding},
    startup,
};

#[derive(Debug, clap::Args)]
pub(in super::super) struct AcknowledgeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The subscription's id, as Microsoft gives it
    subscription: Uuid,
    /// `usage_missing`, `plan_changed`, …
    kind: String,
    /// The finding's cause, as the log and the database name it
    cause: String,
    /// Why, for whoever reads it in a year
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    reason: String,
    /// Who has looked at it
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    by: String,
}

pub(super) fn run(args: &AcknowledgeArgs) -> Result<(), Failure> {
    let AcknowledgeArgs { config, subscription, kind, cause, reason, by } = args;
    let (config, clock) = config.load_with_clock()?;
    super::super::block_on(async {
        let app = startup::build(&config, clock).await.map_err(|error| Failure::Usage(error.to_string()))?;
        let closed = acknowledge_finding(&app, (*subscription, kind, cause), (reason, by)).await;
        match closed.map_err(|error| Failure::No(error.to_string()))? {
            Acknowledged::Closed => {
                print_line(&format!("The finding {kind} {cause} is closed. What is found again is open again."));
                Ok(())
            }
            Acknowledged::NotOpen => {
                Err(Failure::No(format!("subscription {subscription} has no open finding {kind} {cause}")))
            }
            Acknowledged::ChargeWaits => Err(Failure::No(
                "it is about a charge that is not settled; decide about that with `seatkey ledger resolve`".to_owned(),
            )),
        }
    })
}
