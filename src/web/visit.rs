//! One request of a buyer: who it is, and what they sent.

use std::{future::Future, ops::Deref, pin::Pin, rc::Rc};

use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, http::header::ACCEPT_LANGUAGE, web::Bytes};

use uuid::Uuid;

use super::{
    refusal::Refusal,
    sent::{Audience, Sent, TOUCH_PAUSE, bounded, parts},
};
use crate::{
    app::{App, AppError, SESSION_IDLE, token_digest},
    pages::{
        frame::{Frame, OfferFace, Person},
        mail::Language,
        trouble::Dead,
    },
    store::Session,
};

/// A request, ready to be answered.
pub(super) struct Visit {
    sent: Sent,
    /// Who is signed in.
    pub(super) session: Option<Session>,
    /// The language of mails that fits the browser's wishes, `en`.
    pub(super) language: String,
}

impl Deref for Visit {
    type Target = Sent;

    fn deref(&self) -> &Sent {
        &self.sent
    }
}

/// Turns a handler into one that shows its refusals as pages.
pub(super) fn page<H, F>(handler: H) -> impl Fn(VisitOrRefusal) -> Pin<Box<dyn Future<Output = HttpResponse>>> + Clone
where
    H: Fn(Rc<Visit>) -> F + Clone + 'static,
    F: Future<Output = Result<HttpResponse, Refusal>> + 'static,
{
    move |VisitOrRefusal(visit, early)| {
        let handler = handler.clone();
        Box::pin(async move {
            let visit = Rc::new(visit);
            let result = match early {
                Some(refusal) => Err(refusal),
                None => handler(Rc::clone(&visit)).await,
            };
            result.unwrap_or_else(|refusal| refusal.answer(&visit))
        })
    }
}

fn language_of(app: &App, request: &HttpRequest) -> String {
    let wishes = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Language::from_tag(wishes, &app.templates).unwrap_or_default().as_str().to_owned()
}

/// A visit, and what speaks against going on with it.
pub(super) struct VisitOrRefusal(Visit, Option<Refusal>);

impl FromRequest for VisitOrRefusal {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let body = Bytes::from_request(&request, payload);
        Box::pin(async move {
            let parts = parts(&request)?;
            let body = bounded(body.await);
            let too_large = body.is_none().then_some(Refusal::Dead(Dead::TooLarge));
            let language = language_of(&parts.0, &request);
            let sent = Sent::read(parts, Audience::Buyer, &request, &body.unwrap_or_default());
            let mut visit = Visit { sent, session: None, language };
            let unreadable = visit.has_nul().then_some(Refusal::Dead(Dead::Unreadable));
            let unknown = visit.sign_in(&request).await.err().map(Refusal::from);
            Ok(Self(visit, too_large.or(unreadable).or(unknown)))
        })
    }
}

impl Visit {
    /// Finds the session of the cookie; an idle one is over.
    async fn sign_in(&mut self, request: &HttpRequest) -> Result<(), AppError> {
        let Some(cookie) = self.session_cookie(request) else { return Ok(()) };
        let now = self.now();
        let session = self.app.store.find_session(&token_digest(&cookie), now).await?;
        let session = session.filter(|session| now - session.last_seen_at < SESSION_IDLE);
        if let Some(session) = session.as_ref().filter(|session| now - session.last_seen_at >= TOUCH_PAUSE) {
            self.app.store.touch_session(&session.id, now).await?;
        }
        self.session = session;
        Ok(())
    }

    /// An id in the path; anything else does not exist.
    pub(super) fn path_id(&self, name: &str) -> Result<Uuid, Refusal> {
        self.find_path_id(name).ok_or(Refusal::Dead(Dead::NotFound))
    }

    /// Who is signed in; everybody else is sent to sign in and comes back.
    pub(super) fn signed_in(&self, return_to: &str) -> Result<&Session, Refusal> {
        self.session.as_ref().ok_or_else(|| Refusal::SignIn { return_to: return_to.to_owned() })
    }

    /// Lets a visit write a row; those who are not signed in only so many in a minute.
    pub(super) fn check_pace(&self) -> Result<(), Refusal> {
        let counted = if self.session.is_some() { Ok(()) } else { self.count_stranger() };
        counted.map_err(|retry_after_seconds| Refusal::Dead(Dead::TooMany { retry_after_seconds }))
    }

    /// The session, when the form really comes from a page of it.
    pub(super) fn check_form(&self) -> Result<&Session, Refusal> {
        let session = self.session.as_ref().filter(|session| self.has_token(&session.csrf));
        session.ok_or(Refusal::Dead(Dead::FormExpired))
    }

    /// What stands around a page.
    pub(super) fn frame(&self, face: OfferFace) -> Frame {
        let person = self.session.as_ref().map(|session| Person { name: session.name.clone(), organisation: None });
        let csrf = self.session.as_ref().map_or("", |session| session.csrf.as_str());
        Frame::new(face, person, &self.nonce, csrf)
    }
}
