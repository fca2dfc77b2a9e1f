//! `seatkey trial grant`

use clap::builder::NonEmptyStringValueParser;

use super::{
    super::{Failure, print_line, serve::ConfigArgs},
    TenantArgs, operator, told, with_app,
};
use crate::{
    app::{TrialRequest, approve_trial, grant_trial},
    domain::trial_grant::{Contact, State, TrialRefused, is_same_person},
};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct GrantArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The offer's id
    #[arg(long)]
    offer: String,
    /// The plan's id
    #[arg(long)]
    plan: String,
    #[command(flatten)]
    tenant: TenantArgs,
    /// Mails a key to this prospect at once, without any purchase
    #[arg(long, requires_all = ["name", "organisation"])]
    email: Option<String>,
    /// The prospect's name
    #[arg(long, requires = "email")]
    name: Option<String>,
    /// The prospect's organisation, as the key names it
    #[arg(long, requires = "email")]
    organisation: Option<String>,
    /// The language of the prospect's mails
    #[arg(long, default_value = "en")]
    language: String,
    /// Days of trial
    #[arg(long)]
    days: u32,
    /// The most users that it is for (default: 1,000); in a key, its users (default: the plan's fewest)
    #[arg(long)]
    users: Option<u32>,
    /// Days for which the offer stays open (default: 30)
    #[arg(long)]
    expires_in: Option<u32>,
    /// Why, for whoever reads it in a year; at least 10 characters
    #[arg(long)]
    reason: String,
    /// Who grants
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    by: String,
    /// Who approves, where it is more than one person may grant alone: somebody else
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    approved_by: Option<String>,
}

pub(super) fn run(args: &GrantArgs) -> Result<(), Failure> {
    let granter = operator(&args.by);
    let approver = args.approved_by.as_deref().map(operator);
    if approver.as_ref().is_some_and(|approver| is_same_person((&granter.audit_word(), granter.name()), approver)) {
        return Err(Failure::No(TrialRefused::SamePerson.to_string()));
    }
    let grant = with_app(&args.config, async |app| {
        let grant = grant_trial(&app, &granter, args.request()).await?;
        match &approver {
            Some(approver) if grant.state == State::Proposed => approve_trial(&app, approver, grant.id).await,
            _ => Ok(grant),
        }
    })?;
    print_line(&told(&grant));
    Ok(())
}

impl GrantArgs {
    fn request(&self) -> TrialRequest<'_> {
        let prospect = self.email.as_ref().map(|email| Contact {
            organisation: self.organisation.clone().unwrap_or_default(),
            name: self.name.clone().unwrap_or_default(),
            email: email.trim().to_owned(),
            language: self.language.clone(),
        });
        TrialRequest {
            offer_id: &self.offer,
            plan_id: &self.plan,
            tenant: self.tenant.named(),
            prospect,
            days: self.days,
            users: self.users,
            offer_days: self.expires_in,
            reason: &self.reason,
        }
    }
}
