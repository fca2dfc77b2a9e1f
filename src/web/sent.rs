//! What a browser sent, whoever it is: query, form, path; and what every answer to it needs.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite},
    http::header::CONTENT_TYPE,
    web::{Bytes, Data},
};
use time::OffsetDateTime;
use url::form_urlencoded;
use uuid::Uuid;

use super::pace::Pace;
use crate::app::{App, AppError, random_token, token_digest};

/// No form of ours is longer.
pub(super) const MAX_FORM_BYTES: usize = 64 * 1024;
/// A session is marked as used at most this often: not every picture is a write.
pub(super) const TOUCH_PAUSE: time::Duration = time::Duration::minutes(1);

/// Buyers and staff have cookies of different names.
#[derive(Debug, Clone, Copy)]
pub(super) enum Audience {
    Buyer,
    Staff,
}

/// A request, read.
pub(super) struct Sent {
    pub(super) app: Data<App>,
    pace: Data<Pace>,
    audience: Audience,
    /// What the browser's own cookie holds, signed in or not.
    pub(super) browser: Option<String>,
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

/// The application, and how often it has been asked.
pub(super) type Parts = (Data<App>, Data<Pace>);

/// What the server gave to every request.
pub(super) fn parts(request: &HttpRequest) -> Result<Parts, actix_web::Error> {
    let parts = request.app_data::<Data<App>>().cloned().zip(request.app_data::<Data<Pace>>().cloned());
    parts.ok_or_else(|| actix_web::error::ErrorInternalServerError("no application"))
}

/// The body; `None` when it is too large.
pub(super) fn bounded(body: Result<Bytes, actix_web::Error>) -> Option<Bytes> {
    body.ok().filter(|body| body.len() <= MAX_FORM_BYTES)
}

impl Sent {
    pub(super) fn read(parts: Parts, audience: Audience, request: &HttpRequest, body: &Bytes) -> Self {
        let (app, pace) = parts;
        let pairs = |bytes: &[u8]| form_urlencoded::parse(bytes).into_owned().collect::<Vec<_>>();
        let is_form = request
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
        let path = request.match_info().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let browser = request.cookie(&cookie_name(&app, audience, "browser"));
        Self {
            audience,
            browser: browser.map(|cookie| cookie.value().to_owned()),
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

    /// What the session's cookie holds.
    pub(super) fn session_cookie(&self, request: &HttpRequest) -> Option<String> {
        let cookie = request.cookie(&cookie_name(&self.app, self.audience, "session"))?;
        Some(cookie.value().to_owned())
    }

    /// Whether anything has a character that PostgreSQL takes in no text; nobody types it. Purchase tokens have a check and
    /// a page of their own.
    pub(super) fn has_nul(&self) -> bool {
        let mut texts = self.query.iter().chain(&self.form).filter(|(name, _)| name != "token");
        texts.any(|(name, value)| name.contains('\0') || value.contains('\0'))
    }

    /// The present instant.
    pub(super) fn now(&self) -> OffsetDateTime {
        self.app.clock.now()
    }

    /// The other end of the connection.
    pub(super) fn peer(&self) -> IpAddr {
        self.peer
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

    /// An id in the path.
    pub(super) fn find_path_id(&self, name: &str) -> Option<Uuid> {
        Uuid::parse_str(first(&self.path, name)?).ok()
    }

    /// Lets a visit write a row that nobody has signed in for; only so many in a minute.
    ///
    /// # Errors
    /// In how many seconds the next one is let in.
    pub(super) fn count_stranger(&self) -> Result<(), i64> {
        self.pace.count(self.peer, self.now())
    }

    /// Whether the form really comes from a page of the session with that token.
    pub(super) fn has_token(&self, csrf: &str) -> bool {
        // Digests are compared: how long that takes tells nothing about the token.
        token_digest(self.field("csrf")) == token_digest(csrf)
    }

    /// The browser's own cookie, new when there is none.
    pub(super) fn browser_or_new(&self) -> Result<String, AppError> {
        self.browser.clone().map_or_else(random_token, Ok)
    }

    /// A cookie of ours: out of reach of scripts, not sent by other sites' forms, secure where the address is.
    pub(super) fn cookie(&self, kind: &str, value: &str) -> Cookie<'static> {
        Cookie::build(cookie_name(&self.app, self.audience, kind), value.to_owned())
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

/// `__Host-` ties a cookie to this very host; browsers take it on https only. Buyers, staff and simulator use different
/// names, because cookies ignore ports.
fn cookie_name(app: &App, audience: Audience, kind: &str) -> String {
    let prefix = if is_https(app) { "__Host-" } else { "" };
    let audience = match audience {
        Audience::Buyer => "buyer",
        Audience::Staff => "staff",
    };
    format!("{prefix}seatkey-{audience}-{kind}")
}
