//! The mails of a subscription's life (`product.md` §4): one for each event that its people should know of.

use serde::Serialize;
use time::{Date, OffsetDateTime};

use super::{
    Language, Rendered,
    letter::{Key, Letter},
    life_values::Facts,
    values::When,
};
use crate::{
    domain::{
        money::Amount,
        pricing::Line,
        time::{Term, utc_day},
    },
    pages::purchase::Purchase,
    templates::{TemplateError, Templates},
};

/// The subscription after the event, and who gets the mail.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The subscription; its `amounts` decide whether a figure of money is told. Before the enrolment the organisation
    /// may be empty.
    pub purchase: &'a Purchase<'a>,
    /// Users in total; `None` on a flat plan or before the enrolment.
    pub users: Option<u32>,
    /// The name of their segment.
    pub segment: Option<&'a str>,
    /// The current term.
    pub term: Option<Term>,
    /// The buyer's page of the subscription, complete with host.
    pub page_url: &'a str,
    /// Who ordered; for [`LifeEvent::SetUpReminder`] who bought.
    pub buyer_email: &'a str,
    /// Whom the buyer named; may be empty. The same address as the buyer's is told once.
    pub technical_contact: &'a str,
    /// The key that comes with this mail.
    pub key: Option<NewKey<'a>>,
    /// When the mail is written.
    pub now: OffsetDateTime,
}

/// A newer key: attached as a file, and shown in a block that can be copied.
#[derive(Debug, Clone, Copy)]
pub struct NewKey<'a> {
    /// The signed text.
    pub compact: &'a str,
    /// When it ends.
    pub expires: OffsetDateTime,
    /// Whether another key follows by itself when the fees are accepted.
    pub provisional: bool,
}

/// What happened, or is about to. Amounts are passed in every deal; a reseller deal's mail leaves them out.
#[derive(Debug, Clone, Copy)]
pub enum LifeEvent<'a> {
    /// More users within the term (`product.md` §4.3).
    Upgraded {
        /// Users before.
        from: u32,
        /// Users now.
        to: u32,
        /// The prorated charge, also when it is nothing; `None` where Microsoft bills the seats.
        line: Option<&'a Line>,
        /// Days that are charged, today included.
        remaining_days: u32,
        /// Days of the term.
        term_days: u32,
        /// When it is reported together with the first charges, where those are still held.
        held_until: Option<OffsetDateTime>,
        /// A full term from now on, at today's prices.
        next_term_total: Option<Amount>,
        /// Whether it cancelled a planned downgrade.
        cancelled_plan: bool,
    },
    /// Fewer users while the first charges are held (§4.1).
    Lowered {
        /// Users before.
        from: u32,
        /// Users now.
        to: u32,
        /// The first term's lines that are held now.
        lines: &'a [Line],
        /// When they are reported.
        held_until: OffsetDateTime,
    },
    /// Fewer users from the next renewal on (§4.5).
    DowngradePlanned {
        /// Users until then.
        from: u32,
        /// Users from then on.
        to: u32,
        /// The day of the renewal.
        effective: Date,
        /// The segment from then on.
        segment: Option<&'a str>,
        /// A full term from then on, at today's prices.
        next_term_total: Option<Amount>,
    },
    /// A planned downgrade was taken back.
    DowngradeCancelled {
        /// Users now and after the renewal.
        users: u32,
        /// Users that were planned.
        was: u32,
    },
    /// A renewal is near.
    RenewalAhead {
        /// Days until then.
        days: u32,
        /// The first day of the next term.
        on: Date,
        /// What will be charged at today's prices, for the planned users where there is a plan.
        lines: &'a [Line],
        /// Their sum.
        total: Option<Amount>,
        /// Users of a planned downgrade.
        planned: Option<u32>,
        /// Whether Microsoft renews by itself (recurring billing).
        auto_renew: bool,
    },
    /// A new term has begun (§4.2).
    Renewed {
        /// The new term.
        term: Term,
        /// Its fees.
        lines: &'a [Line],
        /// Their sum.
        total: Option<Amount>,
        /// Users before, where a planned downgrade was applied.
        downgraded_from: Option<u32>,
        /// When the fees are reported, where trial days reach into the term.
        held_until: Option<OffsetDateTime>,
    },
    /// The trial is nearly over (§4.4).
    TrialEnds {
        /// Days until its last day.
        days: u32,
        /// That day.
        last_day: Date,
        /// When the first fees are reported.
        first_report: OffsetDateTime,
        /// The fees.
        lines: &'a [Line],
    },
    /// The trial or the grace period was made longer while nothing is reported (§6).
    Extended {
        /// The trial's new last day; `None` where the grace period is longer.
        trial_end: Option<Date>,
        /// Days more.
        days: u32,
        /// When the fees are reported.
        held_until: OffsetDateTime,
        /// The fees.
        lines: &'a [Line],
    },
    /// Microsoft suspended the subscription (§4.7).
    Suspended,
    /// The suspension is over.
    Reinstated,
    /// The buyer withdrew while everything was held (§4.1).
    Withdrawn {
        /// What is never charged.
        dropped: &'a [Line],
    },
    /// The subscription was cancelled (§4.6).
    Cancelled {
        /// When the license ends; `None` = it ended at once.
        license_until: Option<OffsetDateTime>,
        /// Users until then.
        users: Option<u32>,
        /// What was held and is never charged.
        dropped: &'a [Line],
    },
    /// Bought, never configured. To the purchaser.
    SetUpReminder {
        /// The day of the purchase.
        bought: Date,
        /// The day on which Microsoft drops it; `None` where Microsoft activated it by itself, and bills it.
        dropped_on: Option<Date>,
        /// The landing page, complete with host.
        configure_url: &'a str,
    },
    /// A change that was refused (§4.8).
    ChangeRefused {
        /// Why.
        reason: RefusalReason<'a>,
        /// What was wanted.
        what: RefusedChange<'a>,
    },
    /// Microsoft's new number of seats, where Microsoft bills them.
    SeatsChanged {
        /// Seats before, where they are known.
        from: Option<u32>,
        /// Seats now.
        to: u32,
    },
    /// The fees were accepted, or their acceptance takes long: the key that follows (§5).
    KeyReady,
    /// The newest key once more, because somebody asked for it.
    KeyAgain,
    /// Another license: the old key is revoked.
    KeyReplaced,
}

/// Why a change was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalReason<'a> {
    /// A plan is only changed to the one that replaces it.
    NotASuccessor,
    /// The plan starts at so many users.
    TooFew(u32),
    /// Microsoft's own words, shown as they are.
    Microsoft(&'a str),
}

/// What was wanted and refused.
#[derive(Debug, Clone, Copy)]
pub enum RefusedChange<'a> {
    /// Another plan.
    Plan {
        /// Its name.
        to: &'a str,
    },
    /// Another number of seats.
    Seats {
        /// How many.
        to: u32,
        /// Whether it was asked for in Microsoft's portal, not on our page.
        in_portal: bool,
    },
}

impl LifeEvent<'_> {
    /// The directory of its words within the language, and the word in the Message-ID.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Upgraded { .. } => "upgraded",
            Self::Lowered { .. } => "lowered",
            Self::DowngradePlanned { .. } => "downgrade_planned",
            Self::DowngradeCancelled { .. } => "downgrade_cancelled",
            Self::RenewalAhead { .. } => "renewal_ahead",
            Self::Renewed { .. } => "renewed",
            Self::TrialEnds { .. } => "trial_ends",
            Self::Extended { .. } => "extended",
            Self::Suspended => "suspended",
            Self::Reinstated => "reinstated",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Cancelled { .. } => "cancelled",
            Self::SetUpReminder { .. } => "set_up_reminder",
            Self::ChangeRefused { .. } => "change_refused",
            Self::SeatsChanged { .. } => "seats_changed",
            Self::KeyReady => "key_ready",
            Self::KeyAgain => "key_again",
            Self::KeyReplaced => "key_replaced",
        }
    }
}

/// The context of `mail/<language>/<event>/`.
#[derive(Debug, Clone, Serialize)]
pub struct LifeMail {
    #[serde(skip)]
    language: Language,
    #[serde(skip)]
    name: &'static str,
    #[serde(flatten)]
    letter: Letter,
    users: Option<u32>,
    segment: Option<String>,
    term_end: Option<When>,
    renewal: Option<When>,
    today: When,
    #[serde(flatten)]
    facts: Facts,
}

impl LifeMail {
    /// The mail about an event.
    #[must_use]
    pub fn new(about: &About<'_>, event: &LifeEvent<'_>, language: &Language) -> Self {
        let (facts, figures) = Facts::of(about, event);
        let letter = Letter::new(about.purchase, about.page_url).to(about.buyer_email, about.technical_contact);
        let key = about.key.map(|key| Key::new(key.compact, key.expires, key.provisional));
        Self {
            language: language.clone(),
            name: event.name(),
            letter: letter.with(key, figures),
            users: about.users,
            segment: about.segment.map(str::to_owned),
            term_end: about.term.map(|term| When::on(term.end)),
            renewal: about.term.and_then(|term| term.renewal()).map(When::on),
            today: When::on(utc_day(about.now)),
            facts,
        }
    }

    /// [`LifeEvent::name`].
    #[cfg(test)]
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// The finished mail.
    ///
    /// # Errors
    /// [`TemplateError`], only with a template that was not checked.
    pub fn render(&self, templates: &Templates) -> Result<Rendered, TemplateError> {
        Rendered::new(templates, self.name, &self.language, self)
    }
}
