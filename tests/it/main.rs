//! The stories: the whole application in-process against the simulator, over real HTTP, SQL, OpenID Connect and SMTP, on
//! SQLite and PostgreSQL, with stepped time and jobs run by hand.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod architecture;
mod support;

mod account;
mod alarms;
mod api;
mod backup;
mod boundaries;
mod browser;
mod console;
mod console_desk;
mod console_lists;
mod crashes;
mod cuts;
mod database_tokens;
mod demo;
mod demo_history;
mod deployment;
mod doctor;
mod double_submits;
mod exactness;
mod explanations;
mod failover;
mod false_bodies;
mod free_keys;
mod grace;
mod health;
mod histories;
mod injections;
mod installations;
mod jobs;
mod jose;
mod life;
mod looks;
mod mail;
mod marketplace_client;
mod openapi;
mod orders;
mod otlp;
mod outages;
mod prices;
mod purchase;
mod reconcile;
mod replicas;
mod restore;
mod rolling;
mod schema;
mod sign_in;
mod storms;
mod strangers;
mod tampering;
mod traces;
mod trials;
mod vault;
mod verification;
mod watching;
mod webhook_tokens;
