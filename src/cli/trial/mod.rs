//! `seatkey trial …`: custom trials, by the same use cases as the console and the API.

mod approve;
mod bind;
mod extend;
mod grant;
mod list;
mod report;
mod revoke;

use clap::Subcommand;
use uuid::Uuid;

use super::{Failure, serve::ConfigArgs};
use crate::{
    app::{App, AppError, NamedTenant},
    domain::{
        staff::Actor,
        trial_grant::{Kind, State, TrialGrant},
        words,
    },
    startup,
};

#[derive(Debug, Subcommand)]
pub(super) enum TrialCommand {
    /// Grants a trial to a tenant ahead of its purchase, or mails a prospect a key
    Grant(Box<grant::GrantArgs>),
    /// Names the trials, newest first
    List(list::ListArgs),
    /// Takes a trial back that is not used
    Revoke(revoke::RevokeArgs),
    /// Makes a running trial or grace period longer, while nothing is reported
    Extend(extend::ExtendArgs),
    /// Approves a trial above what one person may grant alone
    Approve(approve::ApproveArgs),
    /// Names the tenant of a prospect whose key was mailed without one
    Bind(bind::BindArgs),
    /// What became of the trials, by month and offer
    Report(report::ReportArgs),
}

pub(super) fn run(command: &TrialCommand) -> Result<(), Failure> {
    match command {
        TrialCommand::Grant(args) => grant::run(args),
        TrialCommand::List(args) => list::run(args),
        TrialCommand::Revoke(args) => revoke::run(args),
        TrialCommand::Extend(args) => extend::run(args),
        TrialCommand::Approve(args) => approve::run(args),
        TrialCommand::Bind(args) => bind::run(args),
        TrialCommand::Report(args) => report::run(args),
    }
}

/// Runs a command with the application.
fn with_app<T, F>(config: &ConfigArgs, work: impl FnOnce(App) -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, AppError>>,
{
    let (config, clock) = config.load_with_clock()?;
    super::block_on(async {
        let app = startup::build(&config, clock).await.map_err(|error| Failure::Usage(error.to_string()))?;
        work(app).await.map_err(|error| Failure::No(error.to_string()))
    })
}

/// Who acts, in their own words.
fn operator(name: &str) -> Actor {
    Actor::Operator { name: name.trim().to_owned() }
}

/// A tenant by its id or by a domain.
#[derive(Debug, clap::Args)]
struct TenantArgs {
    /// The customer's Entra tenant
    #[arg(long, conflicts_with = "domain")]
    tenant: Option<Uuid>,
    /// A domain of the customer; it is resolved to the tenant now
    #[arg(long)]
    domain: Option<String>,
}

impl TenantArgs {
    fn named(&self) -> Option<NamedTenant<'_>> {
        self.tenant.map(NamedTenant::Id).or_else(|| self.domain.as_deref().map(NamedTenant::Domain))
    }
}

/// What somebody has just done, in a sentence.
fn told(grant: &TrialGrant) -> String {
    let (id, days) = (grant.id, words::counted(grant.days, "day"));
    let users = grant.users.map(|users| format!(" for {}", words::users(users))).unwrap_or_default();
    match (grant.state, grant.kind) {
        (State::Proposed, _) => {
            format!(
                "Trial {id}: {days}{users} take a second person; `seatkey trial approve {id} --by NAME` approves them."
            )
        }
        (_, Kind::OffMarket) => {
            let until = words::day(crate::domain::time::utc_day(grant.expires_at - time::Duration::MICROSECOND));
            format!("Trial {id}: a key of {days}{users}, until {until}, is mailed to {}.", grant.contact.email)
        }
        (_, Kind::Extension) => {
            let what = grant.extends.map_or("trial", crate::domain::trial_grant::Extends::as_str);
            format!("Trial {id}: the {what} lasts {days} longer; the buyer is told the new dates.")
        }
        (_, Kind::Ahead) => {
            let until = words::day(crate::domain::time::utc_day(grant.expires_at - time::Duration::MICROSECOND));
            let tenant = grant.tenant_id.map(|tenant| tenant.to_string()).unwrap_or_default();
            format!("Trial {id}: the next purchase of the tenant {tenant}, until {until}, gets {days}{users}.")
        }
    }
}
