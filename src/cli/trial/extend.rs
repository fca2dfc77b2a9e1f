//! `seatkey trial extend`

use clap::builder::NonEmptyStringValueParser;
use uuid::Uuid;

use super::{
    super::{Failure, print_line, serve::ConfigArgs},
    operator, told, with_app,
};
use crate::{
    app::{TrialExtension, approve_trial, extend_trial},
    domain::trial_grant::{Extends, State, TrialRefused, is_same_person},
};

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["trial", "grace"])))]
pub(in crate::cli) struct ExtendArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The subscription's id, as Microsoft gives it
    subscription: Uuid,
    /// Days more of trial
    #[arg(long, value_name = "DAYS")]
    trial: Option<u32>,
    /// Days more of the grace period
    #[arg(long, value_name = "DAYS")]
    grace: Option<u32>,
    /// Why; at least 10 characters
    #[arg(long)]
    reason: String,
    /// Who extends
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    by: String,
    /// Who approves, where it is more than one person may grant alone: somebody else
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    approved_by: Option<String>,
}

pub(super) fn run(args: &ExtendArgs) -> Result<(), Failure> {
    let granter = operator(&args.by);
    let approver = args.approved_by.as_deref().map(operator);
    if approver.as_ref().is_some_and(|approver| is_same_person((&granter.audit_word(), granter.name()), approver)) {
        return Err(Failure::No(TrialRefused::SamePerson.to_string()));
    }
    let (extends, days) = match (args.trial, args.grace) {
        (Some(days), _) => (Extends::Trial, days),
        (None, days) => (Extends::Grace, days.unwrap_or_default()),
    };
    let extension = TrialExtension { subscription_id: args.subscription, extends, days, reason: &args.reason };
    let grant = with_app(&args.config, async |app| {
        let grant = extend_trial(&app, &granter, extension).await?;
        match &approver {
            Some(approver) if grant.state == State::Proposed => approve_trial(&app, approver, grant.id).await,
            _ => Ok(grant),
        }
    })?;
    print_line(&told(&grant));
    Ok(())
}
