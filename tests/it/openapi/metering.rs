//! The document of the metering API.

use std::collections::BTreeSet;

use seatkey::{
    marketplace::{Credential, TokenSource},
    simulator::{Purchase, UsageTrick},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use time::{Duration, format_description::well_known::Rfc3339, macros::date};
use uuid::Uuid;

use super::{
    document::{Document, Exchange},
    tap::Tap,
};
use crate::{
    marketplace_client::desk::{Desk, tokens},
    support::people::ALEX,
};

/// Where the field differs from the document (reference: `marketplace-api.md`), and why that is right.
const DEVIATIONS: [(&str, &str); 3] = [
    (
        "UsageBatchEventOkMessage.messageTime: not a date-time",
        "the year 1 without a zone, in Microsoft's examples (6.2)",
    ),
    ("GET /usageEvents: usageStartDate: not a date-time", "a date alone, in the document's own example (6.4)"),
    ("GetUsageEvent.reconStatus: not one of the words", "`DryRun` and `TestHeaders` are documented elsewhere (6.4)"),
];

#[tokio::test]
async fn simulator_and_records_keep_to_the_document_of_the_metering() {
    let document = Document::metering();
    let live = everything_that_can_be_asked().await;
    assert_eq!(document.operations(&live).len(), 3);
    let statuses: BTreeSet<u16> = live.iter().map(|exchange| exchange.status).collect();
    assert_eq!(statuses, BTreeSet::from([200, 400, 403, 409]));
    let recorded = recorded();
    assert_eq!(recorded.len(), 4);
    assert_eq!(document.findings(&recorded), BTreeSet::new(), "recorded");
    let found = document.findings(&live);
    let known: BTreeSet<String> = DEVIATIONS.iter().map(|(known, _)| (*known).to_owned()).collect();
    assert_eq!(found, known, "all of these, and nothing else");
}

/// A caller behind a tap.
struct Caller {
    desk: Desk,
    tap: Tap,
    bearer: String,
}

impl Caller {
    async fn call(&self, method: &str, operation: &str, query: &[(&str, &str)], body: Option<&Value>, bearer: &str) {
        let mut url = self.tap.base();
        url.set_path(&format!("/api/{operation}"));
        let url = url.query_pairs_mut().append_pair("api-version", "2018-08-31").extend_pairs(query).finish().clone();
        let mut request = self.desk.http.request(method.parse().unwrap(), url);
        request = request.header("x-ms-requestid", Uuid::from_u128(7).to_string());
        if let Some(body) = body {
            request = request.json(body);
        }
        request.bearer_auth(bearer).send().await.unwrap();
    }

    async fn post(&self, operation: &str, body: &Value) {
        self.call("POST", operation, &[], Some(body), &self.bearer).await;
    }

    async fn list(&self, query: &[(&str, &str)]) {
        self.call("GET", "usageEvents", query, None, &self.bearer).await;
    }
}

async fn everything_that_can_be_asked() -> Vec<Exchange> {
    let desk = Desk::open().await;
    let tap = Tap::open(desk.simulator.base_url());
    let credential = Credential::ClientSecret("marketplace-secret".to_owned().into());
    let buy = |session_mode: Option<&str>| {
        let purchase = Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap());
        let session_mode = session_mode.map(str::to_owned);
        desk.world().purchase(Purchase { session_mode, auto_activate: true, ..purchase })
    };
    let (id, test) = (buy(None), buy(Some("DryRun")));
    let bearer =
        tokens(&desk.simulator, &desk.http, credential).unwrap().token().await.unwrap().expose_secret().to_owned();
    let caller = Caller { desk, tap, bearer };
    let used = |id: Uuid, age: Duration| {
        let start = (caller.desk.world().now() - age).format(&Rfc3339).unwrap();
        json!({
            "resourceId": id, "quantity": 27.123_287, "dimension": "konnekt-25-user", "effectiveStartTime": start,
            "planId": "konnekt-yearly",
        })
    };
    let hour = Duration::HOUR;
    for age in [hour, hour, hour * 30] {
        caller.post("usageEvent", &used(id, age)).await;
    }
    let unknown = Uuid::from_u128(9);
    let batch = json!({"request": [used(id, hour * 2), used(id, hour), used(id, hour * 30), used(unknown, hour), used(test, hour)]});
    caller.post("batchUsageEvent", &batch).await;
    for status in
        ["Error", "ResourceNotAuthorized", "ResourceNotActive", "InvalidDimension", "InvalidQuantity", "BadArgument"]
    {
        caller.desk.world().switch(|switches| switches.usage_trick = Some(UsageTrick::AllFail(status.to_owned())));
        caller.post("batchUsageEvent", &batch).await;
    }
    caller.post("batchUsageEvent", &json!({"request": vec![used(id, hour); 26]})).await;
    looks(&caller, id).await;
    caller.tap.close().await
}

/// The daily sums in every state, and refusals.
async fn looks(caller: &Caller, id: Uuid) {
    let world = caller.desk.world();
    world.switch(|switches| switches.usage_lag_minutes = 0);
    let since = ("usageStartDate", "2026-01-14T06:12:40.0746760Z");
    caller.list(&[since]).await;
    for recon_status in ["Accepted", "Rejected", "Mismatch"] {
        world.set_usage_verdict(id, "konnekt-25-user", date!(2026 - 01 - 15), recon_status, "1.5").unwrap();
        caller.list(&[since, ("reconStatus", recon_status)]).await;
    }
    caller.list(&[("usageStartDate", "2026-01-14"), ("UsageEndDate", "2026-01-20T00:00:00Z"), ("offerId", "x")]).await;
    caller.list(&[("usageStartDate", "soon")]).await;
    for (method, operation) in [("POST", "usageEvent"), ("POST", "batchUsageEvent"), ("GET", "usageEvents")] {
        let body = (method == "POST").then(|| json!({}));
        let query = if body.is_some() { &[][..] } else { &[since][..] };
        caller.call(method, operation, query, body.as_ref(), "nonsense").await;
    }
}

/// The metering part of the session records.
fn recorded() -> Vec<Exchange> {
    [
        include_str!("../../fixtures/recorded/single-usage.json"),
        include_str!("../../fixtures/recorded/batch-usage-accepted-then-duplicate.json"),
        include_str!("../../fixtures/recorded/get-usage-events.json"),
    ]
    .into_iter()
    .flat_map(|text| serde_json::from_str::<Vec<Value>>(text).unwrap())
    .map(|record| Exchange::of_record(&record))
    .collect()
}
