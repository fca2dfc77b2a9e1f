//! The only place that writes to the terminal.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the command line's own output")]

use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;
use serde_json::{Value, json};
use time::Month;

use super::{Failure, history::Moment};
use crate::clock::Stopwatch;

/// A line of the answer.
pub(crate) fn print_line(line: &str) {
    println!("{line}");
}

/// The answer as JSON, indented for people.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::No(error.to_string()))?;
    println!("{text}");
    Ok(())
}

/// A line of JSON, for machines.
pub(crate) fn print_json_line(value: &Value) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(|error| Failure::No(error.to_string()))?;
    println!("{text}");
    Ok(())
}

/// An error, for a person.
pub(crate) fn print_error(message: &str) {
    eprintln!("seatkey: {message}");
}

/// Shows the steps of a story as they happen: words for people, JSON lines for machines.
pub(crate) struct Progress {
    json: bool,
    watch: Stopwatch,
    steps: u32,
}

impl Progress {
    /// Starts now.
    pub(crate) fn new(json: bool) -> Self {
        Self { json, watch: Stopwatch::start(), steps: 0 }
    }

    /// A step is done.
    pub(crate) fn step(&mut self, name: &str, words: &str, facts: &Value) {
        self.steps += 1;
        let milliseconds = self.watch.elapsed().as_millis();
        if self.json {
            println!("{}", json!({ "step": name, "milliseconds": milliseconds, "facts": facts }));
        } else {
            println!("{:>3}  {:>6} ms  {words}", self.steps, milliseconds);
        }
    }

    /// A table, for people; machines have had it as facts.
    pub(crate) fn table<const N: usize>(&self, heads: [&str; N], rows: &[[String; N]]) {
        if self.json {
            return;
        }
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain(heads.get(column).map(|head| head.chars().count())).max().unwrap_or(0)
        };
        let line = |cells: Vec<&str>| {
            let padded =
                cells.iter().enumerate().map(|(column, cell)| format!("{cell:<width$}", width = width(column)));
            println!("     {}", padded.collect::<Vec<_>>().join("  ").trim_end());
        };
        println!();
        line(heads.to_vec());
        rows.iter().for_each(|row| line(row.iter().map(String::as_str).collect()));
        println!();
    }

    /// Everything is done.
    pub(crate) fn end(&self, words: &str) {
        let milliseconds = self.watch.elapsed().as_millis();
        if self.json {
            println!("{}", json!({ "step": "end", "milliseconds": milliseconds, "steps": self.steps }));
        } else {
            println!("     {milliseconds:>6} ms  {words}");
        }
    }
}

/// How far the history is: one line that changes on a terminal, otherwise a line for each month.
pub(crate) struct Meter {
    title: &'static str,
    watch: Stopwatch,
    shown: Option<Month>,
}

impl Meter {
    /// Starts now.
    pub(crate) fn start(title: &'static str) -> Self {
        Self { title, watch: Stopwatch::start(), shown: None }
    }

    /// A day begins.
    pub(crate) fn show(&mut self, moment: &Moment) {
        let Moment { date, told, days, purchases } = *moment;
        let percent = u32::from(told) * 100 / u32::from(days).max(1);
        let line = format!("{}: {} {}, {purchases} purchases, {percent} %", self.title, date.month(), date.year());
        if std::io::stdout().is_terminal() {
            print!("\r{line:<72}");
            // A line that is not seen is no reason to stop.
            drop(std::io::stdout().flush());
        } else if self.shown != Some(date.month()) {
            println!("{line}");
        }
        self.shown = Some(date.month());
    }

    /// Everything is done.
    pub(crate) fn end(&self, words: &str) {
        let seconds = self.watch.elapsed().as_millis() / 1_000;
        let begin = if std::io::stdout().is_terminal() { "\r" } else { "" };
        println!("{begin}{:<72}", format!("{words} ({seconds} s)."));
    }
}
