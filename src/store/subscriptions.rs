//! Subscriptions, with their row version.

use std::collections::BTreeMap;

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, LockType},
};
use time::{Date, OffsetDateTime, macros::format_description};
use uuid::Uuid;

use super::{Reader, Result, StoreError, Tx, search_terms::of_subscription};
use crate::{
    clock::{from_micros, to_micros},
    domain::{
        policy::{Identity, PERSONAL_ACCOUNTS},
        subscription::{Enrolled, MicrosoftStatus, Party, PlannedDowngrade, Snapshot, Stage, Subscription},
        time::{Term, TermUnit},
    },
};

const TABLE: &str = "subscription";

pub(super) mod entity {
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
        pub ledger_term_start: Option<String>,
        pub ledger_term_end: Option<String>,
        pub trial_end: Option<String>,
        pub grace_end: Option<i64>,
        pub planned_users: Option<i64>,
        pub planned_at: Option<i64>,
        pub suspended_at: Option<i64>,
        pub withdrawn_at: Option<i64>,
        pub ended_at: Option<i64>,
        pub erased_at: Option<i64>,
        pub observed_at: i64,
        pub created_at: i64,
        pub updated_at: i64,
        pub version: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Which subscriptions a list has.
#[derive(Debug, Clone, Copy, Default)]
pub struct SubscriptionQuery<'a> {
    /// Those with this status at Microsoft.
    pub status: Option<&'a str>,
    /// Those of this offer.
    pub offer_id: Option<&'a str>,
}

impl super::Store {
    /// A page of subscriptions, ordered by id, behind `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_subscription_page(
        &self,
        filter: SubscriptionQuery<'_>,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Subscription>> {
        use entity::Column;
        let these = Condition::all()
            .add_option(filter.status.map(|status| Column::MicrosoftStatus.eq(status)))
            .add_option(filter.offer_id.map(|offer| Column::OfferId.eq(offer)))
            .add_option(after.map(|id| Column::Id.gt(id)));
        let page = entity::Entity::find().filter(these).order_by_asc(Column::Id).limit(limit);
        page.all(self.connection()).await?.into_iter().map(from_row).collect()
    }

    /// A subscription by Microsoft's id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_subscription(&self, id: Uuid) -> Result<Option<Subscription>> {
        entity::Entity::find_by_id(id).one(self.connection()).await?.map(from_row).transpose()
    }

    /// The newest one that is in use.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_newest_active_subscription(&self) -> Result<Option<Subscription>> {
        let row = entity::Entity::find()
            .filter(entity::Column::Stage.eq("active"))
            .order_by_desc(entity::Column::CreatedAt)
            .one(self.connection())
            .await?;
        row.map(from_row).transpose()
    }

    /// Those of the given ids that are known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_subscriptions_by_id(&self, ids: impl IntoIterator<Item = Uuid>) -> Result<Vec<Subscription>> {
        let rows = entity::Entity::find().filter(entity::Column::Id.is_in(ids)).all(self.connection()).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// Notes that Microsoft's answer, asked for at `at`, held nothing new, so that an older one is known for what it is.
    /// The version stays: nothing that anybody decides upon has changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_observation(&self, id: Uuid, at: OffsetDateTime) -> Result<()> {
        use entity::Column;
        let row = entity::ActiveModel { observed_at: Set(to_micros(at)), ..Default::default() };
        let older = Column::Id.eq(id).and(Column::ObservedAt.lt(to_micros(at)));
        entity::Entity::update_many().set(row).filter(older).exec(self.connection()).await?;
        Ok(())
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
    /// A subscription by Microsoft's id, as this transaction sees it; nobody else writes it until the end.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not there.
    pub async fn get_subscription(&self, id: Uuid) -> Result<Subscription> {
        self.find_subscription(id).await?.ok_or_else(|| StoreError::NotFound { table: TABLE, id: id.to_string() })
    }

    /// The same, where it may be new.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_subscription(&self, id: Uuid) -> Result<Option<Subscription>> {
        Ok(self.lock_subscriptions([id]).await?.remove(&id))
    }

    /// Several at once, locked in one order, so that two transactions never wait for each other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_subscriptions(
        &self,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Result<BTreeMap<Uuid, Subscription>> {
        let rows = entity::Entity::find()
            .filter(entity::Column::Id.is_in(ids))
            .order_by_asc(entity::Column::Id)
            .lock(LockType::NoKeyUpdate)
            .all(self.connection())
            .await?;
        let found = rows.into_iter().map(|row| from_row(row).map(|found| (found.microsoft.id, found)));
        let found = found.collect::<Result<BTreeMap<_, _>>>()?;
        self.know_terms(found.values().flat_map(of_subscription).collect());
        Ok(found)
    }

    /// A subscription that is seen for the first time.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another process was faster.
    pub async fn insert_subscription(&self, subscription: &Subscription, now: OffsetDateTime) -> Result<()> {
        let mut row = to_row(subscription, now);
        row.created_at = Set(to_micros(subscription.seen_at));
        entity::Entity::insert(row).exec_without_returning(self.connection()).await?;
        self.note_terms(of_subscription(subscription));
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
        row.observed_at = NotSet;
        self.note_terms(of_subscription(subscription));
        // Somebody else may have seen a later answer since this one was read.
        let (own, observed_at) = (Expr::col(Column::ObservedAt), to_micros(subscription.observed_at));
        let later = Expr::case(own.clone().lt(observed_at), observed_at).finally(own);
        let result = entity::Entity::update_many()
            .set(row)
            .col_expr(Column::ObservedAt, later.into())
            .filter(Column::Id.eq(subscription.microsoft.id).and(Column::Version.eq(subscription.version)))
            .exec(self.connection())
            .await?;
        if result.rows_affected == 1 { Ok(()) } else { Err(StoreError::Conflict(TABLE)) }
    }
}

fn to_row(subscription: &Subscription, now: OffsetDateTime) -> entity::ActiveModel {
    let microsoft = &subscription.microsoft;
    let Snapshot { beneficiary, purchaser, .. } = microsoft;
    let stage = StageColumns::of(subscription.stage);
    let day = |day: Date| day.to_string();
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
        term_start: Set(microsoft.term.map(|term| day(term.start))),
        term_end: Set(microsoft.term.map(|term| day(term.end))),
        auto_renew: Set(microsoft.auto_renew),
        update_allowed: Set(microsoft.update_allowed),
        is_test: Set(microsoft.is_test),
        quantity: Set(microsoft.quantity.map(i64::from)),
        stage: Set(stage.word.to_owned()),
        enrolled_at: Set(stage.enrolled_at.map(to_micros)),
        activated_at: Set(stage.activated_at.map(to_micros)),
        suspended_at: Set(stage.suspended_at.map(to_micros)),
        ended_at: Set(stage.ended_at.map(to_micros)),
        users: Set(subscription.users.map(i64::from)),
        segment: Set(subscription.segment.clone()),
        ledger_term_start: Set(subscription.term.map(|term| day(term.start))),
        ledger_term_end: Set(subscription.term.map(|term| day(term.end))),
        trial_end: Set(subscription.trial_end.map(day)),
        grace_end: Set(subscription.grace_end.map(to_micros)),
        planned_users: Set(subscription.planned.map(|planned| planned.users.into())),
        planned_at: Set(subscription.planned.map(|planned| to_micros(planned.planned_at))),
        withdrawn_at: Set(subscription.withdrawn_at.map(to_micros)),
        observed_at: Set(to_micros(subscription.observed_at)),
        updated_at: Set(to_micros(now)),
        version: Set(subscription.version),
        ..Default::default()
    }
}

pub(super) fn from_row(row: entity::Model) -> Result<Subscription> {
    let at = |at: Option<i64>| at.map(from_micros);
    let stage = StageColumns {
        word: &row.stage,
        enrolled_at: at(row.enrolled_at),
        activated_at: at(row.activated_at),
        suspended_at: at(row.suspended_at),
        ended_at: at(row.ended_at),
    };
    let stage = stage.stage(row.id)?;
    let microsoft_term = term_of(row.id, "term_start", &row.term_start, &row.term_end)?;
    let term = term_of(row.id, "ledger_term_start", &row.ledger_term_start, &row.ledger_term_end)?;
    let planned_users = row.planned_users.map(|users| count(row.id, "planned_users", users)).transpose()?;
    let planned_at = row.planned_at.map(from_micros);
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
            term: microsoft_term,
            auto_renew: row.auto_renew,
            update_allowed: row.update_allowed,
            is_test: row.is_test,
            quantity: row.quantity.map(|quantity| count(row.id, "quantity", quantity)).transpose()?,
        },
        stage,
        users: row.users.map(|users| count(row.id, "users", users)).transpose()?,
        segment: row.segment,
        term,
        trial_end: row.trial_end.as_deref().map(|day| date(row.id, "trial_end", day)).transpose()?,
        grace_end: row.grace_end.map(from_micros),
        planned: planned_users.zip(planned_at).map(|(users, planned_at)| PlannedDowngrade { users, planned_at }),
        withdrawn_at: row.withdrawn_at.map(from_micros),
        seen_at: from_micros(row.created_at),
        observed_at: from_micros(row.observed_at),
        version: row.version,
    })
}

/// A stage in columns of its own.
pub(super) struct StageColumns<'a> {
    pub(super) word: &'a str,
    pub(super) enrolled_at: Option<OffsetDateTime>,
    pub(super) activated_at: Option<OffsetDateTime>,
    pub(super) suspended_at: Option<OffsetDateTime>,
    pub(super) ended_at: Option<OffsetDateTime>,
}

impl StageColumns<'_> {
    fn of(stage: Stage) -> Self {
        let enrolled = stage.enrolled();
        let mut columns = Self {
            word: "awaiting_enrolment",
            enrolled_at: enrolled.map(|enrolled| enrolled.enrolled_at),
            activated_at: enrolled.map(|enrolled| enrolled.activated_at),
            suspended_at: None,
            ended_at: None,
        };
        match stage {
            Stage::AwaitingEnrolment => {}
            Stage::Activating { enrolled_at } => {
                (columns.word, columns.enrolled_at) = ("activating", Some(enrolled_at));
            }
            Stage::Active(_) => columns.word = "active",
            Stage::Suspended { suspended_at, .. } => {
                (columns.word, columns.suspended_at) = ("suspended", Some(suspended_at));
            }
            Stage::Ended { ended_at, .. } => (columns.word, columns.ended_at) = ("ended", Some(ended_at)),
        }
        columns
    }

    /// The stage of this subscription.
    pub(super) fn stage(&self, id: Uuid) -> Result<Stage> {
        let enrolled = self
            .enrolled_at
            .zip(self.activated_at)
            .map(|(enrolled_at, activated_at)| Enrolled { enrolled_at, activated_at });
        let stage = match self.word {
            "awaiting_enrolment" => Some(Stage::AwaitingEnrolment),
            "activating" => self.enrolled_at.map(|enrolled_at| Stage::Activating { enrolled_at }),
            "active" => enrolled.map(Stage::Active),
            "suspended" => enrolled
                .zip(self.suspended_at)
                .map(|(enrolled, suspended_at)| Stage::Suspended { enrolled, suspended_at }),
            "ended" => self.ended_at.map(|ended_at| Stage::Ended { enrolled, ended_at }),
            _ => None,
        };
        stage.ok_or_else(|| StoreError::inconsistent(TABLE, "stage", id, self.word))
    }
}

fn term_of(row: Uuid, column: &'static str, start: &Option<String>, end: &Option<String>) -> Result<Option<Term>> {
    let (Some(start), Some(end)) = (start, end) else { return Ok(None) };
    let term = Term::new(date(row, column, start)?, date(row, column, end)?);
    term.map(Some).ok_or_else(|| StoreError::inconsistent(TABLE, column, row, format!("{start} to {end}")))
}

fn date(row: Uuid, column: &'static str, text: &str) -> Result<Date> {
    let parsed = Date::parse(text, format_description!("[year]-[month]-[day]"));
    parsed.map_err(|_| StoreError::inconsistent(TABLE, column, row, text))
}

fn count(row: Uuid, column: &'static str, value: i64) -> Result<u32> {
    u32::try_from(value).map_err(|_| StoreError::inconsistent(TABLE, column, row, value))
}
