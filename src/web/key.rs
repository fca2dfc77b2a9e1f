//! The license key: to be downloaded, sent again, replaced.

use std::rc::Rc;

use actix_web::{HttpResponse, http::header};

use super::{
    account::back,
    purchase::Shown,
    refusal::{Refusal, ok},
    visit::Visit,
};
use crate::{
    app::{AppError, license_file_name, resend_key, rotate_license},
    domain::policy::Rights,
    pages::{confirm::Confirm, trouble::Dead},
    store::{LicenseKey, StoreError},
};

/// The newest key, unless it has ended or is revoked.
pub(super) async fn newest_key(visit: &Visit, shown: &Shown<'_>) -> Result<Option<LicenseKey>, Refusal> {
    let store = &visit.app.store;
    let key = store.find_newest_key(shown.subscription.microsoft.id).await?;
    let Some(key) = key.filter(|key| key.expires_at > visit.now()) else { return Ok(None) };
    let revoked = store.find_revocation(&key.license_id).await?.is_some();
    Ok((!revoked).then_some(key))
}

/// The key of a subscription whose buyer this is.
async fn buyers_key(visit: &Visit, shown: &Shown<'_>) -> Result<LicenseKey, Refusal> {
    newest_key(visit, shown).await?.ok_or_else(|| Refusal::Elsewhere(shown.path()))
}

/// `GET /subscriptions/{id}/license.lic`
pub(super) async fn download(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    let shown = Shown::find(&visit).await?;
    let key = newest_key(&visit, &shown).await?.filter(|_| shown.rights >= Rights::Use);
    let key = key.ok_or(Refusal::Dead(Dead::NotFound))?;
    let disposition = format!("attachment; filename=\"{}\"", license_file_name(&shown.offer.id));
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(key.compact))
}

/// `POST /subscriptions/{id}/key/resend`
pub(super) async fn resend(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    visit.check_form()?;
    let shown = Shown::for_buyer(&visit).await?;
    buyers_key(&visit, &shown).await?;
    resend_key(&visit.app, shown.who(), shown.subscription.microsoft.id).await?;
    Ok(back(&shown, "resent"))
}

/// `GET /subscriptions/{id}/key/replace`: what replacing means.
pub(super) async fn ask_replacement(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    let shown = Shown::for_buyer(&visit).await?;
    let key = buyers_key(&visit, &shown).await?;
    ok(&visit, &Confirm::key_replacement(shown.frame(&visit), &shown.purchase(""), key.seq))
}

/// `POST /subscriptions/{id}/key/replace`: the form names the key, so that a second click replaces nothing more.
pub(super) async fn replace(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    visit.check_form()?;
    let shown = Shown::for_buyer(&visit).await?;
    buyers_key(&visit, &shown).await?;
    let seq = visit.field("seq").parse().map_err(|_| Refusal::Dead(Dead::FormExpired))?;
    match rotate_license(&visit.app, shown.who(), shown.subscription.microsoft.id, seq).await {
        // Another click was faster: the key is replaced.
        Ok(_) | Err(AppError::Store(StoreError::Conflict(_))) => Ok(back(&shown, "replaced")),
        Err(error) => Err(error.into()),
    }
}
