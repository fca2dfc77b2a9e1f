//! Only the publisher's own people get in, only with a role, and only as long as they have it.

use seatkey::cli::browser::Browser;
use time::Duration;

use crate::{
    on_both_databases,
    support::{
        Stage,
        people::{ALEX, PAT},
        staff::{ADA, FINN, MIRA, NOA, post, signed_in},
    },
};

on_both_databases! {
    staff_sign_in_through_their_own_tenant;
    customers_and_people_without_a_role_stay_outside;
    a_role_that_is_taken_away_ends_every_session;
    a_session_ends_by_itself_and_by_hand;
    a_sign_in_leads_back_into_the_console_alone;
}

async fn staff_sign_in_through_their_own_tenant(stage: Stage) {
    for (person, name, role) in
        [(MIRA, "Mira Sales", "Sales"), (FINN, "Finn Finance", "Finance"), (ADA, "Ada Admin", "Admin")]
    {
        let mut browser = signed_in(&stage, person).await;
        let page = browser.open(stage.url("console/subscriptions")).await.unwrap();
        assert_eq!(page.status, 200);
        assert!(page.text.contains(name) && page.text.contains(role), "{}", page.text);
    }
    // Buyers and staff are told apart by their cookies: a signed-in member of staff is no buyer.
    let mut ada = signed_in(&stage, ADA).await;
    let page = ada.open(stage.url("subscriptions")).await.unwrap();
    assert!(page.text.contains("There is none for the account"), "{}", page.text);
    stage.finish().await;
}

async fn customers_and_people_without_a_role_stay_outside(stage: Stage) {
    for customer in [ALEX, PAT] {
        let mut browser = Browser::of(customer).unwrap();
        let page = browser.open(stage.url("console")).await.unwrap();
        assert_ne!(page.url.path(), "/console");
        assert!(!page.text.contains("Needs a person"), "{}", page.text);
        // Whoever is signed in as a buyer is nobody here.
        browser.open(stage.url("subscriptions")).await.unwrap();
        assert_ne!(
            browser.open(stage.url("console/subscriptions")).await.unwrap().url.path(),
            "/console/subscriptions"
        );
    }
    let mut noa = Browser::of(NOA).unwrap();
    let page = noa.open(stage.url("console")).await.unwrap();
    assert_eq!(page.status, 403);
    assert!(page.text.contains("You have no role here yet") && page.text.contains("Noa Nowhere"), "{}", page.text);
    stage.finish().await;
}

async fn a_role_that_is_taken_away_ends_every_session(stage: Stage) {
    let mut office = signed_in(&stage, MIRA).await;
    stage.world().set_roles(MIRA.parse().unwrap(), &[]);
    assert_eq!(office.open(stage.url("console")).await.unwrap().status, 200, "nobody knows of it yet");
    let page = Browser::of(MIRA).unwrap().open(stage.url("console")).await.unwrap();
    assert_eq!(page.status, 403, "the new sign-in tells");
    let page = office.open(stage.url("console")).await.unwrap();
    assert_eq!(page.status, 403, "the old session has ended: it signs in anew, and is told the same");
    stage.finish().await;
}

async fn a_session_ends_by_itself_and_by_hand(stage: Stage) {
    let mut finn = signed_in(&stage, FINN).await;
    let page = post(&stage, &mut finn, "console/sign-out", &[]).await;
    assert!(page.text.contains("You are signed out"), "{}", page.text);
    let mut finn = signed_in(&stage, FINN).await;
    let csrf = finn.open(stage.url("console")).await.unwrap().field("csrf").unwrap();
    stage.advance(Duration::hours(1));
    let page = finn.open(stage.url("console")).await.unwrap();
    assert_ne!(page.field("csrf").unwrap(), csrf, "after an idle hour it is another session");
    for _ in 0..9 {
        stage.advance(Duration::minutes(55));
        finn.open(stage.url("console")).await.unwrap();
    }
    assert_ne!(finn.open(stage.url("console")).await.unwrap().field("csrf").unwrap(), csrf);
    let wrong = finn.post_form(stage.url("console/sign-out"), &[("csrf", "made up".to_owned())]).await.unwrap();
    assert!(wrong.status == 403 && wrong.text.contains("This form is too old"), "{}", wrong.text);
    stage.finish().await;
}

async fn a_sign_in_leads_back_into_the_console_alone(stage: Stage) {
    let mut ada = Browser::of(ADA).unwrap();
    for (to, expected) in [
        ("/console/subscriptions?stage=active", "/console/subscriptions"),
        ("https://evil.example/console", "/console"),
        ("//evil.example/console", "/console"),
        ("/subscriptions", "/console"),
        ("/consoles", "/console"),
    ] {
        let mut url = stage.url("console/sign-in");
        url.query_pairs_mut().append_pair("to", to);
        assert_eq!(ada.open(url).await.unwrap().url.path(), expected, "{to}");
    }
    stage.finish().await;
}
