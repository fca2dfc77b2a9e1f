//! What this process counts while it works: requests, calls to Microsoft, webhooks, jobs, mails. A restart begins at zero;
//! how things stand is in the database (`web/metrics`). No label ever holds what somebody from outside has written.

use std::{sync::Arc, time::Duration};

use prometheus_client::{
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};

/// Seconds; the objectives of `deploy/prometheus/rules` ask for 0.5, 1 and 2.5.
const BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Microsoft's words; another one is told as `other`.
const ACTIONS: [&str; 7] =
    ["Subscribe", "Unsubscribe", "ChangePlan", "ChangeQuantity", "Suspend", "Reinstate", "Renew"];
/// Methods that a route of ours may have, or a browser may try.
const METHODS: [&str; 7] = ["GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"];

type Labels<const N: usize> = [(&'static str, String); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;
type Histograms<const N: usize> = Family<Labels<N>, Histogram, fn() -> Histogram>;

/// The counters of one process. Cheap to clone; a clone counts the same.
#[derive(Debug, Clone)]
pub struct Meters(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    requests: Counters<3>,
    request_seconds: Histograms<2>,
    calls: Counters<2>,
    call_seconds: Histograms<1>,
    webhooks: Counters<2>,
    jobs: Counters<2>,
    job_seconds: Histograms<1>,
    mails: Counters<1>,
    usage: Counters<1>,
    unreadable_webhooks: Counter,
}

/// A histogram of durations, in seconds.
#[must_use]
pub fn seconds() -> Histogram {
    Histogram::new(BUCKETS)
}

fn by_seconds<const N: usize>() -> Histograms<N> {
    Family::new_with_constructor(seconds as fn() -> Histogram)
}

impl Default for Meters {
    fn default() -> Self {
        Self(Arc::new(Inner {
            requests: Family::default(),
            request_seconds: by_seconds(),
            calls: Family::default(),
            call_seconds: by_seconds(),
            webhooks: Family::default(),
            jobs: Family::default(),
            job_seconds: by_seconds(),
            mails: Family::default(),
            usage: Family::default(),
            unreadable_webhooks: Counter::default(),
        }))
    }
}

impl Meters {
    /// A request was answered. `route` is the template of the route, `None` where there is none; never the address.
    pub fn request(&self, method: &str, route: Option<String>, status: u16, took: Duration) {
        let method = known_method(method);
        let route = route.unwrap_or_else(|| "none".to_owned());
        let status = format!("{}xx", status / 100);
        let labels = [("route", route.clone()), ("method", method.clone()), ("status", status)];
        self.0.requests.get_or_create(&labels).inc();
        let labels = [("route", route), ("method", method)];
        self.0.request_seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A request to Microsoft has come to its end.
    pub fn call(&self, operation: &'static str, outcome: &'static str, took: Duration) {
        let operation = || ("operation", operation.to_owned());
        self.0.calls.get_or_create(&[operation(), ("outcome", outcome.to_owned())]).inc();
        self.0.call_seconds.get_or_create(&[operation()]).observe(took.as_secs_f64());
    }

    /// Microsoft's webhook was answered. `action` is its word, where one was read.
    pub fn webhook(&self, action: Option<&str>, outcome: &'static str) {
        let action = action.map_or_else(|| "unread".to_owned(), |action| known(&ACTIONS, action));
        self.0.webhooks.get_or_create(&[("action", action), ("outcome", outcome.to_owned())]).inc();
    }

    /// A webhook with a verified token could not be read; gives how many that were.
    #[must_use]
    pub fn unreadable_webhook(&self) -> u64 {
        self.0.unreadable_webhooks.inc() + 1
    }

    /// A step of a job is over.
    pub fn job(&self, kind: &'static str, outcome: &'static str) {
        self.0.jobs.get_or_create(&[("kind", kind.to_owned()), ("outcome", outcome.to_owned())]).inc();
    }

    /// How long a step of a job has taken.
    pub fn job_took(&self, kind: &'static str, took: Duration) {
        self.0.job_seconds.get_or_create(&[("kind", kind.to_owned())]).observe(took.as_secs_f64());
    }

    /// A mail was handed to the mail server, or refused by it.
    pub fn mail(&self, outcome: &'static str) {
        self.0.mails.get_or_create(&[("outcome", outcome.to_owned())]).inc();
    }

    /// What became of so many charges in their slots.
    pub fn usage(&self, outcome: &'static str, count: u64) {
        self.0.usage.get_or_create(&[("outcome", outcome.to_owned())]).inc_by(count);
    }

    /// Puts everything into a registry.
    pub fn register(&self, registry: &mut Registry) {
        let Inner { requests, request_seconds, calls, call_seconds, .. } = &*self.0;
        registry.register(
            "http_requests",
            "Requests answered by this process, by template of the route, method and class of the status",
            requests.clone(),
        );
        let help = "How long answers took, until their first byte";
        registry.register_with_unit("http_request", help, Unit::Seconds, request_seconds.clone());
        registry.register(
            "marketplace_calls",
            "Requests to Microsoft by operation and outcome: ok, refused, not_found, conflict, credential (ours is refused), \
             too_many, unavailable, unreached (never sent), no_answer (may have arrived)",
            calls.clone(),
        );
        let help = "How long Microsoft took to answer";
        registry.register_with_unit("marketplace_call", help, Unit::Seconds, call_seconds.clone());
        self.register_work(registry);
    }

    fn register_work(&self, registry: &mut Registry) {
        let Inner { webhooks, jobs, job_seconds, mails, usage, unreadable_webhooks, .. } = &*self.0;
        registry.register(
            "webhooks",
            "Webhooks of Microsoft by action and outcome: stored, repeated, refused, unreadable, token_refused, and \
             token_unchecked and not_stored, which Microsoft sends again for eight hours",
            webhooks.clone(),
        );
        registry.register(
            "unreadable_webhooks",
            "Webhooks of Microsoft that nobody could read since this process was started: look at the log, and update \
             Seatkey",
            unreadable_webhooks.clone(),
        );
        let help = "Steps of jobs by kind and outcome: done, again (waits for Microsoft or for its date), failed (is tried \
                    again), dead (waits for a person)";
        registry.register("job_runs", help, jobs.clone());
        registry.register_with_unit("job_run", "How long a step of a job took", Unit::Seconds, job_seconds.clone());
        registry.register("mails", "Mails by outcome: sent, refused (is tried again)", mails.clone());
        let help = "Charges in their slots by what became of them: the new state of the charge, or again (the same bytes once \
                    more)";
        registry.register("usage_outcomes", help, usage.clone());
    }
}

/// A method of HTTP; another one is `other`.
#[must_use]
pub fn known_method(method: &str) -> String {
    known(&METHODS, method)
}

/// A word of a list; another one is `other`, so that nobody outside makes labels.
fn known(words: &[&'static str], word: &str) -> String {
    words.iter().find(|known| **known == word).map_or_else(|| "other".to_owned(), |known| (*known).to_owned())
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn what_comes_from_outside_makes_no_labels() {
        let meters = Meters::default();
        meters.request("SECRET", None, 404, Duration::from_millis(3));
        meters.webhook(Some("secret\"}"), "stored");
        meters.webhook(Some("Renew"), "stored");
        let mut registry = Registry::default();
        meters.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        assert!(!text.to_lowercase().contains("secret"), "{text}");
        let request = r#"http_requests_total{route="none",method="other",status="4xx"} 1"#;
        for line in [request, r#"webhooks_total{action="other",outcome="stored"} 1"#, r#"action="Renew""#] {
            assert!(text.contains(line), "{text}");
        }
    }
}
