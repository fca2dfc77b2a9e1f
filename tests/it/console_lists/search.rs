//! The search: every kind of term, by its beginning; several words; who was erased; rows from before there was a search.

use sea_orm::ConnectionTrait as _;
use seatkey::{
    cli::browser::Browser,
    clock::Clock as _,
    store::{NewWebhook, Reader as _, Target, TermKind},
};
use uuid::Uuid;

use super::{finance, open, order, rows, shown};
use crate::{
    on_both_databases,
    support::{
        Stage,
        people::{ALEX, FABRIKAM},
        years::follow,
    },
};

on_both_databases! {
    everything_is_found_by_its_beginning;
    words_have_to_match_together;
    what_was_written_before_is_found_too;
    who_was_erased_is_not_found_any_more;
    an_unchanged_subscription_writes_no_terms;
}

const CONTOSO: &str = "3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44";

/// Contoso's subscription, with an operation and a call; its terms by kind.
async fn live(stage: &Stage) -> (Uuid, Vec<(TermKind, String)>) {
    let id = stage.buy();
    order(stage, &mut Browser::of(ALEX).unwrap(), id, "Müller & Contoso (GmbH)").await;
    let store = &stage.app.store;
    let now = stage.clock.now();
    let (operation, request, correlation) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    let call = store.record_intent(id, "activate", now).await.unwrap();
    let ids = (request.to_string(), correlation.to_string());
    store.record_answer(call, "accepted", Some((&ids.0, &ids.1)), now).await.unwrap();
    let tx = store.begin().await.unwrap();
    let webhook = NewWebhook {
        operation_id: &operation.to_string(),
        action: "Renew",
        subscription_id: Some(id),
        body: "{}",
        claims: "{}",
        refusal: None,
    };
    assert!(tx.insert_webhook(webhook, now).await.unwrap());
    tx.commit().await.unwrap();
    let key = store.find_newest_key(id).await.unwrap().unwrap();
    let subscription = store.find_subscription(id).await.unwrap().unwrap();
    let terms = vec![
        (TermKind::Organisation, "Müller & Contoso (GmbH)".to_owned()),
        (TermKind::Organisation, "CONTOSO".to_owned()),
        (TermKind::Name, subscription.microsoft.name),
        (TermKind::Email, "jo.brandt@contoso.example".to_owned()),
        (TermKind::Tenant, CONTOSO.to_owned()),
        (TermKind::Subscription, id.to_string()),
        (TermKind::License, key.license_id),
        (TermKind::Operation, operation.to_string()),
        (TermKind::Request, ids.0),
        (TermKind::Request, ids.1),
    ];
    (id, terms)
}

async fn finds(stage: &Stage, query: &str) -> Vec<Uuid> {
    let hits = stage.app.store.search(query, 50).await.unwrap().map(|found| found.hits).unwrap_or_default();
    hits.iter().map(|hit| hit.target.id()).collect()
}

/// Each term, in capitals, and by the first letters of it.
async fn finds_all(stage: &Stage, id: Uuid, terms: &[(TermKind, String)]) {
    for (kind, term) in terms {
        let half: String = term.chars().take((term.chars().count() / 2).max(3)).collect();
        for query in [term.clone(), term.to_uppercase(), half] {
            let hits = stage.app.store.search(&query, 50).await.unwrap().unwrap().hits;
            let hit = hits.iter().find(|hit| hit.target == Target::Subscription(id));
            let hit = hit.unwrap_or_else(|| panic!("{kind:?} {query} finds {hits:?}"));
            assert!(hit.matched.iter().any(|(found, _)| found == kind), "{query}: {hit:?}");
        }
    }
}

async fn everything_is_found_by_its_beginning(stage: Stage) {
    let (id, terms) = live(&stage).await;
    finds_all(&stage, id, &terms).await;
    let mut finn = finance(&stage).await;
    // An id leads straight there, whatever else begins alike; a part of it leads to what it may be.
    for query in [id.to_string(), "Jo.Brandt@contoso.example".to_owned()] {
        let page = open(&stage, &mut finn, &format!("/console/search?q={query}")).await;
        assert_eq!(page.url.path(), format!("/console/subscriptions/{id}"), "{query}");
    }
    let part = &id.to_string()[..13];
    let page = shown(&stage, &mut finn, &format!("/console/search?q={part}")).await;
    assert_eq!(rows(&page).len(), 1, "{page}");
    assert!(page.contains(&format!("subscription {id}")) && page.contains("Müller &amp; Contoso"), "{page}");
    for (query, told) in
        [("co", "at least three letters"), ("", "type what you know"), ("%5F%25_", "0 hits"), ("nobody", "0 hits")]
    {
        let page = shown(&stage, &mut finn, &format!("/console/search?q={query}")).await;
        assert!(page.contains(told) && rows(&page).is_empty(), "{query}: {page}");
    }
    let hostile = shown(&stage, &mut finn, "/console/search?q=%3Cscript%3Ealert(1)").await;
    assert!(!hostile.contains("<script>alert"));
    stage.strike().await;
}

async fn words_have_to_match_together(stage: Stage) {
    let (id, _) = live(&stage).await;
    let other = stage.buy_as(seatkey::simulator::Purchase::of("konnekt", "konnekt-yearly", FABRIKAM.parse().unwrap()));
    order(&stage, &mut Browser::of(FABRIKAM).unwrap(), other, "Fabrikam GmbH").await;
    let mut both = finds(&stage, "gmb").await;
    both.sort_unstable();
    let mut expected = vec![id, other];
    expected.sort_unstable();
    assert_eq!(both, expected);
    assert_eq!(finds(&stage, "gmbh contoso").await, [id]);
    assert_eq!(finds(&stage, "Contoso (GmbH").await, [id]);
    assert_eq!(finds(&stage, "gm MÜLL jo.brandt").await, [id]);
    assert_eq!(finds(&stage, "fabrikam gmbh").await, [other]);
    assert!(finds(&stage, "contoso fabrikam").await.is_empty());
    assert!(stage.app.store.search("co gm", 50).await.unwrap().is_none(), "no word has three letters");
    assert_eq!(stage.app.store.search("gmbh", 1).await.unwrap().unwrap().hits.len(), 1);
    stage.strike().await;
}

async fn what_was_written_before_is_found_too(mut stage: Stage) {
    let (id, terms) = live(&stage).await;
    let database = stage.app.store.connection();
    database.execute_unprepared("DELETE FROM search_term").await.unwrap();
    assert!(finds(&stage, "contoso").await.is_empty());
    stage.restart().await;
    finds_all(&stage, id, &terms).await;
    let count = finds(&stage, "contoso").await.len();
    // Once: what is taken out by hand afterwards stays out.
    let sql = "DELETE FROM search_term WHERE kind = 'tenant'";
    stage.app.store.connection().execute_unprepared(sql).await.unwrap();
    stage.restart().await;
    assert!(finds(&stage, CONTOSO).await.is_empty());
    assert_eq!(finds(&stage, "contoso").await.len(), count);
    stage.strike().await;
}

async fn who_was_erased_is_not_found_any_more(stage: Stage) {
    let (id, terms) = live(&stage).await;
    follow(&stage).await;
    let tx = stage.app.store.begin().await.unwrap();
    let known = tx.get_subscription(id).await.unwrap();
    tx.update_subscription(&known, stage.clock.now()).await.unwrap();
    assert!(tx.erase_personal_data(id, stage.clock.now()).await.unwrap());
    tx.commit().await.unwrap();
    for (kind, term) in &terms {
        let personal = matches!(kind, TermKind::Organisation | TermKind::Name | TermKind::Email);
        assert_eq!(finds(&stage, term).await.is_empty(), personal, "{kind:?} {term}");
    }
    assert!(finds(&stage, "alex.weber").await.is_empty());
    stage.strike().await;
}

/// Whatever is read and written back has its terms; what is new in it gets them.
async fn an_unchanged_subscription_writes_no_terms(stage: Stage) {
    let (id, _) = live(&stage).await;
    let store = &stage.app.store;
    store.connection().execute_unprepared("DELETE FROM search_term").await.unwrap();
    let write = async |name: Option<&str>| {
        let tx = store.begin().await.unwrap();
        let mut known = tx.get_subscription(id).await.unwrap();
        known.microsoft.name = name.map_or(known.microsoft.name, str::to_owned);
        tx.update_subscription(&known, stage.clock.now()).await.unwrap();
        // Read again, as a later step of the same transaction does.
        tx.get_subscription(id).await.unwrap();
        tx.commit().await.unwrap();
    };
    write(None).await;
    assert!(finds(&stage, &id.to_string()).await.is_empty(), "nothing was written");
    write(Some("Northern branch")).await;
    assert_eq!(finds(&stage, "branch").await, [id]);
    assert!(finds(&stage, &id.to_string()).await.is_empty(), "nothing else was written");
    stage.strike().await;
}
