use time::macros::date;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn usage_adds_up_by_day_and_shows_later() {
    let meter = Meter::set_up().await;
    let hour = Duration::HOUR;
    let mut exact = meter.event(hour * 2);
    exact["quantity"] = json!(0.000_001);
    assert_eq!(meter.batch(&[meter.event(hour * 11), meter.event(hour), exact]).await.len(), 3);
    meter.world().advance(hour * 2 - Duration::SECOND).unwrap();
    assert_eq!(meter.rows("").await, Vec::<Value>::new(), "it lags");
    meter.world().advance(Duration::SECOND).unwrap();
    let rows = meter.rows("").await;
    let expected = json!({
        "usageDate": "2026-01-16T00:00:00Z", "usageResourceId": meter.id(), "dimension": USER, "planId": "konnekt-yearly",
        "planName": "", "offerId": "konnekt", "offerName": "", "offerType": "SaaS",
        "azureSubscriptionId": rows[0]["azureSubscriptionId"], "reconStatus": "Submitted",
        "submittedQuantity": 5.000_001, "processedQuantity": 0.0, "submittedCount": 2,
    });
    assert_eq!(rows[0], expected);
    assert_eq!([&rows[1]["usageDate"], &rows[1]["submittedQuantity"]], [&json!("2026-01-15T00:00:00Z"), &json!(5.0)]);
    let url = format!("{}&usageStartDate=2026-01-16T09:00:00Z", meter.url("usageEvents"));
    let request = meter.life.stage.http.get(&url).bearer_auth(meter.life.stage.bearer().await);
    let text = request.send().await.unwrap().text().await.unwrap();
    assert_eq!(order(part(&text, "0")), order(part(DAYS, "0/response/body/0")));
    assert!(text.contains(r#""submittedQuantity":5.000001,"processedQuantity":0.0,"submittedCount":2}]"#), "{text}");

    for (filter, count) in [
        ("&UsageEndDate=2026-01-15", 1),
        ("&UsageEndDate=2025-01-15", 0),
        ("&dimension=other", 0),
        ("&planId=konnekt-yearly&offerId=konnekt&reconStatus=Submitted", 2),
        ("&reconStatus=Accepted", 0),
        (&format!("&azureSubscriptionId={}", Uuid::nil()), 0),
    ] {
        assert_eq!(meter.rows(filter).await.len(), count, "{filter}");
    }
    for wrong in ["", "&usageStartDate=soon", "&usageStartDate=2026-01-01&UsageEndDate=later"] {
        let request = meter.life.stage.http.get(format!("{}{wrong}", meter.url("usageEvents")));
        assert_eq!(meter.life.stage.call(request).await.0, 400, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_processed_after_two_days_or_as_somebody_says() {
    let meter = Meter::set_up().await;
    meter.world().switch(|switches| switches.usage_lag_minutes = 0);
    meter.batch(&[meter.event(Duration::HOUR)]).await;
    meter.world().advance(Duration::hours(48) - Duration::SECOND).unwrap();
    assert_eq!(meter.rows("").await[0]["reconStatus"], "Submitted");
    meter.world().advance(Duration::SECOND).unwrap();
    let row = meter.rows("").await.remove(0);
    assert_eq!([&row["reconStatus"], &row["planName"], &row["offerName"]], ["Accepted", "KONNEKT yearly", "KONNEKT"]);
    assert_eq!(row["processedQuantity"], 5.0);

    let mut said = json!({
        "subscriptionId": meter.id(), "dimension": USER, "day": "2026-01-16", "reconStatus": "Mismatch",
        "processedQuantity": "4.5",
    });
    assert_eq!(meter.life.stage.control("usage/verdict", said.clone()).await, json!({"done": true}));
    let row = meter.rows("&reconStatus=Mismatch").await.remove(0);
    assert_eq!((&row["submittedQuantity"], &row["processedQuantity"]), (&json!(5.0), &json!(4.5)));
    said["reconStatus"] = json!("Lost");
    assert!(meter.life.stage.control("usage/verdict", said).await["error"].is_string());
    meter.world().set_usage_verdict(meter.id(), USER, date!(2026 - 01 - 16), "Rejected", "0").unwrap();
    assert_eq!(meter.rows("").await[0]["reconStatus"], "Rejected");
    assert!(meter.world().set_usage_verdict(meter.id(), USER, date!(2026 - 01 - 16), "Rejected", "none").is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn tests_are_never_processed() {
    for (session, sandbox, expected) in [(Some("DryRun"), None, "DryRun"), (None, Some("Csp"), "TestHeaders")] {
        let word = |value: Option<&str>| value.map(str::to_owned);
        let purchase =
            Purchase { session_mode: word(session), sandbox_type: word(sandbox), auto_activate: true, ..konnekt() };
        let meter = Meter::of(purchase).await;
        meter.batch(&[meter.event(Duration::HOUR)]).await;
        meter.world().advance(Duration::days(5)).unwrap();
        let row = meter.rows("").await.remove(0);
        assert_eq!((&row["reconStatus"], &row["processedQuantity"]), (&json!(expected), &json!(0.0)));
        assert!(meter.invoice().await.contains("nothing of this is billed"));
    }
}
