//! What a license key says, and how long it may say it (`product.md` §5): no key outlives what was paid for.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    catalog::FirstKey,
    proration::FirstTerm,
    time::{Term, end_of_day},
};

/// The claims of a license key; times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The service that signed it: its public address.
    pub iss: String,
    /// The license id, stable for a subscription.
    pub jti: String,
    /// Which key of that license this is, counted from 1.
    pub seq: u32,
    /// The offer's id.
    pub product: String,
    /// The plan's id.
    pub plan: String,
    /// The user segment, where the plan has them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub segment: Option<String>,
    /// Whose license it is.
    pub org: Organisation,
    /// Seats; absent on flat plans, which do not count them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub users: Option<u32>,
    /// Devices or terminal sessions of one user.
    pub devices_per_user: u32,
    /// Whether a trial is running.
    pub trial: bool,
    /// Whether a longer key follows when the charges are accepted.
    pub provisional: bool,
    /// Whether the purchase was a test.
    pub test: bool,
    /// Not before.
    pub nbf: i64,
    /// Not from here on.
    pub exp: i64,
    /// When it was signed.
    pub iat: i64,
}

/// The organisation of a license.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Its name, as the buyer wrote it.
    pub name: String,
    /// Its Entra tenant.
    pub tid: Option<Uuid>,
}

/// How much longer a provisional key lasts than the hold: the smaller of 14 days and a tenth of the term.
#[must_use]
pub fn leeway(term: Term) -> Duration {
    let tenth: Duration = Duration::days(i64::from(term.days())) / 10;
    tenth.min(Duration::days(14))
}

/// When the first key ends, and whether it is provisional.
#[must_use]
pub fn first_key_expiry(first: &FirstTerm, kind: FirstKey) -> (OffsetDateTime, bool) {
    let full = end_of_day(first.term.end);
    match kind {
        FirstKey::Full => (full, false),
        FirstKey::Provisional => (first.reportable_from.saturating_add(leeway(first.term)).min(full), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn the_first_key_ends_with_the_hold_plus_a_leeway() {
        let year = Term::new(date!(2026 - 01 - 15), date!(2027 - 01 - 14)).unwrap();
        let month = Term::new(date!(2026 - 01 - 15), date!(2026 - 02 - 14)).unwrap();
        let start = datetime!(2026-01-15 10:12 UTC);
        let table = [
            ("a year with a trial", year, 30, FirstKey::Provisional, datetime!(2026-02-28 00:00 UTC), true),
            ("a year without", year, 0, FirstKey::Provisional, datetime!(2026-02-01 10:12 UTC), true),
            ("a month without: 3.1 days", month, 0, FirstKey::Provisional, datetime!(2026-01-21 12:36 UTC), true),
            ("a month never beyond its end", month, 30, FirstKey::Provisional, datetime!(2026-02-15 00:00 UTC), true),
            ("one key from the start", year, 30, FirstKey::Full, datetime!(2027-01-15 00:00 UTC), false),
        ];
        for (name, term, trial, kind, expiry, provisional) in table {
            let first = FirstTerm::new(term, start, trial, Duration::hours(72));
            assert_eq!(first_key_expiry(&first, kind), (expiry, provisional), "{name}");
        }
    }
}
