//! The mails about custom trials: to a prospect with a key, before the key ends, and to whoever granted a trial.

use serde::Serialize;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    Mail,
    letter::{Key, Letter},
    values::{Figures, When, in_one_line, last_day},
};
use crate::{
    domain::trial_grant::TrialGrant,
    pages::{
        purchase::Purchase,
        samples::{self, Deal},
    },
};

/// A key without a purchase.
#[derive(Debug, Clone, Copy)]
pub struct Prospect<'a> {
    /// The plan; nobody has bought it.
    pub purchase: &'a Purchase<'a>,
    /// Whom it is mailed to.
    pub person: &'a str,
    /// Users that the key names.
    pub users: Option<u32>,
    /// The signed text.
    pub key: &'a str,
    /// When it ends.
    pub ends_at: OffsetDateTime,
    /// Days of trial.
    pub days: u32,
    /// Whether the tenant is known: only then a purchase goes on with the key.
    pub is_bound: bool,
}

/// The context of `mail/<language>/trial_key/`.
#[derive(Debug, Clone, Serialize)]
pub struct TrialKey {
    #[serde(flatten)]
    letter: Letter,
    person: String,
    users: Option<u32>,
    devices: u32,
    days: u32,
    last_day: When,
    bound: bool,
}

/// The context of `mail/<language>/trial_key_ends/`.
#[derive(Debug, Clone, Serialize)]
pub struct TrialKeyEnds {
    #[serde(flatten)]
    letter: Letter,
    person: String,
    days: u32,
    last_day: When,
    bound: bool,
}

/// What is about to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeOf {
    /// A prospect's key.
    Key,
    /// The trial of a subscription.
    Trial,
    /// An offer that nobody has used.
    Offer,
}

impl NoticeOf {
    /// The word in the Message-ID.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Trial => "trial",
            Self::Offer => "offer",
        }
    }
}

/// The context of `mail/<language>/trial_reminder/`, to whoever granted the trial.
#[derive(Debug, Clone, Serialize)]
pub struct TrialReminder {
    #[serde(flatten)]
    letter: Letter,
    of: NoticeOf,
    person: String,
    email: String,
    tenant: Option<Uuid>,
    trial_days: u32,
    users: Option<u32>,
    days: u32,
    last_day: When,
    granted: When,
}

impl TrialKey {
    /// The mail with the key.
    #[must_use]
    pub fn new(prospect: &Prospect<'_>) -> Self {
        let key = Key::new(prospect.key, prospect.ends_at, false);
        Self {
            letter: Letter::new(prospect.purchase, "").with(Some(key), Figures::default()),
            person: in_one_line(prospect.person),
            users: prospect.users,
            devices: prospect.purchase.plan.devices_per_user,
            days: prospect.days,
            last_day: When::on(last_day(prospect.ends_at)),
            bound: prospect.is_bound,
        }
    }
}

impl TrialKeyEnds {
    /// The mail `days` before the end.
    #[must_use]
    pub fn new(prospect: &Prospect<'_>, days: u32) -> Self {
        Self {
            letter: Letter::new(prospect.purchase, ""),
            person: in_one_line(prospect.person),
            days,
            last_day: When::on(last_day(prospect.ends_at)),
            bound: prospect.is_bound,
        }
    }
}

impl TrialReminder {
    /// The mail `days` before `ends_at`.
    #[must_use]
    pub fn new(
        purchase: &Purchase<'_>,
        grant: &TrialGrant,
        of: NoticeOf,
        (days, ends_at): (u32, OffsetDateTime),
        page_url: &str,
    ) -> Self {
        Self {
            letter: Letter::new(purchase, page_url),
            of,
            person: in_one_line(&grant.contact.name),
            email: in_one_line(&grant.contact.email),
            tenant: grant.tenant_id,
            trial_days: grant.days,
            users: grant.users,
            days,
            last_day: When::on(last_day(ends_at)),
            granted: When::on(crate::domain::time::utc_day(grant.granted_at)),
        }
    }
}

fn each_prospect(mut tell: impl FnMut(&Prospect<'_>, &Deal<'_>)) {
    samples::each_deal(|deal| {
        let ends_at = crate::domain::time::end_of_day((samples::NOW + Duration::days(13)).date());
        let person = if deal.purchase.is_reseller_deal() { "Kim Nordwind" } else { samples::HOSTILE };
        let users = Some(deal.priced.quote.users);
        let purchase = &deal.purchase;
        tell(&Prospect { purchase, person, users, key: samples::KEY, ends_at, days: 14, is_bound: true }, deal);
    });
}

impl Mail for TrialKey {
    const NAME: &'static str = "trial_key";

    fn samples() -> Vec<Self> {
        let mut mails = Vec::new();
        each_prospect(|prospect, _| {
            mails.push(Self::new(prospect));
            mails.push(Self::new(&Prospect { users: None, days: 1, is_bound: false, ..*prospect }));
        });
        mails
    }
}

impl Mail for TrialKeyEnds {
    const NAME: &'static str = "trial_key_ends";

    fn samples() -> Vec<Self> {
        let mut mails = Vec::new();
        each_prospect(|prospect, _| {
            mails.push(Self::new(prospect, 7));
            mails.push(Self::new(&Prospect { is_bound: false, ..*prospect }, 1));
        });
        mails
    }
}

impl Mail for TrialReminder {
    const NAME: &'static str = "trial_reminder";

    fn samples() -> Vec<Self> {
        let mut mails = Vec::new();
        each_prospect(|prospect, deal| {
            let grant = samples::trial_grant(prospect.person, prospect.users);
            for (of, days) in [(NoticeOf::Key, 7), (NoticeOf::Trial, 1), (NoticeOf::Offer, 7)] {
                let url = "https://licenses.example/console/trials/1";
                mails.push(Self::new(&deal.purchase, &grant, of, (days, prospect.ends_at), url));
                let unnamed = TrialGrant { contact: crate::domain::trial_grant::Contact::default(), ..grant.clone() };
                let purchase = Purchase { name: "", organisation: "", ..deal.purchase };
                let unnamed = TrialGrant { users: None, ..unnamed };
                mails.push(Self::new(&purchase, &unnamed, of, (days, prospect.ends_at), url));
            }
        });
        mails
    }
}
