//! The only place that reads time.
//!
//! Owns: the present instant, in UTC and whole microseconds (what both databases keep), and the measuring of durations.
//! Everything else is told `now`, so that tests, the simulator and the demo can step through a year in seconds.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
};

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// A source of the present instant: UTC, truncated to whole microseconds.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present instant.
    fn now(&self) -> OffsetDateTime;
}

/// A clock that can be moved forward, for the simulator, the demo and the tests.
pub trait AdvanceableClock: Clock {
    /// Moves the clock forward by `by`.
    ///
    /// # Errors
    /// Only when the clock is mirrored to a file that cannot be written.
    fn advance(&self, by: Duration) -> std::io::Result<()>;
}

/// The clock that is handed around.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's own time.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that may read the time")]
    fn now(&self) -> OffsetDateTime {
        truncate(OffsetDateTime::now_utc())
    }
}

/// Stands still until it is advanced.
#[derive(Debug)]
pub struct SteppedClock(AtomicI64);

impl SteppedClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn at(start: OffsetDateTime) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(to_micros(start))))
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> OffsetDateTime {
        from_micros(self.0.load(Ordering::SeqCst))
    }
}

impl AdvanceableClock for SteppedClock {
    fn advance(&self, by: Duration) -> std::io::Result<()> {
        self.0.fetch_add(duration_micros(by), Ordering::SeqCst);
        Ok(())
    }
}

/// The machine's time plus an offset that grows when somebody advances it; optionally mirrored to a file, so that other
/// processes follow (`SEATKEY_CLOCK_FILE`).
#[derive(Debug, Default)]
pub struct OffsetClock {
    offset_micros: AtomicI64,
    mirror: Option<PathBuf>,
}

impl OffsetClock {
    /// A clock that starts at the present, mirrored to `mirror` when there is one.
    #[must_use]
    pub fn new(mirror: Option<PathBuf>) -> Arc<Self> {
        Arc::new(Self { offset_micros: AtomicI64::new(0), mirror })
    }

    /// A clock that goes, but started so long before the present.
    #[must_use]
    pub fn behind(by: Duration) -> Arc<Self> {
        Arc::new(Self { offset_micros: AtomicI64::new(-duration_micros(by)), mirror: None })
    }

    /// How far it is behind the machine's time; zero when it is not.
    #[must_use]
    pub fn lag(&self) -> Duration {
        Duration::microseconds(-self.offset_micros.load(Ordering::SeqCst)).max(Duration::ZERO)
    }
}

impl Clock for OffsetClock {
    fn now(&self) -> OffsetDateTime {
        SystemClock.now() + Duration::microseconds(self.offset_micros.load(Ordering::SeqCst))
    }
}

impl AdvanceableClock for OffsetClock {
    fn advance(&self, by: Duration) -> std::io::Result<()> {
        let offset = self.offset_micros.fetch_add(duration_micros(by), Ordering::SeqCst) + duration_micros(by);
        match &self.mirror {
            Some(path) => write_offset(path, offset),
            None => Ok(()),
        }
    }
}

/// Follows the offset that another process writes to a file (microseconds as decimal text).
#[derive(Debug)]
pub struct FileOffsetClock(PathBuf);

impl FileOffsetClock {
    /// Follows `path`; a file that is missing or unreadable counts as no offset.
    #[must_use]
    pub fn following(path: PathBuf) -> Arc<Self> {
        Arc::new(Self(path))
    }
}

impl Clock for FileOffsetClock {
    fn now(&self) -> OffsetDateTime {
        let offset = std::fs::read_to_string(&self.0).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        SystemClock.now() + Duration::microseconds(offset)
    }
}

/// Measures how long something takes, on the machine's monotonic clock (never on a stepped one).
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that may read the monotonic clock")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> std::time::Duration {
        self.0.elapsed()
    }
}

/// Ids that this process has made: those of one millisecond sort in the order in which they were made, too. Lists are in
/// the order of what happened, and an index is written at its end.
static MADE: AtomicU32 = AtomicU32::new(0);

/// A new id that sorts by the time of `now`, and within it by when it was made here (UUID version 7; RFC 9562, 6.2: a
/// counter of 26 bits in the place of the first random ones).
#[must_use]
pub fn new_id(now: OffsetDateTime) -> Uuid {
    const PLACE: u128 = (0xfff << 64) | (0x3fff << 48);
    let seconds = u64::try_from(now.unix_timestamp()).unwrap_or(0);
    let fresh = Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, now.nanosecond()));
    let count = u128::from(MADE.fetch_add(1, Ordering::Relaxed));
    // The variant stands between the two parts.
    let counted = ((count >> 14 & 0xfff) << 64) | ((count & 0x3fff) << 48);
    repeatable::of_version_7(Uuid::from_u128(fresh.as_u128() & !PLACE | counted))
}

/// A new id that sorts by nothing (UUID version 4).
#[must_use]
pub fn random_id() -> Uuid {
    repeatable::of_version_4(Uuid::new_v4())
}

/// From now on the ids that this thread makes follow from `seed`, so that a simulated history can be replayed exactly.
#[cfg(feature = "crash-points")]
pub fn repeat_ids(seed: u64) {
    repeatable::begin(seed);
}

/// Ids are random; only a test says otherwise, for its own thread.
#[cfg(feature = "crash-points")]
mod repeatable {
    use std::cell::Cell;

    use uuid::Uuid;

    /// What belongs to version and variant stays.
    const FREE: u128 = 0x0fff_3fff_ffff_ffff_ffff;

    thread_local! {
        static SEED: Cell<Option<u64>> = const { Cell::new(None) };
    }

    pub(super) fn begin(seed: u64) {
        SEED.set(Some(seed));
    }

    /// SplitMix64: enough to make ids that differ.
    fn next() -> Option<u64> {
        let state = SEED.get()?.wrapping_add(0x9e37_79b9_7f4a_7c15);
        SEED.set(Some(state));
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(mixed ^ (mixed >> 31))
    }

    fn with_bits(id: Uuid, free: u128) -> Uuid {
        let bits = |high: u64, low: u64| (u128::from(high) << 64) | u128::from(low);
        let drawn = next().zip(next());
        drawn.map_or(id, |(high, low)| Uuid::from_u128(id.as_u128() & !free | bits(high, low) & free))
    }

    pub(super) fn of_version_7(id: Uuid) -> Uuid {
        with_bits(id, FREE)
    }

    pub(super) fn of_version_4(id: Uuid) -> Uuid {
        with_bits(id, FREE | (0xffff_ffff_ffff << 80))
    }
}

#[cfg(not(feature = "crash-points"))]
mod repeatable {
    use uuid::Uuid;

    pub(super) fn of_version_7(id: Uuid) -> Uuid {
        id
    }

    pub(super) fn of_version_4(id: Uuid) -> Uuid {
        id
    }
}

/// Microseconds since 1970, as the databases store instants.
#[must_use]
pub fn to_micros(instant: OffsetDateTime) -> i64 {
    i64::try_from(instant.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

/// The instant of a stored number of microseconds; values beyond the calendar become 1970.
#[must_use]
pub fn from_micros(micros: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn truncate(instant: OffsetDateTime) -> OffsetDateTime {
    from_micros(to_micros(instant))
}

fn duration_micros(duration: Duration) -> i64 {
    i64::try_from(duration.whole_microseconds()).unwrap_or(i64::MAX)
}

fn write_offset(path: &Path, offset_micros: i64) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, offset_micros.to_string())?;
    std::fs::rename(fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_stepped_clock_stands_still_until_advanced() {
        let clock = SteppedClock::at(datetime!(2026-01-15 10:00 UTC));
        assert_eq!(clock.now(), datetime!(2026-01-15 10:00 UTC));
        clock.advance(Duration::days(30)).unwrap();
        assert_eq!(clock.now(), datetime!(2026-02-14 10:00 UTC));
    }

    #[test]
    fn a_clock_that_is_behind_goes_and_catches_up() {
        let clock = OffsetClock::behind(Duration::days(400));
        let past = SystemClock.now() - clock.now();
        assert!(clock.lag() == Duration::days(400) && (past - clock.lag()).abs() < Duration::minutes(1));
        clock.advance(clock.lag()).unwrap();
        assert_eq!(clock.lag(), Duration::ZERO);
    }

    #[test]
    fn ids_sort_by_time_and_then_by_when_they_were_made() {
        let (now, later) = (datetime!(2026-01-15 10:00 UTC), datetime!(2026-01-15 10:00:00.001 UTC));
        let mut ids: Vec<Uuid> = (0..20_000).map(|_| new_id(now)).collect();
        ids.push(new_id(later));
        assert!(ids.is_sorted() && ids.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(ids.iter().all(|id| id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122));
    }

    #[test]
    fn another_process_follows_the_offset_file() {
        let path = std::env::temp_dir().join(format!("seatkey-clock-{}", Uuid::new_v4()));
        let leader = OffsetClock::new(Some(path.clone()));
        let follower = FileOffsetClock::following(path.clone());
        leader.advance(Duration::days(365)).unwrap();
        assert!((leader.now() - follower.now()).abs() < Duration::minutes(1));
        std::fs::remove_file(path).unwrap();
    }
}
