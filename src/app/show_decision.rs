//! What people need to see before they decide about a charge: the charge with its history, Microsoft's sums around its
//! hour, what can be decided, and what somebody has proposed.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use time::{Date, Duration};
use uuid::Uuid;

use super::{App, AppError, explain_charges, resolve_charge::possible_decisions};
use crate::{
    domain::{
        approval::Proposal,
        charge::State,
        credit::{CreditRefused, Creditable, Credited},
        decision::Decision,
        explanation::ExplainedCharge,
        subscription::Subscription,
        time::utc_day,
    },
    store::StoreError,
};

/// A day's sums in one dimension, over all plans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DaySums {
    /// What the ledger has as accepted.
    pub ours: Decimal,
    /// What the ledger is not sure of.
    pub unsure: Decimal,
    /// What Microsoft shows.
    pub theirs: Decimal,
}

/// A charge that somebody may have to decide about.
#[derive(Debug)]
pub struct DecisionCase {
    /// Its subscription.
    pub subscription: Subscription,
    /// The charge.
    pub charge: ExplainedCharge,
    /// What can be decided now.
    pub possible: Vec<Decision>,
    /// What of it can be credited, in the measure of the deal; or why nothing can.
    pub creditable: Result<Credited, CreditRefused>,
    /// The day before its hour, the day, and the day after; or why the sums cannot be had.
    pub sums: Result<BTreeMap<Date, DaySums>, String>,
    /// What is proposed, and waits for a second person.
    pub proposal: Option<Proposal>,
}

/// Gathers it. Microsoft is asked for its sums.
///
/// # Errors
/// [`AppError::Store`]; no charge is [`StoreError::NotFound`].
pub async fn show_decision(app: &App, charge_id: Uuid) -> Result<DecisionCase, AppError> {
    let missing = || StoreError::NotFound { table: "charge", id: charge_id.to_string() };
    let (id, _) = app.store.find_charge(charge_id).await?.ok_or_else(missing)?;
    let subscription = app.store.find_subscription(id).await?.ok_or_else(missing)?;
    let charges = app.store.list_charges(id).await?;
    let explanation = explain_charges(app, &subscription, &charges, None).await?;
    let mut explained = explanation.months.into_iter().flat_map(|month| month.charges);
    let charge = explained.find(|one| one.id == charge_id).ok_or_else(missing)?;
    let line = charges.iter().find(|one| one.id == charge_id).ok_or_else(missing)?;
    let possible = possible_decisions(app, &subscription, line).await?;
    let credits = app.store.list_credits(id).await?;
    let (is_resold, is_test) = (subscription.microsoft.is_reseller_deal(), subscription.microsoft.is_test);
    let creditable = Creditable { charge: line, credits: &credits, is_resold, is_test }.left();
    let sums = find_sums(app, id, &charge).await?;
    let proposal = app.store.find_open_proposal(charge_id, app.clock.now()).await?;
    Ok(DecisionCase { subscription, charge, possible, creditable, sums, proposal })
}

async fn find_sums(
    app: &App,
    id: Uuid,
    charge: &ExplainedCharge,
) -> Result<Result<BTreeMap<Date, DaySums>, String>, AppError> {
    let Some(slot) = charge.slot else { return Ok(Err("it has never been sent".to_owned())) };
    let day = utc_day(slot.hour);
    let first = day.saturating_sub(Duration::DAY);
    let answer = match app.marketplace.list_usage(first).await {
        Ok(answer) => answer.value,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let mut sums: BTreeMap<Date, DaySums> = BTreeMap::new();
    for day in [first, day, day.saturating_add(Duration::DAY)] {
        sums.insert(day, DaySums::default());
    }
    for row in answer.iter().filter(|row| row.resource_id == Some(id) && row.dimension == charge.dimension) {
        if let Some(sum) = sums.get_mut(&row.day) {
            sum.theirs = sum.theirs.saturating_add(row.submitted);
        }
    }
    for told in app.store.list_told_usage(&[id], first).await? {
        let Some(sum) = sums.get_mut(&told.place.day).filter(|_| told.place.dimension == charge.dimension) else {
            continue;
        };
        let part = if told.state == State::Accepted { &mut sum.ours } else { &mut sum.unsure };
        *part = part.saturating_add(told.quantity.value());
    }
    Ok(Ok(sums))
}
