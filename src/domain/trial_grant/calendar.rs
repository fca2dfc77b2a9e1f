//! What a date asks for of a grant: reminders, and the erasure of its contact.

use time::{Duration, OffsetDateTime};

use super::{Kind, State, TrialGrant};
use crate::domain::subscription::RETENTION_AT_LEAST;

/// Days before the end of a prospect's key.
const KEY_NOTICES: [u32; 2] = [7, 1];
/// Days before an offer is over that nobody has used.
const OFFER_NOTICE: u32 = 7;

/// A reminder that a date asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialNotice {
    /// A prospect's key ends.
    KeyEnds {
        /// In so many days.
        days: u32,
    },
    /// An offer is over, and nobody has used it.
    OfferEnds {
        /// In so many days.
        days: u32,
    },
}

fn before(end: OffsetDateTime, days: u32) -> OffsetDateTime {
    end.saturating_sub(Duration::days(i64::from(days)))
}

/// Each notice with the time in which it is of use; none that would be due at the grant itself.
fn notices(grant: &TrialGrant) -> Vec<(OffsetDateTime, OffsetDateTime, TrialNotice)> {
    if grant.state != State::Open {
        return Vec::new();
    }
    let mut all = Vec::new();
    match (grant.kind, &grant.license) {
        (Kind::OffMarket, Some(license)) => {
            let end = license.ends_at;
            let untils = [before(end, KEY_NOTICES[1]), end];
            for (days, until) in KEY_NOTICES.into_iter().zip(untils) {
                all.push((before(end, days), until, TrialNotice::KeyEnds { days }));
            }
        }
        (Kind::Ahead, _) => {
            let (end, days) = (grant.expires_at, OFFER_NOTICE);
            all.push((before(end, days), end, TrialNotice::OfferEnds { days }));
        }
        _ => {}
    }
    let begun = grant.opened_at.unwrap_or(grant.granted_at);
    all.retain(|(from, ..)| *from > begun);
    all
}

/// The reminder whose time is now. Sending it twice is prevented by its Message-ID.
#[must_use]
pub fn due_trial_notice(grant: &TrialGrant, now: OffsetDateTime) -> Option<TrialNotice> {
    notices(grant).into_iter().find(|(from, until, _)| *from <= now && now < *until).map(|(.., notice)| notice)
}

/// When the contact of a grant that no purchase used is erased; a purchase's own retention counts for the others.
#[must_use]
pub fn trial_erasure_due(grant: &TrialGrant, retention: Duration) -> Option<OffsetDateTime> {
    if grant.subscription_id.is_some() {
        return None;
    }
    let ended = grant.taken_back.as_ref().map_or(grant.expires_at, |taken| taken.at);
    Some(ended.saturating_add(retention.max(RETENTION_AT_LEAST)))
}

/// When the grant has to be looked at next, after `now`.
#[must_use]
pub fn next_trial_appointment(grant: &TrialGrant, retention: Duration, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let notices = notices(grant).into_iter().map(|(from, ..)| from);
    notices.chain(trial_erasure_due(grant, retention)).filter(|at| *at > now).min()
}
