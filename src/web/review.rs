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
    domain::enrolment::Difference,
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
    let changes: Vec<Change<'_>> =
        visit.query("changed").into_iter().flat_map(|list| list.split('.')).filter_map(change).collect();
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
        Submitted::Changed { quote_id, differences } => {
            let words: Vec<&str> = differences.iter().map(|difference| word(*difference)).collect();
            Ok(see_other(&format!("{path}/enrol/review/{quote_id}?changed={}", words.join("."))))
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

/// The differences travel in the address, so that a reload still names them.
fn word(difference: Difference) -> &'static str {
    match difference {
        Difference::Expired => "expired",
        Difference::Day => "day",
        Difference::Prices => "prices",
        Difference::Trial => "trial",
        Difference::Subscription => "subscription",
    }
}

fn change(word: &str) -> Option<Change<'static>> {
    match word {
        "expired" => Some(Change::Expired),
        "day" | "subscription" | "trial" => Some(Change::Dates),
        "prices" => Some(Change::Prices),
        _ => None,
    }
}
