//! `seatkey audit verify`: whether ledger and audit log are as they were written.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{
    Failure,
    output::{print_json_line, print_line},
    serve::{ConfigArgs, connect},
};
use crate::{
    app::{self, AppError, VerifiedLedger},
    store::{Flaw, Store},
};

#[derive(Debug, clap::Subcommand)]
pub(super) enum AuditCommand {
    /// Computes the hash chain of every subscription anew; names every row that was edited, deleted, inserted or moved
    Verify(VerifyArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Daily digests to compare with: the file of `[audit] digest_file`, or the same lines out of the log
    #[arg(long)]
    digests: Option<PathBuf>,
    /// JSON lines instead of words: one for each flaw, and a last one with the sums
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &AuditCommand) -> Result<(), Failure> {
    let AuditCommand::Verify(args) = command;
    let (config, _) = args.config.load_with_clock()?;
    let digests = args.digests.as_deref().map(read).transpose()?;
    super::block_on(async {
        let store = connect(&config).await?;
        let mut printed = Ok(());
        let verified = app::verify_ledger(&store, |flaw| {
            if printed.is_ok() {
                printed = tell(flaw, args.json);
            }
        });
        let verified = verified.await.map_err(|error| no(&error))?;
        printed?;
        let wrong = verify_digests(&store, digests.as_deref().unwrap_or_default(), args.json).await?;
        store.close().await;
        conclude(verified, digests.is_some().then_some(wrong), args.json)
    })
}

fn no(error: &AppError) -> Failure {
    Failure::No(format!("the ledger cannot be read: {error}"))
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::Usage(format!("{} cannot be read: {error}", path.display())))
}

fn tell(flaw: &Flaw, json: bool) -> Result<(), Failure> {
    if json {
        let Flaw { table, row, subscription_id, what } = flaw;
        return print_json_line(&json!({ "table": table, "row": row, "subscription": subscription_id, "flaw": what }));
    }
    print_line(&flaw.to_string());
    Ok(())
}

/// Gives how many are wrong.
async fn verify_digests(store: &Store, text: &str, json: bool) -> Result<u64, Failure> {
    let mut wrong = 0;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let Some(what) = app::verify_digest(store, line).await.map_err(|error| no(&error))? else { continue };
        wrong += 1;
        if json {
            print_json_line(&json!({ "digest": line, "flaw": what }))?;
        } else {
            print_line(&format!("digest: {what}."));
        }
    }
    Ok(wrong)
}

fn conclude(verified: VerifiedLedger, wrong_digests: Option<u64>, json: bool) -> Result<(), Failure> {
    let VerifiedLedger { subscriptions, entries, flaws } = verified;
    if json {
        let sums = json!({
            "subscriptions": subscriptions, "entries": entries, "flaws": flaws, "wrong_digests": wrong_digests,
        });
        print_json_line(&sums)?;
    } else {
        print_line(&format!("{entries} entries of {subscriptions} subscriptions verified, {flaws} flaws found."));
    }
    match flaws + wrong_digests.unwrap_or(0) {
        0 => Ok(()),
        _ => Err(Failure::No(
            "ledger and audit log are not as they were written; compare with a backup from before".to_owned(),
        )),
    }
}
