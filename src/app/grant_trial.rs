//! Sales-ops grants a trial to a tenant ahead of its purchase, or mails a prospect a key (`product.md` §6). Console, API and
//! command line come here. Above what one person may grant alone, it waits for another one.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    App, AppError,
    converge::audit,
    open_trial::{open_trial, schedule_trial, sign_trial_key},
};
use crate::{
    clock::new_id,
    domain::{
        catalog::{Offer, Plan},
        pricing::MAX_USERS,
        staff::Actor,
        time::{end_of_day, plus_days, utc_day},
        trial_grant::{
            ALONE_USERS, Contact, DEFAULT_OFFER_DAYS, Granter, Kind, MAX_NAME, State, TrialGrant, TrialLicense,
            TrialRefused, Wish, check_wish,
        },
    },
    identity::domain_name,
    mail::is_mailbox,
    store::{HOUSE, Tx},
};

/// How a tenant is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedTenant<'a> {
    /// By its id.
    Id(Uuid),
    /// By a domain, which is resolved when the grant is made.
    Domain(&'a str),
}

/// What somebody wants to grant.
#[derive(Debug, Clone)]
pub struct TrialRequest<'a> {
    /// The offer.
    pub offer_id: &'a str,
    /// The plan.
    pub plan_id: &'a str,
    /// Whose trial it is; a prospect's may be named later.
    pub tenant: Option<NamedTenant<'a>>,
    /// Whom the key is mailed to at once; `None` grants a trial ahead of a purchase.
    pub prospect: Option<Contact>,
    /// Days of trial.
    pub days: u32,
    /// The most users that it is for; default: as many as one person may grant alone, and in a key the plan's fewest.
    pub users: Option<u32>,
    /// The offer is open for so many days; default 30. The time of a key begins when it is mailed.
    pub offer_days: Option<u32>,
    /// Why; at least 10 characters.
    pub reason: &'a str,
}

/// A trial that may be granted, and is not written yet.
#[derive(Debug)]
pub struct PreparedTrial {
    grant: TrialGrant,
    begins: State,
    license: Option<TrialLicense>,
}

/// Grants a trial, or proposes it where it takes a second person; gives the grant.
///
/// # Errors
/// As [`prepare_trial`]; [`AppError::Store`].
pub async fn grant_trial(app: &App, actor: &Actor, request: TrialRequest<'_>) -> Result<TrialGrant, AppError> {
    let prepared = prepare_trial(app, actor, request).await?;
    let tx = app.store.begin().await?;
    let grant = write_trial(app, &tx, actor, prepared).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(grant)
}

/// Finds out whether a trial may be granted, and whose a domain is; changes nothing.
///
/// # Errors
/// [`AppError::Trial`] with what to do; [`AppError::NotOffered`]; [`AppError::SignIn`] when Entra does not say whose a
/// domain is.
pub async fn prepare_trial(app: &App, actor: &Actor, request: TrialRequest<'_>) -> Result<PreparedTrial, AppError> {
    let (offer, plan) = app.find_plan(request.offer_id, request.plan_id)?;
    check_people(&request)?;
    let (tenant_id, domain) = resolve(app, request.tenant).await?;
    let mut grant = fresh_grant(actor, &request, (offer, plan), app.clock.now());
    (grant.tenant_id, grant.domain) = (tenant_id, domain);
    let begins = check_wish(actor, wish(&grant, plan, &request))?;
    let license = if begins == State::Open { sign_trial_key(app, &grant, grant.granted_at).await? } else { None };
    Ok(PreparedTrial { grant, begins, license })
}

/// Writes a prepared trial in a transaction of the caller's, who wakes the workers after the commit.
///
/// # Errors
/// [`AppError::Store`].
pub async fn write_trial(app: &App, tx: &Tx, actor: &Actor, prepared: PreparedTrial) -> Result<TrialGrant, AppError> {
    let PreparedTrial { mut grant, begins, license } = prepared;
    let now = grant.granted_at;
    if begins == State::Open {
        open_trial(app, tx, &mut grant, (actor, license), now).await?;
    }
    tx.insert_trial_grant(&grant).await?;
    schedule_trial(app, tx, &grant, now).await?;
    let action = if begins == State::Open { "trial_granted" } else { "trial_proposed" };
    audit_grant(tx, &grant, actor, action, now);
    Ok(grant)
}

fn check_people(request: &TrialRequest<'_>) -> Result<(), TrialRefused> {
    match (&request.prospect, request.tenant) {
        (None, None) => Err(TrialRefused::Nobody),
        (None, Some(_)) => Ok(()),
        (Some(contact), _) if !is_mailbox(&contact.email) => Err(TrialRefused::NoMailbox(contact.email.clone())),
        (Some(contact), _) if !is_name(&contact.name) || !is_name(&contact.organisation) => Err(TrialRefused::NoName),
        (Some(_), _) => Ok(()),
    }
}

fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MAX_NAME && !text.chars().any(char::is_control)
}

/// The tenant, and the domain that it was resolved from. Only the tenant counts from here on.
pub(super) async fn resolve(
    app: &App,
    named: Option<NamedTenant<'_>>,
) -> Result<(Option<Uuid>, Option<String>), AppError> {
    match named {
        None => Ok((None, None)),
        Some(NamedTenant::Id(id)) => Ok((Some(id), None)),
        Some(NamedTenant::Domain(text)) => {
            let domain = domain_name(text).ok_or_else(|| TrialRefused::NoDomain(text.to_owned()))?;
            let tenant_id = app.sign_in.find_tenant(&domain).await?;
            let tenant_id = tenant_id.ok_or_else(|| TrialRefused::UnknownDomain(domain.clone()))?;
            Ok((Some(tenant_id), Some(domain)))
        }
    }
}

/// The grant as it is wished, without its tenant and waiting for a second person.
fn fresh_grant(
    actor: &Actor,
    request: &TrialRequest<'_>,
    (offer, plan): (&Offer, &Plan),
    now: OffsetDateTime,
) -> TrialGrant {
    let segments = || plan.segments().iter();
    let fewest = segments().map(|segment| segment.included).min().unwrap_or(1);
    let most = segments().map(|segment| segment.maximum.unwrap_or(MAX_USERS)).max().unwrap_or(MAX_USERS);
    let users = if request.prospect.is_some() { fewest } else { ALONE_USERS.min(most).max(fewest) };
    let offer_days = request.offer_days.unwrap_or(DEFAULT_OFFER_DAYS);
    TrialGrant {
        id: new_id(now),
        kind: if request.prospect.is_some() { Kind::OffMarket } else { Kind::Ahead },
        offer_id: offer.id.clone(),
        plan_id: plan.id.to_string(),
        trial_group: offer.trial_group.clone(),
        tenant_id: None,
        domain: None,
        contact: request.prospect.clone().unwrap_or_default(),
        extends: None,
        subscription_id: None,
        days: request.days,
        users: Some(request.users.unwrap_or(users)),
        reason: request.reason.trim().to_owned(),
        state: State::Proposed,
        granted_by: Granter::of(actor),
        granted_at: now,
        expires_at: end_of_day(plus_days(utc_day(now), offer_days)),
        opened_at: None,
        used_at: None,
        taken_back: None,
        license: None,
        version: 1,
    }
}

fn wish<'a>(grant: &TrialGrant, plan: &'a Plan, request: &TrialRequest<'a>) -> Wish<'a> {
    Wish {
        kind: grant.kind,
        plan,
        tenant_id: grant.tenant_id,
        days: grant.days,
        days_before: 0,
        users: grant.users.unwrap_or_default(),
        offer_days: request.offer_days.unwrap_or(DEFAULT_OFFER_DAYS),
        reason: request.reason,
    }
}

/// An entry about a grant, in the chain of the subscription that it extends, or of the house. For whom it is stays out of
/// the log.
pub(super) fn audit_grant(tx: &Tx, grant: &TrialGrant, actor: &Actor, action: &str, now: OffsetDateTime) {
    let detail = serde_json::json!({
        "trial": grant.id, "kind": grant.kind.as_str(), "state": grant.state.as_str(), "offer": grant.offer_id,
        "plan": grant.plan_id, "tenant": grant.tenant_id, "days": grant.days, "users": grant.users,
        "extends": grant.extends.map(crate::domain::trial_grant::Extends::as_str), "expires": grant.expires_at.unix_timestamp(),
        "license": grant.license.as_ref().map(|license| &license.license_id), "reason": grant.reason,
    });
    let chain = grant.subscription_id.filter(|_| grant.kind == Kind::Extension).unwrap_or(HOUSE);
    audit(tx, chain, &actor.audit_word(), action, &detail, now);
}
