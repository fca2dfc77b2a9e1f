//! The command: what it prints, how it ends, and what it never prints.

use serde_json::Value;

use super::bench::Bench;
use crate::support::Database;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/doctor.md");

/// A bench whose configuration the commands read, too.
async fn bench() -> Bench {
    let mut bench = Bench::set(Database::Sqlite).await;
    let days = bench.good.clone();
    let old = std::fs::read_to_string(bench.stage.write_configuration()).unwrap();
    bench.stage.change_configuration(&old, &days);
    bench
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_prints_every_check_and_ends_well() {
    let bench = bench().await;
    let text = bench.stage.run(&["doctor"]);
    for check in seatkey::doctor::all_checks().iter().filter(|check| check.id != "mail.test") {
        assert!(text.contains(check.id), "{} is missing:\n{text}", check.id);
    }
    assert!(text.contains("Microsoft's marketplace\n") && text.contains(" 0 wrong, "), "{text}");
    // The commands of these tests follow the time of the stage.
    assert!(text.contains("look    clock.moved"), "{text}");
    let secrets = ["marketplace-secret", "sign-in-secret", "staff-secret"];
    let json = bench.stage.run(&["doctor", "--json"]);
    let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sums = lines.last().unwrap();
    assert_eq!(sums["wrong"], 0, "{json}");
    let well = lines.iter().filter(|line| line["level"] == "well").count();
    assert_eq!(sums["well"].as_u64(), Some(well as u64));
    assert_eq!((lines[0]["check"].as_str(), lines[0]["level"].as_str()), (Some("catalog.file"), Some("well")));
    for secret in secrets {
        assert!(!text.contains(secret) && !json.contains(secret), "{secret} is printed");
    }
    bench.stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_no_with_one_and_refuses_an_unknown_key_with_two() {
    let mut bench = bench().await;
    bench.stage.change_configuration("\"marketplace-secret\"", "\"another-secret\"");
    let (code, told, complaint) = bench.stage.ask(&["doctor"]);
    assert_eq!(
        (code, complaint.trim()),
        (Some(1), "seatkey: 1 check is wrong; the sentence below it mends it"),
        "{told}"
    );
    assert!(
        told.contains("WRONG   entra.token")
            && told.contains("the publisher's operations: Put the client secret's value")
    );
    assert!(told.contains("-       marketplace.fulfillment   because entra.token is not well"), "{told}");
    assert!(!told.contains("another-secret"), "{told}");
    bench.stage.change_configuration("[sign_in]", "[sign_in]\ncolour = \"red\"");
    let (code, _, complaint) = bench.stage.ask(&["doctor"]);
    assert!(code == Some(2) && complaint.contains("colour"), "{complaint}");
    bench.stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_mail_is_sent_to_whom_it_is_asked_for() {
    let bench = bench().await;
    let told = bench.stage.run(&["doctor", "--test-mail", "anna@publisher.example"]);
    assert!(told.contains("well    mail.test                 it was taken for anna@publisher.example"), "{told}");
    let mails = bench.stage.world().mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].header("Subject"), Some("Seatkey: test mail"));
    bench.stage.strike().await;
}

/// `deploy/doctor.md` is written by the program itself: `seatkey doctor --list`.
#[test]
fn the_table_of_the_document_is_that_of_the_program() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_seatkey")).args(["doctor", "--list"]).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    assert!(document.contains(&table), "write it anew into deploy/doctor.md:\n{table}");
    assert!(seatkey::doctor::all_checks().len() >= 25);
}
