//! How fast a key may ask: a program that has gone wild must not slow down the buyers' pages.

use std::{collections::HashMap, sync::Mutex};

use time::OffsetDateTime;
use uuid::Uuid;

/// Requests of one key in one minute.
pub(super) const MOST_PER_MINUTE: u32 = 600;

/// The requests of this minute; each process counts its own. There are as many keys as somebody made by hand.
#[derive(Debug, Default)]
pub(in crate::web) struct KeyPace(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    minute: i64,
    by_key: HashMap<Uuid, u32>,
}

impl KeyPace {
    /// Counts one more request of a key; gives the seconds to wait when it is one too many.
    pub(super) fn count(&self, key: Uuid, now: OffsetDateTime) -> Result<(), i64> {
        let (minute, second) = (now.unix_timestamp().div_euclid(60), now.unix_timestamp().rem_euclid(60));
        let Ok(mut counted) = self.0.lock() else { return Ok(()) };
        if counted.minute != minute {
            *counted = Counted { minute, by_key: HashMap::new() };
        }
        let count = counted.by_key.entry(key).or_default();
        *count = count.saturating_add(1);
        if *count > MOST_PER_MINUTE { Err(60 - second) } else { Ok(()) }
    }
}
