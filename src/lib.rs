//! Seatkey connects software publishers to Microsoft's commercial marketplace.
//!
//! The modules stand in the order in which they may import each other: a later group may use an earlier one, never the
//! other way round, and the adapters never import each other (`tests/it/architecture.rs` checks it). [`simulator`] uses
//! [`clock`] alone.

pub mod clock;
#[cfg(not(feature = "crash-points"))]
mod crash;
#[cfg(feature = "crash-points")]
pub mod crash;
pub mod entra;
pub mod hash;
pub mod http;
pub mod meters;
pub mod telemetry;
pub mod trace;

pub mod simulator;

pub mod domain;

pub mod config;
pub mod templates;

pub mod pages;

pub mod identity;
pub mod mail;
pub mod marketplace;
pub mod signing;
pub mod store;

pub mod app;

pub mod jobs;
pub mod web;

pub mod startup;

pub mod doctor;

pub mod cli;
