//! The program's answers to a case against the reckoning's.

use seatkey::domain::{
    change::{ChangeKind, ChangeRefused, FrozenChange},
    enrolment::{FrozenQuote, OrderRefused},
    pricing::Quote,
    proration::FirstTerm,
};

use super::{
    case::Case,
    reckoning::{Line, Reckoning, Segment, Term, power},
    told::{Told, plain},
};

/// What came up, so that a run that tests nothing is seen.
#[derive(Debug, Default)]
pub(super) struct Met {
    refused: usize,
    ties: usize,
    nothing_to_send: usize,
    lowerings: usize,
    upgrades: usize,
    upgrades_out_of_a_segment_that_is_not_the_cheapest: usize,
    splits: usize,
    splits_that_differ: usize,
    /// In minor units, where the truncation alone cannot explain more than one for each step.
    largest_difference_of_fine_splits: i128,
}

pub(super) fn check(case: &Case, met: &mut Met) {
    let told = Told::of(case);
    let Some((frozen, segment)) = review(case, &told, met) else { return };
    let first = activation(case, &told, &frozen, segment, met);
    lowering(case, &told, (&first, &frozen), met);
    renewal(case, &told, &first, met);
    upgrades(case, &told, (&first, segment), met);
}

/// A line is never below nothing, and nothing to send costs nothing.
fn sound(lines: &[Line], met: &mut Met) {
    for line in lines {
        assert!(line.1 >= 0 && line.2 >= 0, "below nothing: {line:?}");
        met.nothing_to_send += usize::from(line.1 == 0);
        assert!(line.1 > 0 || line.2 == 0, "nothing to send, and it costs something: {line:?}");
    }
}

/// The quote of a full term with its explanation.
fn quote(told: &Quote, day: &Reckoning, users: i128) {
    let segment = day.cheapest(users).expect("the reckoning refuses it");
    assert_eq!(i128::from(told.segment.included), segment.included, "the cheapest segment");
    assert_eq!(plain(&told.lines), day.lines_in(segment, users), "the lines of a full term");
    assert!(told.lines.iter().all(|line| !line.quantity.is_zero()), "a full term has no empty line");
    assert_eq!(i128::from(told.total.minor), day.fee_in(segment, users), "the total of a full term");
    for (considered, segment) in told.considered.iter().zip(&day.segments) {
        let fee = segment.maximum.is_none_or(|most| users <= most).then(|| day.fee_in(segment, users));
        assert_eq!(considered.total.map(|total| i128::from(total.minor)), fee, "{}", considered.segment.name);
    }
    if let Some(next) = &told.next_break {
        let at = i128::from(next.users);
        let winner = |users| day.cheapest(users).map(|segment| segment.included);
        assert_eq!(winner(at - 1), Some(segment.included), "the segment holds until {at} users");
        assert_eq!(winner(at), Some(i128::from(next.segment.included)), "the next segment at {at} users");
        assert_ne!(winner(at), Some(segment.included));
    }
}

/// What the review shows; `None` where there is nothing to enrol.
fn review<'a>(case: &'a Case, told: &Told<'_>, met: &mut Met) -> Option<(FrozenQuote, &'a Segment)> {
    let [users, ..] = case.users;
    let Some(segment) = case.then.cheapest(users) else {
        met.refused += 1;
        assert!(matches!(told.review(), Err(OrderRefused::Users(_))), "{users} users are refused");
        return None;
    };
    met.ties += usize::from(case.then.ties(users) > 1);
    let frozen = told.review().unwrap();
    quote(frozen.quote.as_ref().unwrap(), &case.then, users);
    let shown = plain(&frozen.charged_lines().unwrap());
    assert_eq!(shown, first_lines(case, segment, estimate(case), case.reviewed_on), "the lines of the review");
    Some((frozen, segment))
}

fn estimate(case: &Case) -> Term {
    Term::of_months(case.reviewed_on, case.months)
}

/// The first day that is charged.
fn after_trial(case: &Case, term: Term, start: i128) -> i128 {
    start.max(term.start) + case.trial_days
}

/// The lines of a first term, the extra last: it is never prorated.
fn first_lines(case: &Case, segment: &Segment, term: Term, start: i128) -> Vec<Line> {
    let days = term.from(after_trial(case, term, start));
    let mut lines = case.then.parts(segment, case.users[0], days, term.days());
    lines.push(("setup".to_owned(), power(6), case.then.amount(power(6), case.extra)));
    lines
}

/// What is charged with Microsoft's dates: line by line the lower of that and what was shown.
fn activation(case: &Case, told: &Told<'_>, frozen: &FrozenQuote, segment: &Segment, met: &mut Met) -> FirstTerm {
    let shown = first_lines(case, segment, estimate(case), case.reviewed_on);
    let real = first_lines(case, segment, case.term, case.activated_on);
    let lower = real.into_iter().zip(shown).map(|(real, shown)| if real.2 > shown.2 { shown } else { real });
    let (first, lines) = told.activation(frozen);
    let lines = plain(&lines);
    assert_eq!(lines, lower.collect::<Vec<_>>(), "the charges of the first term");
    sound(&lines, met);
    first
}

fn lowering(case: &Case, told: &Told<'_>, (first, frozen): (&FirstTerm, &FrozenQuote), met: &mut Met) {
    let Some(segment) = case.now.cheapest(case.fewer).filter(|_| case.fewer < case.users[0]) else { return };
    let held = frozen.charged_lines().unwrap();
    let lowered = told.lower(first, frozen.segment().unwrap(), &held, case.fewer).unwrap();
    assert_eq!(lowered.kind, ChangeKind::Lowering);
    quote(&lowered.next, &case.now, case.fewer);
    let days = case.term.from(after_trial(case, case.term, case.activated_on));
    let lines = plain(&lowered.lines);
    assert_eq!(lines, case.now.parts(segment, case.fewer, days, case.term.days()), "the lines of the lowering");
    sound(&lines, met);
    met.lowerings += 1;
}

fn renewal(case: &Case, told: &Told<'_>, first: &FirstTerm, met: &mut Met) {
    let term = case.next_term;
    for users in [case.users[0], case.fewer] {
        let Some(segment) = case.now.cheapest(users) else {
            assert!(matches!(told.renew(first, users), Err(ChangeRefused::Users(_))));
            continue;
        };
        let renewed = told.renew(first, users).unwrap();
        quote(&renewed.next, &case.now, users);
        let days = term.from(after_trial(case, case.term, case.activated_on));
        let lines = plain(&renewed.lines);
        assert_eq!(lines, case.now.parts(segment, users, days, term.days()), "the lines of the renewal");
        sound(&lines, met);
    }
}

/// One upgrade: its line, and what is left of the fees' difference.
struct Step {
    line: Line,
    /// The difference of the two full fees in minor units; never below nothing.
    difference: i128,
    to: usize,
}

fn upgrade(case: &Case, told: &Told<'_>, first: &FirstTerm, (from, segment): (i128, usize), to: i128) -> Option<Step> {
    let name = format!("S {}", case.now.segments[segment].included);
    let found = told.upgrade(first, from, &name, to);
    let Some(winner) = case.now.cheapest(to) else {
        assert!(matches!(found, Err(ChangeRefused::Users(_))), "{to} users are refused");
        return None;
    };
    let found: FrozenChange = found.unwrap();
    assert_eq!(found.kind, ChangeKind::Upgrade);
    quote(&found.next, &case.now, to);
    let difference = case.now.fee_in(winner, to) - case.now.fee_in(&case.now.segments[segment], from);
    let expected = case.now.upgrade(difference, winner, charged_days(case), case.term.days());
    assert_eq!(plain(&found.lines), std::slice::from_ref(&expected), "the line of the upgrade from {from} to {to}");
    let shown = found.upgrade.unwrap();
    let shown_quantity = super::millionths(&shown.quantity.to_string());
    assert_eq!((shown.dimension.to_string(), shown_quantity, shown.amount.minor.into()), expected, "what was shown");
    assert_eq!(i128::from(shown.next_term_total.minor), case.now.fee_in(winner, to), "a full term afterwards");
    let to = case.now.segments.iter().position(|segment| segment.included == winner.included).unwrap();
    Some(Step { line: expected, difference: difference.max(0), to })
}

/// From the day of the upgrade on, but not in the trial.
fn charged_days(case: &Case) -> i128 {
    case.term.from(case.upgraded_on.max(after_trial(case, case.term, case.activated_on)))
}

/// At once, and in two steps on the same day.
fn upgrades(case: &Case, told: &Told<'_>, (first, segment): (&FirstTerm, &Segment), met: &mut Met) {
    let [from, middle, to] = case.users;
    let at = case.now.segments.iter().position(|one| one.included == segment.included).unwrap();
    let Some(whole) = upgrade(case, told, first, (from, at), to) else { return };
    sound(std::slice::from_ref(&whole.line), met);
    met.upgrades += 1;
    let cheapest = case
        .now
        .cheapest(from)
        .is_some_and(|best| case.now.fee_in(best, from) == case.now.fee_in(segment_now(case, at), from));
    met.upgrades_out_of_a_segment_that_is_not_the_cheapest += usize::from(!cheapest);
    let Some(one) = upgrade(case, told, first, (from, at), middle) else { return };
    let two = upgrade(case, told, first, (middle, one.to), to).expect("it was possible at once");
    split(case, [&whole, &one, &two], cheapest, met);
}

fn segment_now(case: &Case, at: usize) -> &Segment {
    &case.now.segments[at]
}

/// What an upgrade in two steps may differ from the same at once.
///
/// Each amount is `x` = difference of the fees × days ÷ days of the term, less what the truncation of its quantity takes
/// (below one step of the quantity, `s`, times the price of the segment that is reached, `p`), rounded (half a minor unit at
/// most). So an amount lies above `x − s·p − ½` and not above `x + ½`, and with two amounts against one:
///
/// `−(3/2 + s·(p1 + p2)) < one + two − whole − excess < 3/2 + s·p2`, in minor units; p1 and p2 are the prices after the
/// first and the second step.
///
/// *Excess* is what the three differences of fees do not cancel out. They do whenever the users were in the cheapest segment
/// of today's prices, through any number of segments, since a step ends where the next begins: the excess is 0, and where the
/// truncation is fine (`s·(p1 + p2) ≤ 3/2`: with six decimals and cents, prices of additional users up to 7,500.00 each) the
/// two differ by **two minor units at most, one for each step**.
///
/// Two things make more of it, and neither can be helped:
/// * Few decimals: with two, a hundredth of a user at 12.00 is 12 cents that the truncation may take from either way.
/// * Users in a segment that is not the cheapest at today's prices: the first step may be worth less than nothing, which is
///   charged as nothing, where the whole would have set it off. The steps then cost the excess more, never less.
fn split(case: &Case, [whole, one, two]: [&Step; 3], cheapest: bool, met: &mut Met) {
    let excess = one.difference + two.difference - whole.difference;
    assert!(excess >= 0, "in two steps it is never less by more than rounding");
    assert!(excess == 0 || !cheapest, "out of the cheapest segment the differences add up");
    let difference = one.line.2 + two.line.2 - whole.line.2;
    // Everything times 2 × the days of the term × the decimals of prices and quantities.
    let [p1, p2] = [one.to, two.to].map(|at| segment_now(case, at).user);
    let (scale, days) = (p1.scale.max(p2.scale), case.term.days());
    let unit = days * power(scale + case.now.decimals);
    let truncated =
        |price: super::reckoning::Price| 2 * days * price.units * power(scale - price.scale) * power(case.now.minor);
    let rest = 2 * unit * difference - 2 * excess * charged_days(case) * power(scale + case.now.decimals);
    assert!(rest < 3 * unit + truncated(p2), "two steps are dearer by {difference} minor units");
    assert!(-rest < 3 * unit + truncated(p1) + truncated(p2), "two steps are cheaper by {difference} minor units");
    if excess == 0 && truncated(p1) + truncated(p2) <= 3 * unit {
        assert!(difference.abs() <= 2, "more than a minor unit for each step: {difference}");
        met.largest_difference_of_fine_splits = met.largest_difference_of_fine_splits.max(difference.abs());
    }
    met.splits += 1;
    met.splits_that_differ += usize::from(difference != 0);
}
