//! The secrets of the configuration: whether they can be read, and how long they are good. What Entra says of them is another
//! matter.

use time::Date;

use crate::{
    app::checkup::{Check, Mend, Round, Verdict, Whose},
    clock::SharedClock,
    config::{Config, CredentialKind, Staff},
    domain::time::{plus_days, utc_day},
    startup::StartError,
};

/// The checks of one secret.
#[derive(Debug)]
pub(super) struct Secret {
    pub(super) readable: Check,
    pub(super) days: Check,
}

/// `[entra.credential]`
pub(super) static MARKETPLACE: Secret = Secret {
    readable: Check {
        id: "entra.credential",
        is_well_when: "what [entra.credential] names can be read",
        needs: &[],
        mends: &[&NAME_IT],
    },
    days: Check {
        id: "entra.secret_days",
        is_well_when: "the secret of [entra.credential] is good for more than 30 days",
        needs: &["entra.credential"],
        mends: DAYS,
    },
};

/// `[sign_in]`
pub(super) static SIGN_IN: Secret = Secret {
    readable: Check {
        id: "sign_in.credential",
        is_well_when: "the secret of [sign_in] can be read, or there is none and [entra.credential] takes its place",
        needs: &[],
        mends: &[&NAME_IT],
    },
    days: Check {
        id: "sign_in.secret_days",
        is_well_when: "the secret of [sign_in] is good for more than 30 days",
        needs: &["sign_in.credential"],
        mends: DAYS,
    },
};

/// `[staff]`
pub(super) static STAFF: Secret = Secret {
    readable: Check {
        id: "staff.credential",
        is_well_when: "the secret of [staff] can be read, or there is none and [entra.credential] takes its place",
        needs: &[],
        mends: &[&NAME_IT],
    },
    days: Check {
        id: "staff.secret_days",
        is_well_when: "the secret of [staff] is good for more than 30 days",
        needs: &["staff.credential"],
        mends: DAYS,
    },
};

const DAYS: &[&Mend] = &[&RENEW, &SAY_WHEN];

static NAME_IT: Mend = Mend {
    whose: Whose::Operations,
    does: "Give the section its secret, inline or as a file that this user can read, and not both; without one [entra.credential] \
           has to be an identity that the registration trusts.",
};
static RENEW: Mend = Mend {
    whose: Whose::EntraAdmin,
    does: "Make a new client secret in the app registration and hand it to operations before the old one ends, or write the right \
           day into client_secret_expires.",
};
static SAY_WHEN: Mend = Mend {
    whose: Whose::Operations,
    does: "Write the day on which the secret ends into client_secret_expires, as Entra's portal says it: nobody can ask for it \
           later.",
};

const WARNED_BEFORE_DAYS: u32 = 30;

/// When a secret ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ends {
    /// There is none.
    Never,
    /// The configuration does not say.
    Unsaid,
    /// On this day.
    On(Date),
}

impl From<Option<Date>> for Ends {
    fn from(day: Option<Date>) -> Self {
        day.map_or(Self::Unsaid, Self::On)
    }
}

pub(super) fn of_marketplace(config: &Config) -> Ends {
    let credential = &config.entra.credential;
    match credential.kind {
        CredentialKind::ClientSecret => credential.client_secret_expires.into(),
        CredentialKind::WorkloadIdentity | CredentialKind::FederatedManagedIdentity | CredentialKind::AzureCli => {
            Ends::Never
        }
    }
}

pub(super) fn of_sign_in(config: &Config) -> Ends {
    of_secret(config.sign_in.has_secret(), config.sign_in.client_secret_expires)
}

pub(super) fn of_staff(staff: &Staff) -> Ends {
    of_secret(staff.has_secret(), staff.client_secret_expires)
}

fn of_secret(exists: bool, day: Option<Date>) -> Ends {
    if exists { day.into() } else { Ends::Never }
}

/// Makes both checks; gives the part that needs the secret, where it could be built.
pub(super) async fn look<T>(
    round: &mut Round<'_>,
    which: &'static Secret,
    ends: Ends,
    part: Result<T, StartError>,
    clock: &SharedClock,
) -> Option<T> {
    let (part, verdict) = match part {
        Ok(part) if matches!(ends, Ends::Never) => (Some(part), Verdict::well("it needs no secret")),
        Ok(part) => (Some(part), Verdict::well("it can be read")),
        Err(error) => (None, Verdict::Wrong(&NAME_IT, error.to_string())),
    };
    round.note(&which.readable, verdict);
    let today = utc_day(clock.now());
    round.look(&which.days, async { days_left(ends, today) }).await;
    part
}

fn days_left(ends: Ends, today: Date) -> Verdict {
    match ends {
        Ends::Never => Verdict::well("there is no secret that ends"),
        Ends::Unsaid => {
            Verdict::Warning(&SAY_WHEN, "client_secret_expires is not set, and nobody will be warned".to_owned())
        }
        Ends::On(day) if day <= today => Verdict::Wrong(&RENEW, format!("it ended on {day}")),
        Ends::On(day) if day <= plus_days(today, WARNED_BEFORE_DAYS) => {
            Verdict::Warning(&RENEW, format!("it ends on {day}, in {} days", (day - today).whole_days()))
        }
        Ends::On(day) => Verdict::Well(format!("it ends on {day}, in {} days", (day - today).whole_days())),
    }
}
