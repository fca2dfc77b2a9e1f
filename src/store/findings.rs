//! What a person has to look at. Once for each (subscription, kind, cause); what is found again after it was resolved is
//! open again.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{ExprTrait, OnConflict, SimpleExpr},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, Tx};
use crate::clock::{from_micros, new_id, to_micros};

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "finding")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub subscription_id: Uuid,
        pub kind: String,
        pub cause: String,
        pub detail: String,
        pub found_at: i64,
        pub resolved_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Something that a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The subscription.
    pub subscription_id: Uuid,
    /// What kind: `plan_changed`, `terms_skipped`, `withdrawal_refused`, …
    pub kind: String,
    /// What makes it one and the same when it is found twice.
    pub cause: String,
    /// What was found and what to do, in words.
    pub detail: String,
    /// When.
    pub found_at: OffsetDateTime,
}

impl Store {
    /// What is open for a subscription, oldest first.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_findings(&self, subscription_id: Uuid) -> Result<Vec<Finding>> {
        list(self, entity::Column::SubscriptionId.eq(subscription_id)).await
    }

    /// What is open of all subscriptions, oldest first.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_open_findings(&self, limit: u64) -> Result<Vec<Finding>> {
        use entity::Column;
        let open = entity::Entity::find().filter(Column::ResolvedAt.is_null());
        let rows = open.order_by_asc(Column::FoundAt).order_by_asc(Column::Id).limit(limit).all(self.connection());
        Ok(rows.await?.into_iter().map(from_row).collect())
    }

    /// How many are open.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn count_findings(&self) -> Result<u64> {
        let open = entity::Entity::find().filter(entity::Column::ResolvedAt.is_null());
        Ok(open.count(self.connection()).await?)
    }

    /// What is open of some kinds, of all subscriptions, oldest first.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_findings_of_kinds(&self, kinds: &[&str]) -> Result<Vec<Finding>> {
        list(self, entity::Column::Kind.is_in(kinds.iter().copied())).await
    }
}

impl Tx {
    /// Tells a person, once; it goes to the log, too.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn record_finding(&self, finding: &Finding) -> Result<()> {
        use entity::Column;
        let Finding { subscription_id, kind, cause, detail, found_at } = finding;
        let row = entity::ActiveModel {
            id: Set(new_id(*found_at)),
            subscription_id: Set(*subscription_id),
            kind: Set(kind.clone()),
            cause: Set(cause.clone()),
            detail: Set(detail.clone()),
            found_at: Set(to_micros(*found_at)),
            resolved_at: Set(None),
        };
        let once = OnConflict::columns([Column::SubscriptionId, Column::Kind, Column::Cause]).do_nothing().to_owned();
        let mut written =
            entity::Entity::insert(row).on_conflict(once).exec_without_returning(self.connection()).await?;
        if written == 0 {
            let anew = entity::ActiveModel {
                detail: Set(detail.clone()),
                found_at: Set(to_micros(*found_at)),
                resolved_at: Set(None),
                ..Default::default()
            };
            let same =
                Column::SubscriptionId.eq(*subscription_id).and(Column::Kind.eq(kind)).and(Column::Cause.eq(cause));
            let resolved = same.and(Column::ResolvedAt.is_not_null());
            let result = entity::Entity::update_many().set(anew).filter(resolved).exec(self.connection()).await?;
            written = result.rows_affected;
        }
        if written == 1 {
            tracing::error!(subscription = %subscription_id, kind, cause, detail, "a person has to look at this");
        }
        Ok(())
    }

    /// What was found about a charge is decided: its findings have its id as their cause, or begin with it.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn resolve_charge_findings(
        &self,
        subscription_id: Uuid,
        charge_id: Uuid,
        now: OffsetDateTime,
    ) -> Result<()> {
        use entity::Column;
        let cause = Column::Cause.eq(charge_id.to_string()).or(Column::Cause.starts_with(format!("{charge_id}/")));
        self.resolve(Column::SubscriptionId.eq(subscription_id).and(cause), now).await
    }

    /// One finding is over.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn resolve_finding(&self, finding: &Finding, now: OffsetDateTime) -> Result<()> {
        use entity::Column;
        let this = Column::SubscriptionId
            .eq(finding.subscription_id)
            .and(Column::Kind.eq(&finding.kind))
            .and(Column::Cause.eq(&finding.cause));
        self.resolve(this, now).await
    }

    async fn resolve(&self, these: SimpleExpr, now: OffsetDateTime) -> Result<()> {
        let row = entity::ActiveModel { resolved_at: Set(Some(to_micros(now))), ..Default::default() };
        let open = these.and(entity::Column::ResolvedAt.is_null());
        entity::Entity::update_many().set(row).filter(open).exec(self.connection()).await?;
        Ok(())
    }

    /// What is open for a subscription, oldest first, as this transaction sees it.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_findings(&self, subscription_id: Uuid) -> Result<Vec<Finding>> {
        list(self, entity::Column::SubscriptionId.eq(subscription_id)).await
    }
}

async fn list(reader: &impl Reader, these: SimpleExpr) -> Result<Vec<Finding>> {
    use entity::Column;
    let rows = entity::Entity::find()
        .filter(these.and(Column::ResolvedAt.is_null()))
        .order_by_asc(Column::FoundAt)
        .order_by_asc(Column::Id)
        .all(reader.connection())
        .await?;
    Ok(rows.into_iter().map(from_row).collect())
}

fn from_row(row: entity::Model) -> Finding {
    Finding {
        subscription_id: row.subscription_id,
        kind: row.kind,
        cause: row.cause,
        detail: row.detail,
        found_at: from_micros(row.found_at),
    }
}
