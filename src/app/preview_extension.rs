//! What a longer trial or grace period would mean: its dates, what becomes of the held charges, and whether it takes a second
//! person. The same functions as those that carry it out.

use std::{collections::BTreeSet, sync::Arc};

use uuid::Uuid;

use super::{App, AppError, TrialExtension};
use crate::{
    domain::{
        catalog::Offer,
        change::FrozenChange,
        charge::{Charge, Reason},
        staff::Actor,
        subscription::Subscription,
        trial_grant::{
            DEFAULT_OFFER_DAYS, Kind, State, TrialRefused, Wish, check_terms,
            extension::{Extended, Rewritten, decide_extension, held, rewrite_charge},
        },
    },
    hash::sha256_hex,
    store::{Enrolment, Tx},
};

/// What an extension would mean.
#[derive(Debug, Clone)]
pub struct ExtensionPreview {
    /// The subscription, with its dates of now.
    pub subscription: Subscription,
    /// Whose it is.
    pub organisation: String,
    /// The dates of then.
    pub extended: Extended,
    /// The held charges, each with its figures of then.
    pub charges: Vec<(Charge, Rewritten)>,
    /// Whether a second person has to approve it.
    pub takes_two: bool,
}

impl ExtensionPreview {
    /// Differs where anything of it does.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let figures: Vec<(Uuid, i64, i64)> = self
            .charges
            .iter()
            .map(|(old, new)| (old.id, old.quantity.millionths(), new.line.quantity.millionths()))
            .collect();
        sha256_hex(format!("{:?} {figures:?} {}", self.extended, self.takes_two).as_bytes())
    }
}

/// Looks at what an extension would mean; its reason may still be missing.
///
/// # Errors
/// [`AppError::Trial`] with what to do: nothing runs that could be longer, or something is reported; [`AppError::Store`].
pub async fn preview_extension(
    app: &App,
    actor: &Actor,
    extension: TrialExtension<'_>,
) -> Result<ExtensionPreview, AppError> {
    let tx = app.store.begin().await?;
    preview_within(app, &tx, actor, extension).await
}

/// The same within a transaction of the caller's.
pub(super) async fn preview_within(
    app: &App,
    tx: &Tx,
    actor: &Actor,
    extension: TrialExtension<'_>,
) -> Result<ExtensionPreview, AppError> {
    let Admitted { subscription, enrolment, begins, charges, extended, .. } = admit(app, tx, actor, extension).await?;
    let groups = derive_charges(app, tx, &subscription, &charges, extended).await?;
    Ok(ExtensionPreview {
        subscription,
        organisation: enrolment.organisation,
        extended,
        charges: groups.into_iter().flat_map(|group| group.charges).collect(),
        takes_two: begins != State::Open,
    })
}

/// An extension that is possible and within the limits.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) subscription: Subscription,
    pub(super) enrolment: Enrolment,
    pub(super) offer: Arc<Offer>,
    pub(super) charges: Vec<Charge>,
    /// Open, or waiting for a second person.
    pub(super) begins: State,
    pub(super) extended: Extended,
}

/// Whether it is; the subscription's row is locked from then on.
pub(super) async fn admit(
    app: &App,
    tx: &Tx,
    actor: &Actor,
    extension: TrialExtension<'_>,
) -> Result<Admitted, AppError> {
    let TrialExtension { subscription_id: id, extends, days, reason } = extension;
    let subscription = tx.find_subscription(id).await?.ok_or(TrialRefused::NoSubscription(id))?;
    let enrolment = tx.find_enrolment(id).await?.ok_or(TrialRefused::NoSubscription(id))?;
    let microsoft = &subscription.microsoft;
    let (offer, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    let before = tx.list_trials_of_subscription(id).await?;
    let days_before = before.iter().filter(|one| one.kind == Kind::Extension && one.state == State::Used);
    let wish = Wish {
        kind: Kind::Extension,
        plan,
        tenant_id: None,
        days,
        days_before: days_before.map(|one| one.days).sum(),
        users: subscription.users.unwrap_or_default(),
        offer_days: DEFAULT_OFFER_DAYS,
        reason,
    };
    let begins = check_terms(actor, wish)?;
    let charges = tx.list_charges(id).await?;
    let extended = decide_extension(&subscription, &charges, (extends, days), app.clock.now())?;
    let offer = Arc::clone(offer);
    Ok(Admitted { subscription, enrolment, offer, charges, begins, extended })
}

/// The held charges of one cause, each with what becomes of it.
#[derive(Debug)]
pub(super) struct Rewriting {
    pub(super) charges: Vec<(Charge, Rewritten)>,
    /// The plan that they are reported under.
    pub(super) plan_id: String,
    /// What an upgrade was frozen as.
    pub(super) upgrade: Option<FrozenChange>,
}

/// What becomes of the held charges, by their causes.
pub(super) async fn derive_charges(
    app: &App,
    tx: &Tx,
    subscription: &Subscription,
    charges: &[Charge],
    extended: Extended,
) -> Result<Vec<Rewriting>, AppError> {
    let causes: BTreeSet<Uuid> = held(charges).map(|charge| charge.cause_id).collect();
    let mut groups = Vec::with_capacity(causes.len());
    for cause_id in causes {
        let group: Vec<&Charge> = held(charges).filter(|charge| charge.cause_id == cause_id).collect();
        groups.extend(derive_group(app, tx, subscription, (&group, extended)).await?);
    }
    Ok(groups)
}

async fn derive_group(
    app: &App,
    tx: &Tx,
    subscription: &Subscription,
    (group, extended): (&[&Charge], Extended),
) -> Result<Option<Rewriting>, AppError> {
    let Some(first) = group.first() else { return Ok(None) };
    let microsoft = &subscription.microsoft;
    let plan_id = first.plan_id.as_deref().unwrap_or(&microsoft.plan_id);
    let (_, plan) = app.find_plan(&microsoft.offer_id, plan_id)?;
    let upgrade = match first.reason {
        Reason::Upgrade => tx.find_change::<FrozenChange>(first.cause_id).await?.map(|change| change.body),
        _ => None,
    };
    let priced_in = match &upgrade {
        Some(frozen) => Some((frozen, &**app.find_plan(&microsoft.offer_id, &frozen.next.plan_id)?.1)),
        None => None,
    };
    let mut charges = Vec::with_capacity(group.len());
    for charge in group {
        charges.push(((*charge).clone(), rewrite_charge(charge, plan, priced_in, extended)?));
    }
    Ok(Some(Rewriting { charges, plan_id: plan_id.to_owned(), upgrade }))
}
