//! The publisher's people of the simulated world, and their browsers.

use seatkey::cli::browser::{Browser, Page};

use super::Stage;

/// Sales.
pub(crate) const MIRA: &str = "d1a5c0de-0001-4b1e-8f00-1f2e3d4c5b01";
/// Finance.
pub(crate) const FINN: &str = "d1a5c0de-0002-4b1e-8f00-1f2e3d4c5b02";
/// Support.
pub(crate) const SURI: &str = "d1a5c0de-0003-4b1e-8f00-1f2e3d4c5b03";
/// Admin.
pub(crate) const ADA: &str = "d1a5c0de-0004-4b1e-8f00-1f2e3d4c5b04";
/// Another one of finance.
pub(crate) const FAY: &str = "d1a5c0de-0006-4b1e-8f00-1f2e3d4c5b06";
/// Of the publisher, without a role.
pub(crate) const NOA: &str = "d1a5c0de-0007-4b1e-8f00-1f2e3d4c5b07";

/// The browser of one of them, signed in.
pub(crate) async fn signed_in(stage: &Stage, person: &str) -> Browser {
    let mut browser = Browser::of(person).unwrap();
    let page = browser.open(stage.url("console")).await.unwrap();
    assert_eq!((page.status, page.url.path()), (200, "/console"), "{}", page.text);
    browser
}

/// Posts a form of the console, with the token of the session.
pub(crate) async fn post(stage: &Stage, browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Page {
    let csrf = browser.open(stage.url("console")).await.unwrap().field("csrf").unwrap();
    let mut all = vec![("csrf", csrf)];
    all.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
    browser.post_form(stage.url(path), &all).await.unwrap()
}
