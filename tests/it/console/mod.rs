//! The console: who gets in, and what it shows.

mod rights;
mod sign_in;
