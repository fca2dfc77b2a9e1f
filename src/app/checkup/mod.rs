//! Checks of what Seatkey depends on: each looks at one thing, and where it is not well it says what was seen, whose it is
//! and the one sentence that mends it.
//!
//! Owns: the words of checks and outcomes, and every check that needs parts of the application alone. `seatkey doctor` makes
//! these and those of a configuration's files and addresses (`doctor`); of a running service the job [`check_up`] makes them
//! every hour, and the console's first page shows what it found.
//! Invariants: nothing is changed; no secret is in any text; a check has a time limit, and one whose
//! ground is not well is not made.

pub mod clocks;
pub mod database;
pub mod entra;
mod job;
pub mod mail;
pub mod marketplace;
pub mod shelf;
pub mod sign_in;
pub mod work;

use std::time::Duration;

pub use job::{check_up, schedule_check_up};

/// No check takes longer; what it waited for counts as silent.
const PATIENCE: Duration = Duration::from_secs(25);

/// Who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Whoever runs this installation.
    Operations,
    /// Whoever may change app registrations.
    EntraAdmin,
    /// Whoever may change the offers.
    PartnerCenter,
    /// Whoever keeps the catalog's file.
    Catalog,
    /// Whoever runs names, proxies and firewalls.
    Network,
    /// Whoever runs the mail server.
    Mail,
    /// Whoever runs the database.
    Database,
    /// Nobody here.
    Microsoft,
}

impl Whose {
    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operations => "the publisher's operations",
            Self::EntraAdmin => "the Entra administrator",
            Self::PartnerCenter => "the owner of the offer in Partner Center",
            Self::Catalog => "whoever keeps the catalog",
            Self::Network => "whoever runs DNS, proxy and network",
            Self::Mail => "whoever runs the mail server",
            Self::Database => "whoever runs the database",
            Self::Microsoft => "Microsoft",
        }
    }
}

/// What mends it.
#[derive(Debug, PartialEq, Eq)]
pub struct Mend {
    /// Whose it is.
    pub whose: Whose,
    /// One sentence.
    pub does: &'static str,
}

/// One thing that is looked at.
#[derive(Debug, PartialEq, Eq)]
pub struct Check {
    /// Its stable name; what stands before the dot is its concern.
    pub id: &'static str,
    /// What is so when it is well.
    pub is_well_when: &'static str,
    /// The checks that it stands on.
    pub needs: &'static [&'static str],
    /// Everything that can come of it.
    pub mends: &'static [&'static Mend],
}

impl Check {
    /// What it is about: the first part of its name.
    #[must_use]
    pub fn concern(&self) -> &'static str {
        self.id.split('.').next().unwrap_or(self.id)
    }
}

/// What was seen; the text says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is well.
    Well(String),
    /// It works, and somebody should look.
    Warning(&'static Mend, String),
    /// It does not work.
    Wrong(&'static Mend, String),
    /// It could not be looked at, or there is nothing to look at, and why.
    NotChecked(String),
}

impl Verdict {
    /// It is well, in fixed words.
    #[must_use]
    pub fn well(saw: &str) -> Self {
        Self::Well(saw.to_owned())
    }

    /// What was seen.
    #[must_use]
    pub fn saw(&self) -> &str {
        match self {
            Self::Well(saw) | Self::Warning(_, saw) | Self::Wrong(_, saw) | Self::NotChecked(saw) => saw,
        }
    }

    /// What mends it, where it is not well.
    #[must_use]
    pub fn mend(&self) -> Option<&'static Mend> {
        match self {
            Self::Warning(mend, _) | Self::Wrong(mend, _) => Some(mend),
            Self::Well(_) | Self::NotChecked(_) => None,
        }
    }
}

/// A check that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which.
    pub check: &'static Check,
    /// What came of it.
    pub verdict: Verdict,
}

/// Something between here and there swallows what is sent.
pub static SILENCE: Mend = Mend {
    whose: Whose::Network,
    does: "Find what swallows the connection: most often a firewall that drops packets instead of refusing them.",
};

/// Checks that are made one after the other.
pub struct Round<'a> {
    outcomes: Vec<Outcome>,
    tell: Box<dyn FnMut(&Outcome) + Send + 'a>,
}

impl std::fmt::Debug for Round<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Round").field("outcomes", &self.outcomes).finish_non_exhaustive()
    }
}

impl<'a> Round<'a> {
    /// A round that tells every outcome at once.
    pub fn telling(tell: impl FnMut(&Outcome) + Send + 'a) -> Self {
        Self { outcomes: Vec::new(), tell: Box::new(tell) }
    }

    /// Makes a check, unless what it stands on is not well.
    pub async fn look(&mut self, check: &'static Check, verdict: impl Future<Output = Verdict>) {
        let verdict = match self.obstacle(check) {
            Some((obstacle, how)) => Verdict::NotChecked(format!("because {obstacle} {how}")),
            None => tokio::time::timeout(PATIENCE, verdict).await.unwrap_or_else(|_| {
                Verdict::Wrong(&SILENCE, format!("there was no answer within {} seconds", PATIENCE.as_secs()))
            }),
        };
        self.note(check, verdict);
    }

    /// Notes what was seen already.
    pub fn note(&mut self, check: &'static Check, verdict: Verdict) {
        let outcome = Outcome { check, verdict };
        (self.tell)(&outcome);
        self.outcomes.push(outcome);
    }

    /// What has come out so far.
    #[must_use]
    pub fn into_outcomes(self) -> Vec<Outcome> {
        self.outcomes
    }

    /// The check in the way, and how it stands: of those that this one stands on, the first that is not well.
    fn obstacle(&self, check: &Check) -> Option<(&'static str, &'static str)> {
        let needed = self.outcomes.iter().filter(|outcome| check.needs.contains(&outcome.check.id));
        let mut in_the_way = needed.filter_map(|outcome| match outcome.verdict {
            Verdict::Wrong(..) => Some((outcome.check.id, "is not well")),
            Verdict::NotChecked(_) => Some((outcome.check.id, "was not checked")),
            Verdict::Well(_) | Verdict::Warning(..) => None,
        });
        in_the_way.next()
    }
}
