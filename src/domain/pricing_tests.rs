#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    reason = "small seeded numbers of a test, and seeds are printed"
)]

use proptest::prelude::*;

use super::*;
use crate::domain::{
    money::Currency,
    testing::{Random, Row, example_plan, plan_of},
};

fn total(plan: &PricedPlan, users: u32) -> (String, String) {
    let quote = plan.quote(users).unwrap();
    (quote.segment.name.to_string(), quote.total.to_string())
}

#[test]
fn the_publishers_own_examples() {
    let table = [
        ("konnekt-yearly", 25, "KONNEKT 25", "600.00"),
        ("konnekt-yearly", 150, "KONNEKT 25", "2100.00"),
        ("konnekt-yearly", 249, "KONNEKT 25", "3288.00"),
        ("konnekt-yearly", 250, "KONNEKT 250", "3300.00"),
        ("konnekt-yearly", 300, "KONNEKT 250", "3660.00"),
        ("konnekt-yearly", 999, "KONNEKT 250", "8692.80"),
        ("konnekt-yearly", 1_000, "KONNEKT 1000", "8700.00"),
        ("scepman-ee-monthly", 1_500, "SCEPman EE (M) 1000", "633.00"),
        ("scepman-ee-monthly", 9_852, "SCEPman EE (M) 5000", "2227.84"),
        ("scepman-ee-monthly", 9_853, "SCEPman EE (M) 10000", "2228.00"),
    ];
    for (plan, users, segment, expected) in table {
        assert_eq!(total(&example_plan(plan), users), (segment.into(), expected.into()), "{users} users of {plan}");
    }
}

#[test]
fn too_few_and_too_many_are_refused_in_the_buyers_words() {
    assert_eq!(example_plan("konnekt-yearly").quote(24).unwrap_err().to_string(), "Must be at least 25.");
    let bounded = plan_of(&[(10, Some(99), "5".into(), "1".into())], Currency::EUR);
    assert_eq!(bounded.quote(100).unwrap_err().to_string(), "Must be at most 99.");
    assert_eq!(example_plan("konnekt-yearly").quote(MAX_USERS + 1).unwrap_err(), QuoteRefused::TooMany(MAX_USERS));
}

#[test]
fn the_explanation_names_unused_users_and_the_next_break() {
    let quote = example_plan("scepman-ee-monthly").quote(9_853).unwrap();
    assert_eq!(quote.unused_included_users, 147);
    assert_eq!(quote.next_break, None);
    let quote = example_plan("konnekt-yearly").quote(300).unwrap();
    let next = quote.next_break.unwrap();
    assert_eq!((next.users, &*next.segment.name, next.total.to_string().as_str()), (1_000, "KONNEKT 1000", "8700.00"));
    assert_eq!(quote.considered.iter().filter(|considered| considered.chosen).count(), 1);
    assert_eq!(quote.considered[0].total, None, "KONNEKT 25 admits at most 249 users");
}

#[test]
fn on_a_tie_the_segment_with_more_included_users_wins() {
    let rows = [(10, None, "100".into(), "10".into()), (20, None, "200".into(), "5".into())];
    let quote = plan_of(&rows, Currency::EUR).quote(20).unwrap();
    assert_eq!(&*quote.segment.name, "S20");
    assert_eq!(quote.total.to_string(), "200.00");
}

#[test]
fn a_dominated_segment_is_named_with_its_number() {
    let names: Vec<_> =
        example_plan("scepman-ee-monthly").dominated().into_iter().map(|(s, n)| (s.name.to_string(), n)).collect();
    assert!(names.contains(&("SCEPman EE (M) 5000".to_owned(), 9_853)), "{names:?}");
    assert_eq!(example_plan("konnekt-yearly").dominated(), []);
}

/// Prices in whole micro-units, reckoned without decimals: the oracle.
struct Oracle {
    /// included, maximum, base, additional (micro-units)
    rows: Vec<(u64, Option<u64>, u64, u64)>,
    minor_in_micro: u64,
}

impl Oracle {
    fn minor(&self, micro: u64) -> u64 {
        (micro + self.minor_in_micro / 2) / self.minor_in_micro
    }

    fn fee(&self, row: &(u64, Option<u64>, u64, u64), users: u64) -> Option<u64> {
        let admitted = row.1.is_none_or(|maximum| users <= maximum);
        admitted.then(|| self.minor(row.2) + self.minor(users.saturating_sub(row.0) * row.3))
    }

    /// (included users of the winner, its fee in minor units)
    fn cheapest(&self, users: u64) -> Option<(u64, u64)> {
        if users < self.rows.iter().map(|row| row.0).min()? {
            return None;
        }
        let fees = self.rows.iter().filter_map(|row| Some((row.0, self.fee(row, users)?)));
        fees.min_by_key(|(included, fee)| (*fee, u64::MAX - included))
    }
}

fn text(micro: u64) -> String {
    format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000)
}

/// A random plan of one to six segments; `step` is the granularity of prices in micro-units.
fn random_plan(random: &mut Random, step: u64, largest: u64) -> (Vec<Row>, Oracle, Currency) {
    let (currency, minor_in_micro) =
        [(Currency::EUR, 10_000), ("JPY".parse().unwrap(), 1_000_000), ("KWD".parse().unwrap(), 1_000)]
            [random.between(0, 2) as usize];
    let mut included = random.between(1, largest / 10);
    let mut rows = Vec::new();
    let mut oracle = Vec::new();
    for _ in 0..random.between(1, 6) {
        let maximum = (random.between(0, 3) > 0).then(|| included + random.between(0, largest));
        let (base, additional) = (random.between(0, 50_000) * step, random.between(1, 200) * step);
        rows.push((included as u32, maximum.map(|m| m as u32), text(base), text(additional)));
        oracle.push((included, maximum, base, additional));
        included += random.between(1, largest / 2);
    }
    (rows, Oracle { rows: oracle, minor_in_micro }, currency)
}

#[test]
fn one_million_random_cases_agree_with_the_oracle_in_whole_micro_units() {
    let seed = 0x5ea7_0001;
    println!("seed {seed:#x}");
    let mut random = Random(seed);
    for _ in 0..25_000 {
        let (rows, oracle, currency) = random_plan(&mut random, 100, 2_000);
        let plan = plan_of(&rows, currency);
        for _ in 0..40 {
            let users = random.between(1, 12_000);
            let found = plan.choose(users as u32).ok();
            let found = found.map(|index| {
                (
                    u64::from(plan.segments[index].segment.included),
                    plan.segments[index].fee(users as u32).unwrap().minor as u64,
                )
            });
            assert_eq!(found, oracle.cheapest(users), "{users} users of {rows:?} in {currency}, seed {seed:#x}");
        }
    }
}

#[test]
fn the_next_break_is_what_a_scan_finds() {
    let seed = 0x5ea7_0002;
    println!("seed {seed:#x}");
    let mut random = Random(seed);
    for case in 0..4_000 {
        // Whole, fractional, and nearly equal prices: rounding blurs the crossing in the last two.
        let step = [1_000_000, 100, 2_500][case % 3];
        let (rows, oracle, currency) = random_plan(&mut random, step, 300);
        let plan = plan_of(&rows, currency);
        let users = random.between(1, 600);
        let Ok(quote) = plan.quote(users as u32) else { continue };
        let winner = oracle.cheapest(users).unwrap().0;
        let scanned = (users + 1..20_000)
            .map(|n| (n, oracle.cheapest(n)))
            .take_while(|(_, found)| found.is_some())
            .find(|(_, found)| found.is_some_and(|(included, _)| included != winner));
        let found = quote.next_break.map(|next| (u64::from(next.users), next.total.minor as u64));
        let found = found.filter(|(n, _)| *n < 20_000);
        assert_eq!(
            found,
            scanned.map(|(n, f)| (n, f.unwrap().1)),
            "after {users} of {rows:?} in {currency}, seed {seed:#x}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_fee_is_never_above_any_eligible_segment_and_an_added_segment_never_raises_it(seed: u64, users in 1_u32..3_000) {
        let (mut rows, _, currency) = random_plan(&mut Random(seed), 100, 1_000);
        let full = plan_of(&rows, currency);
        if let Ok(quote) = full.quote(users) {
            for considered in &quote.considered {
                prop_assert!(considered.total.is_none_or(|total| quote.total.minor <= total.minor));
            }
            let lines: i64 = quote.lines.iter().map(|line| line.amount.minor).sum();
            prop_assert_eq!(lines, quote.total.minor);
            rows.pop();
            if let Some(Ok(fewer)) = (!rows.is_empty()).then(|| plan_of(&rows, currency).quote(users)) {
                prop_assert!(quote.total.minor <= fewer.total.minor);
            }
        }
    }

    #[test]
    fn within_one_segment_more_users_never_cost_less(seed: u64, users in 1_u32..3_000) {
        let (rows, _, currency) = random_plan(&mut Random(seed), 100, 1_000);
        let plan = plan_of(&rows, currency);
        for priced in &plan.segments {
            prop_assert!(priced.fee(users).unwrap().minor <= priced.fee(users + 1).unwrap().minor);
        }
    }

    /// A maximum may force a jump up, never down.
    #[test]
    fn the_fee_is_monotone_in_the_number_of_users(seed: u64, users in 1_u32..3_000) {
        let (rows, _, currency) = random_plan(&mut Random(seed), 100, 1_000);
        let plan = plan_of(&rows, currency);
        if let (Ok(fewer), Ok(more)) = (plan.quote(users), plan.quote(users + 1)) {
            prop_assert!(fewer.total.minor <= more.total.minor);
        }
    }
}
