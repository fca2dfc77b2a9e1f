//! The only place that writes to the terminal.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the command line's own output")]

use serde::Serialize;

use super::Failure;

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

/// An error, for a person.
pub(crate) fn print_error(message: &str) {
    eprintln!("seatkey: {message}");
}
