//! Spans for a collector, by OTLP over HTTP with protobuf. The standard variables of OpenTelemetry say all that there is to say.
//!
//! Owns: what may leave, and under which trace id. A span leaves from a bounded queue, by a thread of its own; a collector that
//! is slow, silent or gone costs spans and nothing else.

use std::{
    borrow::Cow,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanId, SpanKind, Status, TraceId, TracerProvider as _},
};
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{
        Config, IdGenerator, RandomIdGenerator, SamplingResult, SdkTracerProvider, ShouldSample, SpanData, SpanEvents,
        SpanExporter, SpanLinks,
    },
};
use tracing::Subscriber;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

use crate::trace::{self, SPANS};

/// Everything that may stand in a span: ids, names and outcomes. What is not here does not leave, whoever writes it.
const MAY_LEAVE: [&str; 11] = [
    "azure.service.request.id",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "seatkey.attempt",
    "seatkey.correlation_id",
    "seatkey.job",
    "seatkey.mail",
    "seatkey.outcome",
    "seatkey.subject",
    "server.address",
];
/// What an end may wait for the collector.
const LAST_WORDS: Duration = Duration::from_secs(2);

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// The layer that makes spans of ours into OpenTelemetry's; else what is to be told about it.
pub(super) fn layer<S>() -> (Option<impl Layer<S>>, Option<String>)
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    if PROVIDER.get().is_some() {
        return (None, None);
    }
    let provider = match provider() {
        Ok(provider) => PROVIDER.get_or_init(|| provider),
        Err(error) => return (None, Some(format!("no spans will leave: {error}"))),
    };
    // Where the code stands, threads and idle times are nobody's question; the span is begun where its trace is known.
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("seatkey"))
        .with_location(false)
        .with_target(false)
        .with_threads(false)
        .with_tracked_inactivity(false);
    (Some(layer.with_filter(filter_fn(|it| it.is_span() && it.target() == SPANS))), None)
}

/// Sends what is left.
pub(super) fn finish() {
    if let Some(provider) = PROVIDER.get()
        && provider.shutdown_with_timeout(LAST_WORDS).is_err()
    {
        tracing::warn!("the last spans did not reach the collector");
    }
}

fn provider() -> Result<SdkTracerProvider, ExporterBuildError> {
    crate::http::install_crypto_provider();
    let exporter = opentelemetry_otlp::SpanExporter::builder().with_http().build()?;
    let provider = SdkTracerProvider::builder()
        .with_resource(resource())
        .with_id_generator(Ids::default())
        // The default is what the variables say.
        .with_sampler(Fair(Config::default().sampler))
        .with_batch_exporter(Guard { exporter, reaches: Mutex::default() });
    Ok(provider.build())
}

/// Who we are: what the variables say, else `seatkey`.
fn resource() -> Resource {
    let resource = || Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    let told = resource().build();
    let name = told.get(&"service.name".into());
    let is_told = name.is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    if is_told { told } else { resource().with_service_name("seatkey").build() }
}

/// The trace id is the correlation id of what is being done, so that a page, its job in another process, and what Microsoft
/// was asked are one trace, found by the same id as in the log and by `seatkey trace`.
#[derive(Debug, Default)]
struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        trace::current_id().map_or_else(|| self.0.new_trace_id(), |id| TraceId::from(id.as_u128()))
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}

/// Samplers by ratio look at the upper bits of a trace id's second half, and there a UUID says that it is one: none would be
/// taken, or all. So they are given the half without those two bits. The decision still depends on the id alone, alike in all
/// processes.
#[derive(Debug, Clone)]
struct Fair(Box<dyn ShouldSample>);

impl ShouldSample for Fair {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let id = TraceId::from(u128::from_be_bytes(id.to_bytes()) << 2);
        self.0.should_sample(parent, id, name, kind, attributes, links)
    }
}

/// Lets out what may leave, and says once whether it arrives.
#[derive(Debug)]
struct Guard<E> {
    exporter: E,
    reaches: Mutex<Option<bool>>,
}

impl<E: SpanExporter> SpanExporter for Guard<E> {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.exporter.export(spans.into_iter().map(guarded).collect()).await;
        let before = self.reaches.lock().unwrap_or_else(PoisonError::into_inner).replace(sent.is_ok());
        match &sent {
            Ok(()) if before != Some(true) => tracing::info!("spans reach the collector"),
            Err(error) if before != Some(false) => tracing::warn!(%error, "spans do not reach the collector"),
            _ => {}
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// The span without anything that is not known to be harmless: no events, no words about an error.
fn guarded(mut span: SpanData) -> SpanData {
    span.attributes.retain(|attribute| MAY_LEAVE.contains(&attribute.key.as_str()));
    (span.events, span.links) = (SpanEvents::default(), SpanLinks::default());
    if let Status::Error { description } = &mut span.status {
        *description = Cow::Borrowed("");
    }
    span
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use opentelemetry::trace::{Span as _, Tracer as _};
    use opentelemetry_sdk::trace::{Sampler, SamplingDecision};
    use uuid::Uuid;

    use super::*;

    #[derive(Debug, Default, Clone)]
    struct Kept(Arc<Mutex<Vec<SpanData>>>);

    impl SpanExporter for Kept {
        async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().unwrap().extend(spans);
            Ok(())
        }
    }

    #[tokio::test]
    async fn only_what_is_listed_leaves_and_under_the_id_of_its_trace() {
        let kept = Kept::default();
        let guard = Guard { exporter: kept.clone(), reaches: Mutex::default() };
        let provider =
            SdkTracerProvider::builder().with_id_generator(Ids::default()).with_simple_exporter(guard).build();
        let id = Uuid::new_v4();
        trace::within(trace::Trace::begin(id), async {
            let mut span = provider.tracer("test").start("GET /landing");
            span.set_attribute(KeyValue::new("http.route", "/landing"));
            span.set_attribute(KeyValue::new("url.query", "token=secret"));
            span.add_event("secret", vec![KeyValue::new("secret", "secret")]);
            span.set_status(Status::error("secret"));
            span.end();
        })
        .await;
        let spans = kept.0.lock().unwrap();
        let [span] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!(span.span_context.trace_id().to_string(), id.simple().to_string());
        assert_eq!(span.attributes, [KeyValue::new("http.route", "/landing")]);
        assert!(!format!("{span:?}").contains("secret"), "{span:?}");
    }

    #[test]
    fn a_ratio_is_kept_by_both_kinds_of_ids() {
        let timed = |second: u64| Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, 1_790_000_000 + second, 0));
        for make in [|_| Uuid::new_v4(), timed] {
            for (ratio, least, most) in [(0.1, 30, 170), (0.5, 400, 600), (0.9, 830, 970)] {
                let sampler = Fair(Box::new(Sampler::TraceIdRatioBased(ratio)));
                let is_taken = |second: &u64| {
                    let id = TraceId::from(make(*second).as_u128());
                    let result = sampler.should_sample(None, id, "job", &SpanKind::Internal, &[], &[]);
                    result.decision == SamplingDecision::RecordAndSample
                };
                let taken = (0..1_000).filter(is_taken).count();
                assert!((least..=most).contains(&taken), "{taken} of 1,000 at {ratio}");
            }
        }
    }
}
