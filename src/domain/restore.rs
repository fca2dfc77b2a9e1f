//! After a database was set back: which charges Microsoft has already, as far as its daily sums prove it, and what may be
//! done with the others while the sums still lag (`product.md` §4, *Reporting*; after a restore).
//!
//! Invariant: nothing that Microsoft may have takes another slot than its own.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use time::{Date, Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    charge::{Charge, Reason, State},
    money::Quantity,
    time::utc_day,
    usage::{Slot, SlotDecision, decide_slot, hour_of},
    usage_sums::{Place, Sums, add},
};

/// Microsoft's sums show everything after so long.
pub const LAG: Duration = Duration::hours(26);
/// A search for matching charges gives up after so many steps; a person sees it better then.
const MOST_STEPS: u32 = 100_000;

/// A charge that Microsoft may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The charge.
    pub charge_id: Uuid,
    /// What it is reported in.
    pub dimension: String,
    /// Under which plan.
    pub plan_id: String,
    /// How much.
    pub quantity: Quantity,
    /// The first day on which it can have been told.
    pub earliest: Date,
    /// The last one, where something bounds it.
    pub latest: Option<Date>,
    /// The day on which the ledger had it told, as far as it knows.
    pub told_on: Option<Date>,
}

/// Which charges Microsoft has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adoption {
    /// Those that the sums prove, each with its place.
    pub adopted: Vec<(Uuid, Place)>,
    /// Those that may be part of a sum, or not.
    pub undecided: Vec<Uuid>,
    /// The sums that these may be part of.
    pub undecided_sums: Sums,
    /// What no charge can be.
    pub foreign: Sums,
}

/// Finds out which charges the sums are of that nothing else explains. A sum proves charges when exactly one set of
/// quantities adds up to it; charges of the same quantity are interchangeable.
#[must_use]
pub fn decide_adoption(excess: &Sums, candidates: &[Candidate]) -> Adoption {
    let mut adoption = Adoption::default();
    let mut left: Vec<&Candidate> = candidates.iter().filter(|one| !one.quantity.is_zero()).collect();
    // In the order of the days: an early sum can only be of early charges.
    for (place, sum) in excess {
        let fits = |one: &&Candidate| {
            let same = one.dimension == place.dimension && one.plan_id == place.plan_id;
            let in_time = one.earliest <= place.day && one.latest.is_none_or(|latest| place.day <= latest);
            same && in_time && one.quantity.value() <= *sum
        };
        let mut fitting: Vec<&Candidate> = left.iter().copied().filter(fits).collect();
        if fitting.is_empty() {
            add(&mut adoption.foreign, place.clone(), *sum);
            continue;
        }
        // Among equals those first that were told on this day, then the older ones.
        fitting.sort_by_key(|one| (one.told_on != Some(place.day), one.earliest, one.charge_id));
        let chosen = the_only_set(&fitting, *sum);
        let settled: Vec<Uuid> = chosen.as_ref().unwrap_or(&fitting).iter().map(|one| one.charge_id).collect();
        left.retain(|one| !settled.contains(&one.charge_id));
        if chosen.is_some() {
            adoption.adopted.extend(settled.into_iter().map(|id| (id, place.clone())));
        } else {
            adoption.undecided.extend(settled);
            add(&mut adoption.undecided_sums, place.clone(), *sum);
        }
    }
    adoption
}

/// What the candidates cannot be, all of them together: no charge, or more than there are.
#[must_use]
pub fn unexplained(adoption: &Adoption, candidates: &[Candidate]) -> Sums {
    let mut left = adoption.foreign.clone();
    for (place, sum) in &adoption.undecided_sums {
        let of = |place: &Place| (place.dimension.clone(), place.plan_id.clone());
        let same = adoption.undecided_sums.iter().filter(|(other, _)| of(other) == of(place));
        let all = same.fold(Decimal::ZERO, |all, (_, sum)| all.saturating_add(*sum));
        let may_be = |one: &&Candidate| {
            let same = one.dimension == place.dimension && one.plan_id == place.plan_id;
            same && adoption.undecided.contains(&one.charge_id)
        };
        let most =
            candidates.iter().filter(may_be).fold(Decimal::ZERO, |most, one| most.saturating_add(one.quantity.value()));
        if all > most {
            add(&mut left, place.clone(), *sum);
        }
    }
    left
}

/// The one set of quantities that adds up to a sum, as charges.
fn the_only_set<'a>(fitting: &[&'a Candidate], sum: Decimal) -> Option<Vec<&'a Candidate>> {
    let exact = Quantity::exactly(sum)?;
    let mut groups: BTreeMap<i64, usize> = BTreeMap::new();
    for one in fitting {
        *groups.entry(one.quantity.millionths()).or_default() += 1;
    }
    let groups: Vec<(i64, usize)> = groups.into_iter().rev().collect();
    let mut search = Search { groups: &groups, counts: vec![0; groups.len()], found: Vec::new(), steps: 0 };
    search.go(0, exact.millionths());
    let [counts] = search.found.as_slice() else { return None };
    let mut chosen = Vec::new();
    for ((quantity, _), count) in groups.iter().zip(counts) {
        let equals = fitting.iter().filter(|one| one.quantity.millionths() == *quantity);
        chosen.extend(equals.take(*count).copied());
    }
    Some(chosen)
}

/// Looks for sets until there are two, which is one too many.
struct Search<'a> {
    groups: &'a [(i64, usize)],
    counts: Vec<usize>,
    found: Vec<Vec<usize>>,
    steps: u32,
}

impl Search<'_> {
    fn go(&mut self, index: usize, rest: i64) {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            // Not looked at to the end is not proved.
            self.found.clear();
            return;
        }
        if rest == 0 {
            self.found.push(self.counts.clone());
            return;
        }
        let Some((quantity, most)) = self.groups.get(index).copied() else { return };
        let fits = usize::try_from(rest / quantity).unwrap_or(usize::MAX).min(most);
        for count in (0..=fits).rev() {
            if self.found.len() > 1 || self.steps > MOST_STEPS {
                break;
            }
            let taken = i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(quantity);
            self.set(index, count);
            self.go(index + 1, rest - taken);
        }
        self.set(index, 0);
    }

    fn set(&mut self, index: usize, count: usize) {
        if let Some(own) = self.counts.get_mut(index) {
            *own = count;
        }
    }
}

/// The first day on which a charge can have been told. A renewal is written when it is seen, which a restored database
/// does anew: Microsoft may have had it since the term began.
#[must_use]
pub fn earliest_day(charge: &Charge) -> Date {
    let own = utc_day(charge.reportable_from);
    if charge.reason == Reason::Renewal { own.min(charge.term_start) } else { own }
}

/// Whether usage that no charge adds up to may still be this open charge, as the lost database had it: a renewal with a
/// planned downgrade or an upgrade that is lost, or what a change of plan has written anew.
#[must_use]
pub fn may_be_in_other_figures(charge: &Charge, place: &Place) -> bool {
    let is_open = matches!(charge.state, State::Held | State::Due);
    let in_another_plan = charge.plan_id.as_ref().is_some_and(|plan_id| *plan_id != place.plan_id);
    is_open && charge.term_start <= place.day && (charge.reason == Reason::Renewal || in_another_plan)
}

/// When a restored database is taken into use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Since when nothing is reported: whoever reported before has stopped by then.
    pub locked_at: OffsetDateTime,
    /// The present.
    pub now: OffsetDateTime,
}

impl Restored {
    /// From when on the sums show everything that was told before the lock.
    #[must_use]
    pub fn decidable_at(self) -> OffsetDateTime {
        self.locked_at.saturating_add(LAG)
    }
}

/// What becomes of a charge that the sums do not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Microsoft does not have it, or a person decides about it anyway.
    Stays,
    /// Its event goes on, as one that may have been recorded.
    InDoubt,
    /// It takes its own slot, as one that may have been recorded: a repetition is a duplicate there.
    OwnSlot(Slot),
    /// Microsoft may have it, and nothing can be done with it before the sums show everything.
    MayBeThere,
}

/// What may be done with a charge that the sums do not show.
///
/// `ended_at`: when the subscription ended, if it has; `may_send`: whether it runs or has ended; `is_taken`: the hours of
/// its dimension that another charge has or may have.
#[must_use]
pub fn decide_rest(
    charge: &Charge,
    (may_send, ended_at): (bool, Option<OffsetDateTime>),
    is_taken: impl Fn(OffsetDateTime) -> bool,
    restored: Restored,
) -> Rest {
    let Restored { locked_at, now } = restored;
    // It may have been written anew, before the lock, too: then its own slot is not the one that it was told in.
    let is_renewal = charge.reason == Reason::Renewal;
    let told_before =
        if is_renewal { earliest_day(charge) <= utc_day(locked_at) } else { charge.reportable_from <= locked_at };
    if !told_before || charge.quantity.is_zero() || now >= restored.decidable_at() {
        return Rest::Stays;
    }
    match charge.state {
        State::Sending => Rest::InDoubt,
        State::Due if may_send && !is_renewal => match decide_slot(charge.reportable_from, ended_at, is_taken, now) {
            SlotDecision::Take(slot) if slot.hour == hour_of(charge.reportable_from) => Rest::OwnSlot(slot),
            _ => Rest::MayBeThere,
        },
        State::Held | State::Due => Rest::MayBeThere,
        State::Accepted | State::Unknown | State::Conflict | State::Rejected | State::Frozen => Rest::Stays,
        State::Expired | State::WrittenOff | State::Cancelled => Rest::Stays,
    }
}

#[cfg(test)]
#[path = "restore_tests.rs"]
mod tests;
