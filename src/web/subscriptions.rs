//! The list of a person's subscriptions.

use std::rc::Rc;

use actix_web::HttpResponse;

use super::{
    purchase::standing,
    refusal::{Refusal, ok},
    visit::Visit,
};
use crate::pages::{
    frame::OfferFace,
    subscriptions::{Entry, Subscriptions},
};

/// Nobody reads a longer list.
const MOST: u64 = 200;

/// `GET /subscriptions`
pub(super) async fn list(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    let session = visit.signed_in("/subscriptions")?;
    let found = visit.app.store.list_subscriptions_of(session.identity, MOST).await?;
    let mut told = Vec::new();
    for subscription in &found {
        let enrolment = visit.app.store.find_enrolment(subscription.microsoft.id).await?;
        let plan = visit.app.find_plan(&subscription.microsoft.offer_id, &subscription.microsoft.plan_id).ok();
        let product = plan.map_or(subscription.microsoft.plan_id.clone(), |(_, plan)| plan.name.clone());
        told.push((enrolment.map(|enrolment| enrolment.organisation).unwrap_or_default(), product));
    }
    let entries: Vec<Entry<'_>> = found
        .iter()
        .zip(&told)
        .map(|(subscription, (organisation, product))| Entry {
            id: subscription.microsoft.id,
            name: &subscription.microsoft.name,
            organisation,
            product,
            standing: standing(subscription),
            users: subscription.users,
        })
        .collect();
    ok(&visit, &Subscriptions::new(visit.frame(OfferFace::neutral(None)), &entries))
}
