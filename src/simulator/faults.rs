//! Faults on request: slow, refused, cut and lost answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::exchange::{Reply, Request};

/// Something that goes wrong at a chosen moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The path; `*` stands for one part of it, `**` at the end for all the rest. `smtp` means the mail server.
    pub path: String,
    /// The HTTP method; every one when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// The first matching request that is hit, counted from 1 since the fault was set.
    #[serde(default = "one")]
    pub nth: u32,
    /// How many are hit from there on.
    #[serde(default = "one")]
    pub count: u32,
    /// What happens.
    pub action: FaultAction,
}

impl Fault {
    /// Hits the next matching request, once.
    #[must_use]
    pub fn next(path: &str, action: FaultAction) -> Self {
        Self { path: path.to_owned(), method: None, nth: 1, count: 1, action }
    }
}

fn one() -> u32 {
    1
}

/// What happens to a request that is hit. A delay can be combined with any of the others.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultAction {
    /// Answer this, do nothing.
    #[serde(default)]
    pub status: Option<u16>,
    /// The body that goes with `status`.
    #[serde(default)]
    pub body: Option<String>,
    /// The headers that go with `status`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Wait so many milliseconds of real time first.
    #[serde(default)]
    pub delay_ms: Option<u64>,
    /// Close the connection, do nothing.
    #[serde(default)]
    pub cut: bool,
    /// Do what was asked, then close the connection without an answer.
    #[serde(default)]
    pub lose_answer: bool,
}

impl FaultAction {
    /// The answer in place of the real one.
    pub(super) fn reply(&self) -> Option<Reply> {
        let body = self.body.clone().unwrap_or_default();
        let mut reply = Reply::empty(self.status?);
        if body.starts_with(['{', '[', '"'])
            && !self.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"))
        {
            reply = reply.header("content-type", "application/json; charset=utf-8");
        }
        reply.body = body.into_bytes();
        reply.headers.extend(self.headers.clone());
        Some(reply)
    }
}

/// The faults that are set, with how often each has matched.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<(Fault, u32)>);

/// More faults than this are refused.
const LIMIT: usize = 1_000;

impl Faults {
    /// Says no (`false`) when there are too many.
    pub(super) fn add(&mut self, fault: Fault) -> bool {
        let room = self.0.len() < LIMIT;
        if room {
            self.0.push((fault, 0));
        }
        room
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter().map(|(fault, _)| fault)
    }

    /// How many of them have hit something.
    pub(super) fn hits(&self) -> usize {
        self.0.iter().filter(|(fault, seen)| *seen >= fault.nth).count()
    }

    /// What happens to this request; counts it for every fault that matches.
    pub(super) fn hit(&mut self, request: &Request) -> Option<FaultAction> {
        self.hit_path(&request.method, &request.path)
    }

    /// What happens to this mail.
    pub(super) fn hit_mail(&mut self) -> Option<FaultAction> {
        self.hit_path("DATA", "smtp")
    }

    fn hit_path(&mut self, method: &str, path: &str) -> Option<FaultAction> {
        let mut action = None;
        for (fault, seen) in &mut self.0 {
            let method_fits = fault.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
            if !method_fits || !path_fits(&fault.path, path) {
                continue;
            }
            *seen = seen.saturating_add(1);
            let is_hit = *seen >= fault.nth && *seen - fault.nth < fault.count;
            if is_hit && action.is_none() {
                action = Some(fault.action.clone());
            }
        }
        action
    }
}

fn path_fits(pattern: &str, path: &str) -> bool {
    let split = |text: &str| text.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (mut pattern, path) = (split(pattern), split(path));
    let open_ended = pattern.last().is_some_and(|last| last == "**");
    if open_ended {
        pattern.pop();
    }
    let length_fits = if open_ended { path.len() >= pattern.len() } else { path.len() == pattern.len() };
    length_fits && pattern.iter().zip(&path).all(|(wanted, part)| wanted == "*" || wanted == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_parts() {
        assert!(path_fits("/api/saas/subscriptions/*/activate", "/api/saas/subscriptions/1/activate"));
        assert!(!path_fits("/api/saas/subscriptions/*", "/api/saas/subscriptions/1/activate"));
        assert!(path_fits("/api/**", "/api/saas/subscriptions/1/activate"));
        assert!(path_fits("/api/saas/subscriptions", "/api/saas/subscriptions/"));
    }

    #[test]
    fn hits_from_the_nth_so_many_times() {
        let fault = r#"{"path":"/a","nth":2,"count":2,"action":{"status":503}}"#;
        let mut faults = Faults::default();
        assert!(faults.add(serde_json::from_str(fault).unwrap()));
        let hits: Vec<bool> = (0..5).map(|_| faults.hit_path("GET", "/a").is_some()).collect();
        assert_eq!(hits, [false, true, true, false, false]);
    }
}
