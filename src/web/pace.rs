//! How fast those may write who are not signed in: every arrival with a purchase token and every departure to the sign-in is
//! a row, and nobody has to prove anything for it.
//!
//! Counted by the address of the connection: behind a proxy all buyers share one, so the limit is generous.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Mutex,
};

use time::OffsetDateTime;

/// Rows for one address in one minute.
const MOST_PER_MINUTE: u32 = 300;
/// More addresses than this in one minute share what is left for one.
const MAX_ADDRESSES: usize = 10_000;

/// The rows of this minute; each process counts its own.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    minute: i64,
    by_address: HashMap<IpAddr, u32>,
}

impl Pace {
    /// Counts one more row of an address; gives the seconds to wait when it is one too many.
    pub(super) fn count(&self, peer: IpAddr, now: OffsetDateTime) -> Result<(), i64> {
        let (minute, second) = (now.unix_timestamp().div_euclid(60), now.unix_timestamp().rem_euclid(60));
        let Ok(mut counted) = self.0.lock() else { return Ok(()) };
        if counted.minute != minute {
            *counted = Counted { minute, by_address: HashMap::new() };
        }
        let network = network(peer);
        let crowded = counted.by_address.len() >= MAX_ADDRESSES && !counted.by_address.contains_key(&network);
        let key = if crowded { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { network };
        let count = counted.by_address.entry(key).or_default();
        *count = count.saturating_add(1);
        if *count > MOST_PER_MINUTE { Err(60 - second) } else { Ok(()) }
    }
}

/// One household has 2^64 addresses of version 6; they count as one.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::{Duration, macros::datetime};

    const NOW: OffsetDateTime = datetime!(2026-01-15 10:12:20 UTC);

    #[test]
    fn an_address_waits_for_the_next_minute_and_others_do_not() {
        let (pace, peer, other) = (Pace::default(), "192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        for _ in 0..MOST_PER_MINUTE {
            assert_eq!(pace.count(peer, NOW), Ok(()));
        }
        assert_eq!(pace.count(peer, NOW), Err(40));
        assert_eq!(pace.count("::ffff:192.0.2.1".parse().unwrap(), NOW), Err(40), "the same, written otherwise");
        assert_eq!(pace.count(other, NOW), Ok(()));
        assert_eq!(pace.count(peer, NOW + Duration::seconds(40)), Ok(()));
    }

    #[test]
    fn a_network_of_version_6_counts_as_one() {
        let pace = Pace::default();
        for host in 0..MOST_PER_MINUTE {
            assert_eq!(pace.count(format!("2001:db8::{host:x}").parse().unwrap(), NOW), Ok(()));
        }
        assert_eq!(pace.count("2001:db8::ffff".parse().unwrap(), NOW), Err(40));
        assert_eq!(pace.count("2001:db8:0:1::1".parse().unwrap(), NOW), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let pace = Pace::default();
        for address in 0..20_000_u32 {
            // Those without room share one count, which is soon used up.
            let _ = pace.count(IpAddr::V4(address.into()), NOW);
        }
        assert_eq!(pace.0.lock().unwrap().by_address.len(), MAX_ADDRESSES + 1);
        assert_eq!(pace.count("203.0.113.1".parse().unwrap(), NOW), Err(40));
    }
}
