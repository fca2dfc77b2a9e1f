//! Which key opens which route: a table written by hand. And the life of a key, from the command line to its end.

use seatkey::domain::staff::Scope::{self, QuotesRead, SubscriptionsRead, TrialsRead, TrialsWrite};
use serde_json::json;
use time::Duration;

use super::client::{Answer, Program, anna, make_key};
use crate::{
    on_both_databases,
    support::{Database, Stage},
};

on_both_databases! {
    every_route_opens_to_its_scope_alone;
    what_is_wrong_with_a_key_is_told_to_nobody;
    a_key_is_made_listed_used_and_revoked_at_the_command_line;
}

/// A method, a path, and what each scope is answered there.
type Row = (&'static str, &'static str, [(Scope, u16); 4]);

/// Every route that needs a key. The id is that of nothing.
const TABLE: [Row; 6] = [
    (
        "GET",
        "api/v1/subscriptions",
        [(SubscriptionsRead, 200), (QuotesRead, 403), (TrialsRead, 403), (TrialsWrite, 403)],
    ),
    (
        "GET",
        "api/v1/subscriptions/8f2d61c4-5b7e-4f0a-9c33-1d7e60b2a915",
        [(SubscriptionsRead, 404), (QuotesRead, 403), (TrialsRead, 403), (TrialsWrite, 403)],
    ),
    (
        "GET",
        "api/v1/subscriptions/8f2d61c4-5b7e-4f0a-9c33-1d7e60b2a915/charges",
        [(SubscriptionsRead, 404), (QuotesRead, 403), (TrialsRead, 403), (TrialsWrite, 403)],
    ),
    ("GET", "api/v1/trials", [(SubscriptionsRead, 403), (QuotesRead, 403), (TrialsRead, 200), (TrialsWrite, 403)]),
    // What is sent there is a quote's body.
    ("POST", "api/v1/trials", [(SubscriptionsRead, 403), (QuotesRead, 403), (TrialsRead, 403), (TrialsWrite, 400)]),
    ("POST", "api/v1/quotes", [(SubscriptionsRead, 403), (QuotesRead, 200), (TrialsRead, 403), (TrialsWrite, 403)]),
];

async fn ask(program: &Program<'_>, method: &str, path: &str) -> Answer {
    match method {
        "GET" => program.get(path).await,
        _ => program.post(path, &json!({ "planId": "konnekt-yearly", "users": 150 })).await,
    }
}

async fn every_route_opens_to_its_scope_alone(stage: Stage) {
    for scope in Scope::ALL {
        let program = Program::with(&stage, &[scope]).await;
        for (method, path, expected) in TABLE {
            let answer = ask(&program, method, path).await;
            let expected = expected.into_iter().find(|(of, _)| *of == scope).unwrap().1;
            assert_eq!(answer.status, expected, "{method} {path} with {}: {}", scope.as_str(), answer.body);
            if expected == 403 {
                assert!(answer.problem().2.contains("does not have the scope "), "{}", answer.body);
            }
        }
    }
    let program = Program::with(&stage, &Scope::ALL).await;
    for (method, path, _) in TABLE {
        assert!(
            [200, 400, 404].contains(&ask(&program, method, path).await.status),
            "{method} {path} with every scope"
        );
    }
    stage.finish().await;
}

async fn what_is_wrong_with_a_key_is_told_to_nobody(stage: Stage) {
    let (_, expired) = make_key(&stage, &Scope::ALL, 1).await;
    let (revoked_id, revoked) = make_key(&stage, &Scope::ALL, 365).await;
    let (_, good) = make_key(&stage, &Scope::ALL, 365).await;
    seatkey::app::revoke_api_key(&stage.app, &anna(), revoked_id).await.unwrap();
    stage.advance(Duration::DAY);
    let unknown = format!("sk_{}", "A".repeat(43));
    let cut = &good[..good.len() - 1];
    let bad = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some(good.clone()),
        Some(format!("Basic {good}")),
        Some(format!("Bearer {cut}")),
        Some(format!("Bearer {good}A")),
        Some(format!("Bearer {}", good.to_uppercase())),
        Some(format!("Bearer {good} {good}")),
        Some(format!("Bearer {unknown}")),
        Some(format!("Bearer {expired}")),
        Some(format!("Bearer {revoked}")),
    ];
    let mut sentences = std::collections::BTreeSet::new();
    for authorization in bad {
        let program = Program::sending(&stage, authorization.clone());
        for (method, path, _) in TABLE {
            let answer = ask(&program, method, path).await;
            assert_eq!((answer.status, answer.problem().1), (401, "unauthorized"), "{authorization:?} {}", answer.body);
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"seatkey\"");
            sentences.insert(answer.problem().2.to_owned());
        }
    }
    assert_eq!(sentences.len(), 1, "the answers differ: {sentences:?}");
    for scheme in ["Bearer", "bearer"] {
        let program = Program::sending(&stage, Some(format!("{scheme} {good}")));
        assert_eq!(program.get("api/v1/subscriptions").await.status, 200);
    }
    let twice = Program::sending(&stage, Some(format!("Bearer {good}")));
    let request = seatkey::http::client().unwrap().get(stage.url("api/v1/subscriptions"));
    let answer = twice.ask("GET", "api/v1/subscriptions", request.header("Authorization", "Bearer x")).await;
    assert_eq!(answer.status, 401, "which of two headers counts is nobody's guess");
    stage.finish().await;
}

async fn a_key_is_made_listed_used_and_revoked_at_the_command_line(stage: Stage) {
    let by = ["--by", "anna"];
    let create = ["api-key", "create", "--name", "CRM", "--scope", "subscriptions:read", "--expires-in", "30"];
    let told = stage.run(&[&create[..], &by].concat());
    let (key, rest) = told.split_once('\n').unwrap();
    assert!(key.len() == 46 && key.starts_with("sk_"), "{told}");
    assert!(rest.contains("until 14 February 2026") && rest.contains("shown only now"), "{told}");
    let id = rest.split([' ', ',']).nth(1).unwrap().to_owned();
    let listed = stage.run(&["api-key", "list"]);
    assert!(listed.contains(&id) && listed.contains("CRM  (subscriptions:read)  until"), "{listed}");
    assert!(listed.contains("never used, made by operator:anna") && !listed.contains(key), "{listed}");
    let program = Program::sending(&stage, Some(format!("Bearer {key}")));
    let used = async || stage.app.store.list_api_keys().await.unwrap()[0].last_used_at.unwrap();
    assert_eq!(program.get("api/v1/subscriptions").await.status, 200);
    let first = used().await;
    stage.advance(Duration::seconds(59));
    program.get("api/v1/subscriptions").await;
    assert_eq!(used().await, first, "it is written at most once a minute");
    stage.advance(Duration::seconds(1));
    program.get("api/v1/subscriptions").await;
    assert_eq!(used().await - first, Duration::MINUTE);
    let revoked = stage.run(&["api-key", "revoke", &id, "--by", "ben"]);
    assert!(revoked.contains("is revoked"), "{revoked}");
    assert_eq!(program.get("api/v1/subscriptions").await.status, 401);
    assert!(stage.run(&["api-key", "list"]).contains("revoked on"));
    let (entries, flaws) = stage.app.store.verify_house().await.unwrap();
    assert_eq!((entries, flaws.len()), (2, 0), "both are in the audit log");
    for refused in [
        &["api-key", "revoke", &id, "--by", "ben"][..],
        &["api-key", "create", "--name", "CRM", "--scope", "quotes:read", "--expires-in", "366", "--by", "ben"],
        &["api-key", "create", "--name", " ", "--scope", "quotes:read", "--expires-in", "30", "--by", "ben"],
    ] {
        assert_eq!(stage.ask(refused).0, Some(1), "{refused:?}");
    }
    for wrong in [
        &["api-key", "create", "--name", "CRM", "--scope", "quotes:write", "--expires-in", "30", "--by", "ben"][..],
        &["api-key", "create", "--name", "CRM", "--scope", "quotes:read", "--expires-in", "30", "--by", " "],
        &["api-key", "create", "--name", "CRM", "--expires-in", "30", "--by", "ben"],
    ] {
        assert_eq!(stage.ask(wrong).0, Some(2), "{wrong:?}");
    }
    assert_eq!(stage.app.store.list_api_keys().await.unwrap().len(), 1);
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_asks_too_often_waits_and_others_do_not() {
    let stage = Stage::set(Database::Sqlite).await;
    let (busy, calm) = (Program::with(&stage, &[QuotesRead]).await, Program::with(&stage, &[SubscriptionsRead]).await);
    // Also what is refused counts, and costs the least.
    for _ in 0..600 {
        assert_eq!(busy.get("api/v1/subscriptions").await.status, 403);
    }
    let answer = busy.get("api/v1/subscriptions").await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "60"), "{}", answer.body);
    assert!(answer.problem().2.contains("60 seconds"));
    assert_eq!(calm.get("api/v1/subscriptions").await.status, 200);
    stage.advance(Duration::MINUTE);
    assert_eq!(busy.get("api/v1/subscriptions").await.status, 403);
    stage.finish().await;
}
