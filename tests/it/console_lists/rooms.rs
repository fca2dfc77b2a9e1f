//! What a small story leaves behind, room by room.

use seatkey::{cli::browser::Browser, simulator::Purchase};
use uuid::Uuid;

use super::{column, file, finance, id_of, open, order, rows, shown};
use crate::{
    on_both_databases,
    support::{
        Stage,
        people::{ALEX, FABRIKAM, NORDWIND},
        staff::{ADA, MIRA, SURI, signed_in},
        told::stands_in,
        years::{follow, upgrade},
    },
};

on_both_databases! {
    every_room_shows_what_a_story_left_behind;
    no_amount_of_a_reseller_deal_leaves_the_house;
    keys_in_mails_are_for_support;
}

const FORMULA: &str = "=1+1|cmd";

/// A direct purchase with an upgrade and a suspension, of an organisation whose name is a formula.
async fn live(stage: &Stage) -> Uuid {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    order(stage, &mut alex, id, FORMULA).await;
    follow(stage).await;
    upgrade(stage, id, 300).await;
    assert!(stage.world().suspend(id));
    follow(stage).await;
    assert!(stage.world().reinstate(id));
    follow(stage).await;
    id
}

async fn every_room_shows_what_a_story_left_behind(stage: Stage) {
    let id = live(&stage).await;
    let mut finn = finance(&stage).await;
    ledger(&stage, &mut finn, id).await;
    webhooks_and_jobs(&stage, &mut finn, id).await;
    mails(&stage, &mut finn, id).await;
    staff_actions(&stage, &mut finn, id).await;
    let catalog = shown(&stage, &mut finn, "/console/catalog").await;
    for word in ["KONNEKT 250", "konnekt-yearly", "3300.00", "EUR", "P1Y", "List prices"] {
        assert!(catalog.contains(word), "the catalog does not say {word}");
    }
    let prices = file(&stage, &mut finn, "/console/catalog.csv").await;
    assert!(column(&prices, "Price").contains(&"3300.0000") && column(&prices, "Currency").contains(&"EUR"));
    stage.strike().await;
}

async fn ledger(stage: &Stage, finn: &mut Browser, id: Uuid) {
    let charges = stage.app.store.list_charges(id).await.unwrap();
    let lines = file(stage, finn, "/console/ledger.csv").await;
    let page = shown(stage, finn, "/console/ledger").await;
    assert_eq!((lines.len(), rows(&page).len()), (charges.len(), charges.len()));
    assert!(column(&lines, "Organisation").iter().all(|name| *name == format!("'{FORMULA}")), "{lines:?}");
    assert!(page.contains(&format!("href=\"/console/subscriptions/{id}\"")) && page.contains("ledger.csv"));
    let amounts: Vec<String> = charges.iter().rev().map(|charge| charge.amount.to_string()).collect();
    let (mut told, mut amounts) = (column(&lines, "Amount"), amounts.iter().map(String::as_str).collect::<Vec<_>>());
    told.sort_unstable();
    amounts.sort_unstable();
    assert_eq!(told, amounts);
    for (filter, expected) in [
        ("reason=upgrade", charges.iter().filter(|charge| charge.reason.as_str() == "upgrade").count()),
        ("state=held", charges.iter().filter(|charge| charge.state.as_str() == "held").count()),
        ("currency=EUR", charges.len()),
        ("currency=CHF", 0),
        ("reason=upgrade&currency=EUR", charges.iter().filter(|charge| charge.reason.as_str() == "upgrade").count()),
        ("reason=upgrade&currency=CHF", 0),
        ("state=accepted&reason=upgrade&currency=EUR", 0),
        ("state=nonsense", 0),
        (
            &format!("subscription={id}&reason=enrolment"),
            charges.iter().filter(|c| c.reason.as_str() == "enrolment").count(),
        ),
        ("subscription=nobody", 0),
        ("after=nowhere", 0),
    ] {
        let page = shown(stage, finn, &format!("/console/ledger?{filter}")).await;
        assert_eq!(rows(&page).len(), expected, "{filter}");
    }
    // Whoever may not have the file is not shown the way to it either.
    let mut mira = signed_in(stage, MIRA).await;
    assert!(!shown(stage, &mut mira, "/console/ledger").await.contains("ledger.csv"));
    assert_eq!(open(stage, &mut mira, "/console/ledger.csv").await.status, 403);
}

async fn webhooks_and_jobs(stage: &Stage, finn: &mut Browser, id: Uuid) {
    let all = shown(stage, finn, "/console/webhooks").await;
    let suspended =
        shown(stage, finn, &format!("/console/webhooks?action=Suspend&handled=yes&subscription={id}")).await;
    assert!(rows(&all).len() > rows(&suspended).len());
    assert_eq!(rows(&suspended).len(), 1, "{suspended}");
    assert!(suspended.contains("state good\">handled") && suspended.contains("&quot;Suspend&quot;"), "{suspended}");
    assert_eq!(rows(&shown(stage, finn, "/console/webhooks?handled=no").await).len(), 0);
    let jobs = shown(stage, finn, "/console/jobs?kind=send_mail&state=done").await;
    let mails = stage.app.store.list_mails(id).await.unwrap();
    assert_eq!(rows(&jobs).len(), mails.len());
    assert!(jobs.contains("href=\"/console/mails/"));
    let dead = file(stage, finn, "/console/jobs.csv?state=dead").await;
    assert_eq!(dead.len(), 0);
}

async fn mails(stage: &Stage, finn: &mut Browser, id: Uuid) {
    let written = stage.app.store.list_mails(id).await.unwrap();
    let page = shown(stage, finn, &format!("/console/mails?state=sent&subscription={id}")).await;
    let shown_ids: Vec<String> = rows(&page).iter().map(|row| id_of(row)).collect();
    // Of one instant the order of the ids, which goes on from page to page.
    let mut newest_first: Vec<String> = written.iter().map(|mail| mail.id.to_string()).collect();
    newest_first.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!(shown_ids, newest_first);
    assert_eq!(rows(&shown(stage, finn, "/console/mails?state=queued").await).len(), 0);
    let lines = file(stage, finn, "/console/mails.csv").await;
    assert!(column(&lines, "Recipients").iter().all(|who| who.contains("alex.weber@contoso.example")));
}

async fn staff_actions(stage: &Stage, finn: &mut Browser, id: Uuid) {
    let page = shown(stage, finn, "/console/staff-actions?who=staff").await;
    assert!(page.contains("Finn") && page.contains("staff signed in"), "{page}");
    assert!(rows(&page).iter().all(|row| row.contains("the installation")), "{page}");
    let orders = shown(stage, finn, &format!("/console/staff-actions?who=buyer&subscription={id}")).await;
    assert!(!rows(&orders).is_empty() && rows(&orders).iter().all(|row| row.contains(ALEX)), "{orders}");
    let lines = file(stage, finn, "/console/staff-actions.csv").await;
    let ours = column(&lines, "Subscription id").iter().filter(|one| **one == id.to_string()).count();
    let of_subscription = file(stage, finn, &format!("/console/staff-actions.csv?subscription={id}")).await;
    assert_eq!(of_subscription.len(), ours);
    let mut places: Vec<i64> = column(&of_subscription, "Entry").iter().map(|place| place.parse().unwrap()).collect();
    places.dedup();
    assert_eq!(places.len(), ours, "every entry has its place in the chain");
    for word in ["who=nobody", "action=none"] {
        assert_eq!(rows(&shown(stage, finn, &format!("/console/staff-actions?{word}")).await).len(), 0);
    }
    let mut suri = signed_in(stage, SURI).await;
    assert_eq!(open(stage, &mut suri, "/console/staff-actions.csv").await.status, 403);
}

async fn no_amount_of_a_reseller_deal_leaves_the_house(stage: Stage) {
    let purchase = Purchase {
        purchaser: Some(NORDWIND.parse().unwrap()),
        ..Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap())
    };
    let id = stage.buy_as(purchase);
    order(&stage, &mut Browser::of(NORDWIND).unwrap(), id, "Contoso GmbH").await;
    let test = Purchase {
        sandbox_type: Some("Csp".to_owned()),
        ..Purchase::of("konnekt", "konnekt-yearly", FABRIKAM.parse().unwrap())
    };
    let test = stage.buy_as(test);
    order(&stage, &mut Browser::of(FABRIKAM).unwrap(), test, "Fabrikam Inc.").await;
    let mut ada = signed_in(&stage, ADA).await;
    let resold = file(&stage, &mut ada, &format!("/console/ledger.csv?subscription={id}")).await;
    assert!(!resold.is_empty());
    for name in ["Unit price", "Amount", "Currency"] {
        assert!(column(&resold, name).iter().all(|value| value.is_empty()), "{name}: {resold:?}");
    }
    assert!(column(&resold, "Marks").iter().all(|mark| *mark == "reseller"));
    let of_test = file(&stage, &mut ada, &format!("/console/ledger.csv?subscription={test}")).await;
    assert!(!of_test.is_empty() && column(&of_test, "Marks").iter().all(|mark| mark.contains("test")));
    // Whatever else is told of the deal has no amount either.
    for room in ["staff-actions", "webhooks", "jobs", "mails"] {
        let path = format!("/console/{room}.csv?subscription={id}");
        let text = shown(&stage, &mut ada, &path).await;
        for amount in ["EUR", "550.68", "600.00"] {
            assert!(!stands_in(&text, amount), "{room} tells of {amount}: {text}");
        }
    }
    stage.strike().await;
}

async fn keys_in_mails_are_for_support(stage: Stage) {
    let id = stage.buy();
    order(&stage, &mut Browser::of(ALEX).unwrap(), id, "Contoso GmbH").await;
    let key = stage.app.store.find_newest_key(id).await.unwrap().unwrap().compact;
    let mail = stage.app.store.list_mails(id).await.unwrap().remove(0);
    assert!(mail.content.text_body.contains(&key), "the welcome mail has the key");
    let signature = key.rsplit('.').next().unwrap().to_owned();
    for (person, sees) in [(SURI, true), (ADA, true), (MIRA, false), (super::staff::FINN, false)] {
        let mut browser = signed_in(&stage, person).await;
        let page = shown(&stage, &mut browser, &format!("/console/mails/{}", mail.id)).await;
        assert_eq!(page.contains(&key), sees, "{person}: {page}");
        assert_eq!(page.contains(&signature), sees, "{person}");
        assert_eq!(page.contains("(license key: visible to Support)"), !sees, "{person}");
        for path in ["mails.csv", "mails", "jobs.csv", "webhooks.csv", "staff-actions"] {
            let text = shown(&stage, &mut browser, &format!("/console/{path}")).await;
            assert!(!text.contains(&signature), "{path} has a key");
        }
        assert!(page.contains("Contoso") && page.contains(&format!("/console/subscriptions/{id}")));
    }
    let mut suri = signed_in(&stage, SURI).await;
    assert_eq!(open(&stage, &mut suri, &format!("/console/mails/{id}")).await.status, 404);
    assert_eq!(open(&stage, &mut suri, "/console/mails/nothing").await.status, 404);
    stage.strike().await;
}
