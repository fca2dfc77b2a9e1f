//! Prices beyond reason, with as many digits as a price may have, and amounts that lie as near as can be to half a minor unit:
//! an amount is exact, or it is refused. It is never nearly right.

use seatkey::domain::money::{Amount, Quantity, TooLarge};

use super::{
    case::{CURRENCIES, DEAREST, between},
    reckoning::{MOST_USERS, Price, Reckoning, power},
};
use crate::support::chance::{Chance, how_many, seeds};

#[test]
fn beyond_reason_an_amount_is_exact_or_refused() {
    let seed = seeds(1)[0];
    let samples = how_many("SEATKEY_SAMPLES", 40_000);
    let mut chance = Chance::of(seed);
    let (mut exact, mut refused) = (0, 0);
    while exact < samples {
        let (code, minor) = *chance.pick(&CURRENCIES);
        let Some((millionths, price)) = near_half(&mut chance, minor) else { continue };
        let expected = Reckoning { segments: Vec::new(), minor, decimals: 6 }.amount(millionths, price);
        let quantity = Quantity::from_millionths(i64::try_from(millionths).unwrap()).unwrap();
        match Amount::of_line(quantity, price.text().parse().unwrap(), code.parse().unwrap()) {
            Ok(amount) => {
                let what = format!("{millionths} millionths × {} {code}, seed {seed}", price.text());
                assert_eq!(i128::from(amount.minor), expected, "{what}");
                exact += 1;
            }
            // It does not fit into the database.
            Err(TooLarge) => {
                assert!(expected > i64::MAX.into(), "{millionths} millionths × {} {code} is refused", price.text());
                refused += 1;
            }
        }
    }
    println!("{exact} amounts were exact, {refused} refused, seed {seed}");
}

/// A quantity and a price whose product lies within some of the last digits of half a minor unit.
fn near_half(chance: &mut Chance, minor: u32) -> Option<(i128, Price)> {
    let scale = u32::try_from(between(chance, 4, 10)).unwrap();
    let length = u32::try_from(between(chance, 3, 12 + i128::from(scale))).unwrap();
    let any = between(chance, 0, power(12)) * power(12) + between(chance, 0, power(12));
    // Divisible by neither 2 nor 5, so that some quantity brings any remainder.
    let price = Price { units: any % power(length) / 10 * 10 + *chance.pick(&[1, 3, 7, 9]), scale };
    let modulus = power(6 + scale - minor);
    let wanted = modulus / 2 + between(chance, -2, 2);
    let millionths = wanted * inverse(price.units % modulus, modulus) % modulus;
    (price.units <= DEAREST * power(scale) && millionths <= MOST_USERS * 1_000_000).then_some((millionths, price))
}

/// What a number has to be multiplied by to leave 1 (Euclid).
fn inverse(number: i128, modulus: i128) -> i128 {
    let (mut rest, mut next) = ((modulus, 0), (number, 1));
    while next.0 != 0 {
        let quotient = rest.0 / next.0;
        (rest, next) = (next, (rest.0 - quotient * next.0, rest.1 - quotient * next.1));
    }
    rest.1.rem_euclid(modulus)
}
