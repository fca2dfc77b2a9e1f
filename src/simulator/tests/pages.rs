use serde_json::json;

use super::*;

async fn page(stage: &Stage, path: &str) -> (u16, String) {
    let answer = stage.http.get(stage.url(path)).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_buys_and_configures_in_the_portal() {
    let stage = Stage::set().await;
    for (path, text) in [
        ("/", "Advance 30 days"),
        ("/portal", "Nordwind Distribution"),
        (&format!("/portal/users/{ALEX}"), "KONNEKT yearly (P1Y)"),
        ("/portal/users/c306d4e5-9f82-4173-acb4-5d3e7f901b21", "On behalf of"),
        ("/mailbox", "Nothing has been mailed."),
        ("/control/help", "/control/purchase"),
        ("/simulator.css", "color-scheme:light dark"),
    ] {
        let (status, body) = page(&stage, path).await;
        assert!(status == 200 && body.contains(text), "{path}: {body}");
    }
    let form = [("offer", "konnekt"), ("plan", "konnekt-yearly"), ("name", "<b>Ours</b>"), ("quantity", "")];
    let url = stage.url(&format!("/portal/users/{ALEX}/subscribe"));
    let bought = stage.http.post(url).form(&form).send().await.unwrap();
    assert_eq!(bought.status(), 303);
    let path = bought.headers()["location"].to_str().unwrap().to_owned();
    let (_, body) = page(&stage, &path).await;
    assert!(body.contains("Configure account now") && !body.contains("<b>Ours"), "{body}");
    let configure = stage.http.get(stage.url(&format!("{path}/configure"))).send().await.unwrap();
    let landing = Url::parse(configure.headers()["location"].to_str().unwrap()).unwrap();
    assert!(landing.as_str().starts_with("http://127.0.0.1:1/landing?token="));
    let token = landing.query_pairs().next().unwrap().1.into_owned();
    let resolve = stage.http.post(stage.api("/resolve")).header("x-ms-marketplace-token", token);
    assert_eq!(stage.call(resolve).await.0, 200);
    assert_eq!(page(&stage, "/portal/subscriptions/nonsense").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_steer_the_world() {
    let stage = Stage::set().await;
    let purchase = json!({"offerId": "konnekt", "planId": "konnekt-yearly", "name": "By script", "beneficiary": ALEX});
    let bought = stage.control("purchase", purchase).await;
    let id = bought["subscriptionId"].as_str().unwrap();
    let token = stage.control(&format!("subscriptions/{id}/token"), json!({})).await;
    let landing = Url::parse(token["landingUrl"].as_str().unwrap()).unwrap();
    assert_eq!(landing.query_pairs().next().unwrap().1, token["token"].as_str().unwrap());
    let clock = stage.control("clock", json!({"advanceSeconds": 3_600})).await;
    assert_eq!(clock, json!({"now": "2026-01-15T11:00:00.0000000Z"}));
    assert!(stage.control("clock", json!({"advanceSeconds": -1})).await["error"].is_string());
    assert!(stage.control("purchase", json!({"offerId": "x"})).await["error"].is_string());
    let price = json!({"offerId": "konnekt", "planId": "konnekt-yearly", "market": "DE", "dimension": "konnekt-25-base", "price": "601.5"});
    assert_eq!(stage.control("prices", price).await, json!({"done": true}));
    let (_, seed) = page(&stage, "/control/seed").await;
    assert!(seed.contains(r#""konnekt-25-base":"601.5""#));
    assert!(stage.control(&format!("subscriptions/{id}/suspend"), json!({})).await["error"].is_string());
    assert_eq!(
        stage.control(&format!("subscriptions/{id}/cancel"), json!({})).await["saasSubscriptionStatus"],
        "Unsubscribed"
    );
    let (_, shown) = page(&stage, &format!("/control/subscriptions/{id}")).await;
    assert!(shown.contains(r#""activations":0"#), "{shown}");
}
