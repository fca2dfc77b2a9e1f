//! Whether Microsoft has usage that the ledger does not know of: a database was set back, or somebody else reports for the
//! offer. Then the reporter is locked before anything is told twice (`product.md` §4, *Reporting*; after a restore).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
};

use time::{Date, Duration, OffsetDateTime};
use uuid::Uuid;

use super::{App, AppError, converge::audit, late_usage::place_late, open_purchase::note_credential};
use crate::{
    domain::{
        charge::State,
        time::utc_day,
        usage_net::net_excess,
        usage_sums::{Place, Sums, add},
    },
    marketplace::{ReconStatus, UsageDay},
    store::{AdoptedUsage, Finding, Reporter, ToldUsage},
};

/// How often it is looked.
const EVERY: Duration = Duration::hours(1);
/// A database that nobody ever checked is looked at from so many days back.
const FIRST_LOOK_DAYS: u32 = 7;
/// A day is over for good after so many days: its last hour is taken for a day, and its sum lags for another one.
const SETTLED_AFTER_DAYS: u32 = 3;
/// So many subscriptions are compared at once.
pub(super) const AT_ONCE: usize = 500;
/// The kind of finding: usage that nobody here knows of.
pub(super) const FOREIGN: &str = "usage_foreign";

/// Whether this process has looked.
#[derive(Debug, Default)]
pub struct HasChecked(AtomicBool);

/// Whether the reporter may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// Microsoft has nothing that the ledger does not know, as far as it can be told now.
    MaySend,
    /// Not now.
    MustWait,
}

/// Looks, when this process has not looked yet or the last look is an hour ago.
pub(super) async fn check_usage(app: &App) -> Result<Check, AppError> {
    let now = app.clock.now();
    let reporter = app.store.get_reporter().await?;
    // A database that was set back has an old time here.
    let is_fresh = reporter.checked_at.is_some_and(|at| now - at < EVERY);
    let has_checked = app.has_checked.0.load(Ordering::SeqCst);
    if has_checked && is_fresh {
        return Ok(Check::MaySend);
    }
    let since = since(&reporter, now);
    let days = match read_sums(app, since).await {
        Ok(days) => days,
        Err(AppError::Marketplace(error)) => {
            let may_send = (has_checked || is_fresh) && error.is_retryable();
            tracing::error!(%error, may_send, "Microsoft's daily sums of the usage cannot be read; it is tried again");
            return Ok(if may_send { Check::MaySend } else { Check::MustWait });
        }
        Err(error) => return Err(error),
    };
    let foreign = find_foreign(app, &days, since, now).await?;
    if foreign.is_empty() {
        note_checked(app, since, now).await?;
        app.has_checked.0.store(true, Ordering::SeqCst);
        return Ok(Check::MaySend);
    }
    lock(app, &foreign, now).await?;
    Ok(Check::MustWait)
}

/// From which day on sums are compared.
pub(super) fn since(reporter: &Reporter, now: OffsetDateTime) -> Date {
    reporter.confirmed_day.unwrap_or_else(|| minus_days(now, FIRST_LOOK_DAYS))
}

pub(super) fn minus_days(now: OffsetDateTime, days: u32) -> Date {
    utc_day(now.saturating_sub(Duration::days(days.into())))
}

/// Microsoft's sums from a day on. Tests are left out: they are billed to nobody.
pub(super) async fn read_sums(app: &App, since: Date) -> Result<Vec<UsageDay>, AppError> {
    let answer = app.marketplace.list_usage(since).await;
    note_credential(app, answer.as_ref().err());
    let mut days = answer?.value;
    days.retain(|row| !matches!(row.recon_status, ReconStatus::DryRun | ReconStatus::TestHeaders));
    Ok(days)
}

/// The sums of each resource.
pub(super) fn by_resource(days: &[UsageDay]) -> BTreeMap<Uuid, Sums> {
    let mut all: BTreeMap<Uuid, Sums> = BTreeMap::new();
    for row in days {
        // Usage of a managed application is none of ours.
        let Some(id) = row.resource_id else { continue };
        let place = Place { day: row.day, dimension: row.dimension.clone(), plan_id: row.plan_id.clone() };
        add(all.entry(id).or_default(), place, row.submitted);
    }
    all
}

/// Whether Microsoft may have a charge's event.
pub(super) fn may_be_there(state: State) -> bool {
    matches!(state, State::Sending | State::Accepted | State::Unknown | State::Conflict)
}

/// What the ledger can explain, by resource.
pub(super) fn explained(
    told: &[ToldUsage],
    adopted: &[AdoptedUsage],
    counts: impl Fn(State) -> bool,
) -> BTreeMap<Uuid, Sums> {
    let mut all: BTreeMap<Uuid, Sums> = BTreeMap::new();
    for event in told.iter().filter(|event| counts(event.state)) {
        add(all.entry(event.subscription_id).or_default(), event.place.clone(), event.quantity.value());
    }
    for one in adopted {
        add(all.entry(one.subscription_id).or_default(), one.place.clone(), one.quantity);
    }
    all
}

/// Usage of a known subscription that nothing in the ledger explains.
async fn find_foreign(
    app: &App,
    days: &[UsageDay],
    since: Date,
    now: OffsetDateTime,
) -> Result<BTreeMap<Uuid, Sums>, AppError> {
    let microsoft = by_resource(days);
    let ids: Vec<Uuid> = microsoft.keys().copied().collect();
    let mut foreign = BTreeMap::new();
    let mut strangers = 0_usize;
    for chunk in ids.chunks(AT_ONCE) {
        let known = app.store.list_subscriptions_by_id(chunk.iter().copied()).await?;
        strangers += chunk.len() - known.len();
        let known: BTreeSet<Uuid> =
            known.into_iter().filter(|one| !one.microsoft.is_test).map(|one| one.microsoft.id).collect();
        // Read after Microsoft's sums: whatever they have was written down before.
        let told = app.store.list_told_usage(chunk, since).await?;
        let adopted = app.store.list_adopted_usage(chunk, since).await?;
        let explained = explained(&told, &adopted, may_be_there);
        for id in known {
            let nothing = Sums::new();
            let theirs = microsoft.get(&id).unwrap_or(&nothing);
            let more = net_excess(theirs, explained.get(&id).unwrap_or(&nothing));
            let more = place_late(app, id, more, now).await?;
            if !more.is_empty() {
                foreign.insert(id, more);
            }
        }
    }
    if strangers > 0 {
        tracing::info!(strangers, "Microsoft has usage of subscriptions that are not ours");
    }
    Ok(foreign)
}

async fn note_checked(app: &App, since: Date, now: OffsetDateTime) -> Result<(), AppError> {
    let settled = minus_days(now, SETTLED_AFTER_DAYS);
    let tx = app.store.begin().await?;
    let noted = Reporter { checked_at: Some(now), confirmed_day: Some(settled.max(since)), ..Reporter::default() };
    tx.note_reporter(&noted).await?;
    Ok(tx.commit().await?)
}

async fn lock(app: &App, foreign: &BTreeMap<Uuid, Sums>, now: OffsetDateTime) -> Result<(), AppError> {
    let sums: usize = foreign.values().map(Sums::len).sum();
    let reason = format!(
        "Microsoft has usage that the ledger does not know of: {sums} daily sums of {} subscriptions",
        foreign.len()
    );
    for (id, sums) in foreign {
        let tx = app.store.begin().await?;
        // The first one locks, so that nothing is sent while the others are written down.
        tx.lock_reporter(&reason, now).await?;
        for (place, more) in sums {
            tx.record_finding(&foreign_finding(*id, place, *more, now)).await?;
        }
        audit(&tx, *id, "seatkey", "reporter_locked", &serde_json::json!({ "sums": sums.len() }), now);
        tx.commit().await?;
    }
    tracing::error!(reason, "nothing is reported any more, until `seatkey restore finish`");
    Ok(())
}

/// What a person reads of usage that nobody here knows of.
pub(super) fn foreign_finding(
    subscription_id: Uuid,
    place: &Place,
    more: rust_decimal::Decimal,
    now: OffsetDateTime,
) -> Finding {
    let Place { day, dimension, plan_id } = place;
    Finding {
        subscription_id,
        kind: FOREIGN.to_owned(),
        cause: format!("{day}/{dimension}/{plan_id}"),
        detail: format!(
            "Microsoft has {more} of {dimension} (plan {plan_id}) on {day} that no charge explains. Either the database was \
             set back (`seatkey restore begin`, then `restore finish`), or somebody else reports for this offer: find out \
             who, then acknowledge it (`seatkey restore finish --accept-foreign`)"
        ),
        found_at: now,
    }
}
