//! The daily comparison of the ledger with Microsoft's sums.

use time::{Duration, macros::date};
use uuid::Uuid;

use super::{compare, findings, paid};
use crate::{on_both_databases, support::Stage};

on_both_databases! {
    what_agrees_is_no_finding;
    each_difference_is_named_and_ends_by_itself;
}

/// The fees of the first term were accepted on this day.
const DAY: time::Date = date!(2026 - 02 - 15);

async fn what_agrees_is_no_finding(stage: Stage) {
    let id = paid(&stage).await;
    for _ in 0..8 {
        compare(&stage).await;
        assert_eq!(findings(&stage, id).await, [""; 0], "the sums lag, and come");
        stage.advance(Duration::hours(12));
    }
    stage.settle().await;
    stage.finish().await;
}

async fn each_difference_is_named_and_ends_by_itself(stage: Stage) {
    let id = paid(&stage).await;
    stage.advance(Duration::hours(27));
    let says = |stage: &Stage, word: &str, processed: &str| {
        stage.world().set_usage_verdict(id, "konnekt-25-base", DAY, word, processed).unwrap();
    };
    let table = [("Rejected", "0", "usage_rejected"), ("Mismatch", "0.5", "usage_mismatch")];
    for (word, processed, kind) in table {
        says(&stage, word, processed);
        compare(&stage).await;
        assert_eq!(findings(&stage, id).await, [kind], "{word}");
    }
    says(&stage, "Accepted", "0.917808");
    compare(&stage).await;
    assert_eq!(findings(&stage, id).await, [""; 0]);
    missing_and_foreign(&stage, id).await;
    stage.settle().await;
    stage.finish().await;
}

async fn missing_and_foreign(stage: &Stage, id: Uuid) {
    stage.world().switch(|switches| switches.usage_lag_minutes = 10_000);
    compare(stage).await;
    assert_eq!(findings(stage, id).await, ["usage_missing"; 2], "they were there, and are not any more");
    stage.world().switch(|switches| switches.usage_lag_minutes = 0);
    let now = stage.world().now();
    assert!(stage.world().post_foreign_usage(id, "konnekt-250-base", "2", now).unwrap().usage_event_id.is_some());
    compare(stage).await;
    assert_eq!(findings(stage, id).await, ["usage_foreign"]);
}
