//! `seatkey doctor`: a good configuration is well in everything; each of many that differ from it in one thing is found and named,
//! and nothing else is reported beside it.

mod bench;
mod command;
mod puppets;
mod sentences;
mod wrong_configuration;
mod wrong_database;
mod wrong_world;
