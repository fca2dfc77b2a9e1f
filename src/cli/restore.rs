//! `seatkey restore begin` and `finish`: the lock around a restored backup.

use std::sync::Arc;

use super::{
    Failure,
    output::{print_error, print_line},
    reconcile,
    serve::ConfigArgs,
};
use crate::{
    app::{App, FinishOptions, Named, RestoreReport, begin_restore, finish_restore},
    jobs::Runner,
    startup,
};

#[derive(Debug, clap::Subcommand)]
pub(super) enum RestoreCommand {
    /// Locks the reporter. Run it before the service is started on a restored database
    Begin(ConfigArgs),
    /// Compares everything with Microsoft, adopts what it has already, and unlocks the reporter
    Finish(FinishArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct FinishArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Acknowledges usage that no charge can be, with this reason
    #[arg(long, value_name = "REASON")]
    accept_foreign: Option<String>,
    /// Freezes what cannot be decided before Microsoft's sums show everything, instead of waiting
    #[arg(long)]
    freeze: bool,
}

pub(super) fn run(command: &RestoreCommand) -> Result<(), Failure> {
    match command {
        RestoreCommand::Begin(config) => begin(config),
        RestoreCommand::Finish(args) => finish(args),
    }
}

fn begin(args: &ConfigArgs) -> Result<(), Failure> {
    with_app(args, async |app| {
        begin_restore(&app).await.map_err(|error| no(&error))?;
        print_line("The reporter is locked. Start the service if you like, then run `seatkey restore finish`.");
        Ok(())
    })
}

fn finish(args: &FinishArgs) -> Result<(), Failure> {
    let options = FinishOptions { accept_foreign: args.accept_foreign.as_deref(), freeze: args.freeze };
    with_app(&args.config, async |app| {
        let sums = reconcile::compare_everything(&app, false).await?;
        reconcile::conclude(&sums, false)?;
        // Renewals are written and holds released, so that there is a charge for everything that Microsoft may have.
        Runner::new(Arc::clone(&app)).run_due().await.map_err(|error| Failure::No(error.to_string()))?;
        let report = finish_restore(&app, options).await.map_err(|error| no(&error))?;
        let report = report.ok_or_else(|| {
            Failure::No(
                "the reporter is not locked; run `seatkey restore begin` on a restored database first".to_owned(),
            )
        })?;
        conclude(&report)
    })
}

fn conclude(report: &RestoreReport) -> Result<(), Failure> {
    tell("Microsoft has it already", &report.adopted);
    tell("waits for a person (`seatkey ledger resolve`)", &report.frozen);
    for one in report.may_be_there.iter().chain(&report.foreign) {
        print_error(&line(one));
    }
    let (adopted, frozen) = (report.adopted.len(), report.frozen.len());
    print_line(&format!("{adopted} charges adopted, {frozen} wait for a person, {} sent again.", report.sent_again));
    if report.is_finished {
        print_line("The reporter works again. The next key of each license jumps by 1,000.");
        print_line(
            "Not known any more: trials used, orders and changes submitted after the backup. Who had a first-time trial \
             since then may be offered it again.",
        );
        return Ok(());
    }
    let mut words = "the reporter stays locked:".to_owned();
    if !report.may_be_there.is_empty() {
        let at = report.decidable_at.map_or_else(String::new, |at| at.to_string());
        words.push_str(&format!(
            " {} charges may be at Microsoft without being shown yet (run it again after {at}, or with --freeze);",
            report.may_be_there.len()
        ));
    }
    if !report.foreign.is_empty() {
        let count = report.foreign.len();
        words.push_str(&format!(
            " {count} sums at Microsoft can be no charge (find out what they are, then run it with --accept-foreign REASON);"
        ));
    }
    Err(Failure::No(words.trim_end_matches(';').to_owned()))
}

fn tell(what: &str, named: &[Named]) {
    for one in named {
        print_line(&format!("{}: {what}", line(one)));
    }
}

fn line(one: &Named) -> String {
    let charge = one.charge_id.map_or_else(String::new, |id| format!(" charge {id}:"));
    format!("{}:{charge} {}", one.subscription_id, one.words)
}

fn no(error: &crate::app::AppError) -> Failure {
    Failure::No(error.to_string())
}

fn with_app(args: &ConfigArgs, work: impl AsyncFnOnce(Arc<App>) -> Result<(), Failure>) -> Result<(), Failure> {
    let (config, clock) = args.load_with_clock()?;
    super::block_on(async {
        let app = startup::build(&config, clock).await.map_err(|error| Failure::Usage(error.to_string()))?;
        work(Arc::new(app)).await
    })
}
