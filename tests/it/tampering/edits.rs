//! What somebody can do to a single row, or to two.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait as _, DbBackend, Statement, Value};
use seatkey::store::{HOUSE, Reader as _, Store, Tx};
use uuid::Uuid;

use crate::support::chance::Chance;

/// What a column holds; `?` = it may be empty.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Id,
    Text,
    Number,
}

use Kind::{Id, Number, Text};

type Columns = &'static [(&'static str, Kind, bool)];

/// Every column that must not change: all but those that say what is to be done next (`charge.try_at`, and of an event its
/// owner, attempts and answers).
const TABLES: [(&str, Columns); 5] = [
    (
        "charge_history",
        &[
            ("id", Id, false),
            ("charge_id", Id, false),
            ("state", Text, false),
            ("reason", Text, false),
            ("at", Number, false),
            ("subscription_id", Id, true),
            ("usage_event_id", Id, true),
            ("position", Number, true),
            ("hash", Text, true),
        ],
    ),
    (
        "audit",
        &[
            ("id", Id, false),
            ("subscription_id", Id, true),
            ("actor", Text, false),
            ("action", Text, false),
            ("detail", Text, false),
            ("at", Number, false),
            ("position", Number, true),
            ("hash", Text, true),
            ("actor_salt", Text, true),
            ("actor_digest", Text, true),
        ],
    ),
    (
        "charge",
        &[
            ("id", Id, false),
            ("subscription_id", Id, false),
            ("quote_id", Id, false),
            ("reason", Text, false),
            ("term_start", Text, false),
            ("position", Number, false),
            ("description", Text, false),
            ("dimension", Text, false),
            ("quantity_millionths", Number, false),
            ("unit_price", Text, false),
            ("amount_minor", Number, false),
            ("currency", Text, false),
            ("reportable_from", Number, false),
            ("state", Text, false),
            ("created_at", Number, false),
            ("users", Number, true),
            ("from_users", Number, true),
            ("part_days", Number, true),
            ("part_of_days", Number, true),
            ("plan_id", Text, true),
            ("state_at", Number, false),
            ("credit_of", Id, true),
            ("case_number", Text, true),
        ],
    ),
    (
        "usage_event",
        &[
            ("id", Id, false),
            ("charge_id", Id, false),
            ("subscription_id", Id, false),
            ("dimension", Text, false),
            ("hour", Number, false),
            ("effective_start", Number, false),
            ("quantity_millionths", Number, false),
            ("body", Text, false),
            ("created_at", Number, false),
            ("state", Text, false),
        ],
    ),
    ("subscription", &[("chain_count", Number, false), ("chain_hash", Text, false)]),
];
/// Columns of an event that may change; a copied row needs them.
const REST_OF_EVENT: &str = "in_doubt, attempts, next_attempt_at";

/// A change behind our back: statements in one transaction.
pub(super) struct Edit {
    kind: String,
    statements: Vec<(String, Vec<Value>)>,
}

impl std::fmt::Display for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.statements.iter().try_for_each(|(sql, values)| write!(f, "{sql} {values:?}; "))
    }
}

impl Edit {
    /// What kind of change it is.
    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// Whether each statement has changed something.
    pub(super) async fn make(&self, tx: &Tx) -> bool {
        let backend = tx.connection().get_database_backend();
        for (sql, values) in &self.statements {
            let statement = Statement::from_sql_and_values(backend, sql, values.clone());
            if tx.connection().execute_raw(statement).await.map_or(0, |done| done.rows_affected()) == 0 {
                return false;
            }
        }
        true
    }
}

/// A row with a place in the chain.
#[derive(Clone)]
struct Place {
    id: Uuid,
    subscription: Uuid,
    position: i64,
    hash: String,
}

/// The rows as they were written.
pub(super) struct Rows {
    ids: BTreeMap<&'static str, Vec<Uuid>>,
    places: BTreeMap<&'static str, Vec<Place>>,
    counts: BTreeMap<Uuid, i64>,
    states: BTreeMap<String, i64>,
    backend: DbBackend,
}

impl std::fmt::Display for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows: Vec<String> = self.ids.iter().map(|(table, ids)| format!("{} in {table}", ids.len())).collect();
        write!(f, "rows: {}; charges: {:?}", rows.join(", "), self.states)
    }
}

impl Rows {
    pub(super) async fn read(store: &Store) -> Self {
        let backend = store.connection().get_database_backend();
        let all = async |sql: String| {
            store.connection().query_all_raw(Statement::from_string(backend, sql)).await.unwrap().into_iter()
        };
        let mut ids = BTreeMap::new();
        let mut places = BTreeMap::new();
        for (table, columns) in TABLES {
            let rows = all(format!("SELECT id FROM {table} ORDER BY id")).await;
            ids.insert(table, rows.map(|row| row.try_get("", "id").unwrap()).collect());
            if columns.contains(&("hash", Text, true)) {
                let rows = all(format!("SELECT id, subscription_id, position, hash FROM {table} ORDER BY id")).await;
                let place = |row: sea_orm::QueryResult| Place {
                    id: row.try_get("", "id").unwrap(),
                    subscription: row.try_get("", "subscription_id").unwrap(),
                    position: row.try_get("", "position").unwrap(),
                    hash: row.try_get("", "hash").unwrap(),
                };
                places.insert(table, rows.map(place).collect::<Vec<_>>());
            }
        }
        let counts = all("SELECT id, chain_count FROM subscription".to_owned()).await;
        let mut counts: BTreeMap<Uuid, i64> =
            counts.map(|row| (row.try_get("", "id").unwrap(), row.try_get("", "chain_count").unwrap())).collect();
        let house = all("SELECT chain_count FROM house_chain".to_owned()).await.next().unwrap();
        counts.insert(HOUSE, house.try_get("", "chain_count").unwrap());
        let states = all("SELECT state, COUNT(*) AS count FROM charge GROUP BY state".to_owned()).await;
        let states = states.map(|row| (row.try_get("", "state").unwrap(), row.try_get("", "count").unwrap())).collect();
        Self { ids, places, counts, states, backend }
    }

    /// A test of a dull life would show little.
    pub(super) fn check_variety(&self) {
        assert_eq!(self.ids["subscription"].len(), 4);
        for state in ["held", "sending", "accepted", "cancelled"] {
            assert!(self.states.contains_key(state), "no charge is {state}: {:?}", self.states);
        }
        assert!(self.places.values().map(Vec::len).sum::<usize>() >= 50, "{self}");
    }

    /// Every kind of change that there is.
    pub(super) fn kinds() -> usize {
        TABLES.iter().map(|(_, columns)| columns.len()).sum::<usize>() + 3 * 4 + 2
    }

    pub(super) fn think_of(&self, chance: &mut Chance) -> Edit {
        match chance.below(10) {
            0..6 => self.edit(chance),
            6 => self.delete(chance),
            7 => self.insert(chance),
            8 => self.swap_ids(chance),
            _ => self.swap_places(chance),
        }
    }

    fn edit(&self, chance: &mut Chance) -> Edit {
        let all: Vec<_> =
            TABLES.iter().flat_map(|(table, columns)| columns.iter().map(move |one| (*table, *one))).collect();
        let (table, (column, kind, nullable)) = *chance.pick(&all);
        let ids = &self.ids[table];
        let (id, other) = (*chance.pick(ids), *chance.pick(ids));
        let is = if self.backend == DbBackend::Sqlite { "IS NOT" } else { "IS DISTINCT FROM" };
        // The value of another row; it fits everywhere.
        let copied = format!("(SELECT o.{column} FROM {table} AS o WHERE o.id = $2)");
        let (value, second): (String, Value) = match (chance.below(3), kind) {
            (0, _) if nullable => ("NULL".to_owned(), id.into()),
            (1, _) if column != "id" => (copied, other.into()),
            (_, Id) if chance.one_in(2) => ("$2".to_owned(), chance_id(chance).into()),
            (_, Id) => {
                let table = *chance.pick(&["charge_history", "charge", "audit", "subscription"]);
                ("$2".to_owned(), (*chance.pick(&self.ids[table])).into())
            }
            (_, Number) => {
                let by = i32::try_from(1 + chance.below(1_000)).unwrap() * if chance.one_in(2) { 1 } else { -1 };
                (format!("COALESCE({column}, 0) + {by}"), id.into())
            }
            (_, Text) => {
                let forms = ["COALESCE({}, '') || 'x'", "UPPER({})", "SUBSTR({}, 2)", "REPLACE({}, '1', '2')", "''"];
                (chance.pick(&forms).replace("{}", column), id.into())
            }
        };
        // Every statement has both values, whether it needs them or not.
        let sql =
            format!("UPDATE {table} SET {column} = {value} WHERE id = $1 AND {column} {is} ({value}) AND $2 = $2");
        Edit { kind: format!("edited: {table}.{column}"), statements: vec![(sql, vec![id.into(), second])] }
    }

    fn delete(&self, chance: &mut Chance) -> Edit {
        let (table, id) = if chance.one_in(3) {
            // The last of its chain.
            let subscription = *chance.pick(&self.ids["subscription"]);
            let last = |(table, places): (&&'static str, &Vec<Place>)| {
                let mut places = places.iter().filter(|one| one.subscription == subscription);
                places.find(|one| one.position == self.counts[&subscription]).map(|one| (*table, one.id))
            };
            self.places.iter().find_map(last).unwrap()
        } else {
            let table = *chance.pick(&["charge_history", "audit", "charge", "usage_event"]);
            (table, *chance.pick(&self.ids[table]))
        };
        Edit {
            kind: format!("deleted: {table}"),
            statements: vec![(format!("DELETE FROM {table} WHERE id = $1"), vec![id.into()])],
        }
    }

    /// A copy of a row, with what has to be unique made so.
    fn insert(&self, chance: &mut Chance) -> Edit {
        let table = *chance.pick(&["charge_history", "audit", "charge", "usage_event"]);
        let columns = TABLES.iter().find(|(name, _)| *name == table).unwrap().1;
        let original = *chance.pick(&self.ids[table]);
        let number = 1 + chance.below(1_000);
        let end = self.places.get(table).and_then(|places| places.iter().find(|one| one.id == original));
        let end = end.map_or(0, |place| self.counts[&place.subscription]);
        let position = match chance.below(3) {
            0 => "NULL".to_owned(),
            1 => (end + 1).to_string(),
            _ => (end + 1 + i64::try_from(number).unwrap()).to_string(),
        };
        let values = columns.iter().map(|(column, ..)| match *column {
            "id" => "$1".to_owned(),
            "position" if table != "charge" => position.clone(),
            "quote_id" => "$1".to_owned(),
            "hour" => format!("hour + {number} * 3600000000"),
            other => other.to_owned(),
        });
        let (mut names, mut values): (Vec<String>, Vec<String>) =
            columns.iter().map(|(name, ..)| (*name).to_owned()).zip(values).unzip();
        if table == "usage_event" {
            names.push(REST_OF_EVENT.to_owned());
            values.push(REST_OF_EVENT.to_owned());
        }
        let (names, values) = (names.join(", "), values.join(", "));
        let sql = format!("INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE id = $2");
        Edit {
            kind: format!("inserted: {table}"),
            statements: vec![(sql, vec![chance_id(chance).into(), original.into()])],
        }
    }

    /// Two rows of a kind take each other's identity: everything else has changed places.
    fn swap_ids(&self, chance: &mut Chance) -> Edit {
        let table = *chance.pick(&["charge_history", "audit", "charge", "usage_event"]);
        let ids = &self.ids[table];
        let (one, other) = (*chance.pick(ids), *chance.pick(ids));
        let free = chance_id(chance);
        let step =
            |from: Uuid, to: Uuid| (format!("UPDATE {table} SET id = $2 WHERE id = $1"), vec![from.into(), to.into()]);
        // Of one row with itself the second step finds nothing.
        let statements = vec![step(one, free), step(other, one), step(free, other)];
        Edit { kind: format!("rows swapped: {table}"), statements }
    }

    /// Two entries of a chain, with their hashes or without.
    fn swap_places(&self, chance: &mut Chance) -> Edit {
        let table = *chance.pick(&["charge_history", "audit"]);
        let places = &self.places[table];
        let one = chance.pick(places).clone();
        let same: Vec<Place> = places.iter().filter(|place| place.subscription == one.subscription).cloned().collect();
        let other = chance.pick(&same).clone();
        let with_hash = chance.one_in(2);
        let sql = |set: &str| format!("UPDATE {table} SET {set} WHERE id = $1");
        let put = |id: Uuid, place: &Place| {
            let mut values = vec![id.into(), place.position.into()];
            if !with_hash {
                return (sql("position = $2"), values);
            }
            values.push(place.hash.clone().into());
            (sql("position = $2, hash = $3"), values)
        };
        let mut statements =
            vec![(sql("position = NULL"), vec![one.id.into()]), put(other.id, &one), put(one.id, &other)];
        if one.id == other.id {
            // Nothing to swap: told as a change without effect.
            statements = vec![(sql("position = NULL") + " AND 1 = 0", vec![one.id.into()])];
        }
        Edit { kind: format!("places swapped: {table}"), statements }
    }
}

fn chance_id(chance: &mut Chance) -> Uuid {
    Uuid::from_u64_pair(chance.below(usize::MAX) as u64, chance.below(usize::MAX) as u64)
}
