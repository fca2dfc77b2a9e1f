//! Our clock beside those of others. Tokens, terms and the hours of usage are judged by time.

use time::{Duration, OffsetDateTime};

use super::{Check, Mend, Round, Verdict, Whose};
use crate::{clock::SharedClock, marketplace::Client, store::Store};

/// Ours and Microsoft's.
pub static MICROSOFT: Check = Check {
    id: "clock.microsoft",
    is_well_when: "this machine's clock and Microsoft's differ by less than 30 seconds",
    needs: &["clock.moved", "entra.credential"],
    mends: &[&SET_OURS],
};

/// Ours and the database's.
pub static DATABASE: Check = Check {
    id: "clock.database",
    is_well_when: "this machine's clock and that of the database's host differ by less than 30 seconds",
    needs: &["database.reachable", "clock.moved"],
    mends: &[&SET_THEIRS],
};

static SET_OURS: Mend = Mend {
    whose: Whose::Operations,
    does: "Switch time synchronisation on at this machine (timedatectl set-ntp true), or mend the NTP server that it asks.",
};
static SET_THEIRS: Mend = Mend {
    whose: Whose::Database,
    does: "Switch time synchronisation on at the host of the database; its logs and backups are dated by that clock.",
};

/// From here on somebody should look.
const NOTICED: Duration = Duration::seconds(30);
/// Beyond the leeway that tokens are given, they are refused.
const TOO_FAR: Duration = Duration::minutes(5);

/// Compares ours with Microsoft's.
pub async fn look_at_microsoft(round: &mut Round<'_>, client: &Client, clock: &SharedClock) {
    let theirs = async {
        match client.find_remote_time().await {
            Ok(Some(theirs)) => compare(clock.now(), theirs, "Microsoft's", (&SET_OURS, TOO_FAR)),
            Ok(None) => Verdict::NotChecked("because the answer has no date".to_owned()),
            Err(error) => Verdict::NotChecked(error.to_string()),
        }
    };
    round.look(&MICROSOFT, theirs).await;
}

/// Compares ours with the database's.
pub async fn look_at_database(round: &mut Round<'_>, store: &Store, clock: &SharedClock) {
    let theirs = async {
        match store.find_database_time().await {
            // Nothing here relies on the database's clock.
            Ok(Some(theirs)) => compare(clock.now(), theirs, "the database's", (&SET_THEIRS, Duration::MAX)),
            Ok(None) => Verdict::NotChecked("there is only one: SQLite is on this machine".to_owned()),
            Err(error) => Verdict::NotChecked(error.to_string()),
        }
    };
    round.look(&DATABASE, theirs).await;
}

fn compare(
    ours: OffsetDateTime,
    theirs: OffsetDateTime,
    whose: &str,
    (mend, limit): (&'static Mend, Duration),
) -> Verdict {
    let ahead = ours - theirs;
    let word = if ahead.is_negative() { "behind" } else { "ahead of" };
    let saw = format!("our clock is {} s {word} {whose}", ahead.whole_seconds().abs());
    match ahead.abs() {
        apart if apart < NOTICED => Verdict::Well(saw),
        apart if apart < limit => Verdict::Warning(mend, saw),
        _ => Verdict::Wrong(mend, saw),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_clock_is_well_by_half_a_minute() {
        let ours = datetime!(2026-01-15 10:00 UTC);
        let told = |seconds| compare(ours, ours - Duration::seconds(seconds), "theirs", (&SET_OURS, TOO_FAR));
        assert!(matches!(told(29), Verdict::Well(_)));
        assert!(matches!(told(-29), Verdict::Well(_)));
        assert_eq!(told(-31), Verdict::Warning(&SET_OURS, "our clock is 31 s behind theirs".to_owned()));
        assert_eq!(told(300), Verdict::Wrong(&SET_OURS, "our clock is 300 s ahead of theirs".to_owned()));
    }
}
