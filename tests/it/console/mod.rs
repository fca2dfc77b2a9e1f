//! The console: who gets in, and what it shows.

mod credits;
pub(crate) mod decisions;
mod rights;
mod sign_in;
