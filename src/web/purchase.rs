//! A subscription in the eyes of one visitor: found, with rights, in the terms of the pages.

use std::sync::Arc;

use super::{refusal::Refusal, visit::Visit};
use crate::{
    app::App,
    domain::{
        catalog::{Offer, Plan},
        policy::{Identity, Rights, rights},
        quote_json::Amounts,
        subscription::{MicrosoftStatus, Stage, Subscription},
        time::utc_day,
    },
    pages::{
        frame::{Frame, OfferFace},
        purchase::Purchase,
        subscriptions::Standing,
        trouble::Dead,
    },
    store::{Enrolment, Session},
};

/// What is needed to show anything of a subscription.
pub(super) struct Shown<'a> {
    pub(super) session: &'a Session,
    pub(super) subscription: Subscription,
    pub(super) enrolment: Option<Enrolment>,
    pub(super) rights: Rights,
    pub(super) offer: &'a Arc<Offer>,
    pub(super) plan: &'a Arc<Plan>,
}

impl<'a> Shown<'a> {
    /// Finds the subscription of the path. Strangers are told what they would be told of one that does not exist.
    pub(super) async fn find(visit: &'a Visit) -> Result<Self, Refusal> {
        let id = visit.path_id("id")?;
        let session = visit.signed_in(&format!("/subscriptions/{id}"))?;
        let app: &App = &visit.app;
        let subscription = app.store.find_subscription(id).await?.ok_or(Refusal::Dead(Dead::NotFound))?;
        let microsoft = &subscription.microsoft;
        let plan = app.find_plan(&microsoft.offer_id, &microsoft.plan_id);
        let members_may_buy = plan.as_ref().is_ok_and(|(_, plan)| plan.tenant_members_may_buy);
        let rights = rights(session.identity, microsoft, members_may_buy);
        if rights == Rights::Nothing {
            return Err(Refusal::Dead(Dead::NotFound));
        }
        let (offer, plan) = plan?;
        // An order moves the stage in its own transaction: before, there is none to be read.
        let enrolment = match subscription.stage {
            Stage::AwaitingEnrolment => None,
            _ => app.store.find_enrolment(id).await?,
        };
        Ok(Self { session, subscription, enrolment, rights, offer, plan })
    }

    /// The same, for those who may buy.
    pub(super) async fn for_buyer(visit: &'a Visit) -> Result<Self, Refusal> {
        let shown = Self::find(visit).await?;
        if shown.rights < Rights::Buy {
            return Err(Refusal::DeadAt(Box::new(OfferFace::of(shown.offer)), Dead::NotFound));
        }
        Ok(shown)
    }

    /// The person.
    pub(super) fn who(&self) -> Identity {
        self.session.identity
    }

    pub(super) fn frame(&self, visit: &Visit) -> Frame {
        visit.frame(OfferFace::of(self.offer))
    }

    /// The purchase in the terms of the pages. `organisation` is the buyer's own word for it.
    pub(super) fn purchase<'b>(&'b self, organisation: &'b str) -> Purchase<'b> {
        purchase_of(&self.subscription, (self.offer, self.plan), organisation)
    }

    pub(super) fn path(&self) -> String {
        format!("/subscriptions/{}", self.subscription.microsoft.id)
    }
}

/// A subscription in the terms of the pages.
pub(super) fn purchase_of<'a>(
    subscription: &'a Subscription,
    (offer, plan): (&'a Offer, &'a Plan),
    organisation: &'a str,
) -> Purchase<'a> {
    let microsoft = &subscription.microsoft;
    let activated = match subscription.stage {
        stage if stage.enrolled().is_some() => stage.enrolled().map(|enrolled| utc_day(enrolled.activated_at)),
        _ if microsoft.status == MicrosoftStatus::Subscribed => microsoft.term.map(|term| term.start),
        _ => None,
    };
    Purchase {
        id: microsoft.id,
        name: &microsoft.name,
        organisation,
        offer,
        plan,
        amounts: if microsoft.is_reseller_deal() { Amounts::Hidden } else { Amounts::Shown },
        bought: None,
        activated,
    }
}

/// How a subscription stands, in the buyer's words.
pub(super) fn standing(subscription: &Subscription) -> Standing {
    match (&subscription.microsoft.status, subscription.stage) {
        (MicrosoftStatus::Unsubscribed, _) => Standing::Unsubscribed,
        (MicrosoftStatus::Suspended, _) => Standing::Suspended,
        (_, Stage::AwaitingEnrolment) => Standing::ToSetUp,
        (_, Stage::Activating { .. }) => Standing::Activating,
        (_, Stage::Suspended { .. }) => Standing::Suspended,
        (_, Stage::Ended { .. }) => Standing::Unsubscribed,
        (_, Stage::Active(_)) if subscription.withdrawn_at.is_some() => Standing::Withdrawing,
        (_, Stage::Active(_)) => Standing::Subscribed,
    }
}
