//! The metering API as the publisher's software sees it, and what the buyer sees of it.

mod days;
mod invoice;
mod rules;
mod tricks;

use std::collections::HashMap;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::{json, value::RawValue};
use time::{Duration, format_description::well_known::Rfc3339};

use super::{life::Life, *};

const USER: &str = "konnekt-25-user";

/// A world with one active subscription that is metered, on 16 January at ten.
struct Meter {
    life: Life,
}

impl Meter {
    async fn set_up() -> Self {
        Self::of(Purchase { auto_activate: true, ..konnekt() }).await
    }

    async fn of(purchase: Purchase) -> Self {
        let mut life = Life::unborn().await;
        life.id = life.world().purchase(purchase);
        life.wait(Duration::days(1));
        Self { life }
    }

    fn world(&self) -> &World {
        self.life.world()
    }

    fn id(&self) -> Uuid {
        self.life.id
    }

    /// So long ago, as text.
    fn ago(&self, age: Duration) -> String {
        (self.world().now() - age).format(&Rfc3339).unwrap()
    }

    /// Five users, so long ago.
    fn event(&self, age: Duration) -> Value {
        json!({
            "resourceId": self.id(), "quantity": 5.0, "dimension": USER, "effectiveStartTime": self.ago(age),
            "planId": "konnekt-yearly",
        })
    }

    /// The same, with one field replaced.
    fn with(&self, field: &str, value: Value) -> Value {
        let mut event = self.event(Duration::HOUR);
        event[field] = value;
        event
    }

    fn url(&self, operation: &str) -> String {
        self.life.stage.url(&format!("/api/{operation}?api-version=2018-08-31"))
    }

    /// The status and the text of the answer.
    async fn post(&self, operation: &str, body: String) -> (u16, String) {
        let request = self.life.stage.http.post(self.url(operation)).body(body);
        let answer = request.bearer_auth(self.life.stage.bearer().await).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn single(&self, event: &Value) -> (u16, Value) {
        let (status, text) = self.post("usageEvent", event.to_string()).await;
        (status, serde_json::from_str(&text).unwrap())
    }

    /// The results of a batch.
    async fn batch(&self, events: &[Value]) -> Vec<Value> {
        let (status, text) = self.post("batchUsageEvent", json!({ "request": events }).to_string()).await;
        assert_eq!(status, 200, "{text}");
        let mut answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["count"], answer["result"].as_array().unwrap().len());
        serde_json::from_value(answer["result"].take()).unwrap()
    }

    /// The item status of one event.
    async fn judge(&self, event: Value) -> String {
        self.batch(&[event]).await[0]["status"].as_str().unwrap().to_owned()
    }

    async fn invoice(&self) -> String {
        let (status, page) = page_of(self, &self.id().to_string()).await;
        assert_eq!(status, 200, "{page}");
        page
    }

    /// The rows since the start of the month.
    async fn rows(&self, filter: &str) -> Vec<Value> {
        let url = format!("{}&usageStartDate=2026-01-01{filter}", self.url("usageEvents"));
        let (status, rows) = self.life.stage.call(self.life.stage.http.get(url)).await;
        assert_eq!(status, 200);
        serde_json::from_value(rows).unwrap()
    }
}

async fn page_of(meter: &Meter, id: &str) -> (u16, String) {
    let url = meter.life.stage.url(&format!("/portal/subscriptions/{id}/invoice"));
    let answer = meter.life.stage.http.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The names of the fields of a JSON object, in their order.
struct Order(Vec<String>);

impl<'de> Deserialize<'de> for Order {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Order;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Order, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry()? {
                    names.push(name);
                }
                Ok(Order(names))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

fn order(text: &str) -> Vec<String> {
    serde_json::from_str::<Order>(text).unwrap().0
}

/// A part of a JSON text, as it stands there.
fn part<'a>(text: &'a str, path: &str) -> &'a str {
    path.split('/').fold(text, |text, step| {
        let raw: &RawValue = match step.parse::<usize>() {
            Ok(number) => serde_json::from_str::<Vec<&RawValue>>(text).unwrap()[number],
            Err(_) => serde_json::from_str::<HashMap<String, &RawValue>>(text).unwrap()[step],
        };
        raw.get()
    })
}

const SINGLE: &str = include_str!("../../../../tests/fixtures/recorded/single-usage.json");
const BATCH: &str = include_str!("../../../../tests/fixtures/recorded/batch-usage-accepted-then-duplicate.json");
const DAYS: &str = include_str!("../../../../tests/fixtures/recorded/get-usage-events.json");

#[tokio::test(flavor = "multi_thread")]
async fn a_usage_event_is_taken_once_in_the_recorded_shape() {
    let meter = Meter::set_up().await;
    let raw = format!(
        r#"{{ "resourceId":"{}","quantity":20.50, "dimension":"{USER}","effectiveStartTime":"2026-01-16T09:01:04.4810279Z","planId":"konnekt-yearly"}}"#,
        meter.id()
    );
    let (status, text) = meter.post("usageEvent", raw.clone()).await;
    assert_eq!(status, 200, "{text}");
    assert_eq!(order(&text), order(part(SINGLE, "0/response/body")));
    assert!(text.contains(r#""quantity":20.50,"#) && text.contains(":04.4810279Z"), "echoed digit by digit: {text}");
    let accepted: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(accepted["messageTime"], "2026-01-16T10:00:00Z");
    assert!(accepted["resourceUri"].as_str().unwrap().ends_with("/Microsoft.SaaS/resources/Our KONNEKT"));

    meter.world().advance(Duration::minutes(30)).unwrap();
    let (status, text) = meter.post("usageEvent", raw.replace("20.50", "7").replace("09:01", "09:59")).await;
    assert_eq!(status, 409);
    assert_eq!(order(&text), ["additionalInfo", "message", "code"]);
    let mut first = accepted.clone();
    first["status"] = json!("Duplicate");
    let conflict: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(conflict["additionalInfo"]["acceptedMessage"], first, "the first message wins");
    assert_eq!([&conflict["message"], &conflict["code"]], ["This usage event already exist.", "Conflict"]);

    let (_, text) = meter.post("batchUsageEvent", format!(r#"{{"request":[{raw}]}}"#)).await;
    assert_eq!(order(&text), ["result", "count"]);
    let (own, recorded) = (part(&text, "result/0"), part(BATCH, "1/response/body/result/0"));
    assert_eq!(order(own), order(recorded));
    let duplicate: Value = serde_json::from_str(own).unwrap();
    let recorded: Value = serde_json::from_str(recorded).unwrap();
    for field in ["/status", "/error/message", "/error/code", "/error/additionalInfo/acceptedMessage/status"] {
        assert_eq!(duplicate.pointer(field), recorded.pointer(field), "{field}");
    }
    assert_eq!(duplicate["error"]["additionalInfo"]["acceptedMessage"], first);
    assert_eq!(duplicate["messageTime"], "2026-01-16T10:30:00Z");

    let seen = meter.world().usage();
    let statuses: Vec<&str> = seen.iter().map(|usage| usage.status.as_ref()).collect();
    assert_eq!(statuses, ["Accepted", "Duplicate", "Duplicate"]);
    assert_eq!((seen[0].bytes.as_str(), seen[0].quantity_text.as_str()), (raw.as_str(), "20.50"));
    assert_eq!(seen[0].usage_event_id.unwrap().to_string(), accepted["usageEventId"]);
    assert_eq!(meter.world().accepted_usage(), seen[..1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_cannot_be_read_record_nothing() {
    let meter = Meter::set_up().await;
    let events = |count| json!({"request": vec![meter.event(Duration::HOUR); count]}).to_string();
    for body in [events(26), events(0), "{}".to_owned(), String::new(), r#"{"request":{}}"#.to_owned()] {
        let (status, text) = meter.post("batchUsageEvent", body).await;
        assert!(status == 400 && text.contains("batchUsageEventRequest"), "{text}");
    }
    assert_eq!(meter.post("usageEvent", "{".to_owned()).await.0, 400);
    assert_eq!(meter.post("usageEvents", "{}".to_owned()).await.0, 405);
    assert_eq!(meter.world().usage(), []);
    let statuses: Vec<Value> = meter
        .batch(&vec![meter.event(Duration::HOUR); 25])
        .await
        .into_iter()
        .map(|result| result["status"].clone())
        .collect();
    assert_eq!(statuses[0], "Accepted");
    assert!(statuses[1..].iter().all(|status| status == "Duplicate"), "also inside one batch");
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_and_versions_are_checked_as_in_fulfillment() {
    let meter = Meter::set_up().await;
    let http = &meter.life.stage.http;
    for operation in ["usageEvent", "batchUsageEvent"] {
        assert_eq!(http.post(meter.url(operation)).send().await.unwrap().status(), 401);
        assert_eq!(http.post(meter.url(operation)).bearer_auth("x").send().await.unwrap().status(), 403);
    }
    let url = meter.life.stage.url("/api/usageEvents?usageStartDate=2026-01-01");
    let (status, body) = meter.life.stage.call(http.get(url)).await;
    assert_eq!((status, &body["Error"]["Code"]), (400, &json!("ApiVersionUnspecified")));
    let answer = http.get(meter.url("usageEvents")).header("x-ms-requestid", "one").send().await.unwrap();
    assert_eq!(
        (&answer.headers()["x-ms-requestid"], &answer.headers()["x-ms-correlationid"]),
        (&"one".parse().unwrap(), &"one".parse().unwrap())
    );
}
