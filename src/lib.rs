//! Seatkey connects software publishers to Microsoft's commercial marketplace.
//!
//! The modules stand in the order in which they may import each other (a later one may use an earlier one, never the
//! other way round; `tests/it/architecture.rs` checks it). [`simulator`] uses [`clock`] alone.

pub mod clock;
pub mod http;
pub mod simulator;
pub mod telemetry;

pub mod domain;

pub mod config;

pub mod identity;
pub mod mail;
pub mod marketplace;
pub mod signing;
pub mod store;

pub mod cli;
