//! The service at work, as the database tells of it.

use time::Duration;

use super::{Check, Mend, Round, Verdict, Whose};
use crate::{
    app::list_waiting::WARNED_BEFORE,
    clock::SharedClock,
    store::{Result, Store, SubscriptionFilter, WebhookFilter},
};

/// Somebody runs the jobs.
pub static ALIVE: Check = Check {
    id: "work.alive",
    is_well_when: "no job has been due for ten minutes: somebody runs them",
    needs: GROUND,
    mends: &[&START],
};

/// No job has given up.
pub static DEAD: Check =
    Check { id: "work.dead_jobs", is_well_when: "no job has given up", needs: GROUND, mends: &[&RUN_AGAIN] };

/// The reporter is free.
pub static REPORTER: Check =
    Check { id: "work.reporter", is_well_when: "the reporter is not locked", needs: GROUND, mends: &[&UNLOCK] };

/// Microsoft's webhooks arrive.
pub static WEBHOOKS: Check = Check {
    id: "work.webhooks",
    is_well_when: "webhooks have come, where Microsoft must have sent some",
    needs: GROUND,
    mends: &[&ENTER],
};

/// No API key ends soon.
pub static API_KEYS: Check =
    Check { id: "work.api_keys", is_well_when: "no API key expires within 30 days", needs: GROUND, mends: &[&RENEW] };

const GROUND: &[&str] = &["database.reachable", "database.schema", "clock.moved"];

static START: Mend = Mend {
    whose: Whose::Operations,
    does: "Start seatkey work beside seatkey serve --no-workers, or serve without that flag, and read its log if it runs.",
};
static RUN_AGAIN: Mend = Mend {
    whose: Whose::Operations,
    does: "Mend what the job names as its reason, then let it run again on the page “Jobs” of the console.",
};
static UNLOCK: Mend = Mend {
    whose: Whose::Operations,
    does: "Read why it is locked, then run seatkey restore finish; until then nothing is reported to Microsoft.",
};
static ENTER: Mend = Mend {
    whose: Whose::PartnerCenter,
    does: "Enter <public_url>/webhook as “Connection webhook” on the page “Technical configuration” of every offer, and publish it.",
};
static RENEW: Mend = Mend {
    whose: Whose::Operations,
    does: "Make a new key with seatkey api-key create, give it to whoever uses this one, and revoke this one.",
};

/// The runner looks four times a second, and a lease is over after a minute.
const LATE: Duration = Duration::minutes(10);

/// Makes these checks.
pub async fn look(round: &mut Round<'_>, store: &Store, clock: &SharedClock) {
    round.look(&ALIVE, of(alive(store, clock))).await;
    round.look(&DEAD, of(dead(store))).await;
    round.look(&REPORTER, of(reporter(store))).await;
    look_at_webhooks(round, store).await;
    round.look(&API_KEYS, of(api_keys(store, clock))).await;
}

/// Makes the one that the console does not tell otherwise.
pub async fn look_at_webhooks(round: &mut Round<'_>, store: &Store) {
    round.look(&WEBHOOKS, of(webhooks(store))).await;
}

async fn of(verdict: impl Future<Output = Result<Verdict>>) -> Verdict {
    verdict.await.unwrap_or_else(|error| Verdict::NotChecked(error.to_string()))
}

async fn alive(store: &Store, clock: &SharedClock) -> Result<Verdict> {
    let now = clock.now();
    Ok(match store.find_oldest_ready_job(now).await? {
        Some(since) if now - since > LATE => {
            Verdict::Wrong(&START, format!("a job has been due for {} minutes", (now - since).whole_minutes()))
        }
        _ => Verdict::well("no job is late"),
    })
}

async fn dead(store: &Store) -> Result<Verdict> {
    let dead = store.list_dead_jobs(1).await?;
    let Some(first) = dead.first() else { return Ok(Verdict::well("no job has given up")) };
    let count = store.count_dead_jobs().await?;
    let reason = first.last_error.as_deref().unwrap_or("it gave no reason");
    Ok(Verdict::Warning(&RUN_AGAIN, format!("given up: {count}, the first is {}: {reason}", first.kind)))
}

async fn reporter(store: &Store) -> Result<Verdict> {
    Ok(match store.get_reporter().await?.lock {
        Some((since, reason)) => Verdict::Wrong(&UNLOCK, format!("locked since {since}: {reason}")),
        None => Verdict::well("it is free"),
    })
}

/// A suspension and an end are Microsoft's to tell: whoever knows of one and never had a webhook gets none.
async fn webhooks(store: &Store) -> Result<Verdict> {
    let newest = store.list_newest_webhooks(WebhookFilter::default(), None, 1).await?;
    if let Some(last) = newest.first() {
        let saw = format!("the last one came at {} ({}), with a token that was good", last.received_at, last.action);
        return Ok(Verdict::Well(saw));
    }
    for stage in ["suspended", "ended"] {
        let filter = SubscriptionFilter { stage: Some(stage), ..SubscriptionFilter::default() };
        if let Some(one) = store.list_subscriptions(filter, None, 1).await?.first() {
            let saw = format!("the subscription {} is {stage}, and no webhook has ever come", one.microsoft.id);
            return Ok(Verdict::Warning(&ENTER, saw));
        }
    }
    Ok(Verdict::well("none has come yet, and none was due"))
}

async fn api_keys(store: &Store, clock: &SharedClock) -> Result<Verdict> {
    let now = clock.now();
    let ending = store.list_expiring_api_keys((now, now + WARNED_BEFORE)).await?;
    Ok(match ending.first() {
        Some(key) => Verdict::Warning(&RENEW, format!("“{}” expires on {}", key.name, key.expires_at.date())),
        None => Verdict::well("none expires within 30 days"),
    })
}
