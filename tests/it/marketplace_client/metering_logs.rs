//! Nothing of usage in the logs: every answer of the metering operations with everything logged, in a process of its own,
//! because a subscriber for all threads can be set once per process.

use std::process::Command;

use serde_json::json;
use time::macros::date;

use super::{
    logs::Log,
    metering::{RESOURCE, item, row},
    till::{Act, Till},
};

#[test]
fn nothing_of_usage_is_logged() {
    let own = std::env::current_exe().unwrap();
    let story = "marketplace_client::metering_logs::usage_with_everything_logged";
    let run = Command::new(own).args(["--exact", story, "--ignored", "--nocapture"]).output().unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && told.contains("1 passed"), "{told}\n{}", String::from_utf8_lossy(&run.stderr));
}

#[tokio::test]
#[ignore = "run by nothing_of_usage_is_logged, in a process of its own"]
async fn usage_with_everything_logged() {
    let log = Log::install();
    let till = Till::open().await;
    let day = json!([{"usageDate": "2026-01-18", "usageResourceId": RESOURCE, "dimension": "d", "submittedQuantity": 117.534246}]);
    let bodies = [
        row("d", "Accepted").to_string(),
        json!({"result": [row("d", "Duplicate"), row("e", "Error")]}).to_string(),
        day.to_string(),
        r#"{"result":"117.534246"}"#.to_owned(),
        r#"[{"usageDate":"2026-01-18","submittedQuantity":"117.534246 units"}]"#.to_owned(),
        "117.534246".to_owned(),
        "\"117.534246\"".to_owned(),
    ];
    for body in bodies {
        for act in [200, 400, 409, 418, 429, 500].map(|status| Act::Say(status, body.clone())).iter().chain([&Act::Cut])
        {
            till.will(std::slice::from_ref(act));
            drop(till.client.report_usage_batch(&[item("d"), item("e")]).await);
            till.will(std::slice::from_ref(act));
            drop(till.client.report_usage(item("d")).await);
            till.will(std::slice::from_ref(act));
            if !matches!(act, Act::Say(429 | 500, _) | Act::Cut) {
                drop(till.client.list_usage(date!(2026 - 01 - 18)).await);
            }
        }
    }
    let text = log.text();
    for words in ["marketplace call", "report_usage_batch", "list_usage", "without an answer"] {
        assert!(text.contains(words), "nothing was captured of {words}");
    }
    for leak in
        ["117.53", "effectiveStartTime", "\"request\"", "resourceId", &RESOURCE.to_string(), "submitted", "units"]
    {
        assert!(!text.contains(leak), "{leak} in {}", text.lines().find(|line| line.contains(leak)).unwrap());
    }
}
