//! The process is killed (SIGKILL) around the vault's signature: before it is asked for, when it is there and nobody has written
//! it, before and after the commit. The key is issued once, and says what the undisturbed one says.

use std::collections::BTreeSet;

use seatkey::{domain::license::Claims, signing};
use uuid::Uuid;

use super::NAME;
use crate::{
    crashes::{buy, live_through},
    support::{Database, process::Installation},
};

/// Where it begins.
const ASKED: &str = "before a signature of the vault";
/// Boundaries from there to the one behind the commit, and some of what runs beside it.
const AROUND: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_around_the_signature_on_sqlite() {
    kill_around(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_around_the_signature_on_postgres() {
    kill_around(Database::Postgres).await;
}

async fn kill_around(database: Database) {
    let mut installation = set(database).await;
    let log = installation.path("boundaries");
    assert!(installation.try_start(&[("SEATKEY_CRASH_LOG", log.display().to_string())]));
    let (expected, signatures) = live(&mut installation).await;
    assert_eq!(signatures, 1);
    let names = std::fs::read_to_string(&log).unwrap();
    installation.finish().await;
    let names: Vec<&str> = names.lines().collect();
    let asked = names.iter().position(|name| *name == ASKED).unwrap();
    let kinds: BTreeSet<&str> = names[asked..asked + AROUND].iter().copied().collect();
    for kind in ["after a signature of the vault", "before a commit", "after a commit"] {
        assert!(kinds.contains(kind), "{kind} is not among {kinds:?}");
    }
    let mut most = 0;
    for number in 1..=AROUND {
        let mut installation = set(database).await;
        let there = [("SEATKEY_CRASH_FROM", ASKED.to_owned()), ("SEATKEY_CRASH_AT", number.to_string())];
        assert!(installation.try_start(&there));
        let (claims, signatures) = live(&mut installation).await;
        let told = Claims { iss: expected.iss.clone(), jti: expected.jti.clone(), iat: expected.iat, ..claims };
        assert_eq!(told, expected, "{database:?}, killed at boundary {number} from there on");
        most = most.max(signatures);
        installation.finish().await;
    }
    assert_eq!(most, 2, "a signature that nobody had written was made again");
}

/// An installation whose keys the vault signs.
async fn set(database: Database) -> Installation {
    let installation = Installation::set(database).await;
    installation.world().create_vault_key(NAME).unwrap();
    let file = installation.path("seatkey.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let before = text.lines().find(|line| line.starts_with("keys = ")).unwrap();
    let keys = format!("keys = [\"{}keys/{NAME}\"]", installation.simulator.base_url());
    std::fs::write(&file, text.replace(before, &keys)).unwrap();
    installation
}

/// A purchase, from its beginning to the mailed key, whatever happens to the process; gives what the one key says, and how
/// often the vault has signed.
async fn live(installation: &mut Installation) -> (Claims, usize) {
    let id: Uuid = buy(installation);
    live_through(installation, id).await;
    let store = installation.store().await;
    let keys = store.list_license_keys(id).await.unwrap();
    store.close().await;
    assert_eq!(keys.len(), 1, "{keys:?}");
    let world = installation.world();
    // A mail that was handed over, and not noted, comes again as the same one.
    let mailed: BTreeSet<_> = world.mails().iter().map(|mail| mail.attachments[0].content.clone()).collect();
    assert_eq!(mailed.len(), 1, "keys that were mailed");
    assert!(mailed.iter().all(|key| String::from_utf8_lossy(key.as_ref()).contains(&keys[0].compact)));
    let requests = world.requests();
    let signed = requests.iter().filter(|request| request.path.ends_with("/sign") && request.status == Some(200));
    (signing::inspect(&keys[0].compact).unwrap(), signed.count())
}
