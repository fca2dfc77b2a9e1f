//! Filters that find few: whatever index serves a list, it has the rows that a look at all of them finds, page by page; words
//! that are frequent and never meet; the purchases whose deadline is nearest.

use sea_orm::{ConnectionTrait as _, Statement, Value};
use seatkey::{
    app::{What, list_waiting},
    cli::browser::Browser,
    clock::{Clock as _, new_id, random_id},
    domain::charge::{Charge, State},
    store::{AuditEntry, AuditFilter, ChargeFilter, HOUSE, JobKind, LedgerLine, Reader as _, Target, TermKind, Who},
};
use time::Duration;
use uuid::Uuid;

use super::{finance, order, shown};
use crate::{
    on_both_databases,
    support::{Stage, people::ALEX},
};

on_both_databases! {
    filters_of_charges_find_what_a_look_at_all_finds;
    filters_of_jobs_find_what_a_look_at_all_finds;
    filters_of_the_log_find_what_a_look_at_all_finds;
    frequent_words_that_never_meet_come_to_an_end;
    the_purchase_that_is_dropped_first_is_told_first;
}

const REASONS: [&str; 4] = ["enrolment", "renewal", "upgrade", "correction"];
/// Rows of a page here; no number of rows below is a multiple of it.
const PAGE: u64 = 7;

async fn run(stage: &Stage, sql: &str, values: Vec<Value>) {
    let connection = stage.app.store.connection();
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    assert!(connection.execute_raw(statement).await.unwrap().rows_affected() > 0, "{sql}");
}

/// From page to page, by the ids.
async fn pages<F: Future<Output = Vec<Uuid>>>(page: impl Fn(Option<Uuid>) -> F) -> Vec<Uuid> {
    let mut passed: Vec<Uuid> = Vec::new();
    loop {
        let found = page(passed.last().copied()).await;
        let is_full = found.len() as u64 == PAGE;
        passed.extend(found);
        if !is_full {
            return passed;
        }
    }
}

/// Nothing, or each of the words.
fn choices<'a>(words: &[&'a str]) -> Vec<Option<&'a str>> {
    [None].into_iter().chain(words.iter().copied().map(Some)).collect()
}

async fn filters_of_charges_find_what_a_look_at_all_finds(stage: Stage) {
    let id = stage.buy();
    order(&stage, &mut Browser::of(ALEX).unwrap(), id, "Contoso GmbH").await;
    let store = &stage.app.store;
    let one = store.list_charges(id).await.unwrap().remove(0).id;
    let states = State::ALL.map(State::as_str);
    let copy = "INSERT INTO charge (id, quote_id, reason, state, currency, subscription_id, term_start, position, description, \
                dimension, quantity_millionths, unit_price, amount_minor, reportable_from, created_at, plan_id, try_at, state_at) \
                SELECT $1, $2, $3, $4, $5, subscription_id, term_start, position, description, dimension, quantity_millionths, \
                unit_price, amount_minor, reportable_from, created_at, plan_id, try_at, state_at FROM charge WHERE id = $6";
    for number in 0..131 {
        let (state, reason) = (states[number % 11], REASONS[number % 13 % 4]);
        let currency = if number % 3 == 0 { "CHF" } else { "EUR" };
        let ids = [new_id(stage.clock.now()), random_id()];
        let values = vec![ids[0].into(), ids[1].into(), reason.into(), state.into(), currency.into(), one.into()];
        run(&stage, copy, values).await;
    }
    let all = store.list_newest_lines(ChargeFilter::default(), None, 1_000).await.unwrap();
    assert!(all.len() > 131);
    let charge = |(_, line): (Uuid, LedgerLine)| match line {
        LedgerLine::Charge(charge) => charge,
        LedgerLine::Credit(credit) => panic!("{credit:?}"),
    };
    let all: Vec<Charge> = all.into_iter().map(charge).collect();
    for state in choices(&states) {
        for reason in choices(&REASONS) {
            for currency in [None, Some("CHF")] {
                let filter = ChargeFilter { state, reason, currency, subscription_id: None };
                let passed = pages(|after| async move {
                    let found = store.list_newest_lines(filter, after, PAGE).await.unwrap();
                    found.into_iter().map(|(_, line)| line.id()).collect()
                });
                let expected = all.iter().filter(|charge| {
                    state.is_none_or(|state| charge.state.as_str() == state)
                        && reason.is_none_or(|reason| charge.reason.as_str() == reason)
                        && currency.is_none_or(|currency| charge.amount.currency.code() == currency)
                });
                assert_eq!(passed.await, expected.map(|charge| charge.id).collect::<Vec<_>>(), "{filter:?}");
            }
        }
    }
    stage.strike().await;
}

async fn filters_of_jobs_find_what_a_look_at_all_finds(stage: Stage) {
    let store = &stage.app.store;
    let kinds = [JobKind::SendMail, JobKind::HandleWebhook, JobKind::KeepAppointment];
    let tx = store.begin().await.unwrap();
    for number in 0..95 {
        tx.insert_job(kinds[number % 3], random_id(), stage.clock.now()).await.unwrap();
    }
    tx.commit().await.unwrap();
    let states = ["ready", "done", "dead"];
    for (number, job) in store.list_newest_jobs((None, None), None, 1_000).await.unwrap().iter().enumerate() {
        let values = vec![states[number % 7 % 3].into(), job.id.into()];
        run(&stage, "UPDATE job SET state = $1 WHERE id = $2", values).await;
    }
    let all = store.list_newest_jobs((None, None), None, 1_000).await.unwrap();
    let words: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).chain(["nobodys"]).collect();
    for state in choices(&states) {
        for kind in choices(&words) {
            let passed = pages(|after| async move {
                let found = store.list_newest_jobs((state, kind), after, PAGE).await.unwrap();
                found.into_iter().map(|job| job.id).collect()
            });
            let expected = all
                .iter()
                .filter(|job| state.is_none_or(|state| job.state == state) && kind.is_none_or(|kind| job.kind == kind));
            assert_eq!(passed.await, expected.map(|job| job.id).collect::<Vec<_>>(), "{state:?} {kind:?}");
        }
    }
    stage.strike().await;
}

async fn filters_of_the_log_find_what_a_look_at_all_finds(stage: Stage) {
    let store = &stage.app.store;
    let actors = ["staff:1/2", "api:3", "operator:jo", "seatkey", "microsoft", "buyer:4/5", "(erased)"];
    let actions = ["first", "second", "third"];
    let tx = store.begin().await.unwrap();
    for number in 0..200 {
        let (actor, action) = (actors[number % 7], actions[number % 11 % 3]);
        tx.record_audit(AuditEntry { subscription_id: HOUSE, actor, action, detail: "{}" }, stage.clock.now());
    }
    tx.commit().await.unwrap();
    let all = store.list_audit(AuditFilter::default(), None, 1_000).await.unwrap();
    let class = |actor: &str| match actor.split(':').next().unwrap_or_default() {
        "(erased)" => "buyer".to_owned(),
        class => class.to_owned(),
    };
    for who in [None].into_iter().chain(Who::ALL.map(Some)) {
        for action in choices(&actions) {
            let filter = AuditFilter { who, action, subscription_id: None };
            let passed = pages(|after| async move {
                let found = store.list_audit(filter, after, PAGE).await.unwrap();
                found.into_iter().map(|entry| entry.id).collect()
            });
            let expected = all.iter().filter(|entry| {
                who.is_none_or(|who| class(&entry.actor) == who.as_str())
                    && action.is_none_or(|action| entry.action == action)
            });
            assert_eq!(passed.await, expected.map(|entry| entry.id).collect::<Vec<_>>(), "{filter:?}");
        }
    }
    stage.strike().await;
}

async fn frequent_words_that_never_meet_come_to_an_end(stage: Stage) {
    let store = &stage.app.store;
    let tx = store.begin().await.unwrap();
    for number in 0..10_500_u128 {
        for (half, name) in [(0, "alpha stahl"), (1, "optik omega")] {
            let target = Target::Subscription(Uuid::from_u128(number * 2 + half + 1));
            tx.note_term(target, TermKind::Organisation, name);
        }
    }
    let both = Target::Subscription(Uuid::from_u128(5));
    tx.note_term(both, TermKind::Name, "omega rare");
    tx.commit().await.unwrap();
    let search = async |query| store.search(query, 50).await.unwrap().unwrap();
    let found = search("stahl optik").await;
    assert_eq!((found.hits.len(), found.is_partial), (0, true));
    // Both are frequent, and the one that has both words stands among the first.
    let found = search("alpha omega").await;
    assert_eq!(found.hits.iter().map(|hit| hit.target).collect::<Vec<_>>(), [both]);
    assert!(found.is_partial);
    // A rare word leads to all there is.
    let found = search("alpha omega rare").await;
    assert_eq!((found.hits.len(), found.hits[0].target, found.is_partial), (1, both, false));
    // A full page is a page, and no part of one.
    let found = search("alpha stahl").await;
    assert_eq!((found.hits.len(), found.is_partial), (50, false));
    let page = shown(&stage, &mut finance(&stage).await, "/console/search?q=stahl+optik").await;
    assert!(page.contains("add a rarer one"), "{page}");
    stage.strike().await;
}

async fn the_purchase_that_is_dropped_first_is_told_first(stage: Stage) {
    let mut ids = Vec::new();
    for _ in 0..3 {
        let id = stage.buy();
        drop(stage.configure(&mut Browser::of(ALEX).unwrap(), id).await);
        ids.push(id);
        stage.advance(Duration::hours(20));
    }
    let store = &stage.app.store;
    let now = stage.clock.now();
    let first = store.list_unconfigured(now - Duration::days(1), 1).await.unwrap();
    assert_eq!(first.iter().map(|one| one.microsoft.id).collect::<Vec<_>>(), ids[..1]);
    let told = list_waiting(&stage.app).await.unwrap();
    let told = told.iter().filter(|one| one.what == What::Unconfigured);
    let told: Vec<Uuid> = told.filter_map(|one| Some(one.subscription.as_ref()?.0)).collect();
    // The last one is less than a day old.
    assert_eq!(told, ids[..2]);
    stage.strike().await;
}
