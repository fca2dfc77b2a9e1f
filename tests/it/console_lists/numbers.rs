//! What the pictures of the console count, against figures worked out by hand.

use seatkey::{cli::browser::Browser, simulator::Purchase};
use time::Duration;
use uuid::Uuid;

use super::{file, order, shown};
use crate::{
    on_both_databases,
    support::{
        Stage,
        people::{ALEX, FABRIKAM, NORDWIND},
        staff::{MIRA, signed_in},
        years::{follow, report_after, roll_up, upgrade},
    },
};

on_both_databases! {
    a_year_is_counted_as_it_was;
    how_things_stood_stays_when_the_month_is_over;
}

/// A direct purchase that pays, a reseller deal, a test, and a purchase that nobody configures.
async fn live(stage: &Stage) -> Uuid {
    let id = stage.buy();
    order(stage, &mut Browser::of(ALEX).unwrap(), id, "Contoso GmbH").await;
    let resold = Purchase {
        purchaser: Some(NORDWIND.parse().unwrap()),
        ..Purchase::of("konnekt", "konnekt-yearly", FABRIKAM.parse().unwrap())
    };
    let resold = stage.buy_as(resold);
    order(stage, &mut Browser::of(NORDWIND).unwrap(), resold, "Fabrikam Inc.").await;
    let test = Purchase {
        sandbox_type: Some("Csp".to_owned()),
        ..Purchase::of("konnekt", "konnekt-yearly", FABRIKAM.parse().unwrap())
    };
    let test = stage.buy_as(test);
    order(stage, &mut Browser::of(FABRIKAM).unwrap(), test, "A test").await;
    let forgotten = stage.buy();
    stage.configure(&mut Browser::of(ALEX).unwrap(), forgotten).await;
    follow(stage).await;
    id
}

/// The lines of a picture's file, without those of tests.
async fn counted(stage: &Stage, browser: &mut Browser, query: &str) -> Vec<String> {
    let lines = file(stage, browser, &format!("/console/numbers.csv?{query}")).await;
    let words = lines.iter().map(|line| line.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(","));
    words.filter(|line| !line.contains(",test,")).collect()
}

async fn a_year_is_counted_as_it_was(stage: Stage) {
    let id = live(&stage).await;
    let mut mira = signed_in(&stage, MIRA).await;
    assert!(shown(&stage, &mut mira, "/console/numbers").await.contains("not counted yet"));
    roll_up(&stage).await;
    let before = counted(&stage, &mut mira, "picture=trials").await;
    assert_eq!(before, ["trial,2026-01,konnekt,running,,1,0,,", "trial,2026-01,konnekt,running,reseller,1,0,,"]);
    let held = counted(&stage, &mut mira, "picture=charges").await;
    assert_eq!(held, ["held,2026-W03,konnekt,,,2,0,1927.39,EUR", "held,2026-W03,konnekt,,reseller,2,0,,"]);
    report_after(&stage, 31).await;
    upgrade(&stage, id, 300).await;
    report_after(&stage, 1).await;
    upgrade(&stage, id, 200).await;
    roll_up(&stage).await;
    the_figures_are_those_of_the_story(&stage, &mut mira).await;
    let page = shown(&stage, &mut mira, "/console/numbers").await;
    for words in ["305.00 EUR a month now, from 1 subscription", "reseller deals (1)", "tests (1)", "KONNEKT 250"] {
        assert!(page.contains(words), "the page does not say {words}: {page}");
    }
    assert_eq!(page.matches("<svg viewBox=\"0 0 640").count(), 7, "one for each picture, two for charges");
    assert_eq!(counted(&stage, &mut mira, "picture=nonsense").await, Vec::<String>::new());
    assert_eq!(counted(&stage, &mut mira, "offer=nonsense").await, Vec::<String>::new());
    stage.strike().await;
}

/// 300 users of KONNEKT cost 3,660.00 EUR a year, 200 users 2,700.00.
async fn the_figures_are_those_of_the_story(stage: &Stage, mira: &mut Browser) {
    let revenue = counted(stage, mira, "picture=revenue").await;
    assert_eq!(revenue, ["revenue,2026-02,konnekt,,,1,0,305.00,EUR"]);
    let segments = counted(stage, mira, "picture=segments").await;
    let expected =
        ["segment,2026-02,konnekt,KONNEKT 25,reseller,1,150,,", "segment,2026-02,konnekt,KONNEKT 250,,1,300,,"];
    assert_eq!(&segments[segments.len() - 2..], expected);
    let purchases = counted(stage, mira, "picture=purchases").await;
    for line in ["purchase,2026-01,konnekt,bought,,2,0,,", "purchase,2026-01,konnekt,mailed,,1,0,,"] {
        assert!(purchases.contains(&line.to_owned()), "{purchases:?}");
    }
    let trials = counted(stage, mira, "picture=trials").await;
    assert!(trials.iter().all(|line| line.contains("converted")), "{trials:?}");
    let renewals = counted(stage, mira, "picture=renewals").await;
    let expected = [
        "renewal,2027-01,konnekt,,,1,300,,",
        "renewal,2027-01,konnekt,,,0,0,3660.00,EUR",
        "renewal,2027-01,konnekt,,reseller,1,150,,",
        "downgrade,2027-01,konnekt,,,1,100,,",
        "downgrade,2027-01,konnekt,,,0,0,960.00,EUR",
    ];
    assert_eq!(renewals, expected);
    let charges = counted(stage, mira, "picture=charges").await;
    let reported = charges.iter().filter(|line| line.starts_with("reported") && line.ends_with("EUR"));
    let told: Vec<&str> = reported.filter_map(|line| line.split(',').nth(7)).collect();
    // 550.68 + 1,376.71 for the first term, and the upgrade for the 334 days that are left: 198.264840 × 7.2000.
    assert_eq!(told.len(), 1, "{charges:?}");
    assert_eq!(told, ["3354.90"]);
}

async fn how_things_stood_stays_when_the_month_is_over(stage: Stage) {
    let id = live(&stage).await;
    roll_up(&stage).await;
    let mut mira = signed_in(&stage, MIRA).await;
    let held =
        |lines: &[String]| lines.iter().filter(|line| line.starts_with("held,2026-W03")).cloned().collect::<Vec<_>>();
    let before = held(&counted(&stage, &mut mira, "picture=charges").await);
    assert_eq!(before.len(), 2);
    report_after(&stage, 31).await;
    assert!(stage.world().cancel(id));
    follow(&stage).await;
    stage.advance(Duration::days(1));
    roll_up(&stage).await;
    assert_eq!(held(&counted(&stage, &mut mira, "picture=charges").await), before);
    let segments = counted(&stage, &mut mira, "picture=segments").await;
    let of = |month: &str| segments.iter().filter(|line| line.contains(month)).count();
    assert_eq!((of("2026-01"), of("2026-02")), (2, 1), "{segments:?}");
    // What has ended recurs no more, and will not be renewed.
    assert_eq!(counted(&stage, &mut mira, "picture=revenue").await, Vec::<String>::new());
    assert!(counted(&stage, &mut mira, "picture=renewals").await.iter().all(|line| line.contains("reseller")));
    stage.strike().await;
}
