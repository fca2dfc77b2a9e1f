//! What Microsoft has more of than the ledger, whatever plan it is shown under: a sum that has only moved to another plan was
//! told by us, and is no reason to stop.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use time::Date;

use super::usage_sums::{Place, Sums, excess};

/// The excess by day and dimension, summed over the plans; each part of it at a place where Microsoft has more than the
/// ledger can explain.
#[must_use]
pub fn net_excess(microsoft: &Sums, explained: &Sums) -> Sums {
    let (theirs, ours) = (by_dimension(microsoft), by_dimension(explained));
    let mut left: BTreeMap<Key<'_>, Decimal> = BTreeMap::new();
    for (key, sum) in &theirs {
        left.insert(*key, sum.saturating_sub(ours.get(key).copied().unwrap_or_default()));
    }
    let mut net = Sums::new();
    for (place, more) in &excess(microsoft, explained) {
        let Some(left) = left.get_mut(&(place.day, place.dimension.as_str())) else { continue };
        let part = (*more).min(*left);
        if part > Decimal::ZERO {
            *left = left.saturating_sub(part);
            net.insert(place.clone(), part);
        }
    }
    net
}

type Key<'a> = (Date, &'a str);

fn by_dimension(sums: &Sums) -> BTreeMap<Key<'_>, Decimal> {
    let mut all: BTreeMap<Key<'_>, Decimal> = BTreeMap::new();
    for (Place { day, dimension, .. }, sum) in sums {
        let total = all.entry((*day, dimension)).or_default();
        *total = total.saturating_add(*sum);
    }
    all
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn sums(rows: &[(&str, &str, u32)]) -> Sums {
        let place = |dimension: &str, plan_id: &str| Place {
            day: date!(2026 - 03 - 01),
            dimension: dimension.to_owned(),
            plan_id: plan_id.to_owned(),
        };
        rows.iter().map(|(dimension, plan, sum)| (place(dimension, plan), Decimal::from(*sum))).collect()
    }

    type Row<'a> =
        (&'a str, &'a [(&'a str, &'a str, u32)], &'a [(&'a str, &'a str, u32)], &'a [(&'a str, &'a str, u32)]);

    #[test]
    fn only_what_is_more_in_all_plans_together_counts() {
        let table: [Row<'_>; 6] = [
            ("as told", &[("d", "a", 5)], &[("d", "a", 5)], &[]),
            ("under another plan", &[("d", "b", 5)], &[("d", "a", 5)], &[]),
            ("more, under another plan", &[("d", "b", 7)], &[("d", "a", 5)], &[("d", "b", 2)]),
            ("beside it", &[("d", "a", 5), ("d", "b", 3)], &[("d", "a", 5)], &[("d", "b", 3)]),
            ("another dimension", &[("e", "a", 5)], &[("d", "a", 5)], &[("e", "a", 5)]),
            ("less", &[("d", "a", 3)], &[("d", "a", 5)], &[]),
        ];
        for (name, theirs, ours, expected) in table {
            assert_eq!(net_excess(&sums(theirs), &sums(ours)), sums(expected), "{name}");
        }
    }
}
