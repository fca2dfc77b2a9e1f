//! The console: who gets in, and what it shows.

mod decisions;
mod rights;
mod sign_in;
