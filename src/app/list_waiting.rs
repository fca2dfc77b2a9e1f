//! What needs a person, each with its next step and its deadline.

use time::{Date, Duration, OffsetDateTime};
use uuid::Uuid;

use super::{App, AppError, Trouble};
use crate::{
    domain::{
        api_key::ApiKey,
        approval::Proposal,
        staff::Role,
        subscription::{MICROSOFT_DROPS_AFTER_DAYS, Stage, Subscription},
        time::utc_day,
        trial_grant::{Standing, TrialGrant},
        usage::WINDOW,
    },
    store::{FailedCheck, Finding, JobKind, ListedJob, ListedMail},
};

/// So many of a kind are shown; the lists have all.
const AT_MOST: u64 = 200;
/// Purchases that nobody configures are shown after so long.
const FORGOTTEN_AFTER: Duration = Duration::days(1);
/// A mail that has not left after so long is late.
const LATE_AFTER: Duration = Duration::HOUR;
/// What expires is told so long before: a new secret takes somebody with the right to make one.
pub(super) const WARNED_BEFORE: Duration = Duration::days(30);

/// What kind of thing it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A finding, with its kind and its words.
    Finding(Finding),
    /// A job that has given up.
    Job(ListedJob),
    /// A mail that does not leave, and whether its job has given up.
    Mail(ListedMail, Option<ListedJob>),
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
    /// A secret of a section of the configuration expires.
    Secret(&'static str),
    /// An API key expires.
    ApiKey(ApiKey),
    /// A check of the last check-up is not well.
    Check(FailedCheck),
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

impl Waiting {
    fn new(what: What, since: Option<OffsetDateTime>, deadline: Option<OffsetDateTime>, role: Role) -> Self {
        Self { what, subscription: None, since, deadline, role }
    }
}

/// How many things need a person, for the number in the console's head.
///
/// # Errors
/// [`AppError::Store`].
pub async fn count_waiting(app: &App) -> Result<u64, AppError> {
    let now = app.clock.now();
    let findings = app.store.count_findings().await?;
    let jobs = u64::try_from(app.store.count_dead_jobs().await?).unwrap_or_default();
    let mails = app.store.count_late_mails(now - LATE_AFTER).await?;
    let proposals = app.store.count_open_proposals(now).await?;
    let trials = app.store.count_trial_grants(Standing::Proposed, now).await?;
    let unconfigured = app.store.count_unconfigured(now - FORGOTTEN_AFTER, AT_MOST).await?;
    let of_the_house = of_the_house(app).await?.len() as u64;
    Ok(findings + jobs + mails + proposals + trials + unconfigured + of_the_house)
}

/// All of it, the nearest deadline first.
///
/// # Errors
/// [`AppError::Store`].
pub async fn list_waiting(app: &App) -> Result<Vec<Waiting>, AppError> {
    let mut waiting = of_the_house(app).await?;
    waiting.extend(trials(app).await?);
    let mut of_subscriptions = proposals(app).await?;
    of_subscriptions.extend(findings(app).await?);
    of_subscriptions.extend(work(app).await?);
    of_subscriptions.extend(unconfigured(app).await?);
    waiting.extend(named(app, of_subscriptions).await?);
    waiting.sort_by_key(|one| (one.deadline.is_none(), one.deadline, one.since));
    Ok(waiting)
}

/// Something, and the subscription that it is about.
type About = (Option<Uuid>, Waiting);

/// Each with its subscription's name. What is found about charges has the deadline of the subscription.
async fn named(app: &App, found: Vec<About>) -> Result<Vec<Waiting>, AppError> {
    let known = app.store.list_subscriptions_by_id(found.iter().filter_map(|(id, _)| *id)).await?;
    let organisations = app.store.list_organisations(known.iter().map(|one| one.microsoft.id)).await?;
    let named = found.into_iter().map(|(id, waiting)| {
        let Some(one) = known.iter().find(|one| Some(one.microsoft.id) == id) else { return waiting };
        let id = one.microsoft.id;
        let name = organisations.get(&id).unwrap_or(&one.microsoft.name).clone();
        let is_finding = matches!(waiting.what, What::Finding(_));
        let deadline = if is_finding { deadline_of_charges(one) } else { waiting.deadline };
        Waiting { subscription: Some((id, name)), deadline, ..waiting }
    });
    Ok(named.collect())
}

/// What belongs to no subscription.
async fn of_the_house(app: &App) -> Result<Vec<Waiting>, AppError> {
    let now = app.clock.now();
    let admin = |what, since, deadline| Waiting::new(what, since, deadline, Role::Admin);
    let lock = app.store.get_reporter().await?.lock;
    let mut waiting: Vec<Waiting> =
        lock.map(|(at, reason)| admin(What::Locked(reason), Some(at), None)).into_iter().collect();
    waiting.extend(app.health.troubles().into_iter().map(|reason| admin(What::Credential(reason), None, None)));
    let warned = utc_day(now + WARNED_BEFORE);
    let secrets = app.secrets_expire.iter().filter(|(_, day)| **day <= warned);
    // At which hour of the day, the portal does not say.
    let of_secret =
        |(which, day): (&Trouble, &Date)| admin(What::Secret(which.section()), None, Some(day.midnight().assume_utc()));
    waiting.extend(secrets.map(of_secret));
    let checks = app.store.list_failed_checks().await?;
    waiting.extend(checks.into_iter().map(|check| {
        let since = check.since;
        admin(What::Check(check), Some(since), None)
    }));
    let keys = app.store.list_expiring_api_keys((now, now + WARNED_BEFORE)).await?;
    waiting.extend(keys.into_iter().map(|key| {
        let (since, until) = (key.created_at, key.expires_at);
        admin(What::ApiKey(key), Some(since), Some(until))
    }));
    Ok(waiting)
}

async fn trials(app: &App) -> Result<Vec<Waiting>, AppError> {
    let grants = app.store.list_trial_grants(Some(Standing::Proposed), None, AT_MOST, app.clock.now()).await?;
    let waiting = grants.into_iter().map(|grant| {
        let (since, deadline) = (Some(grant.granted_at), Some(grant.expires_at));
        Waiting::new(What::Trial(Box::new(grant)), since, deadline, Role::Sales)
    });
    Ok(waiting.collect())
}

async fn proposals(app: &App) -> Result<Vec<About>, AppError> {
    let proposals = app.store.list_open_proposals(AT_MOST, app.clock.now()).await?;
    let proposers = app.store.list_staff_members(proposals.iter().map(|proposal| proposal.proposed_by)).await?;
    let waiting = proposals.into_iter().map(|proposal| {
        let by = proposers.iter().find(|one| one.id == proposal.proposed_by);
        let by = by.map(|one| one.name.clone()).unwrap_or_default();
        let (id, role) = (proposal.subscription_id, proposal.kind.role());
        let (since, deadline) = (Some(proposal.proposed_at), Some(proposal.expires_at));
        (id, Waiting::new(What::Proposal(proposal, by), since, deadline, role))
    });
    Ok(waiting.collect())
}

async fn findings(app: &App) -> Result<Vec<About>, AppError> {
    let findings = app.store.list_open_findings(AT_MOST).await?;
    let waiting = findings.into_iter().map(|finding| {
        let (id, since) = (finding.subscription_id, finding.found_at);
        (Some(id), Waiting::new(What::Finding(finding), Some(since), None, Role::Finance))
    });
    Ok(waiting.collect())
}

/// Jobs that have given up, and mails that do not leave.
async fn work(app: &App) -> Result<Vec<About>, AppError> {
    let dead = app.store.list_dead_jobs(AT_MOST).await?;
    let (of_mails, jobs): (Vec<ListedJob>, Vec<ListedJob>) =
        dead.into_iter().partition(|job| job.kind == JobKind::SendMail.as_str());
    let mails = app.store.list_mails_by_id(of_mails.iter().map(|job| job.subject)).await?;
    let late = app.store.list_late_mails(app.clock.now() - LATE_AFTER, AT_MOST).await?;
    let given_up = mails.into_iter().map(|mail| {
        let job = of_mails.iter().find(|job| job.subject == mail.id).cloned();
        (mail, job)
    });
    let mails = given_up.chain(late.into_iter().map(|mail| (mail, None))).map(|(mail, job)| {
        let (id, since) = (mail.subscription_id, mail.created_at);
        (id, Waiting::new(What::Mail(mail, job), Some(since), None, Role::Support))
    });
    let jobs = jobs.into_iter().map(|job| {
        let (subject, since) = (job.subject, job.created_at);
        (Some(subject), Waiting::new(What::Job(job), Some(since), None, Role::Support))
    });
    Ok(mails.chain(jobs).collect())
}

/// Purchases that nobody configures: Microsoft drops them after a month.
async fn unconfigured(app: &App) -> Result<Vec<About>, AppError> {
    let known = app.store.list_unconfigured(app.clock.now() - FORGOTTEN_AFTER, AT_MOST).await?;
    let forgotten = known.into_iter().map(|one| {
        let deadline = one.seen_at + Duration::days(MICROSOFT_DROPS_AFTER_DAYS.into());
        (Some(one.microsoft.id), Waiting::new(What::Unconfigured, Some(one.seen_at), Some(deadline), Role::Sales))
    });
    Ok(forgotten.collect())
}

/// After the end Microsoft takes charges for a day more.
fn deadline_of_charges(subscription: &Subscription) -> Option<OffsetDateTime> {
    match subscription.stage {
        Stage::Ended { ended_at, .. } => Some(ended_at + WINDOW),
        _ => None,
    }
}
