//! `seatkey catalog check`, and how commands find their catalog.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{Failure, print_error, print_line};
use crate::domain::catalog::{Catalog, Finding};

/// Catalogs larger than this are a mistake.
const MAX_CATALOG_BYTES: u64 = 4 * 1024 * 1024;
const EXAMPLE: (&str, &str) = ("catalog.example.toml", include_str!("../../deploy/catalog.example.toml"));

#[derive(Debug, Subcommand)]
pub(super) enum CatalogCommand {
    /// Checks every rule and prints what is wrong, with file, line and field
    Check {
        /// The catalog; default: `SEATKEY__CATALOG__PATH`, else the built-in example
        file: Option<PathBuf>,
    },
}

pub(super) fn run(command: &CatalogCommand) -> Result<(), Failure> {
    let CatalogCommand::Check { file } = command;
    let (catalog, warnings) = load(file.as_deref())?;
    for warning in &warnings {
        print_error(&warning.to_string());
    }
    let plans: usize = catalog.offers.iter().map(|offer| offer.plans.len()).sum();
    print_line(&format!(
        "The catalog is in order: {} offers, {plans} plans, {} warnings (version {}).",
        catalog.offers.len(),
        warnings.len(),
        catalog.version
    ));
    Ok(())
}

/// Loads a catalog: the given file, else the one of the environment, else the built-in example.
pub(super) fn load(file: Option<&Path>) -> Result<(Catalog, Vec<Finding>), Failure> {
    let from_environment = std::env::var_os("SEATKEY__CATALOG__PATH").map(PathBuf::from);
    match file.map(Path::to_path_buf).or(from_environment) {
        Some(path) => {
            let text = read_text(&path)?;
            from_text(&path.display().to_string(), &text)
        }
        None => from_text(EXAMPLE.0, EXAMPLE.1),
    }
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::Usage(format!("the catalog {} cannot be read: {error}", path.display()))
    };
    let size = std::fs::metadata(path).map_err(|error| unreadable(&error))?.len();
    if size > MAX_CATALOG_BYTES {
        return Err(unreadable(&format!("it has {size} bytes, more than {MAX_CATALOG_BYTES}")));
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(&error))
}

fn from_text(name: &str, text: &str) -> Result<(Catalog, Vec<Finding>), Failure> {
    Catalog::from_toml(name, text).map_err(|findings| {
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        Failure::No(format!("the catalog cannot be used:\n{}", lines.join("\n")))
    })
}
