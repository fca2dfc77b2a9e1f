//! What the staff reads: the pages of the console.
//!
//! Owns: the wording. Invariants: a list is one [`table::Table`], whether it is shown as a page or downloaded as CSV;
//! the texts of customers are escaped by the templates, and made harmless for spreadsheets by `table`.

pub mod catalog;
pub mod change;
pub mod credit;
pub mod decision;
pub mod extension;
pub mod frame;
pub mod jobs;
pub mod ledger;
pub mod list;
pub mod mails;
pub mod numbers;
pub mod search;
pub mod staff_actions;
pub mod subscription;
pub mod subscriptions;
pub mod table;
pub mod today;
pub mod trace;
pub mod trials;
pub mod trouble;
pub mod webhooks;

pub(crate) mod samples;
