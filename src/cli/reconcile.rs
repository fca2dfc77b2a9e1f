//! `seatkey reconcile`: compares everything with Microsoft and converges.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{
    Failure,
    output::{print_json_line, print_line},
    serve::ConfigArgs,
};
use crate::{
    app::{self, App, AppError, ReconciledPage, Repair},
    jobs::Runner,
    startup, telemetry,
};

/// A page that cannot be read is asked for again so often.
const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(super) struct ReconcileArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// JSON lines instead of words: one for each page and each repair, and a last one with the sums
    #[arg(long)]
    json: bool,
}

/// What a comparison came to.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pages: u32,
    seen: u32,
    changed: u32,
    failed: u32,
}

pub(super) fn run(args: &ReconcileArgs) -> Result<(), Failure> {
    if std::env::var_os("SEATKEY_LOG").is_some() {
        telemetry::install();
    }
    let (config, clock) = args.config.load_with_clock()?;
    super::block_on(async {
        let app = startup::build(&config, clock).await.map_err(|error| Failure::Usage(error.to_string()))?;
        let app = Arc::new(app);
        let sums = compare_everything(&app, args.json).await?;
        // What the comparison has found is worked off here, too: nobody else may be running.
        Runner::new(Arc::clone(&app)).run_due().await.map_err(|error| Failure::No(error.to_string()))?;
        conclude(&sums, args.json)
    })
}

/// Compares every page of the listing, and tells what was mended.
pub(super) async fn compare_everything(app: &App, json: bool) -> Result<Sums, Failure> {
    let mut sums = Sums::default();
    let mut continuation: Option<String> = None;
    loop {
        let page = read_page(app, continuation.as_deref()).await?;
        sums.pages += 1;
        sums.seen += page.seen;
        for repair in &page.repairs {
            let counter = if repair.result.is_ok() { &mut sums.changed } else { &mut sums.failed };
            *counter += 1;
            tell(repair, json)?;
        }
        let (number, seen) = (sums.pages, sums.seen);
        if json {
            print_json_line(&json!({ "page": number, "compared": page.seen }))?;
        } else {
            print_line(&format!("page {number}: {} compared, {seen} in all", page.seen));
        }
        continuation = page.continuation;
        if continuation.is_none() {
            return Ok(sums);
        }
    }
}

/// Microsoft's listing is long, and one bad answer in it is no reason to begin anew.
async fn read_page(app: &App, continuation: Option<&str>) -> Result<ReconciledPage, Failure> {
    let mut pause = FIRST_PAUSE;
    for attempt in 1.. {
        match app::reconcile_page(app, continuation).await {
            Ok(page) => return Ok(page),
            Err(AppError::Marketplace(error)) if error.is_retryable() && attempt < TRIES => {
                tracing::warn!(%error, attempt, "a page of the listing cannot be read; it is asked for again");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(error) => return Err(Failure::No(format!("the comparison did not come to its end: {error}"))),
        }
    }
    Err(Failure::No("the comparison did not come to its end".to_owned()))
}

fn tell(repair: &Repair, json: bool) -> Result<(), Failure> {
    let id = repair.subscription_id;
    match (&repair.result, json) {
        (Ok(changed), true) => print_json_line(&json!({ "subscription": id, "changed": changed })),
        (Err(error), true) => print_json_line(&json!({ "subscription": id, "failed": error })),
        (Ok(changed), false) => {
            print_line(&format!("{id}: {changed}"));
            Ok(())
        }
        (Err(error), false) => {
            print_line(&format!("{id}: could not be compared: {error}"));
            Ok(())
        }
    }
}

/// Prints the sums; a subscription that could not be compared is a failure.
pub(super) fn conclude(sums: &Sums, json: bool) -> Result<(), Failure> {
    let Sums { pages, seen, changed, failed } = sums;
    if json {
        print_json_line(&json!({ "pages": pages, "compared": seen, "changed": changed, "failed": failed }))?;
    } else {
        print_line(&format!("{seen} subscriptions on {pages} pages compared, {changed} changed, {failed} failed."));
    }
    match failed {
        0 => Ok(()),
        _ => Err(Failure::No(format!("{failed} subscriptions could not be compared; run it again later"))),
    }
}
