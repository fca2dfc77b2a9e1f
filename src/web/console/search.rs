//! The search.

use std::rc::Rc;

use super::{
    names::Names,
    visit::{Answer, StaffVisit, ok},
};
use crate::{
    pages::console::{
        frame::Room,
        search::{Extent, Found, HitFacts, SearchPage, Why},
        table::subscription_path,
        trials::trial_path,
    },
    store::{Hit, Hits, Target, TermKind},
    web::refusal::see_other,
};

/// So many hits are shown.
const MAX_HITS: usize = 50;
/// Nothing that is searched for is longer.
const MAX_QUERY_CHARS: usize = 256;

/// `GET /console/search?q=…`
pub(super) async fn show(visit: Rc<StaffVisit>) -> Answer {
    let query: String = visit.query("q").unwrap_or_default().trim().chars().take(MAX_QUERY_CHARS).collect();
    let frame = visit.frame(Room::None).await?;
    if query.is_empty() {
        return ok(&visit, &SearchPage::without_hits(frame, &query, Why::Nothing));
    }
    let Some(Hits { mut hits, is_partial }) = visit.app.store.search(&query, MAX_HITS + 1).await? else {
        return ok(&visit, &SearchPage::without_hits(frame, &query, Why::TooShort));
    };
    let extent = match (hits.len() > MAX_HITS, is_partial) {
        (true, _) => Extent::First,
        (false, true) => Extent::Partial,
        (false, false) => Extent::All,
    };
    hits.truncate(MAX_HITS);
    let subscriptions =
        hits.iter().filter(|hit| matches!(hit.target, Target::Subscription(_))).map(|hit| hit.target.id());
    let names = Names::read(&visit.app, subscriptions).await?;
    if let Some(target) = straight(&hits).filter(|target| is_known(*target, &names)) {
        return Ok(see_other(&match target {
            Target::Subscription(id) => subscription_path(id),
            Target::Trial(id) => trial_path(id),
        }));
    }
    let organisations = visit.app.store.list_organisations(hits.iter().map(|hit| hit.target.id())).await?;
    let mut facts: Vec<HitFacts<'_>> = Vec::new();
    for Hit { target, matched, .. } in &hits {
        let found = match *target {
            Target::Trial(id) => Found::Trial(id),
            Target::Subscription(id) => names.get(id).map_or(Found::Unknown(id), |subscription| {
                Found::Subscription(subscription, organisations.get(&id).map_or("", String::as_str))
            }),
        };
        facts.push((found, matched.iter().map(|(kind, term)| (kind_told(*kind), term.as_str())).collect()));
    }
    ok(&visit, &SearchPage::new(frame, &query, &facts, extent))
}

fn is_known(target: Target, names: &Names) -> bool {
    match target {
        Target::Subscription(id) => names.get(id).is_some(),
        Target::Trial(_) => true,
    }
}

/// Where there is no choice: one alone is exactly what was asked for, and either it is an id or an address, or nothing
/// else was found. A word of a name may be the beginning of another one.
fn straight(hits: &[Hit]) -> Option<Target> {
    let mut exact = hits.iter().filter(|hit| hit.is_exact);
    let (Some(only), None) = (exact.next(), exact.next()) else { return None };
    let is_name = |kind: &TermKind| matches!(kind, TermKind::Organisation | TermKind::Name);
    let is_clear = hits.len() == 1 || only.matched.first().is_some_and(|(kind, _)| !is_name(kind));
    is_clear.then_some(only.target)
}

fn kind_told(kind: TermKind) -> &'static str {
    match kind {
        TermKind::Organisation => "organisation",
        TermKind::Name => "name",
        TermKind::Email => "e-mail",
        TermKind::Tenant => "tenant",
        TermKind::Subscription => "subscription",
        TermKind::License => "license",
        TermKind::Operation => "operation",
        TermKind::Request => "request",
    }
}
