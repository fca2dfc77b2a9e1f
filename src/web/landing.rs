//! The landing page: where the Azure portal sends buyers, with a purchase token or without.

use std::rc::Rc;

use actix_web::HttpResponse;
use percent_encoding::percent_decode_str;

use super::{
    refusal::{Refusal, ok, see_other},
    visit::Visit,
};
use crate::{
    app::{AppError, open_purchase, record_arrival, token_digest},
    pages::{frame::OfferFace, landing::Landing, trouble::Dead},
};

/// Real tokens have some 200 characters.
const MAX_TOKEN_CHARS: usize = 4_096;

/// `GET /landing[?token=]`: the token is kept here at the first hop and gone from the address; it is resolved after the
/// sign-in.
pub(super) async fn show(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    if let Some(token) = purchase_token(&visit.raw_query) {
        return keep_token(&visit, token).await;
    }
    let arrival = match &visit.browser {
        Some(browser) => visit.app.store.find_arrival(&token_digest(browser), visit.now()).await?,
        None => None,
    };
    match (arrival, &visit.session) {
        (Some(arrival), Some(session)) => {
            let id = open_purchase(&visit.app, session.identity, &arrival).await.map_err(|error| match error {
                // The account may be the wrong one: the page offers another, and the token is still there.
                AppError::Forbidden => Refusal::Dead(Dead::LinkExpired),
                other => Refusal::Failed(other),
            })?;
            Ok(see_other(&format!("/subscriptions/{id}")))
        }
        (Some(_), None) => Err(Refusal::SignIn { return_to: "/landing".to_owned() }),
        (None, Some(_)) => Ok(see_other("/subscriptions")),
        (None, None) => ok(&visit, &Landing::new(visit.frame(OfferFace::neutral(None)))),
    }
}

async fn keep_token(visit: &Visit, token: String) -> Result<HttpResponse, Refusal> {
    // Tokens are base64; anything else could not even travel in Microsoft's header.
    let plausible = token.len() <= MAX_TOKEN_CHARS && token.bytes().all(|byte| byte.is_ascii_graphic());
    if token.is_empty() || !plausible {
        return Err(Refusal::Dead(Dead::LinkExpired));
    }
    visit.check_pace()?;
    let cookie = record_arrival(&visit.app, token).await?;
    let mut answer = see_other("/landing");
    answer.add_cookie(&visit.cookie("browser", &cookie)).map_err(|error| AppError::Internal(error.to_string()))?;
    Ok(answer)
}

/// The token, decoded exactly once. A raw `+` is part of it and not a blank, so the usual form decoding does not do.
fn purchase_token(raw_query: &str) -> Option<String> {
    let raw = raw_query.split('&').find_map(|pair| pair.strip_prefix("token="))?;
    Some(percent_decode_str(raw).decode_utf8_lossy().into_owned())
}

/// Every other address.
pub(super) async fn unknown(_: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    Err(Refusal::Dead(Dead::NotFound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_decoded_once_and_keep_their_plus() {
        let table = [
            ("token=ab%2Bcd%2Fef%3D", Some("ab+cd/ef=")),
            ("token=ab+cd", Some("ab+cd")),
            ("token=ab%252B", Some("ab%2B")),
            ("other=1&token=x", Some("x")),
            ("other=1", None),
            ("token=", Some("")),
        ];
        for (query, token) in table {
            assert_eq!(purchase_token(query).as_deref(), token, "{query}");
        }
    }
}
