//! The rooms: each from its beginning, deep inside, and with every filter, common and rare.

use super::{
    asked::{Asked, Case, List, each, pairs},
    samples::Samples,
};
use crate::support::bare::{Statement, text};

const SUBSCRIPTIONS: List = List { path: "/console/subscriptions", table: "subscription", by_time: true };
const LEDGER: List = List { path: "/console/ledger", table: "charge", by_time: false };
const WEBHOOKS: List = List { path: "/console/webhooks", table: "webhook", by_time: false };
const JOBS: List = List { path: "/console/jobs", table: "job", by_time: false };
const MAILS: List = List { path: "/console/mails", table: "mail", by_time: false };
const TRIALS: List = List { path: "/console/trials", table: "trial_grant", by_time: false };
const AUDIT: List = List { path: "/console/staff-actions", table: "audit", by_time: false };

const STAGES: [&str; 5] = ["awaiting_enrolment", "activating", "active", "suspended", "ended"];
const OFFERS: [&str; 5] = ["konnekt", "scepman-ee", "radiusaas", "realmjoin", "nobodys"];
const PLANS: [&str; 6] =
    ["konnekt-yearly", "konnekt-2022", "scepman-ee-monthly", "radiusaas-yearly", "realmjoin-yearly", "nobodys"];
const STATES: [&str; 12] = [
    "held",
    "due",
    "sending",
    "accepted",
    "unknown",
    "conflict",
    "rejected",
    "expired",
    "written_off",
    "cancelled",
    "frozen",
    "credited",
];
const REASONS: [&str; 5] = ["enrolment", "renewal", "upgrade", "correction", "credit"];
const CURRENCIES: [&str; 5] = ["EUR", "USD", "GBP", "CHF", "JPY"];
const ACTIONS: [&str; 6] = ["ChangePlan", "ChangeQuantity", "Renew", "Suspend", "Unsubscribe", "Reinstate"];
const KINDS: [&str; 9] = [
    "send_mail",
    "handle_webhook",
    "activate_subscription",
    "keep_appointment",
    "release_charges",
    "issue_key",
    "rewrite_charges",
    "report_usage",
    "nobodys",
];
const DEEDS: [&str; 7] = [
    "order_submitted",
    "note_added",
    "key_resent",
    "person_bound",
    "staff_signed_in",
    "trial_granted",
    "ledger_verified",
];
const PEOPLE: [&str; 6] = ["staff", "buyer", "api", "operator", "seatkey", "microsoft"];

const GRANTS: &str = "SELECT offer_id, state, granted_at, expires_at, subscription_id FROM trial_grant";

pub(super) fn cases(samples: &Samples) -> Vec<Case> {
    let case = |name, asked| Case { name, asked };
    let held: Statement = ("SELECT count(*) FROM charge WHERE state = $1", vec![text("held")]);
    let mut cases = vec![case("Today", vec![Asked::new("/console", held)])];
    cases.extend(subscriptions(samples));
    cases.extend(ledger(samples));
    cases.extend(others(samples));
    let numbers: Statement = ("SELECT * FROM rolled_up", Vec::new());
    cases.push(case("Numbers", vec![Asked::new("/console/numbers", numbers)]));
    cases.push(case("Catalog", vec![Asked::new("/console/catalog", ("SELECT 1", Vec::new()))]));
    cases
}

/// Pages of things that have an id.
fn one(path: &str, sql: &'static str, ids: &[String]) -> Vec<Asked> {
    ids.iter().map(|id| Asked::new(format!("{path}{id}"), (sql, vec![text(id.as_str())]))).collect()
}

fn subscriptions(samples: &Samples) -> Vec<Case> {
    let few = samples.few(&samples.times);
    let charges = "SELECT * FROM charge WHERE subscription_id = $1::uuid ORDER BY created_at";
    let page = |ids: &[String]| one("/console/subscriptions/", charges, ids);
    let tenants: Vec<&str> = samples.tenants.iter().map(String::as_str).collect();
    let (much, some) = samples.sampled.split_at(1);
    let list = |name, filters: &[Vec<(&str, &str)>], places: &[String]| Case {
        name,
        asked: SUBSCRIPTIONS.pages(filters, places),
    };
    vec![
        list("Subscriptions, first page", &[Vec::new()], &[]),
        list("Subscriptions, deep", &[Vec::new()], &samples.times),
        list("Subscriptions of a stage", &each("stage", &STAGES), &few),
        list("Subscriptions of an offer", &each("offer", &OFFERS), &few),
        list("Subscriptions of a plan", &each("plan", &PLANS), &few),
        list("Subscriptions of a tenant", &each("tenant", &tenants), &[]),
        list("Subscriptions, stage and offer", &pairs(("stage", &STAGES), ("offer", &OFFERS)), &[]),
        list("Subscriptions, offer and plan", &pairs(("offer", &OFFERS), ("plan", &PLANS)), &[]),
        Case { name: "A subscription", asked: page(some) },
        Case { name: "A subscription with 600 of everything", asked: page(much) },
    ]
}

fn ledger(samples: &Samples) -> Vec<Case> {
    let few = samples.few(&samples.ids);
    let subscriptions: Vec<&str> = samples.subscriptions.iter().map(String::as_str).collect();
    let list =
        |name, filters: &[Vec<(&str, &str)>], places: &[String]| Case { name, asked: LEDGER.pages(filters, places) };
    let decision = "SELECT * FROM charge WHERE id = $1::uuid";
    vec![
        list("Ledger, first page", &[Vec::new()], &[]),
        list("Ledger, deep", &[Vec::new()], &samples.ids),
        list("Ledger, a state", &each("state", &STATES), &few),
        list("Ledger, a reason", &each("reason", &REASONS), &few),
        list("Ledger, a currency", &each("currency", &CURRENCIES), &few),
        list("Ledger of a subscription", &each("subscription", &subscriptions), &[]),
        list("Ledger, state and reason", &pairs(("state", &STATES), ("reason", &REASONS)), &[]),
        list("Ledger, state and currency", &pairs(("state", &STATES), ("currency", &CURRENCIES)), &[]),
        list("Ledger, reason and currency", &pairs(("reason", &REASONS), ("currency", &CURRENCIES)), &[]),
        Case { name: "A charge to decide about", asked: one("/console/charges/", decision, &samples.decisions) },
    ]
}

fn others(samples: &Samples) -> Vec<Case> {
    let few = samples.few(&samples.ids);
    let subscriptions: Vec<&str> = samples.subscriptions.iter().map(String::as_str).collect();
    let house = "00000000-0000-0000-0000-000000000000";
    let of = each("subscription", &subscriptions);
    let case = |name, asked| Case { name, asked };
    let mail = "SELECT * FROM mail WHERE id = $1::uuid";
    let trial = "SELECT * FROM trial_grant WHERE id = $1::uuid";
    let mut who = pairs(("who", &PEOPLE), ("action", &DEEDS));
    who.push(vec![("subscription", house), ("who", "operator")]);
    vec![
        case("Webhooks, first page and deep", WEBHOOKS.pages(&[Vec::new()], &samples.ids)),
        case("Webhooks, action", WEBHOOKS.pages(&each("action", &ACTIONS), &few)),
        case("Webhooks, handled or not", WEBHOOKS.pages(&each("handled", &["yes", "no"]), &few)),
        case("Webhooks, both", WEBHOOKS.pages(&pairs(("action", &ACTIONS), ("handled", &["yes", "no"])), &[])),
        case("Webhooks of a subscription", WEBHOOKS.pages(&of, &[])),
        case("Jobs, first page and deep", JOBS.pages(&[Vec::new()], &samples.ids)),
        case("Jobs, a state", JOBS.pages(&each("state", &["ready", "done", "dead"]), &few)),
        case("Jobs, a kind", JOBS.pages(&each("kind", &KINDS), &few)),
        case("Jobs, both", JOBS.pages(&pairs(("state", &["ready", "done", "dead"]), ("kind", &KINDS)), &[])),
        case("Mails, first page and deep", MAILS.pages(&[Vec::new()], &samples.ids)),
        case("Mails, a state", MAILS.pages(&each("state", &["queued", "sent", "erased"]), &few)),
        case("Mails of a subscription", MAILS.pages(&of, &[])),
        case("A mail", one("/console/mails/", mail, &samples.mails)),
        case("Trials, first page and deep", TRIALS.pages(&[Vec::new()], &samples.ids)),
        case("Trials, how they stand", TRIALS.pages(&each("state", &["proposed", "open", "used", "revoked"]), &few)),
        case("Conversion of trials", vec![Asked::new("/console/trials/conversion", (GRANTS, Vec::new()))]),
        case("A trial", one("/console/trials/", trial, &samples.trials)),
        case("Staff actions, first page and deep", AUDIT.pages(&[Vec::new()], &samples.ids)),
        case("Staff actions, who", AUDIT.pages(&each("who", &PEOPLE), &few)),
        case("Staff actions, what", AUDIT.pages(&each("action", &DEEDS), &few)),
        case("Staff actions, who and what", AUDIT.pages(&who, &[])),
        case("Staff actions of a subscription", AUDIT.pages(&of, &few)),
        case("Staff actions of the house", AUDIT.pages(&each("subscription", &[house]), &few)),
    ]
}
