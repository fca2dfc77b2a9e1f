use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_rule_that_is_broken_decides() {
    let meter = Meter::set_up().await;
    let (hour, second) = (Duration::HOUR, Duration::SECOND);
    let table = [
        (json!("no event"), "BadArgument"),
        (meter.with("resourceId", json!(null)), "BadArgument"),
        (meter.with("resourceId", json!("konnekt")), "BadArgument"),
        (meter.with("resourceUri", json!("/subscriptions/x")), "BadArgument"),
        (meter.with("quantity", json!("5")), "BadArgument"),
        (meter.with("dimension", json!("")), "BadArgument"),
        (meter.with("effectiveStartTime", json!("2026-01-16T09:00:00")), "BadArgument"),
        (meter.with("planId", json!("unknown")), "BadArgument"),
        (meter.event(-second), "BadArgument"),
        (meter.with("resourceId", json!(Uuid::from_u128(9))), "ResourceNotFound"),
        (meter.with("quantity", json!(0)), "InvalidQuantity"),
        (meter.with("quantity", json!(-0.5)), "InvalidQuantity"),
        (meter.with("dimension", json!("konnekt-26-user")), "InvalidDimension"),
        (meter.with("planId", json!("konnekt-yearly-2")), "InvalidDimension"),
        (meter.event(hour * 24 + second), "Expired"),
        (meter.event(hour * 24), "Accepted"),
        (meter.event(Duration::ZERO), "Accepted"),
        // A second before ten o'clock is another hour than ten o'clock; nine o'clock is the same one, wherever it is said.
        (meter.event(second), "Accepted"),
        (meter.with("effectiveStartTime", json!("2026-01-16T10:00:00+01:00")), "Duplicate"),
    ];
    let events: Vec<Value> = table.iter().map(|(event, _)| event.clone()).collect();
    let results = meter.batch(&events).await;
    for ((event, expected), result) in table.iter().zip(&results) {
        assert_eq!(result["status"], *expected, "{event}");
        assert_eq!(result["error"].is_null(), *expected == "Accepted");
        assert_eq!(result["usageEventId"].is_null(), *expected != "Accepted");
        assert_eq!(result["resourceId"], event["resourceId"], "echoed");
    }
    assert_eq!(
        (&results[10]["messageTime"], &results[10]["error"]["code"]),
        (&json!("0001-01-01T00:00:00"), &json!("InvalidQuantity"))
    );
    let seen = meter.world().usage();
    assert!(seen.iter().map(|usage| usage.status.as_ref()).eq(table.iter().map(|(_, expected)| *expected)), "in order");
    assert_eq!(seen[1].bytes, events[1].to_string());
    assert_eq!(meter.world().usage_of(meter.id()).len(), table.len() - 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_event_is_refused_with_details() {
    let meter = Meter::set_up().await;
    let event = json!({"quantity": 5.0, "dimension": USER, "effectiveStartTime": meter.ago(Duration::HOUR)});
    let details = [("ResourceId", "resourceId"), ("PlanId", "planId")].map(|(target, name)| {
        json!({"message": format!("The {name} is required."), "target": target, "code": "BadArgument"})
    });
    let expected = json!({
        "message": "One or more errors have occurred.", "target": "usageEventRequest", "details": details,
        "code": "BadArgument",
    });
    assert_eq!(meter.single(&event).await, (400, expected));
    for (event, code) in [
        (meter.event(Duration::hours(25)), "Expired"),
        (meter.with("resourceId", json!(Uuid::from_u128(9))), "ResourceNotFound"),
        (meter.with("quantity", json!(0)), "InvalidQuantity"),
    ] {
        let (status, body) = meter.single(&event).await;
        assert_eq!((status, &body["details"][0]["code"]), (400, &json!(code)));
    }
    assert_eq!(meter.single(&meter.event(Duration::ZERO)).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_needs_an_active_subscription_or_one_that_was() {
    let meter = Meter::set_up().await;
    let hour = Duration::HOUR;
    assert!(meter.world().suspend(meter.id()));
    assert_eq!(meter.judge(meter.event(hour * 2)).await, "ResourceNotActive");
    meter.world().register_publisher("", "", [CALLBACK]);
    assert!(meter.world().reinstate(meter.id()));
    assert_eq!(meter.judge(meter.event(hour * 2)).await, "Accepted");
    meter.world().cancel(meter.id());
    meter.world().advance(hour * 2).unwrap();
    // It is twelve; the end was at ten.
    for (age, expected) in [
        (hour, "ResourceNotActive"),
        (hour * 2, "ResourceNotActive"),
        (hour * 2 + Duration::SECOND, "Accepted"),
        (hour * 24, "Accepted"),
        (hour * 25, "Expired"),
    ] {
        assert_eq!(meter.judge(meter.event(age)).await, expected, "{age}");
    }
    let pending = Meter::of(konnekt()).await;
    assert_eq!(pending.judge(pending.event(hour)).await, "ResourceNotActive");
    pending.world().cancel(pending.id());
    assert_eq!(pending.judge(pending.event(hour)).await, "ResourceNotActive", "it never was");
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_goes_to_the_old_plan_and_to_the_new_one() {
    let meter = Meter::set_up().await;
    meter.world().register_publisher("", "", [CALLBACK]);
    meter.world().customer_change(meter.id(), Some("konnekt-yearly-2"), None).unwrap();
    assert_eq!(meter.judge(meter.with("planId", json!("konnekt-yearly-2"))).await, "InvalidDimension", "not yet");
    meter.world().advance(Duration::minutes(1)).unwrap();
    assert_eq!(meter.judge(meter.event(Duration::hours(2))).await, "Accepted");
    assert_eq!(meter.judge(meter.with("planId", json!("konnekt-yearly-2"))).await, "Accepted");
    assert_eq!(meter.judge(meter.event(Duration::HOUR)).await, "Duplicate", "the plan is not part of the slot");
    assert_eq!(meter.judge(meter.with("planId", json!("scepman-ee-monthly"))).await, "BadArgument", "of another offer");
}
