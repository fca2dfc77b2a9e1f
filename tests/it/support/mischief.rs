//! What customers, Microsoft and the network do to a random history.

use seatkey::simulator::{Fault, FaultAction, Purchase, Switches, World};
use uuid::Uuid;

use super::{
    chance::Chance,
    history,
    lab::Lab,
    people::{ALEX, FABRIKAM, PAT},
};

/// Six purchases, all of yearly or all of monthly plans: those that somebody enrols in, and the others.
pub(super) fn buy(lab: &Lab, chance: &mut Chance) -> (Vec<Uuid>, Vec<Uuid>) {
    let yearly = chance.one_in(2);
    let mut ids = (0..history::LIVES).map(|number| {
        let buyer = *chance.pick(&[ALEX, FABRIKAM, PAT]);
        let by = |offer, plan| Purchase::of(offer, plan, buyer.parse().unwrap());
        let purchase = match (yearly, number % 2) {
            (true, _) => by("konnekt", "konnekt-yearly"),
            (false, 0) => Purchase { quantity: Some(10), ..by("sample-seats", "team") },
            (false, _) => by("scepman-ee", "scepman-ee-monthly"),
        };
        // The last one was activated by Microsoft, and nobody came.
        lab.stage.buy_as(Purchase {
            auto_activate: number + 1 == history::LIVES,
            market: Some("DE".to_owned()),
            ..purchase
        })
    });
    let enrolled: Vec<Uuid> = ids.by_ref().take(history::LIVES - 2).collect();
    (enrolled, ids.collect())
}

/// The customer, or their bank, does something about a subscription.
pub(super) fn customer(world: &World, chance: &mut Chance, id: Uuid) -> String {
    match chance.below(12) {
        0..3 => format!("{id} is suspended: {}", world.suspend(id)),
        3..6 => format!("{id} is reinstated: {}", world.reinstate(id)),
        6..9 => {
            let seats = u32::try_from(1 + chance.below(30)).unwrap();
            let asked = world.customer_change(id, None, Some(seats));
            format!("{id} is to have {seats} seats: {}", asked.is_ok())
        }
        9 => {
            let plan = *chance.pick(&["konnekt-yearly", "konnekt-yearly-2", "team", "business"]);
            format!("{id} is to have plan {plan}: {}", world.customer_change(id, Some(plan), None).is_ok())
        }
        10 => {
            let on = chance.one_in(2);
            format!("{id} renews {on}: {}", world.set_auto_renew(id, on))
        }
        _ if chance.one_in(3) => format!("{id} is cancelled: {}", world.cancel(id)),
        _ => "nobody does anything".to_owned(),
    }
}

/// Something at Microsoft's end or on the way to it will go wrong.
pub(super) fn fault(world: &World, chance: &mut Chance) -> String {
    let status = FaultAction { status: Some(500), ..FaultAction::default() };
    let refused = FaultAction { status: Some(451), ..FaultAction::default() };
    let cut = FaultAction { cut: true, ..FaultAction::default() };
    let lost = FaultAction { lose_answer: true, ..FaultAction::default() };
    let (subscription, operation) = ("/api/saas/subscriptions/*", "/api/saas/subscriptions/*/operations/*");
    let all = [
        (subscription, status.clone()),
        (subscription, cut.clone()),
        (operation, status),
        (operation, lost.clone()),
        (operation, cut),
        ("/api/saas/subscriptions/*/listAvailablePlans", lost.clone()),
        ("smtp", refused),
        ("smtp", lost),
    ];
    let (path, action) = chance.pick(&all).clone();
    world.add_fault(Fault::next(path, action.clone()));
    format!("the next {path}: {action:?}")
}

/// Microsoft's webhooks go wrong in another way from now on.
pub(super) fn switch(world: &World, chance: &mut Chance) -> String {
    let switches = Switches {
        duplicates: u32::try_from(chance.below(3)).unwrap(),
        lose: chance.one_in(3),
        delay_seconds: u32::try_from(chance.below(30)).unwrap(),
        minimal_bodies: chance.one_in(3),
        stale_snapshots: chance.one_in(2),
        ignore_failure: chance.one_in(4),
        never_auto_accept: chance.one_in(4),
        ..Switches::default()
    };
    world.switch(|now| *now = switches.clone());
    format!("{switches:?}")
}
