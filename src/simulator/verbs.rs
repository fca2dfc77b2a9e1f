//! What can be done to the simulated world from outside, besides buying.

use serde::{Deserialize, Serialize};
use time::Duration;
use uuid::Uuid;

use super::{
    faults::Fault,
    journal::RecordedRequest,
    operation::Change,
    seed::{Seed, is_price},
    subscription::Status,
    world::{World, WorldError, no_plan},
};

/// An app registration whose secret can expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum App {
    /// Calls the marketplace.
    Marketplace,
    /// Signs buyers in.
    SignIn,
    /// Signs staff in.
    Staff,
}

impl World {
    /// How often an activation made this subscription Subscribed.
    #[must_use]
    pub fn activations(&self, id: Uuid) -> u32 {
        self.settled(id).find(id).map_or(0, |subscription| subscription.activations)
    }

    /// Payment is missing. `false` unless it was Subscribed.
    pub fn suspend(&self, id: Uuid) -> bool {
        let now = self.now();
        self.change(id, |subscription| subscription.suspend(now)).unwrap_or(false)
    }

    /// Payment arrived. It stays Suspended while the operation is open, which is accepted by the publisher's PATCH, by
    /// a 2xx for its webhook, or after ten seconds; where no webhook is registered, at once. `false` unless it was
    /// Suspended, without an open operation.
    pub fn reinstate(&self, id: Uuid) -> bool {
        let now = self.now();
        let alone = self.state().registration.webhook_url.is_empty();
        let opened = self.change(id, |subscription| {
            let suspended = subscription.status == Status::Suspended;
            let operation = suspended.then(|| subscription.open_operation(Change::Reinstate, now)).flatten();
            operation.is_some_and(|operation| !alone || subscription.conclude(operation, true, now))
        });
        opened.unwrap_or(false)
    }

    /// The customer cancels. `false` when there is no such subscription.
    pub fn cancel(&self, id: Uuid) -> bool {
        let now = self.now();
        self.change(id, |subscription| subscription.end(now)).is_some()
    }

    /// Moves the clock to the first moment after the present term of a subscription.
    ///
    /// # Errors
    /// When there is no such subscription, it has no term, or the clock cannot be moved.
    pub fn advance_past_term(&self, id: Uuid) -> Result<(), WorldError> {
        let term = self.settled(id).find(id).and_then(|found| found.term);
        let term = term.ok_or_else(|| WorldError(format!("{id} is not a subscription with a term")))?;
        let wait = (term.renews_at() - self.now()).max(Duration::ZERO);
        self.advance(wait).map_err(|error| WorldError(error.to_string()))
    }

    /// Switches the automatic renewal. `false` when there is no such subscription.
    pub fn set_auto_renew(&self, id: Uuid, on: bool) -> bool {
        self.settled(id).find_mut(id).map(|subscription| subscription.auto_renew = on).is_some()
    }

    /// Every request that reached the simulated Microsoft, oldest first (the last 100,000).
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state().journal.iter().cloned().collect()
    }

    /// Sets a fault. `false` when there are too many already (1,000).
    pub fn add_fault(&self, fault: Fault) -> bool {
        self.state().faults.add(fault)
    }

    /// How many of the faults have hit a request, that may still be waiting for its answer.
    #[must_use]
    pub fn faults_hit(&self) -> usize {
        self.state().faults.hits()
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Changes the list price of a dimension in one market, for everybody at once.
    ///
    /// # Errors
    /// When the price is not a plain decimal text, or there is no such plan, market or dimension.
    pub fn set_price(
        &self,
        offer_id: &str,
        plan_id: &str,
        market: &str,
        dimension: &str,
        price: &str,
    ) -> Result<(), WorldError> {
        if !is_price(price) {
            return Err(WorldError(format!("“{price}” is not a price: digits with at most one point")));
        }
        let mut state = self.state();
        let plan = state.seed.plan_mut(offer_id, plan_id).ok_or_else(|| no_plan(offer_id, plan_id))?;
        let known = plan.markets.get_mut(market).and_then(|prices| prices.dimensions.get_mut(dimension));
        let known = known.ok_or_else(|| WorldError(format!("{plan_id} has no {dimension} in the market {market}")))?;
        price.clone_into(known);
        Ok(())
    }

    /// Entra signs with its next key from now on; the one before stays published.
    pub fn rotate_keys(&self) {
        let mut state = self.state();
        state.key_rotations = state.key_rotations.wrapping_add(1);
    }

    /// The secret of the application is refused as expired.
    pub fn expire_secret(&self, app: App) {
        let mut state = self.state();
        let id = client_id(&state.seed, app);
        state.expired_secrets.push(id);
        state.expired_secrets.dedup();
    }

    /// An administrator assigns these app roles to a person instead of those of before; they are in the next token.
    pub fn set_roles(&self, oid: Uuid, roles: &[&str]) {
        let mut state = self.state();
        let mut people = state.seed.tenants.iter_mut().flat_map(|tenant| &mut tenant.users);
        if let Some(user) = people.find(|user| user.oid == oid) {
            user.roles = roles.iter().map(|role| (*role).to_owned()).collect();
        }
    }

    /// The secret of the application works again.
    pub fn restore_secret(&self, app: App) {
        let mut state = self.state();
        let id = client_id(&state.seed, app);
        state.expired_secrets.retain(|expired| *expired != id);
    }
}

fn client_id(seed: &Seed, app: App) -> Uuid {
    let apps = &seed.publisher.applications;
    match app {
        App::Marketplace => apps.marketplace.client_id,
        App::SignIn => apps.sign_in.client_id,
        App::Staff => apps.staff.client_id,
    }
}
