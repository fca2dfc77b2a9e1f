//! People who should see nothing, and forms that were not made by us: nothing is shown, nothing happens, the page helps.

use seatkey::{
    cli::browser::{Browser, Page},
    simulator::Purchase,
};
use time::Duration;
use uuid::Uuid;

use crate::{
    on_both_databases,
    support::{
        Stage, enrolment_fields,
        people::{ALEX, FABRIKAM_WITH_ALEX_EMAIL, JO, NORDWIND, PAT, SAM},
        told::stands_in,
    },
};

on_both_databases! {
    a_copied_link_shows_a_stranger_nothing;
    an_email_address_grants_nothing;
    personal_accounts_are_strangers_to_each_other;
    a_colleague_may_look_but_not_buy;
    an_expired_token_explains_the_way_back;
    a_tampered_form_changes_nothing;
    the_quote_of_another_person_is_worth_nothing;
    in_a_reseller_deal_only_the_reseller_buys_and_nobody_sees_amounts;
    a_character_that_nobody_types_is_refused;
    a_flood_of_arrivals_has_to_wait;
}

/// Nothing of the purchase is on the page, and the way on is.
fn shows_nothing(page: &Page, stage: &Stage, id: Uuid) {
    for secret in ["konnekt-prod", "KONNEKT 25", "600.00", "eyJhbGci", &id.to_string()] {
        assert!(!page.text.contains(secret), "{} shows {secret}", page.url);
    }
    assert!((400..500).contains(&page.status), "{} answers {}", page.url, page.status);
    assert!(page.text.contains("another account"), "{} does not help: {}", page.url, page.text);
    assert_eq!(stage.world().activations(id), 0);
}

async fn cannot_reach_anything(stage: &Stage, browser: &mut Browser, id: Uuid) {
    for path in ["", "/enrol", "/enrol/projection?users=150", "/progress", "/progress.json", "/license.lic"] {
        let page = browser.open(stage.url(&format!("subscriptions/{id}{path}"))).await.unwrap();
        assert_eq!(page.status, 404, "{path} answers a stranger with {}", page.status);
        assert!(!page.text.contains("konnekt-prod"), "{path} names the subscription");
    }
}

fn named(person: &str) -> Purchase {
    Purchase { name: "konnekt-prod".to_owned(), ..Purchase::of("konnekt", "konnekt-yearly", person.parse().unwrap()) }
}

async fn a_copied_link_shows_a_stranger_nothing(stage: Stage) {
    let id = stage.buy_as(named(ALEX));
    let mut stranger = Browser::of(NORDWIND).unwrap();
    let page = stage.configure(&mut stranger, id).await;
    shows_nothing(&page, &stage, id);
    // Alex has been here: now the subscription is known, and still nothing is shown.
    let mut alex = Browser::of(ALEX).unwrap();
    stage.configure(&mut alex, id).await;
    cannot_reach_anything(&stage, &mut stranger, id).await;
    stage.finish().await;
}

async fn an_email_address_grants_nothing(stage: Stage) {
    let id = stage.buy_as(named(ALEX));
    let mut same_address = Browser::of(FABRIKAM_WITH_ALEX_EMAIL).unwrap();
    let page = stage.configure(&mut same_address, id).await;
    shows_nothing(&page, &stage, id);
    stage.configure(&mut Browser::of(ALEX).unwrap(), id).await;
    cannot_reach_anything(&stage, &mut same_address, id).await;
    stage.finish().await;
}

async fn personal_accounts_are_strangers_to_each_other(stage: Stage) {
    let id = stage.buy_as(named(PAT));
    let mut sam = Browser::of(SAM).unwrap();
    let page = stage.configure(&mut sam, id).await;
    shows_nothing(&page, &stage, id);
    let mut pat = Browser::of(PAT).unwrap();
    let form = stage.configure(&mut pat, id).await;
    assert!(form.url.path().ends_with("/enrol"), "the owner gets on: {}", form.url);
    cannot_reach_anything(&stage, &mut sam, id).await;
    let list = sam.open(stage.url("subscriptions")).await.unwrap();
    assert!(!list.text.contains("konnekt-prod"), "the list of another personal account");
    stage.finish().await;
}

async fn a_colleague_may_look_but_not_buy(stage: Stage) {
    let id = stage.buy_as(named(ALEX));
    let mut alex = Browser::of(ALEX).unwrap();
    stage.enrol(&mut alex, id, "150").await;
    stage.settle().await;
    let mut jo = Browser::of(JO).unwrap();
    let page = jo.open(stage.url(&format!("subscriptions/{id}"))).await.unwrap();
    assert_eq!(page.status, 200);
    for hidden in ["eyJhbGci", "550.68", "jo.brandt@contoso.example"] {
        assert!(!page.text.contains(hidden), "a colleague sees {hidden}");
    }
    assert_eq!(jo.open(stage.url(&format!("subscriptions/{id}/license.lic"))).await.unwrap().status, 404);
    stage.finish().await;
}

async fn an_expired_token_explains_the_way_back(stage: Stage) {
    let id = stage.buy_as(named(ALEX));
    let (_, address) = stage.world().landing_address(id).unwrap();
    stage.advance(Duration::hours(25));
    let mut alex = Browser::of(ALEX).unwrap();
    let page = alex.open(address.parse().unwrap()).await.unwrap();
    assert!(page.text.contains("Azure portal") && page.text.contains("Configure account now"), "{}", page.text);
    let later = alex.open(stage.url("landing")).await.unwrap();
    assert!(later.url.path().ends_with("/subscriptions"), "the old token is forgotten: {}", later.url);
    let garbage = alex.open(stage.url("landing?token=%00%FFnonsense")).await.unwrap();
    assert!(garbage.text.contains("Configure account now"), "{} {}", garbage.url, garbage.text);
    let fresh = stage.configure(&mut alex, id).await;
    assert!(fresh.url.path().ends_with("/enrol"), "a fresh link works: {}", fresh.url);
    stage.finish().await;
}

async fn a_tampered_form_changes_nothing(stage: Stage) {
    let id = stage.buy_as(named(ALEX));
    let mut alex = Browser::of(ALEX).unwrap();
    stage.configure(&mut alex, id).await;
    let review = stage.review(&mut alex, id, "150").await;
    let (csrf, quote) = (review.field("csrf").unwrap(), review.field("quote").unwrap());
    let foreign_quote = Uuid::new_v4().to_string();
    let table = [
        ("no token of the form", String::new(), quote.clone()),
        ("another token", format!("{csrf}x"), quote.clone()),
        ("a quote that is none", csrf.clone(), "1".to_owned()),
        ("a quote that does not exist", csrf, foreign_quote),
    ];
    for (name, csrf, quote) in table {
        let fields = [("csrf", csrf), ("quote", quote)];
        let page = alex.post_form(stage.url(&format!("subscriptions/{id}/enrol/submit")), &fields).await.unwrap();
        assert!((400..500).contains(&page.status), "{name}: {} {}", page.status, page.text);
        assert_eq!(stage.app.store.find_enrolment(id).await.unwrap(), None, "{name} ordered something");
    }
    // Users, extras and prices do not travel in the form of the review: what is there is ignored.
    let fields = [
        ("csrf", review.field("csrf").unwrap()),
        ("quote", review.field("quote").unwrap()),
        ("users", "1".to_owned()),
        ("total", "0.01".to_owned()),
    ];
    alex.post_form(stage.url(&format!("subscriptions/{id}/enrol/submit")), &fields).await.unwrap();
    stage.settle().await;
    let subscription = stage.app.store.find_subscription(id).await.unwrap().unwrap();
    assert_eq!(subscription.users, Some(150));
    stage.finish().await;
}

async fn the_quote_of_another_person_is_worth_nothing(stage: Stage) {
    let of_alex = stage.buy_as(named(ALEX));
    let of_pat = stage.buy_as(named(PAT));
    let (mut alex, mut pat) = (Browser::of(ALEX).unwrap(), Browser::of(PAT).unwrap());
    stage.configure(&mut alex, of_alex).await;
    stage.configure(&mut pat, of_pat).await;
    let review = stage.review(&mut alex, of_alex, "150").await;
    let own = stage.review(&mut pat, of_pat, "25").await;
    let fields = [("csrf", own.field("csrf").unwrap()), ("quote", review.field("quote").unwrap())];
    for id in [of_alex, of_pat] {
        let page = pat.post_form(stage.url(&format!("subscriptions/{id}/enrol/submit")), &fields).await.unwrap();
        assert!((400..500).contains(&page.status), "{}", page.status);
        assert_eq!(stage.app.store.find_enrolment(id).await.unwrap(), None);
    }
    stage.finish().await;
}

async fn in_a_reseller_deal_only_the_reseller_buys_and_nobody_sees_amounts(stage: Stage) {
    let id = stage.buy_as(Purchase { purchaser: Some(NORDWIND.parse().unwrap()), ..named(ALEX) });
    let mut alex = Browser::of(ALEX).unwrap();
    let page = stage.configure(&mut alex, id).await;
    assert!(!page.url.path().ends_with("/enrol"), "the beneficiary may not enrol: {}", page.url);
    // But may ask, twice by mistake: one mail to the purchaser.
    for _ in 0..2 {
        let fields = [("csrf", page.field("csrf").unwrap()), ("users", "150".to_owned())];
        let asked = alex.post_form(stage.url(&format!("subscriptions/{id}/ask")), &fields).await.unwrap();
        assert!(asked.text.contains("We have written to your reseller"), "{}", asked.text);
    }
    stage.settle().await;
    let question = &stage.world().mails()[0];
    assert_eq!(
        (stage.world().mails().len(), question.recipients.as_slice()),
        (1, &["kim@nordwind.example".to_owned()][..])
    );
    assert!(question.text.as_deref().unwrap().contains("150 users in total"), "{:?}", question.text);
    stage.world().clear_mails();
    let mut reseller = Browser::of(NORDWIND).unwrap();
    let form = stage.configure(&mut reseller, id).await;
    assert!(form.url.path().ends_with("/enrol"), "{}", form.url);
    let fields = enrolment_fields(&form, "150");
    let review = reseller.post_form(stage.url(&format!("subscriptions/{id}/enrol/review")), &fields).await.unwrap();
    let done = stage.submit(&mut reseller, id, &review).await;
    stage.settle().await;
    let account = alex.open(stage.url(&format!("subscriptions/{id}"))).await.unwrap();
    assert!(account.text.contains("eyJhbGci"), "the beneficiary sees the key");
    let mail = &stage.world().mails()[0];
    let mail = format!("{}{}", mail.text.as_deref().unwrap(), mail.html.as_deref().unwrap());
    for (name, text) in [
        ("form", &form.text),
        ("review", &review.text),
        ("progress", &done.text),
        ("account", &account.text),
        ("mail", &mail),
    ] {
        for amount in ["600.00", "12.00", "2,100.00", "550.68", "1,376.71", "1,500.00", "EUR"] {
            assert!(!stands_in(text, amount), "the {name} of a reseller deal shows {amount}");
        }
    }
    stage.finish().await;
}

async fn a_character_that_nobody_types_is_refused(stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    let form = stage.configure(&mut alex, id).await;
    let mut fields = enrolment_fields(&form, "150");
    fields[2].1 = "Contoso\0GmbH".to_owned();
    let review = stage.url(&format!("subscriptions/{id}/enrol/review"));
    assert_eq!(alex.post_form(review, &fields).await.unwrap().status, 400);
    for path in ["sign-in/callback?state=%00&code=x", "sign-in?to=/%00", "landing?%00=x"] {
        let page = alex.open(stage.url(path)).await.unwrap();
        assert_eq!(page.status, 400, "{path}: {}", page.text);
    }
    stage.finish().await;
}

async fn a_flood_of_arrivals_has_to_wait(stage: Stage) {
    let flood = |path: &'static str| {
        let address = stage.url(path);
        async move {
            // The first hop alone, as a script would do it.
            let client = seatkey::http::client().unwrap();
            let answer = client.get(address).send().await.unwrap();
            (answer.status().as_u16(), answer.headers().get("Retry-After").cloned())
        }
    };
    for arrival in 0..300 {
        assert_eq!(flood("landing?token=anything").await.0, 303, "arrival {arrival}");
    }
    let (status, retry_after) = flood("landing?token=anything").await;
    assert_eq!((status, retry_after.unwrap().to_str().unwrap()), (429, "60"));
    assert_eq!(flood("sign-in").await.0, 429, "the way to the sign-in is a row, too");
    assert_eq!(flood("landing").await.0, 200, "looking costs nothing");
    stage.advance(Duration::MINUTE);
    assert_eq!(flood("landing?token=anything").await.0, 303);
    stage.finish().await;
}
