//! What a number of users costs: by the catalog's list prices, or by those of one customer.

use std::rc::Rc;

use actix_web::{HttpResponse, http::StatusCode};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    call::Call,
    json,
    problem::{Kind, Problem},
};
use crate::{
    app::{App, quote_users},
    domain::{
        change::{ChangeRefused, forecast_renewal},
        quote_json::{Amounts, QuoteJson},
    },
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    plan_id: Option<String>,
    offer_id: Option<String>,
    users: u32,
    subscription_id: Option<String>,
    market: Option<String>,
}

/// `POST /api/v1/quotes`; it keeps nothing.
pub(super) async fn quote(call: Rc<Call>) -> Result<HttpResponse, Problem> {
    let [] = call.query([])?;
    let wanted: Wanted = call.json()?;
    let quote = match &wanted.subscription_id {
        Some(id) => for_subscription(&call.app, &wanted, id).await?,
        None => from_catalog(&call.app, &wanted)?,
    };
    json(StatusCode::OK, &quote)
}

fn from_catalog(app: &App, wanted: &Wanted) -> Result<QuoteJson, Problem> {
    let missing = || Problem::new(Kind::BadRequest, "Name a planId, or a subscriptionId.");
    let plan_id = wanted.plan_id.as_deref().ok_or_else(missing)?;
    let refused = |reason: &dyn std::fmt::Display| Problem::new(Kind::Refused, reason.to_string());
    let plan = app.catalog.choose_plan(plan_id, wanted.offer_id.as_deref()).map_err(|error| refused(&error))?;
    if !plan.is_metered() {
        return Err(refused(&ChangeRefused::NotMetered));
    }
    let prices = app.catalog.choose_prices(plan, wanted.market.as_deref()).map_err(|error| refused(&error))?;
    Ok(QuoteJson::new(&forecast_renewal(plan, prices, wanted.users)?, None, Amounts::Shown))
}

async fn for_subscription(app: &App, wanted: &Wanted, id: &str) -> Result<QuoteJson, Problem> {
    let unknown = || Problem::unknown("subscription");
    let id = Uuid::parse_str(id).map_err(|_| unknown())?;
    let subscription = app.store.find_subscription(id).await?.ok_or_else(unknown)?;
    let microsoft = &subscription.microsoft;
    if wanted.market.is_some() {
        return Err(Problem::new(Kind::Refused, "A subscription has a market of its own; leave the market out."));
    }
    for (name, given, own) in
        [("plan", &wanted.plan_id, &microsoft.plan_id), ("offer", &wanted.offer_id, &microsoft.offer_id)]
    {
        if given.as_ref().is_some_and(|given| given != own) {
            return Err(Problem::new(Kind::Refused, format!("The {name} of this subscription is \"{own}\".")));
        }
    }
    Ok(quote_users(app, &subscription, wanted.users).await?.json())
}
