//! One request of a buyer: who it is, what they sent, and the cookies.

use std::{
    future::Future,
    net::{IpAddr, Ipv6Addr},
    pin::Pin,
    rc::Rc,
};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite},
    dev::Payload,
    http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE},
    web::{Bytes, Data},
};
use time::OffsetDateTime;
use url::form_urlencoded;
use uuid::Uuid;

use super::{pace::Pace, refusal::Refusal};
use crate::{
    app::{App, AppError, SESSION_IDLE, random_token, token_digest},
    pages::{
        frame::{Frame, OfferFace, Person},
        mail::Language,
        trouble::Dead,
    },
    store::Session,
};

/// No form of ours is longer.
pub(super) const MAX_FORM_BYTES: usize = 64 * 1024;
/// A session is marked as used at most this often: not every picture is a write.
const TOUCH_PAUSE: time::Duration = time::Duration::minutes(1);

/// A request, ready to be answered.
pub(super) struct Visit {
    pub(super) app: Data<App>,
    pace: Data<Pace>,
    /// Who is signed in.
    pub(super) session: Option<Session>,
    /// What the browser's own cookie holds, signed in or not.
    pub(super) browser: Option<String>,
    /// The language of mails that fits the browser's wishes, `en`.
    pub(super) language: String,
    /// The nonce of this answer's content security policy.
    pub(super) nonce: String,
    /// The query as it stands in the address.
    pub(super) raw_query: String,
    /// The other end of the connection.
    peer: IpAddr,
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
    path: Vec<(String, String)>,
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
            let parts = request.app_data::<Data<App>>().cloned().zip(request.app_data::<Data<Pace>>().cloned());
            let parts = parts.ok_or_else(|| actix_web::error::ErrorInternalServerError("no application"))?;
            let (body, too_large) = match body.await {
                Ok(body) if body.len() <= MAX_FORM_BYTES => (body, None),
                _ => (Bytes::new(), Some(Refusal::Dead(Dead::TooLarge))),
            };
            let mut visit = Visit::new(parts, &request, &body);
            let unreadable = visit.has_nul().then_some(Refusal::Dead(Dead::Unreadable));
            let unknown = visit.sign_in(&request).await.err().map(Refusal::from);
            Ok(Self(visit, too_large.or(unreadable).or(unknown)))
        })
    }
}

impl Visit {
    fn new((app, pace): (Data<App>, Data<Pace>), request: &HttpRequest, body: &Bytes) -> Self {
        let pairs = |bytes: &[u8]| form_urlencoded::parse(bytes).into_owned().collect::<Vec<_>>();
        let is_form = request
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
        let path = request.match_info().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let browser = request.cookie(&cookie_name(&app, "browser")).map(|cookie| cookie.value().to_owned());
        Self {
            session: None,
            browser,
            language: language_of(&app, request),
            nonce: Uuid::new_v4().simple().to_string(),
            raw_query: request.query_string().to_owned(),
            peer: request.peer_addr().map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |address| address.ip()),
            query: pairs(request.query_string().as_bytes()),
            form: if is_form { pairs(body) } else { Vec::new() },
            path,
            app,
            pace,
        }
    }

    /// Whether anything has a character that PostgreSQL takes in no text; nobody types it. Purchase tokens have a check and
    /// a page of their own.
    fn has_nul(&self) -> bool {
        let mut texts = self.query.iter().chain(&self.form).filter(|(name, _)| name != "token");
        texts.any(|(name, value)| name.contains('\0') || value.contains('\0'))
    }

    /// Finds the session of the cookie; an idle one is over.
    async fn sign_in(&mut self, request: &HttpRequest) -> Result<(), AppError> {
        let Some(cookie) = request.cookie(&cookie_name(&self.app, "session")) else { return Ok(()) };
        let now = self.now();
        let session = self.app.store.find_session(&token_digest(cookie.value()), now).await?;
        let session = session.filter(|session| now - session.last_seen_at < SESSION_IDLE);
        if let Some(session) = session.as_ref().filter(|session| now - session.last_seen_at >= TOUCH_PAUSE) {
            self.app.store.touch_session(&session.id, now).await?;
        }
        self.session = session;
        Ok(())
    }

    /// The present instant.
    pub(super) fn now(&self) -> OffsetDateTime {
        self.app.clock.now()
    }

    /// The first query parameter of that name.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        first(&self.query, name)
    }

    /// Every query parameter of that name.
    pub(super) fn queries<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first form field of that name, without blanks around it.
    pub(super) fn field(&self, name: &str) -> &str {
        first(&self.form, name).unwrap_or_default().trim()
    }

    /// Every form field of that name.
    pub(super) fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.form.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// An id in the path; anything else does not exist.
    pub(super) fn path_id(&self, name: &str) -> Result<Uuid, Refusal> {
        let text = first(&self.path, name).unwrap_or_default();
        Uuid::parse_str(text).map_err(|_| Refusal::Dead(Dead::NotFound))
    }

    /// Who is signed in; everybody else is sent to sign in and comes back.
    pub(super) fn signed_in(&self, return_to: &str) -> Result<&Session, Refusal> {
        self.session.as_ref().ok_or_else(|| Refusal::SignIn { return_to: return_to.to_owned() })
    }

    /// Lets a visit write a row; those who are not signed in only so many in a minute.
    pub(super) fn check_pace(&self) -> Result<(), Refusal> {
        let counted = if self.session.is_some() { Ok(()) } else { self.pace.count(self.peer, self.now()) };
        counted.map_err(|retry_after_seconds| Refusal::Dead(Dead::TooMany { retry_after_seconds }))
    }

    /// The session, when the form really comes from a page of it.
    pub(super) fn check_form(&self) -> Result<&Session, Refusal> {
        let expired = || Refusal::Dead(Dead::FormExpired);
        let session = self.session.as_ref().ok_or_else(expired)?;
        // Digests are compared: how long that takes tells nothing about the token.
        let genuine = token_digest(self.field("csrf")) == token_digest(&session.csrf);
        if genuine { Ok(session) } else { Err(expired()) }
    }

    /// What stands around a page.
    pub(super) fn frame(&self, face: OfferFace) -> Frame {
        let person = self.session.as_ref().map(|session| Person { name: session.name.clone(), organisation: None });
        let csrf = self.session.as_ref().map_or("", |session| session.csrf.as_str());
        Frame::new(face, person, &self.nonce, csrf)
    }

    /// The browser's own cookie, new when there is none.
    pub(super) fn browser_or_new(&self) -> Result<String, AppError> {
        self.browser.clone().map_or_else(random_token, Ok)
    }

    /// A cookie of ours: out of reach of scripts, not sent by other sites' forms, secure where the address is.
    pub(super) fn cookie(&self, kind: &str, value: &str) -> Cookie<'static> {
        Cookie::build(cookie_name(&self.app, kind), value.to_owned())
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(is_https(&self.app))
            .finish()
    }

    /// The same cookie, to be forgotten.
    pub(super) fn no_cookie(&self, kind: &str) -> Cookie<'static> {
        let mut cookie = self.cookie(kind, "");
        cookie.make_removal();
        cookie
    }
}

fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

pub(super) fn is_https(app: &App) -> bool {
    app.public_url.scheme() == "https"
}

/// `__Host-` ties a cookie to this very host; browsers take it on https only. Staff and simulator use other names, because
/// cookies ignore ports.
fn cookie_name(app: &App, kind: &str) -> String {
    let prefix = if is_https(app) { "__Host-" } else { "" };
    format!("{prefix}seatkey-buyer-{kind}")
}
