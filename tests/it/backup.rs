//! `seatkey backup`: a whole copy while others write; what cannot be backed up says so; and the restore drill of `deploy/`.

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use seatkey::{
    app::{Contacts, change_contacts, verify_ledger},
    cli::browser::Browser,
    domain::policy::Identity,
    store::Store,
};
use uuid::Uuid;

use crate::support::{Database, Stage, people::ALEX, told::known};

/// Backups that are taken while the writers write.
const BACKUPS: u32 = 5;

async fn enrolled(stage: &Stage) -> Uuid {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    stage.settle().await;
    id
}

/// What a backup holds: its audit entries, all of them verified, and the language of the contacts.
async fn read(file: &Path, id: Uuid) -> (u64, u32) {
    let store = Store::connect_file(file).await.unwrap();
    assert_eq!(store.find_damage().await.unwrap(), Vec::<String>::new());
    let verified = verify_ledger(&store, |flaw| panic!("{flaw}")).await.unwrap();
    let language = store.find_enrolment(id).await.unwrap().unwrap().language;
    store.close().await;
    (verified.entries, language.strip_prefix("x-").map_or(0, |number| number.parse().unwrap()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_is_one_state_while_writers_write() {
    let stage = Stage::set(Database::Sqlite).await;
    let id = enrolled(&stage).await;
    let buyer = known(&stage, id).await.microsoft.purchaser;
    let who = Identity { tenant_id: buyer.tenant_id.unwrap(), object_id: buyer.object_id.unwrap() };
    let (before, _) = read_live(&stage).await;
    let (done, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    // Each write is an entry of the chain and a number in a row: both have to fit in every copy.
    let writer = tokio::spawn({
        let (app, done, written) = (Arc::clone(&stage.app), Arc::clone(&done), Arc::clone(&written));
        async move {
            while !done.load(Ordering::SeqCst) {
                let number = written.load(Ordering::SeqCst) + 1;
                let contacts = Contacts {
                    buyer_email: "alex.weber@contoso.example".to_owned(),
                    technical_contact: "jo.brandt@contoso.example".to_owned(),
                    language: format!("x-{number}"),
                };
                change_contacts(&app, who, id, contacts).await.unwrap();
                written.store(number, Ordering::SeqCst);
            }
        }
    });
    let directory = stage.file("backups");
    std::fs::create_dir(&directory).unwrap();
    for number in 0..BACKUPS {
        let target = directory.join(format!("{number}.db"));
        let least = written.load(Ordering::SeqCst);
        let (code, out, error) = stage.ask(&["backup", "--to", target.to_str().unwrap()]);
        let most = written.load(Ordering::SeqCst) + 1;
        assert_eq!(code, Some(0), "{out}{error}");
        let (entries, language) = read(&target, id).await;
        assert_eq!(entries, before + u64::from(language), "the chain and the row are of different moments");
        assert!((least..=most).contains(&language), "{language} is not between {least} and {most}");
    }
    done.store(true, Ordering::SeqCst);
    writer.await.unwrap();
    assert!(written.load(Ordering::SeqCst) > BACKUPS, "nothing was written meanwhile");
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 5, "something was left beside the backups");
    stage.finish().await;
}

async fn read_live(stage: &Stage) -> (u64, u64) {
    let verified = verify_ledger(&stage.app.store, |flaw| panic!("{flaw}")).await.unwrap();
    (verified.entries, verified.subscriptions)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backups_in_a_directory_are_named_after_their_time_and_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::set(Database::Sqlite).await;
    let id = enrolled(&stage).await;
    let directory = stage.file("backups");
    std::fs::create_dir(&directory).unwrap();
    let to = directory.to_str().unwrap().to_owned();
    let (code, out, error) = stage.ask(&["backup", "--to", &to]);
    assert_eq!(code, Some(0), "{out}{error}");
    assert!(out.contains("flaws found") && out.contains("signing keys"), "{out}");
    let files: Vec<_> = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap()).collect();
    let [file] = files.as_slice() else { panic!("{files:?}") };
    assert!(file.file_name().to_str().unwrap().starts_with("seatkey-2026-01-15T10-"), "{file:?}");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // It serves: a service starts on it, and has the key.
    let restored = Store::connect_file(&file.path()).await.unwrap();
    let newest = restored.find_newest_key(id).await.unwrap();
    assert_eq!(newest, stage.app.store.find_newest_key(id).await.unwrap());
    restored.close().await;
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_there_is_never_overwritten_and_nothing_is_left_of_a_failure() {
    let mut stage = Stage::set(Database::Sqlite).await;
    enrolled(&stage).await;
    let database = stage.file("seatkey.db");
    let (code, _, error) = stage.ask(&["backup", "--to", database.to_str().unwrap()]);
    assert_eq!((code, error.contains("is there already")), (Some(2), true), "{error}");
    let (code, _, error) = stage.ask(&["backup", "--to", stage.file("missing/backup.db").to_str().unwrap()]);
    assert_eq!((code, error.contains("cannot be written")), (Some(1), true), "{error}");
    // A typing error in the configuration must not make an empty database and call it a backup.
    stage.change_configuration("seatkey.db", "other.db");
    let target = stage.file("backup.db");
    let (code, _, error) = stage.ask(&["backup", "--to", target.to_str().unwrap()]);
    assert_eq!((code, error.contains("cannot be reached")), (Some(1), true), "{error}");
    assert!(!target.exists() && !stage.file("other.db").exists());
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_database_gives_no_backup_and_a_tampered_one_says_so() {
    let stage = Stage::set(Database::Sqlite).await;
    let id = enrolled(&stage).await;
    let tamper =
        format!("UPDATE charge SET amount_minor = amount_minor + 1 WHERE subscription_id = X'{}'", id.simple());
    sqlite(&stage.file("seatkey.db"), &tamper).await;
    let target = stage.file("tampered.db");
    let (code, out, error) = stage.ask(&["backup", "--to", target.to_str().unwrap()]);
    assert_eq!(code, Some(1), "{out}{error}");
    assert!(error.contains("audit verify") && target.exists(), "{error}");
    // A reference to nothing.
    sqlite(&stage.file("seatkey.db"), "PRAGMA foreign_keys = OFF; DELETE FROM subscription").await;
    let target = stage.file("damaged.db");
    let (code, out, error) = stage.ask(&["backup", "--to", target.to_str().unwrap()]);
    assert_eq!(code, Some(1), "{out}{error}");
    assert!(!target.exists(), "{error}");
    stage.strike().await;
}

/// A hand in the file, past the service.
async fn sqlite(file: &Path, sql: &str) {
    use sea_orm::ConnectionTrait as _;
    let db = sea_orm::Database::connect(format!("sqlite://{}", file.display())).await.unwrap();
    db.execute_unprepared(sql).await.unwrap();
    db.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_is_told_where_to_go() {
    let stage = Stage::set(Database::Postgres).await;
    let target = stage.file("backup.db");
    let (code, _, error) = stage.ask(&["backup", "--to", target.to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(error.contains("point-in-time recovery") && error.contains("deploy/BACKUP.md"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    stage.finish().await;
}

#[test]
fn the_restore_drill_comes_to_a_good_end() {
    let drill = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/restore-drill");
    let output = Command::new("bash").args([drill, env!("CARGO_BIN_EXE_seatkey")]).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, error) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{out}{error}");
    assert!(out.contains("4 events in the ledger + 1 acknowledged = 5 accepted by Microsoft"), "{out}");
}
