//! `seatkey trial bind`

use clap::builder::NonEmptyStringValueParser;
use uuid::Uuid;

use super::{
    super::{Failure, print_line, serve::ConfigArgs},
    TenantArgs, operator, with_app,
};
use crate::{app::bind_trial, domain::trial_grant::TrialRefused};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct BindArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The trial's id
    id: Uuid,
    #[command(flatten)]
    tenant: TenantArgs,
    /// Who says so
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    by: String,
}

pub(super) fn run(args: &BindArgs) -> Result<(), Failure> {
    let BindArgs { config, id, tenant, by } = args;
    let named = tenant.named().ok_or_else(|| Failure::Usage(TrialRefused::Nobody.to_string()))?;
    let grant = with_app(config, async |app| bind_trial(&app, &operator(by), *id, named).await)?;
    let tenant = grant.tenant_id.map(|tenant| tenant.to_string()).unwrap_or_default();
    print_line(&format!("Trial {id} belongs to the tenant {tenant}; its next purchase goes on with the license."));
    Ok(())
}
