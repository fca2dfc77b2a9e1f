//! `seatkey trial report`

use serde::Serialize;

use super::{
    super::{
        Failure,
        output::{print_json, print_line},
        serve::ConfigArgs,
    },
    with_app,
};
use crate::{
    app::{App, AppError},
    domain::{numbers::Tallies, trial_grant::TrialFigures},
};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ReportArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    /// `2026-01`
    month: &'a str,
    offer_id: &'a str,
    granted: i64,
    proposed: i64,
    open: i64,
    used: i64,
    expired: i64,
    revoked: i64,
    converted: i64,
}

pub(super) fn run(args: &ReportArgs) -> Result<(), Failure> {
    let figures = with_app(&args.config, async |app| count(&app).await)?;
    let rows: Vec<Row<'_>> = figures.iter().map(Row::of).collect();
    if args.json {
        return print_json(&rows);
    }
    print_line("month    offer                 granted proposed    open    used expired revoked converted");
    for row in &rows {
        let Row { month, offer_id, granted, proposed, open, used, expired, revoked, converted } = row;
        print_line(&format!(
            "{month}  {offer_id:<20} {granted:>8} {proposed:>8} {open:>7} {used:>7} {expired:>7} {revoked:>7} {converted:>9}"
        ));
    }
    Ok(())
}

/// Counted now, where the console shows what was counted in the last hour.
async fn count(app: &App) -> Result<Vec<TrialFigures>, AppError> {
    let mut tallies = Tallies::new();
    app.store.tally_grants(app.clock.now(), &mut tallies).await?;
    Ok(TrialFigures::list(&tallies))
}

impl<'a> Row<'a> {
    fn of(figures: &'a TrialFigures) -> Self {
        let [proposed, open, used, expired, revoked] = figures.standing;
        Self {
            month: &figures.month,
            offer_id: &figures.offer_id,
            granted: figures.granted(),
            proposed,
            open,
            used,
            expired,
            revoked,
            converted: figures.converted,
        }
    }
}
