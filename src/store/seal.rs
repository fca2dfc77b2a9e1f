//! Rows from before there was a hash chain: they get their place in it once, right after the migration that brought it. A
//! mark is left; whatever is without a place from then on was not written by us, and stays so.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel as _, QueryFilter, QueryOrder,
    QuerySelect, sea_query::ExprTrait,
};
use uuid::Uuid;

use super::{
    Reader, Result, Store, Tx, audit,
    chain::{self, head},
    charges,
    erasure::ERASED,
    history, reporter,
};
use crate::clock::{from_micros, new_id};

/// So many subscriptions are sealed in one transaction.
const PAGE: u64 = 50;

/// Seals what there is, once. A run that broke off is taken up where it was: a chain that has begun is left alone.
pub(super) async fn seal_old_rows(store: &Store) -> Result<()> {
    if reporter::is_sealed(store).await? {
        return Ok(());
    }
    let mut after = Uuid::nil();
    loop {
        let tx = store.begin().await?;
        let heads = head::Entity::find()
            .filter(head::Column::Id.gt(after).and(head::Column::ChainCount.eq(0)))
            .order_by_asc(head::Column::Id)
            .limit(PAGE)
            .lock_exclusive()
            .all(tx.connection())
            .await?;
        let Some(last) = heads.last() else { break };
        after = last.id;
        for head in &heads {
            seal(&tx, head).await?;
        }
        tx.tx.commit().await?;
    }
    let tx = store.begin().await?;
    tx.note_sealed().await?;
    Ok(tx.tx.commit().await?)
}

/// Steps and entries of one subscription, in the order of their time.
async fn seal(tx: &Tx, head: &head::Model) -> Result<()> {
    let charges = charges::entity::Entity::find().filter(charges::entity::Column::SubscriptionId.eq(head.id));
    let charges = charges.all(tx.connection()).await?;
    let steps = steps(tx, &charges).await?;
    let audits = audit::entity::Entity::find().filter(audit::entity::Column::SubscriptionId.eq(head.id));
    let audits = audits.all(tx.connection()).await?;
    let charges: BTreeMap<Uuid, charges::entity::Model> = charges.into_iter().map(|row| (row.id, row)).collect();
    // Of two steps in one moment the one that led to the present state was the last.
    let is_present = |step: &history::Model| charges.get(&step.charge_id).is_some_and(|row| row.state == step.state);
    let mut entries: Vec<((i64, bool, Uuid), Old)> = Vec::new();
    entries.extend(steps.into_iter().map(|row| ((row.at, is_present(&row), row.id), Old::Step(row))));
    entries.extend(audits.into_iter().map(|row| ((row.at, false, row.id), Old::Audit(row))));
    entries.sort_by_key(|(order, _)| *order);
    let mut begun = BTreeSet::new();
    let mut state_since = BTreeMap::new();
    let (mut count, mut hash) = (0, String::new());
    for (_, entry) in entries {
        count += 1;
        match entry {
            Old::Step(row) => {
                let charge = charges.get(&row.charge_id).filter(|_| begun.insert(row.charge_id));
                hash = chain::link(&hash, count, chain::CHARGE, &history::content(&row, charge, None));
                state_since.insert(row.charge_id, row.at);
                write_step(tx, head.id, row, (count, &hash)).await?;
            }
            Old::Audit(row) => hash = write_audit(tx, head, row, (count, &hash)).await?,
        }
    }
    for (id, at) in state_since {
        let since = charges::entity::ActiveModel { state_at: Set(at), ..Default::default() };
        let this = charges::entity::Column::Id.eq(id);
        charges::entity::Entity::update_many().set(since).filter(this).exec(tx.connection()).await?;
    }
    chain::write_heads(tx, &BTreeMap::from([(head.id, (count, hash))])).await
}

enum Old {
    Step(history::Model),
    Audit(audit::entity::Model),
}

/// The steps of these charges. The oldest charges have none: their first one is written now.
async fn steps(tx: &Tx, charges: &[charges::entity::Model]) -> Result<Vec<history::Model>> {
    let ids = charges.iter().map(|charge| charge.id);
    let mut steps = history::Entity::find().filter(history::Column::ChargeId.is_in(ids)).all(tx.connection()).await?;
    let with_steps: BTreeSet<Uuid> = steps.iter().map(|step| step.charge_id).collect();
    for charge in charges.iter().filter(|charge| !with_steps.contains(&charge.id)) {
        let step = history::Model {
            id: new_id(from_micros(charge.created_at)),
            charge_id: charge.id,
            state: charge.state.clone(),
            reason: charge.reason.clone(),
            at: charge.created_at,
            subscription_id: Some(charge.subscription_id),
            usage_event_id: None,
            position: None,
            hash: None,
        };
        let row = step.clone().into_active_model().reset_all();
        history::Entity::insert(row).exec_without_returning(tx.connection()).await?;
        steps.push(step);
    }
    Ok(steps)
}

async fn write_step(tx: &Tx, subscription_id: Uuid, row: history::Model, place: (i64, &str)) -> Result<()> {
    let sealed = history::ActiveModel {
        subscription_id: Set(Some(subscription_id)),
        position: Set(Some(place.0)),
        hash: Set(Some(place.1.to_owned())),
        ..Default::default()
    };
    let this = history::Column::Id.eq(row.id);
    history::Entity::update_many().set(sealed).filter(this).exec(tx.connection()).await?;
    Ok(())
}

/// Gives the hash. The people of a subscription whose personal data was erased are erased here, too.
async fn write_audit(
    tx: &Tx,
    head: &head::Model,
    mut row: audit::entity::Model,
    (position, previous): (i64, &str),
) -> Result<String> {
    let salt = Uuid::new_v4().simple().to_string();
    row.actor_digest = Some(audit::actor_digest(&salt, &row.actor));
    let erased = head.erased_at.is_some() && row.actor.starts_with("buyer:");
    let hash = chain::link(previous, position, chain::AUDIT, &audit::content(&row));
    let sealed = audit::entity::ActiveModel {
        actor: Set(if erased { ERASED.to_owned() } else { row.actor }),
        actor_salt: Set((!erased).then_some(salt)),
        actor_digest: Set(row.actor_digest),
        position: Set(Some(position)),
        hash: Set(Some(hash.clone())),
        ..Default::default()
    };
    let this = audit::entity::Column::Id.eq(row.id);
    audit::entity::Entity::update_many().set(sealed).filter(this).exec(tx.connection()).await?;
    Ok(hash)
}
