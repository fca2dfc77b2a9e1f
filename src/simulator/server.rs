//! The one door: reads the request, applies faults, finds the part that answers, records what happened.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    body::{BodySize, BoxBody, MessageBody},
    http::{
        StatusCode,
        header::{DATE, HeaderValue},
    },
    web,
};
use time::{format_description::BorrowedFormatItem, macros::format_description};

use super::{
    control, entra,
    exchange::{Reply, Request},
    fulfillment,
    journal::RecordedRequest,
    mail::mailbox,
    metering, page, portal, vault, webhook,
    world::World,
};

/// The largest body that is read, in bytes.
pub(super) const BODY_LIMIT: usize = 1 << 20;
/// How HTTP writes an instant (RFC 9110, section 5.6.7).
const IMF_FIXDATE: &[BorrowedFormatItem<'static>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

pub(super) async fn handle(world: web::Data<World>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let mut response = exchange(&world, take(&request, &body)).await;
    // The simulated time, not that of the machine, so that a program can compare its clock with ours.
    let ahead = time::Duration::seconds(world.switches().clock_skew_seconds);
    let date = world.now().saturating_add(ahead).format(IMF_FIXDATE).unwrap_or_default();
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

async fn exchange(world: &World, request: Request) -> HttpResponse {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    // The one part that waits for somebody else: it calls the publisher.
    if let ["control", "webhooks", rest @ ..] = segments.as_slice() {
        return respond(webhook::control::answer(world, &request, rest).await);
    }
    if is_ours(&segments) {
        return respond(answer(world, &request, &segments));
    }
    let fault = world.state().faults.hit(&request).unwrap_or_default();
    if let Some(milliseconds) = fault.delay_ms {
        actix_web::rt::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
    }
    if fault.cut {
        record(world, &request, None, false);
        return dropped();
    }
    if let Some(reply) = fault.reply() {
        record(world, &request, Some(reply.status), false);
        return respond(reply);
    }
    let reply = answer(world, &request, &segments);
    record(world, &request, (!fault.lose_answer).then_some(reply.status), true);
    if fault.lose_answer { dropped() } else { respond(reply) }
}

/// What belongs to the simulation itself has no faults and is not recorded.
fn is_ours(segments: &[&str]) -> bool {
    matches!(
        segments.first(),
        None | Some(&("control" | "portal" | "mailbox" | "clock" | "simulator.css" | "favicon.ico"))
    )
}

fn answer(world: &World, request: &Request, segments: &[&str]) -> Reply {
    match segments {
        [] => world.page(200, "start.html", serde_json::json!({"title": "Start"})),
        ["simulator.css"] => page::style(),
        ["favicon.ico"] => page::icon(),
        ["clock"] if request.method == "POST" => control::advance_by_form(world, request),
        ["control", rest @ ..] => control::answer(world, request, rest),
        ["mailbox", rest @ ..] => mailbox::answer(world, request, rest),
        ["portal", rest @ ..] => portal::answer(world, request, rest),
        ["api", "saas", "subscriptions", rest @ ..] => fulfillment::answer(world, request, rest),
        ["api", operation @ ("usageEvent" | "batchUsageEvent" | "usageEvents")] => {
            metering::answer(world, request, operation)
        }
        _ if vault::is_vault(segments) => vault::answer(world, request, segments),
        _ => entra::answer(world, request, segments).unwrap_or_else(|| world.problem(404, "There is no such page.")),
    }
}

fn take(request: &HttpRequest, body: &web::Bytes) -> Request {
    let text = |value: &actix_web::http::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let method = if request.method() == "HEAD" { "GET" } else { request.method().as_str() };
    Request {
        method: method.to_owned(),
        path: request.uri().path().to_owned(),
        query: request.query_string().to_owned(),
        headers,
        body: body.to_vec(),
    }
}

fn record(world: &World, request: &Request, status: Option<u16>, acted: bool) {
    let recorded = RecordedRequest::new(request, world.now(), status, acted);
    world.state().journal.push(recorded);
}

fn respond(reply: Reply) -> HttpResponse {
    let mut response = builder(reply.status);
    for (name, value) in &reply.headers {
        response.append_header((name.as_str(), value.as_str()));
    }
    response.append_header(("x-content-type-options", "nosniff"));
    response.body(reply.body)
}

fn builder(status: u16) -> HttpResponseBuilder {
    HttpResponseBuilder::new(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}

/// A response whose body fails at once: the server then closes the connection before it has sent a byte.
fn dropped() -> HttpResponse {
    builder(200).body(BoxBody::new(Broken))
}

struct Broken;

impl MessageBody for Broken {
    type Error = std::io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(1)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<web::Bytes, Self::Error>>> {
        Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionAborted.into())))
    }
}
