//! Proposals that wait for a second person; one open one for each subject.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{ExprTrait, SimpleExpr},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, StoreError, Tx};
use crate::{
    clock::{from_micros, to_micros},
    domain::approval::{Proposal, ProposalKind, ProposalState},
};

const TABLE: &str = "approval";

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "approval")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub kind: String,
        pub subject: Uuid,
        pub subscription_id: Option<Uuid>,
        pub body: String,
        pub basis: String,
        pub reason: String,
        pub proposed_by: Uuid,
        pub proposed_at: i64,
        pub expires_at: i64,
        pub state: String,
        pub decided_by: Option<Uuid>,
        pub decided_at: Option<i64>,
        pub decision_reason: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{Column, Entity};

fn from_row(row: entity::Model) -> Result<Proposal> {
    let wrong = |column, what: &str| StoreError::inconsistent(TABLE, column, row.id, what);
    Ok(Proposal {
        id: row.id,
        kind: ProposalKind::from_word(&row.kind).ok_or_else(|| wrong("kind", &row.kind))?,
        state: ProposalState::from_word(&row.state).ok_or_else(|| wrong("state", &row.state))?,
        subject: row.subject,
        subscription_id: row.subscription_id,
        body: row.body,
        basis: row.basis,
        reason: row.reason,
        proposed_by: row.proposed_by,
        proposed_at: from_micros(row.proposed_at),
        expires_at: from_micros(row.expires_at),
    })
}

fn open_at(now: OffsetDateTime) -> SimpleExpr {
    Column::State.eq(ProposalState::Open.as_str()).and(Column::ExpiresAt.gt(to_micros(now)))
}

impl Store {
    /// A proposal.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_proposal(&self, id: Uuid) -> Result<Option<Proposal>> {
        Entity::find_by_id(id).one(self.connection()).await?.map(from_row).transpose()
    }

    /// What can be approved now, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_open_proposals(&self, limit: u64, now: OffsetDateTime) -> Result<Vec<Proposal>> {
        let rows =
            Entity::find().filter(open_at(now)).order_by_asc(Column::ProposedAt).limit(limit).all(self.connection());
        rows.await?.into_iter().map(from_row).collect()
    }

    /// What can be approved now about a subject.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_open_proposal(&self, subject: Uuid, now: OffsetDateTime) -> Result<Option<Proposal>> {
        let first =
            Entity::find().filter(open_at(now).and(Column::Subject.eq(subject))).order_by_asc(Column::ProposedAt);
        first.one(self.connection()).await?.map(from_row).transpose()
    }

    /// How many can be approved now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_open_proposals(&self, now: OffsetDateTime) -> Result<u64> {
        Ok(Entity::find().filter(open_at(now)).count(self.connection()).await?)
    }
}

impl Tx {
    /// A proposal, locked until the end.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn get_proposal(&self, id: Uuid) -> Result<Proposal> {
        let row = Entity::find_by_id(id).lock_exclusive().one(self.connection()).await?;
        let missing = || StoreError::NotFound { table: TABLE, id: id.to_string() };
        row.map(from_row).ok_or_else(missing)?
    }

    /// Keeps a proposal. One whose time is over makes room.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there is an open one about the same.
    pub async fn insert_proposal(&self, new: &Proposal) -> Result<()> {
        let over = Column::Kind
            .eq(new.kind.as_str())
            .and(Column::Subject.eq(new.subject))
            .and(Column::State.eq(ProposalState::Open.as_str()))
            .and(Column::ExpiresAt.lte(to_micros(new.proposed_at)));
        let refused = entity::ActiveModel {
            state: Set(ProposalState::Refused.as_str().to_owned()),
            decision_reason: Set(Some("its time was over".to_owned())),
            ..Default::default()
        };
        Entity::update_many().set(refused).filter(over).exec(self.connection()).await?;
        let row = entity::ActiveModel {
            id: Set(new.id),
            kind: Set(new.kind.as_str().to_owned()),
            subject: Set(new.subject),
            subscription_id: Set(new.subscription_id),
            body: Set(new.body.clone()),
            basis: Set(new.basis.clone()),
            reason: Set(new.reason.clone()),
            proposed_by: Set(new.proposed_by),
            proposed_at: Set(to_micros(new.proposed_at)),
            expires_at: Set(to_micros(new.expires_at)),
            state: Set(new.state.as_str().to_owned()),
            decided_by: Set(None),
            decided_at: Set(None),
            decision_reason: Set(None),
        };
        Entity::insert(row).exec_without_returning(self.connection()).await?;
        Ok(())
    }

    /// Somebody has decided.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else was faster.
    pub async fn decide_proposal(
        &self,
        id: Uuid,
        (state, by): (ProposalState, Uuid),
        reason: &str,
        now: OffsetDateTime,
    ) -> Result<()> {
        let row = entity::ActiveModel {
            state: Set(state.as_str().to_owned()),
            decided_by: Set(Some(by)),
            decided_at: Set(Some(to_micros(now))),
            decision_reason: Set(Some(reason.to_owned())),
            ..Default::default()
        };
        let open = Column::Id.eq(id).and(Column::State.eq(ProposalState::Open.as_str()));
        let done = Entity::update_many().set(row).filter(open).exec(self.connection()).await?;
        if done.rows_affected == 1 { Ok(()) } else { Err(StoreError::Conflict(TABLE)) }
    }
}
