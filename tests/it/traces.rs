//! From a page or a webhook through jobs to Microsoft's ids, and back from each of them.

use seatkey::{
    app::{TraceLine, follow_trace},
    cli::browser::Browser,
    simulator::{Fault, FaultAction},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    on_both_databases,
    support::{
        Stage,
        people::ALEX,
        staff::{SURI, signed_in},
        years::{enrolled, follow, report_after},
    },
};

on_both_databases! {
    an_order_is_followed_to_microsoft_and_back;
    a_webhook_is_followed_by_its_operation;
    a_request_keeps_the_id_that_it_brings;
}

async fn lines(stage: &Stage, id: &str) -> Vec<TraceLine> {
    let lines = follow_trace(&stage.app.store, id).await.unwrap();
    assert!(lines.is_sorted_by_key(|line| line.at), "{lines:#?}");
    lines
}

fn has(lines: &[TraceLine], kind: &str, name: &str) -> bool {
    lines.iter().any(|line| line.kind == kind && line.name == name)
}

async fn an_order_is_followed_to_microsoft_and_back(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    let calls = stage.app.store.list_calls(id, 10).await.unwrap();
    let activate = calls.iter().find(|call| call.operation == "activate").unwrap();
    let (request_id, correlation_id) = activate.ids.clone().unwrap();
    let found = lines(&stage, &request_id).await;
    let submit = "POST /subscriptions/{id}/enrol/submit";
    assert!(has(&found, "request", submit), "{found:#?}");
    for (kind, name) in [
        ("audit", "order_submitted"),
        ("job", "activate_subscription"),
        ("call", "activate"),
        ("call", "get_subscription"),
        ("charge", "enrolment konnekt-25-base"),
        ("mail", "queued"),
        ("job", "send_mail"),
    ] {
        assert!(has(&found, kind, name), "{kind} {name} is not in {found:#?}");
    }
    let page = found.iter().find(|line| line.name == submit).unwrap().trace_id.unwrap();
    assert!(found.iter().all(|line| line.trace_id == Some(page)), "it is one trace: {found:#?}");
    assert_eq!(correlation_id, page.to_string(), "Microsoft answers with our id");
    let sent = stage.world().requests().into_iter().filter(|one| one.path.ends_with("/activate"));
    for request in sent {
        let given = request.headers.iter().find(|(name, _)| name == "x-ms-correlationid");
        assert_eq!(given.map(|(_, value)| value.as_str()), Some(correlation_id.as_str()));
    }
    assert_eq!(lines(&stage, &page.simple().to_string()).await, found, "found by the page's id, too");
    report_after(&stage, 35).await;
    let later = lines(&stage, &page.to_string()).await;
    let words = later.iter().find(|line| line.kind == "usage").and_then(|line| line.outcome.clone()).unwrap();
    let (_, batch) = words.split_once("request ").unwrap();
    let batch = lines(&stage, batch).await;
    assert!(has(&batch, "call", "report_usage_batch") && has(&batch, "batch", "charges"), "{batch:#?}");
    assert!(batch.iter().any(|line| line.kind == "usage"), "from Microsoft's request to the charges: {batch:#?}");
    told(&stage, &page.to_string(), later.len()).await;
    stage.finish().await;
}

/// Command and console say the same, and neither a person nor a secret.
async fn told(stage: &Stage, id: &str, count: usize) {
    let text = stage.run(&["trace", id]);
    assert_eq!(text.lines().count(), count, "{text}");
    let json = stage.run(&["trace", id, "--json"]);
    let parsed: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(parsed.len(), count);
    assert!(parsed.iter().any(|line| line["step"] == "call" && line["name"] == "activate"), "{json}");
    let (code, _, complaint) = stage.ask(&["trace", &Uuid::nil().to_string()]);
    assert_eq!(code, Some(1), "{complaint}");
    let mut suri = signed_in(stage, SURI).await;
    let page = suri.open(stage.url(&format!("console/trace?id={id}"))).await.unwrap();
    assert_eq!(page.status, 200);
    assert!(
        page.text.contains("activate_subscription") && page.text.contains(&format!("{count} steps")),
        "{}",
        page.text
    );
    let none = suri.open(stage.url("console/trace?id=%3Cscript%3E")).await.unwrap();
    assert!(
        none.status == 200 && none.text.contains("nothing is known") && !none.text.contains("<script>&"),
        "{}",
        none.text
    );
    for secret in ["eyJ", "@contoso", "Weber", "client_secret", "Bearer"] {
        assert!(!text.contains(secret) && !json.contains(secret), "{secret} is in {text}");
    }
}

async fn a_webhook_is_followed_by_its_operation(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    assert!(stage.world().suspend(id));
    follow(&stage).await;
    let webhook = stage.app.store.list_webhooks(id, 10).await.unwrap().into_iter().find(|one| one.action == "Suspend");
    let found = lines(&stage, &webhook.unwrap().operation_id).await;
    assert!(has(&found, "request", "POST /webhook") && has(&found, "webhook", "Suspend"), "{found:#?}");
    assert!(has(&found, "job", "handle_webhook") && has(&found, "call", "get_subscription"), "{found:#?}");
    assert!(found.iter().any(|line| line.kind == "audit" && line.subject == Some(id)), "{found:#?}");
    // What is not done waits in it, and what failed says why.
    let broken = FaultAction { status: Some(500), ..FaultAction::default() };
    stage.world().add_fault(Fault { count: 1_000, ..Fault::next("/api/saas/subscriptions/*", broken) });
    assert!(stage.world().reinstate(id));
    while stage.world().deliver_due().await > 0 {}
    let runner = seatkey::jobs::Runner::new(std::sync::Arc::clone(&stage.app));
    runner.run_due().await.unwrap();
    let webhooks = stage.app.store.list_webhooks(id, 10).await.unwrap();
    let operation = &webhooks.iter().find(|one| one.action == "Reinstate").unwrap().operation_id;
    let found = lines(&stage, operation).await;
    let failed = found.iter().find(|line| line.kind == "job" && line.name == "handle_webhook").unwrap();
    assert!(failed.outcome.as_deref().unwrap().contains(": "), "{failed:?}");
    assert!(
        found.iter().any(|line| matches!(line.kind, "waiting" | "dead") && line.name == "handle_webhook"),
        "{found:#?}"
    );
    stage.strike().await;
}

async fn a_request_keeps_the_id_that_it_brings(stage: Stage) {
    let http = seatkey::http::client().unwrap();
    let ask = async |name: &str, value: &str| {
        let answer = http.get(stage.url("landing")).header(name, value).send().await.unwrap();
        let id = answer.headers().get_all("x-request-id").iter().map(|id| id.to_str().unwrap().to_owned());
        let ids: Vec<String> = id.collect();
        let [only] = &ids[..] else { panic!("{ids:?}") };
        only.clone()
    };
    let given = Uuid::new_v4();
    assert_eq!(ask("x-request-id", &given.to_string()).await, given.to_string());
    let parent = format!("00-{}-b7ad6b7169203331-01", given.simple());
    assert_eq!(ask("traceparent", &parent).await, given.to_string());
    assert_ne!(ask("x-request-id", "../../etc/passwd").await, "../../etc/passwd");
    assert_ne!(ask("accept", "*/*").await, ask("accept", "*/*").await);
    // Of what only the publisher can mend, the page says the id.
    let id = stage.buy();
    let broken = FaultAction { status: Some(500), ..FaultAction::default() };
    stage.world().add_fault(Fault { count: 1_000, ..Fault::next("/api/saas/subscriptions/resolve", broken) });
    let page = stage.configure(&mut Browser::of(ALEX).unwrap(), id).await;
    assert_eq!(page.status, 503, "{}", page.text);
    let reference = page.text.split("Reference: <code>").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
    assert!(Uuid::parse_str(reference).is_ok(), "{reference}");
    stage.strike().await;
}
