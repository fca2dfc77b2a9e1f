//! What every picture is drawn from: the roll-up, the names of the offers, and the periods that are shown.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use time::{Date, Duration};

use super::chart::Fill;
use crate::domain::{
    catalog::Catalog,
    money::{Amount, Currency},
    numbers::{Mark, Of, Tallies, Tally, Topic, month_of, week_of},
};

/// So many months and weeks are shown.
const PERIODS: i32 = 12;
/// So many offers have a colour of their own; the others share the last one.
pub(super) const COLOURS: [Fill; 3] = [Fill::FIRST, Fill::SECOND, Fill::THIRD];

/// The roll-up, ready to be looked up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) tallies: &'a Tallies,
    pub(super) catalog: &'a Catalog,
    pub(super) today: Date,
}

/// A period: as the roll-up has it, and as an axis says it.
#[derive(Debug, Clone)]
pub(super) struct Period {
    pub(super) key: String,
    pub(super) label: String,
    /// The same for a table.
    pub(super) name: String,
}

impl<'a> Ground<'a> {
    /// The figures of a topic, without those of tests.
    pub(super) fn of(&self, topic: Topic) -> impl Iterator<Item = (&'a Of, Tally)> {
        let all = self.tallies.iter().map(|(of, tally)| (of, *tally));
        all.filter(move |(of, _)| of.topic == topic && of.mark != Mark::Test)
    }

    /// What they add up to, as far as they are meant.
    pub(super) fn sum(&self, topic: Topic, is_meant: impl Fn(&Of) -> bool) -> Tally {
        self.of(topic).filter(|(of, _)| is_meant(of)).fold(Tally::default(), |sum, (_, tally)| sum.plus(tally))
    }

    /// The offer's name in the catalog.
    pub(super) fn offer_name(&self, id: &str) -> String {
        let offer = self.catalog.offers.iter().find(|offer| *offer.id == *id);
        offer.map_or_else(|| id.to_owned(), |offer| offer.name.to_string())
    }

    /// The offers of a topic, in the order of the catalog, those that it has not any more behind them.
    pub(super) fn offers(&self, topic: Topic) -> Vec<String> {
        let found: BTreeSet<&str> = self.of(topic).map(|(of, _)| of.offer_id.as_str()).collect();
        let place = |id: &str| self.catalog.offers.iter().position(|offer| *offer.id == *id).unwrap_or(usize::MAX);
        let mut offers: Vec<String> = found.into_iter().map(str::to_owned).collect();
        offers.sort_by_key(|id| place(id));
        offers
    }

    /// The currencies of a topic, that of most charges and subscriptions first.
    pub(super) fn currencies(&self, topic: Topic) -> Vec<Currency> {
        let mut counted = BTreeMap::<&str, (i64, i64)>::new();
        for (of, tally) in self.of(topic) {
            let (count, entries) = counted.entry(of.currency.as_str()).or_default();
            *count += tally.count;
            *entries += 1;
        }
        let mut known: Vec<(Currency, (i64, i64))> =
            counted.into_iter().filter_map(|(code, weight)| Some((code.parse().ok()?, weight))).collect();
        known.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
        known.into_iter().map(|(currency, _)| currency).collect()
    }

    /// The months up to the present one.
    pub(super) fn months(&self) -> Vec<Period> {
        months(self.today, 1 - PERIODS..1)
    }

    /// The present month and those to come, to the same month of the next year: what began in this one renews in that.
    pub(super) fn months_ahead(&self) -> Vec<Period> {
        months(self.today, 0..PERIODS + 1)
    }

    /// The weeks up to the present one.
    pub(super) fn weeks(&self) -> Vec<Period> {
        let day = |ago: i32| self.today.saturating_sub(Duration::weeks(ago.into()));
        let week = |ago: i32| {
            let key = week_of(day(ago));
            let label = key.split_once('-').map_or(key.as_str(), |(_, week)| week).replace("W0", "W");
            Period { name: format!("{label} {}", day(ago).to_iso_week_date().0), label, key }
        };
        (0..PERIODS).rev().map(week).collect()
    }
}

fn months(today: Date, which: Range<i32>) -> Vec<Period> {
    let first = which.start;
    let begun = i32::from(u8::from(today.month())) - 1 + today.year() * 12;
    let month = |index: i32| {
        let (year, number) = ((begun + index).div_euclid(12), (begun + index).rem_euclid(12) + 1);
        let month = u8::try_from(number).ok().and_then(|number| time::Month::try_from(number).ok())?;
        let day = Date::from_calendar_date(year, month, 1).ok()?;
        let short: String = month.to_string().chars().take(3).collect();
        let with_year = index == first || number == 1;
        let name = format!("{short} {year}");
        let label = if with_year { format!("{short} ’{:02}", year.rem_euclid(100)) } else { short };
        Some(Period { key: month_of(day), label, name })
    };
    which.filter_map(month).collect()
}

/// The amount, where there is one.
pub(super) fn minor(tally: Tally) -> i64 {
    tally.amount_minor.unwrap_or_default()
}

/// The figure without its currency, which stands beside it.
pub(super) fn plain(minor: i64, currency: Currency) -> String {
    crate::domain::money::grouped(&Amount { minor, currency }.to_string())
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::months;

    #[test]
    fn months_go_over_the_turn_of_the_year() {
        let told = |which| {
            let all: Vec<String> = months(date!(2026 - 03 - 12), which).into_iter().map(|one| one.label).collect();
            all.join(" ")
        };
        assert_eq!(told(-11..1), "Apr ’25 May Jun Jul Aug Sep Oct Nov Dec Jan ’26 Feb Mar");
        assert_eq!(told(0..13), "Mar ’26 Apr May Jun Jul Aug Sep Oct Nov Dec Jan ’27 Feb Mar");
    }
}
