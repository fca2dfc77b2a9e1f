//! The console of sales-ops, finance, support and admins.
//!
//! Owns: its routes and forms, which page is shown when, who may ask. Does not own: what a page says (`pages::console`),
//! what a role may do (`app::desk`).

mod acts;
mod catalog;
mod change;
mod conversion;
mod decision;
mod extension;
mod jobs;
mod ledger;
mod list;
mod mails;
mod names;
mod numbers;
mod search;
mod sign_in;
mod staff_actions;
mod stop;
mod subscription;
mod subscription_facts;
mod subscriptions;
mod today;
mod trace;
mod trials;
mod visit;
mod webhooks;

use super::routes::{Line, get, post};
use list::{csv, rows};
use visit::desk;

/// The console's routes.
pub(super) fn lines() -> Vec<Line> {
    vec![
        get("/console/sign-in", |to| to.to(desk(sign_in::depart))),
        get("/console/sign-in/callback", |to| to.to(desk(sign_in::arrive))),
        post("/console/sign-out", |to| to.to(desk(sign_in::sign_out))),
        get("/console", |to| to.to(desk(today::show))),
        get("/console/charges/{charge}", |to| to.to(desk(decision::show))),
        post("/console/charges/{charge}/propose", |to| to.to(desk(decision::propose))),
        post("/console/charges/{charge}/credit", |to| to.to(desk(decision::credit))),
        get("/console/approvals/{proposal}", |to| to.to(desk(decision::find))),
        post("/console/approvals/{proposal}/approve", |to| to.to(desk(decision::approve))),
        post("/console/approvals/{proposal}/refuse", |to| to.to(desk(decision::refuse))),
        get("/console/subscriptions", |to| to.to(desk(rows::<subscriptions::Subscriptions>))),
        get("/console/subscriptions.csv", |to| to.to(desk(csv::<subscriptions::Subscriptions>))),
        get("/console/subscriptions/{id}", |to| to.to(desk(subscription::show))),
        post("/console/subscriptions/{id}/notes", |to| to.to(desk(acts::note))),
        post("/console/subscriptions/{id}/users", |to| to.to(desk(change::review))),
        get("/console/subscriptions/{id}/users/review/{change}", |to| to.to(desk(change::show))),
        post("/console/subscriptions/{id}/users/submit", |to| to.to(desk(change::submit))),
        post("/console/subscriptions/{id}/users/cancel-downgrade", |to| to.to(desk(change::keep))),
        post("/console/subscriptions/{id}/extension", |to| to.to(desk(extension::review))),
        get("/console/subscriptions/{id}/extension/review", |to| to.to(desk(extension::show))),
        post("/console/subscriptions/{id}/extension/submit", |to| to.to(desk(extension::submit))),
        post("/console/subscriptions/{id}/key/resend", |to| to.to(desk(acts::resend_key))),
        post("/console/subscriptions/{id}/key/rotate", |to| to.to(desk(acts::rotate_key))),
        post("/console/subscriptions/{id}/contacts", |to| to.to(desk(acts::change_contacts))),
        post("/console/subscriptions/{id}/person", |to| to.to(desk(acts::bind_person))),
        post("/console/subscriptions/{id}/webhooks/replay", |to| to.to(desk(acts::replay_webhook))),
        post("/console/subscriptions/{id}/jobs/retry", |to| to.to(desk(acts::retry_job))),
        post("/console/subscriptions/{id}/reconcile", |to| to.to(desk(acts::reconcile))),
        get("/console/ledger", |to| to.to(desk(rows::<ledger::Ledger>))),
        get("/console/ledger.csv", |to| to.to(desk(csv::<ledger::Ledger>))),
        get("/console/webhooks", |to| to.to(desk(rows::<webhooks::Webhooks>))),
        get("/console/webhooks.csv", |to| to.to(desk(csv::<webhooks::Webhooks>))),
        get("/console/jobs", |to| to.to(desk(rows::<jobs::Jobs>))),
        get("/console/jobs.csv", |to| to.to(desk(csv::<jobs::Jobs>))),
        get("/console/mails", |to| to.to(desk(rows::<mails::Mails>))),
        get("/console/mails.csv", |to| to.to(desk(csv::<mails::Mails>))),
        get("/console/mails/{id}", |to| to.to(desk(mails::show))),
        get("/console/trials", |to| to.to(desk(rows::<trials::Trials>))),
        get("/console/trials.csv", |to| to.to(desk(csv::<trials::Trials>))),
        get("/console/trials/conversion", |to| to.to(desk(rows::<conversion::Conversion>))),
        get("/console/trials/conversion.csv", |to| to.to(desk(csv::<conversion::Conversion>))),
        get("/console/trials/new", |to| to.to(desk(trials::ask))),
        post("/console/trials", |to| to.to(desk(trials::grant))),
        get("/console/trials/{id}", |to| to.to(desk(trials::show))),
        post("/console/trials/{id}/approve", |to| to.to(desk(trials::approve))),
        post("/console/trials/{id}/revoke", |to| to.to(desk(trials::revoke))),
        get("/console/catalog", |to| to.to(desk(catalog::show))),
        get("/console/catalog.csv", |to| to.to(desk(csv::<catalog::Prices>))),
        get("/console/staff-actions", |to| to.to(desk(rows::<staff_actions::StaffActions>))),
        get("/console/staff-actions.csv", |to| to.to(desk(csv::<staff_actions::StaffActions>))),
        get("/console/numbers", |to| to.to(desk(numbers::show))),
        get("/console/numbers.csv", |to| to.to(desk(csv::<numbers::Figures>))),
        get("/console/trace", |to| to.to(desk(trace::show))),
        get("/console/search", |to| to.to(desk(search::show))),
    ]
}
