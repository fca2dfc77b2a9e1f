//! What is to be told: every webhook, and the order in which those that wait are due.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ring::digest::{SHA256, digest};
use serde_json::Value;
use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex as Turn;
use uuid::Uuid;

use super::{
    super::{
        event::Event,
        operation::{Progress, Source},
        switches::Switches,
        world::State,
    },
    Webhook, WebhookAnswer, WebhookState, WebhookTry, body,
};

/// How many webhooks are remembered.
const LIMIT: usize = 200_000;
/// How many of its tries a webhook remembers.
const TRIES_KEPT: usize = 20;
/// More copies than this are not made.
const MOST_COPIES: u32 = 100;

/// Microsoft's documentation of the webhook: 500 tries over eight hours.
const MOST_TRIES: u32 = 500;
const PERSISTENCE: Duration = Duration::hours(8);
const PAUSE: Duration = Duration::milliseconds(57_600);

/// A webhook with what only its sender has to know.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) webhook: Webhook,
    pub(super) body: Value,
    source: Source,
    first_try: Option<OffsetDateTime>,
    /// Decides between webhooks that are due at the same time.
    place: u64,
    /// Whoever delivers it holds this: the deliveries of one webhook never overlap.
    pub(super) turn: Arc<Turn<()>>,
}

impl Delivery {
    /// Where it stands in the queue, if it does.
    fn position(&self) -> Option<(OffsetDateTime, u64, u64)> {
        let queued = self.webhook.state == WebhookState::Waiting && !self.webhook.held;
        queued.then_some((self.webhook.due_at, self.place, self.webhook.id))
    }

    /// Whether a 4xx answer rejects a change of the customer.
    fn can_be_rejected(&self) -> bool {
        self.source == Source::Azure && matches!(self.webhook.action, "ChangePlan" | "ChangeQuantity")
    }
}

/// All webhooks, and the queue of those that wait.
#[derive(Debug, Default)]
pub(in super::super) struct Outbox {
    all: BTreeMap<u64, Delivery>,
    queue: BTreeSet<(OffsetDateTime, u64, u64)>,
    last_id: u64,
    last_place: u64,
}

impl Outbox {
    pub(super) fn find(&self, id: u64) -> Option<&Delivery> {
        self.all.get(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Delivery> {
        self.all.values()
    }

    /// Those that are due, by due time.
    pub(super) fn due(&self, now: OffsetDateTime) -> impl Iterator<Item = &Delivery> {
        let end = (now, u64::MAX, u64::MAX);
        self.queue.range(..=end).filter_map(|(_, _, id)| self.all.get(id))
    }

    /// Whether it waits and is due.
    pub(super) fn is_due(&self, id: u64, now: OffsetDateTime) -> bool {
        self.find(id).and_then(Delivery::position).is_some_and(|(due_at, ..)| due_at <= now)
    }

    /// Changes a webhook; its place in the queue follows.
    pub(super) fn update<T>(&mut self, id: u64, change: impl FnOnce(&mut Delivery) -> T) -> Option<T> {
        let delivery = self.all.get_mut(&id)?;
        if let Some(position) = delivery.position() {
            self.queue.remove(&position);
        }
        let changed = change(delivery);
        self.queue.extend(delivery.position());
        Some(changed)
    }

    fn push(&mut self, event: &Event, body: &Value, subscription_id: Uuid, switches: &Switches) {
        self.last_id = self.last_id.saturating_add(1);
        let delivery = Delivery {
            webhook: Webhook {
                id: self.last_id,
                subscription_id,
                operation_id: event.operation_id,
                action: event.action,
                due_at: event.at + Duration::seconds(i64::from(switches.delay_seconds)),
                held: switches.hold,
                tries: 0,
                state: if switches.lose { WebhookState::Lost } else { WebhookState::Waiting },
                answers: Vec::new(),
            },
            body: body.clone(),
            source: event.source,
            first_try: None,
            place: 0,
            turn: Arc::default(),
        };
        self.queue.extend(delivery.position());
        self.all.insert(self.last_id, delivery);
        if self.all.len() > LIMIT
            && let Some((_, oldest)) = self.all.pop_first()
            && let Some(position) = oldest.position()
        {
            self.queue.remove(&position);
        }
    }

    /// Lets held webhooks go, as due at `now`, in the order of their ids or in the one that a seed decides. Returns how
    /// many there were.
    pub(super) fn release(&mut self, now: OffsetDateTime, seed: Option<u64>) -> usize {
        let held = self.all.values().filter(|delivery| delivery.webhook.held);
        let mut ids: Vec<u64> = held.map(|delivery| delivery.webhook.id).collect();
        if let Some(seed) = seed {
            ids.sort_by_key(|id| digest(&SHA256, format!("{seed}/{id}").as_bytes()).as_ref().to_vec());
        }
        for id in &ids {
            self.last_place = self.last_place.saturating_add(1);
            let place = self.last_place;
            self.update(*id, |delivery| {
                (delivery.webhook.held, delivery.place) = (false, place);
                delivery.webhook.due_at = now;
            });
        }
        ids.len()
    }

    /// Records a try. Says what it means for the operation: `Some(true)` accepts it, `Some(false)` fails it.
    pub(super) fn record(&mut self, id: u64, at: OffsetDateTime, answer: &WebhookAnswer) -> Option<bool> {
        self.update(id, |delivery| delivery.record(at, answer)).flatten()
    }
}

impl Delivery {
    fn record(&mut self, at: OffsetDateTime, answer: &WebhookAnswer) -> Option<bool> {
        let rejectable = self.can_be_rejected();
        let first_try = *self.first_try.get_or_insert(at);
        let webhook = &mut self.webhook;
        webhook.tries = webhook.tries.saturating_add(1);
        if webhook.answers.len() >= TRIES_KEPT {
            webhook.answers.remove(0);
        }
        webhook.answers.push(WebhookTry { at, answer: answer.clone() });
        match answer.status() {
            Some(200..=299) => {
                webhook.state = WebhookState::Received;
                (webhook.action == "Reinstate").then_some(true)
            }
            Some(400..=499) if rejectable => {
                webhook.state = WebhookState::Rejected;
                Some(false)
            }
            _ if webhook.state != WebhookState::Waiting => None,
            _ if webhook.tries >= MOST_TRIES || at >= first_try + PERSISTENCE => {
                webhook.state = WebhookState::GivenUp;
                (self.source == Source::Azure).then_some(false)
            }
            _ => {
                webhook.due_at = at + PAUSE;
                None
            }
        }
    }
}

impl State {
    /// Turns what happened to a subscription into webhooks.
    pub(in super::super) fn post_events(&mut self, id: Uuid) {
        if let Some(position) = self.index.get(&id).copied() {
            self.post_events_at(position);
        }
    }

    /// Turns everything that happened into webhooks.
    pub(in super::super) fn post_all_events(&mut self) {
        for position in 0..self.subscriptions.len() {
            self.post_events_at(position);
        }
    }

    fn post_events_at(&mut self, position: usize) {
        let Some(subscription) = self.subscriptions.get_mut(position) else { return };
        let events = std::mem::take(&mut subscription.events);
        if self.registration.webhook_url.is_empty() {
            return;
        }
        for event in &events {
            if event.progress == Progress::InProgress {
                subscription.wait_for_delivery(event.operation_id);
                // Microsoft does not know that it was lost.
                if self.switches.lose && !self.switches.never_auto_accept {
                    subscription.note_delivery(event.operation_id, event.at);
                }
            }
            let body = body::of(&self.seed, event, &self.switches);
            for _ in 0..=self.switches.duplicates.min(MOST_COPIES) {
                self.outbox.push(event, &body, subscription.id, &self.switches);
            }
        }
    }
}
