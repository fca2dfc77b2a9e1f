//! Around every request: its id, its line in the log, its place in the counters.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    web::Data,
};
use tracing::{Instrument as _, Span, field::Empty};
use uuid::Uuid;

use crate::{
    app::App,
    clock::{Stopwatch, random_id},
    meters::known_method,
    trace::{self, SPANS, Step, StepKind, Trace},
};

/// Names the request: in answers, on pages that say that something failed, in the log.
pub(super) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The same as W3C's *Trace Context* has it.
static TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// The id of the request that is being answered.
pub(super) fn request_id() -> Uuid {
    trace::current_id().unwrap_or_else(random_id)
}

/// One line for each answer; the query is left out, because it may carry a purchase token or a code.
pub(super) async fn follow(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let watch = Stopwatch::start();
    let (app, route) = (request.app_data::<Data<App>>().cloned(), request.match_pattern());
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let trace = Trace::begin(given_id(request.headers()).unwrap_or_else(random_id));
    if let Some((app, route)) = app.as_ref().zip(route.as_ref()) {
        trace.note(Step::new(app.clock.now(), StepKind::Request, format!("{method} {route}")));
    }
    let id = trace.id();
    let span = tracing::info_span!("request", request_id = %id);
    let seen = seen(&span, method.as_str(), route.as_deref());
    let answering = next.call(request).instrument(seen.clone());
    let response = trace::within(trace, answering).instrument(span.clone()).await;
    let status = response.as_ref().map_or_else(|e| e.as_response_error().status_code(), ServiceResponse::status);
    seen.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        seen.record("otel.status_code", "ERROR");
    }
    if let Some(app) = app {
        app.meters.request(method.as_str(), route, status.as_u16(), watch.elapsed());
    }
    let milliseconds = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::debug!(%method, path, status = status.as_u16(), milliseconds, "answered"));
    let mut response = response?;
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    Ok(response)
}

/// The request as a collector sees it: no address, only the pattern of its route. Probes are left out, which come every second.
fn seen(log: &Span, method: &str, route: Option<&str>) -> Span {
    if matches!(route, Some("/healthz" | "/readyz" | "/metrics")) {
        return Span::none();
    }
    let method = known_method(method);
    tracing::info_span!(
        target: SPANS,
        parent: log,
        "request",
        otel.name = route.map_or_else(|| method.clone(), |route| format!("{method} {route}")),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    )
}

/// The id that a proxy or a caller has given, where it is one: a GUID, or the trace id of a `traceparent`.
fn given_id(headers: &HeaderMap) -> Option<Uuid> {
    let only = |name: &HeaderName| {
        let mut values = headers.get_all(name);
        values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
    };
    let parent = only(&TRACE_PARENT).and_then(|value| match value.split('-').collect::<Vec<_>>()[..] {
        ["00", trace, span, flags] if span.len() == 16 && flags.len() == 2 => Some(trace).filter(|id| id.len() == 32),
        _ => None,
    });
    let given = only(&REQUEST_ID).filter(|id| matches!(id.len(), 32 | 36));
    [given, parent].into_iter().flatten().filter_map(|id| Uuid::try_parse(id).ok()).find(|id| !id.is_nil())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_where_it_is_one() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        let known = Some(Uuid::parse_str(id).unwrap());
        let dashed = "0af76519-16cd-43dd-8448-eb211c80319c";
        let parent = format!("00-{id}-b7ad6b7169203331-01");
        let nil = "00000000-0000-0000-0000-000000000000";
        for (name, value, expected) in [
            ("x-request-id", id, known),
            ("x-request-id", dashed, known),
            ("x-request-id", "<script>", None),
            ("x-request-id", nil, None),
            ("x-request-id", "{0af76519-16cd-43dd-8448-eb211c80319c}", None),
            ("traceparent", &parent, known),
            ("traceparent", &parent[3..], None),
            ("traceparent", id, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
            assert_eq!(given_id(&headers), expected, "{name}: {value}");
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
            assert_eq!(given_id(&headers), None, "twice");
        }
    }
}
