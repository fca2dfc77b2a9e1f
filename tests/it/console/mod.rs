//! The console: who gets in, and what it shows.

pub(crate) mod decisions;
mod rights;
mod sign_in;
