//! What goes wrong is told as RFC 9457 has it, alike everywhere: by the client of these stories each answer is held against
//! the document, and its `requestId` against the header.

use seatkey::{
    cli::browser::Browser,
    domain::staff::Scope,
    simulator::{Fault, FaultAction},
};
use serde_json::json;

use super::client::Program;
use crate::{
    on_both_databases,
    support::{Stage, people::ALEX},
};

on_both_databases! {
    every_address_below_api_answers_with_a_problem;
    a_request_that_is_not_readable_says_what_is_wrong;
    an_outage_of_microsofts_is_not_the_callers_fault;
    the_document_is_there_to_be_read;
}

async fn every_address_below_api_answers_with_a_problem(stage: Stage) {
    let nobody = Program::sending(&stage, None);
    for path in
        ["api/", "api/v1", "api/v1/nothing", "api/v2/subscriptions", "api/v1/subscriptions/x/y", "api/v1/quotes/"]
    {
        for method in ["GET", "POST", "DELETE"] {
            let answer = nobody.send(method, path).await;
            assert_eq!((answer.status, answer.problem().1), (404, "not-found"), "{method} {path}: {}", answer.body);
            assert_eq!(answer.body["instance"], format!("/{path}"));
            assert_eq!((answer.body["fault"].as_str(), answer.header("cache-control")), (Some("caller"), "no-store"));
        }
    }
    for (path, allowed) in [
        ("api/v1/subscriptions", "GET"),
        ("api/v1/subscriptions/x", "GET"),
        ("api/v1/subscriptions/x/charges", "GET"),
        ("api/v1/quotes", "POST"),
        ("api/v1/license-keys/sync", "POST"),
        ("api/v1/openapi.json", "GET"),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().filter(|method| *method != allowed) {
            let answer = nobody.send(method, path).await;
            assert_eq!((answer.status, answer.header("allow")), (405, allowed), "{method} {path}: {}", answer.body);
            assert_eq!(answer.problem().2, format!("Use {allowed} here."));
        }
    }
    assert_eq!(nobody.send("DELETE", "api/v1/trials").await.header("allow"), "GET, POST");
    stage.finish().await;
}

async fn a_request_that_is_not_readable_says_what_is_wrong(stage: Stage) {
    let program = Program::with(&stage, &Scope::ALL).await;
    for (query, words) in [
        ("status=subscribed", "PendingFulfillmentStart, Subscribed, Suspended, Unsubscribed"),
        ("limit=0", "from 1 to 100"),
        ("limit=101", "from 1 to 100"),
        ("limit=ten", "from 1 to 100"),
        ("cursor=next", "nextCursor"),
        ("state=held", "status, offerId, cursor, limit"),
        ("limit=1&limit=2", "each may be given once"),
        ("offerId=a%00b", "status, offerId, cursor, limit"),
    ] {
        let answer = program.get(&format!("api/v1/subscriptions?{query}")).await;
        let (status, name, detail) = answer.problem();
        assert!((status, name) == (400, "bad-request") && detail.contains(words), "{query}: {detail}");
    }
    let id = "8f2d61c4-5b7e-4f0a-9c33-1d7e60b2a915";
    assert_eq!(program.get(&format!("api/v1/subscriptions/{id}?expand=all")).await.status, 400);
    let good = json!({ "planId": "konnekt-yearly", "users": 150 }).to_string();
    for (body, words) in [
        (String::new(), "EOF"),
        ("users=150".to_owned(), "expected value"),
        ("[]".to_owned(), "invalid length"),
        (good.replace("users", "seats"), "unknown field `seats`"),
        (good.replace("150", "\"150\""), "expected u32"),
        (good.replace("150", "-1"), "expected u32"),
        (good.replace("150", "1.5"), "expected u32"),
        (good.replace("konnekt", "konn\\u0000ekt"), "U+0000"),
        (format!("{good} {good}"), "trailing characters"),
    ] {
        let answer = program.post_text("api/v1/quotes", body.clone()).await;
        let (status, name, detail) = answer.problem();
        assert!((status, name) == (400, "bad-request") && detail.contains(words), "{body}: {detail}");
    }
    let large = json!({ "planId": "x".repeat(70_000), "users": 150 });
    assert_eq!(program.post("api/v1/quotes", &large).await.problem(), (413, "too-large", "A body has at most 64 KiB."));
    let sync = program.post("api/v1/license-keys/sync", &json!({ "licenseKey": "eyJ" })).await;
    assert_eq!((sync.status, sync.problem().1), (422, "refused"));
    assert_eq!(program.post_text("api/v1/license-keys/sync", "{}".to_owned()).await.status, 400);
    stage.finish().await;
}

async fn an_outage_of_microsofts_is_not_the_callers_fault(stage: Stage) {
    let program = Program::with(&stage, &[Scope::QuotesRead]).await;
    let id = stage.buy();
    stage.configure(&mut Browser::of(ALEX).unwrap(), id).await;
    stage.advance(time::Duration::minutes(2));
    let broken = FaultAction { status: Some(500), ..FaultAction::default() };
    stage.world().add_fault(Fault { count: u32::MAX, ..Fault::next("/api/**", broken) });
    let answer = program.post("api/v1/quotes", &json!({ "subscriptionId": id, "users": 150 })).await;
    assert_eq!((answer.status, answer.problem().1), (503, "microsoft-unavailable"), "{}", answer.body);
    assert_eq!((answer.body["fault"].as_str(), answer.header("retry-after")), (Some("microsoft"), "60"));
    let listed = program.post("api/v1/quotes", &json!({ "planId": "konnekt-yearly", "users": 150 })).await;
    assert_eq!(listed.status, 200, "the catalog needs nobody: {}", listed.body);
    stage.world().clear_faults();
    let answer = program.post("api/v1/quotes", &json!({ "subscriptionId": id, "users": 150 })).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    stage.finish().await;
}

async fn the_document_is_there_to_be_read(stage: Stage) {
    let document = Program::sending(&stage, None).get("api/v1/openapi.json").await;
    assert_eq!((document.status, document.body["openapi"].as_str()), (200, Some("3.1.0")));
    let page = Browser::of(ALEX).unwrap().open(stage.url("api/v1/docs")).await.unwrap();
    assert_eq!(page.status, 200);
    let text = page.text.replace("&#x2f;", "/");
    for path in document.body["paths"].as_object().unwrap().keys() {
        assert!(text.contains(&format!("</b> {path}</code>")), "the page does not show {path}");
    }
    for name in ["schemas", "responses"] {
        for part in document.body["components"][name].as_object().unwrap().keys() {
            assert!(text.contains(&format!("id=\"{part}\"")), "the page has no place for {part}");
        }
    }
    let targets = text.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
    for target in targets.filter(|target| *target != "content") {
        assert!(text.contains(&format!("id=\"{target}\"")), "a link leads to {target}, which is nowhere");
    }
    let answer = seatkey::http::client().unwrap().get(stage.url("api/v1/docs")).send().await.unwrap();
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'self' 'nonce-"), "{policy}");
    assert_eq!(text.matches("<script").count(), 1, "our own alone");
    stage.finish().await;
}
