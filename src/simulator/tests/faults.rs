use serde_json::json;

use super::*;

fn fault(path: &str, action: &Value) -> Fault {
    serde_json::from_value(json!({"path": path, "action": action})).unwrap()
}

async fn activation_under(action: Value) -> (Stage, Uuid, bool) {
    let stage = Stage::set().await;
    let id = stage.buy();
    let bearer = stage.bearer().await;
    assert!(stage.world().add_fault(fault("/api/saas/subscriptions/*/activate", &action)));
    let request = stage.http.post(stage.api(&format!("/{id}/activate"))).bearer_auth(bearer);
    let failed = request.send().await.is_err();
    (stage, id, failed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_request_is_not_acted_on() {
    let (stage, id, failed) = activation_under(json!({"cut": true})).await;
    assert!(failed);
    assert_eq!(stage.world().activations(id), 0);
    let recorded = stage.world().requests().pop().unwrap();
    assert_eq!((recorded.status, recorded.acted), (None, false));
    assert_eq!(stage.activate(id).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_answer_is_lost_is_acted_on_once() {
    let (stage, id, failed) = activation_under(json!({"loseAnswer": true})).await;
    assert!(failed);
    assert_eq!(stage.world().activations(id), 1);
    let recorded = stage.world().requests();
    let activations = recorded.iter().filter(|request| request.path.ends_with("/activate"));
    assert_eq!(activations.map(|request| (request.status, request.acted)).collect::<Vec<_>>(), [(None, true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_gets_the_given_answer() {
    let stage = Stage::set().await;
    let id = stage.buy();
    let body = json!({
        "path": "/api/saas/subscriptions/*/activate", "method": "POST", "nth": 2, "count": 1,
        "action": {"status": 503, "body": "{\"later\":true}", "headers": {"Retry-After": "2"}, "delayMs": 1},
    });
    assert_eq!(stage.control("faults", body).await, json!({"done": true}));
    assert_eq!(stage.activate(id).await, 200);
    let request = stage.http.post(stage.api(&format!("/{id}/activate"))).bearer_auth(stage.bearer().await);
    let answer = request.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"2".parse().unwrap()));
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"later": true}));
    assert_eq!(stage.activate(id).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_recorded_without_credentials() {
    let stage = Stage::set().await;
    stage.get(stage.buy()).await;
    let all: Value = stage.http.get(stage.url("/control/requests")).send().await.unwrap().json().await.unwrap();
    let text = all.to_string();
    assert!(!text.contains("marketplace-secret") && !text.contains("eyJ"), "{text}");
    let api = stage.http.get(stage.url("/control/requests?path=/api")).send().await.unwrap();
    let api = api.json::<Value>().await.unwrap();
    assert_eq!((api.as_array().unwrap().len(), &api[0]["status"]), (1, &json!(200)));
}
