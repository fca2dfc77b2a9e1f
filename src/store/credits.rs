//! Credits: lines of the ledger that name the charge which they take back. They stand in the same table, at their place in
//! the same chain, with negative figures; what reads charges does not see them. Unique by (charge, case), and by their
//! cause, the proposal that two people stand for.

use sea_orm::{
    ActiveModelTrait as _, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    sea_query::ExprTrait as _,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Reader, Result, Store, StoreError, Tx,
    charges::{
        TABLE,
        entity::{Column, Entity, Model},
        is_charge,
    },
    history::Taken,
};
use crate::{
    clock::{from_micros, new_id, to_micros},
    domain::{
        credit::{self, Credit, CreditWish, Credited},
        money::{Amount, Quantity},
    },
};

/// A credit that is about to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewCredit<'a> {
    /// The charge.
    pub charge_id: Uuid,
    /// How much, and the case.
    pub wish: &'a CreditWish,
    /// The proposal that two people stand for.
    pub cause_id: Uuid,
    /// Why, and who.
    pub reason: &'a str,
}

async fn list(reader: &impl Reader, subscription_id: Uuid) -> Result<Vec<Credit>> {
    let rows = Entity::find()
        .filter(Column::SubscriptionId.eq(subscription_id).and(is_charge().not()))
        .order_by_asc(Column::Id)
        .all(reader.connection())
        .await?;
    rows.into_iter().map(from_row).collect()
}

impl Store {
    /// The credits of a subscription, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_credits(&self, subscription_id: Uuid) -> Result<Vec<Credit>> {
        list(self, subscription_id).await
    }
}

impl Tx {
    /// The credits of a subscription, oldest first, as this transaction sees it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_credits(&self, subscription_id: Uuid) -> Result<Vec<Credit>> {
        list(self, subscription_id).await
    }

    /// Writes a credit; gives its id.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it has been written before; [`StoreError::NotFound`] without its charge.
    pub async fn insert_credit(&self, new: NewCredit<'_>, now: OffsetDateTime) -> Result<Uuid> {
        let charge = Entity::find_by_id(new.charge_id).filter(is_charge()).one(self.connection()).await?;
        let missing = || StoreError::NotFound { table: TABLE, id: new.charge_id.to_string() };
        let row = to_row(charge.ok_or_else(missing)?, new, now);
        let step = Taken {
            subscription_id: row.subscription_id,
            charge_id: row.id,
            state: credit::STATE,
            reason: new.reason,
            charge: Some(&row),
            usage_event: None,
        };
        self.append_step(step, now);
        let id = row.id;
        Entity::insert(row.into_active_model().reset_all()).exec_without_returning(self.connection()).await?;
        Ok(id)
    }
}

/// The line beside that of its charge. A charge has an amount or units to give back: the other figure is zero.
fn to_row(charge: Model, new: NewCredit<'_>, now: OffsetDateTime) -> Model {
    let (amount_minor, quantity_millionths) = match new.wish.credited {
        Credited::Amount(amount) => (-amount.minor, 0),
        Credited::Units(quantity) => (0, -quantity.millionths()),
    };
    Model {
        id: new_id(now),
        quote_id: new.cause_id,
        reason: credit::REASON.to_owned(),
        position: 0,
        quantity_millionths,
        amount_minor,
        reportable_from: to_micros(now),
        state: credit::STATE.to_owned(),
        created_at: to_micros(now),
        users: None,
        from_users: None,
        part_days: None,
        part_of_days: None,
        try_at: 0,
        state_at: to_micros(now),
        credit_of: Some(charge.id),
        case_number: Some(new.wish.case.as_str().to_owned()),
        ..charge
    }
}

pub(super) fn from_row(row: Model) -> Result<Credit> {
    let wrong = |column, what: &dyn std::fmt::Display| StoreError::inconsistent(TABLE, column, row.id, what);
    let currency = row.currency.parse().map_err(|error| wrong("currency", &error))?;
    let millionths = row.quantity_millionths.checked_neg().and_then(Quantity::from_millionths);
    let units = millionths.ok_or_else(|| wrong("quantity_millionths", &row.quantity_millionths))?;
    let minor = row.amount_minor.checked_neg().filter(|minor| *minor >= 0);
    let minor = minor.ok_or_else(|| wrong("amount_minor", &row.amount_minor))?;
    let case = row.case_number.as_deref().unwrap_or_default();
    Ok(Credit {
        id: row.id,
        charge_id: row.credit_of.ok_or_else(|| wrong("credit_of", &"nothing"))?,
        credited: if units.is_zero() { Credited::Amount(Amount { minor, currency }) } else { Credited::Units(units) },
        case: case.parse().map_err(|error| wrong("case_number", &error))?,
        at: from_micros(row.created_at),
        description: row.description,
        dimension: row.dimension,
    })
}
