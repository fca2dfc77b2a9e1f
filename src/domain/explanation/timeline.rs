//! The dates of a subscription.

use time::{Date, OffsetDateTime, Time};

use super::{Facts, Payer};
use crate::domain::{
    change::first_term,
    charge::{Charge, Reason, State},
    subscription::Stage,
    time::{Term, end_of_day},
    words,
};

/// What a date is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointKind {
    /// It is in use since then.
    SetUp,
    /// The trial is over.
    TrialEnds,
    /// The grace period is over.
    GraceEnds,
    /// The first fees are reported, or were.
    FirstReport,
    /// The term is over, and the next one begins.
    Renewal,
    /// The term is over, and none follows.
    TermEnds,
    /// The subscription has ended.
    Ended,
}

/// A date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// What it is about.
    pub kind: PointKind,
    /// When.
    pub at: OffsetDateTime,
    /// The same as a day or an instant in words; the end of a day is told as that day.
    pub when: String,
    /// What happens, in one sentence.
    pub words: String,
}

impl PointKind {
    /// The word for machines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SetUp => "set_up",
            Self::TrialEnds => "trial_ends",
            Self::GraceEnds => "grace_ends",
            Self::FirstReport => "first_report",
            Self::Renewal => "renewal",
            Self::TermEnds => "term_ends",
            Self::Ended => "ended",
        }
    }
}

impl Point {
    fn at(kind: PointKind, at: OffsetDateTime, words: impl Into<String>) -> Self {
        Self { kind, at, when: words::instant(at), words: words.into() }
    }

    /// The end of something: at midnight, of the day before.
    fn end(kind: PointKind, at: OffsetDateTime, words: impl Into<String>) -> Self {
        Self { when: words::until(at), ..Self::at(kind, at, words) }
    }

    fn on(kind: PointKind, day: Date, words: impl Into<String>) -> Self {
        let at = OffsetDateTime::new_utc(day, Time::MIDNIGHT);
        Self { kind, at, when: words::day(day), words: words.into() }
    }
}

pub(super) fn points(facts: Facts<'_>, payer: Payer) -> Vec<Point> {
    let subscription = facts.subscription;
    let Some(enrolled) = subscription.stage.enrolled() else { return Vec::new() };
    let now = facts.now;
    let mut points = vec![Point::at(PointKind::SetUp, enrolled.start(), "In use from here on.")];
    if let Some(end) = subscription.trial_end.map(end_of_day) {
        let words = if end > now { "The free trial ends." } else { "The free trial ended." };
        points.push(Point::end(PointKind::TrialEnds, end, words));
    }
    if let Some(end) = subscription.grace_end.filter(|end| *end > enrolled.start()) {
        let words = if end > now { "The grace period ends." } else { "The grace period ended." };
        points.push(Point::end(PointKind::GraceEnds, end, words));
    }
    points.extend(first_report(facts));
    match subscription.stage {
        Stage::Ended { ended_at, .. } => points.push(Point::at(PointKind::Ended, ended_at, "The subscription ended.")),
        _ => points.extend(subscription.term.and_then(|term| renewal(facts, payer, term))),
    }
    points.sort_by_key(|point| point.at);
    points
}

/// Told by what happened; the calendar is for what is still to come.
fn first_report(facts: Facts<'_>) -> Option<Point> {
    let kind = PointKind::FirstReport;
    let first = |admitted: fn(State) -> bool| {
        let of_enrolment = |charge: &&Charge| charge.reason == Reason::Enrolment && !charge.quantity.is_zero();
        facts.charges.iter().filter(of_enrolment).filter(move |charge| admitted(charge.state))
    };
    if let Some(at) = first(|state| state == State::Accepted).map(|charge| charge.since).min() {
        return Some(Point::at(kind, at, "The first fees were reported, and Microsoft accepted them."));
    }
    let waiting = first(|state| matches!(state, State::Held | State::Due | State::Sending));
    let due = waiting.map(|charge| charge.reportable_from).min()?;
    let words = if due > facts.now {
        "The first fees are reported. Cancelling until then costs nothing."
    } else {
        "From here on the first fees may be reported."
    };
    Some(Point::at(kind, due, words))
}

fn renewal(facts: Facts<'_>, payer: Payer, term: Term) -> Option<Point> {
    let subscription = facts.subscription;
    let day = term.renewal()?;
    if !subscription.microsoft.auto_renew {
        return Some(Point::on(PointKind::TermEnds, day, "The term is over; recurring billing is turned off."));
    }
    let users = subscription.planned.map(|planned| planned.users).or(subscription.users);
    let users = users.map(|users| format!(" with {}", words::users(users))).unwrap_or_default();
    let fee = facts.renewal.filter(|_| payer.may_see_amounts()).map(|quote| words::money(quote.total));
    let fee = fee.map(|fee| format!(", {fee} at today’s prices")).unwrap_or_default();
    let noun = facts.plan.map_or("term", |plan| plan.term_unit.noun());
    let free = first_term(subscription).is_some_and(|first| first.trial_end.is_some_and(|end| end >= day));
    let free = if free { "; the trial goes on" } else { "" };
    Some(Point::on(PointKind::Renewal, day, format!("Renewal for another {noun}{users}{fee}{free}.")))
}
