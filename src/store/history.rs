//! Every step of every charge, append-only, in the chain of its subscription.

use sea_orm::ActiveValue::Set;
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Tx,
    chain::{Pending, Row},
    charges, usage_events,
};
use crate::clock::{new_id, to_micros};

pub use entity::*;

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "charge_history")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub charge_id: Uuid,
        pub state: String,
        pub reason: String,
        pub at: i64,
        pub subscription_id: Option<Uuid>,
        pub usage_event_id: Option<Uuid>,
        pub position: Option<i64>,
        pub hash: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What of a step is hashed: the step, with the charge when it is its first one, and with the slot and the bytes when it
/// takes one.
#[derive(Serialize)]
struct Content<'a> {
    id: Uuid,
    charge_id: Uuid,
    state: &'a str,
    reason: &'a str,
    at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    charge: Option<charges::Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_event: Option<usage_events::Content<'a>>,
}

/// A step of a charge that is about to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken<'a> {
    pub(super) subscription_id: Uuid,
    pub(super) charge_id: Uuid,
    pub(super) state: &'a str,
    pub(super) reason: &'a str,
    /// The charge, when this is its first step.
    pub(super) charge: Option<&'a charges::entity::Model>,
    /// The slot, when this takes one.
    pub(super) usage_event: Option<&'a usage_events::entity::Model>,
}

impl Tx {
    /// Writes a step, at the commit.
    pub(super) fn append_step(&self, step: Taken<'_>, now: OffsetDateTime) {
        let row = Model {
            id: new_id(now),
            charge_id: step.charge_id,
            state: step.state.to_owned(),
            reason: step.reason.to_owned(),
            at: to_micros(now),
            subscription_id: Some(step.subscription_id),
            usage_event_id: step.usage_event.map(|event| event.id),
            position: None,
            hash: None,
        };
        let content = content(&row, step.charge, step.usage_event);
        let row = ActiveModel {
            id: Set(row.id),
            charge_id: Set(row.charge_id),
            state: Set(row.state),
            reason: Set(row.reason),
            at: Set(row.at),
            subscription_id: Set(row.subscription_id),
            usage_event_id: Set(row.usage_event_id),
            ..Default::default()
        };
        self.append(Pending { subscription_id: step.subscription_id, content, row: Row::Charge(row) });
    }
}

/// The text that is hashed.
pub(super) fn content(
    row: &Model,
    charge: Option<&charges::entity::Model>,
    usage_event: Option<&usage_events::entity::Model>,
) -> String {
    let content = Content {
        id: row.id,
        charge_id: row.charge_id,
        state: &row.state,
        reason: &row.reason,
        at: row.at,
        charge: charge.map(charges::content),
        usage_event: usage_event.map(usage_events::content),
    };
    // Texts and numbers always have a JSON form.
    serde_json::to_string(&content).unwrap_or_default()
}
