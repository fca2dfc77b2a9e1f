//! Another number of users on a plan with segments.

use time::{Duration, macros::date};
use uuid::Uuid;

use super::{enrolled, follow, hides, known, ledger, mails, move_to, open, review, shows, submit};
use crate::{on_both_databases, support::Stage};

on_both_databases! {
    an_upgrade_in_the_trial_is_held_with_the_first_charges;
    an_upgrade_after_the_trial_costs_the_rest_of_the_term;
    users_are_lowered_while_everything_is_held;
    a_downgrade_is_planned_cancelled_and_replaced_by_an_upgrade;
    of_two_tabs_one_wins_and_the_other_is_told;
    of_clicks_at_the_same_moment_one_wins;
    figures_that_are_different_or_old_are_shown_first;
    a_number_that_is_refused_stays_as_it_was_typed;
    ten_clicks_are_one_upgrade;
    a_change_that_is_tampered_with_changes_nothing;
    the_preview_says_what_the_review_says;
}

async fn an_upgrade_in_the_trial_is_held_with_the_first_charges(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    let page = review(&stage, &mut alex, id, "300").await;
    shows(&page, &["Upgrade from 150 to 300 users", "198.858447", "1,431.78", "150 users more, for 335 of 365 days"]);
    shows(&page, &["A full year with 300 users is 3,660.00 EUR", "With 150 users it is 2,100.00 EUR", "1,560.00 EUR"]);
    shows(&page, &["Reported together with the first charges", "after 13 February 2026", "Upgrade to 300 users now"]);
    shows(&page, &["KONNEKT 250 is the cheapest for 300 users", "KONNEKT 1000 pays from"]);
    assert_eq!(known(&stage, id).await.users, Some(150), "a review changes nothing");
    let done = submit(&stage, &mut alex, id, &page).await;
    shows(&done, &["Done: you now have 300 users", "Upgrade from 150 to 300 users", "Held until 13 February 2026"]);
    follow(&stage).await;
    let expected = [
        "enrolment konnekt-25-base 0.917808 550.68 held",
        "enrolment konnekt-25-user 114.726027 1376.71 held",
        "upgrade konnekt-250-user 198.858447 1431.78 held",
    ];
    assert_eq!(ledger(&stage, id).await, expected);
    assert_eq!(mails(&stage, id).await, ["welcome", "upgraded"]);
    let again = submit(&stage, &mut alex, id, &page).await;
    shows(&again, &["submitted before; nothing was done twice"]);
    assert_eq!(ledger(&stage, id).await.len(), 3);
    let back = alex.open(page.url.clone()).await.unwrap();
    shows(&back, &["submitted before"]);
    stage.finish().await;
}

async fn an_upgrade_after_the_trial_costs_the_rest_of_the_term(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    move_to(&stage, date!(2026 - 07 - 01)).await;
    let page = review(&stage, &mut alex, id, "300").await;
    shows(&page, &["117.534246", "846.25", "150 users more, for 198 of 365 days", "Reported to Microsoft at once"]);
    shows(&page, &["invoice in August 2026", "until 14 January 2027", "from 15 January 2027 on"]);
    let done = submit(&stage, &mut alex, id, &page).await;
    shows(&done, &["Done: you now have 300 users", "846.25", "117.534246", "Is being reported"]);
    shows(&done, &["3,660.00 EUR at today", "50 additional"]);
    follow(&stage).await;
    assert_eq!(ledger(&stage, id).await[2], "upgrade konnekt-250-user 117.534246 846.25 accepted");
    stage.finish().await;
}

async fn users_are_lowered_while_everything_is_held(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    let page = review(&stage, &mut alex, id, "50").await;
    shows(
        &page,
        &["Lower from 150 to 50 users", "550.68", "22.945205", "275.34", "826.02", "1,927.39 EUR that are held"],
    );
    shows(&page, &["Lower to 50 users now", "A full year with 50 users is 900.00 EUR"]);
    let done = submit(&stage, &mut alex, id, &page).await;
    shows(&done, &["you now have 50 users", "Dropped", "<s>1,376.71</s>"]);
    follow(&stage).await;
    let expected = [
        "enrolment konnekt-25-base 0.917808 550.68 cancelled",
        "enrolment konnekt-25-user 114.726027 1376.71 cancelled",
        "enrolment konnekt-25-base 0.917808 550.68 held",
        "enrolment konnekt-25-user 22.945205 275.34 held",
    ];
    assert_eq!(ledger(&stage, id).await, expected);
    stage.finish().await;
}

async fn a_downgrade_is_planned_cancelled_and_replaced_by_an_upgrade(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    move_to(&stage, date!(2026 - 07 - 01)).await;
    let before = ledger(&stage, id).await;
    let page = review(&stage, &mut alex, id, "100").await;
    shows(&page, &["Downgrade from 150 to 100 users", "Plan 100 users from 15 January 2027"]);
    shows(&page, &["Until 14 January 2027 all 150 users stay", "1,500.00 EUR", "600.00 EUR less than with 150 users"]);
    let planned = submit(&stage, &mut alex, id, &page).await;
    let notice = "A downgrade from 150 to 100 users is planned for this subscription on 15 January 2027";
    shows(&planned, &["Planned: 100 users from the next renewal on", notice, "Cancel downgrade"]);
    follow(&stage).await;
    let kept = super::post(&stage, &mut alex, id, "/users/cancel-downgrade", &[]).await;
    shows(&kept, &["The downgrade is cancelled: the 150 users stay"]);
    hides(&kept, &[notice]);
    assert_eq!(known(&stage, id).await.planned, None);
    let page = review(&stage, &mut alex, id, "100").await;
    submit(&stage, &mut alex, id, &page).await;
    let upgrade = review(&stage, &mut alex, id, "200").await;
    // 600.00 EUR × 198 / 365 in users of 12.00 EUR each.
    shows(&upgrade, &["cancels the downgrade to 100 users", "27.123287", "325.48"]);
    let done = submit(&stage, &mut alex, id, &upgrade).await;
    hides(&done, &[notice, "is planned for this subscription"]);
    follow(&stage).await;
    let now = known(&stage, id).await;
    assert_eq!((now.users, now.planned), (Some(200), None));
    let figures = |lines: &[String]| -> Vec<String> {
        lines.iter().filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect()
    };
    assert_eq!(figures(&ledger(&stage, id).await[..2]), figures(&before[..2]), "a downgrade charges nothing");
    assert_eq!(ledger(&stage, id).await.len(), 3);
    stage.finish().await;
}

async fn of_two_tabs_one_wins_and_the_other_is_told(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    move_to(&stage, date!(2026 - 07 - 01)).await;
    let first = review(&stage, &mut alex, id, "300").await;
    let second = review(&stage, &mut alex, id, "200").await;
    submit(&stage, &mut alex, id, &first).await;
    let late = submit(&stage, &mut alex, id, &second).await;
    assert!(late.url.path().contains("/users/review/"), "{}", late.url);
    shows(&late, &["Something changed since you last looked", "now has 300 users instead of 150"]);
    shows(&late, &["can now only be planned for the next renewal", "Plan 200 users from 15 January 2027"]);
    assert_eq!(known(&stage, id).await.users, Some(300));
    // The same number in two tabs: there is nothing left to do, and the page says so at the field.
    let third = review(&stage, &mut alex, id, "350").await;
    let fourth = review(&stage, &mut alex, id, "350").await;
    submit(&stage, &mut alex, id, &third).await;
    let same = submit(&stage, &mut alex, id, &fourth).await;
    assert_eq!(same.status, 422);
    shows(&same, &["These are the 350 users of today."]);
    follow(&stage).await;
    assert_eq!(ledger(&stage, id).await.len(), 4);
    stage.finish().await;
}

async fn of_clicks_at_the_same_moment_one_wins(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    move_to(&stage, date!(2026 - 07 - 01)).await;
    let mut reviews = Vec::new();
    for users in ["200", "250", "300", "350"] {
        reviews.push(review(&stage, &mut alex, id, users).await);
    }
    let clicks = reviews.iter().map(|page| {
        let mut browser = alex.clone();
        let stage = &stage;
        async move { submit(stage, &mut browser, id, page).await }
    });
    let answers = futures::future::join_all(clicks).await;
    let told = |text: &str| answers.iter().filter(|page| page.text.contains(text)).count();
    assert_eq!(told("Done: you now have"), 1);
    let others = told("Something changed since you last looked") + told("Somebody else has just changed");
    assert_eq!(others, 3, "the others see how it stands now");
    follow(&stage).await;
    assert_eq!(ledger(&stage, id).await.len(), 3, "one upgrade was charged");
    stage.finish().await;
}

async fn figures_that_are_different_or_old_are_shown_first(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    move_to(&stage, date!(2026 - 07 - 01)).await;
    let page = review(&stage, &mut alex, id, "300").await;
    stage.advance(Duration::minutes(31));
    let old = submit(&stage, &mut alex, id, &page).await;
    shows(&old, &["older than 30 minutes", "846.25"]);
    stage.world().set_price("konnekt", "konnekt-yearly", "DE", "konnekt-250-base", "3400.00").unwrap();
    let dearer = submit(&stage, &mut alex, id, &old).await;
    // 1,660.00 EUR × 198 / 365 in users of 7.20 EUR each: 125.068493.
    shows(&dearer, &["It now costs 900.49 EUR instead of 846.25 EUR", "now 3,760.00 EUR instead of 3,660.00 EUR"]);
    assert_eq!(known(&stage, id).await.users, Some(150), "nothing was done");
    let done = submit(&stage, &mut alex, id, &dearer).await;
    shows(&done, &["Done: you now have 300 users"]);
    follow(&stage).await;
    assert_eq!(ledger(&stage, id).await[2], "upgrade konnekt-250-user 125.068493 900.49 accepted");
    stage.finish().await;
}

async fn a_number_that_is_refused_stays_as_it_was_typed(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    let table = [
        ("20", "Must be at least 25."),
        ("150", "These are the 150 users of today."),
        ("many", "Enter a whole number."),
        ("1.5", "Enter a whole number."),
        ("", "Enter a whole number."),
        ("99999999", "Must be at most 10000000."),
    ];
    for (typed, why) in table {
        let page = review(&stage, &mut alex, id, typed).await;
        assert_eq!(page.status, 422, "{typed}");
        shows(&page, &[why, &format!("class=\"users\" value=\"{typed}\"")]);
    }
    stage.finish().await;
}

async fn ten_clicks_are_one_upgrade(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    let page = review(&stage, &mut alex, id, "300").await;
    let clicks = (0..10).map(|_| {
        let mut browser = alex.clone();
        let (stage, page) = (&stage, &page);
        async move { submit(stage, &mut browser, id, page).await }
    });
    for answer in futures::future::join_all(clicks).await {
        assert_eq!((answer.status, answer.url.path()), (200, &*format!("/subscriptions/{id}")), "{}", answer.text);
    }
    follow(&stage).await;
    assert_eq!(ledger(&stage, id).await.len(), 3);
    assert_eq!(mails(&stage, id).await, ["welcome", "upgraded"]);
    stage.finish().await;
}

async fn a_change_that_is_tampered_with_changes_nothing(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    let page = review(&stage, &mut alex, id, "300").await;
    let (csrf, change) = (page.field("csrf").unwrap(), page.field("change").unwrap());
    let table = [
        ("no token of the form", String::new(), change.clone()),
        ("another token", format!("{csrf}x"), change.clone()),
        ("a change that is none", csrf.clone(), "1".to_owned()),
        ("a change that does not exist", csrf.clone(), Uuid::new_v4().to_string()),
    ];
    for (name, csrf, change) in table {
        let fields = [("csrf", csrf), ("change", change)];
        let page = alex.post_form(stage.url(&format!("subscriptions/{id}/users/submit")), &fields).await.unwrap();
        assert!((400..500).contains(&page.status), "{name}: {} {}", page.status, page.text);
        assert_eq!(known(&stage, id).await.users, Some(150), "{name} changed something");
    }
    // A change of one subscription is worth nothing for another one of the same buyer.
    let other = stage.buy();
    stage.enrol(&mut alex, other, "150").await;
    follow(&stage).await;
    let fields = [("csrf", csrf), ("change", change)];
    let page = alex.post_form(stage.url(&format!("subscriptions/{other}/users/submit")), &fields).await.unwrap();
    assert_eq!(page.status, 403);
    assert_eq!(known(&stage, other).await.users, Some(150));
    stage.finish().await;
}

async fn the_preview_says_what_the_review_says(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    move_to(&stage, date!(2026 - 07 - 01)).await;
    open(&stage, &mut alex, id, "").await;
    let preview = open(&stage, &mut alex, id, "/users/preview?users=300").await;
    shows(&preview, &["id=\"projection\"", "117.534246", "846.25 EUR", "A full year with 300 users is 3,660.00 EUR"]);
    let refused = open(&stage, &mut alex, id, "/users/preview?users=20").await;
    shows(&refused, &["data-users-error=\"Must be at least 25.\""]);
    let nothing = open(&stage, &mut alex, id, "/users/preview?users=").await;
    shows(&nothing, &["data-users-error=\"\""]);
    stage.finish().await;
}
