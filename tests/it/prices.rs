//! Where prices come from: Microsoft's for this very customer, else the catalog's for their market, except in a private deal.

use seatkey::{cli::browser::Browser, clock::Clock as _, signing, simulator::Purchase};

use time::{Duration, macros::datetime};
use uuid::Uuid;

use crate::{
    on_both_databases,
    support::{
        Stage,
        people::{ALEX, FABRIKAM},
    },
};

on_both_databases! {
    fractional_prices_of_another_market_stay_exact;
    a_plan_that_is_not_listed_takes_the_catalogs_prices;
    without_any_price_there_is_no_enrolment;
    private_prices_count_for_their_customer_alone;
    a_price_is_shown_for_a_minute_without_asking_again;
    a_plan_that_microsoft_bills_follows_its_quantity;
    another_term_than_the_catalogs_is_held_for_a_person;
    with_two_decimals_what_is_shown_is_what_is_charged;
    decimals_that_no_quantity_has_are_refused_by_name;
}

fn konnekt(person: &str) -> Purchase {
    Purchase::of("konnekt", "konnekt-yearly", person.parse().unwrap())
}

async fn fractional_prices_of_another_market_stay_exact(stage: Stage) {
    for (dimension, price) in [("konnekt-25-base", "652.1739"), ("konnekt-25-user", "13.0435")] {
        stage.world().set_price("konnekt", "konnekt-yearly", "US", dimension, price).unwrap();
    }
    let mut morgan = Browser::of(FABRIKAM).unwrap();
    let id = stage.buy_as(konnekt(FABRIKAM));
    stage.configure(&mut morgan, id).await;
    let review = stage.review(&mut morgan, id, "150").await;
    // 652.17 + 125 × 13.0435 = 1,630.4375, rounded to 1,630.44.
    for figure in ["652.1739", "13.0435", "1,630.44", "2,282.61 USD"] {
        assert!(review.text.contains(figure), "the review does not show {figure}");
    }
    stage.submit(&mut morgan, id, &review).await;
    stage.settle().await;
    let prices: Vec<String> =
        stage.app.store.list_charges(id).await.unwrap().iter().map(|charge| charge.unit_price.to_string()).collect();
    assert_eq!(prices, ["652.1739", "13.0435"]);
    stage.finish().await;
}

async fn a_plan_that_is_not_listed_takes_the_catalogs_prices(stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy_as(Purchase { plan_missing: true, ..konnekt(ALEX) });
    stage.world().set_price("konnekt", "konnekt-yearly", "DE", "konnekt-25-base", "999.00").unwrap();
    let form = stage.configure(&mut alex, id).await;
    assert!(form.text.contains("600.00"), "the catalog's price for Germany: {}", form.text);
    stage.finish().await;
}

async fn without_any_price_there_is_no_enrolment(mut stage: Stage) {
    let mut morgan = Browser::of(FABRIKAM).unwrap();
    // The catalog sells in two currencies, and nothing says which one is Morgan's.
    stage.change_catalog("[markets]\n", "[markets]\nUS = \"USD\"\n").await;
    let unlisted = stage.buy_as(Purchase { plan_missing: true, ..konnekt(FABRIKAM) });
    let page = stage.configure(&mut morgan, unlisted).await;
    assert!(page.status >= 400 && page.text.contains("publisher"), "{} {}", page.status, page.text);
    let tried = morgan.open(stage.url(&format!("subscriptions/{unlisted}/enrol?users=150"))).await.unwrap();
    assert!(!tried.text.contains("Review your order"), "an enrolment without prices is offered");
    stage.finish().await;
}

async fn private_prices_count_for_their_customer_alone(stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let negotiated = [("konnekt-25-base".to_owned(), "500.00".to_owned())];
    let private = stage.buy_as(Purchase {
        private_prices: negotiated.into_iter().collect(),
        private_offer_id: Some("3f0c1d9e-0000-4000-8000-00000000000f".to_owned()),
        ..konnekt(ALEX)
    });
    let form = stage.configure(&mut alex, private).await;
    assert!(form.text.contains("500.00") && !form.text.contains("600.00"), "the negotiated price");
    let public = stage.buy_as(konnekt(ALEX));
    assert!(stage.configure(&mut alex, public).await.text.contains("600.00"), "the list price");
    stage.finish().await;
}

async fn a_price_is_shown_for_a_minute_without_asking_again(stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.configure(&mut alex, id).await;
    stage.world().set_price("konnekt", "konnekt-yearly", "DE", "konnekt-25-base", "660.00").unwrap();
    let form = stage.url(&format!("subscriptions/{id}/enrol?users=150"));
    stage.advance(Duration::seconds(59));
    assert!(alex.open(form.clone()).await.unwrap().text.contains("2,100.00"), "still what Microsoft said before");
    let other = stage.buy();
    assert!(stage.configure(&mut alex, other).await.text.contains("660.00"), "for that subscription alone");
    stage.advance(Duration::SECOND);
    assert!(alex.open(form).await.unwrap().text.contains("2,160.00"), "asked again");
    stage.finish().await;
}

async fn a_plan_that_microsoft_bills_follows_its_quantity(stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id =
        stage.buy_as(Purchase { quantity: Some(40), ..Purchase::of("sample-seats", "team", ALEX.parse().unwrap()) });
    let progress = stage.enrol(&mut alex, id, "7").await;
    assert!(progress.url.path().ends_with("/progress"), "{}", progress.url);
    stage.settle().await;
    let key = stage.app.store.find_newest_key(id).await.unwrap().unwrap();
    let claims = signing::inspect(&key.compact).unwrap();
    assert_eq!((claims.users, claims.segment), (Some(40), None), "Microsoft's number, whatever the form said");
    assert_eq!(stage.app.store.list_charges(id).await.unwrap(), [], "Microsoft bills");
    let account = alex.open(stage.url(&format!("subscriptions/{id}"))).await.unwrap();
    assert!(account.text.contains(&key.compact));
    stage.finish().await;
}

async fn another_term_than_the_catalogs_is_held_for_a_person(mut stage: Stage) {
    // The catalog prices a year; Microsoft sells this plan by the year, so the catalog is what is wrong here.
    stage.change_catalog("term_unit = \"P1Y\"", "term_unit = \"P1M\"").await;
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy_as(konnekt(ALEX));
    let page = stage.configure(&mut alex, id).await;
    assert!(page.status >= 400 && page.text.contains("publisher"), "{} {}", page.status, page.text);
    assert_eq!(stage.app.store.find_enrolment(id).await.unwrap(), None);
    stage.finish().await;
}

async fn with_two_decimals_what_is_shown_is_what_is_charged(mut stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let submitted_before = stage.buy_as(konnekt(ALEX));
    stage.enrol(&mut alex, submitted_before, "150").await;
    stage.configure_service("[billing]\nquantity_decimals = 2\n");
    stage.restart().await;
    stage.settle().await;
    assert_eq!(quantities(&stage, submitted_before).await, ["0.917808", "114.726027"], "as it was frozen");

    let mut morgan = Browser::of(FABRIKAM).unwrap();
    // The same days of another year: the jobs have moved on to the end of the trial.
    stage.advance(datetime!(2027-01-15 10:12 UTC) - stage.clock.now());
    let id = stage.buy_as(konnekt(FABRIKAM));
    stage.configure(&mut morgan, id).await;
    let review = stage.review(&mut morgan, id, "150").await;
    for figure in ["0.91", "114.72"] {
        assert!(review.text.contains(&format!(">{figure}<")), "the review does not show {figure}: {}", review.text);
    }
    stage.submit(&mut morgan, id, &review).await;
    stage.settle().await;
    assert_eq!(quantities(&stage, id).await, ["0.91", "114.72"]);
    stage.finish().await;
}

async fn quantities(stage: &Stage, id: Uuid) -> Vec<String> {
    stage.app.store.list_charges(id).await.unwrap().iter().map(|charge| charge.quantity.to_string()).collect()
}

async fn decimals_that_no_quantity_has_are_refused_by_name(mut stage: Stage) {
    stage.configure_service("[billing]\nquantity_decimals = 7\n");
    let refused = stage.try_build().await.unwrap_err().to_string();
    assert!(refused.contains("billing.quantity_decimals must be 2 to 6"), "{refused}");
    stage.finish().await;
}
