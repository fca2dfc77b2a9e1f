//! Review and submit: nothing is ordered before, and what is ordered is what was shown.

use std::rc::Rc;

use actix_web::HttpResponse;
use uuid::Uuid;

use super::{
    enrolment::{answers_of, enrollable, priced_plan, with_priced},
    purchase::Shown,
    refusal::{Refusal, ok, see_other},
    visit::Visit,
};
use crate::{
    app::{Submitted, submit_order},
    domain::enrolment::{FrozenQuote, sum},
    pages::{
        review::{Change, Order, Review},
        trouble::Dead,
    },
    store::StoredQuote,
};

/// `GET /subscriptions/{id}/enrol/review/{quote}[?changed=…]`
pub(super) async fn show(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    let shown = enrollable(&visit).await?;
    let quote = own_quote(&visit, &shown, visit.path_id("quote")?).await?;
    let order = &quote.frozen.order;
    let answers = answers_of(order);
    let before = match visit.query("instead_of").and_then(|text| Uuid::parse_str(text).ok()) {
        Some(id) => Some(own_quote(&visit, &shown, id).await?.frozen),
        None => None,
    };
    let changes = before.as_ref().map_or_else(|| Ok(Vec::new()), |before| changes(before, &quote.frozen))?;
    let told = Order { quote_id: quote.id, holds_until: quote.expires_at, changes: &changes };
    let (frame, purchase, now) = (shown.frame(&visit), shown.purchase(&order.organisation), visit.now());
    let page = if shown.plan.is_metered() {
        let plan = priced_plan(&shown, &quote.frozen)?;
        with_priced(&quote.frozen, &plan, |priced| Review::new(frame, &purchase, priced, &answers, told, now))?
    } else {
        Review::billed_by_microsoft(frame, &purchase, order.users, &answers, told, now)
    };
    ok(&visit, &page)
}

/// `POST /subscriptions/{id}/enrol/submit`
pub(super) async fn submit(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    visit.check_form()?;
    let shown = Shown::for_buyer(&visit).await?;
    let quote_id = Uuid::parse_str(visit.field("quote")).map_err(|_| Refusal::Dead(Dead::FormExpired))?;
    let quote = own_quote(&visit, &shown, quote_id).await?;
    let path = shown.path();
    match submit_order(&visit.app, shown.who(), &shown.subscription, quote.id).await? {
        Submitted::Accepted | Submitted::AlreadyAccepted => Ok(see_other(&format!("{path}/progress"))),
        // The old quote travels in the address, so that a reload still says what is different.
        Submitted::Changed { quote_id } => {
            Ok(see_other(&format!("{path}/enrol/review/{quote_id}?instead_of={}", quote.id)))
        }
    }
}

/// A quote of this person and subscription; any other does not exist.
async fn own_quote(visit: &Visit, shown: &Shown<'_>, id: Uuid) -> Result<StoredQuote, Refusal> {
    let quote = visit.app.store.find_quote(id).await?;
    let own =
        quote.filter(|quote| quote.subscription_id == shown.subscription.microsoft.id && quote.shown_to == shown.who());
    own.ok_or(Refusal::Dead(Dead::FormExpired))
}

/// What differs between the figures that were shown and those that are shown now, the most telling first.
fn changes<'a>(before: &'a FrozenQuote, after: &'a FrozenQuote) -> Result<Vec<Change<'a>>, Refusal> {
    let mut found = Vec::new();
    if let (Some(old), Some(new)) = (&before.quote, &after.quote) {
        if old.segment.name != new.segment.name {
            found.push(Change::Segment { before: &old.segment.name, after: &new.segment.name });
        }
        if old.total != new.total {
            found.push(Change::Total { before: old.total, after: new.total });
        }
    }
    if let (Some(old), Some(new)) = (sum(&before.charged_lines()?)?, sum(&after.charged_lines()?)?)
        && old != new
    {
        found.push(Change::FirstTerm { before: old, after: new });
    }
    let (old_trial, new_trial) = (before.first.trial_days, after.first.trial_days);
    if old_trial != new_trial {
        found.push(Change::TrialDays { before: old_trial, after: new_trial });
    } else if before.first.term != after.first.term || before.first.start_day != after.first.start_day {
        found.push(Change::Dates);
    }
    let prices = |frozen: &FrozenQuote| frozen.prices.as_ref().map(|prices| prices.list.clone());
    if prices(before) != prices(after) {
        found.push(Change::Prices);
    }
    if found.is_empty() {
        found.push(Change::Expired);
    }
    Ok(found)
}
