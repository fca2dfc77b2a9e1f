//! What sales may do: grant trials, and change the users on the buyer's behalf, as the buyer would, with a recorded consent.

use uuid::Uuid;

use super::{Desk, DeskRefused, grounds};
use crate::{
    app::{
        AppError, ChangeSubmitted, ExtensionPreview, TrialExtension, TrialRequest, approve_trial, cancel_downgrade,
        extend_trial::extend_as_shown, grant_trial, preview_extension, review_change, revoke_trial, submit_change,
    },
    domain::{change::FrozenChange, staff::Actor, subscription::Subscription, trial_grant::TrialGrant},
    store::{StoreError, StoredChange},
};

/// The handle of sales.
#[derive(Debug, Clone, Copy)]
pub struct SalesDesk<'a>(Desk<'a>);

impl<'a> SalesDesk<'a> {
    pub(super) fn new(desk: Desk<'a>) -> Self {
        Self(desk)
    }

    /// Grants a trial, or proposes it where it takes a second person.
    ///
    /// # Errors
    /// As [`grant_trial`].
    pub async fn grant_trial(self, request: TrialRequest<'_>) -> Result<TrialGrant, AppError> {
        grant_trial(self.0.app, &self.actor(), request).await
    }

    /// Approves what somebody else has proposed.
    ///
    /// # Errors
    /// As [`approve_trial`].
    pub async fn approve_trial(self, id: Uuid) -> Result<TrialGrant, AppError> {
        approve_trial(self.0.app, &self.actor(), id).await
    }

    /// Takes a trial back that nobody has used.
    ///
    /// # Errors
    /// As [`revoke_trial`].
    pub async fn revoke_trial(self, id: Uuid, reason: &str) -> Result<TrialGrant, AppError> {
        revoke_trial(self.0.app, &self.actor(), id, reason).await
    }

    /// Looks at what a longer trial or grace period would mean.
    ///
    /// # Errors
    /// As [`preview_extension`].
    pub async fn preview_extension(self, extension: TrialExtension<'_>) -> Result<ExtensionPreview, AppError> {
        preview_extension(self.0.app, &self.actor(), extension).await
    }

    /// Extends a trial or grace period, or proposes it where it takes a second person. `fingerprint`: of the preview that was
    /// shown.
    ///
    /// # Errors
    /// [`TrialRefused::ShownOtherwise`](crate::domain::trial_grant::TrialRefused::ShownOtherwise) when it would be something
    /// else by now; else as [`extend_trial`](crate::app::extend_trial).
    pub async fn extend_trial(self, extension: TrialExtension<'_>, fingerprint: &str) -> Result<TrialGrant, AppError> {
        extend_as_shown(self.0.app, &self.actor(), extension, fingerprint).await
    }

    fn actor(self) -> Actor {
        Actor::Member(self.0.member.clone())
    }

    /// Freezes a change for its review; the buyer would see the same figures.
    ///
    /// # Errors
    /// As [`review_change`].
    pub async fn review_change(self, subscription: &Subscription, to_users: u32) -> Result<Uuid, AppError> {
        review_change(self.0.app, self.0.deed(), subscription, to_users).await
    }

    /// A change that this person was shown; any other does not exist.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn find_change(
        self,
        subscription: &Subscription,
        id: Uuid,
    ) -> Result<Option<StoredChange<FrozenChange>>, AppError> {
        let found = match self.0.app.store.find_change::<FrozenChange>(id).await {
            Err(StoreError::Inconsistent { .. }) => None,
            other => other?,
        };
        let who = Some(self.0.member.identity);
        Ok(found.filter(|change| change.subscription_id == subscription.microsoft.id && change.shown_to == who))
    }

    /// Submits a reviewed change. `consent`: who of the buyer's consented, how and when.
    ///
    /// # Errors
    /// [`DeskRefused::Consent`]; else as [`submit_change`].
    pub async fn submit_change(
        self,
        subscription: &Subscription,
        change_id: Uuid,
        consent: &str,
    ) -> Result<ChangeSubmitted, AppError> {
        let consent = grounds(consent, DeskRefused::Consent)?;
        submit_change(self.0.app, self.0.deed().with_consent(consent), subscription, change_id).await
    }

    /// Takes a planned downgrade back. `consent` as above.
    ///
    /// # Errors
    /// [`DeskRefused`] without a consent, or where nothing is planned; else as [`cancel_downgrade`].
    pub async fn cancel_downgrade(self, subscription: &Subscription, consent: &str) -> Result<(), AppError> {
        let consent = grounds(consent, DeskRefused::Consent)?;
        if subscription.planned.is_none() {
            return Err(DeskRefused::NothingPlanned.into());
        }
        cancel_downgrade(self.0.app, self.0.deed().with_consent(consent), subscription.microsoft.id).await
    }
}
