//! Withdrawing while everything is held.

use std::rc::Rc;

use actix_web::HttpResponse;

use super::{
    account::back,
    account_facts::held_sum,
    purchase::Shown,
    refusal::{Refusal, ok, see_other},
    visit::Visit,
};
use crate::{
    app::{AppError, ask_withdrawal},
    domain::change::{ChangeRefused, held_until, may_lower},
    pages::confirm::Confirm,
    store::StoreError,
};

/// `GET /subscriptions/{id}/withdraw`: what withdrawing means.
pub(super) async fn ask(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    let shown = Shown::for_buyer(&visit).await?;
    let subscription = &shown.subscription;
    if subscription.withdrawn_at.is_some() {
        return Err(Refusal::Elsewhere(shown.path()));
    }
    let charges = visit.app.store.list_charges(subscription.microsoft.id).await?;
    let until = held_until(&charges, visit.now()).filter(|_| may_lower(subscription, &charges, visit.now()));
    let until = until.ok_or(AppError::Change(ChangeRefused::TooLate))?;
    let held = held_sum(&charges, |_| true);
    ok(&visit, &Confirm::withdrawal(shown.frame(&visit), &shown.purchase(""), held, until))
}

/// `POST /subscriptions/{id}/withdraw`
pub(super) async fn withdraw(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    visit.check_form()?;
    let shown = Shown::for_buyer(&visit).await?;
    match ask_withdrawal(&visit.app, shown.who(), shown.subscription.microsoft.id).await {
        Ok(()) => Ok(see_other(&shown.path())),
        Err(AppError::Store(StoreError::Conflict(_))) => Ok(back(&shown, "overtaken")),
        Err(error) => Err(error.into()),
    }
}
