//! Subscriptions, with their row version.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::ExprTrait,
};
use time::{Date, OffsetDateTime, macros::format_description};
use uuid::Uuid;

use super::{Reader, Result, StoreError, Tx};
use crate::{
    clock::{from_micros, to_micros},
    domain::{
        policy::{Identity, PERSONAL_ACCOUNTS},
        subscription::{MicrosoftStatus, Party, Snapshot, Stage, Subscription},
        time::{Term, TermUnit},
    },
};

const TABLE: &str = "subscription";

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "subscription")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub offer_id: String,
        pub plan_id: String,
        pub name: String,
        pub beneficiary_tenant_id: Option<Uuid>,
        pub beneficiary_object_id: Option<Uuid>,
        pub beneficiary_email: String,
        pub purchaser_tenant_id: Option<Uuid>,
        pub purchaser_object_id: Option<Uuid>,
        pub purchaser_email: String,
        pub microsoft_status: String,
        pub term_unit: Option<String>,
        pub term_start: Option<String>,
        pub term_end: Option<String>,
        pub auto_renew: bool,
        pub update_allowed: bool,
        pub is_test: bool,
        pub quantity: Option<i64>,
        pub stage: String,
        pub enrolled_at: Option<i64>,
        pub activated_at: Option<i64>,
        pub users: Option<i64>,
        pub segment: Option<String>,
        pub created_at: i64,
        pub updated_at: i64,
        pub version: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A subscription by Microsoft's id.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn find(reader: &impl Reader, id: Uuid) -> Result<Option<Subscription>> {
    entity::Entity::find_by_id(id).one(reader.connection()).await?.map(from_row).transpose()
}

impl super::Store {
    /// A subscription by Microsoft's id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_subscription(&self, id: Uuid) -> Result<Option<Subscription>> {
        find(self, id).await
    }

    /// What a signed-in person may at least look at, newest first: their own, and those of their tenant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_subscriptions_of(&self, who: Identity, limit: u64) -> Result<Vec<Subscription>> {
        use entity::Column;
        let party = |tenant: Column, object: Column| {
            let own = tenant.eq(who.tenant_id).and(object.eq(who.object_id));
            if who.tenant_id == PERSONAL_ACCOUNTS { own } else { tenant.eq(who.tenant_id) }
        };
        let rows = entity::Entity::find()
            .filter(
                Condition::any()
                    .add(party(Column::BeneficiaryTenantId, Column::BeneficiaryObjectId))
                    .add(party(Column::PurchaserTenantId, Column::PurchaserObjectId)),
            )
            .order_by_desc(Column::CreatedAt)
            .limit(limit)
            .all(self.connection())
            .await?;
        rows.into_iter().map(from_row).collect()
    }
}

impl Tx {
    /// A subscription by Microsoft's id, as this transaction sees it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not there.
    pub async fn get_subscription(&self, id: Uuid) -> Result<Subscription> {
        find(self, id).await?.ok_or_else(|| StoreError::NotFound { table: TABLE, id: id.to_string() })
    }

    /// The same, where it may be new.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_subscription(&self, id: Uuid) -> Result<Option<Subscription>> {
        find(self, id).await
    }

    /// A subscription that is seen for the first time.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another process was faster.
    pub async fn insert_subscription(&self, subscription: &Subscription, now: OffsetDateTime) -> Result<()> {
        let mut row = to_row(subscription, now);
        row.created_at = Set(to_micros(now));
        entity::Entity::insert(row).exec_without_returning(self.connection()).await?;
        Ok(())
    }

    /// Writes a changed subscription, if nobody else has since it was read; its version grows by one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody has.
    pub async fn update_subscription(&self, subscription: &Subscription, now: OffsetDateTime) -> Result<()> {
        use entity::Column;
        let mut row = to_row(subscription, now);
        row.version = Set(subscription.version + 1);
        let result = entity::Entity::update_many()
            .set(row)
            .filter(Column::Id.eq(subscription.microsoft.id).and(Column::Version.eq(subscription.version)))
            .exec(self.connection())
            .await?;
        if result.rows_affected == 1 { Ok(()) } else { Err(StoreError::Conflict(TABLE)) }
    }
}

fn to_row(subscription: &Subscription, now: OffsetDateTime) -> entity::ActiveModel {
    let Snapshot { beneficiary, purchaser, .. } = &subscription.microsoft;
    let microsoft = &subscription.microsoft;
    let (stage, enrolled_at, activated_at) = match subscription.stage {
        Stage::AwaitingEnrolment => ("awaiting_enrolment", None, None),
        Stage::Activating { enrolled_at } => ("activating", Some(enrolled_at), None),
        Stage::Active { enrolled_at, activated_at } => ("active", Some(enrolled_at), Some(activated_at)),
    };
    entity::ActiveModel {
        id: Set(microsoft.id),
        offer_id: Set(microsoft.offer_id.clone()),
        plan_id: Set(microsoft.plan_id.clone()),
        name: Set(microsoft.name.clone()),
        beneficiary_tenant_id: Set(beneficiary.tenant_id),
        beneficiary_object_id: Set(beneficiary.object_id),
        beneficiary_email: Set(beneficiary.email.clone()),
        purchaser_tenant_id: Set(purchaser.tenant_id),
        purchaser_object_id: Set(purchaser.object_id),
        purchaser_email: Set(purchaser.email.clone()),
        microsoft_status: Set(microsoft.status.as_str().to_owned()),
        term_unit: Set(microsoft.term_unit.as_ref().map(|unit| unit.as_str().to_owned())),
        term_start: Set(microsoft.term.map(|term| term.start.to_string())),
        term_end: Set(microsoft.term.map(|term| term.end.to_string())),
        auto_renew: Set(microsoft.auto_renew),
        update_allowed: Set(microsoft.update_allowed),
        is_test: Set(microsoft.is_test),
        quantity: Set(microsoft.quantity.map(i64::from)),
        stage: Set(stage.to_owned()),
        enrolled_at: Set(enrolled_at.map(to_micros)),
        activated_at: Set(activated_at.map(to_micros)),
        users: Set(subscription.users.map(i64::from)),
        segment: Set(subscription.segment.clone()),
        updated_at: Set(to_micros(now)),
        version: Set(subscription.version),
        ..Default::default()
    }
}

fn from_row(row: entity::Model) -> Result<Subscription> {
    let stage = stage_of(&row)?;
    let term = term_of(&row)?;
    let party = |tenant_id, object_id, email| Party { tenant_id, object_id, email };
    Ok(Subscription {
        microsoft: Snapshot {
            id: row.id,
            offer_id: row.offer_id,
            plan_id: row.plan_id,
            name: row.name,
            status: MicrosoftStatus::new(&row.microsoft_status),
            beneficiary: party(row.beneficiary_tenant_id, row.beneficiary_object_id, row.beneficiary_email),
            purchaser: party(row.purchaser_tenant_id, row.purchaser_object_id, row.purchaser_email),
            term_unit: row.term_unit.as_deref().map(TermUnit::new),
            term,
            auto_renew: row.auto_renew,
            update_allowed: row.update_allowed,
            is_test: row.is_test,
            quantity: row.quantity.map(|quantity| count(row.id, "quantity", quantity)).transpose()?,
        },
        stage,
        users: row.users.map(|users| count(row.id, "users", users)).transpose()?,
        segment: row.segment,
        version: row.version,
    })
}

fn stage_of(row: &entity::Model) -> Result<Stage> {
    let instant = |micros: Option<i64>| micros.map(from_micros);
    match (row.stage.as_str(), instant(row.enrolled_at), instant(row.activated_at)) {
        ("awaiting_enrolment", _, _) => Ok(Stage::AwaitingEnrolment),
        ("activating", Some(enrolled_at), _) => Ok(Stage::Activating { enrolled_at }),
        ("active", Some(enrolled_at), Some(activated_at)) => Ok(Stage::Active { enrolled_at, activated_at }),
        (other, _, _) => Err(StoreError::inconsistent(TABLE, "stage", row.id, other)),
    }
}

fn term_of(row: &entity::Model) -> Result<Option<Term>> {
    let (Some(start), Some(end)) = (&row.term_start, &row.term_end) else { return Ok(None) };
    let date = |text: &str| Date::parse(text, format_description!("[year]-[month]-[day]")).ok();
    let term = date(start).zip(date(end)).and_then(|(start, end)| Term::new(start, end));
    term.map(Some).ok_or_else(|| StoreError::inconsistent(TABLE, "term_start", row.id, format!("{start} to {end}")))
}

fn count(row: Uuid, column: &'static str, value: i64) -> Result<u32> {
    u32::try_from(value).map_err(|_| StoreError::inconsistent(TABLE, column, row, value))
}
