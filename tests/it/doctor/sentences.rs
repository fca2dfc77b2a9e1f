//! Three troubles that look alike from afar are told to three people in three sentences: an expired secret to the publisher's
//! operations, a wrong application id to the owner of the offer, a bad purchase token to the buyer.

use seatkey::{
    app::{What, check_up, checkup::Whose, list_waiting},
    cli::browser::Browser,
    simulator::App,
};

use super::bench::{Bench, Wrong};
use crate::support::{Database, Stage, people::ALEX, staff};

/// What the buyer reads with a token that is not one.
async fn buyers_page(stage: &Stage, token: &str) -> String {
    let mut alex = Browser::of(ALEX).unwrap();
    alex.open(stage.url(&format!("landing?token={token}"))).await.unwrap().text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_troubles_are_told_to_three_people() {
    let bench = Bench::set(Database::Sqlite).await;
    let (stage, world) = (&bench.stage, bench.stage.world());
    let good = world.landing_address(bench.konnekt).unwrap().1;
    let good = good.split("token=").nth(1).unwrap();

    world.expire_secret(App::Marketplace);
    let to_operations = "Have a new client secret made in the app registration";
    // The console first: the doctor's bench restores the secret.
    check_up(&stage.app).await.unwrap();
    let mut ada = Browser::of(staff::ADA).unwrap();
    let today = ada.open(stage.url("console")).await.unwrap();
    assert!(today.text.contains("Check entra.token") && today.text.contains(to_operations), "{}", today.text);
    let told = buyers_page(stage, good).await;
    assert!(told.contains("We cannot look up your purchase right now"), "it is not the buyer's fault: {told}");
    let expected = ("entra.token", Wrong, Whose::Operations, to_operations);
    bench.complains("an expired secret", &bench.good, expected).await;

    let other = bench.with_key("marketplace", "application_id", "\"9e4d2c1b-6f7a-4b8c-9d0e-1a2b3c4d5e66\"");
    let other = other.replacen("\"marketplace-secret\"", "\"staff-secret\"", 1);
    let to_the_owner = "Enter [marketplace] tenant_id and application_id";
    let expected = ("marketplace.fulfillment", Wrong, Whose::PartnerCenter, to_the_owner);
    bench.complains("a wrong application id", &other, expected).await;

    let told = buyers_page(stage, "bm90LWEtcHVyY2hhc2UtdG9rZW4%3D").await;
    assert!(
        told.contains("This link does not lead to your purchase") && told.contains("Configure account now"),
        "{told}"
    );
    for sentence in [to_operations, to_the_owner, "AADSTS"] {
        assert!(!told.contains(sentence), "the buyer reads what is the publisher's: {told}");
    }
    bench.stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_mended_leaves_the_console_at_the_next_check_up() {
    let bench = Bench::set(Database::Sqlite).await;
    let stage = &bench.stage;
    let found = async || {
        check_up(&stage.app).await.unwrap();
        let waiting = list_waiting(&stage.app).await.unwrap();
        let checks = waiting.into_iter().filter_map(|one| Some((one.since?, one.what)));
        checks.filter_map(|(since, what)| matches!(&what, What::Check(_)).then_some((since, what))).collect::<Vec<_>>()
    };
    assert_eq!(found().await, [], "a good installation");
    stage.world().expire_secret(App::SignIn);
    let first = found().await;
    let [(since, What::Check(check))] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!(
        (check.id.as_str(), check.is_wrong, check.whose.as_str()),
        ("sign_in.secret", true, Whose::Operations.as_str())
    );
    stage.advance(time::Duration::HOUR);
    assert_eq!(found().await[0].0, *since, "it is told since when it is so");
    bench.heal();
    assert_eq!(found().await, []);
    bench.stage.strike().await;
}
