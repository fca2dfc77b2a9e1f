//! The schema: one of several processes brings it up to date, a process that dies in it leaves it as it was, and a program that
//! is older than the database does not touch it.
//!
//! `SEATKEY_STATEMENTS=1 cargo test --test it -- schema` kills behind each statement; the short form behind every ninth.

#![expect(clippy::print_stdout, reason = "the number of kills is printed")]

use std::process::{Child, Command, Output, Stdio};

use sea_orm::{ConnectionTrait as _, Statement};

use crate::support::{Database, chance::how_many, process::Installation};

/// More than there are.
const MOST_STATEMENTS: usize = 2_000;

fn spawned(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}

#[tokio::test]
async fn six_processes_migrate_at_once_on_sqlite() {
    migrate_at_once(Database::Sqlite).await;
}

#[tokio::test]
async fn six_processes_migrate_at_once_on_postgres() {
    migrate_at_once(Database::Postgres).await;
}

async fn migrate_at_once(database: Database) {
    let installation = Installation::set(database).await;
    let processes: Vec<Child> = (0..6).map(|_| spawned(installation.command(&["migrate"]))).collect();
    for process in processes {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
    let store = installation.store().await;
    assert_eq!(store.list_missing_steps().await.unwrap(), Vec::<String>::new());
    store.close().await;
    installation.finish().await;
}

#[tokio::test]
async fn killed_behind_statements_on_sqlite() {
    kill_behind_statements(Database::Sqlite).await;
}

#[tokio::test]
async fn killed_behind_statements_on_postgres() {
    kill_behind_statements(Database::Postgres).await;
}

async fn kill_behind_statements(database: Database) {
    let installation = Installation::set(database).await;
    let step = how_many("SEATKEY_STATEMENTS", 9);
    let mut kills = 0;
    for number in (1..MOST_STATEMENTS).step_by(step) {
        let mut command = installation.command(&["migrate"]);
        command.env("SEATKEY_CRASH_AT_STATEMENT", number.to_string());
        let output = spawned(command).wait_with_output().unwrap();
        if output.status.success() {
            break;
        }
        assert_eq!(output.status.code(), None, "it was not killed, it failed: {}", said(&output));
        kills += 1;
    }
    println!("{database:?}: killed {kills} times, behind every {step}. statement");
    assert!(kills * step > 100, "there are more statements than that");
    let store = installation.store().await;
    assert_eq!(store.list_missing_steps().await.unwrap(), Vec::<String>::new());
    store.close().await;
    installation.finish().await;
}

#[tokio::test]
async fn an_older_program_does_not_touch_it_on_sqlite() {
    refuse_newer(Database::Sqlite).await;
}

#[tokio::test]
async fn an_older_program_does_not_touch_it_on_postgres() {
    refuse_newer(Database::Postgres).await;
}

async fn refuse_newer(database: Database) {
    let installation = Installation::set(database).await;
    assert!(spawned(installation.command(&["migrate"])).wait_with_output().unwrap().status.success());
    let connection = sea_orm::Database::connect(installation.database_url()).await.unwrap();
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_of_the_future', 0)";
    let backend = connection.get_database_backend();
    connection.execute_raw(Statement::from_string(backend, newer)).await.unwrap();
    connection.close().await.unwrap();
    for command in ["migrate", "serve", "work"] {
        let output = spawned(installation.command(&[command])).wait_with_output().unwrap();
        assert!(!output.status.success(), "{command}");
        assert!(said(&output).contains("m9999_of_the_future"), "{command}: {}", said(&output));
        assert!(said(&output).contains("run that version, or a newer one"), "{command}: {}", said(&output));
    }
    installation.finish().await;
}
