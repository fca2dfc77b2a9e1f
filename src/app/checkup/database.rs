//! The database: its schema, our rights, and whether a commit outlives a power failure.

use super::{Check, Mend, Round, Verdict, Whose};
use crate::store::{Setting, Store, StoreError};

/// The schema is the one that this version knows.
pub static SCHEMA: Check = Check {
    id: "database.schema",
    is_well_when: "the schema is that of this version",
    needs: &["database.reachable"],
    mends: &[&MIGRATE, &UPGRADE, &ALLOW],
};

/// We may do what we must.
pub static RIGHTS: Check = Check {
    id: "database.rights",
    is_well_when: "the database lets us write, and create tables for the next version",
    needs: &["database.reachable", "database.schema"],
    mends: &[&ALLOW],
};

/// A commit is durable.
pub static DURABLE: Check = Check {
    id: "database.durable",
    is_well_when: "a commit outlives a power failure: fsync, synchronous_commit and full_page_writes are on, or SQLite's WAL",
    needs: &["database.reachable", "database.schema"],
    mends: &[&MAKE_DURABLE, &WAL],
};

static MIGRATE: Mend = Mend {
    whose: Whose::Operations,
    does: "Run seatkey migrate, or start the service of this version, which does it first.",
};
static UPGRADE: Mend = Mend {
    whose: Whose::Operations,
    does: "Run the newer version of Seatkey that this database belongs to; an older one would not understand its rows.",
};
static ALLOW: Mend = Mend {
    whose: Whose::Database,
    does: "Make the user of [database] url the owner of its database, on a server (or file) that can be written to: no standby.",
};
static MAKE_DURABLE: Mend = Mend {
    whose: Whose::Database,
    does: "Set fsync = on, full_page_writes = on and synchronous_commit = on: what is lost after a commit is charged again.",
};
static WAL: Mend = Mend {
    whose: Whose::Operations,
    does: "Start the service once, which sets the WAL; if it does not stay, move the file to a local disk.",
};

/// Makes these checks.
pub async fn look(round: &mut Round<'_>, store: &Store) {
    round.look(&SCHEMA, schema(store)).await;
    round.look(&RIGHTS, rights(store)).await;
    look_at_durability(round, store).await;
}

/// Makes the one that can change under a running service.
pub async fn look_at_durability(round: &mut Round<'_>, store: &Store) {
    round.look(&DURABLE, durable(store)).await;
}

async fn schema(store: &Store) -> Verdict {
    match store.list_missing_steps().await {
        Ok(missing) => match missing.first() {
            None => Verdict::well("it is that of this version"),
            Some(first) => {
                Verdict::Wrong(&MIGRATE, format!("steps still to be done: {}, the first is {first}", missing.len()))
            }
        },
        Err(StoreError::Newer(step)) => Verdict::Wrong(&UPGRADE, format!("this version does not know its step {step}")),
        Err(error) => Verdict::Wrong(&ALLOW, error.to_string()),
    }
}

async fn rights(store: &Store) -> Verdict {
    match store.try_rights().await {
        Ok(()) => Verdict::well("it can be written to; what was tried is rolled back"),
        Err(error) => Verdict::Wrong(&ALLOW, error.to_string()),
    }
}

async fn durable(store: &Store) -> Verdict {
    let settings = match store.list_durability().await {
        Ok(settings) => settings,
        Err(error) => return Verdict::NotChecked(error.to_string()),
    };
    let told = |setting: &Setting| format!("{} = {}", setting.name, setting.value);
    let bad: Vec<String> = settings.iter().filter(|setting| !is_durable(setting)).map(told).collect();
    let all: Vec<String> = settings.iter().map(told).collect();
    match (bad.is_empty(), store.is_postgres()) {
        (true, _) => Verdict::Well(all.join(", ")),
        (false, true) => Verdict::Wrong(&MAKE_DURABLE, bad.join(", ")),
        (false, false) => Verdict::Warning(&WAL, bad.join(", ")),
    }
}

fn is_durable(setting: &Setting) -> bool {
    match setting.name.as_str() {
        "journal_mode" => setting.value == "wal",
        // What a standby has to confirm, too, is more than "on".
        "synchronous_commit" => matches!(setting.value.as_str(), "on" | "local" | "remote_write" | "remote_apply"),
        _ => setting.value == "on",
    }
}
