//! `seatkey trial list`

use clap::builder::PossibleValuesParser;

use super::{
    super::{
        Failure,
        output::{print_json, print_line},
        serve::ConfigArgs,
    },
    with_app,
};
use crate::domain::{
    time::utc_day,
    trial_grant::{Standing, TrialGrant, TrialGrantJson},
    words,
};

/// So many are read at once.
const PAGE: u64 = 500;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ListArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Only those that stand so
    #[arg(long, value_parser = PossibleValuesParser::new(Standing::ALL.map(Standing::as_str)))]
    state: Option<String>,
    /// JSON, with the fields of the API
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ListArgs) -> Result<(), Failure> {
    let wanted = args.state.as_deref().and_then(Standing::from_word);
    let (grants, now) = with_app(&args.config, async |app| {
        let now = app.clock.now();
        let mut grants: Vec<TrialGrant> = Vec::new();
        loop {
            let before = grants.last().map(|grant| grant.id);
            let page = app.store.list_trial_grants(wanted, before, PAGE, now).await?;
            let is_last = (page.len() as u64) < PAGE;
            grants.extend(page);
            if is_last {
                return Ok((grants, now));
            }
        }
    })?;
    if args.json {
        return print_json(&grants.iter().map(|grant| TrialGrantJson::new(grant, now)).collect::<Vec<_>>());
    }
    for grant in &grants {
        print_line(&line(grant, grant.standing(now)));
    }
    if grants.is_empty() {
        print_line("There are no trials.");
    }
    Ok(())
}

fn line(grant: &TrialGrant, standing: Standing) -> String {
    let whose = match (grant.subscription_id, grant.tenant_id) {
        _ if !grant.contact.organisation.is_empty() => grant.contact.organisation.clone(),
        (Some(id), _) => format!("subscription {id}"),
        (None, Some(tenant)) => grant.domain.clone().unwrap_or_else(|| format!("tenant {tenant}")),
        (None, None) => String::new(),
    };
    let users = grant.users.map(|users| format!(", {}", words::users(users))).unwrap_or_default();
    let ends = words::day(utc_day(grant.expires_at - time::Duration::MICROSECOND));
    format!(
        "{}  {:<8}  {:<10}  {}, {}{users}, until {ends}, by {}  {whose}",
        grant.id,
        standing.as_str(),
        grant.kind.as_str(),
        grant.plan_id,
        words::counted(grant.days, "day"),
        grant.granted_by.name,
    )
}
