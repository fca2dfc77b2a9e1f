//! The sentences of a change of users.

use time::Date;

use super::{
    change::{ChangeFacts, Sentence},
    projection::{capital, first_noun},
    purchase::Purchase,
    table,
    words::{self, Fact},
};
use crate::domain::{
    change::{ChangeKind, FrozenChange},
    money::Amount,
    pricing::{Line, Quote},
    time::utc_day,
};

fn renewal_day(change: &FrozenChange) -> String {
    words::day(change.term.renewal().unwrap_or(change.term.end))
}

fn days(change: &FrozenChange) -> String {
    format!("{} of {} days", change.part.days, change.part.of_days)
}

pub(super) fn title(change: &FrozenChange) -> String {
    let (from, to) = (words::count(change.from_users), words::users(change.to_users));
    match change.kind {
        ChangeKind::Upgrade => format!("Upgrade from {from} to {to}"),
        ChangeKind::Lowering => format!("Lower from {from} to {to}"),
        ChangeKind::Downgrade | ChangeKind::Renewal => format!("Downgrade from {from} to {to}"),
    }
}

/// What the button does.
pub(super) fn button(change: &FrozenChange) -> String {
    let to = words::users(change.to_users);
    match change.kind {
        ChangeKind::Upgrade => format!("Upgrade to {to} now"),
        ChangeKind::Lowering => format!("Lower to {to} now"),
        ChangeKind::Downgrade | ChangeKind::Renewal => format!("Plan {to} from {}", renewal_day(change)),
    }
}

pub(super) fn caption(change: &FrozenChange) -> String {
    match change.kind {
        ChangeKind::Upgrade => format!("Once, for {}", days(change)),
        ChangeKind::Lowering => format!("In place of what is held now, for {}", days(change)),
        ChangeKind::Downgrade | ChangeKind::Renewal => format!("From {} on, for a full term", renewal_day(change)),
    }
}

pub(super) fn total_label(purchase: &Purchase<'_>, change: &FrozenChange) -> String {
    match change.kind {
        ChangeKind::Upgrade if change.held_until.is_some() => "Once, with the first charges".to_owned(),
        ChangeKind::Upgrade => "Now, once".to_owned(),
        ChangeKind::Lowering => capital(&first_noun(&purchase.plan.term_unit)),
        ChangeKind::Downgrade | ChangeKind::Renewal => format!("Then, for a full {}", purchase.noun()),
    }
}

/// The words under an item of the table.
pub(super) fn details(change: &FrozenChange, line: &Line) -> String {
    match change.kind {
        ChangeKind::Upgrade => {
            let more = change.to_users.saturating_sub(change.from_users);
            format!("{} more, for {}", words::users(more), days(change))
        }
        ChangeKind::Lowering => format!("{}, for {}", table::part_detail(line, change.to_users), days(change)),
        ChangeKind::Downgrade | ChangeKind::Renewal => table::full_detail(line),
    }
}

/// A planned downgrade does not outlive what is submitted now.
pub(super) fn warning(told: &ChangeFacts<'_>) -> String {
    let Some(planned) = told.planned.map(words::users) else { return String::new() };
    let day = renewal_day(told.change);
    match told.change.kind {
        ChangeKind::Upgrade => format!("This upgrade cancels the downgrade to {planned} that is planned for {day}."),
        ChangeKind::Lowering => format!("This also cancels the downgrade to {planned} that is planned for {day}."),
        ChangeKind::Downgrade | ChangeKind::Renewal => {
            format!("This takes the place of the downgrade to {planned} that is planned for {day}.")
        }
    }
}

pub(super) fn spoken(purchase: &Purchase<'_>, change: &FrozenChange, total: Amount) -> String {
    let fee = purchase.money(total).map(|fee| format!(": {fee}")).unwrap_or_default();
    match change.kind {
        ChangeKind::Upgrade if change.held_until.is_some() => {
            format!("{}{fee}, once, with the first charges.", title(change))
        }
        ChangeKind::Upgrade => format!("{}{fee} now, once.", title(change)),
        ChangeKind::Lowering => format!("{}{fee} for the first term.", title(change)),
        ChangeKind::Downgrade | ChangeKind::Renewal => {
            format!("{}, planned for {}{fee} for a full term.", title(change), renewal_day(change))
        }
    }
}

/// Why it costs that, when it is charged, what comes afterwards.
pub(super) fn why(told: &ChangeFacts<'_>, total: Amount) -> Vec<Sentence> {
    let ChangeFacts { purchase, change, .. } = *told;
    let mut told_why = match change.kind {
        ChangeKind::Upgrade => vec![afterwards(told), rest_of_term(told), reported(purchase, change, total)],
        ChangeKind::Lowering => vec![in_place(told, total), afterwards(told), reported(purchase, change, total)],
        ChangeKind::Downgrade | ChangeKind::Renewal => planned(told),
    };
    told_why.push(segment(purchase, &change.next));
    told_why
}

/// `A full year with 300 users is 3,660.00 EUR, from 15 January 2027 on …`
fn afterwards(told: &ChangeFacts<'_>) -> Sentence {
    let ChangeFacts { purchase, change, .. } = *told;
    let (users, noun, day) = (words::users(change.to_users), purchase.noun(), renewal_day(change));
    let Some(fee) = purchase.money(change.next.total) else {
        return Sentence { strong: format!("{users} from now on"), rest: ", and with every renewal.".to_owned() };
    };
    let before = before(told).and_then(|fee| purchase.money(fee));
    let before = before.map(|fee| format!(" With {} it is {fee}.", words::users(change.from_users)));
    Sentence {
        strong: format!("A full {noun} with {users} is {fee}"),
        rest: format!(", from {day} on and at today’s prices.{}", before.unwrap_or_default()),
    }
}

/// The fee of a full term for the users of today, in the segment that they are in.
fn before(told: &ChangeFacts<'_>) -> Option<Amount> {
    let change = told.change;
    told.plan.fee_in(change.from_segment.as_deref()?, change.from_users).ok()?
}

fn rest_of_term(told: &ChangeFacts<'_>) -> Sentence {
    let ChangeFacts { purchase, change, .. } = *told;
    let more = before(told).and_then(|before| {
        let minor = change.next.total.minor.checked_sub(before.minor)?;
        purchase.money(Amount { minor, currency: before.currency })
    });
    let more = more.map(|more| format!(" of the difference of {more}")).unwrap_or_default();
    Sentence {
        strong: "You pay for the rest of this term only".to_owned(),
        rest: format!("{more}: {}, until {}.", days(change), words::day(change.term.end)),
    }
}

/// When Microsoft is told, and until when it can be undone.
fn reported(purchase: &Purchase<'_>, change: &FrozenChange, total: Amount) -> Sentence {
    let sentence = |strong: &str, rest: String| Sentence { strong: strong.to_owned(), rest };
    if total.minor == 0 && change.kind == ChangeKind::Upgrade {
        let rest = match purchase.is_reseller_deal() {
            true => String::new(),
            false => ": a full term costs no more than before.".to_owned(),
        };
        return sentence("Nothing is charged now", rest);
    }
    let invoice = |day: Date| match purchase.is_reseller_deal() {
        true => "Microsoft bills it to your reseller".to_owned(),
        false => format!("it is on your Azure invoice in {}", words::invoice_month(day)),
    };
    match change.held_until {
        Some(at) => sentence(
            "Reported together with the first charges",
            format!(
                ", after {}; {}. Withdraw or cancel until then, and it is never charged.",
                words::until(at),
                invoice(utc_day(at))
            ),
        ),
        None => {
            sentence("Reported to Microsoft at once", format!("; {}. An upgrade is not refunded.", invoice(change.day)))
        }
    }
}

/// What becomes of the charges that are held.
fn in_place(told: &ChangeFacts<'_>, total: Amount) -> Sentence {
    let purchase = told.purchase;
    let figures = told.held.and_then(|held| purchase.money(held)).zip(purchase.money(total));
    let rest = match figures {
        Some((held, total)) => format!(": {total} instead of the {held} that are held now, which are dropped."),
        None => ": what is held now is dropped, and these quantities are held instead.".to_owned(),
    };
    Sentence { strong: "Nothing has been reported yet, so the first charges are written anew".to_owned(), rest }
}

fn planned(told: &ChangeFacts<'_>) -> Vec<Sentence> {
    let ChangeFacts { purchase, change, .. } = *told;
    let (last, day) = (words::day(change.term.end), renewal_day(change));
    let (from, to) = (words::users(change.from_users), words::users(change.to_users));
    let less = before(told).and_then(|before| {
        let minor = before.minor.checked_sub(change.next.total.minor).filter(|minor| *minor > 0)?;
        purchase.money(Amount { minor, currency: before.currency })
    });
    let less = less.map(|less| format!(": {less} less than with {from}")).unwrap_or_default();
    let fee = purchase.money(change.next.total);
    let then = match fee {
        Some(fee) => Sentence {
            strong: format!("From {day} on a full {} with {to} is {fee}", purchase.noun()),
            rest: format!(" at today’s prices{less}."),
        },
        None => Sentence { strong: format!("From {day} on it is for {to}"), rest: ".".to_owned() },
    };
    vec![
        Sentence {
            strong: format!("Until {last} all {from} stay"),
            rest: "; nothing is charged now, and nothing is refunded.".to_owned(),
        },
        then,
        Sentence { strong: format!("You can cancel or change it until {last}"), rest: ".".to_owned() },
    ]
}

/// The segment, and where the next one takes over.
fn segment(purchase: &Purchase<'_>, quote: &Quote) -> Sentence {
    let (name, users) = (&quote.segment.name, words::users(quote.users));
    let next = quote.next_break.as_ref().map(|next| (words::users(next.users), &next.segment.name));
    let strong = match (purchase.is_reseller_deal(), quote.considered.len()) {
        (true, _) => format!("{users} are in {name}"),
        (false, 1) => format!("{name} is the one segment of this plan"),
        (false, _) => format!("{name} is the cheapest for {users}"),
    };
    let rest = match next {
        Some((from, next)) if purchase.is_reseller_deal() => format!("; from {from} on it is {next}."),
        Some((from, next)) => format!("; {next} pays from {from} on."),
        None => ".".to_owned(),
    };
    Sentence { strong, rest }
}

pub(super) fn facts(told: &ChangeFacts<'_>, today: Date) -> Vec<Fact> {
    let ChangeFacts { purchase, change, .. } = *told;
    let quote = &change.next;
    let included = quote.segment.included.min(quote.users);
    let additional = quote.users.saturating_sub(quote.segment.included);
    let split = format!("{} included in the base fee, {} additional", words::count(included), words::count(additional));
    let before = change.from_segment.as_deref().filter(|before| **before != *quote.segment.name);
    let before = before.map(|before| format!("now {before}")).unwrap_or_else(|| "as before".to_owned());
    let left = format!("{} of {} days left", change.term.remaining(today), change.term.days());
    let term = format!("{} to {}", words::day(change.term.start), words::day(change.term.end));
    let (when, key) = match change.kind {
        ChangeKind::Upgrade | ChangeKind::Lowering => {
            ("At once".to_owned(), "The new one follows by mail, normally within a minute")
        }
        ChangeKind::Downgrade | ChangeKind::Renewal => {
            (format!("On {}, with the renewal", renewal_day(change)), "Stays; the new one follows with the renewal")
        }
    };
    vec![
        Fact::new("Subscription", purchase.name),
        Fact::new("Product", &purchase.plan.name),
        Fact::with("Users", words::count(change.to_users), format!("now {}", words::count(change.from_users))),
        Fact::new("Of these", split),
        Fact::with("Segment", &*quote.segment.name, before),
        Fact::new("Takes effect", when),
        Fact::with("This term", term, left),
        Fact::new("License key", key),
    ]
}

/// What differs between the change that was shown and the one that is shown now, the most telling first.
#[must_use]
pub fn differences(purchase: &Purchase<'_>, before: &FrozenChange, after: &FrozenChange) -> Vec<String> {
    let mut found = Vec::new();
    if before.from_users != after.from_users {
        found.push(format!(
            "The subscription now has {} instead of {}: somebody else has changed them.",
            words::users(after.from_users),
            words::count(before.from_users)
        ));
    }
    if before.kind != after.kind {
        found.push(match after.kind {
            ChangeKind::Upgrade => "This is now an upgrade, which takes effect at once.".to_owned(),
            ChangeKind::Lowering => "This now lowers the users at once.".to_owned(),
            ChangeKind::Downgrade | ChangeKind::Renewal => {
                "Fewer users can now only be planned for the next renewal.".to_owned()
            }
        });
    }
    if before.next.segment.name != after.next.segment.name {
        let (old, new) = (&before.next.segment.name, &after.next.segment.name);
        found.push(format!("The cheapest segment is now {new} instead of {old}."));
    }
    found.extend(amounts(purchase, before, after));
    if before.held_until != after.held_until {
        found.push("The time at which it is reported to Microsoft has changed.".to_owned());
    }
    if before.term != after.term {
        found.push("A new term has begun.".to_owned());
    } else if before.part != after.part {
        found.push(format!("Other days are charged now: {} instead of {}.", days(after), before.part.days));
    }
    if found.is_empty() {
        found.push(nothing_else(before, after).to_owned());
    }
    found
}

fn amounts(purchase: &Purchase<'_>, before: &FrozenChange, after: &FrozenChange) -> Vec<String> {
    use crate::domain::enrolment::sum;
    let mut found = Vec::new();
    if let (Ok(Some(old)), Ok(Some(new))) = (sum(&before.lines), sum(&after.lines))
        && old != new
        && before.kind == after.kind
    {
        let figures = purchase.money(new).zip(purchase.money(old));
        found.extend(figures.map(|(new, old)| format!("It now costs {new} instead of {old}.")));
    }
    if before.next.total != after.next.total {
        let figures = purchase.money(after.next.total).zip(purchase.money(before.next.total));
        let noun = purchase.noun();
        found.extend(figures.map(|(new, old)| format!("A full {noun} afterwards is now {new} instead of {old}.")));
    }
    if found.is_empty() && before.prices.list != after.prices.list && !purchase.is_reseller_deal() {
        found.push("Microsoft’s price list has changed.".to_owned());
    }
    found
}

fn nothing_else(before: &FrozenChange, after: &FrozenChange) -> &'static str {
    if before.subscription_version != after.subscription_version {
        "Something else about this subscription has changed in the meantime. We worked the figures out again; they are the same."
    } else if before.day != after.day {
        "A new day has begun. We worked the figures out again; they are the same."
    } else {
        "The figures were older than 30 minutes. We worked them out again; nothing has changed."
    }
}
