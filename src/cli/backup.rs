//! `seatkey backup`: a verified copy of a SQLite database that is in use.

use std::path::PathBuf;

use super::{
    Failure,
    output::print_line,
    serve::{ConfigArgs, not_opened},
};
use crate::{
    app::{BackupError, BackupStep, back_up},
    startup,
    store::Store,
};

#[derive(Debug, clap::Args)]
pub(super) struct BackupArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// A file that is not there yet, or a directory, where the backup is named after its time
    #[arg(long, value_name = "FILE|DIRECTORY")]
    to: PathBuf,
}

pub(super) fn run(args: &BackupArgs) -> Result<(), Failure> {
    let (config, clock) = args.config.load_with_clock()?;
    super::block_on(async {
        let access = startup::database_access(&config).map_err(not_opened)?;
        let store = Store::connect_existing(access).await.map_err(|error| not_opened(error.into()))?;
        let mut tenths = 0;
        let backup = back_up(&store, &args.to, clock.now(), |step| show(step, &mut tenths)).await;
        store.close().await;
        let backup = backup.map_err(|error| match error {
            BackupError::Exists(_) => Failure::Usage(error.to_string()),
            _ => Failure::No(format!("there is no backup: {error}")),
        })?;
        print_line(&format!(
            "{}: {} bytes; {} entries of {} subscriptions verified, {} flaws found.",
            backup.file.display(),
            backup.bytes,
            backup.entries,
            backup.subscriptions,
            backup.flaws
        ));
        print_line("Not in it: configuration, catalog and signing keys. Keep these elsewhere.");
        match backup.flaws {
            0 => Ok(()),
            _ => Err(Failure::No(
                "the backup is what the database is, but rows of both are not as they were written; run: seatkey audit \
                 verify"
                    .to_owned(),
            )),
        }
    })
}

/// A line for each further tenth of what takes long.
fn show(step: BackupStep, tenths: &mut u64) {
    match step {
        BackupStep::Copied { bytes, of } => {
            let now = bytes.saturating_mul(10) / of.max(1);
            if now > *tenths {
                *tenths = now;
                print_line(&format!("{bytes} of at most {of} bytes copied ({} %).", now.saturating_mul(10).min(100)));
            }
        }
        BackupStep::Checking if *tenths > 0 => print_line("Copied. The copy is checked now."),
        BackupStep::Checking => {}
    }
}
