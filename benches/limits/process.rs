//! The program as a process: from its start until it says that it is ready, and what it holds in memory when idle.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use seatkey::clock::Stopwatch;
use tokio::runtime::Runtime;

use crate::support::{
    stage::{Database, Stage},
    table::{Row, time},
    timing::interleave,
};

const ROUNDS: usize = 7;
const GOAL_SECONDS: f64 = 0.3;
const GOAL_MEBIBYTES: f64 = 40.0;
const IDLE: Duration = Duration::from_secs(2);
const PROGRAM: &str = env!("CARGO_BIN_EXE_seatkey");

pub(crate) fn measure(runtime: &Runtime) -> Vec<Row> {
    let stage = runtime.block_on(Stage::set(Database::Sqlite));
    std::fs::write(stage.directory.join("seatkey.toml"), &stage.configuration).unwrap();
    let samples = interleave(
        ROUNDS,
        [
            &mut || {
                remove_database(&stage);
                start(&stage)
            },
            &mut || start(&stage),
            &mut || nothing(),
        ],
    );
    let row = |what: &str, index| Row {
        what: what.to_owned(),
        ours: time(samples.median(index)),
        limit: time(samples.median(2)),
        ratio: format!("{:.0} ×", samples.quotient(index, 2)),
        goal: "< 300 ms",
        met: samples.median(index) < GOAL_SECONDS,
    };
    let rows = vec![
        row("start to ready, new SQLite database (limit: `seatkey --version`)", 0),
        row("start to ready, existing SQLite database", 1),
        memory(&stage),
    ];
    runtime.block_on(stage.strike());
    rows
}

fn remove_database(stage: &Stage) {
    for name in ["seatkey.db", "seatkey.db-wal", "seatkey.db-shm"] {
        // One that is not there need not be removed.
        drop(std::fs::remove_file(stage.directory.join(name)));
    }
}

/// Seconds from the start to the line "ready".
fn start(stage: &Stage) -> f64 {
    let watch = Stopwatch::start();
    let service = serve(stage);
    let seconds = watch.elapsed().as_secs_f64();
    drop(service);
    seconds
}

fn serve(stage: &Stage) -> Running {
    Running::start(&["serve"], &stage.directory.join("seatkey.toml"), &[])
}

/// Seconds of a process that has nothing to do.
pub(crate) fn nothing() -> f64 {
    let watch = Stopwatch::start();
    let status = Command::new(PROGRAM).arg("--version").stdout(Stdio::null()).status().unwrap();
    assert!(status.success());
    watch.elapsed().as_secs_f64()
}

fn memory(stage: &Stage) -> Row {
    let service = serve(stage);
    std::thread::sleep(IDLE);
    let mebibytes = service.mebibytes("VmRSS");
    Row {
        what: "resident memory after 2 s idle (VmRSS)".to_owned(),
        ours: format!("{mebibytes:.1} MiB"),
        limit: "–".to_owned(),
        ratio: "–".to_owned(),
        goal: "< 40 MB",
        met: mebibytes * 1.048_576 < GOAL_MEBIBYTES,
    }
}

/// A running process of the program; it ends with this handle.
pub(crate) struct Running(Child);

impl Running {
    /// Starts it and waits for its line "ready".
    pub(crate) fn start(command: &[&str], configuration: &Path, environment: &[(&str, &Path)]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(command)
            .arg("--config")
            .arg(configuration)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("\"message\":\"ready\"") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "the service ended before it was ready");
        }
        // Somebody has to go on reading, or the service would wait for us one day.
        std::thread::spawn(move || drop(std::io::copy(&mut log.by_ref(), &mut std::io::sink())));
        Self(child)
    }

    /// What the kernel says of its memory, in MiB: `VmRSS` now, `VmHWM` the most so far.
    pub(crate) fn mebibytes(&self, field: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
        let kibibytes: u32 = line.trim().trim_end_matches(" kB").parse().unwrap();
        f64::from(kibibytes) / 1024.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
