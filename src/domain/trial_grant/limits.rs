//! Who may grant how much, and why not. Every refusal is a sentence that says what to do.

use uuid::Uuid;

use super::{Kind, State, TrialGrant};
use crate::domain::{
    catalog::Plan,
    policy::PERSONAL_ACCOUNTS,
    pricing::MAX_USERS,
    staff::{Actor, Role},
};

/// What one person may grant alone, in days; of extensions, in all of one subscription.
pub const ALONE_DAYS: u32 = 90;
/// The same in users.
pub const ALONE_USERS: u32 = 1_000;
/// No trial is longer.
pub const MAX_DAYS: u32 = 365;
/// No offer stays open longer, in days.
pub const MAX_OFFER_DAYS: u32 = 180;
/// How long an offer stays open where nobody says.
pub const DEFAULT_OFFER_DAYS: u32 = 30;
/// A shorter reason explains nothing.
const MIN_REASON: usize = 10;
/// A longer one nobody reads.
const MAX_REASON: usize = 2_000;
/// The longest name of a person or an organisation, in characters.
pub const MAX_NAME: usize = 120;

/// Why a trial is not granted, or a grant not changed. The texts are shown to staff and programs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrialRefused {
    /// The plan has no metered fees.
    #[error("Microsoft bills the plan \"{0}\" by itself, so it has no trials here; choose a plan with user segments.")]
    NotMetered(String),
    /// Too short, or too long.
    #[error("A trial has between 1 and {MAX_DAYS} days; {0} were asked for.")]
    Days(u32),
    /// The offer's own end.
    #[error("An offer stays open between 1 and {MAX_OFFER_DAYS} days; {0} were asked for.")]
    OfferDays(u32),
    /// Fewer users than the plan sells.
    #[error("This plan starts at {0} users; name at least so many.")]
    TooFew(u32),
    /// More users than the plan sells.
    #[error("This plan ends at {0} users; name at most so many.")]
    TooMany(u32),
    /// A reason that explains nothing.
    #[error("Give a reason of {MIN_REASON} to {MAX_REASON} characters: somebody will read it in a year.")]
    Reason,
    /// All personal accounts share one tenant.
    #[error(
        "That is the tenant of all personal Microsoft accounts, and a trial for it would be everybody's; mail the person a \
         key instead, without naming a tenant."
    )]
    PersonalAccounts,
    /// Not a domain name.
    #[error("\"{0}\" is not a domain name; write it like contoso.com, or name the tenant's id.")]
    NoDomain(String),
    /// No tenant has the domain.
    #[error(
        "No Entra tenant has the domain \"{0}\"; ask the customer for the domain they sign in with, or for the tenant's id."
    )]
    UnknownDomain(String),
    /// Nobody is named.
    #[error("Name the tenant or its domain; or, for a key without a purchase, e-mail, name and organisation.")]
    Nobody,
    /// A key has to go somewhere.
    #[error("\"{0}\" is not the address of a mailbox; the key is mailed there at once.")]
    NoMailbox(String),
    /// A key names its organisation.
    #[error(
        "Name the organisation and the person, each in at most {MAX_NAME} characters; the key and its mail say them."
    )]
    NoName,
    /// The person's roles.
    #[error("Granting trials takes the role Sales; ask somebody of sales.")]
    NotSales,
    /// The second person is the first one.
    #[error("Whoever granted a trial cannot approve it; ask a second person with the role Sales or Admin.")]
    SamePerson,
    /// A program cannot approve.
    #[error("An API key cannot approve a trial; a person with the role Sales or Admin can, in the console.")]
    Program,
    /// It does not wait for anybody.
    #[error("This trial is {0}, and does not wait for an approval.")]
    NotProposed(&'static str),
    /// Too late.
    #[error("This trial is {0}, and can be revoked only until it is used.")]
    NotRevocable(&'static str),
    /// The offer's time is over.
    #[error("The time of this offer is over; grant a new one.")]
    Expired,
    /// Only a key without a purchase waits for its tenant.
    #[error("Only the trial of a prospect whose tenant is not named yet can be bound to one; this one is not.")]
    NotBindable,
    /// Nobody knows such a grant.
    #[error("There is no trial {0}; `seatkey trial list` names those that there are.")]
    Unknown(Uuid),
    /// Nobody knows such a subscription.
    #[error("There is no subscription {0} that is in use.")]
    NoSubscription(Uuid),
    /// The subscription does not run.
    #[error("This subscription is {0}; a trial or grace period can be extended only while it is active.")]
    NotActive(&'static str),
    /// There is nothing that could be longer.
    #[error("No trial is running; extend the grace period instead, or grant a trial ahead of the next purchase.")]
    NoTrial,
    /// There is nothing that could be longer.
    #[error("The grace period is over; where a trial is running, extend that.")]
    NoGrace,
    /// Nothing can be taken back at Microsoft.
    #[error(
        "The fees are reported to Microsoft, or on their way, and cannot be taken back; a trial or grace period can be \
         extended only before that. Give a credit in Partner Center instead."
    )]
    Reported,
    /// Somebody else was faster, or the buyer has changed something.
    #[error(
        "Something has changed since you looked, and nothing was done; what stands here now holds, if you submit it."
    )]
    ShownOtherwise,
    /// Whoever proposed has no longer the role.
    #[error("Whoever granted it does not have the role Sales any more: somebody who has it grants it anew.")]
    GranterWithoutRole,
    /// The buyer has given up.
    #[error("The buyer is withdrawing from this subscription; there is nothing to extend.")]
    Withdrawing,
    /// A new term has begun and is not written.
    #[error("A new term has begun and is not written yet; try again in some minutes.")]
    TermEnded,
    /// A charge whose figures cannot be derived again.
    #[error(
        "The figures of \"{0}\" cannot be derived again, so nothing was changed; a person has to look at its catalog entry."
    )]
    Underivable(String),
}

/// What somebody wants to grant.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// How.
    pub kind: Kind,
    /// For which plan.
    pub plan: &'a Plan,
    /// For which tenant.
    pub tenant_id: Option<Uuid>,
    /// For so many days.
    pub days: u32,
    /// Days that the subscription was extended by before.
    pub days_before: u32,
    /// For so many users.
    pub users: u32,
    /// The offer is open for so many days.
    pub offer_days: u32,
    /// Why.
    pub reason: &'a str,
}

/// Whether it can be granted, and how it begins: open, or waiting for a second person above what one may grant alone.
///
/// # Errors
/// [`TrialRefused`], with what to do.
pub fn check_wish(actor: &Actor, wish: Wish<'_>) -> Result<State, TrialRefused> {
    let begins = check_terms(actor, wish)?;
    check_reason(wish.reason)?;
    Ok(begins)
}

/// The same before anybody has said why: for whoever looks at what it would mean.
///
/// # Errors
/// [`TrialRefused`], with what to do.
pub fn check_terms(actor: &Actor, wish: Wish<'_>) -> Result<State, TrialRefused> {
    check_granter(actor)?;
    if !wish.plan.is_metered() {
        return Err(TrialRefused::NotMetered(wish.plan.name.clone()));
    }
    wish.tenant_id.map_or(Ok(()), check_tenant)?;
    if !(1..=MAX_DAYS).contains(&wish.days) {
        return Err(TrialRefused::Days(wish.days));
    }
    if !(1..=MAX_OFFER_DAYS).contains(&wish.offer_days) {
        return Err(TrialRefused::OfferDays(wish.offer_days));
    }
    if wish.kind != Kind::Extension {
        check_users(wish.plan, wish.users)?;
    }
    let alone = wish.days.saturating_add(wish.days_before) <= ALONE_DAYS && wish.users <= ALONE_USERS;
    Ok(if alone { State::Open } else { State::Proposed })
}

/// Whether somebody may grant and revoke trials. What an API key may is decided by its scope.
///
/// # Errors
/// [`TrialRefused::NotSales`].
pub fn check_granter(actor: &Actor) -> Result<(), TrialRefused> {
    match actor {
        Actor::Member(member) if !member.roles.include(Role::Sales) => Err(TrialRefused::NotSales),
        Actor::Member(_) | Actor::Program { .. } | Actor::Operator { .. } => Ok(()),
    }
}

/// Nothing is granted to the tenant of all personal accounts (`product.md` §7).
///
/// # Errors
/// [`TrialRefused::PersonalAccounts`].
pub fn check_tenant(tenant_id: Uuid) -> Result<(), TrialRefused> {
    if tenant_id == PERSONAL_ACCOUNTS { Err(TrialRefused::PersonalAccounts) } else { Ok(()) }
}

/// A reason that somebody understands in a year.
///
/// # Errors
/// [`TrialRefused::Reason`].
pub fn check_reason(reason: &str) -> Result<(), TrialRefused> {
    let is_reason = (MIN_REASON..=MAX_REASON).contains(&reason.trim().chars().count());
    if is_reason { Ok(()) } else { Err(TrialRefused::Reason) }
}

fn check_users(plan: &Plan, users: u32) -> Result<(), TrialRefused> {
    let segments = plan.segments();
    let least = segments.iter().map(|segment| segment.included).min().unwrap_or(1);
    if users < least {
        return Err(TrialRefused::TooFew(least));
    }
    let most = segments.iter().map(|segment| segment.maximum.unwrap_or(MAX_USERS)).max().unwrap_or(MAX_USERS);
    if users > most { Err(TrialRefused::TooMany(most)) } else { Ok(()) }
}

/// Whether somebody may approve what another one granted: a person, with the role Sales or Admin, and not the same one.
///
/// # Errors
/// [`TrialRefused`].
pub fn check_approver(grant: &TrialGrant, approver: &Actor) -> Result<(), TrialRefused> {
    match approver {
        Actor::Program { .. } => return Err(TrialRefused::Program),
        Actor::Member(_) | Actor::Operator { .. } => check_granter(approver)?,
    }
    if is_same_person((&grant.granted_by.word, &grant.granted_by.name), approver) {
        return Err(TrialRefused::SamePerson);
    }
    match grant.state {
        State::Proposed => Ok(()),
        other => Err(TrialRefused::NotProposed(other.as_str())),
    }
}

/// Whether an actor is somebody whose audit word and name are given. Two members may have one name; at the command line
/// there is nothing but the name.
#[must_use]
pub fn is_same_person((word, name): (&str, &str), actor: &Actor) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if plain(word) == plain(&actor.audit_word()) {
        return true;
    }
    let both_signed_in = word.starts_with("staff:") && matches!(actor, Actor::Member(_));
    !both_signed_in && plain(name) == plain(actor.name())
}
