//! The audit log as a list, the newest first: the order of the ids, backwards.

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    HOUSE, Reader, Result, Store,
    audit::entity::{Column, Entity, Model},
    ranges::{Sorted, newest},
};
use crate::clock::from_micros;

/// What kind of actor an entry names, erased or not: a buyer is who is nobody else. Indexes begin with it, in the same words.
const ACTOR_CLASS: &str = "(CASE WHEN actor LIKE 'staff:%' THEN 'staff' WHEN actor LIKE 'api:%' THEN 'api' \
                           WHEN actor LIKE 'operator:%' THEN 'operator' \
                           WHEN actor IN ('seatkey', 'microsoft') THEN actor ELSE 'buyer' END)";

/// A kind of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// One of the publisher's people.
    Staff,
    /// A buyer, erased or not.
    Buyer,
    /// One of the publisher's programs.
    Api,
    /// Somebody at the command line.
    Operator,
    /// Seatkey itself.
    Seatkey,
    /// Microsoft, by what it told.
    Microsoft,
}

impl Who {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Staff, Self::Buyer, Self::Api, Self::Operator, Self::Seatkey, Self::Microsoft];

    /// The word, as it begins an actor's.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Buyer => "buyer",
            Self::Api => "api",
            Self::Operator => "operator",
            Self::Seatkey => "seatkey",
            Self::Microsoft => "microsoft",
        }
    }
}

/// What is looked for; nothing = all of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditFilter<'a> {
    /// What kind of actor.
    pub who: Option<Who>,
    /// What happened.
    pub action: Option<&'a str>,
    /// The subscription; [`HOUSE`] for what belongs to none.
    pub subscription_id: Option<Uuid>,
}

/// An entry of the audit log as somebody looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedEntry {
    /// Its id.
    pub id: Uuid,
    /// When.
    pub at: OffsetDateTime,
    /// Who did it: the word of an [`Actor`](crate::domain::staff::Actor), `seatkey`, `microsoft`, or that it is erased.
    pub actor: String,
    /// What happened.
    pub action: String,
    /// Where; `None` = it belongs to no subscription.
    pub subscription_id: Option<Uuid>,
    /// The facts, as JSON.
    pub detail: String,
    /// Its place in the chain of its subscription, counted from 1.
    pub position: Option<i64>,
    /// Its hash, in hexadecimal.
    pub hash: Option<String>,
}

impl Store {
    /// The newest entries behind one of them.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_audit(
        &self,
        filter: AuditFilter<'_>,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<ListedEntry>> {
        let who = || filter.who.map(|who| (Expr::cust(ACTOR_CLASS), who.as_str()));
        let action = || filter.action.map(|action| (Expr::col(Column::Action), action));
        let place = Sorted::id(Expr::col(Column::Id), after);
        // What has an index of its own is the range; whatever is asked for beside it stands in the same index.
        let (range, equal, sorted): (Vec<_>, Vec<_>, Vec<_>) = match (filter.subscription_id, filter.who) {
            (Some(id), _) => {
                let of = Sorted::same_id(Expr::col(Column::SubscriptionId), id);
                (Vec::new(), who().into_iter().chain(action()).collect(), vec![of, place])
            }
            (None, Some(_)) => (who().into_iter().chain(action()).collect(), Vec::new(), vec![place]),
            (None, None) => (action().into_iter().collect(), Vec::new(), vec![place]),
        };
        let these = equal.into_iter().fold(Condition::all(), |these, (column, word)| these.add(column.eq(word)));
        let rows = newest(Entity::find().filter(these), &range, &sorted).limit(limit);
        let rows = rows.all(self.connection()).await?;
        Ok(rows.into_iter().map(from_row).collect())
    }

    /// The newest entries of a subscription, in the order of its chain, newest first.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_trail(&self, subscription_id: Uuid, limit: u64) -> Result<Vec<ListedEntry>> {
        let these = Entity::find().filter(Column::SubscriptionId.eq(subscription_id));
        let rows = these.order_by_desc(Column::At).order_by_desc(Column::Position).limit(limit);
        Ok(rows.all(self.connection()).await?.into_iter().map(from_row).collect())
    }
}

fn from_row(row: Model) -> ListedEntry {
    ListedEntry {
        id: row.id,
        at: from_micros(row.at),
        actor: row.actor,
        action: row.action,
        subscription_id: row.subscription_id.filter(|id| *id != HOUSE),
        detail: row.detail,
        position: row.position,
        hash: row.hash,
    }
}
