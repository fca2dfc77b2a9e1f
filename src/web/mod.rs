//! The buyers' pages, the API, and what machines ask for.
//!
//! Owns: routes, cookies, forms, headers, which page is shown when. Does not own: what a page says (`pages`), decisions
//! (`app`, `domain`).

mod account;
mod account_facts;
mod api;
mod console;
mod contacts;
mod enrolment;
mod follow;
mod key;
mod landing;
mod license_keys;
mod machine;
mod metrics;
mod pace;
mod policy;
mod progress;
mod purchase;
mod refusal;
mod review;
mod routes;
mod seats;
mod sent;
mod server;
mod sign_in;
mod subscriptions;
mod users;
mod visit;
mod webhook;
mod withdrawal;

pub use policy::{Access, POLICY};
pub use routes::list_routes;
pub use server::{Readiness, Server, ServerOptions};
