//! The demo's story, as a user runs it.

use std::process::Command;

#[test]
fn the_script_plays_a_purchase_and_the_year_after_it() {
    let output = Command::new(env!("CARGO_BIN_EXE_seatkey")).args(["demo", "--script", "--json"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let steps: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    let purchase = ["bought", "signed_in", "reviewed", "activated", "key_verified", "mailed"];
    let year = [
        "trial_announced",
        "trial_over",
        "first_report",
        "upgraded",
        "downgrade_planned",
        "renewal_announced",
        "renewed",
        "suspended",
        "reinstated",
        "cancelled",
        "agreed",
        "end",
    ];
    assert_eq!(names, [&purchase[..], &year[..]].concat());
    assert_eq!(steps[4]["facts"]["users"], 150);
    assert_eq!(steps[12]["facts"]["users"], 200);
    assert_eq!(steps[16]["facts"]["charges"].as_array().unwrap().len(), 5);
}

#[test]
fn a_quote_that_is_refused_ends_with_exit_code_1_and_the_reason() {
    let run = |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_seatkey")).args(arguments).output().unwrap();
    let refused = run(&["quote", "--plan", "konnekt-yearly", "--users", "24"]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&refused.stderr), "seatkey: Must be at least 25.\n");
    assert_eq!(run(&["quote", "--plan", "nothing", "--users", "24"]).status.code(), Some(2));
    assert_eq!(run(&["serve", "--config", "/nowhere.toml"]).status.code(), Some(2));
}

#[test]
fn quotes_as_json_are_those_of_the_product_document() {
    let quote = |arguments: &[&str]| -> serde_json::Value {
        let output =
            Command::new(env!("CARGO_BIN_EXE_seatkey")).arg("quote").args(arguments).arg("--json").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let small = quote(&["--plan", "konnekt-yearly", "--users", "150"]);
    assert_eq!((small["total"].as_str(), small["lines"].as_array().map(Vec::len)), (Some("2100.00"), Some(2)));
    let upgrade = quote(&[
        "--plan",
        "konnekt-yearly",
        "--users",
        "300",
        "--from-users",
        "150",
        "--term-start",
        "2026-01-15",
        "--term-end",
        "2027-01-14",
        "--on",
        "2026-07-01",
    ]);
    assert_eq!(upgrade["segment"], "KONNEKT 250");
    assert_eq!(upgrade["lines"][1]["unitPrice"], "7.2000");
    assert_eq!(upgrade["segments"][0]["reason"], "at most 249 users");
    assert_eq!(upgrade["nextBreak"]["users"], 1000);
    assert_eq!(upgrade["upgrade"]["quantity"], "117.534246");
    assert_eq!(upgrade["upgrade"]["amount"], "846.25");
    assert_eq!(quote(&["--plan", "scepman-ee-monthly", "--users", "9853"])["total"], "2228.00");
    assert_eq!(quote(&["--plan", "scepman-ee-monthly", "--users", "9852"])["total"], "2227.84");
}
