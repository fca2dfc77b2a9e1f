//! The demo's year of history in its short form: the last months of the same cast, told by the same code.

use std::collections::{BTreeMap, BTreeSet};

use seatkey::{
    app,
    cli::{
        browser::Browser,
        demo::Demo,
        history::{self, Cast},
    },
    domain::{charge::State, trial_grant::Standing},
    simulator::{Purchase, WebhookState},
    store::SubscriptionFilter,
};

use crate::support::{people::ALEX, staff::ADA};

/// Kolibri Software is the first one that does nothing before it.
const FIRST_DAY: u16 = 300;

#[test]
fn the_cast_is_whole() {
    let cast = Cast::built_in().unwrap();
    assert!((30..=50).contains(&cast.organisations.len()), "{} organisations", cast.organisations.len());
    let acts = || cast.organisations.iter().flat_map(|one| &one.acts);
    assert!(acts().all(|act| act.day < cast.days), "something happens after the present");
    for one in &cast.organisations {
        assert!(one.acts.is_sorted_by_key(|act| act.day), "the acts of {} are not in the order of time", one.name);
        assert!(!one.people.is_empty(), "{} has no people", one.name);
    }
    let seed = cast.seed();
    let people: Vec<_> = seed.tenants.iter().flat_map(|tenant| &tenant.users).collect();
    assert_eq!(people.iter().map(|person| person.oid).collect::<BTreeSet<_>>().len(), people.len(), "an id twice");
    assert_eq!(people.iter().map(|person| &person.name).collect::<BTreeSet<_>>().len(), people.len(), "a name twice");
    assert!(people.iter().all(|person| person.email.as_deref().is_none_or(str::is_ascii)), "mail servers refuse these");
    for mut offer in seed.offers {
        offer.plans.retain(|plan| !plan.markets.contains_key("FI"));
        assert!(offer.plans.is_empty(), "{} has no prices in Finland", offer.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_end_is_what_the_cast_says_and_what_microsoft_accepted() {
    let cast = Cast::built_in().unwrap().from_day(FIRST_DAY);
    let demo = Demo::start([0, 0, 0], None, Some(&cast)).await.unwrap();
    let mut moments = Vec::new();
    history::tell(&demo, &cast, |moment| moments.push(moment)).await.unwrap();
    assert_eq!((demo.clock.lag(), moments.len()), (time::Duration::ZERO, usize::from(cast.days) + 1));

    let (store, world) = (&demo.service.app.store, demo.simulator.world());
    let known = store.list_subscriptions(SubscriptionFilter::default(), None, 100).await.unwrap();
    assert_eq!(known.len(), world.subscription_ids().len());
    let (mut stages, mut states) = (BTreeMap::new(), BTreeMap::new());
    for one in &known {
        let id = one.microsoft.id;
        assert_eq!(world.subscription(id)["saasSubscriptionStatus"], one.microsoft.status.as_str(), "{id}");
        *stages.entry(one.stage.name()).or_insert(0) += 1;
        let charges = store.list_charges(id).await.unwrap();
        charges.iter().for_each(|charge| *states.entry(charge.state.as_str()).or_insert(0) += 1);
        // What comes to nothing is recorded, and never sent.
        let told = charges.iter().filter(|one| one.state == State::Accepted && one.quantity.millionths() > 0);
        let mut told: Vec<_> = told.map(|charge| (charge.dimension.clone(), charge.quantity.to_string())).collect();
        let accepted = world.usage_of(id).into_iter().filter(|event| event.status == "Accepted");
        let mut accepted: Vec<_> =
            accepted.map(|event| (event.dimension.clone(), event.quantity_text.clone())).collect();
        told.sort();
        accepted.sort();
        assert_eq!(told, accepted, "{}", one.microsoft.name);
    }
    assert_eq!(stages, BTreeMap::from([("active", 7), ("awaiting enrolment", 1), ("suspended", 1)]));
    assert_eq!([states["unknown"], states["rejected"]], [1, 1], "{states:?}");
    assert!(states["accepted"] >= 10 && states["held"] >= 4, "{states:?}");

    let now = demo.service.app.clock.now();
    for (standing, count) in
        [(Standing::Proposed, 1), (Standing::Expired, 1), (Standing::Revoked, 1), (Standing::Open, 1)]
    {
        assert_eq!(store.count_trial_grants(standing, now).await.unwrap(), count, "{standing:?}");
    }
    let today = Browser::of(ADA).unwrap().open(demo.public_url.join("console").unwrap()).await.unwrap().text;
    for told in ["5 things need a person", "Teutonia", "Campo Verde", "baeckerei-huber", "westfalen-textil.example"] {
        assert!(today.contains(told), "Today does not tell of {told}: {today}");
    }
    assert_eq!(store.count_dead_jobs().await.unwrap(), 0);
    assert!(world.webhooks().iter().all(|webhook| webhook.state == WebhookState::Received));
    assert_eq!(app::count_waiting(&demo.service.app).await.unwrap(), 5, "the number beside Today");

    // What the README walks through goes on to be possible: a first-time customer with a trial.
    let bought = world.purchase(Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap()));
    let (_, address) = world.landing_address(bought).unwrap();
    let form = Browser::of(ALEX).unwrap().open(address.parse().unwrap()).await.unwrap();
    assert!(form.url.path().ends_with("/enrol") && form.text.contains("30 days"), "{}", form.text);

    let mut flaws = Vec::new();
    let verified = app::verify_ledger(store, |flaw| flaws.push(flaw.to_string())).await.unwrap();
    assert!(flaws.is_empty() && verified.entries > 100, "{flaws:?}");
    demo.stop().await;
}
