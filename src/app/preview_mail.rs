//! A mail of a subscription's life as it would be sent now, with real data; nothing is written and nothing is sent.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    App, AppError,
    change_users::preview_change,
    end_subscription::lines_of,
    keep_appointment::forecast,
    life_mail::{Letter, life_mail},
};
use crate::{
    domain::{
        change::{FrozenChange, first_term},
        charge::{Charge, State},
        enrolment::sum,
        pricing::Line,
        subscription::{MICROSOFT_DROPS_AFTER_DAYS, Subscription},
        time::{Term, plus_days, utc_day},
    },
    pages::mail::life::{LifeEvent, RefusalReason, RefusedChange},
    store::{Enrolment, NewMail},
};

/// The mails that can be looked at.
pub const PREVIEWS: [&str; 18] = [
    "upgraded",
    "lowered",
    "downgrade_planned",
    "downgrade_cancelled",
    "renewal_ahead",
    "renewed",
    "trial_ends",
    "extended",
    "suspended",
    "reinstated",
    "withdrawn",
    "cancelled",
    "set_up_reminder",
    "change_refused",
    "seats_changed",
    "key_ready",
    "key_again",
    "key_replaced",
];

/// The mail `name` of a subscription; without an id, of the newest one that is in use. Where the event has not happened,
/// the next plausible one is assumed: twice the users, half of them.
///
/// # Errors
/// [`AppError::NoPreview`] says what is missing; else [`AppError`].
pub async fn preview_mail(
    app: &App,
    name: &str,
    id: Option<Uuid>,
    language: Option<&str>,
) -> Result<NewMail, AppError> {
    let missing = |what: &str| AppError::NoPreview(what.to_owned());
    if !PREVIEWS.contains(&name) {
        return Err(missing(&format!("there is no mail \"{name}\"; there are {}", PREVIEWS.join(", "))));
    }
    let subscription = match id {
        Some(id) => app.store.find_subscription(id).await?,
        None => app.store.find_newest_active_subscription().await?,
    };
    let subscription = subscription.ok_or_else(|| missing("there is no such subscription"))?;
    let enrolment = app.store.find_enrolment(subscription.microsoft.id).await?;
    let enrolment = enrolment
        .map(|enrolment| Enrolment { language: language.map_or(enrolment.language, str::to_owned), ..enrolment });
    let figures = Figures::of(app, &subscription).await?;
    let key = app.store.find_newest_key(subscription.microsoft.id).await?;
    let configure_url = format!("{}/landing", app.issuer());
    let event = figures.event(name, &subscription, &configure_url).ok_or_else(|| {
        missing(&format!("{} has nothing that the mail \"{name}\" could tell", subscription.microsoft.id))
    })?;
    let with_key = matches!(
        name,
        "upgraded" | "lowered" | "renewed" | "seats_changed" | "key_ready" | "key_again" | "key_replaced"
    );
    let letter = Letter {
        subscription: &subscription,
        enrolment: enrolment.as_ref(),
        key: key.as_ref().filter(|_| with_key),
        cause: "preview",
    };
    life_mail(app, letter, &event)?.ok_or_else(|| missing("nobody of this subscription has a mailbox"))
}

/// What the events of one subscription would say.
struct Figures {
    users: u32,
    upgrade: Option<FrozenChange>,
    downgrade: Option<FrozenChange>,
    next_term: Option<(Term, Vec<Line>)>,
    held: Vec<Line>,
    held_until: Option<OffsetDateTime>,
}

impl Figures {
    async fn of(app: &App, subscription: &Subscription) -> Result<Self, AppError> {
        let users = subscription.users.unwrap_or_default();
        let charges = app.store.list_charges(subscription.microsoft.id).await?;
        let held: Vec<&Charge> = charges.iter().filter(|charge| charge.state == State::Held).collect();
        let planned = subscription.planned.map_or(users / 2, |planned| planned.users);
        Ok(Self {
            users,
            // What cannot be changed now has no figures.
            upgrade: preview_change(app, subscription, users.saturating_mul(2)).await.ok(),
            downgrade: preview_change(app, subscription, planned).await.ok(),
            next_term: forecast(app, subscription, app.clock.now()).await.unwrap_or_default(),
            held_until: held.iter().map(|charge| charge.reportable_from).max(),
            held: lines_of(app, subscription, &held),
        })
    }

    fn event<'a>(
        &'a self,
        name: &str,
        subscription: &'a Subscription,
        configure_url: &'a str,
    ) -> Option<LifeEvent<'a>> {
        let users = self.users;
        Some(match name {
            "upgraded" => self.upgraded(subscription)?,
            "lowered" => {
                LifeEvent::Lowered { from: users, to: users / 2, lines: &self.held, held_until: self.held_until? }
            }
            "downgrade_planned" => {
                let effective = subscription.term?.renewal()?;
                let downgrade = self.downgrade.as_ref();
                LifeEvent::DowngradePlanned {
                    from: users,
                    to: downgrade.map_or(users / 2, |change| change.to_users),
                    effective,
                    segment: downgrade.map(|change| &*change.next.segment.name),
                    next_term_total: downgrade.map(|change| change.next.total),
                }
            }
            "downgrade_cancelled" => LifeEvent::DowngradeCancelled { users, was: users / 2 },
            "renewal_ahead" | "renewed" => self.renewal(name, subscription)?,
            "trial_ends" => {
                let first = first_term(subscription)?;
                let (last_day, first_report) = (first.trial_end?, first.reportable_from);
                LifeEvent::TrialEnds { days: 7, last_day, first_report, lines: &self.held }
            }
            "extended" => LifeEvent::Extended {
                trial_end: subscription.trial_end,
                days: 14,
                held_until: self.held_until?,
                lines: &self.held,
            },
            "suspended" => LifeEvent::Suspended,
            "reinstated" => LifeEvent::Reinstated,
            "withdrawn" => LifeEvent::Withdrawn { dropped: &self.held },
            "cancelled" => LifeEvent::Cancelled { license_until: None, users: Some(users), dropped: &self.held },
            "set_up_reminder" => {
                let bought = utc_day(subscription.seen_at);
                LifeEvent::SetUpReminder {
                    bought,
                    dropped_on: Some(plus_days(bought, MICROSOFT_DROPS_AFTER_DAYS)),
                    configure_url,
                }
            }
            "change_refused" => {
                let what = RefusedChange::Plan { to: "another plan" };
                LifeEvent::ChangeRefused { reason: RefusalReason::NotASuccessor, what }
            }
            "seats_changed" => LifeEvent::SeatsChanged { from: Some(users), to: users.saturating_add(10) },
            "key_ready" => LifeEvent::KeyReady,
            "key_again" => LifeEvent::KeyAgain,
            _ => LifeEvent::KeyReplaced,
        })
    }

    fn upgraded(&self, subscription: &Subscription) -> Option<LifeEvent<'_>> {
        let change = self.upgrade.as_ref()?;
        Some(LifeEvent::Upgraded {
            from: change.from_users,
            to: change.to_users,
            line: change.lines.first(),
            remaining_days: change.part.days,
            term_days: change.part.of_days,
            held_until: change.held_until,
            next_term_total: Some(change.next.total),
            cancelled_plan: subscription.planned.is_some(),
        })
    }

    fn renewal(&self, name: &str, subscription: &Subscription) -> Option<LifeEvent<'_>> {
        let (term, lines) = self.next_term.as_ref()?;
        let total = sum(lines).ok()?;
        let planned = subscription.planned.map(|planned| planned.users);
        Some(if name == "renewed" {
            let downgraded_from = planned.and(subscription.users);
            LifeEvent::Renewed { term: *term, lines, total, downgraded_from, held_until: None }
        } else {
            let auto_renew = subscription.microsoft.auto_renew;
            LifeEvent::RenewalAhead { days: 30, on: term.start, lines, total, planned, auto_renew }
        })
    }
}
