//! Custom trials: the list, one of them, and the form that grants one.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    extension::ExtensionView,
    frame::ConsoleFrame,
    samples,
    table::{Cell, Column, Row, subscription_path},
};
use crate::{
    domain::trial_grant::{Kind, Standing, TrialFigures, TrialGrant},
    pages::{
        Page,
        words::{self, Fact, Tone},
    },
};

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::text("For"),
    Column::text("Kind"),
    Column::text("Offer"),
    Column::text("Plan"),
    Column::number("Days"),
    Column::number("Users"),
    Column::text("State"),
    Column::text("Until"),
    Column::text("Granted by"),
    Column::text("Granted"),
    Column::text("Reason"),
    Column::text("Id"),
];

/// The columns of the report.
pub const REPORT_COLUMNS: &[Column] = &[
    Column::text("Granted in"),
    Column::text("Offer"),
    Column::number("Granted"),
    Column::number("Waiting"),
    Column::number("Open"),
    Column::number("Used"),
    Column::number("Expired"),
    Column::number("Revoked"),
    Column::number("Converted"),
    Column::number("Converted of used, %"),
];

/// The trials of a month and an offer as a row.
#[must_use]
pub fn report_row(figures: &TrialFigures) -> Row {
    let number = |count: i64| Cell::text(count.to_string());
    let share = (figures.converted * 100).checked_div(figures.used());
    let mut row = vec![Cell::text(&figures.month), Cell::text(&figures.offer_id), number(figures.granted())];
    row.extend(figures.standing.map(number));
    row.extend([number(figures.converted), Cell::text(share.map(|share| share.to_string()).unwrap_or_default())]);
    row
}

/// The page of a trial.
#[must_use]
pub fn trial_path(id: Uuid) -> String {
    format!("/console/trials/{id}")
}

/// A trial as a row.
#[must_use]
pub fn row(grant: &TrialGrant, now: OffsetDateTime) -> Row {
    let (state, tone) = standing_told(grant.standing(now));
    vec![
        Cell::Link { text: whose_trial(grant), href: trial_path(grant.id) },
        Cell::text(kind_told(grant)),
        Cell::text(&grant.offer_id),
        Cell::text(&grant.plan_id),
        Cell::text(grant.days.to_string()),
        Cell::text(grant.users.map(|users| users.to_string()).unwrap_or_default()),
        Cell::state(state, tone),
        Cell::at(grant.expires_at),
        Cell::text(&grant.granted_by.name),
        Cell::at(grant.granted_at),
        Cell::text(&grant.reason),
        Cell::Id { text: grant.id.to_string(), href: trial_path(grant.id) },
    ]
}

fn standing_told(standing: Standing) -> (&'static str, Tone) {
    match standing {
        Standing::Proposed => ("waits for a second person", Tone::Warn),
        Standing::Open => ("open", Tone::Good),
        Standing::Used => ("used", Tone::Calm),
        Standing::Expired => ("expired", Tone::Calm),
        Standing::Revoked => ("revoked", Tone::Bad),
    }
}

/// Whose trial it is, by the best name that is known.
#[must_use]
pub fn whose_trial(grant: &TrialGrant) -> String {
    let names = [grant.contact.organisation.as_str(), grant.domain.as_deref().unwrap_or_default()];
    let known = names.into_iter().find(|name| !name.is_empty()).map(str::to_owned);
    known.or_else(|| grant.tenant_id.or(grant.subscription_id).map(|id| id.to_string())).unwrap_or_default()
}

fn kind_told(grant: &TrialGrant) -> &'static str {
    match (grant.kind, grant.extends) {
        (Kind::Ahead, _) => "ahead of a purchase",
        (Kind::OffMarket, _) => "key for a prospect",
        (Kind::Extension, Some(crate::domain::trial_grant::Extends::Grace)) => "longer grace period",
        (Kind::Extension, _) => "longer trial",
    }
}

/// What the viewer may do about a trial.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrialRights {
    /// Approve it: somebody of sales, and not who granted it.
    pub approve: bool,
    /// Take it back.
    pub revoke: bool,
}

/// One trial.
#[derive(Debug, Clone, Serialize)]
pub struct TrialPage {
    frame: ConsoleFrame,
    title: String,
    state: &'static str,
    tone: Tone,
    facts: Vec<Fact>,
    /// What an extension that waits would mean.
    view: Option<ExtensionView>,
    subscription: String,
    approve: String,
    revoke: String,
    error: String,
}

impl TrialPage {
    /// The page; `error` is what is wrong with what was just asked for.
    #[must_use]
    pub fn new(frame: ConsoleFrame, grant: &TrialGrant, rights: TrialRights, error: &str, now: OffsetDateTime) -> Self {
        let standing = grant.standing(now);
        let (state, tone) = standing_told(standing);
        let path = trial_path(grant.id);
        let action = |may: bool, word: &str| if may { format!("{path}/{word}") } else { String::new() };
        let is_alive = matches!(standing, Standing::Proposed | Standing::Open);
        Self {
            frame,
            title: format!("Trial for {}", whose_trial(grant)),
            state,
            tone,
            facts: facts(grant),
            view: None,
            subscription: grant.subscription_id.map(subscription_path).unwrap_or_default(),
            approve: action(rights.approve && standing == Standing::Proposed, "approve"),
            revoke: action(rights.revoke && is_alive, "revoke"),
            error: error.to_owned(),
        }
    }
}

impl TrialPage {
    /// The same with what it would mean for whoever approves.
    #[must_use]
    pub fn with_view(self, view: Option<ExtensionView>) -> Self {
        Self { view, ..self }
    }
}

fn facts(grant: &TrialGrant) -> Vec<Fact> {
    let contact = &grant.contact;
    let mut facts = vec![
        Fact::new("Kind", kind_told(grant)),
        Fact::with("Plan", grant.plan_id.clone(), grant.offer_id.clone()),
        Fact::new("Length", words::counted(grant.days, "day")),
        Fact::new("Users", grant.users.map_or_else(|| "as the order says".to_owned(), words::users)),
    ];
    let tenant = grant.tenant_id.map(|id| id.to_string());
    facts.extend(tenant.map(|id| Fact::with("Tenant", id, grant.domain.clone().unwrap_or_default())));
    if !contact.email.is_empty() {
        facts.push(Fact::with("Mailed to", contact.email.clone(), contact.name.clone()));
    }
    if let Some(license) = &grant.license {
        facts.push(Fact::with(
            "License",
            license.license_id.clone(),
            format!("ends {}", words::instant(license.ends_at)),
        ));
    }
    facts.push(Fact::new("Good until", words::instant(grant.expires_at)));
    facts.push(Fact::with("Granted by", grant.granted_by.name.clone(), words::instant(grant.granted_at)));
    facts.push(Fact::new("Why", grant.reason.clone()));
    facts.extend(grant.used_at.map(|at| Fact::new("Used", words::instant(at))));
    facts.extend(
        grant.taken_back.iter().map(|back| Fact::with("Revoked", back.reason.clone(), words::instant(back.at))),
    );
    facts
}

impl Page for TrialPage {
    const TEMPLATE: &'static str = "console/trial.html";

    fn samples() -> Vec<Self> {
        let all = TrialRights { approve: true, revoke: true };
        let page = |grant: &TrialGrant, rights, error| Self::new(samples::frame(), grant, rights, error, samples::NOW);
        let view = samples::extension_views().pop();
        samples::trials()
            .iter()
            .flat_map(|grant| {
                let looked_at = page(grant, all, samples::HOSTILE).with_view(view.clone());
                [looked_at, page(grant, TrialRights::default(), "")]
            })
            .collect()
    }
}

/// What was typed into the form.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TrialForm {
    /// `tenant` or `prospect`.
    pub kind: String,
    /// `offer/plan`.
    pub plan: String,
    /// A tenant's id or a domain.
    pub tenant: String,
    /// The prospect's organisation.
    pub organisation: String,
    /// The prospect.
    pub name: String,
    /// The prospect's mailbox.
    pub email: String,
    /// Days.
    pub days: String,
    /// Users.
    pub users: String,
    /// The offer is open for so many days.
    pub offer_days: String,
    /// Why.
    pub reason: String,
}

/// The form.
#[derive(Debug, Clone, Serialize)]
pub struct NewTrial {
    frame: ConsoleFrame,
    title: &'static str,
    plans: Vec<(String, String)>,
    form: TrialForm,
    error: String,
}

impl NewTrial {
    /// The form; `plans` are value and name of each plan that has trials.
    #[must_use]
    pub fn new(frame: ConsoleFrame, plans: Vec<(String, String)>, form: TrialForm, error: &str) -> Self {
        Self { frame, title: "Grant a trial", plans, form, error: error.to_owned() }
    }
}

impl Page for NewTrial {
    const TEMPLATE: &'static str = "console/new_trial.html";

    fn samples() -> Vec<Self> {
        let plans = || vec![("konnekt/konnekt-yearly".to_owned(), samples::HOSTILE.to_owned())];
        let hostile = || samples::HOSTILE.to_owned();
        let typed = TrialForm {
            kind: "prospect".to_owned(),
            organisation: hostile(),
            reason: hostile(),
            ..TrialForm::default()
        };
        vec![
            Self::new(samples::frame(), plans(), TrialForm::default(), ""),
            Self::new(samples::frame(), plans(), typed, samples::HOSTILE),
        ]
    }
}
