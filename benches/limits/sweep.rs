//! The comparison of everything with Microsoft: 100,000 subscriptions on pages of 100, none of them changed; what it holds
//! in memory at the beginning and at the end.

use std::sync::Arc;

use seatkey::{
    app::{SharedApp, reconcile_page},
    clock::Stopwatch,
    domain::subscription::Subscription,
};
use tokio::runtime::Runtime;

use crate::support::{
    microsoft::{LISTED, Microsoft},
    stage::{Database, NOW, Stage},
    table::{Row, per_second},
};

/// After so many pages every buffer has found its size.
const WARM_PAGES: usize = 50;
/// What may come and go with the allocator's mood.
const FLAT_MEBIBYTES: f64 = 8.0;

pub(crate) fn measure(runtime: &Runtime) -> Vec<Row> {
    let stage = runtime.block_on(Stage::set(Database::Sqlite));
    let microsoft = runtime.block_on(async { Microsoft::start() });
    let app = Arc::new(runtime.block_on(stage.app_with(&microsoft, "Subscribed")));
    runtime.block_on(fill(&app));
    let (seconds, [warm, end]) = runtime.block_on(sweep(&app));
    runtime.block_on(async {
        drop(app);
        microsoft.stop().await;
        stage.strike().await;
    });
    #[expect(clippy::cast_precision_loss, reason = "a hundred thousand fits")]
    let rate = LISTED as f64 / seconds;
    vec![
        Row {
            what: "comparison of 100,000 subscriptions, SQLite".to_owned(),
            ours: per_second(rate),
            limit: "–".to_owned(),
            ratio: format!("{seconds:.0} s"),
            goal: "",
            met: true,
        },
        Row {
            what: format!("memory at its end (limit: after {WARM_PAGES} of its pages)"),
            ours: format!("{end:.1} MiB"),
            limit: format!("{warm:.1} MiB"),
            ratio: format!("{:+.1} MiB", end - warm),
            goal: "flat",
            met: end - warm < FLAT_MEBIBYTES,
        },
    ]
}

/// Everything that the listing holds is known already.
async fn fill(app: &SharedApp) {
    let mut continuation: Option<String> = None;
    loop {
        let page = app.marketplace.list_subscriptions(continuation.as_deref()).await.unwrap().value;
        let tx = app.store.begin().await.unwrap();
        for snapshot in page.subscriptions {
            tx.insert_subscription(&Subscription::new(snapshot, NOW), NOW).await.unwrap();
        }
        tx.commit().await.unwrap();
        continuation = page.continuation;
        if continuation.is_none() {
            return;
        }
    }
}

/// Seconds, and the resident memory when warm and at the end.
async fn sweep(app: &SharedApp) -> (f64, [f64; 2]) {
    let watch = Stopwatch::start();
    let (mut continuation, mut seen, mut pages, mut warm) = (None::<String>, 0_u128, 0, 0.0);
    loop {
        let page = reconcile_page(app, continuation.as_deref()).await.unwrap();
        assert!(page.repairs.is_empty(), "nothing has changed: {:?}", page.repairs);
        seen += u128::from(page.seen);
        pages += 1;
        if pages == WARM_PAGES {
            warm = resident_mebibytes();
        }
        continuation = page.continuation;
        if continuation.is_none() {
            assert_eq!(seen, LISTED);
            return (watch.elapsed().as_secs_f64(), [warm, resident_mebibytes()]);
        }
    }
}

pub(crate) fn resident_mebibytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse().unwrap();
    kibibytes / 1_024.0
}
