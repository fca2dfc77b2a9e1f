//! Processes that share one PostgreSQL: the single process that does everything (`serve`), one replica (`serve --no-workers`
//! and `work`), and three of them. Webhooks and reports a second, memory, and how long a start takes.
//!
//! Load, Microsoft, PostgreSQL and all processes share the machine: on two cores three replicas can hardly be faster than one.

mod fleet;

use seatkey::clock::Stopwatch;
use tokio::runtime::Runtime;

use super::process::nothing;
use crate::support::{
    stage::Database,
    table::{Row, time},
    timing::interleave,
};
use fleet::{Fleet, SERVE, SINGLE, WORK};

const ROUNDS: usize = 7;
const READY_SECONDS: f64 = 1.0;
/// Megabytes, as the goals have them; the kernel counts in MiB.
const IDLE: (f64, &str) = (60.0, "< 60 MB");
const BUSY: (f64, &str) = (150.0, "< 150 MB");

/// What is compared: a name, and the commands of its processes.
const SHAPES: [(&str, &[&[&str]]); 3] = [
    ("the single process", &[SINGLE]),
    ("one replica", &[WORK, SERVE]),
    ("three replicas", &[WORK, WORK, WORK, SERVE, SERVE, SERVE]),
];

/// What one shape came to.
struct Figures {
    webhooks_per_second: f64,
    handled_per_second: f64,
    events_per_second: f64,
    idle_mebibytes: f64,
    busy_mebibytes: f64,
}

pub(crate) fn measure(runtime: &Runtime, database: Database<'_>) -> Vec<Row> {
    let mut rows = vec![start(runtime, database)];
    let shapes = SHAPES.map(|(name, commands)| (name, of(runtime, database, commands)));
    let single = &shapes[0].1;
    for (name, figures) in &shapes {
        let row = |what: &str, of: fn(&Figures) -> f64| {
            let what = format!("{what}, {name} (limit: the single process)");
            Row::rate(what, [of(figures), of(single)], of(figures) / of(single), None)
        };
        rows.push(row("webhooks accepted, 24 senders", |one| one.webhooks_per_second));
        rows.push(row("the same, until all are acted upon", |one| one.handled_per_second));
        rows.push(row("usage events reported", |one| one.events_per_second));
    }
    for (name, figures) in &shapes {
        rows.push(memory(&format!("memory idle, the largest process, {name}"), figures.idle_mebibytes, IDLE));
        let what = format!("the most at 100 requests a second for each that serves, {name}");
        rows.push(memory(&what, figures.busy_mebibytes, BUSY));
    }
    rows
}

fn of(runtime: &Runtime, database: Database<'_>, commands: &[&'static [&'static str]]) -> Figures {
    let mut fleet = runtime.block_on(Fleet::gather(database));
    fleet.start(commands);
    let idle_mebibytes = fleet.idle_mebibytes();
    let (webhooks_per_second, handled_per_second) = fleet.webhooks_per_second(runtime);
    let busy_mebibytes = runtime.block_on(fleet.busy_mebibytes());
    fleet.stop();
    let events_per_second = fleet.events_per_second(runtime, commands);
    runtime.block_on(fleet.disband());
    Figures { webhooks_per_second, handled_per_second, events_per_second, idle_mebibytes, busy_mebibytes }
}

/// Seconds from the start to the line "ready", on a schema that is up to date.
fn start(runtime: &Runtime, database: Database<'_>) -> Row {
    let mut fleet = runtime.block_on(Fleet::gather(database));
    let samples = interleave(
        ROUNDS,
        [
            &mut || {
                let watch = Stopwatch::start();
                fleet.start(&[SERVE]);
                let seconds = watch.elapsed().as_secs_f64();
                fleet.stop();
                seconds
            },
            &mut || nothing(),
        ],
    );
    runtime.block_on(fleet.disband());
    let (ours, limit) = (samples.median(0), samples.median(1));
    Row {
        what: "start to ready, migrated PostgreSQL (limit: `seatkey --version`)".to_owned(),
        ours: time(ours),
        limit: time(limit),
        ratio: format!("{:.0} ×", samples.quotient(0, 1)),
        goal: "< 1 s",
        met: ours < READY_SECONDS,
    }
}

fn memory(what: &str, mebibytes: f64, (megabytes, goal): (f64, &'static str)) -> Row {
    let none = || "–".to_owned();
    Row {
        what: what.to_owned(),
        ours: format!("{mebibytes:.1} MiB"),
        limit: none(),
        ratio: none(),
        goal,
        met: mebibytes * 1.048_576 < megabytes,
    }
}
