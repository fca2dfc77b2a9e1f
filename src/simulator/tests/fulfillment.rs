use serde_json::json;

use super::*;

/// The names of the fields, in their order.
fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn sorted<const N: usize>(mut names: [&str; N]) -> Vec<&str> {
    names.sort_unstable();
    names.to_vec()
}

async fn resolve(stage: &Stage, token: &str) -> (u16, Value) {
    let request = stage.http.post(stage.api("/resolve")).header("x-ms-marketplace-token", token);
    stage.call(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_resolved_activated_and_read() {
    let stage = Stage::set().await;
    let id = stage.buy();
    let token = stage.world().purchase_token(id);
    assert!(["+", "/", "="].iter().all(|sign| token.contains(sign)), "{token}");
    let (status, resolved) = resolve(&stage, &token).await;
    assert_eq!(status, 200);
    // The recorded resolve of January 2024.
    assert_eq!(sorted(["id", "subscriptionName", "offerId", "planId", "subscription"]), {
        let mut found = names(&resolved);
        found.sort_unstable();
        found
    });
    assert_eq!(resolved["subscription"]["saasSubscriptionStatus"], "PendingFulfillmentStart");
    assert_eq!(resolved["subscription"]["term"], json!({"termUnit": "P1Y"}));
    assert_eq!(stage.activate(id).await, 200);
    assert_eq!(stage.activate(id).await, 200);
    let expected = json!({
        "id": id, "publisherId": "seatkeysoftware", "offerId": "konnekt", "name": "Our KONNEKT",
        "saasSubscriptionStatus": "Subscribed",
        "beneficiary": {
            "emailId": "alex.weber@contoso.example", "objectId": ALEX,
            "tenantId": "3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44", "puid": "10032001A1B2C3D4",
        },
        "purchaser": {
            "emailId": "alex.weber@contoso.example", "objectId": ALEX,
            "tenantId": "3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44", "puid": "10032001A1B2C3D4",
        },
        "planId": "konnekt-yearly",
        "term": {"startDate": "2026-01-15T00:00:00Z", "endDate": "2027-01-14T00:00:00Z", "termUnit": "P1Y"},
        "autoRenew": true, "isTest": false, "isFreeTrial": false,
        "allowedCustomerOperations": ["Delete", "Read", "Update"], "sandboxType": "None",
        "created": "2026-01-15T10:00:00.0000000Z", "lastModified": "0001-01-01T00:00:00", "sessionMode": "None",
    });
    assert_eq!(stage.get(id).await, expected);
    assert_eq!(stage.world().subscription(id), expected);
    assert_eq!(stage.world().activations(id), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn purchase_tokens_are_refused_when_old_unknown_or_wrongly_decoded() {
    let stage = Stage::set().await;
    let token = stage.world().purchase_token(stage.buy());
    assert_eq!(resolve(&stage, &token.replace('+', " ")).await.1["code"], "InvalidValue");
    assert_eq!(resolve(&stage, "unknown").await.0, 400);
    let without = stage.call(stage.http.post(stage.api("/resolve"))).await;
    assert_eq!((without.0, &without.1["code"]), (400, &json!("HeaderNotPresent")));
    stage.world().advance(time::Duration::hours(24) - time::Duration::SECOND).unwrap();
    assert_eq!(resolve(&stage, &token).await.0, 200);
    stage.world().advance(time::Duration::SECOND).unwrap();
    assert_eq!(resolve(&stage, &token).await.1["code"], "InvalidValue");
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_are_checked_first_then_the_version() {
    let stage = Stage::set().await;
    let url = stage.api("");
    assert_eq!(stage.http.get(&url).send().await.unwrap().status(), 401);
    let good = stage.bearer().await;
    let (start, end) = good.split_at(good.len() - 8);
    let other = if end.starts_with('A') { 'B' } else { 'A' };
    let damaged = format!("{start}{other}{}", &end[1..]);
    for wrong in ["nonsense", &damaged] {
        let refused = stage.http.get(&url).bearer_auth(wrong).send().await.unwrap();
        assert_eq!(refused.status(), 403);
        assert!(refused.json::<Value>().await.unwrap().is_string());
    }
    let get = |url: String, bearer: &str| stage.http.get(url).bearer_auth(bearer).send();
    assert_eq!(get(url.clone(), &good).await.unwrap().status(), 200);
    let body: Value = get(stage.url("/api/saas/subscriptions"), &good).await.unwrap().json().await.unwrap();
    assert_eq!(body["Error"]["Code"], "ApiVersionUnspecified");
    let other = get(stage.url("/api/saas/subscriptions?api-version=2017"), &good).await.unwrap();
    assert_eq!(other.json::<Value>().await.unwrap()["Error"]["Code"], "UnsupportedApiVersion");
    stage.world().advance(time::Duration::hours(1)).unwrap();
    assert_eq!(get(url, &good).await.unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_other_applications_are_refused() {
    let stage = Stage::set().await;
    let identity = format!("/metadata/identity/oauth2/token?api-version=2018-02-01&resource={RESOURCE}");
    let request = stage.http.get(stage.url(&identity)).header("metadata", "true");
    let token: Value = request.send().await.unwrap().json().await.unwrap();
    let token = token["access_token"].as_str().unwrap();
    assert_eq!(stage.http.get(stage.api("")).bearer_auth(token).send().await.unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_comes_in_uneven_pages_from_another_host() {
    let stage = Stage::set().await;
    let empty = stage.http.get(stage.api("")).bearer_auth(stage.bearer().await).send().await.unwrap();
    assert_eq!((empty.status().as_u16(), empty.bytes().await.unwrap().len()), (200, 0));
    let bought: Vec<Uuid> = (0..6).map(|_| stage.buy()).collect();
    let (mut found, mut sizes, mut url) = (Vec::new(), Vec::new(), stage.api("/"));
    loop {
        let (status, page) = stage.call(stage.http.get(url)).await;
        assert_eq!(status, 200);
        let rows = page["subscriptions"].as_array().unwrap();
        sizes.push(rows.len());
        found.extend(rows.iter().map(|row| row["id"].as_str().unwrap().parse::<Uuid>().unwrap()));
        let Some(next) = page["@nextLink"].as_str() else { break };
        let next = next.strip_prefix("https://main.prod.marketplaceapi.azure.com").unwrap();
        url = stage.url(next);
    }
    assert_eq!((found, sizes), (bought, vec![3, 0, 2, 1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_have_the_markets_prices_digit_by_digit() {
    let stage = Stage::set().await;
    let mut purchase = konnekt();
    purchase.market = Some("US".to_owned());
    purchase.private_prices.insert("konnekt-25-user".to_owned(), "9.00001".to_owned());
    purchase.private_offer_id = Some("offer-1".to_owned());
    let id = stage.world().purchase(purchase);
    let plans = |filter: &str| {
        let url = format!("{}{filter}", stage.api(&format!("/{id}/listAvailablePlans")));
        async { stage.http.get(url).bearer_auth(stage.bearer().await).send().await.unwrap().text().await.unwrap() }
    };
    let text = plans("").await;
    assert!(text.contains(r#""currency":"USD","pricePerUnit":652.1739,"#), "{text}");
    assert!(text.contains(r#""pricePerUnit":9.00001,"#) && !text.contains("sourceOffers"), "{text}");
    let body: Value = serde_json::from_str(&plans("&planId=konnekt-yearly").await).unwrap();
    let plan = &body["plans"][0];
    assert_eq!(plan["sourceOffers"], json!([{"externalId": "offer-1"}]));
    assert_eq!(plan["planComponents"]["recurrentBillingTerms"][0]["termDescription"], "1 Year Subscription");
    assert_eq!(plan["planComponents"]["meteringDimensions"].as_array().unwrap().len(), 10);
    let mut found = names(plan);
    found.sort_unstable();
    // The recorded plans of March 2021, and the private offer.
    let recorded = sorted([
        "planId",
        "displayName",
        "isPrivate",
        "description",
        "hasFreeTrials",
        "isPricePerSeat",
        "isStopSell",
        "market",
        "planComponents",
        "sourceOffers",
    ]);
    assert_eq!(found, recorded);
    assert_eq!(plans("&planId=other").await, r#"{"plans":[]}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_takes_its_time_and_has_its_states() {
    let stage = Stage::with(|options| options.activation_delay = time::Duration::seconds(45)).await;
    let id = stage.buy();
    assert_eq!((stage.activate(id).await, stage.activate(id).await), (200, 200));
    assert_eq!(stage.get(id).await["saasSubscriptionStatus"], "PendingFulfillmentStart");
    stage.world().advance(time::Duration::seconds(45)).unwrap();
    assert_eq!(stage.get(id).await["saasSubscriptionStatus"], "Subscribed");
    stage.world().refuse_second_activation(true);
    assert_eq!(stage.activate(id).await, 400);
    assert!(stage.world().suspend(id));
    assert_eq!(stage.activate(id).await, 400);
    assert!(stage.world().reinstate(id) && stage.world().cancel(id));
    assert_eq!(stage.activate(id).await, 404);
    assert_eq!(stage.world().activations(id), 1);
    assert_eq!(stage.call(stage.http.get(stage.api(&format!("/{}", Uuid::nil())))).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_publisher_changes_a_plan_and_cancels() {
    let stage = Stage::set().await;
    let mut purchase = konnekt();
    (purchase.offer_id, purchase.plan_id) = ("sample-seats".to_owned(), "team".to_owned());
    (purchase.quantity, purchase.auto_activate) = (Some(9), true);
    let id = stage.world().purchase(purchase);
    let patch = |body: Value| stage.call(stage.http.patch(stage.api(&format!("/{id}"))).json(&body));
    assert_eq!(patch(json!({"planId": "business", "quantity": 7})).await.0, 400);
    assert_eq!(patch(json!({"planId": "team"})).await.0, 400);
    assert_eq!(patch(json!({"quantity": 301})).await.0, 400);
    let request = stage.http.patch(stage.api(&format!("/{id}"))).json(&json!({"planId": "business"}));
    let answer = request.bearer_auth(stage.bearer().await).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    let operation = header("operation-id");
    assert_eq!(header("x-ms-requestid"), operation);
    assert_eq!(header("retry-after"), "10");
    let internal = format!(
        "https://main.prod.marketplaceapi.azure.com/api/saas/subscriptions/{id}/operations/{operation}?api-version=2018-08-31"
    );
    assert_eq!(header("operation-location"), internal);
    assert_eq!(patch(json!({"quantity": 12})).await.0, 400);
    let url = stage.api(&format!("/{id}/operations/{operation}"));
    let first = stage.call(stage.http.get(&url)).await.1;
    assert_eq!((&first["status"], &first["planId"]), (&json!("NotStarted"), &json!("business")));
    assert_eq!(stage.call(stage.http.patch(&url).json(&json!({"status": "Success"}))).await.0, 500);
    assert_eq!(stage.call(stage.http.get(&url)).await.1["status"], "Succeeded");
    assert_eq!(stage.get(id).await["planId"], "business");
    let delete = || stage.call(stage.http.delete(stage.api(&format!("/{id}"))));
    assert_eq!((delete().await.0, delete().await.0), (202, 409));
    stage.get(id).await;
    assert_eq!(stage.get(id).await["saasSubscriptionStatus"], "Unsubscribed");
    assert_eq!(delete().await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customers_change_is_answered_once() {
    let stage = Stage::set().await;
    let mut purchase = konnekt();
    (purchase.offer_id, purchase.plan_id, purchase.auto_activate) = ("sample-seats".into(), "team".into(), true);
    let id = stage.world().purchase(purchase);
    let operation = stage.world().customer_change(id, None, Some(20)).unwrap();
    let open = stage.call(stage.http.get(stage.api(&format!("/{id}/operations")))).await.1;
    assert_eq!(open["operations"][0]["id"], json!(operation));
    assert_eq!(open["operations"][0]["operationRequestSource"], "Azure");
    let url = stage.api(&format!("/{id}/operations/{operation}"));
    let patch = |status: &str| stage.call(stage.http.patch(&url).json(&json!({ "status": status })));
    assert_eq!(patch("Sucess").await.0, 200);
    assert_eq!(stage.get(id).await["quantity"], 1);
    assert_eq!(patch("Success").await.0, 200);
    assert_eq!(patch("Failure").await.0, 409);
    assert_eq!(stage.get(id).await["quantity"], 20);
    assert_eq!(stage.call(stage.http.get(stage.api(&format!("/{id}/operations/{}", Uuid::nil())))).await.0, 400);
    let none = stage.call(stage.http.get(stage.api(&format!("/{}/operations", Uuid::nil())))).await;
    assert_eq!(none, (200, json!({"operations": []})));
}

#[tokio::test(flavor = "multi_thread")]
async fn reseller_purchases_can_only_be_read() {
    let stage = Stage::set().await;
    let mut purchase = konnekt();
    purchase.purchaser = Some(Uuid::from_u128(0xc306_d4e5_9f82_4173_acb4_5d3e_7f90_1b21));
    purchase.auto_activate = true;
    let id = stage.world().purchase(purchase);
    assert_eq!(stage.get(id).await["allowedCustomerOperations"], json!(["Read"]));
    assert_eq!(stage.call(stage.http.delete(stage.api(&format!("/{id}")))).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bearer_token_that_is_wrong_in_one_thing_is_refused() {
    let stage = Stage::set().await;
    let now = stage.world().now().unix_timestamp();
    let good = json!({
        "aud": RESOURCE, "azp": "7c1f8b7a-3a55-4f0e-8d0b-5a0e5c1d2b33", "tid": PUBLISHER, "nbf": now, "exp": now + 1,
    });
    let status = async |name: &str, value: Value| {
        let mut claims = good.as_object().unwrap().clone();
        claims.insert(name.to_owned(), value);
        let token = crate::simulator::entra::jwt::sign(stage.world(), &claims).unwrap();
        stage.http.get(stage.api("")).bearer_auth(token).send().await.unwrap().status().as_u16()
    };
    assert_eq!(status("ver", json!("2.0")).await, 200);
    assert_eq!(status("aud", json!(format!("{RESOURCE}/.default"))).await, 200);
    for (name, value) in [
        ("aud", json!("62d94f6c-d599-489b-a797-3e10e42fbe22")),
        ("azp", json!("2b6a3f7e-91c4-4a5e-b0c3-6d1f0e9a8c44")),
        ("tid", json!("3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44")),
        ("nbf", json!(now + 1)),
        ("exp", json!(now)),
    ] {
        assert_eq!(status(name, value).await, 403, "{name}");
    }
}
