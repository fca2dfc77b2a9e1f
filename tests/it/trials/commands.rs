//! `seatkey trial …`

use std::process::{Command, Output};

use seatkey::{cli::browser::Browser, domain::trial_grant::State};
use serde_json::Value;
use time::macros::date;

use super::{CONTOSO, follow, found, known, mails_of};
use crate::support::{Database, Stage, people::ALEX};

const GRANT: [&str; 6] = ["trial", "grant", "--offer", "konnekt", "--plan", "konnekt-yearly"];
const BY: [&str; 4] = ["--reason", "asked for at the fair", "--by", "Mira Sales"];

fn run(stage: &Stage, before: &[&str], after: &[&str]) -> String {
    stage.run(&[before, after].concat())
}

/// What a command says that says no.
fn refused(stage: &Stage, arguments: &[&str]) -> (i32, String) {
    // The clock of the stage is written down.
    stage.run(&["trial", "list"]);
    let Output { status, stderr, .. } = Command::new(env!("CARGO_BIN_EXE_seatkey"))
        .args(arguments)
        .arg("--config")
        .arg(stage.file("seatkey.toml"))
        .env("SEATKEY_CLOCK_FILE", stage.file("clock"))
        .output()
        .unwrap();
    (status.code().unwrap(), String::from_utf8(stderr).unwrap().trim().to_owned())
}

fn list(stage: &Stage, state: &str) -> Vec<Value> {
    serde_json::from_str(&stage.run(&["trial", "list", "--state", state, "--json"])).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trials_by_the_command_line() {
    let stage = Stage::set(Database::Sqlite).await;
    let told = run(&stage, &GRANT, &[&["--domain", "contoso.example", "--days", "60"][..], &BY].concat());
    assert!(told.contains(&CONTOSO.to_string()) && told.contains("60 days for 1,000 users"), "{told}");
    let open = list(&stage, "open");
    assert_eq!((open.len(), open[0]["tenantId"].as_str()), (1, Some(&*CONTOSO.to_string())));
    assert_eq!(
        (&open[0]["kind"], &open[0]["days"], &open[0]["grantedBy"]),
        (&"ahead".into(), &60.into(), &"Mira Sales".into())
    );
    let id = open[0]["id"].as_str().unwrap().to_owned();
    run(&stage, &["trial", "revoke", &id], &BY);
    assert_eq!((list(&stage, "open").len(), list(&stage, "revoked").len()), (0, 1));

    let prospect = ["--email", "alex.weber@contoso.example", "--name", "Alex Weber", "--organisation", "Contoso GmbH"];
    let told = run(&stage, &GRANT, &[&prospect[..], &["--days", "14"], &BY].concat());
    assert!(told.contains("is mailed to alex.weber@contoso.example"), "{told}");
    let id = list(&stage, "open")[0]["id"].as_str().unwrap().to_owned();
    run(&stage, &["trial", "bind", &id], &["--domain", "contoso.example", "--by", "Mira Sales"]);
    assert_eq!(found(&stage, id.parse().unwrap()).await.tenant_id, Some(CONTOSO));
    follow(&stage).await;
    assert_eq!(mails_of(&stage, "trial_key").len(), 1);

    let long = [&["--domain", "fabrikam.example", "--days", "120"][..], &BY].concat();
    let (code, words) = refused(&stage, &[&GRANT[..], &long, &["--approved-by", "mira sales"]].concat());
    assert_eq!((code, list(&stage, "proposed").len()), (1, 0), "{words}");
    assert!(words.contains("ask a second person"), "{words}");
    run(&stage, &GRANT, &long);
    let id = list(&stage, "proposed")[0]["id"].as_str().unwrap().to_owned();
    run(&stage, &["trial", "approve", &id], &["--by", "Ada Admin"]);
    run(&stage, &GRANT, &[&long[..], &["--approved-by", "Ada Admin"]].concat());
    assert_eq!((list(&stage, "proposed").len(), list(&stage, "open").len()), (0, 3));
    let (code, words) = refused(&stage, &[&GRANT[..], &["--domain", "nobody.example", "--days", "9"], &BY].concat());
    assert!(code == 1 && words.contains("No Entra tenant has the domain \"nobody.example\""), "{code} {words}");
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_extension_and_the_report_by_the_command_line() {
    let stage = Stage::set(Database::Sqlite).await;
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    follow(&stage).await;
    let subscription = id.to_string();
    let told = run(&stage, &["trial", "extend", &subscription, "--trial", "14"], &BY);
    assert!(told.contains("the trial lasts 14 days longer"), "{told}");
    assert_eq!(known(&stage, id).await.trial_end, Some(date!(2026 - 02 - 27)));
    run(&stage, &["trial", "extend", &subscription, "--grace", "4"], &BY);
    let (code, words) = refused(&stage, &[&["trial", "extend", &subscription][..], &BY].concat());
    assert_eq!(code, 2, "{words}");
    let unknown = uuid::Uuid::from_u128(1).to_string();
    let (code, words) = refused(&stage, &[&["trial", "extend", &unknown, "--trial", "3"][..], &BY].concat());
    assert!(code == 1 && words.contains("There is no subscription"), "{code} {words}");
    let report: Value = serde_json::from_str(&stage.run(&["trial", "report", "--json"])).unwrap();
    assert_eq!(
        (&report[0]["month"], &report[0]["used"], &report[0]["converted"]),
        (&"2026-01".into(), &2.into(), &0.into())
    );
    assert!(stage.run(&["trial", "report"]).contains("2026-01  konnekt"));
    assert!(stage.run(&["trial", "list"]).contains("extension"));
    let used = list(&stage, "used");
    assert_eq!(found(&stage, used[0]["id"].as_str().unwrap().parse().unwrap()).await.state, State::Used);
    follow(&stage).await;
    stage.finish().await;
}
