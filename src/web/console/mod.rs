//! The console of sales-ops, finance, support and admins.
//!
//! Owns: its routes and forms, which page is shown when, who may ask. Does not own: what a page says (`pages::console`),
//! what a role may do (`app::desk`).

mod decision;
mod list;
mod sign_in;
mod stop;
mod subscriptions;
mod today;
mod visit;

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
        get("/console/approvals/{proposal}", |to| to.to(desk(decision::find))),
        post("/console/approvals/{proposal}/approve", |to| to.to(desk(decision::approve))),
        post("/console/approvals/{proposal}/refuse", |to| to.to(desk(decision::refuse))),
        get("/console/subscriptions", |to| to.to(desk(rows::<subscriptions::Subscriptions>))),
        get("/console/subscriptions.csv", |to| to.to(desk(csv::<subscriptions::Subscriptions>))),
    ]
}
