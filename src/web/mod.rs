//! The buyers' pages and what machines ask for.
//!
//! Owns: routes, cookies, forms, headers, which page is shown when. Does not own: what a page says (`pages`), decisions
//! (`app`, `domain`).

mod account;
mod enrolment;
mod landing;
mod license_keys;
mod machine;
mod pace;
mod progress;
mod purchase;
mod refusal;
mod review;
mod routes;
mod server;
mod sign_in;
mod subscriptions;
mod visit;
mod webhook;

pub use server::{Readiness, Server, ServerOptions};
