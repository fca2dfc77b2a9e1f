use std::collections::BTreeSet;

use serde_json::Value;
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

use super::{pace::MOST_PER_MINUTE, *};
use crate::{
    pages::api_document::DOCUMENT,
    web::policy::{self, Access},
};

const NOW: OffsetDateTime = datetime!(2026-01-15 10:12:20 UTC);

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

#[test]
fn the_document_has_every_route_with_its_scope_and_no_other() {
    let needs = |route: &ApiRoute| match policy::find(route.method.as_str(), route.path) {
        Some(Access::Program(scope)) => scope.as_str(),
        Some(Access::Anybody | Access::KeyHolder) => "-",
        other => panic!("{} is for {other:?}", route.path),
    };
    let line = |method: &str, path: &str, scope: &str| format!("{method} {path} {scope}");
    let routes: BTreeSet<String> =
        ROUTES.iter().map(|route| line(route.method.as_str(), route.path, needs(route))).collect();
    let document = document();
    let mut told = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let scope = operation["security"].pointer("/0/apiKey/0").and_then(Value::as_str).unwrap_or("-");
            told.insert(line(&method.to_uppercase(), path, scope));
        }
    }
    assert_eq!(told, routes);
    assert_eq!(routes.len(), ROUTES.len(), "a route stands there twice");
}

#[test]
fn every_kind_of_problem_is_described_where_its_type_points() {
    let document = document();
    let described: BTreeSet<&str> =
        document["components"]["responses"].as_object().unwrap().keys().map(String::as_str).collect();
    let kinds: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.facts().1).collect();
    assert_eq!(described, kinds);
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (status, answer) in
            operations.as_object().unwrap().values().flat_map(|one| one["responses"].as_object().unwrap())
        {
            let Some(name) = answer["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) else {
                continue;
            };
            let kind = Kind::ALL.into_iter().find(|kind| kind.facts().1 == name);
            assert_eq!(kind.map(|kind| kind.facts().0.as_str().to_owned()).as_ref(), Some(status), "{path}: {name}");
        }
    }
}

#[test]
fn a_key_waits_for_the_next_minute_and_others_do_not() {
    let (pace, key) = (KeyPace::default(), Uuid::from_u128(1));
    for _ in 0..MOST_PER_MINUTE {
        assert_eq!(pace.count(key, NOW), Ok(()));
    }
    assert_eq!(pace.count(key, NOW), Err(40));
    assert_eq!(pace.count(Uuid::from_u128(2), NOW), Ok(()));
    assert_eq!(pace.count(key, NOW + Duration::seconds(40)), Ok(()));
}
