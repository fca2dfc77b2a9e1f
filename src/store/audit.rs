//! Who changed what: append-only, in the transaction of the change.

use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Tx,
    chain::{Pending, Row},
    erasure::ERASED,
};
use crate::{
    clock::{new_id, to_micros},
    hash::sha256_hex,
    trace::{Step, StepKind},
};

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub subscription_id: Option<Uuid>,
        pub actor: String,
        pub action: String,
        pub detail: String,
        pub at: i64,
        pub position: Option<i64>,
        pub hash: Option<String>,
        pub actor_salt: Option<String>,
        pub actor_digest: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An entry of the audit log. It holds no personal data beyond the actor's (tenant, object).
#[derive(Debug, Clone, Copy)]
pub struct AuditEntry<'a> {
    /// The subscription that was changed; [`HOUSE`](super::HOUSE) for what belongs to none.
    pub subscription_id: Uuid,
    /// `buyer:<tenant>/<object>`, `seatkey`, or the word of an [`Actor`](crate::domain::staff::Actor).
    pub actor: &'a str,
    /// What happened, `verb_noun` in the past tense.
    pub action: &'a str,
    /// The facts, as JSON.
    pub detail: &'a str,
}

/// What of an entry is hashed. The actor is there by class and salted digest alone: erased, the chain still holds.
#[derive(Serialize)]
struct Content<'a> {
    id: Uuid,
    actor_class: &'a str,
    actor_digest: &'a str,
    action: &'a str,
    detail: &'a str,
    at: i64,
}

/// The text that is hashed.
pub(super) fn content(row: &entity::Model) -> String {
    let actor_digest = row.actor_digest.as_deref().unwrap_or_default();
    let actor_class = class(&row.actor);
    let content =
        Content { id: row.id, actor_class, actor_digest, action: &row.action, detail: &row.detail, at: row.at };
    // Texts and numbers always have a JSON form.
    serde_json::to_string(&content).unwrap_or_default()
}

/// What kind of actor: `buyer`, `staff`, `seatkey`. Only buyers are ever erased, so that nobody else can be hidden so.
fn class(actor: &str) -> &str {
    if actor == ERASED { "buyer" } else { actor.split_once(':').map_or(actor, |(class, _)| class) }
}

/// Who it was, so that only somebody who knows the salt can tell.
pub(super) fn actor_digest(salt: &str, actor: &str) -> String {
    sha256_hex(format!("{salt}\n{actor}").as_bytes())
}

impl Tx {
    /// Appends to the audit log, at the commit.
    pub fn record_audit(&self, entry: AuditEntry<'_>, now: OffsetDateTime) {
        let salt = Uuid::new_v4().simple().to_string();
        let row = entity::Model {
            id: new_id(now),
            subscription_id: Some(entry.subscription_id),
            actor: entry.actor.to_owned(),
            action: entry.action.to_owned(),
            detail: entry.detail.to_owned(),
            at: to_micros(now),
            position: None,
            hash: None,
            actor_digest: Some(actor_digest(&salt, entry.actor)),
            actor_salt: Some(salt),
        };
        self.note_step(Step {
            subject: Some(entry.subscription_id),
            reference: Some(row.id.to_string()),
            ..Step::new(now, StepKind::Audit, entry.action)
        });
        let content = content(&row);
        let row = row.into_active_model().reset_all();
        self.append(Pending { subscription_id: entry.subscription_id, content, row: Row::Audit(row) });
    }
}
