//! What falls due by the calendar alone: reminders, announcements, the end of the retention time.

use time::{Duration, OffsetDateTime};

use super::{MicrosoftStatus, Stage, Subscription};
use crate::domain::time::{Term, end_of_day};

/// A mail that a date asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Bought so many days ago, and nobody has configured it.
    SetUpReminder {
        /// Days since it was first seen.
        days: u32,
    },
    /// The trial ends in so many days.
    TrialEnds {
        /// Days until its last day is over.
        days: u32,
    },
    /// The term ends and another one begins.
    RenewalAhead {
        /// Days until the new term.
        days: u32,
    },
}

/// Microsoft asks publishers to keep records for at least so long after an end, so that a customer can be recovered.
pub const RETENTION_AT_LEAST: Duration = Duration::days(7);

const REMINDERS: [u32; 3] = [1, 7, 25];
/// Microsoft drops a purchase that nobody activates.
pub const MICROSOFT_DROPS_AFTER_DAYS: u32 = 30;
const TRIAL_NOTICES: [u32; 2] = [7, 1];
const RENEWAL_NOTICES: [u32; 2] = [30, 7];
/// The last reminder is of use so long where nothing ends it.
const LAST_REMINDER_ENDS: u32 = 60;
/// Shorter terms are announced once, seven days before: the reader would get nothing else.
const ANNOUNCED_TWICE_FROM_DAYS: u32 = 80;

/// A notice with the time in which it is of use.
#[derive(Debug, Clone, Copy)]
struct Appointment {
    from: OffsetDateTime,
    until: OffsetDateTime,
    notice: Notice,
}

fn days(count: u32) -> Duration {
    Duration::days(i64::from(count))
}

fn appointments(subscription: &Subscription) -> Vec<Appointment> {
    match subscription.stage {
        Stage::AwaitingEnrolment if is_dropped_by_microsoft(subscription) => {
            reminders(subscription.seen_at, Some(MICROSOFT_DROPS_AFTER_DAYS))
        }
        Stage::AwaitingEnrolment => reminders(subscription.seen_at, None),
        Stage::Active(_) => {
            let trial = subscription
                .trial_end
                .map(end_of_day)
                .into_iter()
                .flat_map(|end| ahead_of(end, &TRIAL_NOTICES, |days| Notice::TrialEnds { days }));
            let renewal = subscription.term.into_iter().flat_map(|term| {
                let all = ahead_of(end_of_day(term.end), &RENEWAL_NOTICES, |days| Notice::RenewalAhead { days });
                // Thirty days before its end a month has only just begun.
                all.into_iter().skip(usize::from(term.days() < ANNOUNCED_TWICE_FROM_DAYS))
            });
            trial.chain(renewal).collect()
        }
        Stage::Activating { .. } | Stage::Suspended { .. } | Stage::Ended { .. } => Vec::new(),
    }
}

/// Whether Microsoft drops a purchase that nobody sets up. What it activated by itself it bills instead.
#[must_use]
pub fn is_dropped_by_microsoft(subscription: &Subscription) -> bool {
    subscription.microsoft.status == MicrosoftStatus::PendingFulfillmentStart
}

fn reminders(seen_at: OffsetDateTime, until_day: Option<u32>) -> Vec<Appointment> {
    let ends = REMINDERS.into_iter().skip(1).chain([until_day.unwrap_or(LAST_REMINDER_ENDS)]);
    let appointment = |(from, until)| Appointment {
        from: seen_at.saturating_add(days(from)),
        until: seen_at.saturating_add(days(until)),
        notice: Notice::SetUpReminder { days: from },
    };
    REMINDERS.into_iter().zip(ends).map(appointment).collect()
}

/// Notices so many days before `end`; each is of use until the next one, so that an outage never sends two at once.
fn ahead_of(end: OffsetDateTime, before: &[u32; 2], notice: fn(u32) -> Notice) -> Vec<Appointment> {
    let from = |count: u32| end.saturating_sub(days(count));
    let untils = [from(before[1]), end];
    before
        .iter()
        .zip(untils)
        .map(|(&count, until)| Appointment { from: from(count), until, notice: notice(count) })
        .collect()
}

/// The notices whose time is now. Sending one twice is prevented by its Message-ID.
#[must_use]
pub fn due_notice(subscription: &Subscription, now: OffsetDateTime) -> Vec<Notice> {
    let due = appointments(subscription).into_iter().filter(|one| one.from <= now && now < one.until);
    due.map(|one| one.notice).collect()
}

/// When personal data has to be erased: so long after the end, and not before the term is over: what was paid runs until
/// then, and its key names the organisation.
#[must_use]
pub fn erasure_due(subscription: &Subscription, retention: Duration) -> Option<OffsetDateTime> {
    let Stage::Ended { ended_at, .. } = subscription.stage else { return None };
    let due = ended_at.saturating_add(retention.max(RETENTION_AT_LEAST));
    Some(subscription.term.map_or(due, |term| due.max(end_of_day(term.end))))
}

/// When a planned downgrade of seats that Microsoft bills has to be asked for: on the last day of the term, because
/// Microsoft changes them at once.
#[must_use]
pub fn unbilled_change_due(subscription: &Subscription) -> Option<OffsetDateTime> {
    let Term { end, .. } = subscription.term.filter(|_| subscription.planned.is_some())?;
    matches!(subscription.stage, Stage::Active(_)).then(|| end_of_day(end).saturating_sub(Duration::DAY))
}

/// When the calendar has to be looked at next, after `now`.
#[must_use]
pub fn next_appointment(
    subscription: &Subscription,
    retention: Duration,
    now: OffsetDateTime,
) -> Option<OffsetDateTime> {
    let notices = appointments(subscription).into_iter().map(|one| one.from);
    let others = [erasure_due(subscription, retention), unbilled_change_due(subscription)];
    notices.chain(others.into_iter().flatten()).filter(|at| *at > now).min()
}

/// The same when the subscription has just changed: something may be due at once, such as fewer seats that are planned on
/// the last day of the term.
#[must_use]
pub fn appointment_after_change(
    subscription: &Subscription,
    retention: Duration,
    now: OffsetDateTime,
) -> Option<OffsetDateTime> {
    let due = unbilled_change_due(subscription).is_some_and(|at| at <= now);
    if due { Some(now) } else { next_appointment(subscription, retention, now) }
}
