//! Parses the command line and calls the library.

use std::process::ExitCode;

use clap::Parser as _;
use seatkey::cli::Cli;

fn main() -> ExitCode {
    seatkey::cli::run(Cli::parse())
}
