//! The metering operations: what leaves, byte for byte, and what is made of the answers.

use std::time::Duration;

use seatkey::{
    cli::simulated,
    config,
    domain::money::Quantity,
    marketplace::{Answer, Client, Fault, MAX_BATCH, MarketplaceError, ReconStatus, UsageDay, UsageItem, UsageOutcome},
    startup,
};
use serde_json::{Value, json};
use time::{
    OffsetDateTime,
    macros::{date, datetime},
};
use uuid::{Uuid, uuid};

use super::{
    desk::FIXED_TOKEN,
    till::{Act, Till},
};
use crate::support::{Database, Stage};

pub(crate) const RESOURCE: Uuid = uuid!("8f2d61c4-5b7e-4f0a-9c33-1d7e60b2a915");
const START: OffsetDateTime = datetime!(2026-01-18 10:00 UTC);
/// With blanks, an order and digits that nobody who writes JSON anew would keep.
pub(crate) const BODY: &str = r#"{"planId" : "p","quantity":117.5342460,  "resourceId":"8f2d61c4-5b7e-4f0a-9c33-1d7e60b2a915","dimension":"d","effectiveStartTime":"2026-01-18T10:00:00Z"}"#;

pub(crate) fn item(dimension: &str) -> UsageItem<'_> {
    UsageItem { resource_id: RESOURCE, dimension, effective_start: START, body: BODY }
}

/// Microsoft's answer about the item of `dimension`.
pub(crate) fn row(dimension: &str, status: &str) -> Value {
    json!({"status": status, "messageTime": "2026-01-18T12:00:00.1234567Z", "resourceId": RESOURCE, "quantity": 117.534246,
        "dimension": dimension, "effectiveStartTime": "2026-01-18T10:00:00Z", "planId": "p"})
}

fn accepted() -> UsageOutcome {
    UsageOutcome::Accepted { usage_event_id: None, quantity: Quantity::from_millionths(117_534_246) }
}

async fn batch(till: &Till, items: &[UsageItem<'_>]) -> Result<Vec<Option<UsageOutcome>>, MarketplaceError> {
    till.client.report_usage_batch(items).await.map(|answer| answer.value)
}

async fn single(till: &Till) -> Result<UsageOutcome, MarketplaceError> {
    till.client.report_usage(item("d")).await.map(|answer| answer.value)
}

#[tokio::test]
async fn the_bytes_are_sent_as_they_are() {
    let till = Till::open().await;
    till.will_say(&json!({"result": [row("e", "Expired"), row("d", "Accepted")]}).to_string());
    let other = r#"{"second":1E0}"#;
    let items = [item("d"), UsageItem { body: other, ..item("e") }];
    assert_eq!(batch(&till, &items).await.unwrap(), [Some(accepted()), Some(UsageOutcome::Expired)]);
    till.will_say(&row("d", "Accepted").to_string());
    let first = till.came().remove(0);
    assert_eq!(single(&till).await.unwrap(), accepted());
    let second = till.came().remove(0);
    assert_eq!(first.body, format!(r#"{{"request":[{BODY},{other}]}}"#));
    assert_eq!(second.body, BODY);
    assert_eq!(first.line, "POST /api/batchUsageEvent?api-version=2018-08-31");
    assert_eq!(second.line, "POST /api/usageEvent?api-version=2018-08-31");
    for came in [first, second] {
        let expected = format!("authorization: bearer {FIXED_TOKEN}");
        for line in ["content-type: application/json", &expected] {
            assert!(came.head.lines().any(|found| found == line), "{line}: {}", came.head);
        }
        assert!(came.head.contains("x-ms-requestid: ") && came.head.contains("x-ms-correlationid: "));
    }
}

#[tokio::test]
async fn a_batch_of_the_wrong_size_is_refused_before_it_is_sent() {
    let till = Till::open().await;
    for size in [0, MAX_BATCH + 1] {
        let error = batch(&till, &vec![item("d"); size]).await.unwrap_err();
        assert!(matches!(error, MarketplaceError::Refused { status: 400, .. }), "{size}: {error:?}");
        assert!(error.is_certainly_unprocessed() && !error.is_retryable());
    }
    assert_eq!(till.came().len(), 0);
    let dimensions: Vec<String> = (0..MAX_BATCH).map(|number| number.to_string()).collect();
    let items: Vec<_> = dimensions.iter().map(|dimension| item(dimension)).collect();
    let rows: Vec<_> = items.iter().rev().map(|item| row(item.dimension, "InvalidDimension")).collect();
    till.will_say(&json!({ "result": rows }).to_string());
    let outcomes = batch(&till, &items).await.unwrap();
    let all_failed = outcomes.iter().all(|outcome| matches!(outcome, Some(UsageOutcome::InvalidDimension(_))));
    assert!(outcomes.len() == MAX_BATCH && all_failed, "200 with every item failed: {outcomes:?}");
}

/// Whatever happens, a second request would be somebody else's decision.
#[tokio::test]
async fn usage_is_sent_once_and_the_error_tells_what_can_have_happened() {
    let till = Till::open().await;
    let say = |status: u16| Act::Say(status, String::new());
    let table = [
        (Act::Cut, "NoAnswer", false),
        (Act::Break, "NoAnswer", false),
        (say(200), "Unreadable", false),
        (say(202), "Unreadable", false),
        (Act::Say(200, "<html>".to_owned()), "Unreadable", false),
        (Act::SayWith(302, "location", "/api/other"), "Refused", false),
        (say(400), "Refused", true),
        (say(404), "NotFound", true),
        (say(413), "Refused", true),
        (Act::SayWith(429, "retry-after", "7"), "Unavailable", true),
        (say(500), "Unavailable", false),
        (Act::SayWith(503, "retry-after", "7"), "Unavailable", false),
    ];
    for (act, kind, is_unprocessed) in table {
        for is_batch in [true, false] {
            till.will(&[act.clone(), act.clone()]);
            let error =
                if is_batch { batch(&till, &[item("d")]).await.unwrap_err() } else { single(&till).await.unwrap_err() };
            assert!(format!("{error:?}").starts_with(kind), "{act:?}: {error:?}");
            assert_eq!(error.is_certainly_unprocessed(), is_unprocessed, "{act:?}: {error:?}");
            assert_eq!(till.came().len(), 1, "{act:?}");
            if let Act::SayWith(429 | 503, ..) = act {
                assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
            }
        }
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_bytes_stay() {
    for code in [401, 403] {
        let till = Till::open().await;
        let body =
            json!({"message": "Client is not authorized for this usage resource.", "code": "Forbidden"}).to_string();
        till.will(&[Act::Say(code, body.clone()), Act::Say(200, row("d", "Accepted").to_string())]);
        assert_eq!(single(&till).await.unwrap(), accepted(), "{code}");
        till.will(&[Act::Say(code, body.clone()), Act::Say(code, body.clone())]);
        let error = batch(&till, &[item("d")]).await.unwrap_err();
        assert!(matches!(&error, MarketplaceError::Credential(words) if words.contains("Forbidden")), "{error:?}");
        assert_eq!((error.fault(), error.is_certainly_unprocessed()), (Fault::Publisher, true));
        let bodies: Vec<_> = till.came().into_iter().map(|came| came.body).collect();
        let wrapped = format!(r#"{{"request":[{BODY}]}}"#);
        assert_eq!(bodies, [BODY, BODY, &wrapped, &wrapped], "{code}");
    }
}

#[tokio::test]
async fn a_single_conflict_is_a_duplicate() {
    let till = Till::open().await;
    let mut message = row("d", "Duplicate");
    message["usageEventId"] = json!("e-0");
    message["quantity"] = json!("20.5");
    let conflict = |message: &Value| json!({"additionalInfo": {"acceptedMessage": message}, "message": "This usage event already exist.", "code": "Conflict"});
    till.will(&[Act::Say(409, conflict(&message).to_string())]);
    let quantity = Quantity::from_millionths(20_500_000);
    let expected = UsageOutcome::Duplicate { usage_event_id: Some("e-0".to_owned()), quantity };
    assert_eq!(single(&till).await.unwrap(), expected);
    for empty in ["", "{}", r#"{"message":"This usage event already exist.","code":"Conflict"}"#] {
        till.will(&[Act::Say(409, empty.to_owned())]);
        let bare = UsageOutcome::Duplicate { usage_event_id: None, quantity: None };
        assert_eq!(single(&till).await.unwrap(), bare, "{empty}");
    }
    let half = conflict(&message).to_string();
    for nobodys in ["<html>", &half[..half.len() / 2]] {
        till.will(&[Act::Say(409, nobodys.to_owned())]);
        let error = single(&till).await.unwrap_err();
        assert!(matches!(error, MarketplaceError::Unreadable(_)), "{nobodys}: {error:?}");
    }
    message["dimension"] = json!("another");
    till.will(&[Act::Say(409, conflict(&message).to_string())]);
    let error = single(&till).await.unwrap_err();
    assert!(matches!(error, MarketplaceError::Unreadable(_)), "the message of another slot: {error:?}");
    till.will(&[Act::Say(409, String::new())]);
    let error = batch(&till, &[item("d")]).await.unwrap_err();
    assert!(matches!(error, MarketplaceError::Conflict(_)) && !error.is_certainly_unprocessed(), "{error:?}");
}

#[tokio::test]
async fn a_single_refusal_is_what_its_details_name() {
    let till = Till::open().await;
    let body = |code: &str| {
        json!({"message": "One or more errors have occurred.", "target": "usageEventRequest", "code": "BadRequest",
            "details": [{"message": "no", "target": "EffectiveStartTime", "code": code}]})
        .to_string()
    };
    till.will(&[Act::Say(400, body("Expired"))]);
    assert_eq!(single(&till).await.unwrap(), UsageOutcome::Expired);
    till.will(&[Act::Say(400, body("ResourceNotActive"))]);
    let words = "ResourceNotActive: no".to_owned();
    assert_eq!(single(&till).await.unwrap(), UsageOutcome::ResourceNotActive(words));
    till.will(&[Act::Say(400, body("SomethingNew"))]);
    let error = single(&till).await.unwrap_err();
    assert!(matches!(error, MarketplaceError::Refused { status: 400, .. }), "{error:?}");
    till.will_say(&row("other", "Accepted").to_string());
    let error = single(&till).await.unwrap_err();
    assert!(matches!(error, MarketplaceError::Unreadable(_)), "the answer to another event: {error:?}");
}

#[tokio::test]
async fn sums_are_a_read() {
    let till = Till::open().await;
    let day = json!([{"usageDate": "2026-01-18T00:00:00Z", "usageResourceId": RESOURCE, "dimension": "d", "planId": "p",
        "offerId": "o", "reconStatus": "Submitted", "submittedQuantity": 0.1, "processedQuantity": 0, "submittedCount": 1}]);
    till.will(&[
        Act::SayWith(429, "retry-after", "0"),
        Act::SayWith(503, "retry-after", "0"),
        Act::Say(200, day.to_string()),
    ]);
    let answer: Answer<Vec<UsageDay>> = till.client.list_usage(date!(2026 - 01 - 17)).await.unwrap();
    let came = till.came();
    assert_eq!((came.len(), answer.value.len()), (3, 1), "tried three times");
    let line = "GET /api/usageEvents?api-version=2018-08-31&usageStartDate=2026-01-17T00%3A00%3A00Z";
    assert!(came.iter().all(|came| came.line == line && came.body.is_empty()), "{came:?}");
    assert_eq!((answer.value[0].submitted.to_string().as_str(), answer.value[0].count), ("0.1", 1));
    for body in ["<html>", "{}", r#"{"value":[]}"#, "[{}]"] {
        till.will_say(body);
        let error = till.client.list_usage(date!(2026 - 01 - 17)).await.unwrap_err();
        assert!(matches!(error, MarketplaceError::Unreadable(_)), "{body}: {error:?}");
    }
    till.will_say("");
    assert_eq!(till.client.list_usage(date!(2026 - 01 - 17)).await.unwrap().value, []);
}

/// Every word and address of Microsoft's document.
#[tokio::test]
async fn the_clients_words_are_those_of_the_document() {
    let document: Value = serde_json::from_str(include_str!("../../fixtures/openapi/meteringapi.v1.json")).unwrap();
    let words = |schema: &str| -> Vec<String> {
        serde_json::from_value(document["components"]["schemas"][schema]["enum"].clone()).unwrap()
    };
    let till = Till::open().await;
    for status in words("StatusEnum") {
        till.will_say(&json!({"result": [row("d", &status)]}).to_string());
        let outcome = batch(&till, &[item("d")]).await.unwrap().remove(0);
        assert!(format!("{outcome:?}").starts_with(&format!("Some({status}")), "{status}: {outcome:?}");
    }
    let rows: Vec<_> =
        words("ReconStatus").iter().map(|word| json!({"usageDate": "2026-01-18", "reconStatus": word})).collect();
    till.will_say(&json!(rows).to_string());
    let days = till.client.list_usage(date!(2026 - 01 - 18)).await.unwrap().value;
    assert!(days.len() == 4 && days.iter().all(|day| !matches!(day.recon_status, ReconStatus::Unknown(_))), "{days:?}");
    till.will_say(&row("d", "Accepted").to_string());
    single(&till).await.unwrap();
    for came in till.came() {
        let (method, address) = came.line.split_once(" /api").unwrap();
        let (path, query) = address.split_once('?').unwrap();
        let parameters = document["paths"][path][method.to_lowercase()]["parameters"].as_array().unwrap();
        for (name, _) in url::form_urlencoded::parse(query.as_bytes()) {
            assert!(parameters.iter().any(|known| known["in"] == "query" && known["name"] == name.as_ref()), "{name}");
        }
    }
}

/// Where a call went.
async fn asks(client: &Client, till: &Till) -> usize {
    for _ in 0..2 {
        till.will_say("[]");
    }
    client.list_usage(date!(2026 - 01 - 18)).await.unwrap();
    till.came().len()
}

#[tokio::test]
async fn metering_may_be_elsewhere() {
    let (here, elsewhere) = (Till::open().await, Till::open().await);
    let mut base = elsewhere.base();
    base.set_path("/api/");
    let client = here.client.clone().with_metering_base(base);
    assert_eq!(asks(&client, &elsewhere).await, 1);
    here.will_say("");
    client.list_subscriptions(None).await.unwrap();
    assert_eq!((here.came().len(), elsewhere.came().len()), (1, 0), "everything else stays");
}

#[tokio::test]
async fn the_configuration_says_where() {
    let stage = Stage::set(Database::Sqlite).await;
    let till = Till::open().await;
    let text = simulated::configuration(&stage.simulator, &stage.public_url, &stage.file(""), "sqlite::memory:");
    let line = format!("metering_base_url = \"{}\"\napplication_id", till.base());
    let config = config::from_toml(&text.replace("application_id", &line), std::iter::empty()).unwrap();
    let app = startup::build(&config, stage.clock.clone()).await.unwrap();
    assert_eq!(asks(&app.marketplace, &till).await, 1);
    stage.finish().await;
}
