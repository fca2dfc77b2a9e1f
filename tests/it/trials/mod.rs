//! Custom trials (`product.md` §6): granted ahead of a purchase, as an extension, or as a prospect's key.

mod ahead;
mod commands;
mod extension;
mod off_market;

use seatkey::{
    app::{self, AppError, NamedTenant, TrialRequest},
    clock::Clock as _,
    domain::{
        charge::{Charge, State},
        policy::Identity,
        staff::{Actor, Member, Roles},
        subscription::Subscription,
        trial_grant::{Contact, TrialGrant, TrialRefused},
    },
    simulator::Mail,
};
use time::{OffsetDateTime, macros::datetime};
use uuid::{Uuid, uuid};

use crate::support::Stage;

const CONTOSO: Uuid = uuid!("3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44");
const PUBLISHER: Uuid = uuid!("5d9f1c3e-8a64-4c0b-9a1e-2f6d7b1c0a11");
const REASON: &str = "asked for at the fair";
const MIRA: &str = "mira.sales@seatkey.example";

fn member(object: u128, name: &str, email: &str, roles: &str) -> Actor {
    Actor::Member(Member {
        id: Uuid::from_u128(object),
        identity: Identity { tenant_id: PUBLISHER, object_id: Uuid::from_u128(object) },
        name: name.to_owned(),
        email: email.to_owned(),
        roles: Roles::from_words(roles.split(' ')),
        signed_in_at: datetime!(2026-01-15 8:00 UTC),
    })
}

fn mira() -> Actor {
    member(1, "Mira Sales", MIRA, "Sales")
}

/// Mira has signed in, with the role that she has.
async fn mira_is_known(stage: &Stage) {
    let Actor::Member(mira) = mira() else { panic!("Mira is a person") };
    let tx = stage.app.store.begin().await.unwrap();
    let names = (mira.name.as_str(), mira.email.as_str());
    tx.record_staff_member(mira.identity, names, &mira.roles, stage.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

fn ada() -> Actor {
    member(2, "Ada Admin", "ada.admin@seatkey.example", "Admin")
}

/// KONNEKT for a year, granted for the domain of Contoso.
fn ahead(days: u32) -> TrialRequest<'static> {
    TrialRequest {
        offer_id: "konnekt",
        plan_id: "konnekt-yearly",
        tenant: Some(NamedTenant::Domain("contoso.example")),
        prospect: None,
        days,
        users: None,
        offer_days: None,
        reason: REASON,
    }
}

/// A key for somebody at Contoso.
fn key(days: u32, tenant: Option<NamedTenant<'static>>, language: &str) -> TrialRequest<'static> {
    let contact = Contact {
        organisation: "Contoso GmbH".to_owned(),
        name: "Alex Weber".to_owned(),
        email: "alex.weber@contoso.example".to_owned(),
        language: language.to_owned(),
    };
    TrialRequest { tenant, prospect: Some(contact), users: Some(50), ..ahead(days) }
}

async fn grant(stage: &Stage, request: TrialRequest<'_>) -> TrialGrant {
    app::grant_trial(&stage.app, &mira(), request).await.unwrap()
}

/// Why something was refused.
fn refusal<T: std::fmt::Debug>(result: Result<T, AppError>) -> TrialRefused {
    match result.unwrap_err() {
        AppError::Trial(refused) => refused,
        other => panic!("{other}"),
    }
}

async fn known(stage: &Stage, id: Uuid) -> Subscription {
    stage.app.store.find_subscription(id).await.unwrap().unwrap()
}

async fn found(stage: &Stage, id: Uuid) -> TrialGrant {
    stage.app.store.find_trial_grant(id).await.unwrap().unwrap()
}

fn move_to(stage: &Stage, at: OffsetDateTime) {
    stage.advance(at - stage.clock.now());
}

/// Everything that is due.
async fn follow(stage: &Stage) {
    app::schedule_reporting(&stage.app).await.unwrap();
    while stage.world().deliver_due().await > 0 {}
    stage.settle().await;
}

/// What stands in the ledger, dropped charges left out.
async fn standing(stage: &Stage, id: Uuid) -> Vec<Charge> {
    let charges = stage.app.store.list_charges(id).await.unwrap();
    charges.into_iter().filter(|charge| charge.state != State::Cancelled).collect()
}

/// Millionths of `full` for `days` of `of_days`, cut: by integers alone.
fn part(full: i64, days: i64, of_days: i64) -> i64 {
    full * 1_000_000 * days / of_days
}

/// What Microsoft accepted for a subscription, in millionths, by the digits of its JSON; the smallest first.
fn accepted(stage: &Stage, id: Uuid) -> Vec<i64> {
    let usage = stage.world().usage_of(id);
    let accepted = usage.into_iter().filter(|one| one.status == "Accepted");
    let mut sums: Vec<i64> = accepted.map(|one| millionths(&one.quantity_text)).collect();
    sums.sort_unstable();
    sums
}

/// What is held, in the same way.
async fn held(stage: &Stage, id: Uuid) -> Vec<i64> {
    let charges = standing(stage, id).await;
    let mut sums: Vec<i64> = charges.iter().map(|charge| charge.quantity.millionths()).collect();
    assert!(charges.iter().all(|charge| charge.state == State::Held), "{charges:?}");
    sums.sort_unstable();
    sums
}

fn millionths(text: &str) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = format!("{fraction:0<6}");
    whole.parse::<i64>().unwrap() * 1_000_000 + fraction[..6].parse::<i64>().unwrap()
}

/// The mails of one kind: the first word of the Message-ID.
fn mails_of(stage: &Stage, kind: &str) -> Vec<Mail> {
    let is = |mail: &Mail| mail.header("Message-ID").unwrap().starts_with(&format!("<{kind}."));
    stage.world().mails().into_iter().filter(is).collect()
}
