//! Outages, of Microsoft or of us, at random. Up to 23 hours cost nothing: no charge expires. After longer ones whatever was
//! never sent is reported late; what was sent without an answer, and whose hour is over, waits for a person and is counted.
//! In all of them nothing is lost and nothing is there twice.
//!
//! `SEATKEY_OUTAGES=1000 cargo test --test it -- outages --nocapture` is the long form; `SEATKEY_SEED` repeats one.

#![expect(clippy::print_stdout, reason = "seeds and sums are printed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use seatkey::{
    app::schedule_reporting,
    clock::Clock as _,
    crash::dying_at,
    domain::charge::State,
    simulator::{Fault, FaultAction, Purchase},
};
use time::Duration;
use uuid::Uuid;

use crate::support::{
    chance::{Chance, how_many, seeds},
    lab::Lab,
    mortal,
    people::ALEX,
};

/// Outages of the short form, in each test.
const SHORT: usize = 24;
const BATCH: &str = "/api/batchUsageEvent";

#[tokio::test]
async fn of_up_to_23_hours_nothing_expires() {
    let sums = outages(1..=23).await;
    println!("1 to 23 hours: {sums:?}");
    assert_eq!(sums.get(State::Expired.as_str()), None, "{sums:?}");
}

#[tokio::test]
async fn of_days_what_was_never_sent_is_reported_late() {
    println!("24 to 72 hours: {:?}", outages(24..=72).await);
}

/// Where the charges of all of them ended.
async fn outages(hours: RangeInclusive<usize>) -> BTreeMap<&'static str, usize> {
    let mut sums = BTreeMap::new();
    let lab = Lab::open().await;
    lab.world().switch(|switches| switches.lose = true);
    // The first purchase of a tenant has a trial, the others have none.
    lab.enrol(&[buy(&lab)], 150).await;
    for seed in seeds(how_many("SEATKEY_OUTAGES", SHORT)) {
        let mut chance = Chance::of(seed);
        let id = buy(&lab);
        lab.enrol(&[id], 150).await;
        let length = hours.start() + chance.below(hours.end() - hours.start() + 1);
        let told = outage(&lab, &mut chance, Duration::hours(i64::try_from(length).unwrap())).await;
        for state in ends(&lab, id, &format!("SEATKEY_SEED={seed}, {length} hours: {told}")).await {
            *sums.entry(state.as_str()).or_default() += 1;
        }
    }
    lab.stage.strike().await;
    sums
}

fn buy(lab: &Lab) -> Uuid {
    lab.stage.buy_as(Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap()))
}

/// It begins somewhere around the end of a hold, and ends; then two days pass.
async fn outage(lab: &Lab, chance: &mut Chance, length: Duration) -> &'static str {
    let accepts_all = chance.one_in(2);
    lab.world().switch(|switches| switches.accept_all_usage = accepts_all);
    lab.advance(Duration::hours(71));
    schedule_reporting(&lab.stage.app).await.unwrap();
    pass(lab, Duration::minutes(i64::try_from(chance.below(59)).unwrap())).await;
    let told = if chance.one_in(2) { ours(lab, chance, length).await } else { theirs(lab, chance, length).await };
    lab.world().clear_faults();
    let often = std::iter::repeat_n(Duration::minutes(10), 18);
    for by in often.chain(std::iter::repeat_n(Duration::hours(4), 12)) {
        work_off(lab).await;
        lab.advance(by);
    }
    work_off(lab).await;
    told
}

/// The worker dies in the midst of something, and nobody is there for so long.
async fn ours(lab: &Lab, chance: &mut Chance, length: Duration) -> &'static str {
    lab.advance(Duration::minutes(61));
    let boundary = u32::try_from(1 + chance.below(60)).unwrap();
    let died = dying_at(boundary, work_off(lab)).await.is_none();
    lab.advance(length);
    if died { "we died" } else { "we were away" }
}

/// Microsoft is there and does nothing, or does it and says nothing, or is not there at all.
async fn theirs(lab: &Lab, chance: &mut Chance, length: Duration) -> &'static str {
    let action = |status| FaultAction { status, ..FaultAction::default() };
    let all = [
        (BATCH, action(Some(503)), "503"),
        (BATCH, action(Some(429)), "429"),
        (BATCH, FaultAction { cut: true, ..action(None) }, "cut"),
        (BATCH, FaultAction { lose_answer: true, ..action(None) }, "no answers"),
        ("/api/**", action(Some(503)), "503 everywhere"),
    ];
    let (path, action, told) = chance.pick(&all).clone();
    lab.world().add_fault(Fault { count: u32::MAX, ..Fault::next(path, action) });
    let over = lab.stage.clock.now() + length;
    while lab.stage.clock.now() < over {
        let by = Duration::minutes(i64::try_from(1 + chance.below(240)).unwrap());
        pass(lab, by.min(over - lab.stage.clock.now())).await;
    }
    told
}

async fn pass(lab: &Lab, by: Duration) {
    work_off(lab).await;
    lab.advance(by);
}

async fn work_off(lab: &Lab) {
    for _ in 0..1_000 {
        if mortal::work_but_mails(&lab.stage.app).await.is_none() {
            return;
        }
    }
    panic!("the jobs do not come to an end");
}

/// Where its charges ended, each of them known to Microsoft once, or to nobody and waiting for a person.
async fn ends(lab: &Lab, id: Uuid, story: &str) -> Vec<State> {
    let store = &lab.stage.app.store;
    let events = store.list_usage_events(id).await.unwrap();
    let received = lab.world().usage_of(id);
    let charges = store.list_charges(id).await.unwrap();
    assert_eq!(charges.len(), 2, "{story}");
    for charge in &charges {
        let bodies: BTreeSet<&str> =
            events.iter().filter(|event| event.charge_id == charge.id).map(|event| event.body.as_str()).collect();
        let accepted: BTreeSet<&str> = received
            .iter()
            .filter(|one| one.usage_event_id.is_some() && bodies.contains(one.bytes.as_str()))
            .map(|one| one.bytes.as_str())
            .collect();
        let quantity = format!("\"quantity\":{},", charge.quantity);
        assert!(accepted.iter().all(|bytes| bytes.contains(&quantity)), "{story}: {accepted:?} of {charge:?}");
        match charge.state {
            State::Accepted => assert_eq!(accepted.len(), 1, "{story}: {accepted:?} of {charge:?}"),
            State::Unknown => assert!(accepted.len() <= 1, "{story}: {accepted:?} of {charge:?}"),
            other => panic!("{story}: {other:?} {charge:?}"),
        }
    }
    charges.iter().map(|charge| charge.state).collect()
}
