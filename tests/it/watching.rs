//! What watches Seatkey: every metric and every label that an alert or a dashboard names is in a real answer of `/metrics`,
//! every alert has its runbook, its unit tests, and a sentence.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use sea_orm::ConnectionTrait as _;
use seatkey::{
    app::{self, Trouble},
    cli::browser::Browser,
    clock::Clock as _,
    jobs::Runner,
    simulator::{Fault, FaultAction},
    store::{Finding, Reader as _},
};
use serde_json::Value;

use crate::{
    alarms::Management,
    on_both_databases,
    support::{
        Stage,
        people::ALEX,
        years::{enrolled, follow, report_after, upgrade},
    },
};

on_both_databases! {
    alerts_and_dashboards_ask_for_what_there_is;
    a_database_that_is_gone_is_an_alarm;
    readiness_is_what_another_process_may_have;
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

/// The files of a folder, by name.
fn files(name: &str) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path());
    let read =
        |path: PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap());
    entries.map(read).collect()
}

/// Each rule, from its name to the next one.
fn rules() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for text in files("prometheus/rules").into_values() {
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        let code = code.join("\n");
        for rule in code.split("- alert: ").skip(1) {
            let rule = rule.split("- record: ").next().unwrap();
            found.push((rule.lines().next().unwrap().to_owned(), rule.to_owned()));
        }
        for rule in code.split("- record: ").skip(1) {
            let rule = rule.split("- alert: ").next().unwrap().split("- name: ").next().unwrap();
            found.push((rule.lines().next().unwrap().to_owned(), rule.to_owned()));
        }
    }
    found
}

fn alerts() -> BTreeSet<String> {
    rules().into_iter().map(|(name, _)| name).filter(|name| name.starts_with("Seatkey")).collect()
}

/// Every query of every dashboard, with the labels of its legend.
fn queries() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (file, text) in files("grafana") {
        let board: Value = serde_json::from_str(&text).unwrap();
        assert!(board["uid"].is_string() && board["schemaVersion"].as_u64().unwrap() >= 36, "{file}");
        for panel in board["panels"].as_array().unwrap() {
            let title = panel["title"].as_str().unwrap();
            assert!(!title.is_empty() && panel["fieldConfig"]["defaults"]["unit"].is_string(), "{file}: {title}");
            for target in panel["targets"].as_array().unwrap() {
                let query =
                    format!("{} {}", target["expr"].as_str().unwrap(), target["legendFormat"].as_str().unwrap());
                found.push((format!("{file}: {title}"), query));
            }
        }
    }
    found
}

/// What an answer has: each name of a sample with its labels and their values.
#[derive(Default)]
struct Answered(BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl Answered {
    fn read(text: &str) -> Self {
        let mut answered = Self::default();
        for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let (name, kind) = line.split_once(' ').unwrap();
            let endings: &[&str] = match kind {
                "counter" => &["_total"],
                "histogram" => &["_bucket", "_count", "_sum"],
                _ => &[""],
            };
            for ending in endings {
                answered.0.entry(format!("{name}{ending}")).or_default();
            }
        }
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((name, labels)) = line.split_once('{') else { continue };
            let known = answered.0.get_mut(name).unwrap();
            for label in labels.split("\",") {
                let Some((label, value)) = label.split_once("=\"") else { continue };
                let value = value.split('"').next().unwrap();
                known.entry(label.to_owned()).or_default().insert(value.to_owned());
            }
        }
        answered
    }

    /// What is wrong with a query.
    fn complaints(&self, query: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut labels = BTreeSet::from(["instance"]);
        let parts = query.split("seatkey_").skip(1);
        for part in parts {
            let length = part.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(part.len());
            let name = format!("seatkey_{}", &part[..length]);
            let Some(known) = self.0.get(&name) else {
                wrong.push(format!("there is no {name}"));
                continue;
            };
            labels.extend(known.keys().map(String::as_str));
            let matchers = part[length..].strip_prefix('{').and_then(|rest| rest.split('}').next()).unwrap_or_default();
            for matcher in matchers.split("\",").filter(|matcher| !matcher.is_empty()) {
                let (label, value) = matcher.split_once('"').unwrap();
                let label = label.trim_end_matches(['=', '!', '~']);
                match known.get(label) {
                    None => wrong.push(format!("{name} has no {label}")),
                    Some(values) if label == "le" && !values.contains(value.trim_matches('"')) => {
                        wrong.push(format!("{name} has no bucket {value}"));
                    }
                    Some(_) => {}
                }
            }
        }
        let groups = query.split("by (").skip(1).chain(query.split("ignoring (").skip(1)).map(|rest| (rest, ')'));
        for (rest, end) in groups.chain(query.split("{{").skip(1).map(|rest| (rest, '}'))) {
            let named =
                rest.split(end).next().unwrap().split(',').map(|label| label.trim().trim_start_matches("$labels."));
            let unknown = named.filter(|label| !labels.contains(label) && !label.starts_with("$value"));
            wrong.extend(unknown.map(|label| format!("there is no label {label}")));
        }
        wrong
    }
}

/// Everything that can be told has happened at least once.
async fn eventful(stage: &mut Stage) -> String {
    let expires = "[sign_in]\nclient_secret_expires = \"2026-12-31\"";
    stage.change_configuration("[sign_in]", expires);
    stage.restart().await;
    let stage = &*stage;
    let metrics = Management::start(stage);
    let id = enrolled(stage, "150").await;
    report_after(stage, 35).await;
    assert!(stage.world().suspend(id) && stage.world().reinstate(id));
    follow(stage).await;
    let broken = FaultAction { status: Some(500), ..FaultAction::default() };
    stage.world().add_fault(Fault { count: 1_000, ..Fault::next("/api/batchUsageEvent", broken) });
    upgrade(stage, id, 300).await;
    report_after(stage, 0).await;
    // Somebody buys in this month, too.
    let another = stage.buy();
    stage.configure(&mut Browser::of(ALEX).unwrap(), another).await;
    app::schedule_roll_up(&stage.app).await.unwrap();
    app::schedule_digest(&stage.app).await.unwrap();
    Runner::new(Arc::clone(&stage.app)).run_due().await.unwrap();
    let (kind, cause, detail) = ("usage_missing".to_owned(), "a test".to_owned(), "a test".to_owned());
    let finding = Finding { subscription_id: id, kind, cause, detail, found_at: stage.clock.now() };
    let tx = stage.app.store.begin().await.unwrap();
    tx.record_finding(&finding).await.unwrap();
    tx.commit().await.unwrap();
    metrics.text().await;
    metrics.text().await
}

async fn alerts_and_dashboards_ask_for_what_there_is(mut stage: Stage) {
    let text = eventful(&mut stage).await;
    let answered = Answered::read(&text);
    let recorded: BTreeSet<String> = rules().into_iter().map(|(name, _)| name).collect();
    let mut wrong = Vec::new();
    for (place, query) in rules().into_iter().chain(queries()) {
        wrong.extend(answered.complaints(&query).into_iter().map(|what| format!("{place}: {what}")));
        for part in query.split("seatkey:").skip(1) {
            let length = part.find(|c: char| !(c.is_ascii_alphanumeric() || "_:".contains(c))).unwrap_or(part.len());
            let name = format!("seatkey:{}", &part[..length]);
            if !recorded.contains(&name) {
                wrong.push(format!("{place}: nobody records {name}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "{text}");
    // Nothing that somebody from outside has written stands in a label.
    for secret in ["eyJ", "@", "Contoso", "/subscriptions/0", "token="] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    for line in text.lines().filter(|line| line.contains("route=\"/subscriptions/")) {
        assert!(line.contains("{id}"), "{line}");
    }
    stage.strike().await;
}

#[test]
fn the_reader_of_queries_sees_what_is_wrong() {
    let answered =
        Answered::read("# TYPE seatkey_x counter\nseatkey_x_total{a=\"1\",b=\"2\"} 3\n# TYPE seatkey_y gauge\n");
    assert_eq!(answered.complaints("sum by (a) (rate(seatkey_x_total{b=~\"2|3\",a!=\"7\"}[5m])) {{a}}"), [""; 0]);
    assert_eq!(answered.complaints("seatkey_z > 1"), ["there is no seatkey_z"]);
    assert_eq!(answered.complaints("seatkey_y{a=\"1\"}"), ["seatkey_y has no a"]);
    assert_eq!(answered.complaints("max by (c) (seatkey_y) {{d}}"), ["there is no label c", "there is no label d"]);
}

#[test]
fn every_alert_has_its_runbook_and_its_tests() {
    let alerts = alerts();
    assert!(alerts.len() >= 12, "{alerts:?}");
    let runbooks: BTreeSet<String> = files("runbooks").into_keys().collect();
    let expected: BTreeSet<String> = alerts.iter().map(|alert| format!("{alert}.md")).collect();
    assert_eq!(runbooks, expected);
    for (name, rule) in rules().into_iter().filter(|(name, _)| alerts.contains(name)) {
        assert!(rule.contains(&format!("runbook_url: deploy/runbooks/{name}.md")), "{rule}");
        assert!(rule.contains("severity: critical") || rule.contains("severity: warning"), "{rule}");
        assert!(rule.contains("summary: ") && rule.contains('.'), "{rule}");
    }
    let tests: String = files("prometheus/tests").into_values().collect();
    for alert in &alerts {
        let cases: Vec<&str> =
            tests.split("alert_rule_test:").filter(|case| case.contains(&format!("alertname: {alert}\n"))).collect();
        let calm = cases.iter().filter(|case| case.contains("exp_alerts: []")).count();
        assert!(calm >= 1 && cases.len() > calm, "{alert}: fires and does not fire");
    }
}

#[test]
fn runbooks_lead_somewhere() {
    let runbooks = files("runbooks");
    for (name, text) in &runbooks {
        for part in ["# Seatkey", "**What it means.**", "**What is lost, and by when.**", "## Look", "## Do"] {
            assert!(text.contains(part), "{name} has no {part}");
        }
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            assert!(runbooks.contains_key(link), "{name} leads to {link}");
        }
        for command in text.split("`seatkey ").skip(1).map(|rest| rest.split([' ', '`']).next().unwrap()) {
            let help =
                std::process::Command::new(env!("CARGO_BIN_EXE_seatkey")).args([command, "--help"]).output().unwrap();
            assert!(help.status.success(), "{name} names seatkey {command}");
        }
    }
}

async fn readiness_is_what_another_process_may_have(stage: Stage) {
    let metrics = Management::start(&stage);
    let http = seatkey::http::client().unwrap();
    let ask = async || {
        let answer = http.get(metrics.address("readyz")).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(ask().await, (200, "ready\n".to_owned()));
    stage.app.health.report(Trouble::MarketplaceCredential, "AADSTS7000222");
    let (status, text) = ask().await;
    assert!(status == 200 && text.starts_with("ready\n[entra.credential] is refused"), "{text}");
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_of_a_newer_version', 0)";
    stage.app.store.connection().execute_unprepared(newer).await.unwrap();
    assert_eq!(ask().await.0, 200, "a newer database has all that is needed");
    let older = "DELETE FROM seaql_migrations WHERE version >= 'm0009_correlation'";
    stage.app.store.connection().execute_unprepared(older).await.unwrap();
    let (status, text) = ask().await;
    assert!(status == 503 && text.starts_with("migrations: m0009_correlation is missing; seatkey migrate\n"), "{text}");
    stage.app.store.clone().close().await;
    let (status, text) = ask().await;
    assert!(status == 503 && text.starts_with("database: "), "{text}");
    stage.strike().await;
}

async fn a_database_that_is_gone_is_an_alarm(stage: Stage) {
    let metrics = Management::start(&stage);
    assert_eq!(metrics.value("seatkey_database_up").await, Some(1));
    assert_eq!(metrics.value("seatkey_oldest_ready_job_age_seconds").await, Some(0));
    stage.app.store.clone().close().await;
    assert_eq!(metrics.value("seatkey_database_up").await, Some(0));
    assert_eq!(metrics.value("seatkey_oldest_ready_job_age_seconds").await, None, "nothing is told that is not known");
    stage.strike().await;
}
