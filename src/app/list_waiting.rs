//! What needs a person, each with its next step and its deadline.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{App, AppError};
use crate::{
    domain::{
        approval::Proposal,
        staff::Role,
        subscription::{MICROSOFT_DROPS_AFTER_DAYS, Stage, Subscription},
        trial_grant::{Standing, TrialGrant},
        usage::WINDOW,
    },
    store::{Finding, ListedJob},
};

/// So many of a kind are shown; the lists have all.
const AT_MOST: u64 = 200;
/// Purchases that nobody configures are shown after so long.
const FORGOTTEN_AFTER: Duration = Duration::days(1);

/// What kind of thing it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A finding, with its kind and its words.
    Finding(Finding),
    /// A job that has given up.
    Job(ListedJob),
    /// A trial that waits for a second person.
    Trial(Box<TrialGrant>),
    /// A proposal that waits for a second person, with who proposed it.
    Proposal(Proposal, String),
    /// A purchase that nobody has configured.
    Unconfigured,
    /// The reporter is locked, and why.
    Locked(String),
    /// A credential of ours is refused, and why.
    Credential(String),
}

/// Something that needs a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What it is.
    pub what: What,
    /// The subscription, where there is one.
    pub subscription: Option<(Uuid, String)>,
    /// Since when.
    pub since: Option<OffsetDateTime>,
    /// When it is too late, where there is such a time.
    pub deadline: Option<OffsetDateTime>,
    /// Who sees to it.
    pub role: Role,
}

/// How many things need a person, for the number in the console's head.
///
/// # Errors
/// [`AppError::Store`].
pub async fn count_waiting(app: &App) -> Result<u64, AppError> {
    let findings = app.store.count_findings().await?;
    let jobs = u64::try_from(app.store.count_dead_jobs().await?).unwrap_or_default();
    let proposals = app.store.count_open_proposals(app.clock.now()).await?;
    let trials = app.store.count_trial_grants(Standing::Proposed, app.clock.now()).await?;
    let locked = u64::from(app.store.get_reporter().await?.lock.is_some());
    Ok(findings + jobs + proposals + trials + locked + app.health.troubles().len() as u64)
}

/// All of it, the nearest deadline first.
///
/// # Errors
/// [`AppError::Store`].
pub async fn list_waiting(app: &App) -> Result<Vec<Waiting>, AppError> {
    let now = app.clock.now();
    let findings = app.store.list_open_findings(AT_MOST).await?;
    let jobs = app.store.list_dead_jobs(AT_MOST).await?;
    let mut known = app.store.list_unconfigured(now - FORGOTTEN_AFTER, AT_MOST).await?;
    let forgotten: Vec<Uuid> = known.iter().map(|one| one.microsoft.id).collect();
    let proposals = app.store.list_open_proposals(AT_MOST, now).await?;
    let ids = findings.iter().map(|finding| finding.subscription_id).chain(jobs.iter().map(|job| job.subject));
    let ids = ids.chain(proposals.iter().filter_map(|proposal| proposal.subscription_id));
    known.extend(app.store.list_subscriptions_by_id(ids).await?);
    let organisations = app.store.list_organisations(known.iter().map(|one| one.microsoft.id)).await?;
    let find = |id: Uuid| known.iter().find(|one| one.microsoft.id == id);
    let named = |one: &Subscription| {
        let id = one.microsoft.id;
        (id, organisations.get(&id).unwrap_or(&one.microsoft.name).clone())
    };
    let proposers = app.store.list_staff_members(proposals.iter().map(|proposal| proposal.proposed_by)).await?;
    let mut waiting: Vec<Waiting> = of_the_house(app).await?;
    let trials = app.store.list_trial_grants(Some(Standing::Proposed), None, AT_MOST, now).await?;
    waiting.extend(trials.into_iter().map(|grant| Waiting {
        subscription: None,
        since: Some(grant.granted_at),
        deadline: Some(grant.expires_at),
        role: Role::Sales,
        what: What::Trial(Box::new(grant)),
    }));
    waiting.extend(proposals.into_iter().map(|proposal| Waiting {
        subscription: proposal.subscription_id.and_then(find).map(named),
        since: Some(proposal.proposed_at),
        deadline: Some(proposal.expires_at),
        role: proposal.kind.role(),
        what: {
            let by = proposers.iter().find(|one| one.id == proposal.proposed_by);
            What::Proposal(proposal, by.map(|one| one.name.clone()).unwrap_or_default())
        },
    }));
    waiting.extend(findings.into_iter().map(|finding| {
        let subscription = find(finding.subscription_id);
        Waiting {
            subscription: subscription.map(named),
            since: Some(finding.found_at),
            deadline: subscription.and_then(deadline_of_charges),
            role: Role::Finance,
            what: What::Finding(finding),
        }
    }));
    waiting.extend(jobs.into_iter().map(|job| Waiting {
        subscription: find(job.subject).map(named),
        since: Some(job.created_at),
        deadline: None,
        role: Role::Support,
        what: What::Job(job),
    }));
    waiting.extend(forgotten.into_iter().filter_map(find).map(|one| Waiting {
        what: What::Unconfigured,
        subscription: Some(named(one)),
        since: Some(one.seen_at),
        deadline: Some(one.seen_at + Duration::days(MICROSOFT_DROPS_AFTER_DAYS.into())),
        role: Role::Sales,
    }));
    waiting.sort_by_key(|one| (one.deadline.is_none(), one.deadline, one.since));
    Ok(waiting)
}

/// What belongs to no subscription.
async fn of_the_house(app: &App) -> Result<Vec<Waiting>, AppError> {
    let bare = |what, since| Waiting { what, subscription: None, since, deadline: None, role: Role::Admin };
    let lock = app.store.get_reporter().await?.lock;
    let locked = lock.map(|(at, reason)| bare(What::Locked(reason), Some(at)));
    let credentials = app.health.troubles().into_iter().map(|reason| bare(What::Credential(reason), None));
    Ok(locked.into_iter().chain(credentials).collect())
}

/// After the end Microsoft takes charges for a day more.
fn deadline_of_charges(subscription: &Subscription) -> Option<OffsetDateTime> {
    match subscription.stage {
        Stage::Ended { ended_at, .. } => Some(ended_at + WINDOW),
        _ => None,
    }
}
