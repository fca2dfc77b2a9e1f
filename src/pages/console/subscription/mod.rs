//! Everything about one subscription, on one page.
//!
//! Owns: what each section says, and which form stands where. Does not own: what a role may do (`app::desk`). Invariants:
//! in a reseller deal there is no amount; the text of a key is there only for who was given it.

mod acts;
mod charges;
mod facts;
mod samples;
mod sections;
mod term_line;

use serde::Serialize;

pub use acts::{ActFacts, Typed, done};
pub use facts::{
    CallFact, FindingFact, JobFact, KeyFact, MailFact, Newest, NoteFact, PersonFact, SlotFact, SubscriptionFacts,
    TrailFact, WebhookFact,
};

use self::{
    acts::{Act, Group, groups, note},
    sections::{Section, sections},
    term_line::{Mark, TermLine, word},
};
use super::{frame::ConsoleFrame, subscriptions::stage_told, table::subscription_path};
use crate::{
    domain::{
        explanation::PointKind,
        subscription::{Stage, Subscription},
        time::{end_of_day, utc_day},
    },
    pages::{
        Page,
        words::{self, Fact, Tone},
    },
};

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct SubscriptionPage {
    frame: ConsoleFrame,
    title: String,
    name: String,
    path: String,
    state: &'static str,
    tone: Tone,
    /// What is wrong with what was sent; its form may not be possible any more.
    error: String,
    alarms: Vec<String>,
    marks: Vec<String>,
    line: Option<TermLine>,
    facts: Vec<Vec<Fact>>,
    ids: Vec<Id>,
    sections: Vec<Section>,
    note: Act,
    groups: Vec<Group>,
}

#[derive(Debug, Clone, Serialize)]
struct Id {
    label: &'static str,
    value: String,
}

impl SubscriptionPage {
    /// The page.
    #[must_use]
    pub fn new(frame: ConsoleFrame, told: &SubscriptionFacts<'_>, acts: &ActFacts<'_>) -> Self {
        let subscription = told.subscription;
        let microsoft = &subscription.microsoft;
        let shown = !microsoft.is_reseller_deal();
        let title = [told.organisation, &microsoft.name].into_iter().find(|name| !name.is_empty());
        let (state, tone) = stage_told(subscription.stage);
        let name = if told.organisation.is_empty() { String::new() } else { microsoft.name.clone() };
        Self {
            title: title.map_or_else(|| microsoft.id.to_string(), str::to_owned),
            name,
            path: subscription_path(microsoft.id),
            state,
            tone,
            error: acts.typed.error.clone(),
            alarms: alarms(told),
            marks: marks(subscription),
            line: term_line(told),
            facts: facts(told),
            ids: ids(told),
            sections: sections(told, shown),
            note: note(&acts.typed),
            groups: groups(acts),
            frame,
        }
    }
}

fn alarms(told: &SubscriptionFacts<'_>) -> Vec<String> {
    let findings = told.findings.len();
    let jobs = told.jobs.rows.iter().filter(|job| job.is_dead()).count();
    let counted =
        |count: usize, noun: &str| (count > 0).then(|| words::counted(u32::try_from(count).unwrap_or(u32::MAX), noun));
    [counted(findings, "finding"), counted(jobs, "dead job")].into_iter().flatten().collect()
}

fn marks(subscription: &Subscription) -> Vec<String> {
    let microsoft = &subscription.microsoft;
    let renewal = subscription.term.and_then(|term| term.renewal()).map(words::day).unwrap_or_default();
    let planned = subscription.planned.map(|planned| format!("{} from {renewal} on", words::users(planned.users)));
    let mut marks = Vec::new();
    marks.extend(microsoft.is_test.then(|| "test".to_owned()));
    marks.push(if microsoft.is_reseller_deal() { "reseller" } else { "bought directly" }.to_owned());
    marks.extend(planned.map(|planned| format!("downgrade planned: {planned}")));
    marks.extend(subscription.withdrawn_at.map(|_| "withdrawal asked for".to_owned()));
    marks
}

fn term_line(told: &SubscriptionFacts<'_>) -> Option<TermLine> {
    let subscription = told.subscription;
    let term = subscription.term.or(subscription.microsoft.term)?;
    let (from, to) = (term.start.midnight().assume_utc(), end_of_day(term.end));
    let mut marks: Vec<Mark> = told
        .explanation
        .timeline
        .iter()
        .map(|point| {
            let (text, colour) = word(point.kind);
            Mark { at: point.at, text, colour }
        })
        .collect();
    if let Stage::Suspended { suspended_at, .. } = subscription.stage {
        marks.push(Mark { at: suspended_at, text: "suspended", colour: "var(--bad)" });
    }
    let key = told.keys.rows.first().filter(|key| !key.is_revoked && !is_renewal(told, key.expires_at));
    marks.extend(key.map(|key| Mark { at: key.expires_at, text: "key ends", colour: "var(--warn)" }));
    let held = told.explanation.timeline.iter().find(|point| point.kind == PointKind::FirstReport);
    TermLine::new((from, to), marks, held.map(|point| point.at), told.now)
}

fn is_renewal(told: &SubscriptionFacts<'_>, at: time::OffsetDateTime) -> bool {
    told.subscription.term.is_some_and(|term| end_of_day(term.end) <= at)
}

fn facts(told: &SubscriptionFacts<'_>) -> Vec<Vec<Fact>> {
    let subscription = told.subscription;
    let microsoft = &subscription.microsoft;
    let today = utc_day(told.now);
    let none = || "none".to_owned();
    let term = subscription.term.or(microsoft.term);
    let term = term.map_or_else(none, |term| format!("{} to {}", words::day(term.start), words::day(term.end)));
    let unwritten = if subscription.unwritten_renewal().is_some() { "its renewal is being written" } else { "" };
    let unit = microsoft.term_unit.as_ref().map(|unit| unit.as_str().to_owned()).unwrap_or_default();
    let users = subscription.users.map_or_else(none, words::count);
    let planned = subscription.planned.map(|planned| format!("{} planned", words::count(planned.users)));
    let since = |at: time::OffsetDateTime| words::instant_near(at, today);
    let enrolled = subscription.stage.enrolled();
    let first = vec![
        Fact::with("Offer, plan", told.offer, told.plan),
        Fact::with("Users", users, planned.unwrap_or_default()),
        Fact::new("Segment", subscription.segment.clone().unwrap_or_else(none)),
        Fact::with("At Microsoft", microsoft.status.as_str(), format!("asked {}", since(subscription.observed_at))),
    ];
    let second = vec![
        Fact::with("Term", term, unwritten),
        Fact::new("Length", unit),
        Fact::new("Renews by itself", if microsoft.auto_renew { "yes" } else { "no" }),
        Fact::new("First seen", since(subscription.seen_at)),
    ];
    let over = match subscription.stage {
        Stage::Suspended { suspended_at, .. } => Fact::new("Suspended", since(suspended_at)),
        Stage::Ended { ended_at, .. } => Fact::new("Ended", since(ended_at)),
        _ => Fact::new("Row version", subscription.version.to_string()),
    };
    let third = vec![
        Fact::new("Trial", subscription.trial_end.map_or_else(none, |day| format!("to {}", words::day(day)))),
        Fact::new("Grace period", subscription.grace_end.map_or_else(none, |at| format!("to {}", since(at)))),
        Fact::new("Activated", enrolled.map_or_else(none, |enrolled| since(enrolled.activated_at))),
        over,
    ];
    vec![first, second, third]
}

fn ids(told: &SubscriptionFacts<'_>) -> Vec<Id> {
    let microsoft = &told.subscription.microsoft;
    let tenant = |label, id: Option<uuid::Uuid>| id.map(|id| Id { label, value: id.to_string() });
    let license = told.keys.rows.first().map(|key| Id { label: "License", value: key.license_id.clone() });
    let mut ids = vec![Id { label: "Subscription", value: microsoft.id.to_string() }];
    ids.extend(tenant("Tenant", microsoft.beneficiary.tenant_id));
    let other = microsoft.purchaser.tenant_id.filter(|id| microsoft.beneficiary.tenant_id != Some(*id));
    ids.extend(tenant("Purchaser’s tenant", other));
    ids.extend(license);
    ids
}

impl Page for SubscriptionPage {
    const TEMPLATE: &'static str = "console/subscription.html";

    fn samples() -> Vec<Self> {
        samples::all()
    }
}
