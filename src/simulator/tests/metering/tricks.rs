use std::collections::BTreeSet;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn in_the_other_mode_a_second_send_cannot_hide() {
    let meter = Meter::set_up().await;
    meter.world().switch(|switches| switches.accept_all_usage = true);
    assert!(meter.world().suspend(meter.id()));
    let events = [
        meter.event(Duration::HOUR),
        meter.event(Duration::HOUR),
        meter.event(Duration::days(40)),
        meter.with("dimension", json!("other")),
        meter.event(-Duration::HOUR),
    ];
    let results = meter.batch(&events).await;
    let statuses: Vec<&str> = results.iter().map(|result| result["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["Accepted", "Accepted", "Accepted", "InvalidDimension", "BadArgument"]);
    let ids: BTreeSet<_> = meter.world().accepted_usage().iter().map(|usage| usage.usage_event_id).collect();
    assert_eq!(ids.len(), 3, "each has its own id");
    meter.world().switch(|switches| switches.accept_all_usage = false);
    meter.world().register_publisher("", "", [CALLBACK]);
    assert!(meter.world().reinstate(meter.id()));
    assert_eq!(meter.judge(meter.event(Duration::HOUR)).await, "Duplicate");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_go_wrong_on_request() {
    let meter = Meter::set_up().await;
    let set = async |trick: Value| {
        let switches = meter.life.stage.control("switches", json!({ "usageTrick": trick })).await;
        assert_eq!(switches["usageTrick"], trick);
    };
    let hours = |first: i64| [first, first + 1, first + 2].map(|hour| meter.event(Duration::hours(hour)));
    let times = |results: Vec<Value>| -> Vec<Value> {
        results.iter().map(|result| result["effectiveStartTime"].clone()).collect()
    };
    let sent = |events: &[Value]| times(events.to_vec());
    set(json!("short")).await;
    assert_eq!(times(meter.batch(&hours(0)).await), sent(&hours(0)[..2]));
    set(json!("reordered")).await;
    let mut expected = sent(&hours(3));
    expected.reverse();
    assert_eq!(times(meter.batch(&hours(3)).await), expected);
    set(json!("doubled")).await;
    assert_eq!(times(meter.batch(&hours(6)).await), [sent(&hours(6)), sent(&hours(6))].concat());
    set(json!("broken")).await;
    let (status, text) = meter.post("batchUsageEvent", json!({ "request": hours(9) }).to_string()).await;
    assert!(status == 200 && text.starts_with(r#"{"result":["#) && serde_json::from_str::<Value>(&text).is_err());
    assert_eq!(meter.world().accepted_usage().len(), 12, "all of this was recorded");
    set(json!({"allFail": "ResourceNotAuthorized"})).await;
    assert!(meter.batch(&hours(12)).await.iter().all(|result| result["status"] == "ResourceNotAuthorized"));
    let (status, body) = meter.single(&hours(12)[0]).await;
    assert_eq!((status, &body["details"][0]["code"]), (400, &json!("ResourceNotAuthorized")));
    set(Value::Null).await;
    assert!(meter.batch(&hours(12)).await.iter().all(|result| result["status"] == "Accepted"), "and this was not");
    assert_eq!(meter.world().usage().len(), 19);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_has_been_recorded_and_a_cut_request_has_not() {
    let meter = Meter::set_up().await;
    let bearer = meter.life.stage.bearer().await;
    for (action, recorded) in [(json!({"loseAnswer": true}), 1), (json!({"cut": true}), 1), (json!({"status": 503}), 1)]
    {
        let fault = json!({"path": "/api/usageEvent", "method": "POST", "action": action});
        meter.life.stage.control("faults", fault).await;
        let request = meter.life.stage.http.post(meter.url("usageEvent")).bearer_auth(&bearer);
        let answer = request.json(&meter.event(Duration::HOUR)).send().await;
        assert_eq!(answer.is_ok(), action["status"] == 503);
        assert_eq!(meter.world().accepted_usage().len(), recorded);
    }
    assert_eq!(meter.judge(meter.event(Duration::HOUR)).await, "Duplicate");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_of_the_publisher_takes_slots_too() {
    let meter = Meter::set_up().await;
    let body = json!({
        "subscriptionId": meter.id(), "dimension": USER, "quantity": "1.50", "effectiveStartTime": "2026-01-16T09:15:00Z",
    });
    let posted = meter.life.stage.control("usage/foreign", body).await;
    assert_eq!(
        [&posted["status"], &posted["quantityText"], &posted["foreign"]],
        [&json!("Accepted"), &json!("1.50"), &json!(true)]
    );
    let result = meter.batch(&[meter.event(Duration::HOUR)]).await.remove(0);
    assert_eq!(result["error"]["additionalInfo"]["acceptedMessage"]["usageEventId"], posted["usageEventId"]);
    let start = meter.world().now() - Duration::hours(3);
    assert_eq!(meter.world().post_foreign_usage(Uuid::nil(), USER, "1", start).unwrap().status, "ResourceNotFound");
    for wrong in ["much", "\"1\"", "1}", "01", ""] {
        assert!(meter.world().post_foreign_usage(meter.id(), USER, wrong, start).is_err(), "{wrong}");
    }
    let shown = meter.life.stage.http.get(meter.life.stage.url(&format!("/control/usage?subscription={}", meter.id())));
    let shown: Vec<Value> = shown.send().await.unwrap().json().await.unwrap();
    assert_eq!(shown[0], posted);
    assert_eq!([&shown[1]["status"], &shown[1]["at"]], [&json!("Duplicate"), &json!("2026-01-16T10:00:00Z")]);
}
