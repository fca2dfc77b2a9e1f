//! The rules, pure: no I/O, no `async`, no clock, no environment.
//!
//! Owns: every decision about money, time, states and rights. It is told `now`, ids and prices, and returns values.
//! Does not own: where those come from (`store`, `marketplace`) and what is done with them (`app`).

// No binary float (clippy.toml names the types): nobody may make an exception.
#![forbid(clippy::disallowed_types, clippy::float_arithmetic)]

pub mod api_key;
pub mod approval;
pub mod catalog;
pub mod change;
pub mod charge;
pub mod credit;
pub mod decision;
pub mod enrolment;
pub mod explanation;
pub mod license;
pub mod money;
pub mod numbers;
pub mod policy;
pub mod pricing;
pub mod proration;
pub mod quote_json;
pub mod recurring;
pub mod restore;
pub mod staff;
pub mod subscription;
#[cfg(test)]
pub(crate) mod testing;
pub mod time;
pub mod trial_grant;
pub mod usage;
pub mod usage_net;
pub mod usage_sums;
pub mod words;
