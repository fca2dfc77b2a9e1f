//! Names of organisations and people that want to be more than texts: markup, headers, formulas, lines of a log. Each of
//! the vectors is a customer; nothing of any of them is ever active, in pages, mails, files or logs.

mod vectors;

use std::{process::Command, sync::Arc};

use seatkey::{
    app::{Submitted, open_purchase, review_order, submit_order},
    cli::browser::Browser,
    domain::{enrolment::Order, policy::Identity},
    jobs::Runner,
    simulator::Purchase,
    store::Arrival,
};
use uuid::Uuid;

pub(crate) use vectors::VECTORS;

use crate::{
    marketplace_client::logs::Log,
    support::{
        Database, Stage,
        people::ALEX,
        staff::{ADA, signed_in},
    },
};

/// A world in which every vector has bought, enrolled, and got its mail.
pub(crate) async fn infested() -> (Stage, Vec<Uuid>) {
    let stage = Stage::set(Database::Memory).await;
    let mut ids = Vec::new();
    for (_, text) in VECTORS {
        ids.push(enrol(&stage, text).await);
    }
    Runner::new(Arc::clone(&stage.app)).run_due().await.unwrap();
    stage.settle().await;
    (stage, ids)
}

async fn enrol(stage: &Stage, text: &str) -> Uuid {
    let app = &stage.app;
    let name = text.to_owned();
    let id = stage.buy_as(Purchase { name, ..Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap()) });
    let (token, _) = stage.world().landing_address(id).unwrap();
    let who = Identity {
        tenant_id: "3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44".parse().unwrap(),
        object_id: ALEX.parse().unwrap(),
    };
    let arrival = Arrival { id: id.to_string(), purchase_token: token };
    open_purchase(app, who, &arrival).await.unwrap();
    let known = app.store.find_subscription(id).await.unwrap().unwrap();
    let order = Order {
        users: Some(25),
        extras: Vec::new(),
        organisation: text.to_owned(),
        buyer_name: text.to_owned(),
        buyer_email: "alex.weber@contoso.example".to_owned(),
        technical_contact: "jo.brandt@contoso.example".to_owned(),
        language: "en".to_owned(),
    };
    let review = review_order(app, who, &known, order).await.unwrap();
    let submitted = submit_order(app, who, &known, review.quote_id).await.unwrap();
    assert!(matches!(submitted, Submitted::Accepted), "{submitted:?}");
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_header_is_added_and_nobody_else_gets_a_mail() {
    assert!(VECTORS.len() >= 200);
    let (stage, _) = infested().await;
    let mails = stage.world().mails();
    assert!(mails.len() >= VECTORS.len(), "{} mails", mails.len());
    let plain: Vec<&str> = mails[0].headers.iter().map(|(name, _)| name.as_str()).collect();
    for mail in &mails {
        let names: Vec<&str> = mail.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, plain, "{:?} has other headers", mail.subject);
        for (name, value) in &mail.headers {
            assert!(!value.contains(['\r', '\n']), "{name} of {:?} has a second line", mail.subject);
        }
        for recipient in &mail.recipients {
            assert!(recipient.ends_with("@contoso.example"), "{recipient} gets {:?}", mail.subject);
        }
    }
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_cell_of_a_file_is_a_formula() {
    let (stage, _) = infested().await;
    let mut ada = signed_in(&stage, ADA).await;
    let file = ada.open(stage.url("console/subscriptions.csv")).await.unwrap().text;
    let mut reader = csv::Reader::from_reader(file.as_bytes());
    let organisation = reader.headers().unwrap().iter().position(|name| name == "Organisation").unwrap();
    let mut seen = Vec::new();
    for record in reader.records() {
        let record = record.unwrap();
        for cell in &record {
            let is_number = cell.trim_start_matches('-').chars().all(|one| one.is_ascii_digit() || one == '.');
            let is_active = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%']) && !is_number;
            assert!(!is_active, "{cell:?} is a formula");
        }
        seen.push(record[organisation].to_owned());
    }
    for (name, text) in VECTORS {
        let kept = seen.iter().any(|cell| cell == text || cell.strip_prefix('\'') == Some(text));
        assert!(kept, "{name} is not in the file as it was written");
    }
    stage.finish().await;
}

#[test]
fn no_line_of_the_log_is_forged() {
    let own = std::env::current_exe().unwrap();
    let story = "injections::everything_logged";
    let run = Command::new(own).args(["--exact", story, "--ignored", "--nocapture"]).output().unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && told.contains("1 passed"), "{told}\n{}", String::from_utf8_lossy(&run.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by no_line_of_the_log_is_forged, in a process of its own"]
async fn everything_logged() {
    let log = Log::install_json();
    let (stage, ids) = infested().await;
    let mut alex = Browser::of(ALEX).unwrap();
    let mut ada = signed_in(&stage, ADA).await;
    for id in ids {
        alex.open(stage.url(&format!("subscriptions/{id}"))).await.unwrap();
        ada.open(stage.url(&format!("console/subscriptions/{id}"))).await.unwrap();
    }
    stage.finish().await;
    let text = log.text();
    assert!(text.lines().count() > 500, "hardly anything was logged");
    for line in text.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_ne!(entry["fields"]["message"], "forged", "{line}");
        assert!(!line.chars().any(char::is_control), "{line:?} steers a terminal");
    }
}
