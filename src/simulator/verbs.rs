//! What can be done to the simulated world from outside, besides buying.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    faults::Fault,
    journal::RecordedRequest,
    seed::{Seed, is_price},
    subscription::Subscription,
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

    /// Payment is missing (state only, no webhook). `false` unless it was Subscribed.
    pub fn suspend(&self, id: Uuid) -> bool {
        let now = self.now();
        self.settled(id).find_mut(id).is_some_and(|subscription| subscription.suspend(now))
    }

    /// Payment arrived (state only, no webhook). `false` unless it was Suspended.
    pub fn reinstate(&self, id: Uuid) -> bool {
        self.settled(id).find_mut(id).is_some_and(Subscription::reinstate)
    }

    /// The customer cancels (state only, no webhook). `false` when there is no such subscription.
    pub fn cancel(&self, id: Uuid) -> bool {
        self.settled(id).find_mut(id).map(Subscription::end).is_some()
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

    /// The secret of the application works again.
    pub fn restore_secret(&self, app: App) {
        let mut state = self.state();
        let id = client_id(&state.seed, app);
        state.expired_secrets.retain(|expired| *expired != id);
    }

    /// Whether activating a Subscribed subscription again is refused with 400 (older documentation) or taken with 200
    /// (the default).
    pub fn refuse_second_activation(&self, refuse: bool) {
        self.state().refuse_second_activation = refuse;
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
