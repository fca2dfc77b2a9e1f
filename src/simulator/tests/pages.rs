use serde_json::json;

use super::{life::Life, *};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriptions_page_shows_and_does_everything() {
    let life = Life::begin().await;
    let path = format!("/portal/subscriptions/{}", life.id);
    let press = async |verb: &str, field: &str, value: &str| {
        let url = life.stage.url(&format!("{path}/{verb}"));
        let answer = life.stage.http.post(url).form(&[(field, value)]).send().await.unwrap();
        (answer.status().as_u16(), page(&life.stage, &path).await.1)
    };
    let (_, shown) = page(&life.stage, &path).await;
    for text in ["Subscribe <span", "received", "<dd>9</dd>", "2026-01-15 to 2026-02-14", "max=\"300\"", "favicon.ico"]
    {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(!shown.contains(r#"<option value="team">"#) && shown.contains(r#"<option value="business">"#), "{shown}");
    let (status, shown) = press("change-seats", "quantity", "20").await;
    assert!(status == 303 && shown.contains("(ChangeQuantity in progress)"), "{shown}");
    assert_eq!(press("change-plan", "plan", "business").await.0, 409, "one at a time");
    life.tell().await;
    assert!(press("clock", "by", "3600").await.1.contains("<dd>20</dd>"));
    assert_eq!(press("change-seats", "quantity", "301").await.0, 409);
    assert_eq!(press("change-seats", "quantity", "many").await.0, 409);
    assert_eq!(press("change-plan", "plan", "business").await.0, 303);
    life.tell().await;
    assert!(press("clock", "by", "86400").await.1.contains("sample-seats, business"));
    assert!(press("suspend", "", "").await.1.contains("<dd>Suspended</dd>"));
    assert_eq!(press("suspend", "", "").await.0, 409);
    assert!(press("reinstate", "", "").await.1.contains("(Reinstate in progress)"));
    life.tell().await;
    assert!(press("recurring", "on", "no").await.1.contains("off: ends with its term"));
    assert!(press("recurring", "on", "yes").await.1.contains("<dd>on</dd>"));
    assert!(press("clock", "by", "term").await.1.contains("2026-02-15 to 2026-03-14"));
    assert_eq!(press("clock", "by", "-1").await.0, 409);
    assert!(press("clock", "by", "2592000").await.1.contains("2026-03-15 to 2026-04-14"));
    life.receiver.answer([503]);
    assert!(press("cancel", "", "").await.1.contains("<dd>Unsubscribed</dd>"));
    life.tell().await;
    let (_, shown) = page(&life.stage, &path).await;
    assert!(shown.contains("Unsubscribe <span") && shown.contains("503") && !shown.contains("Change seats"), "{shown}");
    assert_eq!(press("explode", "", "").await.0, 404);
    let icon = life.stage.http.get(life.stage.url("/favicon.ico")).send().await.unwrap();
    assert_eq!(icon.headers()["content-type"], "image/svg+xml");
    assert_eq!(page(&life.stage, &format!("/portal/subscriptions/{}", Uuid::nil())).await.0, 404);
}
