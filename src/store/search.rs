//! The search: by the beginning of a term, several words all together.

use std::collections::BTreeMap;

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait as _, DbErr, EntityTrait, QueryFilter, QueryOrder, QueryResult,
    QuerySelect,
    sea_query::{Alias, Expr, ExprTrait, Func, Iden, Order, Query, SimpleExpr},
};
use uuid::Uuid;

use super::{
    Reader, Result, Store, StoreError,
    search_terms::{
        Target, TermKind,
        entity::{Column, Entity, Model},
        folded, key, words,
    },
};

/// Fewer letters would find half of everything.
const MIN_LETTERS: usize = 3;
/// From so many on, words count as equally frequent: of several that all are, no more terms of one are looked through.
const FREQUENT: u64 = 5_000;
/// Rows that are read at once, and how often.
const PAGE: u64 = 200;
const MAX_PAGES: usize = 20;

/// The key of a row: term, target, kind.
type Key = (Vec<u8>, Uuid, String);

/// What a search has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hits {
    /// The closest first.
    pub hits: Vec<Hit>,
    /// There may be more: every word is so frequent that not all of its terms were looked through.
    pub is_partial: bool,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// What it is.
    pub target: Target,
    /// The terms that match, in small letters, the closest first.
    pub matched: Vec<(TermKind, String)>,
    /// Whether one of them is all that was asked for, and nothing more.
    pub is_exact: bool,
}

impl Store {
    /// What has a term that begins with each of the words; at most `limit`, the closest first. `None`: none of the words has
    /// three letters.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn search(&self, query: &str, limit: usize) -> Result<Option<Hits>> {
        let phrase = folded(query);
        let words: Vec<&str> = match words(&phrase).collect::<Vec<_>>() {
            // An address or an id is one word, whatever stands around it.
            bare if bare.len() < 2 => [phrase.as_str()].into_iter().filter(|word| !word.is_empty()).collect(),
            bare => bare,
        };
        let long: Vec<&str> = words.iter().copied().filter(|word| word.chars().count() >= MIN_LETTERS).collect();
        let Some((first, is_frequent)) = self.rarest(&long).await? else { return Ok(None) };
        let others: Vec<&str> = words.iter().copied().filter(|word| *word != first).collect();
        let targets = self.list_targets(first, &others, limit).await?;
        let is_partial = is_frequent && !others.is_empty() && targets.len() < limit;
        let mut matched = self.list_matching(&targets, &words).await?;
        let exact = key(&phrase);
        let hit = |id: Uuid| {
            let mut terms = matched.remove(&id).unwrap_or_default();
            let target = target_of(id, &terms);
            terms.sort_by_key(|row| (row.term != exact, !row.term.starts_with(&exact), row.term.len()));
            let is_exact = terms.first().is_some_and(|row| row.term == exact);
            let told =
                |row: Model| Some((TermKind::from_word(&row.kind)?, String::from_utf8_lossy(&row.term).into_owned()));
            Hit { target, is_exact, matched: terms.into_iter().filter_map(told).collect() }
        };
        let mut hits: Vec<Hit> = targets.into_iter().map(hit).collect();
        hits.sort_by_key(|hit| !hit.is_exact);
        Ok(Some(Hits { hits, is_partial }))
    }

    /// The word that finds least, with which the index is entered; and whether even that one is frequent.
    async fn rarest<'a>(&self, words: &[&'a str]) -> Result<Option<(&'a str, bool)>> {
        if let [] | [_] = words {
            return Ok(words.first().map(|word| (*word, false)));
        }
        let mut counted = Vec::new();
        for word in words {
            // In the order of the key, so that nothing but its index is read.
            let some = Entity::find().select_only().column(Column::Kind).filter(begins(&Entity, word));
            let some = some.order_by_asc(Column::Term).limit(FREQUENT);
            let rows: Vec<String> = some.into_tuple().all(self.connection()).await?;
            counted.push((rows.len(), std::cmp::Reverse(word.len()), *word));
        }
        Ok(counted.into_iter().min().map(|(count, _, word)| (word, count as u64 == FREQUENT)))
    }

    /// In the order of the terms: what is asked for stands before what is longer.
    async fn list_targets(&self, first: &str, others: &[&str], limit: usize) -> Result<Vec<Uuid>> {
        let mut found: Vec<Uuid> = Vec::new();
        let mut last: Option<Key> = None;
        for _ in 0..MAX_PAGES {
            let rows = self.list_keys(first, others, last.as_ref()).await?;
            for (_, target, _) in &rows {
                if !found.contains(target) {
                    found.push(*target);
                }
            }
            let is_full = rows.len() as u64 == PAGE;
            last = rows.into_iter().next_back();
            if found.len() >= limit || !is_full {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// The next keys of the first word whose target has the other words, too. So many rows are looked through, and no more:
    /// of words that are frequent and never meet, it would be all.
    async fn list_keys(&self, first: &str, others: &[&str], after: Option<&Key>) -> Result<Vec<Key>> {
        let looked = Alias::new("looked");
        let key = [Column::Term, Column::Target, Column::Kind];
        let mut window = Query::select();
        window.columns(key).from(Entity).and_where(begins(&Entity, first)).limit(FREQUENT);
        window.cond_where(Condition::all().add_option(after.map(behind)));
        let mut query = Query::select();
        for column in key {
            window.order_by(column, Order::Asc);
            query.column((looked.clone(), column)).order_by((looked.clone(), column), Order::Asc);
        }
        query.from_subquery(window, looked.clone()).limit(PAGE);
        for word in others {
            query.and_where(has(&looked, word));
        }
        let rows = self.connection().query_all(&query).await?;
        let told =
            |row: &QueryResult| Ok((row.try_get("", "term")?, row.try_get("", "target")?, row.try_get("", "kind")?));
        rows.iter().map(told).collect::<std::result::Result<_, DbErr>>().map_err(StoreError::from)
    }

    async fn list_matching(&self, targets: &[Uuid], words: &[&str]) -> Result<BTreeMap<Uuid, Vec<Model>>> {
        let any = words.iter().fold(Condition::any(), |any, word| any.add(begins_so(word)));
        let these = Entity::find().filter(Column::Target.is_in(targets.iter().copied())).filter(any);
        let mut found: BTreeMap<Uuid, Vec<Model>> = BTreeMap::new();
        for row in these.all(self.connection()).await? {
            found.entry(row.target).or_default().push(row);
        }
        Ok(found)
    }
}

/// All of its rows say the same.
fn target_of(id: Uuid, rows: &[Model]) -> Target {
    if rows.first().is_some_and(|row| row.is_trial) { Target::Trial(id) } else { Target::Subscription(id) }
}

/// The range of a prefix.
fn begins(table: &(impl Iden + Clone + 'static), word: &str) -> SimpleExpr {
    let term = Expr::col((table.clone(), Column::Term));
    let from = key(word);
    let mut to = from.clone();
    // UTF-8 has no byte 255, so that the next one always is there.
    if let Some(last) = to.last_mut() {
        *last = last.saturating_add(1);
    }
    term.clone().gte(from).and(term.lt(to))
}

/// The same, for terms of targets that are known: no index can be entered with it, so that the planner, who takes the terms
/// between two words for few, goes by the targets.
fn begins_so(word: &str) -> SimpleExpr {
    let beginning = key(word);
    let length = i32::try_from(beginning.len()).unwrap_or(i32::MAX);
    Expr::expr(Func::cust("substr").args([Expr::col((Entity, Column::Term)), Expr::val(1), Expr::val(length)]))
        .eq(beginning)
}

/// Whether the target of a row has a term that begins so, too.
fn has(row: &Alias, word: &str) -> SimpleExpr {
    let other = Alias::new("other");
    let same = Expr::col((other.clone(), Column::Target)).equals((row.clone(), Column::Target));
    let begins = begins(&other, word);
    let query = Query::select().expr(Expr::val(1)).from_as(Entity, other).and_where(same).and_where(begins).to_owned();
    Expr::exists(query)
}

/// What lies behind a row, in the order of the key.
fn behind((term, target, kind): &Key) -> Condition {
    let column = || Expr::col((Entity, Column::Term));
    let same_term = Column::Target.gt(*target).or(Column::Target.eq(*target).and(Column::Kind.gt(kind.clone())));
    Condition::all()
        // The first condition is what the index is entered with.
        .add(column().gte(term.clone()))
        .add(Condition::any().add(column().gt(term.clone())).add(same_term))
}
