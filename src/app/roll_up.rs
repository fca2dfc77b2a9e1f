//! The job that keeps the figures of the console's pictures: every hour it counts anew, from subscriptions and ledger.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use time::{Date, Duration, OffsetDateTime};
use uuid::Uuid;

use super::{App, AppError, Step};
use crate::{
    domain::{
        money::{Amount, Currency, TooLarge},
        numbers::{Mark, Of, Tallies, Tally, Topic, month_of, tally, week_of},
        recurring::{MonthlyLevels, add_to_levels, months_in, rounded},
        time::{plus_days, utc_day},
    },
    store::{FeeGroup, JobKind, RenewalFees},
};

const EVERY: Duration = Duration::HOUR;
/// Purchases, trials and reports are counted for so long; the pictures show a year.
const LOOKS_BACK: Duration = Duration::days(400);

/// Runs one step.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn roll_up(app: &App) -> Result<Step, AppError> {
    let now = app.clock.now();
    let today = utc_day(now);
    let tallies = count(app, now).await?;
    let periods = BTreeSet::from([month_of(today), week_of(today)]);
    let tx = app.store.begin().await?;
    tx.replace_rolled_up(&tallies, &periods, now).await?;
    tx.commit().await?;
    Ok(Step::Again(EVERY))
}

/// Asks for a step now; it goes on every hour.
///
/// # Errors
/// [`AppError::Store`].
pub async fn schedule_roll_up(app: &App) -> Result<(), AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    tx.schedule_job(JobKind::RollUp, Uuid::nil(), now, now).await?;
    Ok(tx.commit().await?)
}

async fn count(app: &App, now: OffsetDateTime) -> Result<Tallies, AppError> {
    let since = now - LOOKS_BACK;
    let mut tallies = Tallies::new();
    app.store.tally_segments(now, &mut tallies).await?;
    app.store.tally_purchases(since, &mut tallies).await?;
    app.store.tally_trials(since, &mut tallies).await?;
    app.store.tally_grants(now, &mut tallies).await?;
    app.store.tally_renewals(&mut tallies).await?;
    app.store.tally_charges((since, now), &mut tallies).await?;
    let (mut revenue, mut renewals) = (Revenue::default(), Renewals::default());
    // An error of a sum is told when all groups are read: the store does not know of sums.
    let mut sums = Ok(());
    app.store.each_fee_group(|group| sums = sums.and_then(|()| revenue.add(group, utc_day(now)))).await?;
    app.store.each_renewal_fees(|fees| sums = sums.and_then(|()| renewals.add(&fees))).await?;
    let planned = app.store.list_planned_totals().await?;
    sums.and_then(|()| revenue.tally(utc_day(now), &mut tallies))
        .and_then(|()| renewals.tally(&planned, &mut tallies))
        .map_err(|_: TooLarge| AppError::Internal("a sum of the ledger is too large for the roll-up".to_owned()))?;
    Ok(tallies)
}

/// What the fees are worth a month, by offer and currency.
#[derive(Default)]
struct Revenue(BTreeMap<(String, String), (MonthlyLevels, i64)>);

impl Revenue {
    fn add(&mut self, group: FeeGroup, today: Date) -> Result<(), TooLarge> {
        let (levels, subscriptions) = self.0.entry((group.offer_id, group.currency)).or_default();
        // How many subscriptions are behind it is asked of the present month alone.
        if group.fees.count_on(today) {
            *subscriptions += group.subscriptions;
        }
        add_to_levels(levels, &group.fees, today)
    }

    fn tally(self, today: Date, tallies: &mut Tallies) -> Result<(), TooLarge> {
        for ((offer_id, currency), (levels, count)) in self.0 {
            let Ok(known) = currency.parse::<Currency>() else { continue };
            let of = |period| of_direct(Topic::Revenue, period, &offer_id, &currency);
            for (month, level) in levels {
                let amount_minor = Some(rounded(level, known)?.minor);
                tally(tallies, of(month), Tally { amount_minor, ..Tally::default() });
            }
            if count > 0 {
                tally(tallies, of(month_of(today)), Tally { count, ..Tally::default() });
            }
        }
        Ok(())
    }
}

/// What the renewals will bring at the prices of the current terms, and what planned downgrades take away.
#[derive(Default)]
struct Renewals {
    sums: BTreeMap<Of, Decimal>,
    /// What a subscription with a planned downgrade costs before it.
    before: BTreeMap<Uuid, (Of, Decimal)>,
}

impl Renewals {
    fn add(&mut self, group: &RenewalFees) -> Result<(), TooLarge> {
        if months_in(group.fees.part.of_days) <= 1 {
            return Ok(());
        }
        let renewal = plus_days(group.fees.last_day(), 1);
        let of = of_direct(Topic::Renewal, month_of(renewal), &group.offer_id, &group.currency);
        let fee = group.fees.of_term()?;
        if let Some(id) = group.planned {
            let of = Of { topic: Topic::Downgrade, ..of.clone() };
            let (_, before) = self.before.entry(id).or_insert((of, Decimal::ZERO));
            *before = before.checked_add(fee).ok_or(TooLarge)?;
        }
        let sum = self.sums.entry(of).or_default();
        *sum = sum.checked_add(fee).ok_or(TooLarge)?;
        Ok(())
    }

    fn tally(mut self, planned: &BTreeMap<Uuid, Amount>, tallies: &mut Tallies) -> Result<(), TooLarge> {
        for (id, (of, before)) in self.before {
            let Some(after) = planned.get(&id).filter(|after| after.currency.code() == of.currency) else { continue };
            let taken = before.checked_sub(after.value()).ok_or(TooLarge)?.max(Decimal::ZERO);
            let sum = self.sums.entry(of).or_default();
            *sum = sum.checked_add(taken).ok_or(TooLarge)?;
        }
        for (of, sum) in self.sums {
            let Ok(currency) = of.currency.parse::<Currency>() else { continue };
            let amount_minor = Some(rounded(sum, currency)?.minor);
            tally(tallies, of, Tally { amount_minor, ..Tally::default() });
        }
        Ok(())
    }
}

fn of_direct(topic: Topic, period: String, offer_id: &str, currency: &str) -> Of {
    let (offer_id, currency) = (offer_id.to_owned(), currency.to_owned());
    Of { topic, period, offer_id, item: String::new(), currency, mark: Mark::Direct }
}
