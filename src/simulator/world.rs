//! The state of everything at Microsoft's end, and the verbs that change it from outside.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use tokio::sync::Notify;
use url::Url;
use uuid::Uuid;

use super::{
    bounded::Bounded,
    entra::{keys::KeyRing, token::Code},
    faults::Faults,
    fulfillment::wire,
    journal::{self, RecordedRequest},
    mail::Mails,
    metering::Book,
    page::Pages,
    purchase::PurchaseToken,
    seed::Seed,
    subscription::Subscription,
    switches::Switches,
    vault::Shelf,
    webhook::{self, Outbox},
};
use crate::clock::AdvanceableClock;

/// Something that the simulated world does not have or cannot do; the text is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldError(pub(super) String);

impl std::fmt::Display for WorldError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for WorldError {}

/// Where the publisher's software is; set at run time, as in Partner Center and in the app registrations.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registration {
    /// The landing page.
    #[serde(default)]
    pub landing_url: String,
    /// The connection webhook.
    #[serde(default)]
    pub webhook_url: String,
    /// The sign-in addresses that Entra may send people back to.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
}

/// The in-process handle on the simulated world: the same verbs as the control API. Clones share the world.
#[derive(Clone)]
pub struct World(pub(super) Arc<Inner>);

impl std::fmt::Debug for World {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("World").field(&self.0.base_url.as_str()).finish()
    }
}

pub(super) struct Inner {
    pub(super) clock: Arc<dyn AdvanceableClock>,
    pub(super) base_url: Url,
    pub(super) activation_delay: Duration,
    pub(super) keys: KeyRing,
    pub(super) pages: Pages,
    /// Calls the publisher's webhook.
    pub(super) http: reqwest::Client,
    /// Something has to be sent, or the clock was moved.
    pub(super) wake: Notify,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) seed: Seed,
    pub(super) registration: Registration,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) index: HashMap<Uuid, usize>,
    pub(super) tokens: Bounded<PurchaseToken>,
    pub(super) codes: Bounded<Code>,
    pub(super) journal: Bounded<RecordedRequest>,
    pub(super) mails: Mails,
    pub(super) faults: Faults,
    pub(super) expired_secrets: Vec<Uuid>,
    pub(super) key_rotations: usize,
    pub(super) switches: Switches,
    pub(super) outbox: Outbox,
    pub(super) usage: Book,
    pub(super) vault: Shelf,
}

impl State {
    fn new(seed: Seed) -> Self {
        Self {
            seed,
            registration: Registration::default(),
            subscriptions: Vec::new(),
            index: HashMap::new(),
            tokens: Bounded::new(20_000),
            codes: Bounded::new(10_000),
            journal: Bounded::new(journal::LIMIT),
            mails: Mails::default(),
            faults: Faults::default(),
            expired_secrets: Vec::new(),
            key_rotations: 0,
            switches: Switches::default(),
            outbox: Outbox::default(),
            usage: Book::default(),
            vault: Shelf::default(),
        }
    }

    pub(super) fn find(&self, id: Uuid) -> Option<&Subscription> {
        self.subscriptions.get(*self.index.get(&id)?)
    }

    pub(super) fn find_mut(&mut self, id: Uuid) -> Option<&mut Subscription> {
        self.subscriptions.get_mut(*self.index.get(&id)?)
    }
}

impl World {
    pub(super) fn new(
        clock: Arc<dyn AdvanceableClock>,
        base_url: Url,
        activation_delay: Duration,
        seed: Seed,
    ) -> std::io::Result<Self> {
        let keys = KeyRing::load()?;
        let pages = Pages::load().map_err(std::io::Error::other)?;
        let http = webhook::client().map_err(std::io::Error::other)?;
        let wake = Notify::new();
        let state = Mutex::new(State::new(seed));
        Ok(Self(Arc::new(Inner { clock, base_url, activation_delay, keys, pages, http, wake, state })))
    }

    /// The state. A panic elsewhere leaves it usable: every change is made in one go.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state with one subscription brought up to the present.
    pub(super) fn settled(&self, id: Uuid) -> MutexGuard<'_, State> {
        let (now, delay) = (self.now(), self.0.activation_delay);
        let mut state = self.state();
        if let Some(subscription) = state.find_mut(id) {
            subscription.settle(now, delay);
        }
        state.post_events(id);
        state
    }

    /// Changes a subscription that was brought up to the present, and tells what happened to it. Nothing when there is
    /// none with this id.
    pub(super) fn change<T>(&self, id: Uuid, change: impl FnOnce(&mut Subscription) -> T) -> Option<T> {
        let mut state = self.settled(id);
        let changed = state.find_mut(id).map(change);
        state.post_events(id);
        drop(state);
        self.0.wake.notify_one();
        changed
    }

    /// The state with everything brought up to the present.
    pub(super) fn all_settled(&self) -> MutexGuard<'_, State> {
        let (now, delay) = (self.now(), self.0.activation_delay);
        let mut state = self.state();
        state.subscriptions.iter_mut().for_each(|subscription| subscription.settle(now, delay));
        state.post_all_events();
        state
    }

    /// The simulator's present.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.0.clock.now()
    }

    /// Moves the simulator's clock forward; what became due happens.
    ///
    /// # Errors
    /// When the clock is mirrored to a file that cannot be written.
    pub fn advance(&self, by: Duration) -> std::io::Result<()> {
        self.0.clock.advance(by)?;
        drop(self.all_settled());
        self.0.wake.notify_one();
        Ok(())
    }

    /// Tells Partner Center and Entra where the publisher's software is.
    pub fn register_publisher(
        &self,
        landing_url: &str,
        webhook_url: &str,
        redirect_uris: impl IntoIterator<Item: AsRef<str>>,
    ) {
        self.register(Registration {
            landing_url: landing_url.to_owned(),
            webhook_url: webhook_url.to_owned(),
            redirect_uris: redirect_uris.into_iter().map(|uri| uri.as_ref().to_owned()).collect(),
        });
    }

    /// As [`World::register_publisher`].
    pub fn register(&self, registration: Registration) {
        self.state().registration = registration;
    }

    /// The subscription as the fulfillment API shows it; `null` when there is none with this id.
    #[must_use]
    pub fn subscription(&self, id: Uuid) -> serde_json::Value {
        let state = self.settled(id);
        let shown = state.find(id).map(|subscription| wire::SubscriptionBody::of(&state.seed, subscription));
        serde_json::to_value(shown).unwrap_or_default()
    }

    /// The ids of all subscriptions, in the order of purchase.
    #[must_use]
    pub fn subscription_ids(&self) -> Vec<Uuid> {
        self.state().subscriptions.iter().map(|subscription| subscription.id).collect()
    }
}

pub(super) fn no_plan(offer_id: &str, plan_id: &str) -> WorldError {
    WorldError(format!("the seed has no plan {plan_id} in an offer {offer_id}"))
}
