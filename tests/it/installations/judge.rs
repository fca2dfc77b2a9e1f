//! What has to be true at the end, worked out from what Microsoft received, in whole numbers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use seatkey::{
    clock::Clock as _,
    domain::{
        charge::{Charge, Reason, State},
        subscription::{Stage, Subscription},
    },
    simulator::ReceivedUsage,
    store::UsageEvent,
};
use time::Duration;
use uuid::Uuid;

use super::{
    Mode,
    place::{Installation, Life},
};

const WINDOW: Duration = Duration::hours(24);

/// How many charges ended where.
#[derive(Debug, Default)]
pub(super) struct Sums {
    histories: usize,
    sends: usize,
    repeated: usize,
    states: BTreeMap<&'static str, usize>,
}

impl Sums {
    pub(super) fn add(&mut self, other: &Self) {
        self.histories += other.histories;
        self.sends += other.sends;
        self.repeated += other.repeated;
        for (state, count) in &other.states {
            *self.states.entry(state).or_default() += count;
        }
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { histories, sends, repeated, states } = self;
        write!(
            formatter,
            "{histories} histories, {sends} events received ({repeated} of them again), charges {states:?}"
        )
    }
}

/// All that is wrong, or the sums.
pub(super) async fn judge(own: &Installation) -> Result<Sums, Vec<String>> {
    let mut sums = Sums { histories: 1, ..Sums::default() };
    let mut wrong = Vec::new();
    for life in &own.lives {
        let case = Case::of(own, life).await;
        sums.sends += case.received.len();
        sums.repeated +=
            case.received.len() - case.received.iter().map(|one| &one.bytes).collect::<BTreeSet<_>>().len();
        for charge in &case.charges {
            *sums.states.entry(charge.state.as_str()).or_default() += 1;
        }
        let complaints = case.slots(own).into_iter().chain(case.every_charge(own));
        wrong.extend(complaints.map(|complaint| format!("{}: {complaint}", life.id)));
    }
    let dead = own.lab.stage.app.store.count_dead_jobs().await.unwrap();
    wrong.extend((dead > 0).then(|| format!("{dead} jobs wait for a person")));
    if wrong.is_empty() { Ok(sums) } else { Err(wrong) }
}

/// A subscription at the end.
struct Case<'a> {
    life: &'a Life,
    subscription: Subscription,
    charges: Vec<Charge>,
    events: Vec<UsageEvent>,
    /// Microsoft refused to delete it: two people decide.
    withdrawal_refused: bool,
    received: Vec<ReceivedUsage>,
}

impl<'a> Case<'a> {
    async fn of(own: &Installation, life: &'a Life) -> Self {
        let store = &own.lab.stage.app.store;
        Self {
            life,
            subscription: store.find_subscription(life.id).await.unwrap().unwrap(),
            charges: store.list_charges(life.id).await.unwrap(),
            events: store.list_usage_events(life.id).await.unwrap(),
            withdrawal_refused: store
                .list_findings(life.id)
                .await
                .unwrap()
                .iter()
                .any(|finding| finding.kind == "withdrawal_refused"),
            received: own.lab.world().usage_of(life.id),
        }
    }

    fn accepted(&self) -> impl Iterator<Item = &ReceivedUsage> {
        self.received.iter().filter(|one| one.usage_event_id.is_some())
    }

    /// At most one acceptance for each slot; what is received is what was committed.
    fn slots(&self, own: &Installation) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut slots = BTreeMap::<(&str, i64), BTreeMap<&str, usize>>::new();
        for one in self.accepted() {
            let hour = one.effective_start.unwrap().unix_timestamp().div_euclid(3_600);
            *slots.entry((&one.dimension, hour)).or_default().entry(&one.bytes).or_default() += 1;
        }
        for (slot, bytes) in slots {
            if bytes.len() > 1 {
                wrong.push(format!("{slot:?} was accepted with {bytes:?}"));
            }
            for (bytes, count) in bytes {
                let owners: Vec<Uuid> = self.with_bytes(bytes).map(|event| event.charge_id).collect();
                if owners.len() != 1 {
                    wrong.push(format!("{bytes} belongs to {owners:?}"));
                }
                let again = count > 1;
                let excused = own.mode == Mode::AcceptsAll && owners.iter().all(|id| own.doubtful.contains(id));
                if again && !excused {
                    wrong.push(format!("{bytes} was accepted {count} times"));
                }
            }
        }
        let unknown = self.received.iter().filter(|one| self.with_bytes(&one.bytes).next().is_none());
        wrong.extend(unknown.map(|one| format!("{} was sent and never written down", one.bytes)));
        wrong
    }

    fn with_bytes(&self, bytes: &str) -> impl Iterator<Item = &UsageEvent> {
        self.events.iter().filter(move |event| event.body == bytes)
    }

    fn every_charge(&self, own: &Installation) -> Vec<String> {
        let charges = self.charges.iter();
        charges
            .filter_map(|charge| Some((charge, self.charge(own, charge)?)))
            .map(|(charge, wrong)| {
                let id = charge.id;
                format!(
                    "{} {} {} {} {id} since {}: {wrong}",
                    charge.reason.as_str(),
                    charge.dimension,
                    charge.quantity,
                    charge.state.as_str(),
                    charge.since
                )
            })
            .collect()
    }

    /// What is wrong with a charge.
    fn charge(&self, own: &Installation, charge: &Charge) -> Option<String> {
        let events: Vec<&UsageEvent> = self.events.iter().filter(|event| event.charge_id == charge.id).collect();
        let of_charge = |one: &&ReceivedUsage| events.iter().any(|event| event.body == one.bytes);
        let accepted: Vec<&ReceivedUsage> = self.accepted().filter(of_charge).collect();
        let slots: BTreeSet<_> = accepted.iter().map(|one| one.effective_start).collect();
        if slots.len() > 1 {
            return Some(format!("accepted in {slots:?}"));
        }
        let early = self.received.iter().filter(of_charge).find_map(|one| self.too_early(charge, one));
        if early.is_some() {
            return early;
        }
        let now = own.lab.stage.clock.now();
        let is_there = !accepted.is_empty();
        match charge.state {
            State::Accepted if charge.quantity.is_zero() => {
                is_there.then(|| "it was sent with nothing in it".to_owned())
            }
            State::Accepted => accepted
                .first()
                .map_or_else(|| Some("Microsoft does not have it".to_owned()), |one| exactly(charge, one)),
            State::Held if is_there => Some("Microsoft has it".to_owned()),
            State::Held => {
                let waits = charge.reportable_from > now || matches!(self.subscription.stage, Stage::Suspended { .. });
                (!waits && !own.prices_rose && !self.withdrawal_refused).then(|| "nobody releases it".to_owned())
            }
            State::Cancelled | State::WrittenOff | State::Frozen => is_there.then(|| "Microsoft has it".to_owned()),
            State::Expired if is_there => Some("Microsoft has it".to_owned()),
            State::Expired => {
                let ended = matches!(self.subscription.stage, Stage::Ended { .. });
                (!ended).then(|| "it need not have".to_owned())
            }
            State::Rejected if is_there => Some("Microsoft has it".to_owned()),
            State::Rejected => (!own.refused).then(|| "nobody refused it".to_owned()),
            State::Unknown => {
                // The slot that it took last, which may be an older hour.
                let last = events.iter().max_by_key(|event| event.id);
                let closed = last.is_some_and(|event| event.slot.effective_start + WINDOW <= charge.since);
                let wrong = !own.doubtful.contains(&charge.id) || !(closed || own.refused || own.called_old);
                wrong.then(|| "there is no doubt about it, or its hour is not over".to_owned())
            }
            State::Conflict => Some("nobody else reports".to_owned()),
            // The history may end in the hour that another charge of its dimension has taken.
            State::Due if now - charge.since < Duration::hours(2) => None,
            State::Due | State::Sending => Some("it is left behind".to_owned()),
        }
    }

    /// Never before it was reportable, and never before the grace period of the first charges was over.
    fn too_early(&self, charge: &Charge, one: &ReceivedUsage) -> Option<String> {
        let start = one.effective_start?;
        let from = charge.reportable_from;
        if one.at < from || start < from {
            return Some(format!("sent at {} for {start}, reportable from {from}", one.at));
        }
        let grace = self.life.ordered_at.filter(|_| charge.reason == Reason::Enrolment)? + self.life.grace;
        (one.at < grace || start < grace).then(|| format!("sent at {} for {start}, grace until {grace}", one.at))
    }
}

/// The quantity to the last millionth, and the amount from it.
fn exactly(charge: &Charge, one: &ReceivedUsage) -> Option<String> {
    let (sent, _) = whole(&one.quantity_text, 6);
    if sent != i128::from(charge.quantity.millionths()) {
        return Some(format!("Microsoft has {}", one.quantity_text));
    }
    let (price, scale) = whole(&charge.unit_price.to_string(), 4);
    let (product, unit) = (sent * price, 10_i128.pow(6 + scale - 2));
    let amount = (product + unit / 2) / unit;
    (amount != i128::from(charge.amount.minor)).then(|| format!("{sent} × {price} is not {}", charge.amount))
}

/// Decimal text as a whole number of units of that many decimals.
fn whole(text: &str, scale: u32) -> (i128, u32) {
    let (before, after) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{before}{after:0<width$}", width = usize::try_from(scale).unwrap());
    (digits.parse().unwrap(), scale)
}
