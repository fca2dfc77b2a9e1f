//! Another number of users: typed, previewed, reviewed, submitted; and a planned downgrade taken back.

use std::rc::Rc;

use actix_web::HttpResponse;
use uuid::Uuid;

use super::{
    account::{Typed, back, page},
    account_facts::held_sum,
    enrolment::typed_users,
    purchase::Shown,
    refusal::{Refusal, form_again, ok, see_other},
    seats,
    visit::Visit,
};
use crate::{
    app::{App, AppError, ChangeSubmitted, cancel_downgrade, preview_change, review_change, submit_change},
    domain::{
        catalog::Model,
        change::{ChangeKind, ChangeRefused, FrozenChange, open_term},
        pricing::PricedPlan,
        subscription::Subscription,
    },
    pages::{
        change::{ChangeFacts, ChangePreview, ChangeReview, Meaning, Proposal},
        differences,
        purchase::Purchase,
        trouble::Dead,
    },
    store::{ChangeState, StoreError, StoredChange},
};

const NOT_A_NUMBER: &str = "Enter a whole number.";

/// `POST /subscriptions/{id}/users`: a good number is frozen and reviewed; where Microsoft bills seats, it is asked for.
pub(super) async fn review(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    visit.check_form()?;
    let shown = Shown::for_buyer(&visit).await?;
    open_term(&shown.subscription, visit.now()).map_err(AppError::from)?;
    let text = visit.field("users");
    let Some(users) = typed_users(text) else {
        return form_again(&visit, &page(&visit, &shown, Typed { users: text, error: NOT_A_NUMBER }).await?);
    };
    if shown.plan.model == Model::PerUser {
        return seats::change(&visit, &shown, users).await;
    }
    match review_change(&visit.app, shown.who(), &shown.subscription, users).await {
        Ok(change_id) => Ok(see_other(&format!("{}/users/review/{change_id}", shown.path()))),
        Err(error) => refused(&visit, text, error).await,
    }
}

/// Shows a refusal where it belongs: at the number, which stays as it was typed; elsewhere as a page.
pub(super) async fn refused(visit: &Visit, typed: &str, error: AppError) -> Result<HttpResponse, Refusal> {
    let reason = match &error {
        AppError::Change(ChangeRefused::Unpriced(_)) => return Err(error.into()),
        AppError::Change(reason) => reason.to_string(),
        AppError::Seats(reason) => reason.to_string(),
        AppError::Store(StoreError::Conflict(_)) => return Ok(back(&Shown::for_buyer(visit).await?, "overtaken")),
        _ => return Err(error.into()),
    };
    // It may have changed since it was found.
    let shown = Shown::for_buyer(visit).await?;
    let account = page(visit, &shown, Typed { users: typed, error: &crate::pages::sentence(&reason) }).await?;
    if account.may_change() { form_again(visit, &account) } else { Err(error.into()) }
}

/// `GET /subscriptions/{id}/users/preview?users=…`: the part of the page that follows the typing.
pub(super) async fn preview(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    let shown = Shown::for_buyer(&visit).await?;
    let text = visit.query("users").unwrap_or_default().trim();
    if text.is_empty() {
        return ok(&visit, &ChangePreview::refused(""));
    }
    let Some(users) = typed_users(text) else { return ok(&visit, &ChangePreview::refused(NOT_A_NUMBER)) };
    match preview_change(&visit.app, &shown.subscription, users).await {
        Ok(change) => {
            let meaning = with_facts(&visit, &shown, &change, |told| Ok(Meaning::of(told)?)).await?;
            ok(&visit, &ChangePreview::of(meaning))
        }
        Err(AppError::Change(ChangeRefused::Unpriced(error))) => {
            Err(AppError::from(ChangeRefused::Unpriced(error)).into())
        }
        Err(AppError::Change(reason)) => {
            ok(&visit, &ChangePreview::refused(&crate::pages::sentence(&reason.to_string())))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /subscriptions/{id}/users/review/{change}[?instead_of=…]`
pub(super) async fn show(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    let shown = Shown::for_buyer(&visit).await?;
    let change = own_change(&visit, &shown, visit.path_id("change")?).await?;
    if change.state != ChangeState::Shown {
        return Ok(back(&shown, "already"));
    }
    let before = match visit.query("instead_of").and_then(|text| Uuid::parse_str(text).ok()) {
        Some(id) => Some(own_change(&visit, &shown, id).await?.body),
        None => None,
    };
    let purchase = shown.purchase("");
    let changes = before.map_or_else(Vec::new, |before| differences(&purchase, &before, &change.body));
    let proposal = Proposal { change_id: change.id, holds_until: change.expires_at, changes: &changes };
    let (frame, now) = (shown.frame(&visit), visit.now());
    let page =
        with_facts(&visit, &shown, &change.body, |told| Ok(ChangeReview::new(frame, told, proposal, now)?)).await?;
    ok(&visit, &page)
}

/// `POST /subscriptions/{id}/users/submit`
pub(super) async fn submit(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    visit.check_form()?;
    let shown = Shown::for_buyer(&visit).await?;
    let id = Uuid::parse_str(visit.field("change")).map_err(|_| Refusal::Dead(Dead::FormExpired))?;
    let change = own_change(&visit, &shown, id).await?;
    match submit_change(&visit.app, shown.who(), &shown.subscription, change.id).await {
        Ok(ChangeSubmitted::Accepted(frozen)) => Ok(back(&shown, word(frozen.kind))),
        Ok(ChangeSubmitted::AlreadyAccepted) => Ok(back(&shown, "already")),
        // The old one travels in the address, so that a reload still says what is different.
        Ok(ChangeSubmitted::Changed { change_id }) => {
            Ok(see_other(&format!("{}/users/review/{change_id}?instead_of={}", shown.path(), change.id)))
        }
        Err(error) => refused(&visit, &change.body.to_users.to_string(), error).await,
    }
}

/// `POST /subscriptions/{id}/users/cancel-downgrade`
pub(super) async fn keep(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    visit.check_form()?;
    let shown = Shown::for_buyer(&visit).await?;
    match cancel_downgrade(&visit.app, shown.who(), shown.subscription.microsoft.id).await {
        Ok(()) => Ok(back(&shown, "kept")),
        Err(AppError::Store(StoreError::Conflict(_))) => Ok(back(&shown, "overtaken")),
        Err(error) => Err(error.into()),
    }
}

fn word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Upgrade => "raised",
        ChangeKind::Lowering => "lowered",
        ChangeKind::Downgrade | ChangeKind::Renewal => "planned",
    }
}

/// A change of this person and subscription; any other does not exist, nor does one of another kind.
async fn own_change(visit: &Visit, shown: &Shown<'_>, id: Uuid) -> Result<StoredChange<FrozenChange>, Refusal> {
    let found = match visit.app.store.find_change::<FrozenChange>(id).await {
        Err(StoreError::Inconsistent { .. }) => None,
        other => other?,
    };
    let own = found.filter(|change| {
        change.subscription_id == shown.subscription.microsoft.id && change.shown_to == Some(shown.who())
    });
    own.ok_or(Refusal::Dead(Dead::FormExpired))
}

/// Hands a change with its circumstances to a page.
async fn with_facts<T>(
    visit: &Visit,
    shown: &Shown<'_>,
    change: &FrozenChange,
    use_it: impl FnOnce(&ChangeFacts<'_>) -> Result<T, AppError>,
) -> Result<T, Refusal> {
    Ok(tell_change(&visit.app, &shown.subscription, &shown.purchase(""), change, use_it).await?)
}

/// The same for whoever looks at it.
pub(super) async fn tell_change<T>(
    app: &App,
    subscription: &Subscription,
    purchase: &Purchase<'_>,
    change: &FrozenChange,
    use_it: impl FnOnce(&ChangeFacts<'_>) -> Result<T, AppError>,
) -> Result<T, AppError> {
    let charges = app.store.list_charges(subscription.microsoft.id).await?;
    let plan = PricedPlan::new(purchase.plan, &change.prices.list).map_err(ChangeRefused::from)?;
    let told = ChangeFacts {
        purchase,
        change,
        plan: &plan,
        planned: subscription.planned.map(|planned| planned.users),
        held: held_sum(&charges, |charge| !charge.is_extra(purchase.plan)),
    };
    use_it(&told)
}
