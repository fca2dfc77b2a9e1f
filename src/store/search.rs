//! The search: by the beginning of a term, several words all together.

use std::collections::BTreeMap;

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Alias, Expr, ExprTrait, Query, SimpleExpr},
};
use uuid::Uuid;

use super::{
    Reader, Result, Store,
    search_terms::{
        Target, TermKind,
        entity::{Column, Entity, Model},
        folded, key, words,
    },
};

/// Fewer letters would find half of everything.
const MIN_LETTERS: usize = 3;
/// From so many on, words count as equally frequent.
const FREQUENT: u64 = 500;
/// Rows that are read at once, and how often.
const PAGE: u64 = 200;
const MAX_PAGES: usize = 20;

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
    pub async fn search(&self, query: &str, limit: usize) -> Result<Option<Vec<Hit>>> {
        let phrase = folded(query);
        let words: Vec<&str> = match words(&phrase).collect::<Vec<_>>() {
            // An address or an id is one word, whatever stands around it.
            bare if bare.len() < 2 => [phrase.as_str()].into_iter().filter(|word| !word.is_empty()).collect(),
            bare => bare,
        };
        let long: Vec<&str> = words.iter().copied().filter(|word| word.chars().count() >= MIN_LETTERS).collect();
        let Some(first) = self.rarest(&long).await? else { return Ok(None) };
        let others: Vec<&str> = words.iter().copied().filter(|word| *word != first).collect();
        let targets = self.list_targets(first, &others, limit).await?;
        let mut matched = self.list_matching(&targets, &words).await?;
        let exact = key(&phrase);
        let hit = |target: Target| {
            let mut terms = matched.remove(&target.id()).unwrap_or_default();
            terms.sort_by_key(|row| (row.term != exact, !row.term.starts_with(&exact), row.term.len()));
            let is_exact = terms.first().is_some_and(|row| row.term == exact);
            let told =
                |row: Model| Some((TermKind::from_word(&row.kind)?, String::from_utf8_lossy(&row.term).into_owned()));
            Hit { target, is_exact, matched: terms.into_iter().filter_map(told).collect() }
        };
        let mut hits: Vec<Hit> = targets.into_iter().map(hit).collect();
        hits.sort_by_key(|hit| !hit.is_exact);
        Ok(Some(hits))
    }

    /// The word that finds least: the index is entered with it.
    async fn rarest<'a>(&self, words: &[&'a str]) -> Result<Option<&'a str>> {
        if let [] | [_] = words {
            return Ok(words.first().copied());
        }
        let mut counted = Vec::new();
        for word in words {
            let some = Entity::find().select_only().column(Column::IsTrial).filter(begins(word)).limit(FREQUENT);
            let rows: Vec<bool> = some.into_tuple().all(self.connection()).await?;
            counted.push((rows.len(), std::cmp::Reverse(word.len()), *word));
        }
        Ok(counted.into_iter().min().map(|(.., word)| word))
    }

    /// In the order of the terms: what is asked for stands before what is longer.
    async fn list_targets(&self, first: &str, others: &[&str], limit: usize) -> Result<Vec<Target>> {
        let mut found: Vec<Target> = Vec::new();
        let mut last: Option<Model> = None;
        for _ in 0..MAX_PAGES {
            let mut these = Condition::all().add(begins(first));
            these = others.iter().fold(these, |these, word| these.add(has(word)));
            these = these.add_option(last.as_ref().map(behind));
            let rows = Entity::find()
                .filter(these)
                .order_by_asc(Column::Term)
                .order_by_asc(Column::Target)
                .order_by_asc(Column::Kind)
                .limit(PAGE)
                .all(self.connection())
                .await?;
            for row in &rows {
                let target = target_of(row);
                if !found.contains(&target) {
                    found.push(target);
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

    async fn list_matching(&self, targets: &[Target], words: &[&str]) -> Result<BTreeMap<Uuid, Vec<Model>>> {
        let any = words.iter().fold(Condition::any(), |any, word| any.add(begins(word)));
        let these = Entity::find().filter(Column::Target.is_in(targets.iter().map(|target| target.id()))).filter(any);
        let mut found: BTreeMap<Uuid, Vec<Model>> = BTreeMap::new();
        for row in these.all(self.connection()).await? {
            found.entry(row.target).or_default().push(row);
        }
        Ok(found)
    }
}

fn target_of(row: &Model) -> Target {
    if row.is_trial { Target::Trial(row.target) } else { Target::Subscription(row.target) }
}

/// The range of a prefix.
fn range(term: SimpleExpr, word: &str) -> SimpleExpr {
    let from = key(word);
    let mut to = from.clone();
    // UTF-8 has no byte 255, so that the next one always is there.
    if let Some(last) = to.last_mut() {
        *last = last.saturating_add(1);
    }
    term.clone().gte(from).and(term.lt(to))
}

fn begins(word: &str) -> SimpleExpr {
    range(Expr::col((Entity, Column::Term)), word)
}

/// Whether the same target has a term that begins so.
fn has(word: &str) -> SimpleExpr {
    let other = Alias::new("other");
    let same = Expr::col((other.clone(), Column::Target)).equals((Entity, Column::Target));
    let begins = range(Expr::col((other.clone(), Column::Term)), word);
    let query = Query::select().expr(Expr::val(1)).from_as(Entity, other).and_where(same).and_where(begins).to_owned();
    Expr::exists(query)
}

/// What lies behind a row, in the order of the key.
fn behind(row: &Model) -> Condition {
    let term = || Expr::col((Entity, Column::Term));
    let same_term =
        Column::Target.gt(row.target).or(Column::Target.eq(row.target).and(Column::Kind.gt(row.kind.clone())));
    Condition::all()
        // The first condition is what the index is entered with.
        .add(term().gte(row.term.clone()))
        .add(Condition::any().add(term().gt(row.term.clone())).add(same_term))
}
