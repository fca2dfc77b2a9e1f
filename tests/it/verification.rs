//! The hash chain beyond single edits: where it begins for rows that are older than it, what an erasure leaves of it, and
//! what only the daily digest can show.

use std::{
    path::Path,
    process::{Command, Output},
    sync::Arc,
};

use sea_orm::ConnectionTrait as _;
use seatkey::{app, jobs::Runner, store::Reader as _};
use time::Duration;

use crate::{
    on_both_databases,
    support::{
        Stage,
        people::ALEX,
        told::known,
        years::{enrolled, flaws, follow, report_after, upgrade},
    },
};

on_both_databases! {
    older_rows_get_their_place_once;
    an_erasure_takes_the_person_and_leaves_the_chain;
    a_digest_shows_what_a_rewritten_chain_hides;
}

async fn run(stage: &Stage, statements: &[&str]) {
    for statement in statements {
        stage.app.store.connection().execute_unprepared(statement).await.unwrap();
    }
}

async fn older_rows_get_their_place_once(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    stage.advance(Duration::DAY);
    upgrade(&stage, id, 300).await;
    let (found, entries) = flaws(&stage).await;
    assert_eq!(found, Vec::<String>::new());
    // As the migration finds the rows that an earlier version has written; the oldest charges had no steps at all.
    run(
        &stage,
        &[
            "UPDATE charge_history SET position = NULL, hash = NULL, subscription_id = NULL",
            "UPDATE audit SET position = NULL, hash = NULL, actor_salt = NULL, actor_digest = NULL",
            "UPDATE audit SET actor = '(erased)' WHERE action = 'order_submitted'",
            "UPDATE subscription SET chain_count = 0, chain_hash = ''",
            "UPDATE charge SET state_at = 0",
            "DELETE FROM charge_history WHERE charge_id = (SELECT MIN(id) FROM charge WHERE reason = 'enrolment')",
            "UPDATE reporter SET chain_sealed = false",
        ]
        .map(|sql| sql.replace("(SELECT MIN(id) FROM charge WHERE reason = 'enrolment')", OLDEST))
        .each_ref()
        .map(String::as_str),
    )
    .await;
    stage.app.store.migrate().await.unwrap();
    assert_eq!(flaws(&stage).await, (Vec::new(), entries), "every row has its place");
    report_after(&stage, 40).await;
    let (found, more) = flaws(&stage).await;
    assert_eq!(found, Vec::<String>::new(), "and the chain goes on behind it");
    assert!(more > entries);
    // What loses its place afterwards never gets it back, and what nobody wrote never gets one.
    for tampering in [
        "UPDATE audit SET position = NULL, hash = NULL WHERE action = 'order_submitted'",
        "UPDATE reporter SET chain_sealed = false",
    ] {
        run(&stage, &[tampering]).await;
        stage.app.store.migrate().await.unwrap();
        let (found, _) = flaws(&stage).await;
        assert!(found.iter().any(|flaw| flaw.contains("has no place in the chain")), "{tampering}: {found:?}");
    }
    stage.finish_tampered().await;
}

const OLDEST: &str = "(SELECT id FROM charge WHERE reason = 'enrolment' ORDER BY id LIMIT 1)";

async fn an_erasure_takes_the_person_and_leaves_the_chain(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    assert!(stage.world().cancel(id));
    follow(&stage).await;
    assert_eq!(count(&stage, &format!("actor LIKE '%{ALEX}%'")).await, 1);
    stage.advance(Duration::days(391));
    Runner::new(Arc::clone(&stage.app)).run_due().await.unwrap();
    assert_eq!(known(&stage, id).await.microsoft.purchaser.email, "", "personal data is erased");
    assert_eq!(count(&stage, &format!("actor LIKE '%{ALEX}%'")).await, 0, "nobody can tell who it was");
    assert_eq!(count(&stage, "actor = '(erased)' AND actor_salt IS NULL AND actor_digest IS NOT NULL").await, 1);
    assert_eq!(flaws(&stage).await.0, Vec::<String>::new());
    // Nobody but a buyer is erased.
    run(&stage, &["UPDATE audit SET actor = '(erased)', actor_salt = NULL WHERE action = 'personal_data_erased'"])
        .await;
    let (hidden, _) = flaws(&stage).await;
    assert_eq!(hidden.len(), 1, "{hidden:?}");
    assert!(hidden[0].contains("is not what was written"), "{hidden:?}");
    // Erased behind our back, of a subscription that is in use.
    let other = enrolled(&stage, "150").await;
    let erase = "UPDATE audit SET actor = '(erased)', actor_salt = NULL WHERE action = 'order_submitted'";
    run(&stage, &[erase]).await;
    let (found, _) = flaws(&stage).await;
    let found: Vec<String> = found.into_iter().filter(|flaw| !hidden.contains(flaw)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains(&other.to_string()) && found[0].contains("names another actor"), "{found:?}");
    stage.finish_tampered().await;
}

async fn count(stage: &Stage, which: &str) -> i64 {
    let connection = stage.app.store.connection();
    let sql = format!("SELECT COUNT(*) AS count FROM audit WHERE {which}");
    let statement = sea_orm::Statement::from_string(connection.get_database_backend(), sql);
    connection.query_one_raw(statement).await.unwrap().unwrap().try_get("", "count").unwrap()
}

async fn a_digest_shows_what_a_rewritten_chain_hides(mut stage: Stage) {
    let file = stage.file("digests");
    stage.configure_service(&format!("[audit]\ndigest_file = \"{}\"\n", file.display()));
    stage.restart().await;
    let id = enrolled(&stage, "150").await;
    app::schedule_digest(&stage.app).await.unwrap();
    let runner = Runner::new(Arc::clone(&stage.app));
    for _ in 0..4 {
        runner.run_due().await.unwrap();
        stage.advance(Duration::hours(12));
    }
    let written = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = written.lines().collect();
    assert_eq!(lines.len(), 2, "once a day: {written}");
    assert!(
        lines[0].starts_with("2026-01-15T") && lines[0].contains("Z 0 "),
        "the first hour does not count: {written}"
    );
    assert!(lines[1].starts_with("2026-01-16T") && lines[1].contains("Z 1 "), "{written}");
    for line in &lines {
        assert_eq!(app::verify_digest(&stage.app.store, line).await.unwrap(), None);
    }
    if stage.app.store.connection().get_database_backend() == sea_orm::DbBackend::Sqlite {
        let (done, told) = audit_verify(&stage, &file, &[]);
        assert!(done.status.success() && told.contains("1 subscriptions verified, 0 flaws found"), "{told}");
    }
    // The last entry is gone, and whoever took it knew how the chain is made.
    let last = format!("subscription_id = '{id}' AND position = (SELECT MAX(position) FROM audit)");
    let last = if stage.app.store.connection().get_database_backend() == sea_orm::DbBackend::Sqlite {
        "position = (SELECT MAX(position) FROM audit)".to_owned()
    } else {
        last
    };
    let before = "SELECT hash FROM (SELECT position, hash FROM audit UNION SELECT position, hash FROM charge_history) AS e \
                  WHERE position = chain_count - 1";
    run(
        &stage,
        &[
            &format!("UPDATE subscription SET chain_hash = ({before}), chain_count = chain_count - 1"),
            &format!("DELETE FROM audit WHERE {last}"),
        ],
    )
    .await;
    assert_eq!(flaws(&stage).await.0, Vec::<String>::new(), "the chain alone does not tell");
    assert_eq!(app::verify_digest(&stage.app.store, lines[0]).await.unwrap(), None, "then it was not there yet");
    let told = app::verify_digest(&stage.app.store, lines[1]).await.unwrap().unwrap();
    assert!(told.contains("are not what was written down"), "{told}");
    if stage.app.store.connection().get_database_backend() == sea_orm::DbBackend::Sqlite {
        let (done, told) = audit_verify(&stage, &file, &["--json"]);
        assert_eq!(done.status.code(), Some(1), "{told}");
        assert!(told.contains(r#""flaws":0"#) && told.contains(r#""wrong_digests":1"#), "{told}");
    }
    stage.finish().await;
}

/// `seatkey audit verify --digests`, and what it prints.
fn audit_verify(stage: &Stage, digests: &Path, more: &[&str]) -> (Output, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_seatkey"))
        .args(["audit", "verify", "--config"])
        .arg(stage.write_configuration())
        .arg("--digests")
        .arg(digests)
        .args(more)
        .output()
        .unwrap();
    let told = String::from_utf8(done.stdout.clone()).unwrap();
    (done, told)
}
