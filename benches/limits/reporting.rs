//! Due charges on their way to a Microsoft that answers after 20 ms: our reporter beside a bare loop that posts the same
//! batches, four at a time; and a million of them, cleared in one go.

use std::sync::Arc;

use futures::{StreamExt as _, stream};
use seatkey::{
    app::{App, Step, report_usage},
    clock::{Stopwatch, new_id},
    domain::{
        charge::{Reason, State},
        proration::Part,
        subscription::{Enrolled, Stage as Progress},
        usage::WINDOW,
    },
    store::NewCharges,
};
use time::{Duration, macros::date};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::{
    ground::{Ground, prepare, renamed, subscription},
    sweep::resident_mebibytes,
};
use crate::support::{
    stage::{Database, NOW, Stage},
    table::{FOUR_FIFTHS, Row, per_second},
};

/// Events of a turn.
const EVENTS: u128 = 10_000;
const TURNS: u128 = 3;
/// How many are on their way at once, ours and theirs.
const AT_ONCE: usize = 4;
const BATCH: usize = 25;
/// Charges of a subscription.
const LINES: u128 = 2;
/// The long run; SQLite alone.
const LONG: [u128; 3] = [10_000, 100_000, 1_000_000];

pub(crate) fn measure(runtime: &Runtime, database: Database<'_>) -> Vec<Row> {
    runtime.block_on(async {
        let stage = Stage::set(database).await;
        let (ground, microsoft) = prepare(&stage).await;
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for turn in 0..TURNS {
            fill(&ground, turn * EVENTS, EVENTS).await;
            ours.push(clear(&ground.subscribed, EVENTS).await);
            bare.push(post(&ground, &microsoft.base_url("Subscribed"), turn * EVENTS).await);
        }
        let rates = [rate(&ours), rate(&bare)];
        let what = format!("usage events reported, {AT_ONCE} batches at once, {}", database.name());
        let mut rows = vec![Row::rate(what, rates, rates[0] / rates[1], Some(FOUR_FIFTHS))];
        if matches!(database, Database::Sqlite) {
            rows.extend(long_run(&ground).await);
        }
        drop(ground);
        microsoft.stop().await;
        stage.strike().await;
        rows
    })
}

/// The same from ten thousand to a million: what an event costs, and what is held in memory.
async fn long_run(ground: &Ground) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut first = TURNS * EVENTS;
    for count in LONG {
        fill(ground, first, count).await;
        first += count;
        let before = resident_mebibytes();
        let events_per_second = clear(&ground.subscribed, count).await;
        let grown = resident_mebibytes() - before;
        rows.push(Row {
            what: format!("{count} due charges cleared, SQLite (limit: memory before)"),
            ours: per_second(events_per_second),
            limit: format!("{before:.0} MiB"),
            ratio: format!("{:.0} µs an event, {grown:+.0} MiB", 1e6 / events_per_second),
            goal: "flat",
            met: grown < 32.0,
        });
    }
    rows
}

fn rate(rates: &[f64]) -> f64 {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// So many due charges, two for each subscription.
pub(crate) async fn fill(ground: &Ground, first: u128, count: u128) {
    let app = &ground.subscribed;
    let subscriptions: Vec<u128> = (first / LINES..(first + count) / LINES).collect();
    for chunk in subscriptions.chunks(500) {
        let tx = app.store.begin().await.unwrap();
        for number in chunk {
            let id = Uuid::from_u128(0x5ea7_0000_0000_4000_8000_0000_0000_0000 + number);
            let stage = Progress::Active(Enrolled { enrolled_at: NOW, activated_at: NOW });
            let known = subscription(renamed(&ground.activated, id), stage);
            tx.insert_subscription(&known, NOW).await.unwrap();
            let charges = NewCharges {
                subscription_id: id,
                cause_id: new_id(NOW),
                reason: Reason::Renewal,
                plan_id: "konnekt-yearly",
                term_start: date!(2026 - 01 - 15),
                lines: &ground.charges,
                part: Part { days: 365, of_days: 365 },
                users: Some(150),
                from_users: None,
                reportable_from: NOW,
                state: State::Due,
            };
            tx.insert_charges(charges, NOW).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

/// Events per second until nothing is due.
async fn clear(app: &App, count: u128) -> f64 {
    let watch = Stopwatch::start();
    while !app.store.list_due_charges(1, NOW).await.unwrap().is_empty() {
        assert!(matches!(report_usage(app).await.unwrap(), Step::Again(_)));
    }
    let seconds = watch.elapsed().as_secs_f64();
    assert_eq!(app.store.find_next_attempt().await.unwrap(), None, "everything was answered");
    #[expect(clippy::cast_precision_loss, reason = "a million fits")]
    let rate = count as f64 / seconds;
    eprintln!("  {count} due charges cleared in {seconds:.0} s");
    rate
}

/// The same bodies in the same batches, by nothing but the HTTP client.
async fn post(ground: &Ground, base: &url::Url, first: u128) -> f64 {
    let mut bodies = Vec::new();
    for number in first / LINES..(first + EVENTS) / LINES {
        let id = Uuid::from_u128(0x5ea7_0000_0000_4000_8000_0000_0000_0000 + number);
        bodies.extend(ground.subscribed.store.list_usage_events(id).await.unwrap().into_iter().map(|one| one.body));
    }
    assert!(ground.subscribed.clock.now() < NOW + WINDOW);
    let batches: Vec<String> =
        bodies.chunks(BATCH).map(|chunk| format!(r#"{{"request":[{}]}}"#, chunk.join(","))).collect();
    let client = Arc::new(seatkey::http::client().unwrap());
    let url = format!("{base}/batchUsageEvent?api-version=2018-08-31");
    let watch = Stopwatch::start();
    stream::iter(batches)
        .for_each_concurrent(AT_ONCE, |batch| {
            let (client, url) = (Arc::clone(&client), url.clone());
            async move {
                let request = client.post(url).header("content-type", "application/json").body(batch);
                let answer = request.send().await.unwrap().text().await.unwrap();
                assert!(answer.contains("Accepted"));
            }
        })
        .await;
    #[expect(clippy::cast_precision_loss, reason = "ten thousand fits")]
    let rate = EVENTS as f64 / watch.elapsed().as_secs_f64();
    assert_eq!(Duration::ZERO, ground.subscribed.clock.now() - NOW, "the time stands still");
    rate
}
