//! Whether ledger and audit log are as they were written: every content is computed anew from the rows themselves, every
//! place, hash and head is compared, and every state with the steps that led to it.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, ModelTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
    sea_query::SimpleExpr,
};
use uuid::Uuid;

use super::{
    Reader, Result, Store, Tx, audit,
    chain::{self, head},
    charges,
    erasure::ERASED,
    history,
    house::HOUSE,
    usage_events,
};
use crate::domain::charge::State;

/// So many subscriptions are looked at in one state of the database.
const PAGE: u64 = 100;
/// Everything that belongs to a subscription.
const TABLES: [&str; 4] = [HISTORY, AUDIT, CHARGE, EVENT];
const HISTORY: &str = "charge_history";
const AUDIT: &str = "audit";
const CHARGE: &str = "charge";
const EVENT: &str = "usage_event";
const HEAD: &str = "subscription";

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The table.
    pub table: &'static str,
    /// The row's id.
    pub row: Uuid,
    /// The subscription, as far as there is one.
    pub subscription_id: Option<Uuid>,
    /// What is wrong with the row.
    pub what: String,
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.table, self.row)?;
        match self.subscription_id {
            Some(id) => write!(f, " of subscription {id} {}.", self.what),
            None => write!(f, " {}.", self.what),
        }
    }
}

/// Some subscriptions, verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifiedPage {
    /// How many.
    pub subscriptions: u64,
    /// Entries of their chains.
    pub entries: u64,
    /// What is wrong.
    pub flaws: Vec<Flaw>,
    /// The last of them, to go on behind; `None` = there are no more.
    pub last: Option<Uuid>,
}

impl Store {
    /// Verifies the next subscriptions behind `after`, in order of id, as they stand in one moment.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn verify_page(&self, after: Option<Uuid>) -> Result<VerifiedPage> {
        self.begin_reading().await?.verify_page(after).await
    }

    /// Rows that belong to no subscription.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_strays(&self) -> Result<Vec<Flaw>> {
        self.begin_reading().await?.find_strays().await
    }
}

impl Tx {
    /// The same, as this transaction sees it.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn verify_page(&self, after: Option<Uuid>) -> Result<VerifiedPage> {
        let heads = head::Entity::find()
            .filter(head::Column::Id.gt(after.unwrap_or_default()))
            .order_by_asc(head::Column::Id)
            .limit(PAGE)
            .all(self.connection())
            .await?;
        let Some(last) = heads.last().map(|head| head.id) else { return Ok(VerifiedPage::default()) };
        let ids: Vec<Uuid> = heads.iter().map(|head| head.id).collect();
        let mut page = VerifiedPage { subscriptions: heads.len() as u64, last: Some(last), ..VerifiedPage::default() };
        let ids = || ids.iter().copied();
        let charges = self.load::<charges::entity::Entity>(charges::entity::Column::SubscriptionId.is_in(ids()));
        let mut charges = group(charges.await?, |row| Some(row.subscription_id));
        let events =
            self.load::<usage_events::entity::Entity>(usage_events::entity::Column::SubscriptionId.is_in(ids()));
        let mut events = group(events.await?, |row| Some(row.subscription_id));
        let steps = self.load::<history::Entity>(history::Column::SubscriptionId.is_in(ids())).await?;
        let mut steps = group(steps, |row| row.subscription_id);
        let audits = self.load::<audit::entity::Entity>(audit::entity::Column::SubscriptionId.is_in(ids())).await?;
        let mut audits = group(audits, |row| row.subscription_id);
        for head in heads {
            let id = head.id;
            let steps = steps.remove(&id).unwrap_or_default();
            let audits = audits.remove(&id).unwrap_or_default();
            page.entries += (steps.len() + audits.len()) as u64;
            let charges = charges.remove(&id).unwrap_or_default().into_iter().map(|row| (row.id, row)).collect();
            let events = events.remove(&id).unwrap_or_default().into_iter().map(|row| (row.id, row)).collect();
            let mut ledger = Ledger { head, charges, events, steps, audits, flaws: Vec::new() };
            ledger.verify();
            page.flaws.append(&mut ledger.flaws);
        }
        Ok(page)
    }

    async fn load<E: EntityTrait>(&self, filter: SimpleExpr) -> Result<Vec<E::Model>>
    where
        E::Model: ModelTrait<Entity = E> + FromQueryResult + Send + Sync,
    {
        Ok(E::find().filter(filter).all(self.connection()).await?)
    }

    /// The same, as this transaction sees it.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_strays(&self) -> Result<Vec<Flaw>> {
        use sea_orm::ConnectionTrait as _;
        let backend = self.connection().get_database_backend();
        let mut flaws = Vec::new();
        for table in TABLES {
            // The audit log alone has entries of the house.
            let sql = format!(
                "SELECT t.id AS id FROM {table} AS t WHERE t.subscription_id IS NULL OR ((t.subscription_id <> $1 OR $2) \
                 AND NOT EXISTS (SELECT 1 FROM subscription AS s WHERE s.id = t.subscription_id)) LIMIT 100"
            );
            let statement = Statement::from_sql_and_values(backend, sql, [HOUSE.into(), (table != AUDIT).into()]);
            for row in self.connection().query_all_raw(statement).await? {
                let what = "belongs to no subscription: it was written by somebody else, or its subscription is gone";
                flaws.push(Flaw { table, row: row.try_get("", "id")?, subscription_id: None, what: what.to_owned() });
            }
        }
        Ok(flaws)
    }
}

fn group<T>(rows: Vec<T>, of: impl Fn(&T) -> Option<Uuid>) -> BTreeMap<Uuid, Vec<T>> {
    let mut groups = BTreeMap::<Uuid, Vec<T>>::new();
    for row in rows {
        if let Some(id) = of(&row) {
            groups.entry(id).or_default().push(row);
        }
    }
    groups
}

/// Everything of one subscription.
struct Ledger {
    head: head::Model,
    charges: BTreeMap<Uuid, charges::entity::Model>,
    events: BTreeMap<Uuid, usage_events::entity::Model>,
    steps: Vec<history::Model>,
    audits: Vec<audit::entity::Model>,
    flaws: Vec<Flaw>,
}

/// An entry of the chain.
#[derive(Clone, Copy)]
enum Entry<'a> {
    Step(&'a history::Model),
    Audit(&'a audit::entity::Model),
}

impl<'a> Entry<'a> {
    /// Table, id, position, hash.
    fn place(self) -> (&'static str, Uuid, Option<i64>, Option<&'a str>) {
        match self {
            Self::Step(row) => (HISTORY, row.id, row.position, row.hash.as_deref()),
            Self::Audit(row) => (AUDIT, row.id, row.position, row.hash.as_deref()),
        }
    }
}

impl Ledger {
    fn verify(&mut self) {
        let (steps, audits) = (std::mem::take(&mut self.steps), std::mem::take(&mut self.audits));
        let mut entries: Vec<Entry<'_>> =
            steps.iter().map(Entry::Step).chain(audits.iter().map(Entry::Audit)).collect();
        entries.sort_by_key(|entry| entry.place().2);
        self.verify_chain(&entries);
        let steps: Vec<&history::Model> = entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Step(step) => Some(*step),
                Entry::Audit(_) => None,
            })
            .collect();
        self.verify_charges(&steps);
        self.verify_events(&steps);
        for entry in &audits {
            self.verify_actor(entry);
        }
    }

    fn flaw(&mut self, table: &'static str, row: Uuid, what: impl Into<String>) {
        self.flaws.push(Flaw { table, row, subscription_id: Some(self.head.id), what: what.into() });
    }

    /// Places, hashes, head.
    fn verify_chain(&mut self, entries: &[Entry<'_>]) {
        let mut begun = BTreeSet::new();
        let (mut last, mut previous) = (0, String::new());
        for entry in entries {
            let (table, id, position, hash) = entry.place();
            let (Some(position), Some(hash)) = (position, hash) else {
                self.flaw(table, id, "has no place in the chain: it was not written by Seatkey");
                continue;
            };
            let (kind, content) = self.content(*entry, &mut begun);
            if position <= last {
                self.flaw(table, id, format!("stands at position {position}, where another entry stands"));
            } else if position > last + 1 {
                let missing = last + 1;
                self.flaw(
                    table,
                    id,
                    format!("stands at position {position}, but nothing stands at position {missing}"),
                );
            } else if chain::link(&previous, position, kind, &content) != hash {
                let what = "is not what was written at position";
                let what = format!("{what} {position}: it, or the hash of the entry before it, was changed");
                self.flaw(table, id, what);
            }
            (last, previous) = (position, hash.to_owned());
        }
        let head::Model { id, chain_count, chain_hash, .. } = self.head.clone();
        if chain_count != last {
            self.flaw(HEAD, id, format!("had {chain_count} entries, but the last one is number {last}"));
        } else if chain_hash != previous {
            self.flaw(HEAD, id, format!("has another hash than its last entry, number {last}"));
        }
    }

    /// What is hashed of an entry, from what stands in the database now.
    fn content(&self, entry: Entry<'_>, begun: &mut BTreeSet<Uuid>) -> (&'static str, String) {
        match entry {
            Entry::Audit(row) => (chain::AUDIT, audit::content(row)),
            Entry::Step(row) => {
                let is_first = begun.insert(row.charge_id);
                let charge = self.charges.get(&row.charge_id).filter(|_| is_first);
                let event = row.usage_event_id.and_then(|id| self.events.get(&id));
                (chain::CHARGE, history::content(row, charge, event))
            }
        }
    }

    /// Each charge stands where its last step has brought it.
    fn verify_charges(&mut self, steps: &[&history::Model]) {
        let last: BTreeMap<Uuid, &history::Model> = steps.iter().map(|step| (step.charge_id, *step)).collect();
        for step in steps {
            if !self.charges.contains_key(&step.charge_id) {
                self.flaw(HISTORY, step.id, format!("is a step of charge {}, which is not there", step.charge_id));
            }
        }
        let mut wrong = Vec::new();
        for charge in self.charges.values() {
            let Some(step) = last.get(&charge.id) else {
                wrong.push((charge.id, "has no first step: it was not written by Seatkey".to_owned()));
                continue;
            };
            if step.state != charge.state {
                wrong.push((charge.id, format!("is {}, but its last step made it {}", charge.state, step.state)));
            }
            if step.at != charge.state_at {
                wrong.push((charge.id, "has been in its state since another time than its last step".to_owned()));
            }
        }
        for (id, what) in wrong {
            self.flaw(CHARGE, id, what);
        }
    }

    /// Each event was named by one step of its charge; it is open exactly while that is the charge's last one.
    fn verify_events(&mut self, steps: &[&history::Model]) {
        let last: BTreeMap<Uuid, &history::Model> = steps.iter().map(|step| (step.charge_id, *step)).collect();
        let mut named = BTreeMap::<Uuid, Vec<&history::Model>>::new();
        for step in steps {
            if let Some(event) = step.usage_event_id {
                named.entry(event).or_default().push(step);
            }
        }
        let mut wrong = Vec::new();
        for (id, steps) in &named {
            for step in steps.iter().filter(|_| !self.events.contains_key(id)) {
                wrong.push((HISTORY, step.id, format!("names the usage event {id}, which is not there")));
            }
        }
        for event in self.events.values() {
            let step = match named.get(&event.id).map(Vec::as_slice) {
                Some([step]) => *step,
                None | Some([]) => {
                    wrong.push((EVENT, event.id, "is named by no step: it was not written by Seatkey".to_owned()));
                    continue;
                }
                Some(_) => {
                    wrong.push((EVENT, event.id, "is named by more than one step".to_owned()));
                    continue;
                }
            };
            if step.charge_id != event.charge_id {
                wrong.push((EVENT, event.id, format!("is of another charge than its step {}", step.id)));
            }
            let is_live = step.state == State::Sending.as_str()
                && last.get(&step.charge_id).is_some_and(|last| last.id == step.id);
            let expected = if is_live { usage_events::OPEN } else { usage_events::CLOSED };
            if event.state != expected {
                let what = format!("is {}, but the steps of its charge have left it {expected}", event.state);
                wrong.push((EVENT, event.id, what));
            }
        }
        for (table, id, what) in wrong {
            self.flaw(table, id, what);
        }
    }

    /// The actor is who was digested, unless personal data was erased.
    fn verify_actor(&mut self, row: &audit::entity::Model) {
        let erased = row.actor == ERASED && row.actor_salt.is_none() && self.head.erased_at.is_some();
        let digest = row.actor_salt.as_ref().map(|salt| audit::actor_digest(salt, &row.actor));
        if !erased && (digest.is_none() || digest != row.actor_digest) {
            self.flaw(AUDIT, row.id, "names another actor than the one who did it");
        }
    }
}
