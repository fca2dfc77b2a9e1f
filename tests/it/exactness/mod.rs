//! Exactness: what is shown, what is charged and what stands on the wire, against a reckoning in whole numbers that shares no
//! code with the program (`reckoning.rs`): prices, users, dates, trials, upgrades, lowerings and renewals at random.
//!
//! `SEATKEY_SAMPLES=1000000 cargo test --test it -- exactness --nocapture` is the long form. A case that fails prints itself
//! and the `SEATKEY_SEED` that repeats it alone.

#![expect(clippy::print_stdout, reason = "seeds and what was met are printed")]

mod beyond;
mod case;
mod check;
mod reckoning;
mod told;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use seatkey::domain::money::Quantity;

use crate::support::chance::{Chance, how_many, seeds};
use case::Case;
use check::{Met, check};

#[test]
fn every_figure_is_what_whole_numbers_give() {
    let first = seeds(1)[0];
    let samples = if std::env::var("SEATKEY_SEED").is_ok() { 1 } else { 10_000 };
    let samples = how_many("SEATKEY_SAMPLES", samples);
    let mut met = Met::default();
    for number in 0..samples {
        let seed = first.wrapping_add(u64::try_from(number).unwrap());
        let case = Case::of(&mut Chance::of(seed));
        if let Err(complaint) = catch_unwind(AssertUnwindSafe(|| check(&case, &mut met))) {
            println!("SEATKEY_SEED={seed}\n{case:#?}");
            resume_unwind(complaint);
        }
    }
    println!("{samples} cases from seed {first}\n{met:#?}");
}

#[test]
fn a_quantity_on_the_wire_is_the_quantity_in_the_ledger() {
    let seed = seeds(1)[0];
    let samples = how_many("SEATKEY_QUANTITIES", 100_000);
    println!("{samples} quantities from seed {seed}");
    let mut chance = Chance::of(seed);
    for _ in 0..samples {
        // Of every length, from 1 to 18 digits; then some with zeros at the end.
        let digits = u32::try_from(chance.below(18)).unwrap() + 1;
        let any = i64::try_from(chance.below(10_usize.pow(digits))).unwrap();
        let zeros = 10_i64.pow(u32::try_from(chance.below(7)).unwrap());
        let expected = any - any % zeros;
        let text = Quantity::from_millionths(expected).unwrap().to_string();
        assert_eq!(millionths(&text), i128::from(expected), "{text}, seed {seed}");
    }
}

/// Reads a quantity as Microsoft would: a JSON number without sign and exponent, with at most six decimals and none too many.
fn millionths(text: &str) -> i128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    assert!(digits(whole) && digits(part), "{text} is not a plain number");
    assert!(whole == "0" || (!whole.is_empty() && !whole.starts_with('0')), "{text} begins with a needless 0");
    assert!(part.len() <= 6 && !part.ends_with('0') && !text.ends_with('.'), "{text} has needless decimals");
    format!("{whole}{part:0<6}").parse().unwrap()
}

/// The reckoning itself, against figures that were published.
#[test]
fn the_reckoning_gives_the_published_figures() {
    use reckoning::{Price, Reckoning, Segment, Term, day_number};
    let euros = |units| Price { units, scale: 2 };
    let segment = |included, maximum, base, user| Segment { included, maximum, base: euros(base), user: euros(user) };
    let konnekt = Reckoning {
        segments: vec![segment(25, Some(249), 60_000, 1_200), segment(250, Some(999), 330_000, 720)],
        minor: 2,
        decimals: 6,
    };
    let term = Term::of_months(day_number(2026, 1, 15), 12);
    assert_eq!((term.days(), term.from(day_number(2026, 2, 14)), term.from(day_number(2026, 7, 1))), (365, 335, 198));
    let quantities = |reckoning: &Reckoning| -> Vec<(i128, i128)> {
        let lines = reckoning.parts(&reckoning.segments[0], 150, 335, 365);
        lines.iter().map(|line| (line.1, line.2)).collect()
    };
    assert_eq!(quantities(&konnekt), [(917_808, 55_068), (114_726_027, 137_671)]);
    let coarse = Reckoning { decimals: 2, ..konnekt.clone() };
    assert_eq!(quantities(&coarse), [(910_000, 54_600), (114_720_000, 137_664)]);
    let upgrade = konnekt.upgrade(366_000 - 210_000, &konnekt.segments[1], 198, 365);
    assert_eq!(upgrade, ("user-250".to_owned(), 117_534_246, 84_625));
    assert_eq!(Term::of_months(day_number(2026, 8, 31), 18).end, day_number(2028, 2, 28));
    assert_eq!(reckoning::date(day_number(2028, 2, 29)), (2028, 2, 29));
}
