use proptest::prelude::*;
use time::macros::{date, datetime};

use super::*;
use crate::domain::{charge::Reason, money::UnitPrice};

const CASE_A: &str = "2611150040001234";

/// 126 units, for the amount in minor units.
fn charge(minor: i64, currency: &str) -> Charge {
    Charge {
        id: Uuid::from_u128(1),
        cause_id: Uuid::nil(),
        reason: Reason::Enrolment,
        term_start: date!(2026 - 01 - 15),
        plan_id: None,
        description: "KONNEKT 25 | Additional Users".to_owned(),
        dimension: "konnekt-25-user".to_owned(),
        quantity: Quantity::whole(126),
        unit_price: "12".parse::<UnitPrice>().unwrap(),
        amount: Amount { minor, currency: currency.parse().unwrap() },
        reportable_from: datetime!(2026-02-14 00:00 UTC),
        users: None,
        from_users: None,
        part: None,
        state: State::Accepted,
        since: datetime!(2026-02-14 00:00 UTC),
    }
}

fn credit(charge: &Charge, wish: CreditWish) -> Credit {
    Credit {
        id: Uuid::from_u128(2),
        charge_id: charge.id,
        description: charge.description.clone(),
        dimension: charge.dimension.clone(),
        credited: wish.credited,
        case: wish.case,
        at: datetime!(2026-03-01 00:00 UTC),
    }
}

fn wish(charge: &Charge, is_resold: bool, (text, case): (&str, &str)) -> Result<CreditWish, CreditRefused> {
    Ok(CreditWish { credited: Credited::read(text, charge.amount.currency, is_resold)?, case: case.parse()? })
}

fn check(charge: &Charge, credits: &[Credit], is_resold: bool, typed: (&str, &str)) -> String {
    let creditable = Creditable { charge, credits, is_resold, is_test: false };
    let result = wish(charge, is_resold, typed).and_then(|wish| creditable.check(&wish));
    result.map_or_else(|refused| refused.to_string(), |()| "entered".to_owned())
}

#[test]
fn amounts() {
    let eur = charge(137_671, "EUR");
    let credits = [credit(&eur, wish(&eur, false, ("376.71", CASE_A)).unwrap())];
    let table: [(&str, &[Credit], &str, &str); 16] = [
        ("EUR", &[], "120.00", "entered"),
        ("EUR", &[], " 120 ", "entered"),
        ("EUR", &[], "120.5", "entered"),
        ("EUR", &[], "1376.71", "entered"),
        ("EUR", &[], "1376.72", "1,376.71 EUR of this charge can still be credited, and no more"),
        ("EUR", &credits, "1000.00", "entered"),
        ("EUR", &credits, "1000.01", "1,000.00 EUR of this charge can still be credited, and no more"),
        ("EUR", &[], "0.00", "a credit of nothing is none: enter what Microsoft gives back"),
        ("EUR", &[], "120.005", "write the amount in EUR as a plain number with at most 2 decimals"),
        ("EUR", &[], "1,200.00", "write the amount in EUR as a plain number with at most 2 decimals"),
        ("EUR", &[], "-1", "write the amount in EUR as a plain number with at most 2 decimals"),
        ("EUR", &[], "", "write the amount in EUR as a plain number with at most 2 decimals"),
        ("JPY", &[], "137671", "entered"),
        ("JPY", &[], "120.5", "write the amount in JPY as a plain number with at most 0 decimals"),
        ("KWD", &[], "137.671", "entered"),
        ("KWD", &[], "137.672", "137.671 KWD of this charge can still be credited, and no more"),
    ];
    for (currency, credits, typed, expected) in table {
        let found = check(&charge(137_671, currency), credits, false, (typed, "2611150040009999"));
        assert_eq!(found, expected, "{typed} {currency}");
    }
    let rejected = ["1e3", "1_000", "９", "99999999999999999999999999999999", ".", "1.2.3", "0x10"];
    for typed in rejected {
        assert!(check(&eur, &[], false, (typed, CASE_A)).starts_with("write the amount"), "{typed}");
    }
}

#[test]
fn units_of_a_reseller_deal() {
    let resold = charge(137_671, "EUR");
    let credits = [credit(&resold, wish(&resold, true, ("100.5", CASE_A)).unwrap())];
    let table: [(&[Credit], &str, &str); 6] = [
        (&[], "126", "entered"),
        (&[], "126.000001", "126 units of this charge can still be credited, and no more"),
        (&credits, "25.5", "entered"),
        (&credits, "25.500001", "25.5 units of this charge can still be credited, and no more"),
        (&[], "0", "a credit of nothing is none: enter what Microsoft gives back"),
        (&[], "0.0000001", "write the units as a plain number, with at most 6 decimals: 12 or 0.5"),
    ];
    for (credits, typed, expected) in table {
        assert_eq!(check(&resold, credits, true, (typed, "2611150040009999")), expected, "{typed}");
    }
    assert_eq!(credits[0].words(false), format!("Credit of 100.5 units given by Microsoft, case {CASE_A}"));
}

#[test]
fn what_else_speaks_against_it() {
    let eur = charge(137_671, "EUR");
    let first = wish(&eur, false, ("120.00", CASE_A)).unwrap();
    let entered = [credit(&eur, first.clone())];
    let creditable = Creditable { charge: &eur, credits: &entered, is_resold: false, is_test: false };
    assert_eq!(creditable.check(&first), Err(CreditRefused::CaseTwice(CASE_A.to_owned())));
    // The same case may give back another charge, too.
    let other = Charge { id: Uuid::from_u128(7), ..eur.clone() };
    assert_eq!(Creditable { charge: &other, ..creditable }.check(&first), Ok(()));
    assert_eq!(Creditable { is_test: true, ..creditable }.check(&first), Err(CreditRefused::Test));
    assert_eq!(Creditable { is_resold: true, ..creditable }.check(&first), Err(CreditRefused::OtherMeasure));
    let dollars = CreditWish { credited: Credited::read("5", "USD".parse().unwrap(), false).unwrap(), ..first.clone() };
    let refused = CreditRefused::OtherCurrency(eur.amount.currency);
    assert_eq!(Creditable { credits: &[], ..creditable }.check(&dollars), Err(refused));
    for state in State::ALL.into_iter().filter(|state| *state != State::Accepted) {
        let charge = Charge { state, ..eur.clone() };
        let refused = CreditRefused::NotAccepted(state.as_str());
        assert_eq!(Creditable { charge: &charge, credits: &[], ..creditable }.check(&first), Err(refused));
    }
}

#[test]
fn case_numbers() {
    for (typed, expected) in [
        (CASE_A, Some(CASE_A)),
        ("  TrackingID#2611150040001234 ", Some(CASE_A)),
        ("C-2026-000123", Some("C-2026-000123")),
        ("12345", None),
        ("no digits here", None),
        ("abcdefgh", None),
        ("2611 1500 4000 1234", None),
        ("=2611150040001234", None),
        ("<b>261115004</b>", None),
        ("", None),
    ] {
        assert_eq!(typed.parse::<CaseNumber>().ok().as_ref().map(CaseNumber::as_str), expected, "{typed}");
    }
}

#[test]
fn a_proposal_says_what_it_is() {
    let eur = charge(137_671, "EUR");
    for (typed, is_resold, text) in [
        ("1200.5", false, "a credit of 1200.50 EUR, case 2611150040001234"),
        ("0.5", true, "a credit of 0.5 units, case 2611150040001234"),
    ] {
        let wish = wish(&eur, is_resold, (typed, CASE_A)).unwrap();
        assert_eq!(wish.to_string(), text);
        assert_eq!(CreditWish::from_text(text), Some(wish));
    }
    for wrong in ["accepted", "a credit of 1200.50 EUR", "a credit of 5 XXQ, case 2611150040001234", ""] {
        assert_eq!(CreditWish::from_text(wrong), None, "{wrong}");
    }
}

#[test]
fn amounts_are_left_out_where_none_is_told() {
    let eur = charge(137_671, "EUR");
    let credit = credit(&eur, wish(&eur, false, ("1200", CASE_A)).unwrap());
    assert_eq!(credit.words(true), "Credit of 1,200.00 EUR given by Microsoft, case 2611150040001234");
    assert_eq!(credit.words(false), "Credit given by Microsoft, case 2611150040001234");
}

proptest! {
    /// Whatever is proposed one after the other, also while the deal becomes a reseller's and ceases to be one.
    #[test]
    fn the_credits_of_a_charge_never_come_to_more_than_it(
        minor in 0_i64..2_000_000,
        wishes in prop::collection::vec((any::<bool>(), 1_i64..1_000_000_000), 1..24),
    ) {
        let charge = charge(minor, "EUR");
        let mut credits: Vec<Credit> = Vec::new();
        for (number, (is_resold, figure)) in wishes.into_iter().enumerate() {
            let credited = if is_resold {
                Credited::Units(Quantity::from_millionths(figure).unwrap())
            } else {
                Credited::Amount(Amount { minor: figure % 700_000, currency: charge.amount.currency })
            };
            let wish = CreditWish { credited, case: format!("case-{number}").parse().unwrap() };
            if (Creditable { charge: &charge, credits: &credits, is_resold, is_test: false }).check(&wish).is_ok() {
                credits.push(credit(&charge, wish));
            }
        }
        // Shares of the charge, exactly: amounts over its amount, units over its units.
        let (mut minor_sum, mut millionths_sum) = (0_i128, 0_i128);
        for credit in &credits {
            match credit.credited {
                Credited::Amount(amount) => minor_sum += i128::from(amount.minor),
                Credited::Units(quantity) => millionths_sum += i128::from(quantity.millionths()),
            }
        }
        let (whole_minor, whole_units) = (i128::from(minor), i128::from(charge.quantity.millionths()));
        prop_assert!(minor_sum <= whole_minor && millionths_sum <= whole_units);
        if whole_minor > 0 {
            prop_assert!(minor_sum * whole_units + millionths_sum * whole_minor <= whole_minor * whole_units);
        }
    }
}
