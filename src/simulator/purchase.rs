//! Buying, and the tokens that the portal hands to the landing page.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    operation::Change,
    seed::{Plan, Seed, is_price},
    subscription::{Status, Subscription},
    world::{World, WorldError, no_plan},
};
use crate::clock::random_id;

/// A purchase token is good for a day (Microsoft's fulfillment documentation).
const TOKEN_LIFE: Duration = Duration::hours(24);

/// More purchases than this are refused.
const LIMIT: usize = 100_000;

/// What somebody buys in the portal.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Purchase {
    /// The offer; with the suffix `-preview` its preview.
    pub offer_id: String,
    /// The plan.
    pub plan_id: String,
    /// The name that the customer gives it.
    #[serde(default)]
    pub name: String,
    /// The object id of the person who uses it.
    pub beneficiary: Uuid,
    /// The object id of the person who pays; the beneficiary when absent, a partner in a reseller deal.
    #[serde(default)]
    pub purchaser: Option<Uuid>,
    /// The market; the country of the beneficiary's tenant when absent.
    #[serde(default)]
    pub market: Option<String>,
    /// The seats of a plan that is billed by seats.
    #[serde(default)]
    pub quantity: Option<u32>,
    /// Microsoft activates it by itself.
    #[serde(default)]
    pub auto_activate: bool,
    /// `None` or `Csp`.
    #[serde(default)]
    pub sandbox_type: Option<String>,
    /// `None` or `DryRun`.
    #[serde(default)]
    pub session_mode: Option<String>,
    /// Prices of a private offer, as decimal text by dimension.
    #[serde(default)]
    pub private_prices: BTreeMap<String, String>,
    /// The id of the private offer.
    #[serde(default)]
    pub private_offer_id: Option<String>,
    /// The plan does not appear in the list of available plans.
    #[serde(default)]
    pub plan_missing: bool,
    /// The plan appears as no longer sold.
    #[serde(default)]
    pub stop_sell: bool,
}

impl Purchase {
    /// A plain purchase by the person who will use it.
    #[must_use]
    pub fn of(offer_id: &str, plan_id: &str, beneficiary: Uuid) -> Self {
        Self { offer_id: offer_id.to_owned(), plan_id: plan_id.to_owned(), beneficiary, ..Self::default() }
    }
}

/// A token that resolves to a subscription.
#[derive(Debug)]
pub(super) struct PurchaseToken {
    pub(super) text: String,
    pub(super) subscription: Uuid,
    issued: OffsetDateTime,
}

impl PurchaseToken {
    pub(super) fn is_good_at(&self, now: OffsetDateTime) -> bool {
        now < self.issued + TOKEN_LIFE
    }
}

impl World {
    /// Buys; returns the subscription's id.
    ///
    /// # Panics
    /// When the seed does not have what is named: for tests, which want to stop there. Others use
    /// [`World::try_purchase`].
    #[expect(clippy::panic, reason = "a test that names something unknown has to stop; try_purchase is for all others")]
    #[expect(clippy::needless_pass_by_value, reason = "callers build it for this one call")]
    pub fn purchase(&self, purchase: Purchase) -> Uuid {
        self.try_purchase(&purchase).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Buys; returns the subscription's id.
    ///
    /// # Errors
    /// When the seed has no such plan or person, the quantity does not fit the plan, or a private price is not a
    /// decimal text.
    pub fn try_purchase(&self, purchase: &Purchase) -> Result<Uuid, WorldError> {
        let now = self.now();
        let mut state = self.state();
        if state.subscriptions.len() >= LIMIT {
            return Err(WorldError(format!("no more than {LIMIT} purchases")));
        }
        let subscription = sell(&state.seed, purchase, now)?;
        let id = subscription.id;
        let position = state.subscriptions.len();
        state.index.insert(id, position);
        state.subscriptions.push(subscription);
        Ok(id)
    }

    /// A fresh purchase token, as behind *Configure account now*: base64 text with `+`, `/` and `=` in it, good for
    /// 24 hours. For an unknown subscription, a token that does not resolve.
    #[must_use]
    pub fn purchase_token(&self, id: Uuid) -> String {
        let now = self.now();
        let text = token_text();
        let mut state = self.state();
        if state.find(id).is_some() {
            state.tokens.push(PurchaseToken { text: text.clone(), subscription: id, issued: now });
        }
        text
    }

    /// The address behind *Configure account now*, with a fresh token.
    ///
    /// # Errors
    /// When there is no such subscription, or the publisher has not been registered.
    pub fn landing_address(&self, id: Uuid) -> Result<(String, String), WorldError> {
        let landing = self.state().registration.landing_url.clone();
        if self.state().find(id).is_none() {
            return Err(WorldError(format!("there is no subscription {id}")));
        }
        let token = self.purchase_token(id);
        let separator = if landing.contains('?') { '&' } else { '?' };
        let address = format!("{landing}{separator}token={}", super::exchange::encode(&token));
        Ok((token, if landing.is_empty() { String::new() } else { address }))
    }

    /// The customer asks for another plan or quantity in Microsoft's portal: an operation in progress, accepted after
    /// ten seconds unless refused. The seconds begin when the webhook leaves; where none is registered, at once. Returns
    /// the operation's id. The plan or quantity that it has already is what a revert looks like, and taken.
    ///
    /// # Errors
    /// When there is no such subscription or plan, the quantity does not fit the plan, or another operation is pending.
    pub fn customer_change(&self, id: Uuid, plan_id: Option<&str>, quantity: Option<u32>) -> Result<Uuid, WorldError> {
        let now = self.now();
        let mut state = self.settled(id);
        let found = state.find(id).filter(|found| found.status == Status::Subscribed);
        let locked = || WorldError(format!("{id} is not a subscribed, unlocked subscription"));
        let found = found.ok_or_else(locked)?;
        let change = match (plan_id, quantity) {
            (Some(plan), None) => {
                let known = state.seed.plan(&found.offer_id, plan).ok_or_else(|| no_plan(&found.offer_id, plan))?;
                Change::Plan { plan_id: known.id.clone(), term_unit: known.term_unit.clone() }
            }
            (None, Some(quantity)) => {
                let plan = state.seed.plan(&found.offer_id, &found.plan_id).filter(|plan| plan.per_seat);
                plan.filter(|plan| fits(plan, quantity))
                    .ok_or_else(|| WorldError(format!("{} is not sold with {quantity} seats", found.plan_id)))?;
                Change::Quantity(quantity)
            }
            _ => return Err(WorldError("either another plan, or another quantity of a plan with seats".to_owned())),
        };
        let operation = state.find_mut(id).and_then(|found| found.open_operation(change, now)).ok_or_else(locked)?;
        state.post_events(id);
        self.0.wake.notify_one();
        Ok(operation)
    }
}

fn sell(seed: &Seed, purchase: &Purchase, now: OffsetDateTime) -> Result<Subscription, WorldError> {
    let plan = seed.plan(&purchase.offer_id, &purchase.plan_id);
    let plan = plan.ok_or_else(|| no_plan(&purchase.offer_id, &purchase.plan_id))?;
    let person = |oid| seed.user(oid).ok_or_else(|| WorldError(format!("nobody has the object id {oid}")));
    let (tenant, _) = person(purchase.beneficiary)?;
    let purchaser = purchase.purchaser.unwrap_or(purchase.beneficiary);
    let (purchaser_tenant, _) = person(purchaser)?;
    if let Some(price) = purchase.private_prices.values().find(|price| !is_price(price)) {
        return Err(WorldError(format!("“{price}” is not a price: digits with at most one point")));
    }
    let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "None".to_owned());
    Ok(Subscription {
        // Microsoft's ids say nothing about the time, so neither do these.
        id: random_id(),
        name: if purchase.name.is_empty() { plan.name.clone() } else { purchase.name.clone() },
        publisher_id: seed.publisher.publisher_id.clone(),
        offer_id: purchase.offer_id.clone(),
        plan_id: plan.id.clone(),
        former_plans: Vec::new(),
        term_unit: plan.term_unit.clone(),
        quantity: quantity(plan, purchase.quantity)?,
        beneficiary: purchase.beneficiary,
        purchaser,
        reseller: purchaser_tenant.id != tenant.id,
        market: purchase.market.clone().unwrap_or_else(|| tenant.country.clone()),
        created: now,
        status: Status::Pending,
        auto_activated: purchase.auto_activate,
        activating_since: purchase.auto_activate.then_some(now),
        activations: 0,
        term: None,
        auto_renew: true,
        suspended_since: None,
        ended_at: None,
        session_mode: word(&purchase.session_mode),
        sandbox_type: word(&purchase.sandbox_type),
        private_prices: purchase.private_prices.clone(),
        private_offer_id: purchase.private_offer_id.clone(),
        plan_missing: purchase.plan_missing,
        stop_sell: purchase.stop_sell,
        operations: Vec::new(),
        events: Vec::new(),
        settled_to: now,
    })
}

fn quantity(plan: &Plan, wanted: Option<u32>) -> Result<Option<u32>, WorldError> {
    match (plan.per_seat, wanted) {
        (false, None) => Ok(None),
        (false, Some(_)) => Err(WorldError(format!("{} is not billed by seats", plan.id))),
        (true, wanted) => {
            let wanted = wanted.or(plan.min_quantity).unwrap_or(1);
            if fits(plan, wanted) { Ok(Some(wanted)) } else { Err(WorldError(format!("not {wanted} seats"))) }
        }
    }
}

/// Whether so many seats can be bought.
pub(super) fn fits(plan: &Plan, quantity: u32) -> bool {
    let (least, most) = limits(plan);
    (least..=most).contains(&quantity)
}

/// The fewest and the most seats. Without a maximum it is a million (seen by the authors of Microsoft's emulator).
pub(super) fn limits(plan: &Plan) -> (u32, u32) {
    (plan.min_quantity.unwrap_or(1), plan.max_quantity.unwrap_or(1_000_000))
}

/// As long as the recorded ones, and always with the three characters that careless decoding damages.
fn token_text() -> String {
    let random = SystemRandom::new();
    loop {
        let mut bytes = [0_u8; 136];
        // When the system has no randomness, version 4 ids (which need it too) have already failed.
        if random.fill(&mut bytes).is_err() {
            bytes.fill(0xFB);
        }
        let text = STANDARD.encode(bytes);
        if text.contains('+') && (text.contains('/') || bytes.iter().all(|byte| *byte == 0xFB)) {
            return text;
        }
    }
}
