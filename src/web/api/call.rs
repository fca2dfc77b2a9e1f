//! One request of a program: who it is, what it sent, and what it is answered.

use std::{future::Future, pin::Pin, rc::Rc};

use actix_web::{
    FromRequest as _, HttpRequest, HttpResponse,
    http::header::{AUTHORIZATION, HeaderName, HeaderValue},
    web::{Bytes, Data, Payload},
};
use serde::de::DeserializeOwned;
use url::form_urlencoded;
use uuid::Uuid;

use super::{
    ApiRoute,
    pace::KeyPace,
    problem::{Kind, Problem},
};
use crate::{
    app::{App, Once, recognise_api_key},
    domain::{
        api_key::ApiKey,
        staff::{Actor, Scope},
    },
    web::{
        follow,
        policy::{self, Access},
        sent::MAX_FORM_BYTES,
    },
};

/// No idempotency key is longer.
const MAX_IDEMPOTENCY_KEY: usize = 255;
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What becomes of a request.
pub(super) type Answering = Pin<Box<dyn Future<Output = Result<HttpResponse, Problem>>>>;
/// What answers a request that is allowed.
pub(super) type Handler = fn(Rc<Call>) -> Answering;

/// A request, ready to be answered.
pub(in crate::web) struct Call {
    /// The application.
    pub(in crate::web) app: Data<App>,
    /// The body.
    pub(in crate::web) body: Bytes,
    request: HttpRequest,
    /// The caller's key, where the route needs one.
    key: Option<ApiKey>,
}

/// Answers a request of a route, or says why not.
pub(super) async fn answer(route: &'static ApiRoute, request: HttpRequest, payload: Payload) -> HttpResponse {
    let request_id = follow::request_id();
    let answer = match Call::admit(route, &request, payload).await {
        Ok(call) => (route.handler)(Rc::new(call)).await,
        Err(problem) => Err(problem),
    };
    with_id(answer.unwrap_or_else(|problem| problem.answer(request.path(), request_id)), request_id)
}

/// Answers a request that belongs to no route.
pub(super) fn refuse(request: &HttpRequest, problem: &Problem) -> HttpResponse {
    let request_id = follow::request_id();
    with_id(problem.answer(request.path(), request_id), request_id)
}

fn with_id(mut answer: HttpResponse, request_id: Uuid) -> HttpResponse {
    if let Ok(value) = HeaderValue::from_str(&request_id.to_string()) {
        answer.headers_mut().insert(follow::REQUEST_ID.clone(), value);
    }
    answer
}

impl Call {
    /// Everything that has to be in order before a handler sees the request: key, pace, scope, size.
    async fn admit(route: &ApiRoute, request: &HttpRequest, payload: Payload) -> Result<Self, Problem> {
        let no_app = || Problem::new(Kind::Internal, "The service is not set up; tell the publisher the request id.");
        let app = request.app_data::<Data<App>>().cloned().ok_or_else(no_app)?;
        let key = match policy::find(route.method.as_str(), route.path) {
            Some(Access::Anybody | Access::KeyHolder) => None,
            Some(Access::Program(scope)) => {
                let key = authenticate(&app, request).await?;
                check_pace(&app, request, &key)?;
                check_scope(&key, scope)?;
                Some(key)
            }
            // Nobody comes in by a line that this place cannot keep.
            _ => return Err(no_key()),
        };
        let body = read(request, payload).await?;
        Ok(Self { app, body, request: request.clone(), key })
    }

    /// An id in the path; what is no GUID is the id of nothing.
    pub(super) fn path_id(&self, what: &str) -> Result<Uuid, Problem> {
        let id = self.request.match_info().get("id").unwrap_or_default();
        Uuid::parse_str(id).map_err(|_| Problem::unknown(what))
    }

    /// The values of the query's parameters, in the order of `names`; each may be there once, and no other one.
    pub(super) fn query<const N: usize>(&self, names: [&str; N]) -> Result<[Option<String>; N], Problem> {
        let mut values = [const { None }; N];
        for (name, value) in form_urlencoded::parse(self.request.query_string().as_bytes()) {
            let known = names.iter().position(|known| *known == name);
            let place = known.and_then(|index| values.get_mut(index)).filter(|place| place.is_none());
            let Some(place) = place.filter(|_| !value.contains('\0')) else {
                let words = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                let detail = format!("The parameters of this address are: {words}; each may be given once.");
                return Err(Problem::new(Kind::BadRequest, detail));
            };
            *place = Some(value.into_owned());
        }
        Ok(values)
    }

    /// The body, as JSON without any field that is not known.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        // PostgreSQL takes this character in no text; nobody types it.
        if self.body.windows(6).any(|escape| escape == b"\\u0000") {
            return Err(Problem::new(Kind::BadRequest, "No text may have the character U+0000."));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            Problem::new(Kind::BadRequest, format!("The body is not the JSON of this address: {error}."))
        })
    }

    /// Who acts, for the audit log.
    pub(super) fn actor(&self) -> Result<Actor, Problem> {
        let key = self.key()?;
        Ok(Actor::Program { key_id: key.id, name: key.name.clone() })
    }

    /// The request as something that is done once, by its header `Idempotency-Key`.
    pub(super) fn once(&self) -> Result<Once, Problem> {
        let key_id = self.key()?.id;
        let given = self.request.headers().get(&IDEMPOTENCY_KEY).map(idempotency_key).transpose()?;
        Ok(Once::new(key_id, given, (self.request.method().as_str(), self.request.path()), &self.body))
    }

    fn key(&self) -> Result<&ApiKey, Problem> {
        self.key.as_ref().ok_or_else(no_key)
    }
}

/// One to 255 visible characters of ASCII.
fn idempotency_key(value: &HeaderValue) -> Result<String, Problem> {
    let text = value.to_str().ok().map(str::trim).filter(|text| (1..=MAX_IDEMPOTENCY_KEY).contains(&text.len()));
    let text = text.filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
    let detail = "An Idempotency-Key has 1 to 255 visible ASCII characters; a random UUID is a good one.";
    text.map(str::to_owned).ok_or_else(|| Problem::new(Kind::BadRequest, detail))
}

/// The same for a key that is missing, malformed, unknown, expired or revoked: nobody learns which.
fn no_key() -> Problem {
    let detail =
        "Send \"Authorization: Bearer sk_…\" with a valid API key; an administrator of the publisher makes them.";
    Problem::new(Kind::Unauthorized, detail)
}

async fn authenticate(app: &App, request: &HttpRequest) -> Result<ApiKey, Problem> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let only = headers.next().filter(|_| headers.next().is_none());
    let text = only.and_then(|value| value.to_str().ok()).and_then(|value| value.split_once(' '));
    let presented = text.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, key)| key.trim());
    recognise_api_key(app, presented.ok_or_else(no_key)?).await?.ok_or_else(no_key)
}

fn check_pace(app: &App, request: &HttpRequest, key: &ApiKey) -> Result<(), Problem> {
    let Some(pace) = request.app_data::<Data<KeyPace>>() else { return Ok(()) };
    pace.count(key.id, app.clock.now()).map_err(|seconds| {
        let detail = format!("This API key has asked too often in this minute; please wait {seconds} seconds.");
        Problem::new(Kind::TooManyRequests, detail).after(seconds)
    })
}

fn check_scope(key: &ApiKey, scope: Scope) -> Result<(), Problem> {
    if key.scopes.contains(&scope) {
        return Ok(());
    }
    let detail = format!("This API key does not have the scope {}; use one that has it.", scope.as_str());
    Err(Problem::new(Kind::Forbidden, detail))
}

async fn read(request: &HttpRequest, payload: Payload) -> Result<Bytes, Problem> {
    let body = Bytes::from_request(request, &mut payload.into_inner()).await;
    body.map_err(|error| match error.as_response_error().status_code() {
        actix_web::http::StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(Kind::TooLarge, format!("A body has at most {} KiB.", MAX_FORM_BYTES / 1024))
        }
        _ => Problem::new(Kind::BadRequest, "The body cannot be read; please send it again."),
    })
}
