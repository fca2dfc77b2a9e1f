//! The console and its search over an installation of 1,000,000 subscriptions and five times as many charges
//! (`SEATKEY_SUBSCRIPTIONS` names another number): each room by the real routes, beside its main query behind an empty
//! handler; and the files of the two longest lists. Runs only when it is named, and takes a quarter of an hour;
//! `SEATKEY_PAGES=Ledger,Numbers` measures the pages alone whose names begin so.

mod asked;
mod export;
mod installation;
mod rooms;
mod samples;
mod searches;
mod timed;

use std::sync::Arc;

use seatkey::{
    app::{self, App},
    clock::Stopwatch,
};
use tokio::runtime::Runtime;

use self::{
    asked::Case,
    installation::{COOKIE, Installation, serve},
    samples::Samples,
    timed::{Timed, take},
};
use super::{
    ground::{Ground, prepare},
    sweep::resident_mebibytes,
};
use crate::support::{
    stage::{Database, Stage},
    table::Row,
};

/// Prints a table of its own; what it gives are the lines about files.
pub(crate) fn measure(runtime: &Runtime, database: Database<'_>) -> Vec<Row> {
    // An installation of this size is not kept in a file.
    let Database::Postgres(_) = database else { return Vec::new() };
    runtime.block_on(async {
        let stage = Stage::set(database).await;
        let (ground, microsoft) = prepare(&stage).await;
        let Ground { pending, subscribed, bare, .. } = ground;
        pending.store.close().await;
        let installation = Installation::load(&stage.database_url).await;
        installation.sign_in(&subscribed).await;
        let mut rows = vec![roll_up(&subscribed).await];
        let samples = Samples::read(&installation).await;
        let mut cases = rooms::cases(&samples);
        cases.extend(searches::cases(&samples));
        let chosen = std::env::var("SEATKEY_PAGES").ok();
        let is_chosen =
            |name: &str| chosen.as_deref().is_none_or(|all| all.split(',').any(|one| name.starts_with(one)));
        cases.retain(|case| is_chosen(case.name));
        let (real, limit) = serve(&Arc::new(subscribed), &bare, &cases);
        let mut timed = Vec::new();
        for (number, case) in cases.iter().enumerate() {
            timed.push(take(number, case, real.address(), limit.address).await);
            eprintln!("  {}", timed.last().map(Timed::short).unwrap_or_default());
        }
        timed::print(&timed);
        explain(&installation, &cases).await;
        if chosen.is_none() {
            rows.extend(export::measure(real.address(), &installation).await);
        }
        real.stop().await;
        limit.handle.stop(false).await;
        bare.close().await;
        installation.close().await;
        microsoft.stop().await;
        stage.strike().await;
        rows
    })
}

/// The job that keeps the figures of *Numbers*, once: how long it takes, and what it holds in memory at its end.
async fn roll_up(app: &App) -> Row {
    let before = resident_mebibytes();
    let watch = Stopwatch::start();
    app::roll_up(app).await.unwrap();
    let seconds = watch.elapsed().as_secs_f64();
    Row {
        what: "the roll-up of Numbers (limit: memory before)".to_owned(),
        ours: format!("{seconds:.1} s"),
        limit: format!("{before:.1} MiB"),
        ratio: format!("{:+.1} MiB", resident_mebibytes() - before),
        goal: "",
        met: true,
    }
}

/// The plan of the first query of each case, on the error output.
async fn explain(installation: &Installation, cases: &[Case]) {
    for case in cases {
        let Some(first) = case.asked.first() else { continue };
        eprintln!("\n{}: {}", case.name, first.limit.0);
        for line in installation.explain(&first.limit).await {
            eprintln!("    {line}");
        }
    }
}

/// The header of everybody who is signed in.
fn cookie() -> String {
    format!("seatkey-staff-session={COOKIE}")
}
