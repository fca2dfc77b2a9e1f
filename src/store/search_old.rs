//! What was written before there was a search gets its terms once, right after the migration that brought it. A mark is
//! left; a run that broke off is made again, and writes nothing twice.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};
use uuid::Uuid;

use super::{
    Reader, Result, Store, Tx, calls, changes, enrolments, license_keys,
    search_terms::{Row, Target, TermKind, entity, insert, of_enrolment, of_subscription, rows},
    subscriptions, webhooks,
};

/// So many subscriptions get theirs in one transaction.
const PAGE: u64 = 500;
/// The kind of the mark, a row that no search can find: its term is empty.
const MARK: &str = "complete";

/// Writes what there is, once.
pub(super) async fn write_old_terms(store: &Store) -> Result<()> {
    let mark = (Vec::new(), Uuid::nil(), MARK.to_owned());
    if entity::Entity::find_by_id(mark).one(store.connection()).await?.is_some() {
        return Ok(());
    }
    let mut after = Uuid::nil();
    loop {
        use subscriptions::entity::{Column, Entity};
        let page = Entity::find().filter(Column::Id.gt(after)).order_by_asc(Column::Id).limit(PAGE);
        let found = page.all(store.connection()).await?;
        let Some(last) = found.last() else { break };
        after = last.id;
        let ids: Vec<Uuid> = found.iter().map(|row| row.id).collect();
        let mut terms = Vec::new();
        for row in found {
            terms.extend(of_subscription(&subscriptions::from_row(row)?));
        }
        let tx = store.begin().await?;
        terms.extend(of_orders(&tx, &ids).await?);
        terms.extend(of_ids(&tx, &ids).await?);
        terms.sort();
        terms.dedup();
        insert(&tx, terms).await?;
        tx.tx.commit().await?;
    }
    let mark = entity::ActiveModel {
        term: Set(Vec::new()),
        target: Set(Uuid::nil()),
        kind: Set(MARK.to_owned()),
        is_trial: Set(false),
    };
    // Another process may have been as fast.
    let once = OnConflict::new().do_nothing().to_owned();
    entity::Entity::insert(mark).on_conflict(once).exec_without_returning(store.connection()).await?;
    Ok(())
}

async fn of_orders(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Row>> {
    let these = enrolments::entity::Column::SubscriptionId.is_in(ids.iter().copied());
    let found = enrolments::entity::Entity::find().filter(these).all(tx.connection()).await?;
    Ok(found.into_iter().map(enrolments::from_row).flat_map(|enrolment| of_enrolment(&enrolment)).collect())
}

/// Licenses, operations, requests.
async fn of_ids(tx: &Tx, ids: &[Uuid]) -> Result<Vec<Row>> {
    let licenses: Vec<(Uuid, String)> = {
        use license_keys::entity::{Column, Entity};
        let these = Entity::find().select_only().columns([Column::SubscriptionId, Column::LicenseId]).distinct();
        these.filter(Column::SubscriptionId.is_in(ids.iter().copied())).into_tuple().all(tx.connection()).await?
    };
    let webhooks: Vec<(Uuid, String)> = {
        use webhooks::entity::{Column, Entity};
        let these = Entity::find().select_only().columns([Column::SubscriptionId, Column::OperationId]).distinct();
        these.filter(Column::SubscriptionId.is_in(ids.iter().copied())).into_tuple().all(tx.connection()).await?
    };
    let changes: Vec<(Uuid, Option<String>)> = {
        use changes::entity::{Column, Entity};
        let these = Entity::find().select_only().columns([Column::SubscriptionId, Column::OperationId]);
        these.filter(Column::SubscriptionId.is_in(ids.iter().copied())).into_tuple().all(tx.connection()).await?
    };
    let calls: Vec<(Uuid, Option<String>, Option<String>)> = {
        use calls::entity::{Column, Entity};
        let columns = [Column::SubscriptionId, Column::RequestId, Column::CorrelationId];
        let these = Entity::find().select_only().columns(columns);
        these.filter(Column::SubscriptionId.is_in(ids.iter().copied())).into_tuple().all(tx.connection()).await?
    };
    let row = |id: Uuid, kind, text: &str| rows(Target::Subscription(id), kind, text);
    let mut found = Vec::new();
    found.extend(licenses.iter().flat_map(|(id, text)| row(*id, TermKind::License, text)));
    found.extend(webhooks.iter().flat_map(|(id, text)| row(*id, TermKind::Operation, text)));
    for (id, text) in &changes {
        found.extend(text.iter().flat_map(|text| row(*id, TermKind::Operation, text)));
    }
    for (id, request, correlation) in &calls {
        found.extend(request.iter().chain(correlation).flat_map(|text| row(*id, TermKind::Request, text)));
    }
    Ok(found)
}
