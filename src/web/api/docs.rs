//! The API's own document, for machines and for people.

use std::rc::Rc;

use actix_web::{HttpResponse, http::header::CACHE_CONTROL};

use super::{call::Call, problem::Problem};
use crate::{
    pages::{api_docs::ApiDocs, api_document::DOCUMENT, frame::OfferFace},
    web::{
        refusal::{Refusal, ok},
        visit::Visit,
    },
};

/// `GET /api/v1/openapi.json`
pub(super) async fn document(_: Rc<Call>) -> Result<HttpResponse, Problem> {
    let cached = (CACHE_CONTROL, "public, max-age=300");
    Ok(HttpResponse::Ok().content_type("application/json").insert_header(cached).body(DOCUMENT))
}

/// `GET /api/v1/docs`: the same, to be read.
pub(in crate::web) async fn show(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    let support = visit.app.catalog.offers.first().map(|offer| offer.support_email.as_str());
    ok(&visit, &ApiDocs::new(visit.frame(OfferFace::neutral(support)), visit.app.issuer()))
}
