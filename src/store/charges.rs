//! The ledger of charges. Unique by (subscription, reason, term start, dimension, cause): a step that runs twice writes
//! once. A charge never changes but in its state, and every state is kept.

use std::collections::BTreeMap;

use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, UpdateMany,
    sea_query::{ExprTrait as _, IntoValueTuple as _, SimpleExpr},
};
use serde::Serialize;
use time::{Date, OffsetDateTime, macros::format_description};
use uuid::Uuid;

use super::{Reader, Result, Store, StoreError, Tx, given, history::Taken, usage_events};
use crate::{
    clock::{from_micros, new_id, to_micros},
    domain::{
        charge::{Charge, Reason, State},
        money::{Amount, Quantity},
        pricing::{Item, Line},
        proration::Part,
    },
    trace::{Step as TraceStep, StepKind},
};

pub(super) const TABLE: &str = "charge";

/// What may still have to be done. An index holds these alone; a query goes by it when it says so in the same words.
pub(super) const NOT_ACCEPTED: &str = "state <> 'accepted'";

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "charge")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub subscription_id: Uuid,
        pub quote_id: Uuid,
        pub reason: String,
        pub term_start: String,
        pub position: i32,
        pub description: String,
        pub dimension: String,
        pub quantity_millionths: i64,
        pub unit_price: String,
        pub amount_minor: i64,
        pub currency: String,
        pub reportable_from: i64,
        pub state: String,
        pub created_at: i64,
        pub users: Option<i32>,
        pub from_users: Option<i32>,
        pub part_days: Option<i32>,
        pub part_of_days: Option<i32>,
        pub plan_id: Option<String>,
        pub try_at: i64,
        pub state_at: i64,
        /// Of a credit alone (`store::credits`), which is no charge: the charge that it takes back, and Microsoft's case.
        pub credit_of: Option<Uuid>,
        pub case_number: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Charges that are about to be written, with one cause.
#[derive(Debug, Clone, Copy)]
pub struct NewCharges<'a> {
    /// The subscription.
    pub subscription_id: Uuid,
    /// The frozen quote or change that they point at.
    pub cause_id: Uuid,
    /// Why they exist.
    pub reason: Reason,
    /// The plan that they are reported under.
    pub plan_id: &'a str,
    /// The first day of the term that they are for.
    pub term_start: Date,
    /// Dimension, quantity, price and amount of each.
    pub lines: &'a [Line],
    /// The part of the term; extras are never prorated.
    pub part: Part,
    /// Users in total that they pay for.
    pub users: Option<u32>,
    /// Users before, of an upgrade.
    pub from_users: Option<u32>,
    /// The time from which they may be reported.
    pub reportable_from: OffsetDateTime,
    /// Held or due.
    pub state: State,
}

/// Lines of the ledger that are charges: what is decided about charges never sees a credit.
pub(super) fn is_charge() -> SimpleExpr {
    entity::Column::CreditOf.is_null()
}

async fn list(reader: &impl Reader, subscription_id: Uuid) -> Result<Vec<Charge>> {
    let rows = entity::Entity::find()
        .filter(entity::Column::SubscriptionId.eq(subscription_id).and(is_charge()))
        .order_by_asc(entity::Column::CreatedAt)
        .order_by_asc(entity::Column::Position)
        .order_by_asc(entity::Column::Id)
        .all(reader.connection())
        .await?;
    rows.into_iter().map(from_row).collect()
}

impl Store {
    /// The charges of a subscription, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_charges(&self, subscription_id: Uuid) -> Result<Vec<Charge>> {
        list(self, subscription_id).await
    }
}

impl Store {
    /// A charge by its id, behind its subscription.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_charge(&self, id: Uuid) -> Result<Option<(Uuid, Charge)>> {
        let row = entity::Entity::find_by_id(id).filter(is_charge()).one(self.connection()).await?;
        row.map(|row| Ok((row.subscription_id, from_row(row)?))).transpose()
    }
}

impl Tx {
    /// The charges of a subscription, oldest first, as this transaction sees it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_charges(&self, subscription_id: Uuid) -> Result<Vec<Charge>> {
        list(self, subscription_id).await
    }

    /// Charges by their ids, each behind its subscription.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_charges_by_id(&self, ids: &[Uuid]) -> Result<Vec<(Uuid, Charge)>> {
        let these = entity::Column::Id.is_in(ids.iter().copied()).and(is_charge());
        let rows = entity::Entity::find().filter(these).all(self.connection());
        rows.await?.into_iter().map(|row| Ok((row.subscription_id, from_row(row)?))).collect()
    }

    /// Writes charges.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when they have been written before.
    pub async fn insert_charges(&self, new: NewCharges<'_>, now: OffsetDateTime) -> Result<()> {
        let rows: Vec<entity::Model> =
            new.lines.iter().enumerate().map(|(position, line)| to_row(&new, position, line, now)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        for row in &rows {
            let step = Taken { charge: Some(row), ..step(new.subscription_id, row.id, new.state, new.reason.as_str()) };
            self.append_step(step, now);
            self.note_step(TraceStep {
                subject: Some(new.subscription_id),
                reference: Some(row.id.to_string()),
                outcome: Some(row.state.clone()),
                ..TraceStep::new(now, StepKind::Charge, format!("{} {}", row.reason, row.dimension))
            });
        }
        let rows = rows.into_iter().map(|row| row.into_active_model().reset_all());
        entity::Entity::insert_many(rows).exec_without_returning(self.connection()).await?;
        Ok(())
    }

    /// Moves charges from one state to another, and gives (charge, subscription) of those that moved; those that are in a third
    /// state by now stay there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn move_charges(
        &self,
        ids: &[Uuid],
        (from, to): (State, State),
        reason: &str,
        now: OffsetDateTime,
    ) -> Result<Vec<(Uuid, Uuid)>> {
        let reasons = ids.iter().map(|id| (*id, reason)).collect();
        self.move_charges_each(&reasons, (from, to), now).await
    }

    /// The same with a reason for each.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn move_charges_each(
        &self,
        reasons: &BTreeMap<Uuid, &str>,
        (from, to): (State, State),
        now: OffsetDateTime,
    ) -> Result<Vec<(Uuid, Uuid)>> {
        let ids: Vec<Uuid> = reasons.keys().copied().collect();
        let moved = self.mark_charges(&ids, (from, to), now).await?;
        for (id, subscription_id) in &moved {
            let reason = reasons.get(id).copied().unwrap_or_default();
            self.append_step(step(*subscription_id, *id, to, reason), now);
            if to == State::Cancelled {
                // Nobody has to decide about it any more.
                self.resolve_charge_findings(*subscription_id, *id, now).await?;
            }
        }
        Ok(moved)
    }

    /// Puts due charges into their slots. Both the events and the steps are written.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a charge is not due any more, or a slot is taken.
    pub(super) async fn put_into_slots(
        &self,
        events: &[usage_events::entity::Model],
        now: OffsetDateTime,
    ) -> Result<()> {
        let ids: Vec<Uuid> = events.iter().map(|event| event.charge_id).collect();
        let marked = marking(&ids, (State::Due, State::Sending), now).exec(self.connection()).await?;
        if marked.rows_affected != ids.len() as u64 {
            return Err(StoreError::Conflict(TABLE));
        }
        for event in events {
            let step = step(event.subscription_id, event.charge_id, State::Sending, "in its slot");
            self.append_step(Taken { usage_event: Some(event), ..step }, now);
        }
        Ok(())
    }

    /// The state alone; gives (charge, subscription) of those that were in the first one.
    async fn mark_charges(
        &self,
        ids: &[Uuid],
        states: (State, State),
        now: OffsetDateTime,
    ) -> Result<Vec<(Uuid, Uuid)>> {
        use entity::Column;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        given::exec_returning(self, marking(ids, states, now), [Column::Id, Column::SubscriptionId]).await
    }
}

fn marking(ids: &[Uuid], (from, to): (State, State), now: OffsetDateTime) -> UpdateMany<entity::Entity> {
    let row = entity::ActiveModel {
        state: Set(to.as_str().to_owned()),
        state_at: Set(to_micros(now)),
        try_at: Set(0),
        ..Default::default()
    };
    let update = entity::Entity::update_many().set(row).filter(entity::Column::State.eq(from.as_str()));
    given::update_given(update, entity::Column::Id, ids.iter().map(|id| id.into_value_tuple()))
}

fn step(subscription_id: Uuid, charge_id: Uuid, state: State, reason: &str) -> Taken<'_> {
    Taken { subscription_id, charge_id, state: state.as_str(), reason, charge: None, usage_event: None }
}

/// What of a charge is hashed: everything but its state, which its steps tell, and when it is looked at.
#[derive(Serialize)]
pub(super) struct Content<'a> {
    subscription_id: Uuid,
    quote_id: Uuid,
    reason: &'a str,
    term_start: &'a str,
    position: i32,
    description: &'a str,
    dimension: &'a str,
    quantity_millionths: i64,
    unit_price: &'a str,
    amount_minor: i64,
    currency: &'a str,
    reportable_from: i64,
    created_at: i64,
    users: Option<i32>,
    from_users: Option<i32>,
    part_days: Option<i32>,
    part_of_days: Option<i32>,
    plan_id: Option<&'a str>,
    // Charges have none of these, and are hashed as they were before there were credits.
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_of: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    case_number: Option<&'a str>,
}

/// See [`Content`].
pub(super) fn content(row: &entity::Model) -> Content<'_> {
    Content {
        subscription_id: row.subscription_id,
        quote_id: row.quote_id,
        reason: &row.reason,
        term_start: &row.term_start,
        position: row.position,
        description: &row.description,
        dimension: &row.dimension,
        quantity_millionths: row.quantity_millionths,
        unit_price: &row.unit_price,
        amount_minor: row.amount_minor,
        currency: &row.currency,
        reportable_from: row.reportable_from,
        created_at: row.created_at,
        users: row.users,
        from_users: row.from_users,
        part_days: row.part_days,
        part_of_days: row.part_of_days,
        plan_id: row.plan_id.as_deref(),
        credit_of: row.credit_of,
        case_number: row.case_number.as_deref(),
    }
}

fn to_row(new: &NewCharges<'_>, position: usize, line: &Line, now: OffsetDateTime) -> entity::Model {
    let part = (!matches!(line.item, Item::Extra { .. })).then_some(new.part);
    let small = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    entity::Model {
        id: new_id(now),
        subscription_id: new.subscription_id,
        quote_id: new.cause_id,
        reason: new.reason.as_str().to_owned(),
        term_start: new.term_start.to_string(),
        position: i32::try_from(position).unwrap_or(i32::MAX),
        description: line.item.description(),
        dimension: line.dimension.to_string(),
        quantity_millionths: line.quantity.millionths(),
        unit_price: line.unit_price.to_string(),
        amount_minor: line.amount.minor,
        currency: line.amount.currency.code().to_owned(),
        reportable_from: to_micros(new.reportable_from),
        state: new.state.as_str().to_owned(),
        created_at: to_micros(now),
        users: new.users.map(small),
        from_users: new.from_users.map(small),
        part_days: part.map(|part| small(part.days)),
        part_of_days: part.map(|part| small(part.of_days)),
        plan_id: Some(new.plan_id.to_owned()),
        try_at: 0,
        state_at: to_micros(now),
        credit_of: None,
        case_number: None,
    }
}

pub(super) fn from_row(row: entity::Model) -> Result<Charge> {
    let wrong = |column, what: &dyn std::fmt::Display| StoreError::inconsistent(TABLE, column, row.id, what);
    let currency = row.currency.parse().map_err(|error| wrong("currency", &error))?;
    let count = |column, value: Option<i32>| {
        value.map(|value| u32::try_from(value).map_err(|_| wrong(column, &value))).transpose()
    };
    let part = count("part_days", row.part_days)?.zip(count("part_of_days", row.part_of_days)?);
    Ok(Charge {
        id: row.id,
        cause_id: row.quote_id,
        reason: Reason::from_word(&row.reason).ok_or_else(|| wrong("reason", &row.reason))?,
        term_start: Date::parse(&row.term_start, format_description!("[year]-[month]-[day]"))
            .map_err(|_| wrong("term_start", &row.term_start))?,
        quantity: Quantity::from_millionths(row.quantity_millionths)
            .ok_or_else(|| wrong("quantity_millionths", &row.quantity_millionths))?,
        unit_price: row.unit_price.parse().map_err(|error| wrong("unit_price", &error))?,
        amount: Amount { minor: row.amount_minor, currency },
        reportable_from: from_micros(row.reportable_from),
        since: from_micros(if row.state_at == 0 { row.created_at } else { row.state_at }),
        users: count("users", row.users)?,
        from_users: count("from_users", row.from_users)?,
        part: part.map(|(days, of_days)| Part { days, of_days }),
        state: State::from_word(&row.state).ok_or_else(|| wrong("state", &row.state))?,
        plan_id: row.plan_id,
        description: row.description,
        dimension: row.dimension,
    })
}
