use time::macros::{date, datetime};

use super::*;
use crate::domain::testing::example_plan;

fn year() -> Term {
    Term::new(date!(2026 - 01 - 15), date!(2027 - 01 - 14)).unwrap()
}

fn upgrade(from: u32, segment: &str, to: u32, today: Date) -> Result<UpgradeQuote, UpgradeRefused> {
    let from = UpgradeFrom { users: from, segment, term: year(), today, first_day: today };
    quote_upgrade(&example_plan("konnekt-yearly"), from, to)
}

#[test]
fn the_upgrade_of_the_product_document() {
    let quote = upgrade(150, "KONNEKT 25", 300, date!(2026 - 07 - 01)).unwrap();
    assert_eq!((quote.remaining_days, quote.term_days), (198, 365));
    assert_eq!(&*quote.dimension, "konnekt-250-user");
    assert_eq!((quote.quantity.to_string(), quote.amount.to_string()), ("117.534246".into(), "846.25".into()));
    assert_eq!(quote.next_term_total.to_string(), "3660.00");
}

#[test]
fn upgrades_at_the_edges() {
    let table = [
        ("first day", 150, "KONNEKT 25", 151, date!(2026 - 01 - 15), "1", "12.00"),
        ("last day", 150, "KONNEKT 25", 151, date!(2027 - 01 - 14), "0.002739", "0.03"),
        (
            "into the next segment for nothing but the base",
            249,
            "KONNEKT 25",
            250,
            date!(2026 - 01 - 15),
            "1.666666",
            "12.00",
        ),
    ];
    for (name, from, segment, to, today, quantity, amount) in table {
        let quote = upgrade(from, segment, to, today).unwrap();
        assert_eq!((quote.quantity.to_string(), quote.amount.to_string()), (quantity.into(), amount.into()), "{name}");
    }
}

#[test]
fn an_upgrade_never_pays_back() {
    // 900 users held in KONNEKT 1000 (8,700.00) would be cheaper in KONNEKT 250 with 901: nothing is charged.
    let quote = upgrade(900, "KONNEKT 1000", 901, date!(2026 - 07 - 01)).unwrap();
    assert!(quote.quantity.is_zero());
    assert_eq!(quote.amount.to_string(), "0.00");
}

#[test]
fn refusals_name_their_reason() {
    assert_eq!(upgrade(150, "KONNEKT 25", 150, date!(2026 - 07 - 01)), Err(UpgradeRefused::NotMore(150)));
    let after = upgrade(150, "KONNEKT 25", 300, date!(2027 - 01 - 15));
    assert_eq!(after, Err(UpgradeRefused::TermEnded(date!(2027 - 01 - 14))));
    assert!(matches!(upgrade(150, "GONE", 300, date!(2026 - 07 - 01)), Err(UpgradeRefused::UnknownSegment(..))));
}

#[test]
fn the_trial_of_the_product_document() {
    let lines = example_plan("konnekt-yearly").quote(150).unwrap().lines;
    let first = FirstTerm::new(year(), datetime!(2026-01-15 10:12 UTC), 30, Duration::hours(72));
    assert_eq!(first.trial_end, Some(date!(2026 - 02 - 13)));
    assert_eq!(first.reportable_from, datetime!(2026-02-14 00:00 UTC));
    assert_eq!(first.part, Part { days: 335, of_days: 365 });
    let charged: Vec<_> = first
        .charged_lines(&lines)
        .unwrap()
        .iter()
        .map(|line| (line.quantity.to_string(), line.amount.to_string()))
        .collect();
    assert_eq!(
        charged,
        [("0.917808".to_owned(), "550.68".to_owned()), ("114.726027".to_owned(), "1376.71".to_owned())]
    );
}

#[test]
fn the_same_trial_with_fewer_decimals_is_cut_not_rounded() {
    let table = [
        (2, ["0.91", "114.72"], ["546.00", "1376.64"]),
        (3, ["0.917", "114.726"], ["550.20", "1376.71"]),
        (4, ["0.9178", "114.726"], ["550.68", "1376.71"]),
        (5, ["0.9178", "114.72602"], ["550.68", "1376.71"]),
        (6, ["0.917808", "114.726027"], ["550.68", "1376.71"]),
    ];
    let lines = example_plan("konnekt-yearly").quote(150).unwrap().lines;
    let first = FirstTerm::new(year(), datetime!(2026-01-15 10:12 UTC), 30, Duration::hours(72));
    for (decimals, quantities, amounts) in table {
        let charged = first.cut_to(QuantityDecimals::new(decimals).unwrap()).charged_lines(&lines).unwrap();
        let found: Vec<_> = charged.iter().map(|line| (line.quantity.to_string(), line.amount.to_string())).collect();
        let expected: Vec<_> = quantities
            .iter()
            .zip(amounts)
            .map(|(quantity, amount)| ((*quantity).to_owned(), amount.to_owned()))
            .collect();
        assert_eq!(found, expected, "{decimals} decimals");
    }
    let whole = FirstTerm::new(year(), datetime!(2026-01-15 10:12 UTC), 0, Duration::hours(72));
    let two = QuantityDecimals::new(2).unwrap();
    assert_eq!(whole.cut_to(two).charged_lines(&lines).unwrap(), lines, "whole quantities are not touched");
    assert_eq!((QuantityDecimals::new(1), QuantityDecimals::new(7)), (None, None));
}

#[test]
fn an_upgrade_with_two_decimals_is_cut_not_rounded() {
    let mut plan = example_plan("konnekt-yearly");
    plan.quantity_decimals = QuantityDecimals::new(2).unwrap();
    let today = date!(2026 - 07 - 01);
    let from = UpgradeFrom { users: 150, segment: "KONNEKT 25", term: year(), today, first_day: today };
    let quote = quote_upgrade(&plan, from, 300).unwrap();
    assert_eq!((quote.quantity.to_string(), quote.amount.to_string()), ("117.53".into(), "846.22".into()));
}

#[test]
fn without_a_trial_the_grace_period_decides_and_the_whole_term_is_charged() {
    let first = FirstTerm::new(year(), datetime!(2026-01-15 10:12 UTC), 0, Duration::hours(72));
    assert_eq!((first.trial_end, first.reportable_from), (None, datetime!(2026-01-18 10:12 UTC)));
    assert!(first.part.is_whole());
}

#[test]
fn whoever_enrols_late_pays_from_that_day_on() {
    let first = FirstTerm::new(year(), datetime!(2026-07-01 08:00 UTC), 0, Duration::hours(72));
    assert_eq!(first.part, Part { days: 198, of_days: 365 });
    let with_trial = FirstTerm::new(year(), datetime!(2026-07-01 08:00 UTC), 30, Duration::hours(72));
    assert_eq!(with_trial.part, Part { days: 168, of_days: 365 });
}

#[test]
fn a_trial_that_covers_the_term_charges_nothing_of_it() {
    let month = Term::new(date!(2026 - 02 - 01), date!(2026 - 02 - 28)).unwrap();
    let first = FirstTerm::new(month, datetime!(2026-02-01 08:00 UTC), 30, Duration::hours(72));
    assert_eq!(first.part.days, 0);
    let lines = example_plan("konnekt-yearly").quote(150).unwrap().lines;
    assert!(first.charged_lines(&lines).unwrap().iter().all(|line| line.quantity.is_zero() && line.amount.minor == 0));
}

#[test]
fn splitting_an_upgrade_differs_by_at_most_a_minor_unit_per_step() {
    for (middle, segment) in [(200, "KONNEKT 25"), (260, "KONNEKT 250"), (299, "KONNEKT 250")] {
        let whole = upgrade(150, "KONNEKT 25", 300, date!(2026 - 07 - 01)).unwrap().amount.minor;
        let first = upgrade(150, "KONNEKT 25", middle, date!(2026 - 07 - 01)).unwrap().amount.minor;
        let second = upgrade(middle, segment, 300, date!(2026 - 07 - 01)).unwrap().amount.minor;
        assert!((first + second - whole).abs() <= 2, "by way of {middle}");
    }
}
