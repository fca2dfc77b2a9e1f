//! How far each part of Seatkey is from what the machine and the libraries below it could do: `cargo bench --bench limits`.
//!
//! Every figure stands beside its limit, measured in turns in the same run. Words behind `--` choose chapters, and
//! a database (`reporting PostgreSQL`).

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::float_arithmetic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark measures in floating point, prints a table, and ends when something is not as it must be"
)]

mod answers;
mod console;
mod enrolment_page;
mod enrolment_transaction;
mod ground;
mod page;
mod process;
mod quote;
mod replicas;
mod reporting;
mod rows;
mod signing;
#[path = "../support/mod.rs"]
mod support;
mod sweep;
mod webhooks;

use seatkey::clock::Stopwatch;
use support::{
    postgres::Cluster,
    stage::Database,
    table::{Row, markdown},
};
use tokio::runtime::Runtime;

/// The chapters, in the order of the table.
const CHAPTERS: [&str; 12] = [
    "quote",
    "signing",
    "page",
    "enrolment-page",
    "enrolment-transaction",
    "webhooks",
    "answers",
    "sweep",
    "reporting",
    "process",
    "replicas",
    "console",
];
/// Those that take a PostgreSQL.
const WITH_DATABASES: [&str; 7] =
    ["enrolment-page", "enrolment-transaction", "webhooks", "answers", "reporting", "replicas", "console"];
/// Their names.
const DATABASES: [&str; 2] = ["SQLite", "PostgreSQL"];
/// Those that take so long that they run only when they are named.
const ON_REQUEST: [&str; 1] = ["console"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` runs this, too: there it has nothing to say.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let named: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let chosen: Vec<&str> =
        DATABASES.into_iter().filter(|database| named.iter().any(|name| *name == database)).collect();
    let named: Vec<&String> = named.into_iter().filter(|name| !DATABASES.contains(&name.as_str())).collect();
    let is_named = |chapter: &str| named.iter().any(|name| *name == chapter);
    let is_wanted = |chapter: &str| is_named(chapter) || named.is_empty() && !ON_REQUEST.contains(&chapter);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // What is dropped here may still have something to say good-bye to, which takes a runtime.
    let _context = runtime.enter();
    let cluster = WITH_DATABASES.into_iter().any(is_wanted).then(Cluster::start);
    let mut databases = vec![Database::Sqlite];
    databases.extend(cluster.as_ref().map(Database::Postgres));
    databases.retain(|database| chosen.is_empty() || chosen.contains(&database.name()));
    let watch = Stopwatch::start();
    let mut rows = Vec::new();
    for chapter in CHAPTERS.into_iter().filter(|chapter| is_wanted(chapter)) {
        rows.extend(measure(&runtime, chapter, &databases));
        eprintln!("{chapter}: measured after {:.0} s", watch.elapsed().as_secs_f64());
    }
    println!("\n{}", markdown(&rows));
}

fn measure(runtime: &Runtime, chapter: &str, databases: &[Database<'_>]) -> Vec<Row> {
    let on_each = |measure: fn(&Runtime, Database<'_>) -> Vec<Row>| {
        databases.iter().flat_map(|database| measure(runtime, *database)).collect()
    };
    match chapter {
        "quote" => quote::measure(),
        "signing" => signing::measure(),
        "page" => page::measure(runtime),
        "enrolment-page" => on_each(enrolment_page::measure),
        "enrolment-transaction" => on_each(enrolment_transaction::measure),
        "webhooks" => on_each(webhooks::measure),
        "answers" => on_each(answers::measure),
        "reporting" => on_each(reporting::measure),
        "sweep" => sweep::measure(runtime),
        "console" => on_each(console::measure),
        // Several processes share a PostgreSQL alone.
        "replicas" => databases.last().map_or_else(Vec::new, |shared| replicas::measure(runtime, *shared)),
        _ => process::measure(runtime),
    }
}
