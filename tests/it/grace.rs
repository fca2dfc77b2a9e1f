//! A cancellation at every hour around the grace period (`product.md` §4.6): what was held is never charged, what was due
//! stays, whatever becomes of the webhook and whether a suspension lies in between.
//!
//! One world for each circumstance, one subscription for each hour. `SEATKEY_EVERY_HOUR=1` plays every hour; otherwise
//! every twelfth, and each one near an edge.

use seatkey::{
    app::{Synced, schedule_reporting, sync_key},
    clock::Clock as _,
    domain::charge::State,
    simulator::{Purchase, Seed, Tenant, User},
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::support::{lab::Lab, stage};

/// What Microsoft tells of the cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    OnTime,
    /// A day and a half later.
    Late,
    /// Never; the sweep finds it.
    Lost,
}

/// A suspension between the start and the cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suspension {
    None,
    /// From the 20th hour to the 30th.
    Within,
    /// From six hours before the end of the hold to six hours after it.
    AcrossTheEnd,
}

/// What becomes of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Nothing is charged; the license has ended.
    NothingIsOwed,
    /// Microsoft has every charge; the license runs to the end of the term.
    Paid,
}

/// §4.6, written down: a cancellation before the end of the hold costs nothing; a suspension holds on until it is over.
fn expected(cancelled_at: OffsetDateTime, hold: OffsetDateTime, suspension: Suspension) -> Outcome {
    let held_until = match suspension {
        Suspension::None | Suspension::Within => hold,
        Suspension::AcrossTheEnd => hold + Duration::hours(6),
    };
    if cancelled_at < held_until { Outcome::NothingIsOwed } else { Outcome::Paid }
}

/// The circumstances of a world.
#[derive(Debug, Clone, Copy)]
struct Circumstances {
    grace: &'static str,
    trial_days: u32,
    /// Whole hours from the activation to the end of the hold, rounded up.
    hold_hours: i64,
    suspension: Suspension,
}

/// Activated on 2026-01-15 at 10:12; a trial ends at midnight.
const GRACES: [(&str, u32, i64); 4] = [("72h", 0, 72), ("72h", 5, 110), ("7d", 0, 168), ("7d", 10, 230)];

macro_rules! stories {
    ($($name:ident: $suspension:ident, $news:ident;)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            for (grace, trial_days, hold_hours) in GRACES {
                let suspension = Suspension::$suspension;
                play(Circumstances { grace, trial_days, hold_hours, suspension }, News::$news).await;
            }
        })+
    };
}

stories! {
    told_at_once: None, OnTime;
    told_late: None, Late;
    never_told: None, Lost;
    told_at_once_after_a_suspension: Within, OnTime;
    told_late_after_a_suspension: Within, Late;
    never_told_after_a_suspension: Within, Lost;
    told_at_once_with_a_suspension_across_the_end: AcrossTheEnd, OnTime;
    told_late_with_a_suspension_across_the_end: AcrossTheEnd, Late;
    never_told_with_a_suspension_across_the_end: AcrossTheEnd, Lost;
}

async fn play(circumstances: Circumstances, news: News) {
    let hours = hours(circumstances);
    let lab = Lab::open_with(&catalog(circumstances), customers(hours.len())).await;
    let buyers = (0..hours.len()).map(buyer);
    let ids: Vec<Uuid> = buyers.map(|who| lab.stage.buy_as(Purchase::of("konnekt", "konnekt-yearly", who))).collect();
    lab.enrol(&ids, 150).await;
    while lab.world().deliver_due().await > 0 {}
    let started = lab.stage.clock.now();
    lab.world().switch(|switches| match news {
        News::OnTime => {}
        News::Late => switches.delay_seconds = 36 * 3_600,
        News::Lost => switches.lose = true,
    });
    let mut cancelled = vec![None; hours.len()];
    for hour in hours.iter().copied() {
        let target = started + Duration::hours(hour);
        lab.advance(target - lab.stage.clock.now());
        suspend(&lab, &ids, &cancelled, circumstances, hour).await;
        report(&lab).await;
        let index = hours.iter().position(|wanted| *wanted == hour).unwrap();
        assert!(lab.world().cancel(ids[index]));
        cancelled[index] = Some(lab.stage.clock.now());
        follow(&lab).await;
    }
    lab.advance(Duration::hours(40));
    follow(&lab).await;
    lab.sweep().await;
    for _ in 0..3 {
        report(&lab).await;
        lab.advance(Duration::hours(2));
    }
    for (id, cancelled_at) in ids.iter().zip(cancelled) {
        check(&lab, *id, cancelled_at.unwrap(), (circumstances, news)).await;
    }
    lab.stage.finish().await;
}

/// The whole hours at which somebody cancels.
fn hours(circumstances: Circumstances) -> Vec<i64> {
    let every = std::env::var_os("SEATKEY_EVERY_HOUR").is_some();
    let hold = circumstances.hold_hours;
    let edges = [0, 19, 20, 21, 29, 30, 31, hold - 7, hold - 6, hold - 1, hold, hold + 1, hold + 5, hold + 6, hold + 7];
    (0..=hold + 24).filter(|hour| every || hour % 12 == 0 || edges.contains(hour)).collect()
}

async fn suspend(lab: &Lab, ids: &[Uuid], cancelled: &[Option<OffsetDateTime>], one: Circumstances, hour: i64) {
    let (from, to) = match one.suspension {
        Suspension::None => return,
        Suspension::Within => (20, 30),
        Suspension::AcrossTheEnd => (one.hold_hours - 6, one.hold_hours + 6),
    };
    if hour != from && hour != to {
        return;
    }
    // These two are always told at once; how the cancellation is told is what this is about.
    let switches = lab.world().switches();
    lab.world().switch(|switches| (switches.delay_seconds, switches.lose) = (0, false));
    for (id, _) in ids.iter().zip(cancelled).filter(|(_, cancelled)| cancelled.is_none()) {
        let possible = if hour == from { lab.world().suspend(*id) } else { lab.world().reinstate(*id) };
        assert!(possible);
    }
    follow(lab).await;
    lab.world().switch(|current| *current = switches);
}

async fn report(lab: &Lab) {
    schedule_reporting(&lab.stage.app).await.unwrap();
    lab.run_due().await;
}

async fn follow(lab: &Lab) {
    while lab.world().deliver_due().await > 0 {}
    lab.run_due().await;
}

async fn check(lab: &Lab, id: Uuid, cancelled_at: OffsetDateTime, of: (Circumstances, News)) {
    let store = &lab.stage.app.store;
    let charges = store.list_charges(id).await.unwrap();
    let hold = charges[0].reportable_from;
    let expected = expected(cancelled_at, hold, of.0.suspension);
    let told = format!("cancelled at {cancelled_at}, hold until {hold}, {of:?}: {expected:?}");
    let states: Vec<State> = charges.iter().map(|charge| charge.state).collect();
    let at_microsoft = lab.world().usage_of(id).iter().filter(|one| one.status == "Accepted").count();
    let newest = store.find_newest_key(id).await.unwrap().unwrap();
    let synced = sync_key(&lab.stage.app, &newest.compact).await.unwrap();
    match expected {
        Outcome::NothingIsOwed => {
            assert!(states.iter().all(|state| *state == State::Cancelled), "{told}: {states:?}");
            assert_eq!((at_microsoft, synced), (0, Synced::Gone), "{told}");
        }
        Outcome::Paid => {
            assert!(states.iter().all(|state| *state == State::Accepted), "{told}: {states:?}");
            assert_eq!(at_microsoft, charges.len(), "{told}");
            assert!(matches!(synced, Synced::Newest(key) if key.expires_at.year() == 2027), "{told}");
        }
    }
}

fn catalog(one: Circumstances) -> String {
    let own = format!("trial_days = {}\ngrace_period = \"{}\"\n", one.trial_days, one.grace);
    let own = if one.trial_days == 0 { own.replace("trial_days = 0\n", "") } else { own };
    stage::catalog().replacen("trial_days = 30\ngrace_period = \"72h\"\n", &own, 1)
}

/// Customers who have never been here: each has a trial of their own.
fn customers(count: usize) -> Seed {
    let mut seed = Seed::default();
    seed.tenants.extend((0..count).map(|index| Tenant {
        id: Uuid::from_u128(0xc057_0000_0000_4000_8000_0000_0000_0000 + index as u128),
        name: format!("Customer {index}"),
        country: "DE".to_owned(),
        domains: Vec::new(),
        reseller: false,
        personal: false,
        users: vec![User {
            oid: buyer(index),
            puid: format!("1003{index:012}"),
            name: "Alex Weber".to_owned(),
            upn: format!("alex@customer{index}.example"),
            email: Some(format!("alex@customer{index}.example")),
            roles: Vec::new(),
        }],
    }));
    seed
}

fn buyer(index: usize) -> Uuid {
    Uuid::from_u128(0xb0e4_0000_0000_4000_8000_0000_0000_0000 + index as u128)
}
