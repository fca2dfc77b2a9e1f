//! The caller of the publisher's connection webhook.
//!
//! Owns: what is to be told, when, how often, and what the answers mean. Events come from the subscriptions
//! ([`super::event`]). Nothing is sent by itself unless the simulator was started with `deliver_webhooks`: tests decide
//! when, in which order and how often each one arrives.

mod body;
pub(super) mod control;
pub(super) mod courier;
mod outbox;
mod verbs;

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

pub(super) use self::{courier::client, outbox::Outbox};
use super::terms;

/// One event that is told to the publisher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Counted from 1 in the order of the events' arrival.
    pub id: u64,
    /// The subscription.
    pub subscription_id: Uuid,
    /// The `id` in the body; copies have the same one.
    pub operation_id: Uuid,
    /// `Renew` and so on.
    pub action: &'static str,
    /// When it is sent, or was to be sent the last time.
    #[serde(serialize_with = "terms::write")]
    pub due_at: OffsetDateTime,
    /// Whether it waits for its release.
    pub held: bool,
    /// How often it was sent.
    pub tries: u32,
    /// How far it is.
    pub state: WebhookState,
    /// The last tries (at most 20), oldest first.
    pub answers: Vec<WebhookTry>,
}

/// How far a webhook is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookState {
    /// To be sent, for the first time or again.
    Waiting,
    /// Answered with 2xx.
    Received,
    /// A customer's change was answered with 4xx: it failed.
    Rejected,
    /// Not received within 500 tries and eight hours.
    GivenUp,
    /// Never sent by itself.
    Lost,
}

/// One try and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookTry {
    /// By the simulator's clock.
    #[serde(serialize_with = "terms::write")]
    pub at: OffsetDateTime,
    /// What came back.
    #[serde(flatten)]
    pub answer: WebhookAnswer,
}

/// What a try came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum WebhookAnswer {
    /// The status of the answer.
    Status(u16),
    /// There was none; why, for people.
    NoAnswer(String),
}

impl WebhookAnswer {
    /// The status, where there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status(status) => Some(*status),
            Self::NoAnswer(_) => None,
        }
    }
}

/// What a try sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebhookRequest {
    /// The header of this name.
    pub authorization: String,
    /// The JSON.
    pub body: String,
}
