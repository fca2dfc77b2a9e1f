//! Custom trials. A grant is changed only by whoever read its version, so that it is used once.

use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, IntoActiveModel as _, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{ExprTrait, LockType, SimpleExpr},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, StoreError, Tx};
use crate::{
    clock::{from_micros, to_micros},
    domain::trial_grant::{Contact, Extends, Granter, Kind, Standing, State, TakenBack, TrialGrant, TrialLicense},
};

const TABLE: &str = "trial_grant";

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "trial_grant")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub kind: String,
        pub offer_id: String,
        pub plan_id: String,
        pub trial_group: String,
        pub tenant_id: Option<Uuid>,
        pub domain: Option<String>,
        pub organisation: String,
        pub contact_name: String,
        pub contact_email: String,
        pub language: String,
        pub extends: Option<String>,
        pub subscription_id: Option<Uuid>,
        pub days: i32,
        pub users: Option<i64>,
        pub reason: String,
        pub state: String,
        pub granted_by: String,
        pub granted_by_name: String,
        pub granted_by_email: String,
        pub granted_at: i64,
        pub expires_at: i64,
        pub opened_at: Option<i64>,
        pub used_at: Option<i64>,
        pub revoked_at: Option<i64>,
        pub revoked_by: Option<String>,
        pub revoke_reason: Option<String>,
        pub license_id: Option<String>,
        pub license_seq: Option<i32>,
        pub license_key: Option<String>,
        pub ends_at: Option<i64>,
        pub version: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{Column, Entity};

async fn list(reader: &impl Reader, these: SimpleExpr) -> Result<Vec<TrialGrant>> {
    let rows = Entity::find().filter(these).order_by_asc(Column::Id).all(reader.connection()).await?;
    rows.into_iter().map(from_row).collect()
}

fn open_of(tenant_id: Uuid, trial_group: &str) -> SimpleExpr {
    let of_tenant = Column::TenantId.eq(tenant_id).and(Column::TrialGroup.eq(trial_group));
    of_tenant.and(Column::State.eq(State::Open.as_str()))
}

fn standing(wanted: Standing, now: OffsetDateTime) -> SimpleExpr {
    let is = |state: State| Column::State.eq(state.as_str());
    let in_time = || Column::ExpiresAt.gt(to_micros(now));
    match wanted {
        Standing::Proposed => is(State::Proposed).and(in_time()),
        Standing::Open => is(State::Open).and(in_time()),
        Standing::Used => is(State::Used),
        Standing::Revoked => is(State::Revoked),
        Standing::Expired => is(State::Proposed).or(is(State::Open)).and(Column::ExpiresAt.lte(to_micros(now))),
    }
}

impl Store {
    /// A grant by its id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_trial_grant(&self, id: Uuid) -> Result<Option<TrialGrant>> {
        Entity::find_by_id(id).one(self.connection()).await?.map(from_row).transpose()
    }

    /// Grants that stand so at `now`, or all of them, newest first; `before` is the last one of the page before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_trial_grants(
        &self,
        wanted: Option<Standing>,
        before: Option<Uuid>,
        limit: u64,
        now: OffsetDateTime,
    ) -> Result<Vec<TrialGrant>> {
        let mut query = Entity::find().order_by_desc(Column::Id).limit(limit);
        if let Some(wanted) = wanted {
            query = query.filter(standing(wanted, now));
        }
        if let Some(before) = before {
            query = query.filter(Column::Id.lt(before));
        }
        query.all(self.connection()).await?.into_iter().map(from_row).collect()
    }

    /// How many grants stand so at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_trial_grants(&self, wanted: Standing, now: OffsetDateTime) -> Result<u64> {
        Ok(Entity::find().filter(standing(wanted, now)).count(self.connection()).await?)
    }

    /// What a tenant could use of a trial group.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_open_trials(&self, tenant_id: Uuid, trial_group: &str) -> Result<Vec<TrialGrant>> {
        list(self, open_of(tenant_id, trial_group)).await
    }

    /// The trial without a purchase whose key has this license id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_trial_of_license(&self, license_id: &str) -> Result<Option<TrialGrant>> {
        let row = Entity::find().filter(Column::LicenseId.eq(license_id)).one(self.connection()).await?;
        row.map(from_row).transpose()
    }

    /// Revoked trials whose keys would still be valid.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_revoked_trials(&self, now: OffsetDateTime) -> Result<Vec<TrialGrant>> {
        let revoked = Column::State.eq(State::Revoked.as_str()).and(Column::LicenseId.is_not_null());
        list(self, revoked.and(Column::EndsAt.gt(to_micros(now)))).await
    }
}

impl Tx {
    /// A grant by its id, locked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_trial_grant(&self, id: Uuid) -> Result<Option<TrialGrant>> {
        let row = Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(self.connection()).await?;
        row.map(from_row).transpose()
    }

    /// What was granted to a subscription, or used up by its order, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_trials_of_subscription(&self, subscription_id: Uuid) -> Result<Vec<TrialGrant>> {
        list(self, Column::SubscriptionId.eq(subscription_id)).await
    }

    /// Writes a new grant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_trial_grant(&self, grant: &TrialGrant) -> Result<()> {
        let row = to_row(grant).into_active_model().reset_all();
        Entity::insert(row).exec_without_returning(self.connection()).await?;
        Ok(())
    }

    /// Writes a changed grant, if nobody else has since it was read; its version grows by one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody has.
    pub async fn update_trial_grant(&self, grant: &mut TrialGrant) -> Result<()> {
        let mut row = to_row(grant).into_active_model().reset_all();
        (row.id, row.version) = (NotSet, Set(grant.version + 1));
        let this = Column::Id.eq(grant.id).and(Column::Version.eq(grant.version));
        let written = Entity::update_many().set(row).filter(this).exec(self.connection()).await?;
        if written.rows_affected != 1 {
            return Err(StoreError::Conflict(TABLE));
        }
        grant.version += 1;
        Ok(())
    }
}

fn to_row(grant: &TrialGrant) -> entity::Model {
    let (license, taken_back) = (grant.license.as_ref(), grant.taken_back.as_ref());
    let small = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    entity::Model {
        id: grant.id,
        kind: grant.kind.as_str().to_owned(),
        offer_id: grant.offer_id.clone(),
        plan_id: grant.plan_id.clone(),
        trial_group: grant.trial_group.clone(),
        tenant_id: grant.tenant_id,
        domain: grant.domain.clone(),
        organisation: grant.contact.organisation.clone(),
        contact_name: grant.contact.name.clone(),
        contact_email: grant.contact.email.clone(),
        language: grant.contact.language.clone(),
        extends: grant.extends.map(|extends| extends.as_str().to_owned()),
        subscription_id: grant.subscription_id,
        days: small(grant.days),
        users: grant.users.map(i64::from),
        reason: grant.reason.clone(),
        state: grant.state.as_str().to_owned(),
        granted_by: grant.granted_by.word.clone(),
        granted_by_name: grant.granted_by.name.clone(),
        granted_by_email: grant.granted_by.email.clone(),
        granted_at: to_micros(grant.granted_at),
        expires_at: to_micros(grant.expires_at),
        opened_at: grant.opened_at.map(to_micros),
        used_at: grant.used_at.map(to_micros),
        revoked_at: taken_back.map(|taken| to_micros(taken.at)),
        revoked_by: taken_back.map(|taken| taken.by.clone()),
        revoke_reason: taken_back.map(|taken| taken.reason.clone()),
        license_id: license.map(|license| license.license_id.clone()),
        license_seq: license.map(|license| small(license.seq)),
        license_key: license.map(|license| license.key.clone()),
        ends_at: license.map(|license| to_micros(license.ends_at)),
        version: grant.version,
    }
}

fn from_row(row: entity::Model) -> Result<TrialGrant> {
    let id = row.id;
    let wrong = |column, what: &dyn std::fmt::Display| StoreError::inconsistent(TABLE, column, id, what);
    let count = |column, number: i64| u32::try_from(number).map_err(|_| wrong(column, &number));
    let extends = row.extends.as_deref();
    let extends = extends.map(|word| Extends::from_word(word).ok_or_else(|| wrong("extends", &word))).transpose()?;
    let license = match (row.license_id, row.license_seq, row.license_key, row.ends_at) {
        (Some(license_id), Some(seq), Some(key), Some(ends_at)) => {
            let seq = count("license_seq", seq.into())?;
            Some(TrialLicense { license_id, seq, key, ends_at: from_micros(ends_at) })
        }
        _ => None,
    };
    let taken_back = row.revoked_at.map(|at| TakenBack {
        at: from_micros(at),
        by: row.revoked_by.unwrap_or_default(),
        reason: row.revoke_reason.unwrap_or_default(),
    });
    Ok(TrialGrant {
        id,
        kind: Kind::from_word(&row.kind).ok_or_else(|| wrong("kind", &row.kind))?,
        offer_id: row.offer_id,
        plan_id: row.plan_id,
        trial_group: row.trial_group,
        tenant_id: row.tenant_id,
        domain: row.domain,
        contact: Contact {
            organisation: row.organisation,
            name: row.contact_name,
            email: row.contact_email,
            language: row.language,
        },
        extends,
        subscription_id: row.subscription_id,
        days: count("days", row.days.into())?,
        users: row.users.map(|users| count("users", users)).transpose()?,
        reason: row.reason,
        state: State::from_word(&row.state).ok_or_else(|| wrong("state", &row.state))?,
        granted_by: Granter { word: row.granted_by, name: row.granted_by_name, email: row.granted_by_email },
        granted_at: from_micros(row.granted_at),
        expires_at: from_micros(row.expires_at),
        opened_at: row.opened_at.map(from_micros),
        used_at: row.used_at.map(from_micros),
        taken_back,
        license,
        version: row.version,
    })
}
