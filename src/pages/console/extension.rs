//! What a longer trial or grace period would mean, before somebody decides: its dates and the held charges, now and then.

use serde::Serialize;
use time::{Date, OffsetDateTime};

use super::{
    frame::ConsoleFrame,
    samples,
    table::{Cell, Column, Row, Table, subscription_path},
};
use crate::{
    domain::{
        charge::Charge,
        money::{Amount, grouped},
        pricing::Line,
        subscription::Subscription,
        time::end_of_day,
        trial_grant::{Extends, extension::Extended},
    },
    pages::{Page, words},
};

/// What the page tells.
#[derive(Debug, Clone)]
pub struct ExtensionFacts<'a> {
    /// The subscription, with its dates of now.
    pub subscription: &'a Subscription,
    /// Whose it is.
    pub organisation: &'a str,
    /// The dates of then.
    pub extended: Extended,
    /// Days more.
    pub days: u32,
    /// The held charges, each with its line of then.
    pub charges: Vec<(&'a Charge, &'a Line)>,
    /// Whether a second person has to approve it.
    pub takes_two: bool,
    /// Stands for all of this.
    pub fingerprint: String,
}

/// The two tables.
#[derive(Debug, Clone, Serialize)]
pub struct ExtensionView {
    dates: Table,
    charges: Table,
    /// `1,927.39 EUR now, 1,846.85 EUR then`; empty where no amount is told.
    sums: String,
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct ExtensionPage {
    frame: ConsoleFrame,
    title: String,
    organisation: String,
    path: String,
    extends: &'static str,
    days: u32,
    view: ExtensionView,
    takes_two: bool,
    fingerprint: String,
    reason: String,
    error: String,
}

impl ExtensionPage {
    /// The page; `reason` as it was typed, `error` what is wrong with it.
    #[must_use]
    pub fn new(frame: ConsoleFrame, told: &ExtensionFacts<'_>, (reason, error): (&str, &str)) -> Self {
        let what = match told.extended.extends {
            Extends::Trial => "trial",
            Extends::Grace => "grace period",
        };
        Self {
            frame,
            title: format!("Extend the {what} by {}", words::counted(told.days, "day")),
            organisation: told.organisation.to_owned(),
            path: subscription_path(told.subscription.microsoft.id),
            extends: told.extended.extends.as_str(),
            days: told.days,
            view: ExtensionView::of(told),
            takes_two: told.takes_two,
            fingerprint: told.fingerprint.clone(),
            reason: reason.to_owned(),
            error: error.to_owned(),
        }
    }
}

impl ExtensionView {
    /// The tables. No amount of a reseller deal is told.
    #[must_use]
    pub fn of(told: &ExtensionFacts<'_>) -> Self {
        let shown = !told.subscription.microsoft.is_reseller_deal();
        Self {
            dates: dates(told),
            charges: charges(&told.charges, shown),
            sums: if shown { sums(&told.charges).unwrap_or_default() } else { String::new() },
        }
    }
}

fn dates(told: &ExtensionFacts<'_>) -> Table {
    let (now, then) = (told.subscription, told.extended);
    let day = |day: Option<Date>| day.map_or_else(|| "none".to_owned(), |day| format!("to {}", words::day(day)));
    let at = |at: Option<OffsetDateTime>| at.map_or_else(|| "none".to_owned(), |at| format!("to {}", words::until(at)));
    let from = |at: Option<OffsetDateTime>| at.map_or_else(String::new, words::instant);
    let report = |trial: Option<Date>, grace: Option<OffsetDateTime>| trial.map(end_of_day).max(grace);
    let row = |name: &str, now: String, then: String| vec![Cell::text(name), Cell::text(now), Cell::text(then)];
    Table {
        caption: "Dates".to_owned(),
        columns: vec![Column::text(""), Column::text("Now"), Column::text("Then")],
        rows: vec![
            row("Trial", day(now.trial_end), day(then.trial_end)),
            row("Grace period", at(now.grace_end), at(then.grace_end)),
            row(
                "First report to Microsoft",
                from(report(now.trial_end, now.grace_end)),
                from(Some(then.reportable_from)),
            ),
        ],
        empty: "",
    }
}

fn charges(charges: &[(&Charge, &Line)], shown: bool) -> Table {
    let mut columns = vec![Column::text("Held charge"), Column::number("Quantity now"), Column::number("Then")];
    if shown {
        columns.extend([Column::number("Amount now"), Column::number("Then")]);
    }
    let row = |(old, new): &(&Charge, &Line)| -> Row {
        let quantity = |quantity| Cell::text(grouped(&words::quantity(quantity)));
        let mut row = vec![Cell::text(&old.description), quantity(old.quantity), quantity(new.quantity)];
        if shown {
            row.extend([Cell::text(words::money(old.amount)), Cell::text(words::money(new.amount))]);
        }
        row
    };
    Table {
        caption: "Held charges".to_owned(),
        columns,
        rows: charges.iter().map(row).collect(),
        empty: "Nothing is held.",
    }
}

fn sums(charges: &[(&Charge, &Line)]) -> Option<String> {
    let sum = |mut amounts: Vec<Amount>| {
        let last = amounts.pop()?;
        amounts.into_iter().try_fold(last, Amount::plus).ok()
    };
    let now = sum(charges.iter().map(|(old, _)| old.amount).collect())?;
    let then = sum(charges.iter().map(|(_, new)| new.amount).collect())?;
    Some(format!("{} now, {} then", words::money(now), words::money(then)))
}

impl Page for ExtensionPage {
    const TEMPLATE: &'static str = "console/extension.html";

    fn samples() -> Vec<Self> {
        samples::extensions()
    }
}
