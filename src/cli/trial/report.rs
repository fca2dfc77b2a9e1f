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
use crate::store::TrialFigures;

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
    month: String,
    offer_id: &'a str,
    granted: u64,
    proposed: u64,
    open: u64,
    used: u64,
    expired: u64,
    revoked: u64,
    converted: u64,
}

pub(super) fn run(args: &ReportArgs) -> Result<(), Failure> {
    let figures = with_app(&args.config, async |app| Ok(app.store.list_trial_figures(app.clock.now()).await?))?;
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

impl<'a> Row<'a> {
    fn of(figures: &'a TrialFigures) -> Self {
        Self {
            month: format!("{}-{:02}", figures.month.year(), u8::from(figures.month.month())),
            offer_id: &figures.offer_id,
            granted: figures.granted,
            proposed: figures.proposed,
            open: figures.open,
            used: figures.used,
            expired: figures.expired,
            revoked: figures.revoked,
            converted: figures.converted,
        }
    }
}
