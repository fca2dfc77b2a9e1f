//! The ledger of a subscription, with every charge explained in words.

use std::rc::Rc;

use actix_web::{HttpResponse, http::StatusCode};
use serde::Serialize;

use super::{call::Call, json, problem::Problem, subscriptions::find};
use crate::{
    app::explain_charges,
    domain::explanation::{ChargeJson, Month},
};

#[derive(Debug, Serialize)]
struct Charges {
    items: Vec<ChargeJson>,
}

/// `GET /api/v1/subscriptions/{id}/charges`: by month of use, oldest first; what `seatkey ledger explain --json` says.
pub(super) async fn list(call: Rc<Call>) -> Result<HttpResponse, Problem> {
    let [] = call.query([])?;
    let subscription = find(&call).await?;
    let charges = call.app.store.list_charges(subscription.microsoft.id).await?;
    let explanation = explain_charges(&call.app, &subscription, &charges, None).await?;
    let of_month = |month: &Month| month.charges.iter().map(ChargeJson::new).collect::<Vec<_>>();
    json(StatusCode::OK, &Charges { items: explanation.months.iter().flat_map(of_month).collect() })
}
