//! Spans for a collector: what was asked for is one trace, under the id of the log and of `seatkey trace`; no secret leaves; a
//! collector that does not answer is nobody's trouble. The service is a process of its own, the collector is in here.

mod collector;

use std::{collections::BTreeSet, io::Read as _, net::TcpListener, sync::mpsc, time::Duration};

use seatkey::{
    cli::browser::Browser,
    clock::Stopwatch,
    simulator::{Fault, FaultAction},
};
use tokio::task::block_in_place;
use uuid::Uuid;

use self::collector::{Arrived, Collector};
use crate::{
    crashes::{buy, next_step},
    marketplace_client::logs::{cookies, leaks},
    support::{
        Database,
        people::ALEX,
        process::{Installation, Process},
    },
};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// Everything that a span may say.
const FACTS: [&str; 11] = [
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

/// A process that sends its spans where the variables say.
fn start(installation: &Installation, arguments: &[&str], environment: &[(&str, &str)]) -> Process {
    Process::start(installation.command(arguments).envs(environment.iter().copied()))
}

/// Ends it in order; gives how long that took, and its log.
fn stop(mut process: Process) -> (Duration, String) {
    let watch = Stopwatch::start();
    assert_eq!(process.stop(), Some(0), "an orderly end");
    (watch.elapsed(), process.log())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_one_trace_in_the_collector() {
    let collector = Collector::start();
    let installation = Installation::set(Database::Sqlite).await;
    let pages = (ENDPOINT, &collector.url[..]);
    let pages = block_in_place(|| start(&installation, &["serve", "--no-workers"], &[pages]));
    let own = format!("{}/v1/traces", collector.url);
    let work = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &own[..]), ("OTEL_SERVICE_NAME", "seatkey-work")];
    let work = block_in_place(|| start(&installation, &["work"], &work));
    let secrets = enrol(&installation).await;
    let logs = block_in_place(|| [pages, work].map(|process| stop(process).1).concat());
    let spans = collector.spans();
    assert_eq!(follow_the_order(&spans), sent_to_microsoft(&installation), "Microsoft has the same id");
    told_by_the_command(&installation, &spans);
    told_by_the_log(&logs);
    let text = collector.text();
    let found: Vec<_> = leaks(&text, &secrets).collect();
    assert!(found.is_empty(), "{found:#?}");
    let facts: BTreeSet<&str> = spans.iter().flat_map(|span| span.attributes.keys().map(String::as_str)).collect();
    assert_eq!(facts, BTreeSet::from(FACTS), "what leaves is what is listed");
    installation.finish().await;
    collector.stop().await;
}

/// A purchase from the landing page to the mailed key, past a few mishaps; gives what nobody else may know.
async fn enrol(installation: &Installation) -> Vec<(&'static str, String)> {
    let world = installation.world();
    let open = |path: &str| installation.public_url.join(path).unwrap();
    let mut alex = Browser::of(ALEX).unwrap();
    alex.open(open("healthz")).await.unwrap();
    alex.open(open("landing?token=bm90LWEtcHVyY2hhc2UtdG9rZW4%3D")).await.unwrap();
    alex.open(open("sign-in/callback?state=a-made-up-state&code=a-made-up-code")).await.unwrap();
    let id = buy(installation);
    let (token, address) = world.landing_address(id).unwrap();
    let encoded = address.split("token=").nth(1).unwrap().to_owned();
    let failed = FaultAction { status: Some(500), ..FaultAction::default() };
    let cut = FaultAction { cut: true, ..FaultAction::default() };
    world.add_fault(Fault { count: 1, ..Fault::next("/api/**", cut) });
    let form = alex.open(address.parse().unwrap()).await.unwrap();
    let mut secrets = vec![("purchase token", token), ("purchase token in an address", encoded)];
    secrets.push(("form token", form.field("csrf").unwrap()));
    world.add_fault(Fault { count: 1, ..Fault::next("/api/**", failed) });
    while !next_step(installation, &mut alex, id).await.unwrap() {
        world.advance(time::Duration::SECOND).unwrap();
    }
    secrets.extend(cookies(&alex));
    let words = ["bm90LWEtcHVyY2hhc2UtdG9rZW4", "a-made-up-code", "marketplace-secret", "sign-in-secret", "Bearer"];
    secrets.extend(words.map(|word| ("credential", word.to_owned())));
    secrets.extend(["@contoso", "Weber", "Contoso GmbH"].map(|word| ("person", word.to_owned())));
    secrets
}

fn find<'s>(spans: &'s [Arrived], trace: Option<Uuid>, name: &str) -> &'s Arrived {
    let found = spans.iter().find(|span| span.name == name && trace.is_none_or(|id| span.trace == id));
    found.unwrap_or_else(|| panic!("{name} is not in {spans:#?}"))
}

/// The page in one process, its job in another, the call and the mail; gives the id of their trace.
fn follow_the_order(spans: &[Arrived]) -> Uuid {
    let submit = find(spans, None, "POST /subscriptions/{id}/enrol/submit");
    assert_eq!((submit.service.as_str(), submit.attributes["http.request.method"].as_str()), ("seatkey", "POST"));
    assert_eq!(submit.attributes["http.route"], "/subscriptions/{id}/enrol/submit");
    assert_eq!(submit.attributes["http.response.status_code"], "303");
    let trace = Some(submit.trace);
    let activate = find(spans, trace, "activate");
    let job = spans.iter().find(|span| span.id == activate.parent).unwrap();
    assert_eq!(
        (job.name.as_str(), job.trace, job.service.as_str()),
        ("activate_subscription", submit.trace, "seatkey-work")
    );
    assert!(job.parent.is_empty() && !job.attributes["seatkey.subject"].is_empty(), "{job:?}");
    assert_eq!(activate.attributes["seatkey.correlation_id"], submit.trace.to_string());
    assert_eq!(activate.attributes["server.address"], "localhost");
    let mail = find(spans, trace, "hand over a mail");
    let job = spans.iter().find(|span| span.id == mail.parent).unwrap();
    assert_eq!((job.name.as_str(), job.attributes["seatkey.outcome"].as_str()), ("send_mail", "done"));
    assert!(!spans.iter().any(|span| span.name.contains("healthz")), "probes are left out");
    let failed: Vec<_> =
        spans.iter().filter(|span| span.failed).map(|span| span.attributes.get("http.response.status_code")).collect();
    assert!(failed.contains(&Some(&"500".to_owned())) && failed.contains(&None), "the mishaps: {failed:?}");
    submit.trace
}

/// The correlation id with which Microsoft was asked to activate.
fn sent_to_microsoft(installation: &Installation) -> Uuid {
    let sent = installation.world().requests().into_iter().find(|one| one.path.ends_with("/activate")).unwrap();
    let given = sent.headers.iter().find(|(name, _)| name == "x-ms-correlationid").unwrap();
    given.1.parse().unwrap()
}

/// `seatkey trace` takes the collector's id, and says Microsoft's id that the collector has, too.
fn told_by_the_command(installation: &Installation, spans: &[Arrived]) {
    let activate = find(spans, None, "activate");
    let id = activate.trace.simple().to_string();
    let told = installation.command(&["trace", &id]).output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    let request_id = &activate.attributes["azure.service.request.id"];
    assert!(told.contains("activate_subscription") && told.contains(request_id.as_str()), "{told}");
}

/// The log is what it is without a collector: what a line belongs to, and no more.
fn told_by_the_log(logs: &str) {
    assert!(logs.contains("spans reach the collector") && !logs.contains("do not reach"), "{logs}");
    assert!(!logs.contains("otel.") && !logs.contains("http.route"), "{logs}");
    let line = logs.lines().find(|line| line.contains("\"operation\":\"activate\"")).unwrap();
    assert!(line.contains("\"kind\":\"activate_subscription\"") && line.contains("\"correlation_id\""), "{line}");
    let line = logs.lines().find(|line| line.contains("\"operation\":\"resolve\"")).unwrap();
    assert!(line.contains("\"name\":\"request\"") && line.contains("\"request_id\""), "{line}");
}

/// Takes connections and never answers; tells of each first byte.
fn silent() -> (String, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.read_exact(&mut [0]).unwrap();
            kept.push(stream);
            if tell.send(()).is_err() {
                return;
            }
        }
    });
    (url, told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_never_answers_holds_nothing_up() {
    let (url, told) = silent();
    let installation = Installation::set(Database::Sqlite).await;
    let environment = [(ENDPOINT, &url[..]), ("OTEL_BSP_SCHEDULE_DELAY", "10"), ("OTEL_BSP_MAX_QUEUE_SIZE", "8")];
    let service = block_in_place(|| start(&installation, &["serve"], &environment));
    let mut alex = Browser::of(ALEX).unwrap();
    let page = installation.public_url.join("landing").unwrap();
    alex.open(page.clone()).await.unwrap();
    block_in_place(|| told.recv()).unwrap();
    // The exporter hangs from here on, and its queue is full before this is over.
    for _ in 0..50 {
        assert_eq!(alex.open(page.clone()).await.unwrap().status, 200);
    }
    let (took, log) = block_in_place(|| stop(service));
    assert!(took < Duration::from_secs(7), "ends without an answer, long before the exporter gives up: {took:?}");
    assert!(log.contains("the last spans did not reach the collector"), "{log}");
    installation.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_not_there_is_told_of_once() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{nobody}");
    let installation = Installation::set(Database::Sqlite).await;
    let environment = [(ENDPOINT, &url[..]), ("OTEL_BSP_SCHEDULE_DELAY", "10")];
    let service = block_in_place(|| start(&installation, &["serve"], &environment));
    let mut alex = Browser::of(ALEX).unwrap();
    for _ in 0..5 {
        alex.open(installation.public_url.join("landing").unwrap()).await.unwrap();
    }
    let (_, log) = block_in_place(|| stop(service));
    assert_eq!(log.matches("spans do not reach the collector").count(), 1, "{log}");
    assert!(!log.contains(&url), "{log}");
    installation.finish().await;
}
