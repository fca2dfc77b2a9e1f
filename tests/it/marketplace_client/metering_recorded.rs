//! Real metering traffic of 2021 and 2024, read by the real client.

use rust_decimal::dec;
use seatkey::{
    domain::money::Quantity,
    marketplace::{ReconStatus, UsageItem, UsageOutcome},
};
use serde_json::Value;
use time::{
    OffsetDateTime,
    macros::{date, datetime},
};
use uuid::uuid;

use super::replay::Replay;

const BATCH: &str = include_str!("../../fixtures/recorded/batch-usage-accepted-then-duplicate.json");
const SINGLE: &str = include_str!("../../fixtures/recorded/single-usage.json");
const DAYS: &str = include_str!("../../fixtures/recorded/get-usage-events.json");

/// The body of the first request, or a part of it.
fn sent(recording: &str, pointer: &str) -> String {
    let exchanges: Value = serde_json::from_str(recording).unwrap();
    exchanges.pointer(&format!("/0/request/body{pointer}")).unwrap().to_string()
}

fn item(body: &str, effective_start: OffsetDateTime) -> UsageItem<'_> {
    UsageItem { resource_id: uuid!("da8dc4ae-4cdf-ed6b-e12e-9d0219306842"), dimension: "dim1", effective_start, body }
}

fn quantity() -> Option<Quantity> {
    Quantity::from_millionths(20_500_000)
}

#[tokio::test]
async fn a_batch_is_accepted_and_then_a_duplicate() {
    let replay = Replay::of(BATCH);
    let bodies = [sent(BATCH, "/request/0"), sent(BATCH, "/request/1")];
    // The second one is a managed application; its answer names the resource first, and only its address then.
    let managed = uuid!("54372f22-697c-479e-9b76-d5bbdd6e701a");
    let items = [
        item(&bodies[0], datetime!(2021-03-15 18:06:00.4578027 UTC)),
        UsageItem { resource_id: managed, ..item(&bodies[1], datetime!(2021-03-15 18:06:00.4580942 UTC)) },
    ];
    let first = replay.client.report_usage_batch(&items).await.unwrap();
    let id = |id: &str| Some(id.to_owned());
    let (saas, other) = ("ecedc6dd-c396-4c33-966d-09562588241d", "5a72e372-91cc-4a57-97da-485db1cb76c8");
    let accepted = |event: &str| Some(UsageOutcome::Accepted { usage_event_id: id(event), quantity: quantity() });
    assert_eq!(first.value, [accepted(saas), accepted(other)]);
    assert_eq!(first.request_id, "23d89956-0021-4ba1-81ea-9f583e736191");
    let second = replay.client.report_usage_batch(&items).await.unwrap().value;
    let duplicate = UsageOutcome::Duplicate { usage_event_id: id(saas), quantity: quantity() };
    assert_eq!(second, [Some(duplicate), None]);
    replay.finish().await;
}

#[tokio::test]
async fn a_single_event_is_accepted() {
    let replay = Replay::of(SINGLE);
    let body = sent(SINGLE, "");
    let answer = replay.client.report_usage(item(&body, datetime!(2021-03-15 22:01:04.4810279 UTC))).await.unwrap();
    let usage_event_id = Some("fc453757-b823-4a6f-8064-246484d8bb6c".to_owned());
    assert_eq!(answer.value, UsageOutcome::Accepted { usage_event_id, quantity: quantity() });
    replay.finish().await;
}

#[tokio::test]
async fn daily_sums_are_read() {
    // We ask for whole days; the recorded program asked for the last 24 hours.
    let replay = Replay::of(&DAYS.replace("2024-01-18T06%3A12%3A40.0746760Z", "2024-01-18T00%3A00%3A00Z"));
    let days = replay.client.list_usage(date!(2024 - 01 - 18)).await.unwrap().value;
    let rows: Vec<_> = days.iter().map(|day| (day.day, day.submitted, day.processed, day.count)).collect();
    let expected = [
        (date!(2024 - 01 - 19), dec!(6), dec!(0), 6),
        (date!(2024 - 01 - 18), dec!(17), dec!(0), 17),
        (date!(2024 - 01 - 18), dec!(1), dec!(0), 1),
    ];
    assert_eq!(rows, expected);
    assert_eq!(days[2].resource_id, Some(uuid!("48e4f71a-35de-48ec-d602-b748a986587f")));
    let names = [days[0].dimension.as_str(), days[0].plan_id.as_str(), days[0].offer_id.as_str()];
    assert_eq!(names, ["q2", "milestone", "sb-test-preview"]);
    assert!(days.iter().all(|day| day.recon_status == ReconStatus::Submitted));
    replay.finish().await;
}
