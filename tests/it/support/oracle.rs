//! What must have followed from what Microsoft said: worked out from the simulator's own record, not from the program.

use std::collections::{BTreeMap, BTreeSet};

use seatkey::{domain::license::Claims, signing};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Stage, lab};

/// Mails that a date asks for, not an event.
const BY_THE_CALENDAR: [&str; 3] = ["renewal_ahead", "trial_ends", "set_up_reminder"];

/// What one subscription's answers told, one after the other.
#[derive(Debug)]
pub(crate) struct Oracle {
    pub(crate) id: Uuid,
    /// What Microsoft said when it was asked last.
    seen: Value,
    /// Mails by event.
    expected: BTreeMap<&'static str, usize>,
    /// First days of the terms that began.
    terms: BTreeSet<String>,
    plan_changes: usize,
    /// Microsoft changed to a plan that succeeds no other.
    has_a_refused_plan: bool,
}

impl Oracle {
    /// Of a subscription that somebody has just enrolled in.
    pub(crate) fn of(stage: &Stage, id: Uuid) -> Self {
        let seen = stage.world().subscription(id);
        let expected = BTreeMap::from([("welcome", 1)]);
        Self { id, seen, expected, terms: BTreeSet::new(), plan_changes: 0, has_a_refused_plan: false }
    }

    /// Microsoft's answer was taken: what it shows now is known, and what is different now was told.
    pub(crate) fn look(&mut self, stage: &Stage) {
        let now = stage.world().subscription(self.id);
        let different = |pointer: &str| now.pointer(pointer) != self.seen.pointer(pointer);
        if different("/quantity") {
            *self.expected.entry("seats_changed").or_default() += 1;
        }
        let told = match (status(&self.seen), status(&now)) {
            ("Subscribed", "Suspended") => Some("suspended"),
            ("Suspended", "Subscribed") => Some("reinstated"),
            (before, "Unsubscribed") if before != "Unsubscribed" => Some("cancelled"),
            _ => None,
        };
        if let Some(event) = told {
            *self.expected.entry(event).or_default() += 1;
        }
        if different("/term/startDate") && status(&now) != "Unsubscribed" {
            self.terms.insert(now["term"]["startDate"].as_str().unwrap()[..10].to_owned());
        }
        self.plan_changes += usize::from(different("/planId"));
        self.has_a_refused_plan |= different("/planId") && now["planId"] != "konnekt-yearly-2";
        self.seen = now;
    }

    /// So many changes more have to be refused. Who never says so leaves open how many are.
    pub(crate) fn expect_refusals(&mut self, count: usize) {
        *self.expected.entry("change_refused").or_default() += count;
    }

    /// How mails, keys and charges differ from what must have followed, in words.
    pub(crate) async fn complaints(&self, stage: &Stage, mailed: &[String]) -> Vec<String> {
        let mut complaints = self.about_mails(stage, mailed).await;
        complaints.extend(self.about_keys(stage, mailed).await);
        complaints.extend(self.about_charges(stage, mailed).await);
        complaints.extend(self.about_findings(stage).await);
        complaints
    }

    fn has_ended(&self) -> bool {
        status(&self.seen) == "Unsubscribed"
    }

    async fn about_mails(&self, stage: &Stage, mailed: &[String]) -> Vec<String> {
        let mut counts = BTreeMap::<&str, usize>::new();
        for mail in mailed {
            *counts.entry(mail.split('.').next().unwrap()).or_default() += 1;
        }
        let refused = counts.remove("change_refused").unwrap_or_default();
        let refused_expected = self.expected.get("change_refused").copied();
        let operations = operations(stage, self.id);
        let renewed: BTreeSet<&str> = mailed.iter().filter_map(|mail| mail.strip_prefix("renewed.")).collect();
        counts.remove("renewed");
        counts.remove("key_ready");
        counts.retain(|event, _| !BY_THE_CALENDAR.contains(event));
        let mut expected: BTreeMap<&str, usize> = self
            .expected
            .iter()
            .filter(|(event, _)| **event != "change_refused")
            .map(|(event, count)| (*event, *count))
            .collect();
        let mut complaints = Vec::new();
        // Years without a mail server: what had not left by then has nobody to go to.
        let enrolment = stage.app.store.find_enrolment(self.id).await.unwrap().unwrap();
        if enrolment.buyer_email == "(erased)" {
            expected.retain(|event, _| counts.contains_key(event));
        }
        if counts != expected {
            complaints.push(format!("mails {counts:?}, expected {expected:?}"));
        }
        let terms: BTreeSet<&str> = self.terms.iter().map(String::as_str).collect();
        // The end may come between the first look at a term and its writing.
        if !(renewed == terms || self.has_ended() && renewed.is_subset(&terms)) {
            complaints.push(format!("renewals {renewed:?}, expected {terms:?}"));
        }
        let asked = mailed.iter().filter_map(|mail| mail.strip_prefix("change_refused."));
        complaints.extend(asked.filter(|id| !operations.contains(*id)).map(|id| format!("{id} was never asked for")));
        if refused_expected.is_some_and(|expected| expected != refused) {
            complaints.push(format!("{refused} refusals, expected {refused_expected:?}"));
        }
        complaints
    }

    /// Each key has its cause: the enrolment, seats, a term, a plan, the end; and where fees are metered, an acceptance, which
    /// is mailed, or the time until it, which is bridged at most once a term. Whoever has paid everything has a full key.
    async fn about_keys(&self, stage: &Stage, mailed: &[String]) -> Vec<String> {
        let newest = stage.app.store.find_newest_key(self.id).await.unwrap().unwrap();
        let charges = stage.app.store.list_charges(self.id).await.unwrap();
        let seats = self.expected.get("seats_changed").copied().unwrap_or_default();
        let terms = self.terms.len();
        let accepted: Vec<&str> = mailed.iter().filter_map(|mail| mail.strip_prefix("key_ready.")).collect();
        let bridged = if charges.is_empty() { 0 } else { 1 + terms };
        let most = 1 + seats + terms + self.plan_changes + usize::from(self.has_ended()) + accepted.len() + bridged;
        let is = usize::try_from(newest.seq).unwrap();
        let mut complaints = Vec::new();
        if is > most {
            complaints.push(format!("{is} keys, expected at most {most}"));
        }
        let announced = |seq: &&&str| seq.parse::<usize>().is_ok_and(|seq| (2..=is).contains(&seq));
        if accepted.iter().filter(announced).count() != accepted.len() {
            complaints.push(format!("keys {accepted:?} were mailed, there are {is}"));
        }
        let paid = !charges.iter().any(|charge| charge.state.is_open());
        if status(&self.seen) == "Subscribed" && paid {
            complaints.extend(self.about_full_key(&signing::inspect(&newest.compact).unwrap()));
        }
        complaints
    }

    /// Everything is paid: the newest key says what Microsoft says.
    fn about_full_key(&self, claims: &Claims) -> Vec<String> {
        let mut complaints = Vec::new();
        if claims.provisional {
            complaints.push(format!("key {} is provisional, and everything is paid", claims.seq));
        }
        let until = OffsetDateTime::from_unix_timestamp(claims.exp - 1).unwrap().date().to_string();
        let term_end = &self.seen["term"]["endDate"].as_str().unwrap()[..10];
        if until != term_end {
            complaints.push(format!("key {} works until {until}, the term ends on {term_end}", claims.seq));
        }
        let users = self.seen["quantity"].as_u64();
        if users.is_some() && claims.users.map(u64::from) != users {
            complaints.push(format!("key {} is for {:?} users, not {users:?}", claims.seq, claims.users));
        }
        complaints
    }

    /// Once for each (term, reason, dimension); a full term of 150 users costs what the price list says.
    async fn about_charges(&self, stage: &Stage, mailed: &[String]) -> Vec<String> {
        let charges = stage.app.store.list_charges(self.id).await.unwrap();
        let mut lines = BTreeMap::<(String, &str, &str), usize>::new();
        let mut sums = BTreeMap::<String, i64>::new();
        for charge in charges.iter().filter(|charge| charge.state.as_str() != "cancelled") {
            let term = charge.term_start.to_string();
            *lines.entry((term.clone(), charge.reason.as_str(), &charge.dimension)).or_default() += 1;
            if charge.reason.as_str() == "renewal" {
                *sums.entry(term).or_default() += charge.amount.minor;
            }
        }
        let twice =
            lines.into_iter().filter(|(_, count)| *count > 1).map(|(line, _)| format!("{line:?} is charged twice"));
        let mut complaints: Vec<String> = twice.collect();
        let fee = match self.seen["offerId"].as_str().unwrap() {
            // 600.00 and 125 × 12.00
            "konnekt" => 210_000,
            // 55.00 and 100 × 1.10
            "scepman-ee" => 16_500,
            _ => return complaints,
        };
        for term in mailed.iter().filter_map(|mail| mail.strip_prefix("renewed.")) {
            let sum = sums.remove(term).unwrap_or_default();
            // What was still held at the end is dropped.
            let dropped = self.has_ended() && sum == 0;
            if sum != fee && !dropped && !self.is_free_in_part(stage, term).await {
                complaints.push(format!("the term of {term} is charged with {sum}, not {fee}"));
            }
        }
        complaints.extend(sums.into_keys().map(|term| format!("the term of {term} is charged and was not told of")));
        complaints
    }

    /// A person is told of a plan or seats that Microsoft changed although they were refused, and of nothing else. Fees that
    /// were not accepted have stories and an oracle of their own (`installations`).
    async fn about_findings(&self, stage: &Stage) -> Vec<String> {
        let findings = stage.app.store.list_findings(self.id).await.unwrap();
        let (told, odd): (Vec<_>, Vec<_>) = findings.into_iter().partition(|finding| finding.kind == "plan_changed");
        let too_few = |seats: &str| seats.parse::<u32>().is_ok_and(|seats| seats < lab::MINIMUM_USERS);
        let odd = odd
            .into_iter()
            .filter(|finding| finding.kind != "seats_changed" || !too_few(&finding.cause))
            .filter(|finding| !finding.kind.starts_with("charge_"));
        let mut complaints: Vec<String> = odd.map(|finding| finding.detail).collect();
        if told.is_empty() == self.has_a_refused_plan {
            complaints.push(format!("findings about the plan: {told:?}"));
        }
        complaints
    }

    /// Whether the trial reaches into that term.
    async fn is_free_in_part(&self, stage: &Stage, term: &str) -> bool {
        let known = stage.app.store.find_subscription(self.id).await.unwrap().unwrap();
        known.trial_end.is_some_and(|end| end.to_string().as_str() >= term)
    }
}

/// The ids of the changes that the customer asked for.
fn operations(stage: &Stage, id: Uuid) -> BTreeSet<String> {
    let webhooks = stage.world().webhooks_of(id);
    let changes = webhooks.iter().filter(|webhook| webhook.action.starts_with("Change"));
    changes.map(|webhook| webhook.operation_id.to_string()).collect()
}

fn status(seen: &Value) -> &str {
    seen["saasSubscriptionStatus"].as_str().unwrap()
}
