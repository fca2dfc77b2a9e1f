//! Sales makes a running trial longer: what it means is shown first, now and then. The figures are those of `product.md` §4:
//! 150 users, a trial to 13 February, 335 of 365 days; 14 days more leave 321.

use time::macros::date;
use uuid::Uuid;

use super::{hides, open, send, shows, trail};
use crate::{
    on_both_databases,
    support::{
        Stage,
        staff::{ADA, FINN, MIRA, SURI, post, signed_in},
        told::{known, ledger, mails},
        years::{enrolled, follow, report_after, roll_up, upgrade},
    },
};

on_both_databases! {
    a_longer_trial_is_looked_at_and_then_granted;
    what_has_changed_since_it_was_shown_is_shown_anew;
    a_long_one_takes_a_second_person_whose_proposer_still_has_the_role;
    nothing_is_extended_once_it_is_reported;
    the_conversion_is_told_by_month_and_offer;
}

const WHY: &str = "the rollout waits for their works council";

fn wish(days: &str) -> [(&str, &str); 2] {
    [("extends", "trial"), ("days", days)]
}

async fn trial_end(stage: &Stage, id: Uuid) -> time::Date {
    known(stage, id).await.trial_end.unwrap()
}

async fn a_longer_trial_is_looked_at_and_then_granted(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    for person in [FINN, SURI] {
        let mut browser = signed_in(&stage, person).await;
        for act in ["/extension", "/extension/submit"] {
            assert_eq!(send(&stage, &mut browser, id, act, &wish("14")).await.status, 403, "{person} {act}");
        }
        let path = format!("console/subscriptions/{id}/extension/review?extends=trial&days=14");
        assert_eq!(browser.open(stage.url(&path)).await.unwrap().status, 403, "{person}");
    }
    let mut mira = signed_in(&stage, MIRA).await;
    shows(&open(&stage, &mut mira, id).await, &["Extend trial or grace period", "The trial, to 13 February 2026"]);
    for (days, told) in [("many", "Enter a whole number of days."), ("0", "between 1 and"), ("4000", "between 1 and")] {
        let page = send(&stage, &mut mira, id, "/extension", &wish(days)).await;
        assert_eq!(page.status, 422, "{days}");
        shows(&page, &[told, &format!("value=\"{days}\"")]);
    }
    let review = send(&stage, &mut mira, id, "/extension", &wish("14")).await;
    shows(&review, &["Extend the trial by 14 days", "Contoso GmbH", "to 13 February 2026", "to 27 February 2026"]);
    shows(&review, &["14 February 2026, 00:00 UTC", "28 February 2026, 00:00 UTC", "0.917808", "0.879452"]);
    shows(&review, &["114.726027", "109.931506", "1,927.39 EUR now, 1,846.85 EUR then", "at once"]);
    assert_eq!(trial_end(&stage, id).await, date!(2026 - 02 - 13), "looking changes nothing");
    let shown = review.field("shown").unwrap();
    let submit = |why| [("extends", "trial"), ("days", "14"), ("shown", shown.as_str()), ("reason", why)];
    let short = send(&stage, &mut mira, id, "/extension/submit", &submit("because")).await;
    assert_eq!(short.status, 422);
    shows(&short, &["Give a reason", "value=\"because\"", "1,846.85 EUR then"]);
    let done = send(&stage, &mut mira, id, "/extension/submit", &submit(WHY)).await;
    shows(&done, &["Extended. The held charges are written anew", "The trial, to 27 February 2026"]);
    follow(&stage).await;
    assert_eq!(trial_end(&stage, id).await, date!(2026 - 02 - 27));
    let held: Vec<String> = ledger(&stage, id).await.into_iter().filter(|line| line.ends_with(" held")).collect();
    assert_eq!(
        held,
        ["enrolment konnekt-25-base 0.879452 527.67 held", "enrolment konnekt-25-user 109.931506 1319.18 held",]
    );
    assert_eq!(mails(&stage, id).await, ["welcome", "extended"]);
    assert!(
        trail(&stage, id).await.iter().any(|entry| entry.action == "trial_extended" && entry.actor.ends_with(MIRA))
    );
    stage.finish().await;
}

async fn what_has_changed_since_it_was_shown_is_shown_anew(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    let mut mira = signed_in(&stage, MIRA).await;
    let review = send(&stage, &mut mira, id, "/extension", &wish("14")).await;
    let shown = review.field("shown").unwrap();
    upgrade(&stage, id, 200).await;
    fn submit(shown: &str) -> [(&str, &str); 4] {
        [("extends", "trial"), ("days", "14"), ("reason", WHY), ("shown", shown)]
    }
    let page = send(&stage, &mut mira, id, "/extension/submit", &submit(&shown)).await;
    assert_eq!(page.status, 422);
    shows(&page, &["Something has changed since you looked", WHY]);
    assert_eq!(trial_end(&stage, id).await, date!(2026 - 02 - 13), "nothing is done that nobody has seen");
    let anew = page.field("shown").unwrap();
    let fields = submit(&anew);
    shows(&send(&stage, &mut mira, id, "/extension/submit", &fields).await, &["Extended."]);
    follow(&stage).await;
    // The same form once more is another extension, and was not shown.
    let page = send(&stage, &mut mira, id, "/extension/submit", &fields).await;
    assert_eq!((page.status, trial_end(&stage, id).await), (422, date!(2026 - 02 - 27)));
    stage.finish().await;
}

async fn a_long_one_takes_a_second_person_whose_proposer_still_has_the_role(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    let mut mira = signed_in(&stage, MIRA).await;
    let review = send(&stage, &mut mira, id, "/extension", &wish("91")).await;
    shows(&review, &["Ask a second person", "more than one person may grant alone"]);
    let shown = review.field("shown").unwrap();
    let fields = [("extends", "trial"), ("days", "91"), ("shown", shown.as_str()), ("reason", WHY)];
    let page = send(&stage, &mut mira, id, "/extension/submit", &fields).await;
    shows(&page, &["waits for a second person", "longer trial", "to 15 May 2026"]);
    hides(&page, &["Approve, and let it count"]);
    let path = page.url.path().trim_start_matches('/').to_owned();
    assert_eq!(trial_end(&stage, id).await, date!(2026 - 02 - 13));
    let approve = async |person: &str| {
        let mut browser = signed_in(&stage, person).await;
        post(&stage, &mut browser, &format!("{path}/approve"), &[]).await
    };
    let same = approve(MIRA).await;
    assert_eq!(same.status, 422);
    shows(&same, &["cannot approve it"]);
    stage.world().set_roles(MIRA.parse().unwrap(), &["Support"]);
    signed_in(&stage, MIRA).await;
    let revoked = approve(ADA).await;
    assert_eq!(revoked.status, 422);
    shows(&revoked, &["does not have the role Sales any more"]);
    assert_eq!(trial_end(&stage, id).await, date!(2026 - 02 - 13));
    stage.world().set_roles(MIRA.parse().unwrap(), &["Sales"]);
    signed_in(&stage, MIRA).await;
    shows(&approve(ADA).await, &["Approved. It counts from now on."]);
    follow(&stage).await;
    assert_eq!(trial_end(&stage, id).await, date!(2026 - 05 - 15));
    stage.finish().await;
}

async fn nothing_is_extended_once_it_is_reported(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    let mut mira = signed_in(&stage, MIRA).await;
    let review = send(&stage, &mut mira, id, "/extension", &wish("14")).await;
    let shown = review.field("shown").unwrap();
    report_after(&stage, 35).await;
    let reported = "The fees are reported to Microsoft, or on their way";
    let mut mira = signed_in(&stage, MIRA).await;
    let page = open(&stage, &mut mira, id).await;
    shows(&page, &[reported]);
    hides(&page, &["Show what it means"]);
    let fields = [("extends", "trial"), ("days", "14"), ("shown", shown.as_str()), ("reason", WHY)];
    for act in ["/extension", "/extension/submit"] {
        let page = send(&stage, &mut mira, id, act, &fields).await;
        assert_eq!(page.status, 422, "{act}");
        shows(&page, &[reported]);
    }
    let path = format!("console/subscriptions/{id}/extension/review?extends=trial&days=14");
    shows(&mira.open(stage.url(&path)).await.unwrap(), &[reported]);
    stage.finish().await;
}

async fn the_conversion_is_told_by_month_and_offer(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    let mut mira = signed_in(&stage, MIRA).await;
    let empty = mira.open(stage.url("console/trials/conversion")).await.unwrap();
    shows(&empty, &["No trial had been granted.", "counted every hour anew"]);
    let review = send(&stage, &mut mira, id, "/extension", &wish("3")).await;
    let shown = review.field("shown").unwrap();
    let fields = [("extends", "trial"), ("days", "3"), ("shown", shown.as_str()), ("reason", WHY)];
    send(&stage, &mut mira, id, "/extension/submit", &fields).await;
    follow(&stage).await;
    for (passed, converted) in [(0, ",1,0,0,0,0"), (40, ",1,0,0,1,100")] {
        report_after(&stage, passed).await;
        roll_up(&stage).await;
        let mut finn = signed_in(&stage, FINN).await;
        let file = finn.open(stage.url("console/trials/conversion.csv")).await.unwrap().text;
        let mut lines = file.lines();
        assert_eq!(
            lines.next().unwrap(),
            "Granted in,Offer,Granted,Waiting,Open,Used,Expired,Revoked,Converted,\"Converted of used, %\""
        );
        assert_eq!(lines.next().unwrap(), format!("2026-01,konnekt,1,0,0{converted}"));
        assert_eq!(lines.next(), None);
    }
    shows(&open_trials(&stage, "").await, &["/console/trials/conversion"]);
    shows(&open_trials(&stage, "/conversion?offer=konnekt").await, &["2026-01", "Conversion of trials"]);
    shows(&open_trials(&stage, "/conversion?offer=other").await, &["No trial had been granted."]);
    stage.finish().await;
}

async fn open_trials(stage: &Stage, rest: &str) -> seatkey::cli::browser::Page {
    let mut mira = signed_in(stage, MIRA).await;
    mira.open(stage.url(&format!("console/trials{rest}"))).await.unwrap()
}
