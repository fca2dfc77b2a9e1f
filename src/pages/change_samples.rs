//! Changes to try the templates with: every deal of the samples raised, lowered and planned lower.

use time::Duration;

use super::{
    change::ChangeFacts,
    change_words::differences,
    samples::{self, Deal},
};
use crate::domain::{
    change::{ChangeKind, FrozenChange},
    enrolment::{PriceSource, TodaysPrices, sum},
    money::Currency,
    pricing::{Item, Line},
    proration::{Part, UpgradeFrom, quote_upgrade},
    time::{plus_days, utc_day},
};

/// Tells each sample to `tell`, with what somebody reads who has seen another one before.
pub(super) fn each_change(mut tell: impl FnMut(&Deal<'_>, &ChangeFacts<'_>, &[String])) {
    samples::each_deal(|deal| {
        for (held, planned) in [(true, None), (false, Some(deal.priced.quote.segment.included))] {
            let changes: Vec<FrozenChange> =
                [upgrade(deal, held), lowering(deal), downgrade(deal)].into_iter().flatten().collect();
            for change in &changes {
                let told = ChangeFacts {
                    purchase: &deal.purchase,
                    change,
                    plan: deal.priced.plan,
                    planned,
                    held: sum(&deal.priced.charged).ok().flatten(),
                };
                let seen: Vec<String> =
                    changes.iter().flat_map(|other| differences(&deal.purchase, other, change)).collect();
                tell(deal, &told, &seen);
            }
        }
    });
}

fn frozen(deal: &Deal<'_>, kind: ChangeKind, to: u32) -> Option<FrozenChange> {
    let (quote, first) = (deal.priced.quote, deal.priced.first);
    Some(FrozenChange {
        kind,
        from_users: quote.users,
        to_users: to,
        from_segment: Some(quote.segment.name.to_string()),
        next: deal.priced.plan.quote(to).ok()?,
        upgrade: None,
        lines: Vec::new(),
        part: Part { days: first.term.days(), of_days: first.term.days() },
        term: first.term,
        held_until: None,
        prices: TodaysPrices {
            list: deal.purchase.plan.list_prices(Currency::EUR)?.clone(),
            source: PriceSource::Microsoft,
        },
        catalog_version: String::new(),
        day: utc_day(deal.now),
        subscription_version: 1,
        reseller_deal: deal.purchase.is_reseller_deal(),
    })
}

/// Halfway through the term, or while the first charges are held.
fn upgrade(deal: &Deal<'_>, held: bool) -> Option<FrozenChange> {
    let (quote, first) = (deal.priced.quote, deal.priced.first);
    let change = frozen(deal, ChangeKind::Upgrade, quote.users + 200)?;
    let first_day = if held { utc_day(first.reportable_from) } else { plus_days(first.start_day, 12) };
    let from =
        UpgradeFrom { users: quote.users, segment: &quote.segment.name, term: first.term, today: first_day, first_day };
    let priced = quote_upgrade(deal.priced.plan, from, change.to_users).ok()?;
    let item = Item::AdditionalUsers(std::sync::Arc::clone(&change.next.segment));
    let line = Line::new(item, &priced.dimension, priced.quantity, priced.unit_price, priced.amount.currency).ok()?;
    let part = Part { days: priced.remaining_days, of_days: priced.term_days };
    let held_until = held.then_some(first.reportable_from);
    Some(FrozenChange { upgrade: Some(priced), lines: vec![line], part, held_until, ..change })
}

fn lowering(deal: &Deal<'_>) -> Option<FrozenChange> {
    let first = deal.priced.first;
    let change = frozen(deal, ChangeKind::Lowering, fewest(deal))?;
    let lines = first.charged_lines(&change.next.lines).ok()?;
    let held_until = Some(first.reportable_from.saturating_add(Duration::HOUR));
    Some(FrozenChange { lines, part: first.part, held_until, ..change })
}

fn downgrade(deal: &Deal<'_>) -> Option<FrozenChange> {
    frozen(deal, ChangeKind::Downgrade, fewest(deal))
}

fn fewest(deal: &Deal<'_>) -> u32 {
    deal.purchase.plan.segments().first().map_or(1, |segment| segment.included)
}
