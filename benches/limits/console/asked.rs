//! What is asked for: an address of the console, and the query that it cannot do without.

use crate::support::bare::{Bind, Statement, text};

/// Rows of a page.
const PAGE: &str = "50";

/// A kind of page, asked for in several ways.
pub(super) struct Case {
    /// Its name in the table.
    pub(super) name: &'static str,
    /// The ways.
    pub(super) asked: Vec<Asked>,
}

/// One of them.
pub(super) struct Asked {
    /// Path and query.
    pub(super) path: String,
    /// The main query alone.
    pub(super) limit: Statement,
}

impl Asked {
    pub(super) fn new(path: impl Into<String>, limit: Statement) -> Self {
        Self { path: path.into(), limit }
    }
}

/// A room with rows: its address, its table, and what its pages are sorted by.
#[derive(Clone, Copy)]
pub(super) struct List {
    pub(super) path: &'static str,
    pub(super) table: &'static str,
    /// `created_at, id` instead of `id`.
    pub(super) by_time: bool,
}

impl List {
    /// A page with these filters, behind a place.
    pub(super) fn page(self, filters: &[(&str, &str)], after: Option<&str>) -> Asked {
        let mut query: Vec<String> = filters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        query.extend(after.map(|place| format!("after={place}")));
        let path = format!("{}?{}", self.path, query.join("&"));
        Asked::new(path, self.statement(filters, after))
    }

    fn statement(self, filters: &[(&str, &str)], after: Option<&str>) -> Statement {
        let (mut these, mut binds) = (Vec::<String>::new(), Vec::<Bind>::new());
        let mut bind = |value: &str| {
            binds.push(text(value));
            format!("${}", binds.len())
        };
        for (name, value) in filters {
            these.push(match *name {
                "tenant" => {
                    let tenant = bind(value);
                    format!("(beneficiary_tenant_id = {tenant}::uuid OR purchaser_tenant_id = {tenant}::uuid)")
                }
                "subscription" => format!("subscription_id = {}::uuid", bind(value)),
                "offer" => format!("offer_id = {}", bind(value)),
                "plan" => format!("plan_id = {}", bind(value)),
                "handled" => format!("handled_at IS {}NULL", if *value == "yes" { "NOT " } else { "" }),
                "who" => format!("actor LIKE '{value}%'"),
                name => format!("{name} = {}", bind(value)),
            });
        }
        match after.map(|place| place.split_once('_')) {
            Some(Some((micros, id))) => {
                let (micros, id) = (bind(micros), bind(id));
                these.push(format!("(created_at, id) < ({micros}::bigint, {id}::uuid)"));
            }
            Some(None) => these.push(format!("id < {}::uuid", bind(after.unwrap_or_default()))),
            None => {}
        }
        let these = if these.is_empty() { String::new() } else { format!(" WHERE {}", these.join(" AND ")) };
        let order = if self.by_time { "created_at DESC, id DESC" } else { "id DESC" };
        let sql = format!("SELECT * FROM {}{these} ORDER BY {order} LIMIT {PAGE}", self.table);
        // A few dozen texts in the life of this process.
        (sql.leak(), binds)
    }

    /// Each of the filters, from the beginning and behind each of the places.
    pub(super) fn pages(self, filters: &[Vec<(&str, &str)>], places: &[String]) -> Vec<Asked> {
        let places: Vec<Option<&str>> = [None].into_iter().chain(places.iter().map(|one| Some(one.as_str()))).collect();
        filters.iter().flat_map(|these| places.iter().map(|place| self.page(these, *place))).collect()
    }
}

/// One filter with several values.
pub(super) fn each<'a>(name: &'a str, values: &[&'a str]) -> Vec<Vec<(&'a str, &'a str)>> {
    values.iter().map(|value| vec![(name, *value)]).collect()
}

/// Every pair of two filters.
pub(super) fn pairs<'a>(
    (one, ones): (&'a str, &[&'a str]),
    (other, others): (&'a str, &[&'a str]),
) -> Vec<Vec<(&'a str, &'a str)>> {
    ones.iter().flat_map(|first| others.iter().map(move |second| vec![(one, *first), (other, *second)])).collect()
}
