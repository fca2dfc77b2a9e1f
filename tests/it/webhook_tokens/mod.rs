//! The token of Microsoft's webhook: every kind of bad token differs from an accepted one in exactly one thing.

mod bad_claims;
mod bad_headers;
mod bad_ids;
mod bad_shapes;
mod bad_times;
mod documents;
mod entra;
mod forge;
mod good;
mod keys;
mod kinds;
mod logs;
mod simulator;
