//! The daily comparison of the ledger with Microsoft's daily sums: what is missing, foreign, different, rejected or
//! mismatched becomes a finding with what to do; one that agrees later is over by itself. It tolerates the lag.

use std::collections::{BTreeMap, BTreeSet};

use time::{Date, Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    App, AppError, Step,
    check_usage::{AT_ONCE, FOREIGN, by_resource, explained, foreign_finding, may_be_there, minus_days, read_sums},
    late_usage::place_late,
};
use crate::{
    domain::{
        charge::State,
        restore::LAG,
        usage_net::net_excess,
        usage_sums::{Place, Sums, add, excess},
    },
    marketplace::{ReconStatus, UsageDay},
    store::{Finding, JobKind, Reporter, ToldUsage},
};

const EVERY: Duration = Duration::days(1);
/// Microsoft processes a day for up to two days; older ones change no more.
const LOOK_BACK_DAYS: u32 = 14;
const MISSING: &str = "usage_missing";
const DIFFERENT: &str = "usage_different";
const REJECTED: &str = "usage_rejected";
const MISMATCH: &str = "usage_mismatch";
const KINDS: [&str; 5] = [FOREIGN, MISSING, DIFFERENT, REJECTED, MISMATCH];

/// The job.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn reconcile_usage(app: &App) -> Result<Step, AppError> {
    let now = app.clock.now();
    let since = minus_days(now, LOOK_BACK_DAYS);
    let rows = read_sums(app, since).await?;
    let microsoft = by_resource(&rows);
    let mut ids: BTreeSet<Uuid> = microsoft.keys().copied().collect();
    let mut after = None;
    loop {
        let page = app.store.list_told_subscriptions(since, after, AT_ONCE as u64).await?;
        let Some(last) = page.last() else { break };
        after = Some(*last);
        ids.extend(page);
    }
    let mut by_id: BTreeMap<Uuid, Vec<&UsageDay>> = BTreeMap::new();
    for row in &rows {
        by_id.entry(row.resource_id.unwrap_or_default()).or_default().push(row);
    }
    let ids: Vec<Uuid> = ids.into_iter().collect();
    for chunk in ids.chunks(AT_ONCE) {
        compare(app, chunk, (&microsoft, &by_id), (since, now)).await?;
    }
    let tx = app.store.begin().await?;
    tx.note_reporter(&Reporter { reconciled_at: Some(now), ..Reporter::default() }).await?;
    tx.commit().await?;
    Ok(Step::Again(EVERY))
}

async fn compare(
    app: &App,
    ids: &[Uuid],
    (microsoft, rows): (&BTreeMap<Uuid, Sums>, &BTreeMap<Uuid, Vec<&UsageDay>>),
    (since, now): (Date, OffsetDateTime),
) -> Result<(), AppError> {
    let known = app.store.list_subscriptions_by_id(ids.iter().copied()).await?;
    let told = app.store.list_told_usage(ids, since).await?;
    let adopted = app.store.list_adopted_usage(ids, since).await?;
    let explained = explained(&told, &adopted, may_be_there);
    let nothing = Sums::new();
    for subscription in known.iter().filter(|one| !one.microsoft.is_test) {
        let id = subscription.microsoft.id;
        let theirs = microsoft.get(&id).unwrap_or(&nothing);
        let ours = explained.get(&id).unwrap_or(&nothing);
        let shown = shown_by_now(&told, id, now);
        let foreign = place_late(app, id, net_excess(theirs, ours), now).await?;
        let mut found = differences(id, theirs, (&foreign, &shown), now);
        found.extend(rows.get(&id).into_iter().flatten().filter_map(|row| judged(id, row, now)));
        write(app, id, &found, (since, now)).await?;
    }
    Ok(())
}

/// What was accepted so long ago that the sums have to show it.
fn shown_by_now(told: &[ToldUsage], id: Uuid, now: OffsetDateTime) -> Sums {
    let mut sums = Sums::new();
    let old = |event: &&ToldUsage| event.subscription_id == id && event.since + LAG <= now;
    for event in told.iter().filter(old).filter(|event| event.state == State::Accepted) {
        add(&mut sums, event.place.clone(), event.quantity.value());
    }
    sums
}

fn differences(id: Uuid, theirs: &Sums, (foreign, shown): (&Sums, &Sums), now: OffsetDateTime) -> Vec<Finding> {
    let missing = net_excess(shown, theirs);
    let mut found = Vec::new();
    for (place, less) in &excess(shown, theirs) {
        // It is all there, under another plan.
        let Some(less) = missing.get(place) else {
            let detail = format!(
                "Microsoft has {less} of {} on {} under another plan than {}. See to it that the customer pays the right \
                 price; the ledger has it under the plan that it was told under",
                place.dimension, place.day, place.plan_id
            );
            found.push(finding(id, DIFFERENT, place, detail, now));
            continue;
        };
        let detail = format!(
            "Microsoft accepted {less} of {} (plan {}) on {} and does not show it more than a day later. Ask Microsoft’s \
             support with the request ids of the ledger; do not report it again before they have answered",
            place.dimension, place.plan_id, place.day
        );
        found.push(finding(id, MISSING, place, detail, now));
    }
    found.extend(foreign.iter().map(|(place, more)| foreign_finding(id, place, *more, now)));
    found
}

/// What Microsoft says of a day.
fn judged(id: Uuid, row: &UsageDay, now: OffsetDateTime) -> Option<Finding> {
    let place = Place { day: row.day, dimension: row.dimension.clone(), plan_id: row.plan_id.clone() };
    let UsageDay { submitted, processed, dimension, day, .. } = row;
    let (kind, detail) = match row.recon_status {
        ReconStatus::Rejected => (
            REJECTED,
            format!(
                "Microsoft rejects {submitted} of {dimension} on {day}: it is not billed. Ask Microsoft’s support why"
            ),
        ),
        ReconStatus::Mismatch | ReconStatus::Accepted if processed != submitted => (
            MISMATCH,
            format!(
                "Microsoft bills {processed} of {dimension} on {day}, and {submitted} was reported. Ask Microsoft’s support"
            ),
        ),
        _ => return None,
    };
    Some(finding(id, kind, &place, detail, now))
}

fn finding(subscription_id: Uuid, kind: &str, place: &Place, detail: String, found_at: OffsetDateTime) -> Finding {
    let cause = format!("{}/{}/{}", place.day, place.dimension, place.plan_id);
    Finding { subscription_id, kind: kind.to_owned(), cause, detail, found_at }
}

/// Writes what is new, and ends what agrees by now.
async fn write(app: &App, id: Uuid, found: &[Finding], (since, now): (Date, OffsetDateTime)) -> Result<(), AppError> {
    let open = app.store.list_findings(id).await?;
    // A cause begins with its day, as ISO text, which sorts.
    let looked_at = |one: &&Finding| KINDS.contains(&one.kind.as_str()) && *one.cause >= *since.to_string();
    let still = |one: &&Finding| found.iter().any(|new| (&new.kind, &new.cause) == (&one.kind, &one.cause));
    let over: Vec<&Finding> = open.iter().filter(looked_at).filter(|one| !still(one)).collect();
    if found.is_empty() && over.is_empty() {
        return Ok(());
    }
    let tx = app.store.begin().await?;
    for one in found {
        tx.record_finding(one).await?;
    }
    for one in over {
        tx.resolve_finding(one, now).await?;
    }
    Ok(tx.commit().await?)
}

/// Asks for a comparison now; it goes on every day.
///
/// # Errors
/// [`AppError::Store`].
pub async fn schedule_usage_reconciliation(app: &App) -> Result<(), AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    tx.schedule_job(JobKind::ReconcileUsage, Uuid::nil(), now, now).await?;
    Ok(tx.commit().await?)
}
