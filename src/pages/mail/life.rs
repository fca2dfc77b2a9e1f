//! Stand-in until the mails of a subscription's life are merged.
use time::{Date, OffsetDateTime};

use super::{Language, Rendered};
use crate::{
    domain::{money::Amount, pricing::Line, time::Term},
    pages::purchase::Purchase,
    templates::{TemplateError, Templates},
};

/// What every mail is told.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    pub purchase: &'a Purchase<'a>,
    pub users: Option<u32>,
    pub segment: Option<&'a str>,
    pub term: Option<Term>,
    pub page_url: &'a str,
    pub buyer_email: &'a str,
    pub technical_contact: &'a str,
    pub key: Option<NewKey<'a>>,
    pub now: OffsetDateTime,
}

/// A newer key.
#[derive(Debug, Clone, Copy)]
pub struct NewKey<'a> {
    pub compact: &'a str,
    pub expires: OffsetDateTime,
    pub provisional: bool,
}

/// What a change would have made.
#[derive(Debug, Clone, Copy)]
pub enum RefusedChange<'a> {
    Plan { to: &'a str },
    Seats { to: u32 },
}

/// What happened.
#[derive(Debug, Clone, Copy)]
pub enum LifeEvent<'a> {
    Upgraded {
        from: u32,
        to: u32,
        line: Option<&'a Line>,
        remaining_days: u32,
        term_days: u32,
        held_until: Option<OffsetDateTime>,
        next_term_total: Option<Amount>,
        cancelled_plan: bool,
    },
    Lowered {
        from: u32,
        to: u32,
        lines: &'a [Line],
        held_until: OffsetDateTime,
    },
    DowngradePlanned {
        from: u32,
        to: u32,
        effective: Date,
        segment: Option<&'a str>,
        next_term_total: Option<Amount>,
    },
    DowngradeCancelled {
        users: u32,
        was: u32,
    },
    RenewalAhead {
        days: u32,
        on: Date,
        lines: &'a [Line],
        total: Option<Amount>,
        planned: Option<u32>,
        auto_renew: bool,
    },
    Renewed {
        term: Term,
        lines: &'a [Line],
        total: Option<Amount>,
        downgraded_from: Option<u32>,
        held_until: Option<OffsetDateTime>,
    },
    TrialEnds {
        days: u32,
        last_day: Date,
        first_report: OffsetDateTime,
        lines: &'a [Line],
    },
    Suspended,
    Reinstated,
    Withdrawn {
        dropped: &'a [Line],
    },
    Cancelled {
        license_until: Option<OffsetDateTime>,
        users: Option<u32>,
        dropped: &'a [Line],
    },
    SetUpReminder {
        bought: Date,
        dropped_on: Date,
        configure_url: &'a str,
    },
    ChangeRefused {
        reason: &'a str,
        what: RefusedChange<'a>,
    },
    SeatsChanged {
        from: Option<u32>,
        to: u32,
    },
    KeyAgain,
    KeyReplaced,
}

impl LifeEvent<'_> {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Upgraded { .. } => "upgraded",
            Self::Lowered { .. } => "lowered",
            Self::DowngradePlanned { .. } => "downgrade_planned",
            Self::DowngradeCancelled { .. } => "downgrade_cancelled",
            Self::RenewalAhead { .. } => "renewal_ahead",
            Self::Renewed { .. } => "renewed",
            Self::TrialEnds { .. } => "trial_ends",
            Self::Suspended => "suspended",
            Self::Reinstated => "reinstated",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Cancelled { .. } => "cancelled",
            Self::SetUpReminder { .. } => "set_up_reminder",
            Self::ChangeRefused { .. } => "change_refused",
            Self::SeatsChanged { .. } => "seats_changed",
            Self::KeyAgain => "key_again",
            Self::KeyReplaced => "key_replaced",
        }
    }
}

#[derive(Debug)]
pub struct LifeMail(String);

impl LifeMail {
    pub fn new(_about: &About<'_>, event: &LifeEvent<'_>, _language: &Language) -> Self {
        Self(format!("{event:?}"))
    }

    pub fn render(&self, _templates: &Templates) -> Result<Rendered, TemplateError> {
        Ok(Rendered { subject: self.0.clone(), text: self.0.clone(), html: self.0.clone() })
    }
}
