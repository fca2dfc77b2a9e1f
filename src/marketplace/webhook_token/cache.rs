//! When Entra's keys are fetched.
//!
//! At the first token, once a day after that, and when a token names a key that is not known. The last is what anybody may
//! cause, so it happens at most once in five minutes. The bound that follows: whatever is thrown at us, a new key of
//! Entra's is noticed at the first token after it is published, and at the latest five minutes after the fetch before it.
//! Until then its tokens are answered with 503, and Microsoft sends them again (about once a minute, for eight hours).

use std::sync::Arc;

use time::{Duration, OffsetDateTime};
use tokio::sync::{Mutex, OwnedMutexGuard, RwLock};

use super::{
    TokenRefused,
    keys::{KeySet, KeySource},
};
use crate::clock::SharedClock;

/// Keys are fetched anew at most this often, whatever tokens come.
const REFETCH_PAUSE: Duration = Duration::minutes(5);
/// After a failure sooner, so that an outage of Entra's does not outlast itself; and not at once, so that not every token
/// of a flood waits for Entra.
const RETRY_PAUSE: Duration = Duration::seconds(30);
/// And at least this often: a key that Entra has withdrawn must not be trusted for ever.
const LIFETIME: Duration = Duration::hours(24);
/// For so long the last copy does when Entra does not answer. Entra's outages last hours; its keys live for weeks.
const LONGEST_LIFETIME: Duration = Duration::hours(72);

/// The keys that are held, and the one fetch that may be under way.
#[derive(Debug)]
pub(in super::super) struct KeyCache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: KeySource,
    clock: SharedClock,
    held: RwLock<Option<Arc<KeySet>>>,
    /// Held for the time of a fetch, so that whoever needs one waits for that of another.
    last_fetch: Arc<Mutex<Option<Fetch>>>,
}

#[derive(Debug)]
struct Fetch {
    at: OffsetDateTime,
    failure: Option<String>,
}

impl KeyCache {
    pub(super) fn new(source: KeySource, clock: SharedClock) -> Self {
        let (held, last_fetch) = (RwLock::default(), Arc::default());
        Self(Arc::new(Inner { source, clock, held, last_fetch }))
    }

    /// Fetches what is published, for a check: nothing is kept. Gives how many keys there are.
    pub(in super::super) async fn try_source(&self, now: OffsetDateTime) -> Result<usize, String> {
        self.0.source.fetch(now).await.map(|keys| keys.len())
    }

    /// The keys, with this one among them; fetched where that is needed and allowed.
    pub(super) async fn knowing(&self, kid: &str) -> Result<Arc<KeySet>, TokenRefused> {
        let known = self.0.find(kid).await;
        if let Some(keys) = known.as_ref().filter(|keys| self.0.is_within(keys.fetched_at, LIFETIME)) {
            return Ok(Arc::clone(keys));
        }
        let lock = Arc::clone(&self.0.last_fetch);
        let turn = match known {
            // Only one token a day waits for the fresh copy.
            Some(keys) => match lock.try_lock_owned() {
                Ok(turn) => turn,
                Err(_) => return Ok(keys),
            },
            None => lock.lock_owned().await,
        };
        let inner = Arc::clone(&self.0);
        // Of its own, so that a caller who hangs up does not end the fetch for which others wait.
        let fetched = tokio::spawn(async move { inner.fetch_if_due(turn).await }).await;
        let failure = fetched.unwrap_or_else(|error| Some(error.to_string()));
        match (self.0.find(kid).await, failure) {
            (Some(keys), _) => Ok(keys),
            (None, Some(failure)) => Err(TokenRefused::KeysUnreachable(failure)),
            (None, None) => Err(TokenRefused::KeyUnknown),
        }
    }
}

impl Inner {
    /// The held keys, when they are young enough to be used at all and have this one.
    async fn find(&self, kid: &str) -> Option<Arc<KeySet>> {
        let held = self.held.read().await;
        let usable = held.as_ref().filter(|keys| self.clock.now() - keys.fetched_at < LONGEST_LIFETIME);
        usable.filter(|keys| keys.knows(kid)).map(Arc::clone)
    }

    /// A clock that was set back counts as time that has passed.
    fn is_within(&self, since: OffsetDateTime, span: Duration) -> bool {
        (Duration::ZERO..span).contains(&(self.clock.now() - since))
    }

    /// Fetches, unless somebody just has. Says why the last fetch failed, if it did.
    async fn fetch_if_due(&self, mut last: OwnedMutexGuard<Option<Fetch>>) -> Option<String> {
        if let Some(fetch) = last.as_ref() {
            let pause = if fetch.failure.is_some() { RETRY_PAUSE } else { REFETCH_PAUSE };
            if self.is_within(fetch.at, pause) {
                return fetch.failure.clone();
            }
        }
        let now = self.clock.now();
        let failure = match self.source.fetch(now).await {
            Ok(keys) => {
                tracing::info!(keys = keys.len(), "Entra's keys for the webhook are fetched");
                *self.held.write().await = Some(Arc::new(keys));
                None
            }
            Err(error) => {
                tracing::warn!(error, "Entra's keys for the webhook cannot be fetched");
                Some(error)
            }
        };
        *last = Some(Fetch { at: now, failure: failure.clone() });
        failure
    }
}
