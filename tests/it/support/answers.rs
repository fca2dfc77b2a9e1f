//! What came of the requests of a load.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// Counts them, and keeps those that nobody should get.
#[derive(Clone, Default)]
pub(crate) struct Answers {
    counts: Arc<Mutex<BTreeMap<String, usize>>>,
    wrong: Arc<Mutex<Vec<String>>>,
}

impl Answers {
    /// Whoever has no answer, or one that is not allowed, complains.
    pub(crate) fn judge(&self, what: &str, status: Option<u16>, allowed: &[u16]) {
        self.count(what, &status.map_or_else(|| "without an answer".to_owned(), |status| status.to_string()));
        if !status.is_some_and(|status| allowed.contains(&status)) {
            self.wrong.lock().unwrap().push(format!("a {what}: {status:?}"));
        }
    }

    /// The connection broke: whoever was to answer may have died.
    pub(crate) fn cut(&self, what: &str) {
        self.count(what, "cut and sent again");
    }

    fn count(&self, what: &str, came: &str) {
        *self.counts.lock().unwrap().entry(format!("{what} {came}")).or_default() += 1;
    }

    /// All counts in words.
    pub(crate) fn told(&self) -> String {
        let counts = self.counts.lock().unwrap();
        counts.iter().map(|(what, count)| format!("{what}: {count}")).collect::<Vec<_>>().join(", ")
    }

    /// The complaints.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.wrong.lock().unwrap().clone()
    }
}
