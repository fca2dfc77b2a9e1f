//! One request of the staff: who it is, whether the table of rights lets them, and what they sent.

use std::{future::Future, ops::Deref, pin::Pin, rc::Rc};

use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, http::StatusCode, web::Bytes};
use uuid::Uuid;

use super::stop::{Stop, answer};
use crate::{
    app::{AppError, Desk, count_waiting, find_staff_session},
    domain::staff::Role,
    pages::{
        Page,
        console::{
            frame::{ConsoleFrame, Room, Signed},
            trouble::Stopped,
        },
    },
    store::StaffSession,
    web::{
        policy::{self, Access},
        refusal::html_answer,
        sent::{Audience, Sent, TOUCH_PAUSE, bounded, parts},
    },
};

/// A request, ready to be answered.
pub(in crate::web) struct StaffVisit {
    sent: Sent,
    /// Who is signed in, with a role.
    pub(super) session: Option<StaffSession>,
}

impl Deref for StaffVisit {
    type Target = Sent;

    fn deref(&self) -> &Sent {
        &self.sent
    }
}

/// What a handler of the console gives.
pub(super) type Answer = Result<HttpResponse, Stop>;

/// Turns a handler into one that shows what stops it as a page of the console.
pub(super) fn desk<H, F>(handler: H) -> impl Fn(VisitOrStop) -> Pin<Box<dyn Future<Output = HttpResponse>>> + Clone
where
    H: Fn(Rc<StaffVisit>) -> F + Clone + 'static,
    F: Future<Output = Answer> + 'static,
{
    move |VisitOrStop(visit, early)| {
        let handler = handler.clone();
        Box::pin(async move {
            let visit = Rc::new(visit);
            let result = match early {
                Some(stop) => Err(stop),
                None => handler(Rc::clone(&visit)).await,
            };
            result.unwrap_or_else(|stop| answer(&visit, stop))
        })
    }
}

/// A visit, and what speaks against going on with it.
pub(in crate::web) struct VisitOrStop(StaffVisit, Option<Stop>);

impl FromRequest for VisitOrStop {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let body = Bytes::from_request(&request, payload);
        Box::pin(async move {
            let body = bounded(body.await);
            let too_large = body.is_none();
            let sent = Sent::read(parts(&request)?, Audience::Staff, &request, &body.unwrap_or_default());
            let mut visit = StaffVisit { sent, session: None };
            let unreadable = (too_large || visit.has_nul()).then_some(Stop::Here(Stopped::Unreadable));
            let unknown = visit.sign_in(&request).await.err().map(Stop::from);
            let stop = unreadable.or(unknown).or_else(|| visit.check_access(&request).err());
            Ok(Self(visit, stop))
        })
    }
}

impl StaffVisit {
    async fn sign_in(&mut self, request: &HttpRequest) -> Result<(), AppError> {
        let Some(cookie) = self.session_cookie(request) else { return Ok(()) };
        let now = self.now();
        self.session = find_staff_session(&self.app, &cookie, now).await?;
        if let Some(session) = self.session.as_ref().filter(|session| now - session.last_seen_at >= TOUCH_PAUSE) {
            self.app.store.touch_staff_session(&session.id, now).await?;
        }
        Ok(())
    }

    /// Keeps the line of the table of rights.
    fn check_access(&self, request: &HttpRequest) -> Result<(), Stop> {
        let nothing = || Stop::Here(Stopped::NotFound);
        if self.app.staff_sign_in.is_none() {
            return Err(nothing());
        }
        let route = request.match_pattern().unwrap_or_default();
        let roles = match policy::find(request.method().as_str(), &route) {
            Some(Access::Anybody) => return Ok(()),
            Some(Access::Staff(roles)) => roles,
            _ => return Err(nothing()),
        };
        let Some(session) = &self.session else {
            // After a form there is nothing to come back to but the first page.
            let is_page = request.method().is_safe();
            let return_to = if is_page { request.uri().to_string() } else { "/console".to_owned() };
            return Err(Stop::SignIn { return_to });
        };
        if roles.iter().any(|role| session.member.roles.include(*role)) {
            return Ok(());
        }
        let words: Vec<&str> = roles.iter().filter(|role| **role != Role::Admin).map(|role| role.as_str()).collect();
        Err(Stop::Here(Stopped::NotYourRole { roles: words.join(" or ") }))
    }

    /// Whether the table of rights lets this person have another page.
    pub(super) fn may_get(&self, route: &str) -> bool {
        let Some(Access::Staff(roles)) = policy::find("GET", route) else { return false };
        self.session.as_ref().is_some_and(|session| roles.iter().any(|role| session.member.roles.include(*role)))
    }

    /// An id in the path; anything else does not exist.
    pub(super) fn path_id(&self, name: &str) -> Result<Uuid, Stop> {
        self.find_path_id(name).ok_or(Stop::Here(Stopped::NotFound))
    }

    /// Who is signed in. Every route but those of the sign-in has somebody.
    pub(super) fn signed_in(&self) -> Result<&StaffSession, Stop> {
        self.session.as_ref().ok_or_else(|| Stop::SignIn { return_to: "/console".to_owned() })
    }

    /// What the visitor may do.
    pub(super) fn desk(&self) -> Result<Desk<'_>, Stop> {
        Ok(Desk::new(&self.app, &self.signed_in()?.member).from_address(self.peer()))
    }

    /// Who is signed in, when the form really comes from a page of this session.
    pub(super) fn check_form(&self) -> Result<&StaffSession, Stop> {
        let session = self.signed_in()?;
        if self.has_token(&session.csrf) { Ok(session) } else { Err(Stop::Here(Stopped::FormExpired)) }
    }

    /// What stands around a page of the console.
    pub(super) async fn frame(&self, room: Room) -> Result<ConsoleFrame, Stop> {
        Ok(self.bare_frame(room, count_waiting(&self.app).await?))
    }

    pub(super) fn bare_frame(&self, room: Room, waiting: u64) -> ConsoleFrame {
        let signed = self.session.as_ref().map(|session| Signed {
            name: session.member.name.clone(),
            roles: session.member.roles.to_words().replace(' ', ", "),
            csrf: session.csrf.clone(),
        });
        ConsoleFrame::new(room, &self.nonce, signed, waiting, self.now())
    }
}

/// A page that was found.
pub(super) fn ok(visit: &StaffVisit, page: &impl Page) -> Answer {
    Ok(html_answer(visit, StatusCode::OK, page.render(&visit.app.templates)?))
}
