//! Seatkey connects software publishers to Microsoft's commercial marketplace.
//!
//! The modules, in the order in which they may import each other (a later one may use an earlier one, never the other
//! way round; `tests/it/architecture.rs` checks it):

pub mod clock;
pub mod domain;
pub mod pages;
pub mod simulator;
pub mod templates;
