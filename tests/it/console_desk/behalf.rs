//! Sales changes the users on the buyer's behalf: the figures that the buyer would see, and a recorded consent. The figures
//! are those of `product.md` §4: 150 users, a term of 365 days of which the trial leaves 335.

use uuid::Uuid;

use super::{hides, open, send, shows, trail};
use crate::{
    on_both_databases,
    support::{
        Stage,
        staff::{ADA, FINN, MIRA, SURI, signed_in},
        told::{known, ledger, mails},
        years::{enrolled, follow, report_after},
    },
};

on_both_databases! {
    an_upgrade_takes_a_review_and_a_consent;
    a_downgrade_is_planned_and_cancelled;
    figures_that_changed_are_shown_and_agreed_to_anew;
}

const CONSENT: (&str, &str) = ("consent", "Alex Weber, by mail of today");

async fn an_upgrade_takes_a_review_and_a_consent(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    for person in [FINN, SURI] {
        let mut browser = signed_in(&stage, person).await;
        for act in ["/users", "/users/submit", "/users/cancel-downgrade"] {
            assert_eq!(send(&stage, &mut browser, id, act, &[("users", "300"), CONSENT]).await.status, 403, "{act}");
        }
    }
    let mut mira = signed_in(&stage, MIRA).await;
    for (typed, told) in
        [("many", "Enter a whole number."), ("150", "150 users of today"), ("20", "Must be at least 25.")]
    {
        let page = send(&stage, &mut mira, id, "/users", &[("users", typed)]).await;
        assert_eq!(page.status, 422, "{typed}");
        shows(&page, &[told, &format!("value=\"{typed}\"")]);
    }
    let review = send(&stage, &mut mira, id, "/users", &[("users", "300")]).await;
    shows(&review, &["Upgrade from 150 to 300 users", "198.858447", "1,431.78", "3,660.00", "Contoso GmbH"]);
    let change = review.field("change").unwrap();
    let short = send(&stage, &mut mira, id, "/users/submit", &[("change", &change), ("consent", "yes")]).await;
    assert_eq!(short.status, 422);
    shows(&short, &["Say who consented", "\nyes</textarea>", "1,431.78"]);
    assert_eq!(known(&stage, id).await.users, Some(150), "nothing is changed without a consent");
    // Whoever was not shown it has nothing to submit.
    let mut ada = signed_in(&stage, ADA).await;
    assert_eq!(send(&stage, &mut ada, id, "/users/submit", &[("change", &change), CONSENT]).await.status, 404);

    let done = send(&stage, &mut mira, id, "/users/submit", &[("change", &change), CONSENT]).await;
    shows(&done, &["it has 300 users now", "Mira Sales", CONSENT.1]);
    follow(&stage).await;
    let charged = "upgrade konnekt-250-user 198.858447 1431.78 held".to_owned();
    assert!(ledger(&stage, id).await.contains(&charged), "{:?}", ledger(&stage, id).await);
    assert_eq!(mails(&stage, id).await, ["welcome", "upgraded"]);
    let log = trail(&stage, id).await;
    let entry = log.iter().find(|entry| entry.action == "users_raised").unwrap();
    assert!(entry.actor.ends_with(MIRA), "{entry:?}");
    assert!(entry.detail.contains("\"from\":150,") && entry.detail.contains("\"to\":300"), "{entry:?}");
    assert!(entry.detail.contains("digest") && !entry.detail.contains("Alex"), "{entry:?}");
    let notes = stage.app.store.list_notes(id, 10).await.unwrap();
    assert_eq!(notes.len(), 1);
    assert!(notes[0].text.contains(CONSENT.1), "{notes:?}");
    let again = send(&stage, &mut mira, id, "/users/submit", &[("change", &change), CONSENT]).await;
    shows(&again, &["nothing was done twice"]);
    assert_eq!(ledger(&stage, id).await.len(), 3);
    stage.finish().await;
}

async fn plan(stage: &Stage, id: Uuid, users: &str) -> seatkey::cli::browser::Page {
    let mut mira = signed_in(stage, MIRA).await;
    let review = send(stage, &mut mira, id, "/users", &[("users", users)]).await;
    let change = review.field("change").unwrap();
    send(stage, &mut mira, id, "/users/submit", &[("change", &change), CONSENT]).await
}

async fn a_downgrade_is_planned_and_cancelled(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    report_after(&stage, 35).await;
    let planned = plan(&stage, id, "100").await;
    shows(&planned, &["Planned for the next renewal", "downgrade planned: 100 users", "Cancel the planned downgrade"]);
    assert_eq!(known(&stage, id).await.planned.map(|planned| planned.users), Some(100));
    let mut mira = signed_in(&stage, MIRA).await;
    let short = send(&stage, &mut mira, id, "/users/cancel-downgrade", &[("consent", "ok")]).await;
    assert_eq!(short.status, 422);
    shows(&short, &["Say who consented"]);
    let kept = send(&stage, &mut mira, id, "/users/cancel-downgrade", &[CONSENT]).await;
    shows(&kept, &["The planned downgrade is cancelled"]);
    hides(&kept, &["downgrade planned:"]);
    assert_eq!(known(&stage, id).await.planned, None);
    let entry = trail(&stage, id).await.into_iter().find(|entry| entry.action == "downgrade_cancelled").unwrap();
    assert!(entry.actor.ends_with(MIRA) && entry.detail.contains("\"was\":100"), "{entry:?}");
    let late = send(&stage, &mut mira, id, "/users/cancel-downgrade", &[CONSENT]).await;
    assert_eq!(late.status, 422, "nothing is planned any more");
    follow(&stage).await;
    assert_eq!(ledger(&stage, id).await.len(), 2, "a downgrade charges nothing");
    stage.finish().await;
}

async fn figures_that_changed_are_shown_and_agreed_to_anew(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    let mut mira = signed_in(&stage, MIRA).await;
    let review = send(&stage, &mut mira, id, "/users", &[("users", "300")]).await;
    let change = review.field("change").unwrap();
    plan(&stage, id, "200").await;
    let late = send(&stage, &mut mira, id, "/users/submit", &[("change", &change), CONSENT]).await;
    assert!(late.url.path().contains("/users/review/"), "{}", late.url);
    shows(&late, &["Something changed since you last looked", "200 users"]);
    hides(&late, &[CONSENT.1]);
    assert_eq!(known(&stage, id).await.users, Some(200));
    follow(&stage).await;
    let page = open(&stage, &mut mira, id).await;
    shows(&page, &["id=\"term-title\"", "Upgrade", CONSENT.1]);
    stage.finish().await;
}
