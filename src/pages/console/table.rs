//! A list of the console, as a page shows it and as a file holds it.

use serde::Serialize;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::{
    domain::time::utc_day,
    pages::words::{self, Tone},
};

/// A column.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Column {
    /// What it holds.
    pub name: &'static str,
    /// Whether figures stand in it.
    pub is_number: bool,
}

impl Column {
    /// Words, ids, times.
    #[must_use]
    pub const fn text(name: &'static str) -> Self {
        Self { name, is_number: false }
    }

    /// Figures, aligned at their end.
    #[must_use]
    pub const fn number(name: &'static str) -> Self {
        Self { name, is_number: true }
    }
}

/// What stands in a place of the table.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cell {
    /// Words, or nothing.
    Text {
        /// The words.
        text: String,
    },
    /// Words that lead to a page of ours.
    Link {
        /// The words.
        text: String,
        /// The path.
        href: String,
    },
    /// An id: shown by its beginning, copied as a whole.
    Id {
        /// The id.
        text: String,
        /// Where it leads; empty = nowhere.
        href: String,
    },
    /// A state.
    State {
        /// The word.
        text: String,
        /// How things stand.
        tone: Tone,
    },
    /// An instant.
    At {
        /// For people.
        text: String,
        /// For machines.
        iso: String,
    },
    /// A long text, folded.
    Long {
        /// The text.
        text: String,
    },
    /// Words with a remark below them.
    Noted {
        /// The words.
        text: String,
        /// The remark.
        note: String,
    },
    /// A text with the line breaks of whoever wrote it.
    Lines {
        /// The text.
        text: String,
    },
}

impl Cell {
    /// Words, or nothing.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// A subscription's name, which leads to it.
    pub fn subscription(id: Uuid, name: &str) -> Self {
        let text = if name.is_empty() { id.to_string() } else { name.to_owned() };
        Self::Link { text, href: subscription_path(id) }
    }

    /// Words with a remark below them.
    pub fn noted(text: impl Into<String>, note: impl Into<String>) -> Self {
        Self::Noted { text: text.into(), note: note.into() }
    }

    /// An id that leads nowhere.
    pub fn id(id: Uuid) -> Self {
        Self::Id { text: id.to_string(), href: String::new() }
    }

    /// A state.
    pub fn state(text: impl Into<String>, tone: Tone) -> Self {
        Self::State { text: text.into(), tone }
    }

    /// An instant.
    #[must_use]
    pub fn at(at: OffsetDateTime) -> Self {
        let (day, time) = (utc_day(at), at.to_offset(time::UtcOffset::UTC).time());
        let iso = format!("{}T{:02}:{:02}:{:02}Z", words::iso(day), time.hour(), time.minute(), time.second());
        Self::At { text: words::instant(at), iso }
    }

    /// A day.
    #[must_use]
    pub fn day(day: Date) -> Self {
        Self::At { text: words::iso(day), iso: words::iso(day) }
    }

    /// An instant that may not have come.
    #[must_use]
    pub fn maybe_at(at: Option<OffsetDateTime>) -> Self {
        at.map_or_else(|| Self::text(""), Self::at)
    }

    /// As a file holds it. A spreadsheet takes a text that begins like a formula for one: a quote before it makes it a text.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let text = match self {
            Self::At { iso, .. } => iso,
            Self::Text { text }
            | Self::Link { text, .. }
            | Self::Id { text, .. }
            | Self::State { text, .. }
            | Self::Noted { text, .. }
            | Self::Lines { text }
            | Self::Long { text } => text,
        };
        let is_number = text.trim_start_matches('-').chars().all(|one| one.is_ascii_digit() || one == '.');
        let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%']);
        if is_formula && !is_number { format!("'{text}") } else { text.clone() }
    }
}

/// The page of a subscription.
#[must_use]
pub fn subscription_path(id: Uuid) -> String {
    format!("/console/subscriptions/{id}")
}

/// A row, in the order of the columns.
pub type Row = Vec<Cell>;

/// Rows under their columns.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// What it is a table of.
    pub caption: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row>,
    /// What is said where there are none.
    pub empty: &'static str,
}

/// Lines of a file, with the heads of the columns in front where it is the first of them.
///
/// # Errors
/// Never in memory; the library's own type has one.
pub fn to_csv(columns: Option<&[Column]>, rows: &[Row]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if let Some(columns) = columns {
        writer.write_record(columns.iter().map(|column| column.name))?;
    }
    for row in rows {
        writer.write_record(row.iter().map(Cell::to_csv))?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_of_a_file_is_a_formula() {
        let formulas = ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "|calc", "%0A"];
        for text in formulas {
            assert!(Cell::text(text).to_csv().starts_with('\''), "{text:?}");
        }
        for text in ["-12.50", "600.00", "Contoso =1", "", "2026-01-15"] {
            assert_eq!(Cell::text(text).to_csv(), text);
        }
        let rows = vec![vec![Cell::text("a \"b\", c"), Cell::text("=x\n")]];
        let file = to_csv(Some(&[Column::text("One"), Column::number("Two")]), &rows).unwrap();
        assert_eq!(String::from_utf8(file).unwrap(), "One,Two\r\n\"a \"\"b\"\", c\",\"'=x\n\"\r\n");
    }
}
