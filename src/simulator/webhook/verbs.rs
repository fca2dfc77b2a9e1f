//! What tests and people do with webhooks.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use uuid::Uuid;

use super::{
    super::{
        entra::webhook_token,
        switches::{HostileToken, TokenVersion},
        world::{World, WorldError},
    },
    Webhook, WebhookAnswer, WebhookRequest, WebhookState, courier,
};

/// What leaves, and what its answer counts for.
struct Parcel {
    url: String,
    body: String,
    version: TokenVersion,
    hostile: Option<HostileToken>,
}

impl World {
    /// Every webhook, in the order of its id (the last 200,000).
    #[must_use]
    pub fn webhooks(&self) -> Vec<Webhook> {
        self.all_settled().outbox.iter().map(|delivery| delivery.webhook.clone()).collect()
    }

    /// The webhooks of one subscription, in the order of their ids.
    #[must_use]
    pub fn webhooks_of(&self, subscription_id: Uuid) -> Vec<Webhook> {
        let state = self.settled(subscription_id);
        let all = state.outbox.iter().map(|delivery| &delivery.webhook);
        all.filter(|webhook| webhook.subscription_id == subscription_id).cloned().collect()
    }

    /// Exactly what a try would send now, with a fresh token.
    ///
    /// # Errors
    /// When there is no such webhook.
    pub fn webhook_request(&self, id: u64) -> Result<WebhookRequest, WorldError> {
        let hostile = self.state().switches.hostile_token;
        self.wrap(&self.parcel(id, hostile, |_| {})?)
    }

    /// The JSON that a try would send; without a token, which takes a signature.
    ///
    /// # Errors
    /// When there is no such webhook.
    pub fn webhook_body(&self, id: u64) -> Result<String, WorldError> {
        Ok(self.parcel(id, None, |_| {})?.body)
    }

    /// One try now, whatever its due time; also of one that was received already (a duplicate), held or lost.
    ///
    /// # Errors
    /// When there is no such webhook.
    pub async fn deliver(&self, id: u64) -> Result<WebhookAnswer, WorldError> {
        let turn = Arc::clone(&self.state().outbox.find(id).ok_or_else(|| unknown(id))?.turn);
        let turn = turn.lock().await;
        let answer = self.attempt(id).await;
        drop(turn);
        answer
    }

    /// One try of everything that is due by the clock, one after the other in the order of due time. Returns how many
    /// were tried.
    pub async fn deliver_due(&self) -> usize {
        let due: Vec<u64> = {
            let now = self.now();
            self.all_settled().outbox.due(now).map(|delivery| delivery.webhook.id).collect()
        };
        let mut tried = 0;
        for id in due {
            tried += usize::from(self.deliver_if_due(id).await == Ok(true));
        }
        tried
    }

    /// Sends a webhook's body with changes under a valid token, as a forger with a stolen token would. The answer
    /// counts for nothing at Microsoft's end.
    ///
    /// # Errors
    /// When there is no such webhook.
    pub async fn deliver_as(&self, id: u64, change: impl FnOnce(&mut Value)) -> Result<WebhookAnswer, WorldError> {
        let parcel = self.parcel(id, None, change)?;
        let request = self.wrap(&parcel)?;
        Ok(courier::post(&self.0.http, &parcel.url, request).await)
    }

    /// Lets the held webhooks go; they are due now, in the order of their ids, or in one that the seed decides. Returns
    /// how many there were.
    pub fn release_webhooks(&self, seed: Option<u64>) -> usize {
        let now = self.now();
        let released = self.state().outbox.release(now, seed);
        self.0.wake.notify_one();
        released
    }

    /// A waiting webhook is never sent by itself any more. `false` when there is no such webhook, or it does not wait.
    pub fn lose_webhook(&self, id: u64) -> bool {
        let now = self.now();
        let mut state = self.state();
        let lost = state.outbox.update(id, |delivery| {
            let waiting = delivery.webhook.state == WebhookState::Waiting;
            if waiting {
                delivery.webhook.state = WebhookState::Lost;
            }
            waiting.then_some((delivery.webhook.subscription_id, delivery.webhook.operation_id))
        });
        let Some((subscription, operation)) = lost.flatten() else { return false };
        if !state.switches.never_auto_accept
            && let Some(found) = state.find_mut(subscription)
        {
            found.note_delivery(operation, now);
        }
        true
    }

    /// Whether nothing is on its way: no webhook that is due, no open operation.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let now = self.now();
        let state = self.all_settled();
        let mut subscriptions = state.subscriptions.iter();
        state.outbox.due(now).next().is_none() && subscriptions.all(|found| found.pending_operation().is_none())
    }

    /// What is due, by subscription, each in the order of due time.
    pub(super) fn due_lanes(&self) -> BTreeMap<Uuid, Vec<u64>> {
        let now = self.now();
        let mut lanes: BTreeMap<Uuid, Vec<u64>> = BTreeMap::new();
        for delivery in self.all_settled().outbox.due(now) {
            lanes.entry(delivery.webhook.subscription_id).or_default().push(delivery.webhook.id);
        }
        lanes
    }

    /// One try, if it is still due when its turn comes. Says whether there was one.
    pub(super) async fn deliver_if_due(&self, id: u64) -> Result<bool, WorldError> {
        let turn = Arc::clone(&self.state().outbox.find(id).ok_or_else(|| unknown(id))?.turn);
        let turn = turn.lock().await;
        let now = self.now();
        let due = self.state().outbox.is_due(id, now);
        if due {
            self.attempt(id).await?;
        }
        drop(turn);
        Ok(due)
    }

    async fn attempt(&self, id: u64) -> Result<WebhookAnswer, WorldError> {
        let at = self.now();
        let hostile = self.state().switches.hostile_token.take();
        let parcel = self.parcel(id, hostile, |_| {})?;
        let request = self.wrap(&parcel)?;
        if hostile.is_some() {
            return Ok(courier::post(&self.0.http, &parcel.url, request).await);
        }
        self.begin(id);
        let answer = courier::post(&self.0.http, &parcel.url, request).await;
        self.count(id, at, &answer);
        Ok(answer)
    }

    /// The ten seconds of the publisher's answer begin.
    fn begin(&self, id: u64) {
        let now = self.now();
        let mut state = self.state();
        let asked = state.outbox.find(id).map(|delivery| &delivery.webhook);
        let asked = asked.map(|webhook| (webhook.subscription_id, webhook.operation_id));
        let Some((subscription, operation)) = asked.filter(|_| !state.switches.never_auto_accept) else { return };
        if let Some(found) = state.find_mut(subscription) {
            found.note_delivery(operation, now);
        }
    }

    /// Records the answer, and lets it have its effect.
    fn count(&self, id: u64, at: time::OffsetDateTime, answer: &WebhookAnswer) {
        let now = self.now();
        let told =
            self.state().outbox.find(id).map(|found| (found.webhook.subscription_id, found.webhook.operation_id));
        let Some((subscription, operation)) = told else { return };
        // An answer that comes after the ten seconds is too late.
        let mut state = self.settled(subscription);
        let verdict = state.outbox.record(id, at, answer);
        if let (Some(accepted), Some(found)) = (verdict, state.find_mut(subscription)) {
            found.conclude(operation, accepted, now);
        }
        state.post_events(subscription);
    }

    fn parcel(
        &self,
        id: u64,
        hostile: Option<HostileToken>,
        change: impl FnOnce(&mut Value),
    ) -> Result<Parcel, WorldError> {
        let state = self.state();
        let mut body = state.outbox.find(id).ok_or_else(|| unknown(id))?.body.clone();
        change(&mut body);
        Ok(Parcel {
            url: state.registration.webhook_url.clone(),
            body: body.to_string(),
            version: state.switches.token_version,
            hostile,
        })
    }

    fn wrap(&self, parcel: &Parcel) -> Result<WebhookRequest, WorldError> {
        let token = match parcel.hostile {
            Some(kind) => webhook_token::mint_hostile(self, parcel.version, kind),
            None => webhook_token::mint(self, parcel.version),
        };
        let token = token.ok_or_else(|| WorldError("the token cannot be signed".to_owned()))?;
        Ok(WebhookRequest { authorization: format!("Bearer {token}"), body: parcel.body.clone() })
    }
}

fn unknown(id: u64) -> WorldError {
    WorldError(format!("there is no webhook {id}"))
}
