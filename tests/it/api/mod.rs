//! The REST API as the publisher's own systems meet it, over real HTTP. Every answer of every story is held against the
//! published document.

pub(crate) mod client;
mod document;
mod keys;
mod logs;
mod once;
mod problems;
mod quotes;
mod subscriptions;
mod trials;
