//! A good configuration, and what is changed about it.

use std::{path::PathBuf, sync::Arc};

use sea_orm::{ConnectionTrait as _, Database as Sea};
use seatkey::{
    app::checkup::{Outcome, Verdict, Whose},
    cli::simulated,
    clock::{SharedClock, random_id},
    config,
    doctor::{self, Patient, Surroundings},
    domain::catalog::Catalog,
    simulator::{App, Purchase, Switches},
};
use url::Url;
use uuid::Uuid;

use crate::support::{Database, Stage, people::ALEX, stage};

/// A complaint: the check, whether it is wrong or only to be looked at, whose it is, and the beginning of what mends it.
pub(super) type Complaint = (&'static str, Level, Whose, &'static str);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Wrong,
    Look,
}

pub(super) use Level::{Look, Wrong};

/// An installation whose doctor says that all is well.
pub(super) struct Bench {
    pub(super) stage: Stage,
    pub(super) good: String,
    /// One subscription of each plan of the catalog.
    pub(super) konnekt: Uuid,
    pub(super) seats: Uuid,
}

impl Bench {
    pub(super) async fn set(database: Database) -> Self {
        let stage = Stage::set_with(database, &catalog()).await;
        let konnekt = stage.buy_as(Purchase {
            market: Some("DE".to_owned()),
            ..Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap())
        });
        let seats = stage.buy_as(Purchase {
            quantity: Some(5),
            auto_activate: true,
            ..Purchase::of("sample-seats", "team", ALEX.parse().unwrap())
        });
        let written = std::fs::read_to_string(stage.write_configuration()).unwrap();
        let good: String = written.lines().fold(String::new(), |text, line| {
            let day =
                if line.starts_with("client_secret = ") { "client_secret_expires = \"2027-06-30\"\n" } else { "" };
            text + line + "\n" + day
        });
        Self { stage, good, konnekt, seats }
    }

    /// The configuration with another key in a section.
    pub(super) fn with_key(&self, section: &str, key: &str, value: &str) -> String {
        let (before, rest) = self.good.split_once(&format!("[{section}]\n")).unwrap();
        let (body, after) = rest.split_once("\n[").unwrap_or((rest, ""));
        let body: Vec<&str> = body.lines().filter(|line| !line.starts_with(&format!("{key} ="))).collect();
        let value = if value.is_empty() { String::new() } else { format!("{key} = {value}\n") };
        let after = if after.is_empty() { String::new() } else { format!("\n[{after}") };
        format!("{before}[{section}]\n{value}{}{after}", body.join("\n"))
    }

    /// The configuration with another public address, which is registered everywhere.
    pub(super) fn at(&self, url: &Url) -> String {
        simulated::register(&self.stage.simulator, url);
        self.with_key("server", "public_url", &format!("\"{url}\""))
    }

    /// The configuration with another catalog, changed in one place.
    pub(super) fn with_catalog(&self, from: &str, to: &str) -> String {
        let catalog = catalog();
        assert!(catalog.contains(from), "the catalog has no {from}");
        let path = self.file(&format!("{}.toml", random_id()));
        let changed = catalog.replace(from, to);
        Catalog::from_toml("changed", &changed).unwrap();
        std::fs::write(&path, changed).unwrap();
        self.with_key("catalog", "path", &format!("\"{}\"", path.display()))
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.stage.file(name)
    }

    /// A copy of the database as it is, in a file of its own.
    pub(super) async fn copy(&self, journal: &str) -> String {
        let path = self.file(&format!("{}.db", random_id()));
        let original = Sea::connect(format!("sqlite://{}", self.file("seatkey.db").display())).await.unwrap();
        original.execute_unprepared(&format!("VACUUM INTO '{}'", path.display())).await.unwrap();
        original.close().await.unwrap();
        let url = format!("sqlite://{}", path.display());
        execute(&url, &format!("PRAGMA journal_mode = {journal}")).await;
        url
    }

    /// The configuration with another database.
    pub(super) fn on(&self, url: &str) -> String {
        self.with_key("database", "url", &format!("\"{url}\""))
    }

    pub(super) async fn examine(&self, configuration: &str) -> Vec<Outcome> {
        let disk = Surroundings { clock_file: None, mounts: "/dev/sda1 / ext4 rw 0 0\n".to_owned() };
        self.examine_in(configuration, &disk).await
    }

    pub(super) async fn examine_in(&self, configuration: &str, surroundings: &Surroundings) -> Vec<Outcome> {
        let config = config::from_toml(configuration, std::iter::empty()).unwrap();
        let clock: SharedClock = Arc::clone(&self.stage.clock) as _;
        let patient = Patient { config: &config, clock: &clock, surroundings, test_mail: None };
        let mut told = Vec::new();
        let outcomes = doctor::examine(patient, |outcome| told.push(outcome.clone())).await.unwrap();
        assert_eq!(told, outcomes, "every outcome is told as it comes");
        outcomes
    }

    /// Microsoft's end is as it was.
    pub(super) fn heal(&self) {
        let world = self.stage.world();
        world.clear_faults();
        world.switch(|switches| *switches = Switches::default());
        for app in [App::Marketplace, App::SignIn, App::Staff] {
            world.restore_secret(app);
        }
        simulated::register(&self.stage.simulator, &self.stage.public_url);
    }

    /// A configuration has this complaint and no other; gives what was seen.
    pub(super) async fn complains(&self, what: &str, configuration: &str, expected: Complaint) -> String {
        let outcomes = self.examine(configuration).await;
        self.heal();
        only(what, &outcomes, expected)
    }
}

/// Two offers, without the one of the example whose segments overlap.
pub(super) fn catalog() -> String {
    let all = stage::catalog();
    let offers: Vec<&str> =
        all.split("[[offer]]\n").filter(|offer| !offer.starts_with("id = \"scepman-ee\"")).collect();
    offers.join("[[offer]]\n")
}

pub(super) async fn execute(url: &str, sql: &str) {
    let connection = Sea::connect(url).await.unwrap();
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

pub(super) fn complaints(outcomes: &[Outcome]) -> Vec<String> {
    let bad = outcomes.iter().filter(|outcome| outcome.verdict.mend().is_some());
    bad.map(|outcome| format!("{}: {:?}", outcome.check.id, outcome.verdict)).collect()
}

/// Asserts that this is the one complaint, and that what was not checked stands on it.
pub(super) fn only(what: &str, outcomes: &[Outcome], (id, level, whose, does): Complaint) -> String {
    let all = complaints(outcomes);
    assert_eq!(all.len(), 1, "{what} has one complaint: {all:#?}");
    let outcome = outcomes.iter().find(|outcome| outcome.verdict.mend().is_some()).unwrap();
    let mend = outcome.verdict.mend().unwrap();
    let is_wrong = matches!(outcome.verdict, Verdict::Wrong(..));
    assert_eq!((outcome.check.id, is_wrong), (id, level == Wrong), "{what}: {all:#?}");
    assert_eq!(mend.whose, whose, "{what}: {all:#?}");
    assert!(mend.does.starts_with(does), "{what}: {all:#?}");
    assert!(outcome.check.mends.contains(&mend), "{what}: the table of {id} lacks “{}”", mend.does);
    let mut fallen = vec![id];
    for outcome in outcomes {
        if let Verdict::NotChecked(reason) = &outcome.verdict
            && reason.starts_with("because")
        {
            let stands_on_it = outcome.check.needs.iter().any(|need| fallen.contains(need))
                // These two are of one look at the same files.
                || reason == &format!("because {id} is not well");
            assert!(stands_on_it, "{what}: {} was not checked: {reason}", outcome.check.id);
            fallen.push(outcome.check.id);
        }
    }
    outcome.verdict.saw().to_owned()
}
