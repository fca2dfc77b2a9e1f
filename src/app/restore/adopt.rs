//! What Microsoft's sums prove is adopted; what may be part of a sum waits for a person.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::{Look, Named, RestoreReport, note};
use crate::{
    app::{
        AppError,
        check_usage::{FOREIGN, explained, foreign_finding},
        late_usage::{late_candidate, list_unplaced},
    },
    domain::{
        charge::{Charge, State},
        restore::{Adoption, Candidate, decide_adoption, earliest_day, may_be_in_other_figures},
        subscription::Subscription,
        usage_net::net_excess,
        usage_sums::{Place, Sums},
    },
    store::{AdoptedUsage, Finding, JobKind, Settled, ToldUsage, Tx},
};

const HAS_IT: &str = "Microsoft has it (restore)";

/// Compares one subscription.
pub(super) async fn adopt(look: &Look<'_>, report: &mut RestoreReport) -> Result<(), AppError> {
    let tx = look.app.store.begin().await?;
    let subscription = tx.get_subscription(look.id).await?;
    let charges = tx.list_charges(look.id).await?;
    let told = tx.list_told_usage(&[look.id], look.since).await?;
    let known = tx.list_adopted_usage(&[look.id], look.since).await?;
    // What is not settled is looked for in what these leave over.
    let counts = |state| matches!(state, State::Accepted | State::Conflict);
    let explained = explained(&told, &known, counts).remove(&look.id).unwrap_or_default();
    let excess = net_excess(look.microsoft, &explained);
    if excess.is_empty() {
        close_explained(&tx, look, &Sums::new()).await?;
        return Ok(tx.commit().await?);
    }
    let told: HashMap<Uuid, ToldUsage> = told.into_iter().map(|event| (event.charge_id, event)).collect();
    let mut candidates = candidates(&subscription, &charges, &told);
    let unplaced = list_unplaced(&tx, look.id, &charges).await?;
    candidates.extend(unplaced.map(|charge| late_candidate(&subscription, charge)));
    let adoption = decide_adoption(&excess, &candidates);
    let by_id: BTreeMap<Uuid, &Charge> = charges.iter().map(|charge| (charge.id, charge)).collect();
    take_over(&tx, look, (&adoption, &by_id, &told), report).await?;
    set_aside(&tx, look, (&adoption, &by_id, &told), report).await?;
    acknowledge(&tx, look, &adoption.foreign, report).await?;
    close_explained(&tx, look, &adoption.foreign).await?;
    set_aside_what_it_may_be(&tx, look, (&adoption, &charges), report).await?;
    Ok(tx.commit().await?)
}

fn candidates(subscription: &Subscription, charges: &[Charge], told: &HashMap<Uuid, ToldUsage>) -> Vec<Candidate> {
    let open = charges.iter().filter(|charge| charge.state.is_open() && charge.state != State::Conflict);
    let candidate = |charge: &Charge| Candidate {
        charge_id: charge.id,
        dimension: charge.dimension.clone(),
        plan_id: charge.plan_id.clone().unwrap_or_else(|| subscription.microsoft.plan_id.clone()),
        quantity: charge.quantity,
        earliest: earliest_day(charge),
        latest: None,
        told_on: told.get(&charge.id).map(|event| event.place.day),
    };
    open.map(candidate).collect()
}

type Found<'a> = (&'a Adoption, &'a BTreeMap<Uuid, &'a Charge>, &'a HashMap<Uuid, ToldUsage>);

async fn take_over(
    tx: &Tx,
    look: &Look<'_>,
    (adoption, charges, told): Found<'_>,
    report: &mut RestoreReport,
) -> Result<(), AppError> {
    let now = look.restored.now;
    let mut ids = Vec::new();
    for (id, place) in &adoption.adopted {
        let Some(charge) = charges.get(id) else { continue };
        let event = told.get(id);
        if charge.state != State::Accepted {
            tx.move_charges(&[*id], (charge.state, State::Accepted), HAS_IT, now).await?;
        }
        tx.resolve_charge_findings(look.id, *id, now).await?;
        // An event of the same day explains it by itself from now on.
        if event.is_none_or(|event| event.place != *place) {
            adopt_part(tx, look, place, (charge.quantity.value(), id.to_string(), HAS_IT)).await?;
        }
        ids.push(*id);
        report.adopted.push(Named::charge(look.id, charge));
    }
    close_events(tx, look, told, &ids, HAS_IT).await?;
    if !ids.is_empty() {
        tx.schedule_job(JobKind::IssueKey, look.id, now, now).await?;
    }
    note(tx, look, "charges_adopted", &ids);
    Ok(())
}

/// Charges that may be part of a sum are frozen. The sum itself is known from now on: a person decides what it is of.
async fn set_aside(
    tx: &Tx,
    look: &Look<'_>,
    (adoption, charges, told): Found<'_>,
    report: &mut RestoreReport,
) -> Result<(), AppError> {
    let mut sums = String::new();
    for (place, sum) in &adoption.undecided_sums {
        let cause = format!("undecided/{}", look.microsoft.get(place).copied().unwrap_or_default());
        adopt_part(tx, look, place, (*sum, cause, "a person decides which charges it is of")).await?;
        sums.push_str(&format!("{sum} of {} on {}; ", place.dimension, place.day));
    }
    let undecided = adoption.undecided.iter().filter_map(|id| charges.get(id).copied());
    let undecided: Vec<&Charge> = undecided.filter(|charge| charge.state != State::Accepted).collect();
    let why = format!("Microsoft has {sums}and it cannot be told whether this charge is part of it");
    let frozen = freeze(tx, look, &undecided, &why).await?;
    close_events(tx, look, told, &frozen, "it waits for a person").await?;
    report.frozen.extend(undecided.iter().map(|charge| Named::charge(look.id, charge)));
    Ok(())
}

/// Charges wait for a person; those that do already stay as they are. Gives those that were moved.
pub(super) async fn freeze(tx: &Tx, look: &Look<'_>, charges: &[&Charge], why: &str) -> Result<Vec<Uuid>, AppError> {
    let now = look.restored.now;
    let mut frozen = Vec::new();
    for charge in charges {
        if !matches!(charge.state, State::Held | State::Due | State::Sending) {
            continue;
        }
        let moved = tx.move_charges(&[charge.id], (charge.state, State::Frozen), "restore: not decided", now).await?;
        if moved.is_empty() {
            continue;
        }
        frozen.push(charge.id);
        let detail = format!(
            "{}, {} of {}: {why}. Say whether Microsoft has it (`seatkey ledger resolve`)",
            charge.description, charge.quantity, charge.dimension
        );
        let cause = format!("{}/{now}", charge.id);
        let kind = "charge_frozen".to_owned();
        let finding = Finding { subscription_id: look.id, kind, cause, detail, found_at: now };
        tx.record_finding(&finding).await?;
    }
    note(tx, look, "charges_frozen", &frozen);
    Ok(frozen)
}

/// What is settled or waits for a person is not sent any more.
async fn close_events(
    tx: &Tx,
    look: &Look<'_>,
    told: &HashMap<Uuid, ToldUsage>,
    charge_ids: &[Uuid],
    answer: &str,
) -> Result<(), AppError> {
    let events = charge_ids.iter().filter_map(|id| told.get(id)).filter(|event| event.is_open);
    let answers: Vec<(Uuid, &str)> = events.map(|event| (event.id, answer)).collect();
    let settled = Settled { answers: &answers, owner: Uuid::nil(), again_at: None, in_doubt: false, is_proven: true };
    tx.settle_usage_events(settled, look.restored.now).await?;
    Ok(())
}

/// What the alarm called foreign, and is known by now.
async fn close_explained(tx: &Tx, look: &Look<'_>, foreign: &Sums) -> Result<(), AppError> {
    let now = look.restored.now;
    let still: Vec<String> =
        foreign.iter().map(|(place, more)| foreign_finding(look.id, place, *more, now).cause).collect();
    for finding in tx.list_findings(look.id).await? {
        // A cause begins with its day, as ISO text, which sorts.
        let is_known = *finding.cause >= *look.since.to_string() && !still.contains(&finding.cause);
        if finding.kind == FOREIGN && is_known {
            tx.resolve_finding(&finding, now).await?;
        }
    }
    Ok(())
}

/// What no charge can be is acknowledged by a person, or named.
async fn acknowledge(tx: &Tx, look: &Look<'_>, foreign: &Sums, report: &mut RestoreReport) -> Result<(), AppError> {
    for (place, more) in foreign {
        let finding = foreign_finding(look.id, place, *more, look.restored.now);
        let Some(reason) = look.options.accept_foreign else {
            tx.record_finding(&finding).await?;
            report.foreign.push(Named { subscription_id: look.id, charge_id: None, words: finding.detail });
            continue;
        };
        let cause = format!("acknowledged/{}", look.microsoft.get(place).copied().unwrap_or_default());
        adopt_part(tx, look, place, (*more, cause, reason)).await?;
        tx.resolve_finding(&finding, look.restored.now).await?;
        let detail = serde_json::json!({
            "day": place.day.to_string(), "dimension": place.dimension, "plan": place.plan_id,
            "quantity": more.to_string(), "reason": reason,
        });
        crate::app::converge::audit(tx, look.id, "operator", "foreign_usage_acknowledged", &detail, look.restored.now);
    }
    Ok(())
}

/// What is acknowledged may be a charge in the figures of the lost database, of which there is an open one here in others: a
/// person decides about that one.
async fn set_aside_what_it_may_be(
    tx: &Tx,
    look: &Look<'_>,
    (adoption, charges): (&Adoption, &[Charge]),
    report: &mut RestoreReport,
) -> Result<(), AppError> {
    if look.options.accept_foreign.is_none() {
        return Ok(());
    }
    let decided = |id: Uuid| adoption.undecided.contains(&id) || adoption.adopted.iter().any(|(other, _)| *other == id);
    for (place, sum) in &adoption.foreign {
        let may_be = |charge: &&Charge| !decided(charge.id) && may_be_in_other_figures(charge, place);
        let charges: Vec<&Charge> = charges.iter().filter(may_be).collect();
        let Place { day, dimension, plan_id } = place;
        let why = format!(
            "Microsoft has {sum} of {dimension} (plan {plan_id}) on {day} that was acknowledged, and it may be this charge              in the figures of the lost database (another number of users, or another plan)"
        );
        let frozen = freeze(tx, look, &charges, &why).await?;
        let frozen = charges.into_iter().filter(|charge| frozen.contains(&charge.id));
        report.frozen.extend(frozen.map(|charge| Named::charge(look.id, charge)));
    }
    Ok(())
}

async fn adopt_part(
    tx: &Tx,
    look: &Look<'_>,
    place: &Place,
    (quantity, cause, reason): (rust_decimal::Decimal, String, &str),
) -> Result<(), AppError> {
    let reason = reason.to_owned();
    let adopted = AdoptedUsage { subscription_id: look.id, place: place.clone(), quantity, cause, reason };
    Ok(tx.adopt_usage(&adopted, look.restored.now).await?)
}
